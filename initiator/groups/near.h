/* Names that somebody may have meant. */
#ifndef MUSTER_NEAR_H
#define MUSTER_NEAR_H

#include "buf.h"

/* Appends " (near: a, b)" with up to three of the lines of names that are like name, or nothing. */
void near_names(struct buf *out, struct buf *names, const char *name);

#endif
