/*
 * known_hosts files (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"), each read once into an index.
 *
 * Plain names are found by a sorted index; hashed lines (HMAC-SHA1) by the key blob, so that a
 * check costs as many HMACs as lines bear this key, not as many as the file has lines, and few
 * where many hosts share it, as is remembered what was found. Wildcard and negated patterns are
 * walked. On a miss the hashed lines are tried one by one, to tell "changed" from "unknown".
 *
 * Immutable after loading, but for hints; may be used from several threads.
 */
#ifndef MUSTER_KNOWN_HOSTS_H
#define MUSTER_KNOWN_HOSTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

struct known_hosts;

/*
 * Loads one file. A missing one is empty. Lines that are no known_hosts lines are skipped, as
 * OpenSSH does. Reads a file: call it off the event loop. Returns 0, ERR_SYS (unreadable) or
 * ERR_LIMIT, with msg. Freed by known_hosts_free.
 */
int known_hosts_load(struct known_hosts **ret, const char *path, struct errmsg *msg);
void known_hosts_free(struct known_hosts *kh);
const char *known_hosts_path(const struct known_hosts *kh);

/* Keeps it: it is freed only after as many more calls of known_hosts_free. Both from any thread. */
void known_hosts_hold(struct known_hosts *kh);

/* True if loading it again would give the same. Looks at the file: off the event loop. Never
 * current is one that is not settled: of a file that had changed less than two seconds before. */
bool known_hosts_is_settled(const struct known_hosts *kh);
bool known_hosts_is_current(const struct known_hosts *kh);

/* Bytes of memory, about. */
size_t known_hosts_size(const struct known_hosts *kh);

enum known_verdict {
	KNOWN_MATCH,
	KNOWN_UNKNOWN, /* no line for this name */
	KNOWN_CHANGED, /* lines for this name and key type, none with this key */
	KNOWN_OTHER,   /* lines for this name, none of this key type */
	KNOWN_REVOKED, /* the key stands in an @revoked line that matches */
	KNOWN_CA_ONLY, /* only an @cert-authority line matches: not supported */
	KNOWN_ERROR    /* could not be decided (a failed HMAC): to be treated as a refusal */
};

struct known_where {
	const char *path; /* borrowed from the index; NULL: nowhere */
	unsigned line;	  /* the line that decided, 1-based */
};

/*
 * Judges a key that a server has proven to hold. name: host name, address or HostKeyAlias, folded
 * to lower case by the callee; port: 22 looks up "name", others "[name]:port" and, where that has
 * no line, plain "name" for a match or a revocation only (as OpenSSH does). alias: name is a
 * HostKeyAlias, and port is not looked at. type: "ssh-ed25519"; blob: the key in RFC 4253
 * section 6.6 form.
 */
enum known_verdict known_hosts_check(const struct known_hosts *const *files, size_t count,
				     const char *name, uint16_t port, int alias, const char *type,
				     const uint8_t *blob, size_t blob_len,
				     struct known_where *ret_where);

/* The key of the line that decided, borrowed from its file. False: there is none. */
bool known_hosts_key_at(const struct known_hosts *const *files, size_t count,
			const struct known_where *where, const uint8_t **ret_blob, size_t *ret_len);

/*
 * The same where it is quick: for a match, a revocation, and files of few hashed lines. Returns
 * true and sets *ret_verdict; false if it takes an HMAC for each of many lines, and so belongs off
 * the event loop.
 */
bool known_hosts_check_fast(const struct known_hosts *const *files, size_t count, const char *name,
			    uint16_t port, int alias, const char *type, const uint8_t *blob,
			    size_t blob_len, enum known_verdict *ret_verdict,
			    struct known_where *ret_where);

/*
 * Appends to out, separated by commas, the key types that are known for this name, in file order
 * and each once: what to ask the server for. Empty: none. RSA is "ssh-rsa", whatever algorithms
 * sign with it. Whether a hashed line is for this name takes an HMAC, which is not made where all
 * hashed lines of a file have one type, nor where there are more than hashed_max: their types then
 * come last, the most frequent first, as if each could be this host's.
 */
void known_hosts_types(const struct known_hosts *const *files, size_t count, const char *name,
		       uint16_t port, int alias, size_t hashed_max, struct buf *out);

/* True if an @cert-authority line is for this name; of the hashed ones only where they are few. */
bool known_hosts_have_ca(const struct known_hosts *const *files, size_t count, const char *name,
			 uint16_t port, int alias);

/* A key that is to be added. All is borrowed. */
enum known_added {
	KNOWN_ADDED,	/* its line was written */
	KNOWN_PRESENT,	/* it stands there already, or what there is keeps nothing (/dev/null) */
	KNOWN_CONFLICT, /* another key of that type stands there by now, or it is revoked */
	KNOWN_UNFIT	/* a name or a key that such a file cannot hold */
};

struct known_new {
	const char *name;
	uint16_t port;
	bool alias;  /* name is a HostKeyAlias */
	bool hashed; /* HashKnownHosts */
	const char *type;
	const uint8_t *blob;
	size_t blob_len;
	enum known_added result;
	struct known_where where; /* of a conflict; line 0: it cannot be told */
};

/*
 * Appends a line for each of these keys that is new to the file at path (created with mode 0600,
 * its directory with 0700), all in one write under flock(2), and tells the result of each. What
 * others have written is looked at under the same lock: no line is torn, none comes twice, however
 * many of us write at once; OpenSSH takes no lock, but appends whole lines too. Waits
 * LIMIT_KNOWN_LOCK_MS for a lock that another has. Reads and writes files: call it off the event
 * loop. Returns 0 or ERR_SYS with msg; nothing was added then.
 */
int known_hosts_append_all(const char *path, struct known_new *keys, size_t count,
			   struct errmsg *msg);

/* The same of one key (ERR_SYS with EINVAL: it is unfit). */
int known_hosts_append(const char *path, const char *name, uint16_t port, int alias,
		       const char *type, const uint8_t *blob, size_t blob_len, struct errmsg *msg);

/*
 * New keys that connections take (known_hosts_news.c): from any thread, written to the file of kh,
 * those that wait together in one write, and remembered in memory, so that a host that shows
 * another key a moment later is refused.
 */
struct known_offer;

/* Puts a copy of key in line to be written. kh must stay until known_offer_free. */
struct known_offer *known_offer_new(const struct known_hosts *kh, const struct known_new *key);
/* Returns when it is written, by whoever. Off the event loop. */
void known_offer_write(struct known_offer *offer);
/* What came of it: 0 and *ret, or the error with which nothing could be written, and its text. */
int known_offer_result(const struct known_offer *offer, struct known_new *ret, const char **why);
/* Written or not: one that nobody has begun with is not written any more. NULL is fine. */
void known_offer_free(struct known_offer *offer);

/* Judges a key by those that were taken since kh was loaded: true with KNOWN_MATCH, KNOWN_CHANGED
 * or KNOWN_OTHER if there is one for that name. */
bool known_news_check(const struct known_hosts *kh, const struct known_new *key,
		      enum known_verdict *ret);

#endif
