/*
 * Messages of a copy on their way through a computer that is neither of its ends: the number of the
 * task is another on each side (docs/protocol.md, 6.17), and all behind it is passed on as it came.
 */
#ifndef MUSTER_COPY_ROUTE_H
#define MUSTER_COPY_ROUTE_H

#include "err.h"
#include "frame.h"

/* The task of a COPY_ENTRY, COPY_DATA, COPY_ANSWER or COPY_CREDIT; what is behind it is not looked
 * at. 0, or ERR_PROTO with msg. */
int copy_route_task(uint64_t *ret, const struct frame *frame, struct errmsg *msg);

/* Appends the frame with another task: 0, or ERR_PROTO, ERR_LIMIT with msg. */
int copy_route_put(struct buf *out, const struct frame *frame, uint64_t task, struct errmsg *msg);

#endif
