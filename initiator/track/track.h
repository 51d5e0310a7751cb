/*
 * A track: one command on one host with an agent, as the initiator follows it over however many
 * connections that takes (docs/protocol.md, sections 11, 12 and 14). Pure: bytes and time in,
 * actions out; who owns it has the connections, the clock and the store.
 *
 * Inline commands end with their connection. A durable one goes on without it: the track then asks
 * for another connection, later and later, and goes on where it stood: every record once, in order.
 */
#ifndef MUSTER_TRACK_H
#define MUSTER_TRACK_H

#include <stdbool.h>
#include <stdint.h>

#include "agent_msg.h"
#include "buf.h"
#include "err.h"
#include "feed.h"
#include "frame.h"
#include "message.h"
#include "outcome.h"
#include "record.h"

struct track;

#define TRACK_NEVER UINT64_MAX

/* What becomes of a connection's slot that is let go. */
enum track_leave {
	TRACK_LEAVE_ENDED,  /* TASK_END has come: there is nothing behind it */
	TRACK_LEAVE_KILL,   /* it runs: KILL, and nobody hears its end */
	TRACK_LEAVE_DETACH, /* a durable one: TASK_DETACH, and it goes on */
	TRACK_LEAVE_FREE    /* nothing was sent */
};

struct track_ops {
	/* Down. Asks for a connection: track_on_open, track_on_lost or track_on_no_agent comes,
	 * later. */
	void (*connect)(void *arg);
	/* To the connection. body is taken over. */
	void (*send)(void *arg, enum message_type type, struct buf *body);
	/* The connection is not needed any more. shun: its agent did not do what it should; no
	 * other task is given to it. */
	void (*leave)(void *arg, enum track_leave how, bool shun);
	/* track_on_timer is to come once, after this time; instead of what was set before. */
	void (*timer)(void *arg, uint64_t ms);
	uint64_t (*clock_ms)(void *arg); /* monotonic */
	uint64_t (*wall_ns)(void *arg);
	uint64_t (*random)(void *arg); /* any number: so that many do not come back at once */
	uint64_t (*epoch)(void *arg);  /* above all before, of this initiator */
	/* Appends the body of TASK_OPEN, of which own has what is the track's: task, credit,
	 * stdin_follows, durable, epoch. */
	void (*put_open)(void *arg, struct buf *body, const struct task_open_msg *own);

	/* Up. The command has been started; once. */
	void (*running)(void *arg);
	/* Its time is that of its arrival; its schema is what the op schema has said. */
	void (*record)(void *arg, const struct record *record);
	/* New columns: returns the number that they have with us. */
	uint64_t (*schema)(void *arg, const struct task_schema_msg *m, uint64_t seq);
	/* All of the frames up to seq were given; if durable, it wants track_on_stored in return.
	 */
	void (*taken)(void *arg, uint64_t seq);
	/* Something that people should know of it; goes among its records. */
	void (*note)(void *arg, const char *text);
	void (*suspended)(void *arg, bool suspended);
	/* The link to a running command is lost (or was let go of); it is back. */
	void (*lost)(void *arg);
	void (*back)(void *arg);
	/* Its end, the last that is told; track_free is allowed in it if track_is_settled. */
	void (*end)(void *arg, const struct outcome *outcome);
	/* No agent can run there, and nothing was started. As end. */
	void (*no_agent)(void *arg, const char *why);
	/* What the command leaves to others of its session, if TASK_OPEN asked for that. NULL:
	 * nobody wants to know. */
	void (*session)(void *arg, const struct task_session_msg *m);
};

struct track_spec {
	const char *instance; /* UUID of the child; borrowed until track_free */
	bool durable;
	bool must;		       /* durable, or it does not run at all */
	bool detached;		       /* is let go of when its command runs */
	uint64_t window;	       /* bytes of records that may be on their way */
	uint64_t start_timeout_ms;     /* from TASK_OPEN to TASK_RUNNING; 0: the default */
	uint64_t run_timeout_ms;       /* the agent keeps it; 0: none */
	uint64_t grace_ms;	       /* 0: the default */
	uint64_t reconnect_timeout_ms; /* 0: the default */
	uint64_t reconnect_delay_ms;   /* the first; twice as long each time, up to 12 times; 0: the
					  default */
	struct feed *feed;	       /* NULL: no input; borrowed until the end */
	/* Of one that was followed before a restart: */
	bool begun;	      /* running was told */
	bool asked;	      /* TASK_OPEN was sent, perhaps in vain */
	bool attach_only;     /* that is so long ago that the host may have forgotten it */
	uint64_t last_seq;    /* the last frame that is stored */
	uint64_t *schema_ids; /* by the agent's number - 1; taken over */
	size_t schema_count;
};

/* Nothing happens before track_start. ops is borrowed. */
struct track *track_new(const struct track_spec *spec, const struct track_ops *ops, void *arg);
/* Tells nobody. A connection that it has must have been let go of: track_drop. NULL is fine. */
void track_free(struct track *track);

/* Connects. parked: it waits for track_wake with that. */
void track_start(struct track *track, bool parked);

/* Stops the command: TERM, then KILL; the end follows. Where there is no connection, one is looked
 * for a while. Again: no effect. */
void track_stop(struct track *track);
void track_suspend(struct track *track, bool suspend);
/* Lets no more records come than are on their way, or goes on. */
void track_hold(struct track *track, bool hold);
void track_feed(struct track *track); /* there is more input */
/* Lets go of a durable command that runs; it is then lost, and nothing is tried until track_wake.
 */
void track_park(struct track *track);
/* Connects now, where it waits to. */
void track_wake(struct track *track);
/* Leaves the connection without another word to anybody; kill: a durable command too is ended, if
 * its host can be reached now. Before track_free. */
void track_drop(struct track *track, bool kill);

bool track_is_durable(const struct track *track); /* as it turned out */
/* Whoever has it may free it: it has ended, and all is acknowledged that can be. */
bool track_is_settled(const struct track *track);
/* It asked for a connection, or fetches what was written while there was none. */
bool track_is_waking(const struct track *track);
/* It is lost, and not for good so far: a connection is tried, or will be. */
bool track_is_looked_for(const struct track *track);
/* What the last attempt to connect came to; "" if it is connected. Borrowed. */
const char *track_trouble(const struct track *track);

/* What comes. can: AGENT_CAN_*; note: what HELLO says of durable runs, or NULL. */
void track_on_open(struct track *track, uint64_t task, uint64_t can, const char *note);
int track_on_frame(struct track *track, const struct frame *frame, struct errmsg *msg);
void track_on_lost(struct track *track, enum cause cause, const char *text);
void track_on_no_agent(struct track *track, const char *why);
void track_on_timer(struct track *track);
/* All frames up to seq are stored for good. */
void track_on_stored(struct track *track, uint64_t seq);

/* How a TASK_END is told; all but began. Texts are made harmless. */
void track_outcome(struct outcome *ret, const struct task_end_msg *m);

#endif
