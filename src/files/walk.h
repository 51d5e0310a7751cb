/*
 * Reads trees of files, one name at a time: what a copy takes. Symbolic links that are named are
 * followed, those inside of folders are told as they are. Blocks, as the file system does.
 */
#ifndef MUSTER_WALK_H
#define MUSTER_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "err.h"
#include "file_entry.h"

/* Folders in folders. */
#define WALK_DEPTH 200u

struct walk;

/* paths: what is copied, each under its last name; borrowed. recurse: folders with all that is in
 * them; otherwise they are trouble. Freed by walk_free. */
struct walk *walk_new(const char *const *paths, size_t count, bool recurse);
void walk_free(struct walk *walk); /* NULL is fine */

/* The next name; index and hash are not set. *ret_path: how to open it. Both are borrowed until the
 * next call. Folders come before what is in them. False at the end. */
bool walk_next(struct walk *walk, struct file_entry *ret, const char **ret_path);

/* How much of *ret_path, at its front, is what was named: below that no link is followed. */
size_t walk_top(const struct walk *walk);

/* Fills in what stat(2) says. */
void walk_fill(struct file_entry *ret, const struct stat *st);

/* What futimens(2) wants: the time of access stays. */
void walk_times(struct timespec ret[2], int64_t mtime_ns);

/* The last name of a path, without slashes behind it; the caller frees it. NULL: it has none, or
 * one that stands for another ("..", "/"). */
char *walk_name(const char *path);

/* path with "~" or "~/" at its front in full; what is not absolute then is in the home. The caller
 * frees it. */
char *walk_home(const char *path);

/* Opens a plain file for reading, never what could hang. Links are followed in the first top bytes
 * of path, and nowhere behind them: whoever owns a folder that is copied could make one at any
 * moment, to a file that is no business of theirs. Returns the descriptor, or ERR_SYS with errno.
 */
int walk_open(const char *path, size_t top, struct stat *ret_st);

#endif
