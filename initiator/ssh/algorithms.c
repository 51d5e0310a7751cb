#include "algorithms.h"

#include <libssh/libssh.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "buf.h"
#include "pattern.h"

/* Bytes of a word that an error shows. */
#define ALGORITHM_SHOWN 60

/* For each kind: what is offered, best first, and what else may be asked for where libssh has it.
 */
static const struct {
	enum ssh_options_e option;
	const char *ours;
	const char *others;
} algorithms[] = {
	[ALGORITHM_KEX] = {SSH_OPTIONS_KEY_EXCHANGE,
			   "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,"
			   "ecdh-sha2-nistp384,ecdh-sha2-nistp521,diffie-hellman-group14-sha256,"
			   "diffie-hellman-group16-sha512,diffie-hellman-group18-sha512",
			   "mlkem768x25519-sha256,mlkem768nistp256-sha256,mlkem1024nistp384-sha384,"
			   "sntrup761x25519-sha512,sntrup761x25519-sha512@openssh.com,"
			   "diffie-hellman-group-exchange-sha256,"
			   "diffie-hellman-group-exchange-sha1,diffie-hellman-group14-sha1,"
			   "diffie-hellman-group1-sha1"},
	/* AES-GCM first: cheapest per byte, and not touched by CVE-2023-48795 ("Terrapin"). */
	[ALGORITHM_CIPHER] = {SSH_OPTIONS_CIPHERS_C_S,
			      "aes128-gcm@openssh.com,aes256-gcm@openssh.com,"
			      "chacha20-poly1305@openssh.com,aes256-ctr,aes192-ctr,aes128-ctr",
			      "aes256-cbc,aes192-cbc,aes128-cbc,3des-cbc"},
	/* Only the ciphers that bring none of their own use one; etm is checked before anything is
	 * decrypted. */
	[ALGORITHM_MAC] = {SSH_OPTIONS_HMAC_C_S,
			   "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,"
			   "hmac-sha2-256,hmac-sha2-512",
			   "hmac-sha1-etm@openssh.com,hmac-sha1"},
	/* Those of known hosts go before it (plan.c). */
	[ALGORITHM_HOST_KEY] = {SSH_OPTIONS_HOSTKEYS,
				"ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,"
				"ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256",
				"ssh-rsa"},
	[ALGORITHM_PUBKEY] = {SSH_OPTIONS_PUBLICKEY_ACCEPTED_TYPES,
			      "ssh-ed25519-cert-v01@openssh.com,"
			      "ecdsa-sha2-nistp256-cert-v01@openssh.com,"
			      "ecdsa-sha2-nistp384-cert-v01@openssh.com,"
			      "ecdsa-sha2-nistp521-cert-v01@openssh.com,"
			      "sk-ssh-ed25519-cert-v01@openssh.com,"
			      "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com,"
			      "rsa-sha2-512-cert-v01@openssh.com,rsa-sha2-256-cert-v01@openssh.com,"
			      "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,"
			      "ecdsa-sha2-nistp521,sk-ssh-ed25519@openssh.com,"
			      "sk-ecdsa-sha2-nistp256@openssh.com,rsa-sha2-512,rsa-sha2-256",
			      "ssh-rsa"},
};

const char *algorithms_offer(enum algorithm_kind kind, const char *list)
{
	return list ? list : algorithms[kind].ours;
}

/* A name as RFC 4251 (section 6) has it; not what libssh takes for a change of its own list ("+",
 * "-" and "^" in front), nor "none". */
static bool algorithm_is_name(const char *name)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				   "-@._";

	return *name && !strchr("-@._", *name) && !name[strspn(name, good)] &&
	       strcmp(name, "none") != 0;
}

/* libssh passes over the names that it does not know, and refuses a list of such names alone. */
static bool algorithm_is_known(ssh_session session, enum algorithm_kind kind, const char *name)
{
	return algorithm_is_name(name) &&
	       ssh_options_set(session, algorithms[kind].option, name) == 0;
}

/* Takes the next name out of the list; the caller frees it. */
static char *algorithm_next(const char **list)
{
	size_t n = strcspn(*list, ",");
	char *name = xstrndup(*list, n);

	*list = (*list)[n] ? *list + n + 1 : NULL;
	return name;
}

static void algorithms_add_known(struct buf *out, ssh_session session, enum algorithm_kind kind,
				 const char *list)
{
	while (list) {
		char *name = algorithm_next(&list);

		if (algorithm_is_known(session, kind, name))
			buf_addf(out, "%s%s", out->len ? ", " : "", name);
		free(name);
	}
}

static int algorithms_refuse(ssh_session session, enum algorithm_kind kind, const char *name,
			     const char *what, struct errmsg *msg)
{
	struct buf known = {0};
	int rc;

	algorithms_add_known(&known, session, kind, algorithms[kind].ours);
	algorithms_add_known(&known, session, kind, algorithms[kind].others);
	rc = err_set(msg, ERR_SYNTAX, "%s: '%.*s' is none of %s", what, ALGORITHM_SHOWN, name,
		     buf_cstr(&known));
	buf_done(&known);
	return rc;
}

int algorithms_check(enum algorithm_kind kind, const char *list, const char *what,
		     struct errmsg *msg)
{
	ssh_session session;
	int rc = 0;

	if (!list)
		return 0;
	session = ssh_new();
	if (!session)
		alloc_die(0);
	while (rc == 0 && list) {
		char *name = algorithm_next(&list);

		if (!algorithm_is_known(session, kind, name))
			rc = algorithms_refuse(session, kind, name, what, msg);
		free(name);
	}
	ssh_free(session);
	return rc;
}

static bool algorithm_is_in(const struct buf *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = list->len ? (const char *)list->data : NULL; p;) {
		const char *end = (const char *)list->data + list->len;
		const char *comma = memchr(p, ',', (size_t)(end - p));
		size_t n = (size_t)((comma ? comma : end) - p);

		if (n == len && memcmp(p, name, n) == 0)
			return true;
		p = comma ? comma + 1 : NULL;
	}
	return false;
}

/* Adds the names of a list that libssh knows, each once. without: patterns; NULL: none. */
static void algorithms_add(struct buf *out, ssh_session session, enum algorithm_kind kind,
			   const char *list, const char *without)
{
	while (list) {
		char *name = algorithm_next(&list);
		bool is_host_cert = kind == ALGORITHM_HOST_KEY && strstr(name, "-cert-v");

		if (!is_host_cert && !algorithm_is_in(out, name) &&
		    !(without && pattern_list_match(name, without, false) > 0) &&
		    algorithm_is_known(session, kind, name))
			buf_addf(out, "%s%s", out->len ? "," : "", name);
		free(name);
	}
}

int algorithms_assemble(enum algorithm_kind kind, const char *list, const char *what, char **ret,
			struct errmsg *msg)
{
	const char *ours = algorithms[kind].ours;
	ssh_session session = ssh_new();
	struct buf out = {0};

	if (!session)
		alloc_die(0);
	if (*list == '+' || *list == '-')
		algorithms_add(&out, session, kind, ours, *list == '-' ? list + 1 : NULL);
	if (*list != '-')
		algorithms_add(&out, session, kind, list + (*list == '+' || *list == '^'), NULL);
	if (*list == '^')
		algorithms_add(&out, session, kind, ours, NULL);
	ssh_free(session);
	if (!out.len)
		return err_set(msg, ERR_SYNTAX, "%s: nothing of '%.*s' is known to libssh", what,
			       ALGORITHM_SHOWN * 3, list);
	*ret = buf_take_str(&out);
	return 0;
}
