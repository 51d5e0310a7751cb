/*
 * One side of a connection between initiator and agent: bytes in, messages out, in the order that
 * docs/protocol.md allows (section 12). Pure: no descriptor, no clock.
 *
 * The states are named for what is expected: PEER_EXPECT_HELLO, PEER_EXPECT_MESSAGE, PEER_DONE.
 * What is legal in each is one const table; an unlisted pair is an error that ends the connection.
 */
#ifndef MUSTER_PEER_H
#define MUSTER_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent_msg.h"
#include "buf.h"
#include "err.h"
#include "frame.h"

enum peer_role { PEER_INITIATOR, PEER_AGENT }; /* which side we are */

struct peer;

struct peer_events {
	/* The other side's HELLO; the versions agree. Return 0, or ERR_* with msg to refuse it. */
	int (*hello)(void *arg, const struct agent_hello_msg *hello, struct errmsg *msg);
	/* Every later message but ERROR: whole, and one that the other side may send now. Its body
	 * has not been looked at. Return 0, or ERR_* with msg to end the connection. */
	int (*message)(void *arg, const struct frame *frame, struct errmsg *msg);
};

/* events and arg are borrowed. Freed by peer_free. */
struct peer *peer_new(enum peer_role role, const struct peer_events *events, void *arg);
void peer_free(struct peer *peer); /* NULL is fine. Not from inside an event of it */

/*
 * Takes bytes as they came. Returns 0, or the first fault with msg: a frame that is refused
 * (frame.h), a message that is illegal now, versions that do not agree (ERR_VERSION), an ERROR
 * that the other side sent (ERR_CLOSED, msg: its text, cut and with nothing that could act on a
 * terminal), or what an event returned. After a fault nothing more is taken (ERR_CLOSED). Whole
 * frames inside data are not copied; at most one frame is kept in between.
 */
int peer_feed(struct peer *peer, const void *data, size_t len, struct errmsg *msg);

/* True once the other side's HELLO has come. */
bool peer_is_open(const struct peer *peer);

/* Appends our HELLO: versions and program are filled in here, the rest is taken from hello. */
void peer_put_hello(struct buf *out, const struct agent_hello_msg *hello);

/* Appends ERROR: the last thing that is sent. */
void peer_put_error(struct buf *out, int code, const char *text);

/*
 * The order of the messages of one task, as the initiator checks it against an agent that may be
 * hostile, and the numbering of its frames. All zero is a task for which TASK_OPEN was sent.
 */
struct task_order {
	uint8_t state; /* enum in peer_task.c: EXPECT_RUNNING... */
	bool durable;  /* only such a one is attached, detached, and has gaps */
	uint64_t last; /* seq of the last numbered frame */
};

/* A durable run: TASK_OPEN or TASK_ATTACH was sent, and last is the last frame that we have. */
void task_order_attach(struct task_order *order, uint64_t last);

/*
 * A frame of this task has come. Returns 1: use it; 0: a repeat, drop it; ERR_PROTO with msg: a gap
 * in the numbers (but before TASK_GAP: whether that explains it, the caller looks), seq 0 or 2^64-1
 * on a numbered message, a seq on another, or a type that is illegal in the state.
 */
int task_order_take(struct task_order *order, const struct frame *frame, struct errmsg *msg);

#endif
