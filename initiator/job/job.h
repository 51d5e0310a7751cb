/*
 * The job model, pure: a job (parent) that runs nothing itself, its children (one for each
 * computer) and the fan-out that decides who starts next. No event loop, no SSH, no clock: whoever
 * drives it (daemon/) tells it the time and what happened, through the transport's events, and is
 * told through the observer what has changed.
 *
 * The child's machine is one table (child_fsm.c) with one driver; the parent's state is a roll-up
 * of its children (rollup.c).
 */
#ifndef MUSTER_JOB_H
#define MUSTER_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "outcome.h"
#include "rolling.h"
#include "uuid.h"

enum job_state {
#define JOB_STATE_ROW(name, text, finished) JOB_STATE_##name,
#include "state.def"
#undef JOB_STATE_ROW
	JOB_STATE_COUNT
};

const char *job_state_name(enum job_state state); /* "NotStarted". Static. */
bool job_state_is_finished(enum job_state state); /* Completed, Failed, Stopped */

/* The state of this name, in any case. 0, or ERR_SYNTAX with a msg that lists the names. */
int job_state_parse(const char *name, enum job_state *ret, struct errmsg *msg);

struct job;
struct child;

/*
 * Down: how a child is run; this is what makes a type of jobs. All are called from inside the
 * functions below. Until those have returned, only what is under "looking" may be called on this
 * job: all else aborts, as does job_free. An answer therefore comes later, from the loop.
 */
struct job_transport {
	/* Begin; answer with child_on_running, then child_on_end (or the latter alone). */
	void (*start)(void *ctx, struct child *child);
	/*
	 * End it, also when it is suspended or its link is lost; answer with child_on_end. Called
	 * at most once, after start. The cause is stopped only if the stop brought the end about:
	 * what had ended well or failed by itself is reported so, and stays Completed or Failed.
	 */
	void (*stop)(void *ctx, struct child *child);
	/*
	 * Halt the command where it is, and let it go on. Answer with what is the case once it is
	 * settled: child_on_suspended or child_on_resumed, and the opposite of what was asked if it
	 * cannot be done. A request may come before the answer to the last one, and only the newer
	 * is answered then, even if nothing is left to do. What is not answered when the link is
	 * lost is still to be done after child_on_reconnected. NULL: such jobs cannot be.
	 */
	void (*suspend)(void *ctx, struct child *child);
	void (*resume)(void *ctx, struct child *child);
	/* Input for the command. 0 or ERR_* with msg. NULL: such jobs take none. */
	int (*send)(void *ctx, struct child *child, const void *data, size_t len,
		    struct errmsg *msg);
};

/*
 * Up: what has changed. The same rule as above. Called once for each change of child_state and
 * job_state, when all that can be looked at is up to date; for one event, the child first. That
 * the job has finished is the last call. A child that leaves the queue is no change: it shows as
 * NotStarted until it runs.
 */
struct job_observer {
	void (*child_changed)(void *ctx, struct child *child);
	void (*job_changed)(void *ctx, struct job *job);
	/* job_wake_ns is another: the last call of an entry. NULL: nobody wants to know. */
	void (*wake_changed)(void *ctx, struct job *job);
};

struct job_spec {
	const char *name;    /* NULL: Job<Id> */
	const char *type;    /* "Remote" */
	const char *command; /* as people see it */
	bool hidden;	     /* a synchronous invoke: get shows it with --all only */
	size_t throttle;     /* children that are started and not ended at once; at least 1 */
	const char *const *locations; /* a name for each child */
	size_t count;		      /* 1 to LIMIT_HOSTS */
	/* Children that take no slot and start at once, as somebody else counts them; NULL: none.
	 */
	const bool *unslotted;
	const struct rolling_spec *rolling; /* the stages; NULL: one */
};

/*
 * Makes a job with its children; nothing starts. The parent gets id first_id, the children those
 * after it in target order. The state is Running from the start, as in the original. Everything in
 * spec is copied; the two vtables and ctx must outlive the job. Freed by job_free.
 */
struct job *job_new(const struct job_spec *spec, uint64_t first_id,
		    const struct job_transport *transport, const struct job_observer *observer,
		    void *ctx);

/* What is known of a child that was there before: see job_restore. */
struct child_saved {
	struct uuid uuid;
	enum {
		CHILD_SAVED_QUEUED,  /* it has not come up, or was on its way: it starts again */
		CHILD_SAVED_WAITING, /* the same, and its host could not be reached so far */
		CHILD_SAVED_AWAY,    /* it was running, and is Disconnected */
		CHILD_SAVED_ENDED    /* outcome says how */
	} kind;
	struct outcome outcome;
	uint64_t begin_ns;
	uint64_t end_ns;
	uint64_t since_ns; /* its host was first tried; 0: not known */
	bool asked;	   /* QUEUED: it was on its way, so that its stage had begun */
};

/*
 * Makes a job anew as it was before a restart, with its ids; nothing is told, and nothing starts
 * before job_start. saved: spec->count of them. A job all of whose children have ended is finished,
 * since end_ns. held: it was suspended as a whole. In which stage it was follows from the children;
 * if all of that have ended, the pause behind it counts from then.
 */
struct job *job_restore(const struct job_spec *spec, uint64_t first_id, const struct uuid *uuid,
			const struct child_saved *saved, uint64_t end_ns, bool held,
			const struct job_transport *transport, const struct job_observer *observer,
			void *ctx);

/* After job_restore, before job_start: somebody had let the others go in spite of the canary. */
void job_restore_released(struct job *job);

/* Frees it with its children, in any state, without telling anybody. NULL is fine. */
void job_free(struct job *job);

/* Starts the children that the throttle lets run. now: wall clock, nanoseconds, here as below. */
void job_start(struct job *job, uint64_t now);

/*
 * Something of the job happens by time alone, a pause that is over or a host that is tried again:
 * job_tick is to be called then (wall clock, nanoseconds), and no earlier. 0: nothing does.
 */
uint64_t job_wake_ns(const struct job *job);
void job_tick(struct job *job, uint64_t now);

/* Nothing more starts, whatever slots become free, until job_start. */
void job_freeze(struct job *job);

/* Stops every unfinished child: those queued end as never-ran at once. Again: no effect. */
void job_stop(struct job *job, uint64_t now);

/*
 * Suspends every running (or blocked) child and holds the others back: no child in the queue
 * starts, and one that is connecting, or whose link is lost, is suspended as soon as it can be.
 * All suspended already: no effect. job_resume undoes all this, also for children that were
 * suspended one by one, and lets the others go where a canary has failed. Suspended children keep
 * their slots. Both return 0, ERR_UNSUPPORTED if the transport cannot, or ERR_ORDER if no child is
 * running (suspended).
 */
int job_suspend(struct job *job, uint64_t now, struct errmsg *msg);
int job_resume(struct job *job, uint64_t now, struct errmsg *msg);

/*
 * Changes the throttle (at least 1) at any time. More children may start at once. When it falls,
 * nobody is ended: no other starts until fewer than the new throttle hold a slot.
 */
void job_set_throttle(struct job *job, size_t throttle, uint64_t now);

/*
 * For a child whose host could not be reached: true if it may wait for that, as its time is not
 * over and nobody has stopped it. child_on_await then takes the place of child_on_end: the slot is
 * free, and start is called again after 5 s, later 10 s and so on up to 60 s. The outcome says
 * why. The time counts from its first start; that it is over is looked at when it fails again.
 */
bool child_may_await(const struct child *child, uint64_t now);
void child_on_await(struct child *child, const struct outcome *outcome, uint64_t now);
bool child_is_waiting(const struct child *child);
const char *child_wait_text(const struct child *child); /* why; "" if it does not wait. Borrowed. */
uint64_t child_since_ns(const struct child *child);	/* of job_restore */

/* Stops one child alone; the others go on. A queued one ends as never-ran. Ended: no effect. */
void child_stop(struct child *child, uint64_t now);

/*
 * One child alone. 0; ERR_UNSUPPORTED; ERR_ORDER, with a msg that names its state, if it is not
 * running (suspended). To suspend what is suspended, or on its way to it, has no effect.
 */
int child_suspend(struct child *child, uint64_t now, struct errmsg *msg);
int child_resume(struct child *child, uint64_t now, struct errmsg *msg);

/* Input for the command of a running or blocked child. As above, or what the transport returns. */
int child_send(struct child *child, const void *data, size_t len, struct errmsg *msg);

/*
 * --- what the transport reports. An event that is illegal in the child's state aborts: see
 * docs/states.md. Nothing is reported before child_on_running (but the end), nor while the link is
 * lost (but the end and child_on_reconnected).
 */

/* The command has been started. At most once, also while it is being stopped. */
void child_on_running(struct child *child, uint64_t now);

/* The command stands still; it goes on. Whoever did it, but only when it changes. */
void child_on_suspended(struct child *child, uint64_t now);
void child_on_resumed(struct child *child, uint64_t now);

/* It waits for an answer of the user; it does no longer. Remembered across a suspension. */
void child_on_blocked(struct child *child, uint64_t now);
void child_on_unblocked(struct child *child, uint64_t now);

/*
 * The link to a command that was started is lost, and may come back; it is back. The child is then
 * what it was before; what has changed meanwhile is reported after that. A link that will not come
 * back is an end (LINK_LOST).
 */
void child_on_disconnected(struct child *child, uint64_t now);
void child_on_reconnected(struct child *child, uint64_t now);

/*
 * It has ended, with a cause (not NONE): Completed for a success, Stopped for STOPPED and
 * NEVER_RAN, else Failed. The slot is free at once: after the observer has been told, the next
 * in line starts.
 */
void child_on_end(struct child *child, const struct outcome *outcome, uint64_t now);

/* --- looking ------------------------------------------------------------------------------ */

uint64_t job_id(const struct job *job);
const char *job_instance_id(const struct job *job); /* UUID, RFC 9562 version 4 */
const struct uuid *job_uuid(const struct job *job); /* the same, not as text */
const char *job_name(const struct job *job);
const char *job_type(const struct job *job);
const char *job_command(const struct job *job);
bool job_is_hidden(const struct job *job);
bool job_is_held(const struct job *job); /* suspended as a whole */
enum job_state job_state(const struct job *job);
char *job_location(const struct job *job);     /* "a,b,c"; the caller frees it */
uint64_t job_begin_ns(const struct job *job);  /* first command started; 0: none yet */
uint64_t job_end_ns(const struct job *job);    /* 0: not finished */
bool job_has_more_data(const struct job *job); /* any child has. O(1) */
size_t job_child_count(const struct job *job);
/* The child at this place in target order, or with this id. NULL: there is none. */
struct child *job_child(struct job *job, size_t index);
struct child *job_child_by_id(struct job *job, uint64_t id);

/* What its stages are at, and who waits, for people: "batch 2 of 5". NULL: nothing to say. The
 * caller frees it. */
char *job_progress(const struct job *job, uint64_t now);
/* The others were let go in spite of the canary. */
bool job_is_released(const struct job *job);

/* How many children are in each state. */
struct job_counts {
	size_t total;
	size_t in_state[JOB_STATE_COUNT];
	size_t finished;
	size_t started; /* hold a slot: started and not ended */
	size_t queued;	/* wait for a slot, or for their hosts */
};
const struct job_counts *job_counts(const struct job *job);

/*
 * The children that are Failed or Stopped, in target order: the one after this (NULL: the first),
 * or NULL. in_state of job_counts says how many there are. Looks at no child outside of the range
 * in which there are some.
 */
struct child *job_next_failed(struct job *job, const struct child *after);

struct job *child_job(const struct child *child);
uint64_t child_id(const struct child *child);
size_t child_index(const struct child *child);
/* A child's name is always Job<Id>, as without --name; it has no type. */
#define CHILD_NAME_SIZE 24
/* Writes it into out, of CHILD_NAME_SIZE bytes, and returns out. */
char *child_name(const struct child *child, char *out);
/* Writes the UUID into out, of UUID_TEXT_SIZE bytes, and returns out. */
char *child_instance_id(const struct child *child, char *out);
const struct uuid *child_uuid(const struct child *child);
const char *child_location(const struct child *child);
enum job_state child_state(const struct child *child);
/* How it ended. False if it has not. began is also true if the child was reported running. */
bool child_outcome(const struct child *child, struct outcome *ret_outcome);
uint64_t child_begin_ns(const struct child *child); /* 0: the command was never started */
uint64_t child_end_ns(const struct child *child);

bool child_has_more_data(const struct child *child);

/* --- notes of the daemon, at any time ------------------------------------------------------- */

/* A record of the child is stored and unread, or none is. */
void child_set_unread(struct child *child, bool unread);

/* A place for the transport's own object of this child. */
void child_set_link(struct child *child, void *link);
void *child_link(const struct child *child);

#endif
