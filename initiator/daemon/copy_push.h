/*
 * Files from here to one host, over however many connections that takes: what is told, what the
 * host wants of it, and its bytes, read by threads, never more than a window of them on their way.
 */
#ifndef MUSTER_COPY_PUSH_H
#define MUSTER_COPY_PUSH_H

#include "copy_plan.h"
#include "copy_tally.h"
#include "frame.h"
#include "message.h"

struct copy_push;

struct copy_push_ops {
	/* A whole frame, taken over. */
	void (*send)(void *arg, struct buf *frame);
	copy_say_fn *say;
};

struct copy_push_spec {
	struct copy_plan *plan; /* ready; borrowed */
	struct work_pool *pool;
	uint64_t window; /* bytes */
	bool checksum;
	const struct copy_push_ops *ops;
	void *arg;
};

struct copy_push *copy_push_new(const struct copy_push_spec *spec);
void copy_push_free(struct copy_push *push); /* NULL is fine */

/* There is a connection, on which the copy has this number and has begun. */
void copy_push_begin(struct copy_push *push, uint64_t task);
/* It is gone. */
void copy_push_pause(struct copy_push *push);

/* COPY_ANSWER, COPY_CREDIT. 0, or ERR_PROTO with msg. */
int copy_push_on_frame(struct copy_push *push, const struct frame *frame, struct errmsg *msg);

/* Every name has its last answer, and the host knows that. */
bool copy_push_is_over(const struct copy_push *push);
const struct copy_tally *copy_push_tally(const struct copy_push *push);

#endif
