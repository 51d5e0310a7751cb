/* Files and directories that inventories are in. */
#ifndef MUSTER_FILES_H
#define MUSTER_FILES_H

#include <stddef.h>

#include "buf.h"
#include "err.h"

/* Appends a file of at most max bytes. Returns 0, ERR_SYS or ERR_LIMIT with msg. */
int files_read(const char *path, size_t max, struct buf *out, struct errmsg *msg);

/* What a path leads to at last, or NULL if there is nothing. The caller frees it. */
char *files_real(const char *path);

/*
 * Calls on_entry for what is in a directory, in the order of the names, without those that begin
 * with a '.'; suffix: only what ends so (NULL: all). Ends early if that returns something else
 * than 0, and returns it; ERR_SYS or ERR_LIMIT with msg if the directory cannot be read, or has
 * more than LIMIT_INVENTORY_FILES.
 */
int files_each(const char *dir, const char *suffix,
	       int (*on_entry)(void *arg, const char *path, struct errmsg *msg), void *arg,
	       struct errmsg *msg);

#endif
