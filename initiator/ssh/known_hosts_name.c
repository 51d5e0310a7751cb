#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "alloc.h"
#include "known_hosts_private.h"

void known_query_init(struct known_query *q, const char *name, uint16_t port, bool with_port)
{
	*q = (struct known_query){0};
	if (with_port && port && port != 22)
		q->name = xasprintf("[%s]:%u", name, port);
	else
		q->name = xstrdup(name);
	for (char *c = q->name; *c; c++) {
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c + ('a' - 'A'));
	}
}

void known_query_done(struct known_query *q)
{
	EVP_MAC_CTX_free(q->mac);
	free(q->name);
}

/* Finding the algorithm costs more than an HMAC: once for a query. */
static EVP_MAC_CTX *query_mac(void)
{
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
	char digest[] = "SHA1";
	OSSL_PARAM params[2] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};

	EVP_MAC_free(hmac);
	if (ctx && EVP_MAC_CTX_set_params(ctx, params) != 1) {
		EVP_MAC_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

bool known_query_hash(struct known_query *q, const uint8_t *salt,
		      uint8_t ret[static KNOWN_HASH_SIZE])
{
	size_t len = 0;

	if (!q->mac)
		q->mac = query_mac();
	if (!q->mac || EVP_MAC_init(q->mac, salt, KNOWN_HASH_SIZE, NULL) != 1 ||
	    EVP_MAC_update(q->mac, (const unsigned char *)q->name, strlen(q->name)) != 1 ||
	    EVP_MAC_final(q->mac, ret, &len, KNOWN_HASH_SIZE) != 1 || len != KNOWN_HASH_SIZE) {
		q->failed = true;
		return false;
	}
	return true;
}

bool known_query_hash_is(struct known_query *q, const struct known_hosts *kh,
			 const struct known_line *line)
{
	const uint8_t *salt = known_bytes(kh, line->names);
	uint8_t hash[KNOWN_HASH_SIZE];

	return known_query_hash(q, salt, hash) &&
	       memcmp(hash, salt + KNOWN_HASH_SIZE, sizeof hash) == 0;
}

const char *known_type(const char *type)
{
	if (strcmp(type, "rsa-sha2-256") == 0 || strcmp(type, "rsa-sha2-512") == 0)
		return "ssh-rsa";
	return type;
}
