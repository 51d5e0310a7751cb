/* The hosts of a command line: -H and -x to a list. */
#ifndef MUSTER_TARGETS_H
#define MUSTER_TARGETS_H

#include "hostlist.h"
#include "options.h"

/*
 * The union of the expressions in targets without those in exclude. Files and standard input are
 * read here, the latter at most once, and not at all if something else reads it (stdin_taken).
 * Returns 0; what hostlist_parse returns; ERR_NOTFOUND for an
 * empty set unless allow_empty. *ret is freed by hostlist_free.
 */
int targets_find(struct hostlist **ret, const struct option_texts *targets,
		 const struct option_texts *exclude, bool allow_empty, bool stdin_taken,
		 struct errmsg *msg);

#endif
