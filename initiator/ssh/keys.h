/* Private keys, loaded once and shared by every session (read-only). Off the event loop. */
#ifndef MUSTER_KEYS_H
#define MUSTER_KEYS_H

#include <libssh/libssh.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct key_file {
	char *path;
	ssh_key key;   /* NULL: not usable, and fault says why */
	uint8_t *blob; /* public key, RFC 4253 section 6.6; NULL if it could not be found out */
	size_t blob_len;
	bool missing;	     /* there is no such file */
	bool locked;	     /* it has a passphrase, which nobody has said: key is NULL */
	bool wanted;	     /* locked, configured by name, and no agent stands in for it */
	bool last_resort;    /* locked, a default one, and there is no other key */
	struct errmsg fault; /* "PATH: has a passphrase, and ssh-agent does not hold it" */
};

/*
 * Loads a private key without a passphrase; for one that has a passphrase, or that cannot be read,
 * at least its public half (from PATH.pub), so that ssh-agent can be asked for it. Always fills
 * ret.
 */
void key_file_load(struct key_file *ret, const char *path);
void key_file_done(struct key_file *file);

/* The key of a locked file. Reads it again, and costs some tenths of a second, as that is what
 * protects it. Returns 0; ERR_DENIED: that is not the passphrase; or ERR_CRYPTO, ERR_SYS: the file
 * is another one now; file is as it was then. */
int key_file_unlock(struct key_file *file, const char *passphrase);

/* The public half as a blob, which the caller frees. 0 or ERR_CRYPTO. */
int key_blob(ssh_key key, uint8_t **ret_blob, size_t *ret_len);

#endif
