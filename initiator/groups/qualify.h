/* Groups that a source names without a source are its own. */
#ifndef MUSTER_QUALIFY_H
#define MUSTER_QUALIFY_H

#include <stddef.h>

#include "buf.h"

/*
 * Appends n bytes of a host expression, in which "@group" becomes "@source:group" where an item
 * begins and no source is named. What begins a file or standard input in an expression ('^', "-")
 * is not touched here. NUL bytes become blanks.
 */
void qualify(struct buf *out, const char *text, size_t n, const char *source);

#endif
