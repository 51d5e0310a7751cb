/* The inside of a task, for task.c (states), task_open.c (how it comes to be) and task_io.c (what
 * it waits for). */
#ifndef MUSTER_TASK_PRIVATE_H
#define MUSTER_TASK_PRIVATE_H

#include "input.h"
#include "relay.h"
#include "supervisor.h"
#include "task.h"

enum task_state {
	TASK_IS_STARTING, /* until exec(3) */
	TASK_IS_RUNNING,
	TASK_IS_CLOSED,	  /* its output is at its end, and it lives on */
	TASK_IS_DRAINING, /* it has ended, and somebody holds its output open */
	TASK_IS_ENDING,	  /* its tree is being ended */
	TASK_IS_SETTLING, /* the tree has ended; what is left of the output is read */
	TASK_IS_FLUSHING, /* its frames wait for credit */
	TASK_IS_OVER,
	TASK_STATE_COUNT
};

enum task_event {
	TASK_EV_STARTED,
	TASK_EV_REFUSED,
	TASK_EV_CLOSED, /* output and error are at their end */
	TASK_EV_REAPED,
	TASK_EV_DRAINED, /* they are not, but nobody waits any more */
	TASK_EV_END,	 /* it is to end: stopped, too late, too much */
	TASK_EV_KILL,
	TASK_EV_SUSPEND,
	TASK_EV_RESUME,
	TASK_EV_GONE, /* the tree has ended */
	TASK_EV_LOST, /* the supervisor has died */
	TASK_EV_SENT, /* no frame waits for credit */
	TASK_EV_COUNT
};

struct task {
	struct task_open_msg open;
	char **env;
	struct supervisor supervisor;
	struct relay relay;
	struct input input;
	int session; /* what its shell says at its end; -1: nothing */
	enum task_state state;
	struct task_end_msg end; /* as far as it is known; text is owned by end_text */
	char *end_text;
	pid_t pid;    /* of the command */
	bool ordered; /* end.kind says why it is to end */
	bool reaped;
	bool suspended;
	uint64_t suspended_ns; /* monotonic: since when */
	uint64_t run_ends_ns;  /* monotonic; 0: never */
	uint64_t active_ns;    /* when there was last output, or could have been none */
	uint64_t drain_ends_ns;
	uint64_t credit_ns; /* when credit last came, or frames began to wait for it */
};

/* The only one that writes the state. A pair that the table does not have is ignored: orders may
 * cross an end. */
void task_step(struct task *task, enum task_event event);

/* The reason of an end, if there is none yet, and the order to end. text is static. */
void task_end_for(struct task *task, enum task_end_kind kind, const char *text);

/* task_io.c: TASK_SESSION, if its shell has said what that is made of. */
void task_tell_session(struct task *task);

/* task_open.c: pipes, environment, parser, supervisor. Returns 0, or ERR_* with msg. */
int task_open_start(struct task *task, const struct spawn_limits *limits, struct out *out,
		    struct errmsg *msg);

#endif
