#include "simfleet_keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"

static int sim_key_new(ssh_key *ret, const char *path, struct errmsg *msg)
{
	mode_t mask;
	int rc;

	if (ssh_pki_generate(SSH_KEYTYPE_ED25519, 0, ret) != SSH_OK)
		return err_set(msg, ERR_CRYPTO, "cannot make a key");
	if (!path)
		return 0;
	mask = umask(077);
	rc = ssh_pki_export_privkey_file(*ret, NULL, NULL, NULL, path);
	(void)umask(mask);
	if (rc == SSH_OK)
		return 0;
	ssh_key_free(*ret);
	return err_set(msg, ERR_SYS, "cannot write the key %s: %s", path, strerror(errno));
}

/* path NULL: a new one. */
static int sim_key_load(ssh_key *ret, const char *path, struct errmsg *msg)
{
	if (!path || access(path, F_OK) != 0)
		return sim_key_new(ret, path, msg);
	if (ssh_pki_import_privkey_file(path, NULL, NULL, NULL, ret) == SSH_OK)
		return 0;
	return err_set(msg, ERR_CRYPTO, "%s is no private key without a passphrase; remove it",
		       path);
}

static int sim_host_key_load(struct sim_host_key *ret, const char *path, struct errmsg *msg)
{
	bool no = false;
	ssh_key key;
	int rc = sim_key_load(&key, path, msg);

	if (rc)
		return rc;
	ret->bind = ssh_bind_new();
	/* The key is then that of the bind. */
	if (!ret->bind || ssh_pki_export_pubkey_base64(key, &ret->public) != SSH_OK ||
	    ssh_bind_options_set(ret->bind, SSH_BIND_OPTIONS_PROCESS_CONFIG, &no) != SSH_OK ||
	    ssh_bind_options_set(ret->bind, SSH_BIND_OPTIONS_IMPORT_KEY, key) != SSH_OK) {
		ssh_key_free(key);
		return err_set(msg, ERR_CRYPTO, "the host key %s cannot be used; remove it",
			       path ? path : "");
	}
	return 0;
}

static int sim_keys_load_hosts(struct sim_keys *keys, const char *dir, struct errmsg *msg)
{
	int rc = 0;

	if (dir && mkdir(dir, 0700) != 0 && errno != EEXIST)
		return err_set(msg, ERR_SYS, "cannot make the folder %s: %s", dir, strerror(errno));
	for (size_t i = 0; i < keys->count && !rc; i++) {
		char *path = dir ? xasprintf("%s/host_key_%zu", dir, i + 1) : NULL;

		rc = sim_host_key_load(&keys->hosts[i], path, msg);
		free(path);
	}
	return rc ? rc : sim_host_key_load(&keys->wrong, NULL, msg);
}

/* The private half of PATH.pub is PATH. */
static int sim_keys_make_authorized(const char *path, struct errmsg *msg)
{
	size_t len = strlen(path);
	char *private;
	ssh_key key;
	int rc;

	if (access(path, F_OK) == 0)
		return 0;
	private = xstrndup(path, len > 4 ? len - 4 : len);
	rc = sim_key_load(&key, private, msg);
	free(private);
	if (rc)
		return rc;
	if (ssh_pki_export_pubkey_file(key, path) != SSH_OK)
		rc = err_set(msg, ERR_SYS, "cannot write the key %s: %s", path, strerror(errno));
	ssh_key_free(key);
	return rc;
}

int sim_keys_load(struct sim_keys *ret, const char *dir, size_t count, const char *authorized,
		  bool make_authorized, struct errmsg *msg)
{
	int rc;

	*ret = (struct sim_keys){.hosts = xcalloc(count, sizeof *ret->hosts), .count = count};
	rc = sim_keys_load_hosts(ret, dir, msg);
	if (!rc && authorized && make_authorized)
		rc = sim_keys_make_authorized(authorized, msg);
	if (!rc && authorized && ssh_pki_import_pubkey_file(authorized, &ret->authorized) != SSH_OK)
		rc = err_set(msg, ERR_SYS, "%s is no public key of one line", authorized);
	return rc;
}

static void sim_host_key_done(struct sim_host_key *key)
{
	ssh_bind_free(key->bind);
	ssh_string_free_char(key->public);
}

void sim_keys_done(struct sim_keys *keys)
{
	for (size_t i = 0; i < keys->count; i++)
		sim_host_key_done(&keys->hosts[i]);
	sim_host_key_done(&keys->wrong);
	ssh_key_free(keys->authorized);
	free(keys->hosts);
}

const struct sim_host_key *sim_keys_of(const struct sim_keys *keys, size_t number)
{
	return &keys->hosts[(number - 1) % keys->count];
}
