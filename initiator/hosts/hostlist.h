/*
 * Host expressions: text that names computers, such as web[01-40/2],db1!web07 or ^hosts.txt.
 *
 * Grammar (docs/hosts.md): items joined by operators, all of equal precedence, left to right:
 * ',' union, '!' difference, '&' intersection, '^' exclusive or (a '^' that begins an item is a
 * file). Space is a ','. An item is a name with any number of [ranges]; ^FILE (one or several
 * expressions a line, '#' comments); '-' (the same from standard input); user@item; item:port;
 * [v6], [v6]:port.
 * A name is never rewritten: what was written is what results are labelled with. The same host
 * twice is one host; order is that of first mention.
 */
#ifndef MUSTER_HOSTLIST_H
#define MUSTER_HOSTLIST_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

struct hostlist;

struct host {
	char *label;   /* as written: "root@web01:2222", "[::1]:22"; unique in the list */
	char *name;    /* "web01", "::1" */
	char *user;    /* NULL: none given */
	uint16_t port; /* 0: none given */
	char *address; /* where it is connected to instead; NULL: its name. hostlist_login */
};

/*
 * Where ^FILE and '-' come from. path NULL is standard input. Appends the content to out; returns
 * 0 or a negative ERR_* with msg set.
 */
typedef int hostlist_read_fn(void *ctx, const char *path, struct buf *out, struct errmsg *msg);

/* What an expression may ask for that no expression can know. */
enum hostlist_ask {
	HOSTLIST_GROUP,	 /* the hosts of a group: an expression, in which '@' may stand again */
	HOSTLIST_ALL,	 /* every host of a source: the same */
	HOSTLIST_GROUPS, /* the names of the groups of a source: an expression without '@' */
	HOSTLIST_JOB	 /* "ID[:FILTER]" in name: hosts of a past job, labels with '\n' between */
};

/*
 * Where groups and jobs come from. source NULL: the default one. name NULL but for GROUP and JOB.
 * Appends the text to out; returns 0, ERR_NOTFOUND (no such source, group or job) or another
 * negative ERR_* with msg set, which says what is wrong but not where: the parser adds the place.
 */
typedef int hostlist_group_fn(void *ctx, enum hostlist_ask ask, const char *source,
			      const char *name, struct buf *out, struct errmsg *msg);

/* NULL functions: what needs them is an error. env NULL is one with nothing. */
struct hostlist_env {
	hostlist_read_fn *read;
	void *read_ctx;
	hostlist_group_fn *group;
	void *group_ctx;
};

/*
 * Parses and expands. Returns 0, or ERR_SYNTAX, ERR_RANGE, ERR_LIMIT or what a function of env
 * returned, with msg naming the expression (or file and line, or group), the position (1-based, in
 * bytes) and the cure. An empty expression gives an empty list. *ret is freed by hostlist_free.
 */
int hostlist_parse(struct hostlist **ret, const char *expr, const struct hostlist_env *env,
		   struct errmsg *msg);

/* An empty list. */
struct hostlist *hostlist_new(void);
void hostlist_free(struct hostlist *list);

size_t hostlist_count(const struct hostlist *list);
const struct host *hostlist_at(const struct hostlist *list, size_t index);

/* Moves other's hosts to list, where it lacks them; other is then empty. */
void hostlist_move_all(struct hostlist *list, struct hostlist *other);

/*
 * Adds to list the hosts of other that it lacks; removes from list those that other has. Hosts are
 * the same when user, name and port are (::1 and [::1] are one host, labelled as first written);
 * for removal, other's entries without user and port remove every host of that name.
 */
void hostlist_add_all(struct hostlist *list, const struct hostlist *other);
void hostlist_remove_all(struct hostlist *list, const struct hostlist *other);

/* Keeps the hosts first, first + step, first + 2 * step, ... (from 0). first < step. */
void hostlist_keep_nth(struct hostlist *list, size_t first, size_t step);

/*
 * Says how the host at index is logged in to, where the expression has not said it: the user and
 * the port count only if there is none, address NULL and port 0 change nothing. Texts are copied.
 * For a list that is complete: it may be read and thinned out afterwards, but not be compared with
 * others.
 */
void hostlist_login(struct hostlist *list, size_t index, const char *address, const char *user,
		    uint16_t port);

/* True if a name is one that may be connected to: 1 to LIMIT_HOST_NAME bytes of letters, digits,
 * '.', '-', '_', ':' and '%' (IPv6 zones), not beginning with '-'. UTF-8 letters are allowed. */
int hostlist_name_ok(const char *name);

#endif
