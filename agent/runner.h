/*
 * The process that runs one durable task: in a session of its own, with the lock of the run's
 * directory, from before the command begins until TASK_END is in the spool. It runs the ordinary
 * struct task and appends its frames to the spool. Over the socket `ctl` it talks with the one that
 * is attached:
 *
 *   from it  TASK_ATTACH (first, for its epoch), TASK_ACK, TASK_STDIN, TASK_SIGNAL
 *   to it    TASK_RUNNING, TASK_STATE, TASK_STDIN_ROOM as they hold, then TASK_ATTACHED, then these
 *            as they come; PING: the spool has grown; TASK_DETACH: somebody else has it;
 *            ERROR: what came cannot be
 */
#ifndef MUSTER_RUNNER_H
#define MUSTER_RUNNER_H

#include "buf.h"
#include "spawn.h"

struct runner_spec {
	int dir;
	int lock;	 /* a descriptor that has the lock */
	int listener;	 /* of ctl */
	struct buf open; /* the body of TASK_OPEN, with task 1, unlimited credit and no epoch */
	struct spawn_limits limits;
};

/* Starts it: it has copies of the descriptors. Returns 0, or ERR_SYS with errno. */
int runner_start(const struct runner_spec *spec);

#endif
