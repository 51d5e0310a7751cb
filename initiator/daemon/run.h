/*
 * A run: a job (job/) joined with the plan and the links that carry it out, and with those who
 * watch it.
 */
#ifndef MUSTER_RUN_H
#define MUSTER_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control_msg.h"
#include "job.h"
#include "plan.h"

struct daemon;
struct feed;
struct run;
struct schemas;

/* Who wants to know. Embedded by the watcher; the functions may not free runs or watchers. */
struct run_watcher {
	struct run_watcher *next;
	struct run_watcher **prev; /* NULL: watches nothing */
	/* More records of a child are stored, or may be read again. May be NULL. */
	void (*results)(void *arg, struct child *child);
	void (*child)(void *arg, struct child *child); /* its state has changed */
	void (*job)(void *arg, struct job *job);       /* its state has changed */
	void (*gone)(void *arg, struct run *run);      /* it is being freed: forget it */
	void *arg;
};

/* What a job is made of. */
struct run_spec {
	struct job_open_msg *open; /* taken over, and empty afterwards */
	struct plan *plan;	   /* taken over; NULL for a local job */
	struct feed *feed;	   /* taken over; NULL: the commands have no input */
	char *password;		   /* taken over; NULL: none */
	const char *const *locations;
	size_t count;
};

/* Makes the job. Nothing starts before run_start. The registry owns it. */
struct run *run_new(struct daemon *daemon, const struct run_spec *spec);
void run_start(struct run *run);
void run_free(struct run *run); /* NULL is fine */

void run_watch(struct run *run, struct run_watcher *watcher);
void run_unwatch(struct run_watcher *watcher); /* again: no effect */

/* Stops the job. Finished: no effect. */
void run_stop(struct run *run);

/* Nobody will read the results of this job any more: stops it and lets go of them. */
void run_abandon(struct run *run);

struct job *run_job(const struct run *run);

/* Its end is still being worked on: not to be freed yet. */
bool run_is_busy(const struct run *run);

/* How many records wait to be read of this child; 0 where it has not been started. */
struct results *run_child_results(struct child *child);

/* After records were added, read, or given back: updates HasMoreData and tells the watchers. */
void run_on_results(struct run *run, struct child *child);

/* More input for every command; end: the last of it. ERR_LIMIT or ERR_ORDER with msg. */
int run_add_input(struct run *run, const void *data, size_t len, bool end, struct errmsg *msg);

/* The columns of the rows among the results. */
struct schemas *run_schemas(const struct run *run);

/* How many children are held back, because nobody reads their results. */
size_t run_held(const struct run *run);

/* --- for link.c --------------------------------------------------------------------------- */

/* A child is held back from now on, or no longer: tells the watchers. */
void run_on_held(struct run *run, struct child *child, bool held);
struct daemon *run_daemon(const struct run *run);
const struct plan_target *run_target(const struct run *run, size_t index);
const struct job_open_msg *run_open(const struct run *run);
struct feed *run_feed(const struct run *run);	 /* NULL: the commands have no input */
const char *run_password(const struct run *run); /* for become; NULL: none */

#endif
