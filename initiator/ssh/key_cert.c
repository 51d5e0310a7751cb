#include "key_cert.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "alloc.h"
#include "buf.h"
#include "fd.h"
#include "limits.h"

#define CERT_USER 1u /* SSH_CERT_TYPE_USER */

/* How many strings make up the public key of each type, behind the nonce. */
static const struct {
	const char *cert;
	const char *plain;
	unsigned strings;
} cert_types[] = {
	{"ssh-ed25519-cert-v01@openssh.com", "ssh-ed25519", 1},
	{"ssh-rsa-cert-v01@openssh.com", "ssh-rsa", 2},
	{"ecdsa-sha2-nistp256-cert-v01@openssh.com", "ecdsa-sha2-nistp256", 2},
	{"ecdsa-sha2-nistp384-cert-v01@openssh.com", "ecdsa-sha2-nistp384", 2},
	{"ecdsa-sha2-nistp521-cert-v01@openssh.com", "ecdsa-sha2-nistp521", 2},
	{"sk-ssh-ed25519-cert-v01@openssh.com", "sk-ssh-ed25519@openssh.com", 2},
	{"sk-ecdsa-sha2-nistp256-cert-v01@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com", 3},
};

struct cert_in {
	const uint8_t *at;
	size_t left;
	bool bad;
};

static uint64_t cert_number(struct cert_in *in, size_t bytes)
{
	uint64_t n = 0;

	if (in->left < bytes) {
		in->bad = true;
		return 0;
	}
	for (size_t i = 0; i < bytes; i++)
		n = n << 8 | in->at[i];
	in->at += bytes;
	in->left -= bytes;
	return n;
}

static const uint8_t *cert_string(struct cert_in *in, size_t *ret_len)
{
	size_t len = (size_t)cert_number(in, 4);
	const uint8_t *at = in->at;

	if (in->bad || len > in->left) {
		in->bad = true;
		*ret_len = 0;
		return at;
	}
	in->at += len;
	in->left -= len;
	*ret_len = len;
	return at;
}

static void cert_put_string(struct buf *out, const void *data, size_t len)
{
	uint8_t n[4] = {(uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8),
			(uint8_t)len};

	buf_add(out, n, sizeof n);
	buf_add(out, data, len);
}

/* Reads the key that it is of; in is then behind it. */
static int cert_read_plain(struct cert_in *in, struct buf *plain)
{
	const uint8_t *type, *part;
	size_t len, row = 0, n;

	type = cert_string(in, &len);
	while (row < ARRAY_LEN(cert_types) && (strlen(cert_types[row].cert) != len ||
					       memcmp(cert_types[row].cert, type, len) != 0))
		row++;
	if (in->bad || row == ARRAY_LEN(cert_types))
		return ERR_PROTO;
	(void)cert_string(in, &n); /* the nonce */
	cert_put_string(plain, cert_types[row].plain, strlen(cert_types[row].plain));
	for (unsigned i = 0; i < cert_types[row].strings; i++) {
		part = cert_string(in, &n);
		cert_put_string(plain, part, n);
	}
	return in->bad ? ERR_PROTO : 0;
}

int key_cert_plain(const uint8_t *blob, size_t len, uint8_t **ret, size_t *ret_len)
{
	struct cert_in in = {.at = blob, .left = len};
	struct buf plain = {0};

	if (cert_read_plain(&in, &plain) != 0) {
		buf_done(&plain);
		return ERR_PROTO;
	}
	*ret = plain.data;
	*ret_len = plain.len;
	return 0;
}

static int cert_read(struct key_cert *cert)
{
	struct cert_in in = {.at = cert->blob, .left = cert->len};
	struct buf plain = {0};
	uint64_t kind;
	size_t n;
	int rc = cert_read_plain(&in, &plain);

	cert->plain = plain.data;
	cert->plain_len = plain.len;
	if (rc)
		return err_set(&cert->fault, rc, "%s: not a certificate", cert->path);
	(void)cert_number(&in, 8); /* serial number */
	kind = cert_number(&in, 4);
	(void)cert_string(&in, &n); /* key id */
	(void)cert_string(&in, &n); /* principals */
	cert->from_s = cert_number(&in, 8);
	cert->to_s = cert_number(&in, 8);
	if (in.bad)
		return err_set(&cert->fault, ERR_PROTO, "%s: not a certificate", cert->path);
	if (kind != CERT_USER)
		return err_set(&cert->fault, ERR_PROTO, "%s: a host's certificate, not a user's",
			       cert->path);
	return 0;
}

/* "TYPE BASE64 COMMENT": the second word. */
static int cert_decode(struct key_cert *cert, const char *text)
{
	static const char blank[] = " \t\r\n";
	const char *word = text + strcspn(text, blank);
	size_t len, pad = 0;
	int n;

	word += strspn(word, blank);
	len = strcspn(word, blank);
	if (!len || len % 4)
		return err_set(&cert->fault, ERR_PROTO, "%s: not a certificate", cert->path);
	while (pad < 2 && word[len - 1 - pad] == '=')
		pad++;
	cert->blob = xmalloc(len / 4 * 3 + 1);
	n = EVP_DecodeBlock(cert->blob, (const unsigned char *)word, (int)len);
	if (n <= (int)pad)
		return err_set(&cert->fault, ERR_PROTO, "%s: not a certificate", cert->path);
	cert->len = (size_t)n - pad;
	return cert_read(cert);
}

static void cert_clear(struct key_cert *cert)
{
	free(cert->blob);
	free(cert->plain);
	cert->blob = cert->plain = NULL;
	cert->len = cert->plain_len = 0;
}

void key_cert_load(struct key_cert *ret, const char *path)
{
	struct buf text = {0};
	int rc;

	*ret = (struct key_cert){.path = xstrdup(path)};
	rc = fd_read_file(&text, path, LIMIT_KEY_FILE);
	if (rc == ERR_SYS) {
		ret->missing = errno == ENOENT;
		(void)err_set(&ret->fault, rc, "%s: %s", path, strerror(errno));
	} else if (rc) {
		(void)err_set(&ret->fault, rc, "%s: larger than %u bytes, no certificate", path,
			      LIMIT_KEY_FILE);
	} else {
		if (cert_decode(ret, buf_cstr(&text)) != 0)
			cert_clear(ret);
	}
	buf_done(&text);
}

void key_cert_done(struct key_cert *cert)
{
	cert_clear(cert);
	free(cert->path);
	*cert = (struct key_cert){0};
}

bool key_cert_is_valid(const struct key_cert *cert, uint64_t now_s, struct errmsg *msg)
{
	bool late = now_s >= cert->to_s;
	time_t when = (time_t)(late ? cert->to_s : cert->from_s);
	char text[32] = "?";
	struct tm tm;

	if (!late && now_s >= cert->from_s)
		return true;
	if (gmtime_r(&when, &tm))
		(void)strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &tm);
	(void)err_set(msg, ERR_DENIED, "%s: %s %s", cert->path,
		      late ? "expired at" : "not valid before", text);
	return false;
}

ssh_key key_cert_join(const struct key_cert *cert, ssh_key key)
{
	ssh_key public = NULL, both = NULL;

	if (ssh_pki_import_cert_file(cert->path, &public) == SSH_OK)
		both = ssh_key_dup(key);
	if (both && ssh_pki_copy_cert_to_privkey(public, both) != SSH_OK) {
		ssh_key_free(both);
		both = NULL;
	}
	ssh_key_free(public);
	return both;
}
