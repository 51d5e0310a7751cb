/* The machine of a child job: one table, one driver. Used by job.c and by the tests. */
#ifndef MUSTER_CHILD_FSM_H
#define MUSTER_CHILD_FSM_H

#include "job.h"

/* Named for what is awaited. Several show as one job_state: see child_fsm_visible. */
enum child_step {
	CHILD_QUEUED,	    /* a slot of the throttle */
	CHILD_WAITING,	    /* the time to try its host again, and a slot */
	CHILD_STARTING,	    /* the connection, then the command */
	CHILD_RUNNING,	    /* the command's end */
	CHILD_BLOCKED,	    /* an answer of the user */
	CHILD_SUSPENDING,   /* the command standing still */
	CHILD_SUSPENDED,    /* a resume */
	CHILD_RESUMING,	    /* the command going on */
	CHILD_DISCONNECTED, /* the link, which was lost */
	CHILD_STOPPING,	    /* the end, after it was asked for */
	CHILD_COMPLETED,
	CHILD_FAILED,
	CHILD_STOPPED,
	CHILD_STEP_COUNT,

	/* Only as the next step of a row: what the driver has noted decides. */
	CHILD_AS_NOTED, /* Blocked or Running: see CHILD_DO_BLOCK */
	CHILD_AS_BEFORE /* where CHILD_DO_REMEMBER was */
};

enum child_event {
	CHILD_EV_START, /* a slot is free */
	CHILD_EV_RUNNING,
	CHILD_EV_STOP,
	CHILD_EV_SUSPEND, /* asked for, as STOP and RESUME are; the rest is what has happened */
	CHILD_EV_SUSPENDED,
	CHILD_EV_RESUME,
	CHILD_EV_RESUMED,
	CHILD_EV_BLOCK,
	CHILD_EV_UNBLOCK,
	CHILD_EV_DISCONNECT,
	CHILD_EV_RECONNECT,
	CHILD_EV_AWAIT,	 /* its host cannot be reached, and is tried again */
	CHILD_EV_END_OK, /* the outcome is a success */
	CHILD_EV_END_FAILED,
	CHILD_EV_END_STOPPED, /* the outcome's cause is stopped or never-ran */
	CHILD_EV_COUNT
};

enum child_action {
	CHILD_DO_NOTHING,
	CHILD_DO_START, /* call the transport; so too STOP, SUSPEND, RESUME */
	CHILD_DO_STOP,
	CHILD_DO_SUSPEND,
	CHILD_DO_RESUME,
	CHILD_DO_BEGIN,	   /* note the time of the beginning */
	CHILD_DO_BLOCK,	   /* note that it is blocked */
	CHILD_DO_UNBLOCK,  /* note that it is not */
	CHILD_DO_REMEMBER, /* note the step that it leaves */
	CHILD_DO_AWAIT,	   /* note why, and until when */
	CHILD_DO_END,	   /* note the outcome */
	CHILD_ACTION_COUNT
};

struct child_row {
	enum child_step step;
	enum child_event event;
	enum child_step next;
	enum child_action action;
	const char *reason; /* for people: why the table says so */
};

const char *child_step_name(enum child_step step);
const char *child_event_name(enum child_event event);
const char *child_action_name(enum child_action action);
/* How the step shows; it must be one of the table, below CHILD_STEP_COUNT. */
enum job_state child_fsm_visible(enum child_step step);

/* The row for a pair, or NULL if the pair is illegal. */
const struct child_row *child_fsm_find(enum child_step step, enum child_event event);

/* All rows, for docs/states.md and the tests. */
const struct child_row *child_fsm_rows(size_t *ret_count);

#endif
