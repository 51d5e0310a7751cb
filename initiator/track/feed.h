/*
 * The standard input of a job: kept whole until the job ends, as a host whose turn comes late gets
 * all of it too. Pure; memory is bounded by LIMIT_STDIN.
 */
#ifndef MUSTER_FEED_H
#define MUSTER_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct feed;

struct feed *feed_new(void);
void feed_free(struct feed *feed); /* NULL is fine */

/* Adds bytes (copied). 0, ERR_LIMIT, or ERR_ORDER after the end, with msg. */
int feed_add(struct feed *feed, const void *data, size_t len, struct errmsg *msg);
void feed_end(struct feed *feed);

/* Bytes from this offset on, up to a piece of LIMIT_STDIN_PIECE; 0: there are none so far.
 * *ret_data: borrowed until feed_free. */
size_t feed_peek(const struct feed *feed, uint64_t offset, const void **ret_data);

/* Nothing comes behind this offset any more. */
bool feed_is_end(const struct feed *feed, uint64_t offset);

#endif
