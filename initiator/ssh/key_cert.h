/*
 * User certificates of OpenSSH (PROTOCOL.certkeys): a public key that an authority has signed, in a
 * file of its own. Off the event loop.
 */
#ifndef MUSTER_KEY_CERT_H
#define MUSTER_KEY_CERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "keys.h"

struct key_cert {
	char *path;
	uint8_t *
		blob; /* the certificate, as a public key travels; NULL: none, and fault says why */
	size_t len;
	uint8_t *plain; /* the key that it is of, as key_file.blob */
	size_t plain_len;
	uint64_t from_s, to_s; /* valid from then and before then, seconds since 1970 */
	bool missing;	       /* there is no such file */
	struct errmsg fault;
};

/* Always fills ret. */
void key_cert_load(struct key_cert *ret, const char *path);
void key_cert_done(struct key_cert *cert);

/* Whether it holds at this time; else msg names the file and says why. */
bool key_cert_is_valid(const struct key_cert *cert, uint64_t now_s, struct errmsg *msg);

/* The key beneath a certificate's blob: in *ret, which the caller frees. ERR_PROTO: it is none. */
int key_cert_plain(const uint8_t *blob, size_t len, uint8_t **ret, size_t *ret_len);

/* The private key with the certificate: what a server is offered. The caller frees it; NULL if
 * libssh cannot. */
ssh_key key_cert_join(const struct key_cert *cert, ssh_key key);

#endif
