/* What job.c, child.c and suspend.c share. Nobody else includes it. */
#ifndef MUSTER_JOB_PRIVATE_H
#define MUSTER_JOB_PRIVATE_H

#include "await.h"
#include "child_fsm.h"
#include "fanout.h"
#include "job.h"
#include "rolling.h"
#include "rollup.h"
#include "uuid.h"

/* What job_suspend and job_resume want of a child that cannot do it yet. */
enum child_owed { CHILD_OWED_NOTHING, CHILD_OWED_SUSPEND, CHILD_OWED_RESUME };

struct child {
	struct job *job;
	void *link;
	const char *location; /* in job->places */
	char *end_text; /* outcome.text, or NULL for none: few have one. job->why is not its own */
	uint64_t since_ns; /* it was first tried; 0: it has not been, or that does not matter */
	uint64_t begin_ns;
	uint64_t end_ns;
	enum child_step step;	/* written by child_event alone, as are the next two */
	enum child_step before; /* step when the link was lost */
	bool blocked;
	bool unread;
	enum child_owed owed;
	enum cause cause; /* this and the rest as in struct outcome */
	int exit_code;
	bool began;
	bool unslotted; /* the throttle does not count it */
	uint8_t tries;	/* so often its host could not be reached */
	char signal[16];
};

/* 10,000 children at rest must cost no more than a few MB. */
_Static_assert(sizeof(struct child) + sizeof(struct uuid) <= 128, "a child is small");

struct job {
	const struct job_transport *transport;
	const struct job_observer *observer;
	void *ctx;
	uint64_t id;
	char *name;
	char *type;
	char *command;
	char *places; /* the locations, each with its NUL */
	struct child *children;
	struct uuid *child_uuids;
	struct fanout fanout;
	size_t next_unslotted; /* none before it is queued, without a slot */
	struct rolling rolling;
	size_t fresh;	     /* of its stage: have not come up */
	size_t active;	     /* are between coming up and their end, with a slot or without */
	size_t canary_ended; /* of the canary; */
	size_t canary_bad;   /* those not Completed */
	struct await await;  /* children that wait for their hosts; some do no longer */
	size_t waiting;
	bool again;	  /* who is tried again is next, not who comes up */
	char *why;	  /* too many have failed: that, in words; NULL: they have not */
	bool released;	  /* in spite of the canary */
	bool held_anew;	  /* after a restart, as the canary is not well */
	uint64_t seen_ns; /* the latest time that children were started by */
	uint64_t told_ns; /* what the observer was told of job_wake_ns */
	struct job_counts counts;
	size_t unread;	      /* children that have an unread record */
	size_t first_failed;  /* no child before it is Failed or Stopped */
	size_t after_failed;  /* nor any from here on */
	enum job_state state; /* written by job_settle alone */
	uint64_t begin_ns;
	uint64_t end_ns;
	bool hidden;
	bool live; /* job_start was called */
	enum rollup_wish wish;
	bool busy; /* inside an entry: the vtables must not call back */
	struct uuid uuid;
	char instance_id[UUID_TEXT_SIZE];
};

/* A mistake of the caller: logs it and aborts, in release too. */
_Noreturn void job_bug(const struct job *job, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Around every entry that changes something; a second one inside the first is a bug. */
void job_enter(struct job *job, const char *entry);
void job_leave(struct job *job);

/* Counts the child anew, rolls up and tells the observer what has changed, the child first. */
void job_child_moved(struct child *child, enum job_state before, uint64_t now);

/* What is asked of the whole job: rolls up anew and tells the observer if the state has changed. */
void job_set_wish(struct job *job, enum rollup_wish wish, uint64_t now);

/* The child is Failed or Stopped. */
void job_note_failed(struct job *job, size_t index);

/* Starts who may start now, in this stage or the next. */
void job_fill(struct job *job, uint64_t now);

/* job_roll.c. A child has left its step, or is counted first (CHILD_STEP_COUNT): what the stages
 * are judged by. */
void job_roll_count(struct job *job, const struct child *child, enum child_step before);
/* The child has ended: too many may have failed. */
void job_roll_judge(struct job *job, uint64_t now);
/* The stage that is over gives way to the next. False: nobody else may start for that. */
bool job_roll_on(struct job *job, uint64_t now);
/* job_resume: also lets the others go in spite of the canary. */
void job_roll_release(struct job *job, uint64_t now);
/* Where the stages stand, from the children as they were: before they are counted, and after. */
void job_roll_restore_stage(struct job *job, const struct child_saved *saved);
void job_roll_restore_end(struct job *job, const struct child_saved *saved);

/* job_await.c. Notes why and until when. */
void child_do_await(struct child *child, const struct outcome *outcome, uint64_t now);
/* The first that waits and whose time has come, or NULL. It is the caller's to start. */
struct child *job_due(struct job *job, uint64_t now);

/*
 * The driver of the machine, the only one that changes a child's step. outcome: of CHILD_EV_END_*;
 * otherwise NULL, and a child that ends without one has never run.
 */
void child_event(struct child *child, enum child_event event, const struct outcome *outcome,
		 uint64_t now);

/* True if the event is legal now. */
bool child_can(const struct child *child, enum child_event event);

/* The child can do again what is asked of it: what job_suspend or job_resume has left undone. */
void child_pay(struct child *child, uint64_t now);

#endif
