/*
 * What a command says on the descriptor that MUSTER_FD names: a JSON object a line,
 *
 *   {"stream": "warning", "value": ...}    output warning verbose debug information progress
 *   {"progress": {...}}                    the same as stream progress with this value
 *
 * Anything else becomes a warning that says so, a bounded number of times.
 */
#ifndef MUSTER_FD3_H
#define MUSTER_FD3_H

#include <stddef.h>

#include "record.h"

struct fd3;

/* stream is set, the time is not. Valid during the call. */
typedef void fd3_fn(void *arg, const struct record *record);

struct fd3 *fd3_new(fd3_fn *fn, void *arg);
void fd3_free(struct fd3 *f); /* NULL is fine */

void fd3_add(struct fd3 *f, const void *data, size_t len);
void fd3_end(struct fd3 *f);

#endif
