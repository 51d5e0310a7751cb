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

#include "outcome.h"
#include "uuid.h"

enum job_state {
#define JOB_STATE_ROW(name, text, finished) JOB_STATE_##name,
#include "state.def"
#undef JOB_STATE_ROW
	JOB_STATE_COUNT
};

const char *job_state_name(enum job_state state); /* "NotStarted". Static. */
bool job_state_is_finished(enum job_state state); /* Completed, Failed, Stopped */

struct job;
struct child;

/*
 * Down: how a child is run. Both are called from inside the functions below. Until those have
 * returned, only what is under "looking" may be called on this job: all else aborts, as does
 * job_free.
 */
struct job_transport {
	/* Begin; answer later with child_on_running, then child_on_end (or the latter alone). */
	void (*start)(void *ctx, struct child *child);
	/*
	 * End it; answer later with child_on_end. Called at most once, after start. The cause is
	 * stopped only if the stop brought the end about: what had ended well or failed by itself
	 * is reported so, and stays Completed or Failed.
	 */
	void (*stop)(void *ctx, struct child *child);
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
};

struct job_spec {
	const char *name;    /* NULL: Job<Id> */
	const char *type;    /* "Remote" */
	const char *command; /* as people see it */
	bool hidden;	     /* a synchronous invoke: get shows it with --all only */
	size_t throttle;     /* children that are started and not ended at once; at least 1 */
	const char *const *locations; /* a name for each child */
	size_t count;		      /* 1 to LIMIT_HOSTS */
};

/*
 * Makes a job with its children; nothing starts. The parent gets id first_id, the children those
 * after it in target order. The state is Running from the start, as in the original. Everything in
 * spec is copied; the two vtables and ctx must outlive the job. Freed by job_free.
 */
struct job *job_new(const struct job_spec *spec, uint64_t first_id,
		    const struct job_transport *transport, const struct job_observer *observer,
		    void *ctx);

/* Frees it with its children, in any state, without telling anybody. NULL is fine. */
void job_free(struct job *job);

/* Starts the children that the throttle lets run. now: wall clock, nanoseconds, here as below. */
void job_start(struct job *job, uint64_t now);

/* Stops every unfinished child: those queued end as never-ran at once. Again: no effect. */
void job_stop(struct job *job, uint64_t now);

/*
 * Changes the throttle (at least 1) at any time. More children may start at once. When it falls,
 * nobody is ended: no other starts until fewer than the new throttle hold a slot.
 */
void job_set_throttle(struct job *job, size_t throttle, uint64_t now);

/* --- what the transport reports. An event that is illegal in the child's state aborts. ---- */

/* The command has been started. At most once, also while it is being stopped. */
void child_on_running(struct child *child, uint64_t now);

/*
 * It has ended, with a cause (not NONE): Completed for a success, Stopped for STOPPED and
 * NEVER_RAN, else Failed. The slot is free at once: after the observer has been told, the next
 * in line starts.
 */
void child_on_end(struct child *child, const struct outcome *outcome, uint64_t now);

/* Stops one child alone; the others go on. A queued one ends as never-ran. Ended: no effect. */
void child_stop(struct child *child, uint64_t now);

/* --- looking ------------------------------------------------------------------------------ */

uint64_t job_id(const struct job *job);
const char *job_instance_id(const struct job *job); /* UUID, RFC 9562 version 4 */
const char *job_name(const struct job *job);
const char *job_type(const struct job *job);
const char *job_command(const struct job *job);
bool job_is_hidden(const struct job *job);
enum job_state job_state(const struct job *job);
char *job_location(const struct job *job);    /* "a,b,c"; the caller frees it */
uint64_t job_begin_ns(const struct job *job); /* first command started; 0: none yet */
uint64_t job_end_ns(const struct job *job);   /* 0: not finished */
size_t job_child_count(const struct job *job);
/* The child at this place in target order, or with this id. NULL: there is none. */
struct child *job_child(struct job *job, size_t index);
struct child *job_child_by_id(struct job *job, uint64_t id);

/* How many children are in each state. */
struct job_counts {
	size_t total;
	size_t in_state[JOB_STATE_COUNT];
	size_t finished;
	size_t started; /* hold a slot: started and not ended */
};
const struct job_counts *job_counts(const struct job *job);

struct job *child_job(const struct child *child);
uint64_t child_id(const struct child *child);
size_t child_index(const struct child *child);
/* Writes the UUID into out, of UUID_TEXT_SIZE bytes, and returns out. */
char *child_instance_id(const struct child *child, char *out);
const char *child_location(const struct child *child);
enum job_state child_state(const struct child *child);
/* How it ended. False if it has not. began is also true if the child was reported running. */
bool child_outcome(const struct child *child, struct outcome *ret_outcome);
uint64_t child_begin_ns(const struct child *child); /* 0: the command was never started */
uint64_t child_end_ns(const struct child *child);

/* A place for the transport's own object of this child. */
void child_set_link(struct child *child, void *link);
void *child_link(const struct child *child);

#endif
