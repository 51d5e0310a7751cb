/*
 * From the pipes of one command to numbered frames: what is read is parsed, gathered in batches of
 * one order for all streams, and sent as far as the credit of the task goes. What the credit does
 * not cover waits here, and meanwhile nothing is read.
 */
#ifndef MUSTER_RELAY_H
#define MUSTER_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent_msg.h"
#include "err.h"
#include "fd3.h"
#include "out.h"
#include "parse.h"
#include "record.h"

enum relay_source { RELAY_OUTPUT, RELAY_ERROR, RELAY_FD3, RELAY_COUNT };

struct relay_pipe {
	int fd;	       /* non-blocking; -1: none, or at its end */
	bool large;    /* was made larger, as much comes through it */
	bool ended;    /* what was read of it is all in records */
	uint64_t owed; /* relay_owe: bytes still to be read */
};

struct relay {
	uint64_t task;
	struct out *out;
	struct relay_pipe pipes[RELAY_COUNT];
	struct parse *output;
	struct parse *error;
	struct fd3 *fd3;
	struct record_batch batch;
	uint64_t flushed_ns;	/* when the last batch left; 0: none has */
	uint64_t batch_ends_ns; /* monotonic: when it is sent, full or not */
	size_t piece;		/* bytes of a read, and of a full batch */
	uint64_t stream;	/* of what is being parsed */
	uint64_t time_ns;	/* when it was read */
	uint64_t seq;		/* of the last frame */
	uint64_t records;	/* sent or in the batch */
	int64_t credit;	 /* a frame goes while there is some, and may take more than there is */
	struct buf held; /* frames, whole */
	size_t held_at;
	uint64_t held_count; /* frames; they have numbers */
	bool discards;	     /* nobody wants what comes */
	uint64_t output_left;
	bool limited; /* output_left counts */
};

/* pipes: -1 for none; taken over even on failure. Returns 0, or what parse_new says with msg. */
int relay_init(struct relay *r, struct out *out, const struct task_open_msg *open,
	       const int pipes[static RELAY_COUNT], struct errmsg *msg);
void relay_done(struct relay *r);

/* True if nothing may be read now. */
bool relay_is_blocked(const struct relay *r);

enum relay_read {
	RELAY_NOTHING, /* there is none now */
	RELAY_SOME,
	RELAY_CLOSED,
	RELAY_FULL /* the limit of output has been reached: the rest is dropped */
};
/* Reads a piece of a source that is open. */
enum relay_read relay_read(struct relay *r, enum relay_source source);

/* True if output and error are at their end. */
bool relay_is_closed(const struct relay *r);

/* What is in the pipes now was written by the command itself and must be read; relay_is_owed: some
 * of it was not. */
void relay_owe(struct relay *r);
bool relay_is_owed(const struct relay *r);

/* True if a process has output or error open. */
bool relay_has_writers(const struct relay *r);

/* Nothing more is read: what there is becomes frames. Also after relay_init has failed. */
void relay_finish(struct relay *r);

/* Sends the batch, if there is one. */
void relay_flush(struct relay *r);

void relay_grant(struct relay *r, uint64_t bytes);
/* True if frames wait for credit. */
bool relay_is_held(const struct relay *r);
/* Drops what waits, and everything from here on. */
void relay_discard(struct relay *r);

/* The last frame. Needs no credit. */
void relay_put_end(struct relay *r, const struct task_end_msg *end);

#endif
