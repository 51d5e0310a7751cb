/*
 * A secret in memory that is not swapped and not in a core: mlock(2), madvise(2). Shared by whoever
 * holds it, from any thread; wiped when the last one lets go. Where RLIMIT_MEMLOCK is too small for
 * it the page may be swapped, and the debug log says so.
 */
#ifndef MUSTER_LOCKED_H
#define MUSTER_LOCKED_H

#include <stddef.h>

struct locked;

/* A copy of len bytes, which may hold no NUL. Never NULL. */
struct locked *locked_new(const char *text, size_t len);
struct locked *locked_line(const char *text);	   /* with a line break behind it */
struct locked *locked_hold(struct locked *locked); /* returns it. NULL is fine */
void locked_drop(struct locked *locked);	   /* NULL is fine */

/* Ends in NUL. Borrowed from the holder. NULL: NULL. */
const char *locked_text(const struct locked *locked);

#endif
