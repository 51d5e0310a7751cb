/* What is copied, and where to, as people write it. */
#ifndef MUSTER_COPY_WHERE_H
#define MUSTER_COPY_WHERE_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

/*
 * "EXPR:PATH" in its two parts. The colon is the last one that is followed by '/', by '~' or by
 * nothing, as those of ports and of IPv6 addresses are not; no PATH is the home there. The caller
 * frees both. Returns 0, or ERR_SYNTAX with msg.
 */
int copy_where_split(const char *text, char **ret_expr, char **ret_path, struct errmsg *msg);

/* Sources of this computer, made absolute. */
struct copy_sources {
	char **paths;
	size_t count;
};

/* Looks at each: it is there, no folder without recurse, a file, folder or link; no two have the
 * same name. Returns 0, or ERR_* with msg that names it. Freed by copy_sources_done, also then. */
int copy_sources_find(struct copy_sources *ret, char *const *paths, size_t count, bool recurse,
		      struct errmsg *msg);
void copy_sources_done(struct copy_sources *sources);

/* A path of this computer as the daemon needs it, which has another working directory. The caller
 * frees it. NULL: there is no working directory. */
char *copy_where_absolute(const char *path);

#endif
