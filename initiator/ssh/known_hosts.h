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

/*
 * Appends a line for a new key to the file at path (created with mode 0600, its directory with
 * 0700) in one write under flock(2). Reads and writes files: call it off the event loop. Returns
 * 0 or ERR_SYS with msg (EINVAL: a name with characters that would make another line of it).
 */
int known_hosts_append(const char *path, const char *name, uint16_t port, int alias,
		       const char *type, const uint8_t *blob, size_t blob_len, struct errmsg *msg);

#endif
