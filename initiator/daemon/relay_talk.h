/*
 * The talk with the daemon of a gateway, as its client: HELLO, one synchronous job, its end
 * (docs/protocol.md, 6.14). The gateway is not trusted: it may speak of the children of this job
 * and of nothing else, each in the order in which a child lives. Pure: bytes go in, calls come out.
 */
#ifndef MUSTER_RELAY_TALK_H
#define MUSTER_RELAY_TALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control_msg.h"
#include "err.h"
#include "frame.h"
#include "job.h"
#include "record.h"

struct relay_talk;

/* at: the place of a child among the targets that were sent. */
struct relay_talk_ops {
	/* It speaks our version: the job may be sent, and relay_talk_asked called. */
	void (*hello)(void *arg);
	void (*accepted)(void *arg);
	/* There will be no job. Nothing follows. */
	void (*refused)(void *arg, int code, const char *text);
	/* A child has not ended; only Running and Suspended say something. */
	void (*state)(void *arg, size_t at, enum job_state state);
	/* The next record of a child that has not ended. Its time is left to the callee. */
	void (*record)(void *arg, size_t at, const struct record *record);
	void (*burst_end)(void *arg, size_t at); /* behind some records */
	/* New columns; returns our number of them. */
	uint64_t (*schema)(void *arg, const struct schema_msg *m);
	void (*end)(void *arg, size_t at, const struct outcome *outcome); /* of a child, once */
	void (*warning)(void *arg, const char *text); /* harmless on a terminal */
	void (*over)(void *arg);		      /* all have ended. Nothing follows */
	/* COPY_OPEN, COPY_ANSWER, COPY_CREDIT, COPY_END before the job: 0, or ERR_* with msg. */
	int (*stage)(void *arg, const struct frame *frame, struct errmsg *msg);
	/* The files of a child come with this number; COPY_ENTRY, COPY_DATA of one. Of a job that
	 * takes none: never. */
	void (*copy_open)(void *arg, size_t at, uint64_t number, uint64_t window);
	void (*copy_files)(void *arg, size_t at, uint64_t number, const struct frame *frame);
};

/* ops are borrowed. None of them may free the talk. */
struct relay_talk *relay_talk_new(const struct relay_talk_ops *ops, void *arg);
void relay_talk_free(struct relay_talk *talk); /* NULL is fine */

/* Our HELLO, as a frame. */
void relay_talk_put_hello(struct buf *out);

/* JOB_RUN was sent for so many targets. files: they are to send some. */
void relay_talk_asked(struct relay_talk *talk, size_t count, bool files);

/*
 * What came. 0, or ERR_* with msg: it is not to be listened to any more (ERR_VERSION: it speaks
 * another version). What a login shell says before HELLO is passed over.
 */
int relay_talk_take(struct relay_talk *talk, const void *data, size_t len, struct errmsg *msg);

bool relay_talk_is_greeted(const struct relay_talk *talk);
bool relay_talk_is_accepted(const struct relay_talk *talk);
bool relay_talk_is_over(const struct relay_talk *talk); /* or refused */
/*
 * The connection is lost: whether the command of a child that has not ended may have begun.
 * all_said: everything that the daemon there had said has come. It says of a command that it may
 * begin before that does (docs/protocol.md, 6.6).
 */
bool relay_talk_may_have_begun(const struct relay_talk *talk, size_t at, bool all_said);
uint64_t relay_talk_job(const struct relay_talk *talk); /* its id there */
uint64_t relay_talk_child(const struct relay_talk *talk, size_t at);

#endif
