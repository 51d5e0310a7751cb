/* The inside of a track, for track.c (its states) and track_frame.c (what an agent may say). */
#ifndef MUSTER_TRACK_PRIVATE_H
#define MUSTER_TRACK_PRIVATE_H

#include "peer.h"
#include "track.h"

/* From TASK_OPEN to TASK_RUNNING. */
#define TRACK_START_MS 30000u
#define TRACK_GRACE_MS 10000u
/* The agent keeps the times itself; if it does not, we do not wait for ever. Behind KILL it may
 * take 5 s for processes that do not die, 2 s for what they wrote, and then some for the way. */
#define TRACK_SLACK_MS 10000u

enum track_state {
	TRACK_IDLE,    /* has no connection and waits for none */
	TRACK_WAITING, /* for a connection */
	TRACK_ASKED,   /* TASK_OPEN or TASK_ATTACH was sent */
	TRACK_RUNNING,
	TRACK_AWAY,  /* waits until it tries to connect again */
	TRACK_ENDED, /* is told; its last frames have yet to be stored */
	TRACK_OVER,
	TRACK_STATE_COUNT
};

enum track_event {
	TRACK_EV_START,
	TRACK_EV_OPEN,
	TRACK_EV_FAIL,	   /* it ends: t->outcome. There is no connection */
	TRACK_EV_AWAY,	   /* there is no connection; it may come back */
	TRACK_EV_NO_AGENT, /* nor was anything started */
	TRACK_EV_RUNNING,
	TRACK_EV_DETACHED, /* by the agent */
	TRACK_EV_END,
	TRACK_EV_STORED,  /* all there is */
	TRACK_EV_GIVE_UP, /* it ends: t->outcome. The agent does not do what it should */
	TRACK_EV_FORGET,  /* it ends: t->outcome. Nothing was sent */
	TRACK_EV_SHUN,	  /* the agent does not answer; another connection may help */
	TRACK_EV_RETRY,
	TRACK_EV_STOP,
	TRACK_EV_PARK,
	TRACK_EV_WAKE,
	TRACK_EV_COUNT
};

struct track {
	const struct track_ops *ops;
	void *arg;
	struct track_spec spec;
	enum track_state state; /* written by track_step alone */
	bool durable;
	bool begun; /* running was told */
	bool asked; /* TASK_OPEN was sent once: it may run */
	bool lost;  /* lost was told */
	bool stopping;
	/* Of the connection. */
	uint64_t task;
	uint64_t can;
	struct task_order order;
	uint64_t granted;  /* in all */
	uint64_t received; /* in all */
	uint64_t fed;	   /* sent of the input */
	uint64_t taken;	   /* of that, by the command */
	bool feed_ended;
	bool held;
	/* Of the command. */
	uint64_t *schema_ids; /* by the agent's number - 1 */
	size_t schema_count;
	size_t schema_bytes;
	bool gapped;	   /* schemas may be missing, too */
	uint64_t behind;   /* the last frame that there was when it was attached to */
	uint64_t last_seq; /* taken */
	uint64_t stored_seq;
	uint64_t next_record; /* 0: not known */
	bool suspend_asked;   /* the last that was asked for: to be suspended, or to go on */
	bool answer_owed;     /* to that */
	bool suspended;	      /* as far as the agent has told */
	bool stalled;
	bool timed; /* the timer is set */
	/* Of being away. */
	uint64_t away_since_ms;
	uint64_t away_until_ms;
	uint64_t delay_ms;
	unsigned faults;   /* connections, one after another, that ended by a fault of the agent */
	unsigned breaches; /* of the protocol, with no frame that was taken between them */
	bool unanswered;   /* it did not end when it should have; that was on another connection */
	/* Of what has just happened, for the table's actions. */
	struct outcome outcome;
};

void track_step(struct track *t, enum track_event event);
void track_note_outcome(struct track *t, enum cause cause, const char *text);
void track_set_timer(struct track *t, uint64_t ms);
void track_signal(struct track *t, enum task_signal signal);
/* What is stored needs no more room there. */
void track_ack(struct track *t);
/* The agent keeps the run timeout. */
void track_expect_end(struct track *t);
/* Somebody with a higher epoch has the run. */
void track_on_taken_over(struct track *t);
/* Half of the window is used: as much again may come. */
void track_grant(struct track *t);

#endif
