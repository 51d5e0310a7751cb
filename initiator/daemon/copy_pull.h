/*
 * Files from one host to a folder here. What the host says is dealt with by threads, in order, and
 * never more of it than a window is kept. The host is not believed: nothing is written outside of
 * the folder (sink.h).
 */
#ifndef MUSTER_COPY_PULL_H
#define MUSTER_COPY_PULL_H

#include "copy_tally.h"
#include "err.h"
#include "frame.h"
#include "work.h"

struct copy_pull;

struct copy_pull_ops {
	void (*send)(void *arg, struct buf *frame); /* a whole frame, taken over */
	copy_say_fn *say;
	/* After copy_pull_end: all that came is written. */
	void (*settled)(void *arg);
	/* It cannot go on: the folder here, or the host broke the protocol. */
	void (*failed)(void *arg, bool is_host, const char *text);
};

struct copy_pull_spec {
	const char *folder; /* absolute; made if there is none; borrowed */
	const char *name;   /* of the one in it; borrowed */
	struct work_pool *pool;
	uint64_t window;    /* bytes */
	uint64_t max_bytes; /* 0: any number */
	bool checksum;
	const struct copy_pull_ops *ops;
	void *arg;
};

struct copy_pull *copy_pull_new(const struct copy_pull_spec *spec);
/* No op is called any more. What is not finished is removed. NULL is fine. */
void copy_pull_free(struct copy_pull *pull);

/* There is a connection, on which the copy has this number and has begun; it is gone. */
void copy_pull_begin(struct copy_pull *pull, uint64_t task);
void copy_pull_pause(struct copy_pull *pull);

/* COPY_ENTRY, COPY_DATA. 0, or ERR_* with msg: more than was allowed. */
int copy_pull_on_frame(struct copy_pull *pull, const struct frame *frame, struct errmsg *msg);
/* The host has told of everything. */
void copy_pull_end(struct copy_pull *pull);

const struct copy_tally *copy_pull_tally(const struct copy_pull *pull);

#endif
