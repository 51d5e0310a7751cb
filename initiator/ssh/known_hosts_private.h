/*
 * The inside of known_hosts.h. The text of the file stays in memory and is rewritten in place:
 * words end in NUL, keys and hashes are decoded, which makes them shorter. Lines point into it by
 * offsets, so that a line costs 28 bytes.
 */
#ifndef MUSTER_KNOWN_HOSTS_PRIVATE_H
#define MUSTER_KNOWN_HOSTS_PRIVATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "buf.h"
#include "file_stamp.h"
#include "known_hosts.h"

#define KNOWN_HASH_SIZE	 20u	     /* SHA-1, of the salt too */
#define KNOWN_LINE_MAX	 (64u << 10) /* a longer line is none */
#define KNOWN_TYPE_MAX	 64u
#define KNOWN_TYPES	 32u /* key types of one host that are told of */
#define KNOWN_TAIL_PARTS 16u /* of one file: more are read again as one */
#define KNOWN_HASHED_FEW 16u /* HMACs that may always be made for one host */

enum known_marker { KNOWN_PLAIN, KNOWN_REVOKED_KEY, KNOWN_CA_KEY };
enum known_kind {
	KNOWN_LITERAL, /* names separated by commas */
	KNOWN_WALKED,  /* patterns among them */
	KNOWN_HASHED   /* names is the salt and behind it the hash */
};

struct known_line {
	uint32_t number; /* in the file, 1-based */
	uint32_t names, names_len;
	uint32_t type;
	uint32_t blob, blob_len;
	uint8_t marker; /* enum known_marker */
	uint8_t kind;	/* enum known_kind */
};

/* One name of a KNOWN_LITERAL line. */
struct known_name {
	uint32_t name, len;
	uint32_t line; /* index */
};

/* A key type of hashed lines. */
struct known_hashed_type {
	const char *name; /* in the text */
	uint32_t count;	  /* lines; those with a marker are left out */
};

struct known_hosts {
	atomic_uint holds; /* beyond the owner's */
	struct file_stamp stamp;
	char *path;
	struct buf text;
	struct known_line *lines; /* in file order */
	uint32_t line_count, line_size;
	struct known_name *names; /* by name, then line */
	size_t name_count;
	uint32_t *walked; /* indices of lines */
	uint32_t walked_count;
	uint32_t *hashed; /* indices of lines, by blob, those with a marker first, then line */
	uint32_t hashed_count;
	struct known_hashed_type hashed_types[KNOWN_TYPES]; /* the most frequent first */
	size_t hashed_type_count;
	bool has_ca;		 /* an @cert-authority line */
	struct known_memo *memo; /* NULL: there are no hashed lines */
	struct known_news *news; /* what was taken since it was loaded; NULL: it was not loaded */
};

/* known_hosts_parse.c. Takes text over. */
struct known_hosts *known_hosts_from_text(const char *path, struct buf *text);

/* known_hosts_index.c. Sorts names, walked and hashed, once. */
void known_index_build(struct known_hosts *kh);
/* The lines of a name, or the hashed lines of a key: where they begin; *ret_count may be 0. */
const struct known_name *known_index_names(const struct known_hosts *kh, const char *name,
					   size_t *ret_count);
const uint32_t *known_index_blob(const struct known_hosts *kh, const uint8_t *blob, size_t blob_len,
				 size_t *ret_count);

/* known_hosts_types.c. Counts the types of hashed lines, once. */
void known_types_build(struct known_hosts *kh);

/* known_hosts_memo.c: the hashed line of a name. */
struct known_query;
struct known_search {
	const struct known_hosts *kh;
	struct known_query *query;
	size_t first, count; /* in kh->hashed: which lines */
	size_t budget;	     /* so many HMACs may be made; what is left */
	bool found;
	uint32_t line; /* the index of the one that was found */
};
/* True if there is one. False with nothing left of the budget: not known. */
bool known_memo_find(struct known_search *search);
void known_memo_build(struct known_hosts *kh);
void known_memo_free(struct known_memo *memo);
size_t known_memo_size(const struct known_hosts *kh);

/* known_hosts_news.c */
/* Of a file that was loaded: this one, up to there. */
struct known_news *known_news_new(const struct file_stamp *stamp, size_t len);
void known_news_free(struct known_news *news); /* NULL is fine */
/* How often keys were written so far. */
size_t known_news_writes(const struct known_hosts *kh);

/* known_hosts_append.c: what of a file is known already, up to end, and what others have written
 * there since start. All zero: nothing is. */
struct known_tail {
	dev_t dev;
	ino_t ino;
	off_t start, end;
	struct known_hosts *parts[KNOWN_TAIL_PARTS];
	size_t count;
};
/* known_hosts_append_all, which goes on from tail. where.path is that of the tail. */
int known_tail_append(struct known_tail *tail, const char *path, struct known_new *keys,
		      size_t count, struct errmsg *msg);
void known_tail_done(struct known_tail *tail);

static inline const char *known_text(const struct known_hosts *kh, uint32_t offset)
{
	return (const char *)kh->text.data + offset;
}

static inline const uint8_t *known_bytes(const struct known_hosts *kh, uint32_t offset)
{
	return kh->text.data + offset;
}

/* known_hosts_name.c: a name to look up. */
struct known_query {
	char *name;	  /* lower case, with its port */
	EVP_MAC_CTX *mac; /* NULL until needed */
	bool failed;	  /* an HMAC could not be made */
};

/* with_port: "[name]:port" unless port is 22. */
void known_query_init(struct known_query *q, const char *name, uint16_t port, bool with_port);
void known_query_done(struct known_query *q);
/* The HMAC of the name with this salt. False: it could not be made. */
bool known_query_hash(struct known_query *q, const uint8_t *salt,
		      uint8_t ret[static KNOWN_HASH_SIZE]);
/* True if the hash of a KNOWN_HASHED line is that of the name. */
bool known_query_hash_is(struct known_query *q, const struct known_hosts *kh,
			 const struct known_line *line);
/* The name of a key type without the signature algorithm: rsa-sha2-256 is a way to use ssh-rsa. */
const char *known_type(const char *type);

#endif
