/* The machine of a bastion's session, as the main loop sees it: one table, whose one driver is in
 * bastion.c. Pure. */
#ifndef MUSTER_BASTION_FSM_H
#define MUSTER_BASTION_FSM_H

#include <stddef.h>

enum bastion_state {
	BASTION_LOGIN,	 /* its session is being made */
	BASTION_THERE,	 /* it has one */
	BASTION_RETIRED, /* the same, but it gets nobody new, and goes when nobody uses it */
	BASTION_FAILED,	 /* its login has failed, which is remembered for a while */
	BASTION_GOING,	 /* its thread was told to close it */
	BASTION_GONE,	 /* it is freed */
	BASTION_STATE_COUNT
};

enum bastion_event {
	BASTION_EV_JOIN,   /* somebody wants to go through it */
	BASTION_EV_READY,  /* its thread has logged in */
	BASTION_EV_IDLE,   /* nobody uses it (any more) */
	BASTION_EV_RETIRE, /* what is believed of its host key has changed */
	BASTION_EV_TIMER,  /* the time that DO_LINGER or DO_REMEMBER has set is over */
	BASTION_EV_ENDED,  /* the session has ended, or was never made */
	BASTION_EV_CLOSE,  /* all of them are to go */
	BASTION_EV_GONE,   /* its thread is done with it, as it was told to be */
	BASTION_EV_COUNT
};

enum bastion_action {
	BASTION_DO_NOTHING,
	BASTION_DO_CARRY,    /* hand who wants to go through it to its thread */
	BASTION_DO_REFUSE,   /* tell who wants to go through it why it has failed */
	BASTION_DO_KEEP_KEY, /* note the host key that it has shown */
	BASTION_DO_LINGER,   /* set the timer for a session that nobody uses */
	BASTION_DO_REMEMBER, /* note why it has failed, and set the timer to forget it */
	BASTION_DO_CLOSE,    /* tell its thread to end it */
	BASTION_DO_FREE,
	BASTION_ACTION_COUNT
};

struct bastion_row {
	enum bastion_state state;
	enum bastion_event event;
	enum bastion_state next;
	enum bastion_action action;
	const char *reason; /* for people: why the table says so */
};

/* For people; "?" for what is none. Static. */
const char *bastion_state_name(enum bastion_state state);
const char *bastion_event_name(enum bastion_event event);

/* The row for a pair; static. NULL: the pair is illegal. */
const struct bastion_row *bastion_fsm_find(enum bastion_state state, enum bastion_event event);

#endif
