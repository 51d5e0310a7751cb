/*
 * One connection's part in one durable run: it brings the frames of the spool to the initiator as
 * far as the credit goes, and what the initiator says to the runner. Pure: bytes in, actions out.
 *
 * A run is one of: alive (a runner holds its lock), or ended (TASK_END is in the spool), or lost
 * (neither): then the TASK_END that says so is appended here, once, under the lock.
 */
#ifndef MUSTER_ATTACH_H
#define MUSTER_ATTACH_H

#include <stdbool.h>
#include <stdint.h>

#include "agent_msg.h"
#include "disk.h"
#include "err.h"
#include "spool.h"

struct attach;

struct attach_ops {
	/* A message to the initiator; body is taken over and emptied. seq: of numbered frames. */
	void (*send)(void *arg, uint8_t type, uint64_t seq, struct buf *body);
	/* Nothing more is to be sent now; attach_pump is called when there is room again. */
	bool (*is_full)(void *arg);
	/* A message to the runner, its task number aside as it came. False: there is no runner. */
	bool (*order)(void *arg, const struct frame *frame);
	/* The runner is gone and the lock free, and there is no TASK_END: appends the end LOST,
	 * ends what it has left. Its seq is above `above` (which the initiator may have) and above
	 * spool_last; nothing, if spool_has_end. Called at most once. */
	void (*bury)(void *arg, uint64_t above);
	/* The end was acknowledged: the spool goes, the tombstone stays. */
	void (*settle)(void *arg);
};

struct attach_spec {
	uint64_t task;	   /* the initiator's number on this connection */
	uint64_t next_seq; /* the first frame that it has not */
	uint64_t credit;
	bool resumed; /* the run was there already */
};

/* What the runner has told of its task so far; kept up to date by the owner before attach_start
 * and by attach_on_runner. */
struct attach_run {
	bool began;
	bool suspended;
	bool stalled;
	uint64_t pid;
	uint64_t taken;	  /* stdin that came, for TASK_ATTACHED */
	uint64_t room;	  /* of that, what the command took: TASK_STDIN_ROOM behind TASK_RUNNING */
	bool input_ended; /* the end of its input came before: for TASK_ATTACHED */
};

/* Everything borrowed. Freed by attach_free. */
struct attach *attach_new(const struct disk *disk, const struct attach_spec *spec,
			  const struct attach_ops *ops, void *arg);
void attach_free(struct attach *attach); /* NULL is fine */

/* Says TASK_ATTACHED (and TASK_RUNNING, TASK_STATE, TASK_STDIN_ROOM where they hold), then pumps.
 * Nothing is sent before. */
void attach_start(struct attach *attach, const struct attach_run *run);

/* The spool has grown, or there is credit or room: sends what there is. */
void attach_pump(struct attach *attach);

/* From the initiator: TASK_CREDIT, TASK_ACK, TASK_STDIN, TASK_SIGNAL of this task. 0 or ERR_* with
 * msg where it broke the protocol. */
int attach_on_message(struct attach *attach, const struct frame *frame, struct errmsg *msg);

/* From the runner: TASK_RUNNING, TASK_STATE, TASK_STDIN_ROOM (with a task number of its own). */
int attach_on_runner(struct attach *attach, const struct frame *frame, struct errmsg *msg);

/* The runner has gone (its socket is closed, its lock free); also where there was none when
 * attach_start was called. */
void attach_on_runner_gone(struct attach *attach);

/* TASK_END was acknowledged: there is nothing more to do. */
bool attach_is_over(const struct attach *attach);

#endif
