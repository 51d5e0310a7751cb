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
#define GROUP_DEPTH_MAX	   32u
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
#define EXPR_WORK_ASK	4096u /* to ask for one group */
#define EXPR_WORK_MATCH 20u   /* to hold one name against a wildcard */

struct group_memo;

/* A group that is being expanded now. */
struct group_step {
	const char *shown; /* as it is written */
	const struct group_memo *memo;
};

/* One parse, all files that it reads included. */
struct expr_env {
	struct hostlist_env from;
	struct errmsg *msg;
	struct expr_limits left;	       /* hosts stays as given, work goes down */
	const char *files[HOSTFILE_DEPTH_MAX]; /* that are being read now, outermost first */
	size_t depth;
	bool stdin_read;
	void *memos;	    /* the groups that were asked for, a tree of tsearch(3) */
	const char *source; /* of the group whose text is being read; NULL: the default one */
	struct group_step groups[GROUP_DEPTH_MAX]; /* that are being expanded, outermost first */
	size_t group_depth;
};

/* A piece of text that is parsed by itself: the expression, or a line of a file. */
struct expr_text {
	const char *data; /* not terminated */
	size_t len;
	const char *file; /* for messages; NULL: none */
	size_t line;
	size_t shift;	   /* of data in that line */
	const char *group; /* the group, as "@web", whose text this is; NULL: none */
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

/* Makes room for so many more hosts at once. */
void hostlist_reserve(struct hostlist *list, size_t more);

/* Adds the host unless the list has it. */
void hostlist_put(struct hostlist *list, const struct host_text *host);

/* Adds a host that the list does not have, which is not looked at. */
void hostlist_append(struct hostlist *list, const struct host_text *host);

/* The host in pieces, which are its own. */
struct host_text hostlist_text(const struct host *host);

/* The index of the host; SIZE_MAX: the list does not have it. May make what it looks in, so that
 * even a list that nobody changes belongs to one thread. */
size_t hostlist_find(const struct hostlist *list, const struct host_text *host);

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

/* The same of a text that is one name: 1 to LIMIT_HOST_NAME letters, digits and '.', '-', '_', no
 * '-' in front. */
int item_eval_name(struct hostlist *list, const struct expr_text *text, struct expr_env *env);

/*
 * item.c: calls fn for each text that expanding the ranges between at and end gives; other bytes
 * are taken as they are. fn returns 0 or what ends it.
 */
typedef int item_names_fn(void *arg, const char *name, size_t n);
int item_names(const struct expr_text *text, size_t at, size_t end, struct expr_env *env,
	       item_names_fn *fn, void *arg);

/* group.c: adds the hosts of the group, source or job between at and end, where a '@' stands. */
int group_eval(struct hostlist *list, const struct expr_text *text, size_t at, size_t end,
	       struct expr_env *env);

/* Every host of the default source, as what a wildcard chooses from. *ret belongs to env. */
int group_all(const struct hostlist **ret, const struct expr_text *text, size_t at,
	      struct expr_env *env);

/* Frees what was kept of the groups. */
void group_forget(struct expr_env *env);

/* wild.c: adds the hosts of every source whose name fits; user and port, if given, are theirs. */
int wild_eval(struct hostlist *list, const struct host_text *pattern, const struct expr_text *text,
	      size_t at, struct expr_env *env);

/* True if all of name fits the pattern: '*' stands for any bytes, '?' for one character. */
bool wild_fits(const char *pattern, size_t pattern_len, const char *name);

/* hostfile.c: adds the hosts of the file (NULL: standard input) named at offset at of text. */
int hostfile_eval(struct hostlist *list, const char *path, const struct expr_text *text, size_t at,
		  struct expr_env *env);

#endif
