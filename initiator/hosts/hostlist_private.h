/* What the files of this room share: the inside of a list, and the state of one parse. */
#ifndef MUSTER_HOSTLIST_PRIVATE_H
#define MUSTER_HOSTLIST_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hostlist.h"
#include "limits.h"

#define HOST_USER_MAX	   255u
#define HOSTFILE_DEPTH_MAX 8u
#define RANGE_NUMBER_MAX   UINT64_C(1000000000000)

/*
 * Caps of one parse. Work bounds what repetition may cost (a short text can name a million hosts
 * a thousand times): a unit is about a nanosecond.
 */
struct expr_limits {
	size_t hosts;
	uint64_t work;
};

#define EXPR_WORK_MAX	(UINT64_C(1) << 30)
#define EXPR_WORK_HOST	100u  /* to expand one name */
#define EXPR_WORK_TOUCH 100u  /* to look one host up in the other operand */
#define EXPR_WORK_FILE	4096u /* to read one file, its bytes aside */
#define EXPR_WORK_BYTE	10u   /* of a file */

/* One parse, all files that it reads included. */
struct expr_env {
	struct hostlist_env from;
	struct errmsg *msg;
	struct expr_limits left;	       /* hosts stays as given, work goes down */
	const char *files[HOSTFILE_DEPTH_MAX]; /* that are being read now, outermost first */
	size_t depth;
	bool stdin_read;
};

/* A piece of text that is parsed by itself: the expression, or a line of a file. */
struct expr_text {
	const char *data; /* not terminated */
	size_t len;
	const char *file; /* for messages; NULL: none */
	size_t line;
	size_t shift; /* of data in that line */
};

/* A host in pieces that are not terminated. user NULL: none; port 0: none. */
struct host_text {
	const char *user;
	size_t user_len;
	const char *name;
	size_t name_len;
	uint16_t port;
	bool brackets; /* written as [name] */
};

/* hostlist.c */

/* Adds the host unless the list has it. */
void hostlist_put(struct hostlist *list, const struct host_text *host);

/* The index of the host; SIZE_MAX: the list does not have it. */
size_t hostlist_find(const struct hostlist *list, const struct host_text *host);

/* Moves other's hosts to list; other is then empty. */
void hostlist_move_all(struct hostlist *list, struct hostlist *other);

/* Keeps the hosts that other has, by the rule of hostlist_remove_all. */
void hostlist_keep_all(struct hostlist *list, const struct hostlist *other);

/* Makes list the hosts that are in just one of the two. */
void hostlist_toggle_all(struct hostlist *list, const struct hostlist *other);

/* name.c: the offset of the first byte that may not be in a name, or in a user name; n if none. */
size_t name_bad_at(const char *name, size_t n);
size_t name_user_bad_at(const char *user, size_t n);

/* expr.c */

/* As hostlist_parse, with other caps. */
int expr_parse(struct hostlist **ret, const char *expr, const struct expr_limits *limits,
	       const struct hostlist_env *from, struct errmsg *msg);

/* Parses text and adds what it names to list, which must be empty. */
int expr_eval(struct hostlist *list, const struct expr_text *text, struct expr_env *env);

/* Sets the message, with the place (offset at) in front. Returns code. */
int expr_fail(struct expr_env *env, const struct expr_text *text, size_t at, int code,
	      const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* Takes units of work. Returns 0 or ERR_LIMIT. */
int expr_spend(struct expr_env *env, const struct expr_text *text, size_t at, uint64_t units);

/* Fails with the message for too many hosts. */
int expr_fail_hosts(struct expr_env *env, const struct expr_text *text, size_t at);

#define EXPR_QUOTE_SIZE 96

/* Makes n bytes of text fit to be shown: escaped, cut. Returns out. */
const char *expr_quote(char out[EXPR_QUOTE_SIZE], const char *data, size_t n);

/* True for what separates items. */
bool expr_is_space(char c);

/* item.c: adds the hosts of the item between at and end, whose brackets are balanced. */
int item_eval(struct hostlist *list, const struct expr_text *text, size_t at, size_t end,
	      struct expr_env *env);

/* hostfile.c: adds the hosts of the file (NULL: standard input) named at offset at of text. */
int hostfile_eval(struct hostlist *list, const char *path, const struct expr_text *text, size_t at,
		  struct expr_env *env);

#endif
