/* Keys for tests of known_hosts: their blobs are well formed, their content is a number. */
#ifndef MUSTER_TEST_KNOWN_HOSTS_KEYS_H
#define MUSTER_TEST_KNOWN_HOSTS_KEYS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "alloc.h"
#include "buf.h"
#include "known_hosts.h"
#include "known_hosts_private.h"

#define ED  "ssh-ed25519"
#define RSA "ssh-rsa"

struct test_key {
	uint8_t blob[128];
	size_t len;
};

static inline void key_put(struct test_key *k, const void *data, size_t len)
{
	uint8_t head[4] = {0, 0, 0, (uint8_t)len};

	memcpy(k->blob + k->len, head, sizeof head);
	memcpy(k->blob + k->len + sizeof head, data, len);
	k->len += sizeof head + len;
}

/* An RSA key gets an exponent and a modulus, so that ssh-keygen takes it for one. */
static inline struct test_key key_make(const char *type, unsigned number)
{
	uint8_t content[32] = {0x5a};
	struct test_key k = {.len = 0};

	memcpy(content + 1, &number, sizeof number);
	key_put(&k, type, strlen(type));
	if (strcmp(type, RSA) == 0)
		key_put(&k, "\1\0\1", 3);
	key_put(&k, content, sizeof content);
	return k;
}

/* Appends "names type base64\n". */
static inline void key_line(struct buf *out, const char *names, const char *type, unsigned number)
{
	struct test_key k = key_make(known_type(type), number);
	unsigned char base64[256];

	(void)EVP_EncodeBlock(base64, k.blob, (int)k.len);
	buf_addf(out, "%s %s %s\n", names, type, (const char *)base64);
}

/* Appends "|1|salt|hash", the salt being made of number. */
static inline void key_hash_name(struct buf *out, const char *name, unsigned number)
{
	uint8_t salt[KNOWN_HASH_SIZE] = {1}, hash[KNOWN_HASH_SIZE];
	unsigned char base64[64];
	size_t len = 0;

	memcpy(salt + 1, &number, sizeof number);
	if (!EVP_Q_mac(NULL, "HMAC", NULL, "SHA1", NULL, salt, sizeof salt,
		       (const unsigned char *)name, strlen(name), hash, sizeof hash, &len))
		abort();
	(void)EVP_EncodeBlock(base64, salt, sizeof salt);
	buf_addf(out, "|1|%s", (const char *)base64);
	(void)EVP_EncodeBlock(base64, hash, sizeof hash);
	buf_addf(out, "|%s", (const char *)base64);
}

static inline void key_hashed_line(struct buf *out, const char *marker, const char *name,
				   const char *type, unsigned number)
{
	struct buf names = {0};

	buf_add_str(&names, marker);
	key_hash_name(&names, name, number);
	key_line(out, buf_cstr(&names), type, number);
	buf_done(&names);
}

#endif
