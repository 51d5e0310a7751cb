/*
 * A run: a job (job/) joined with the plan and the links that carry it out, and with those who
 * watch it.
 */
#ifndef MUSTER_RUN_H
#define MUSTER_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "control_msg.h"
#include "job.h"
#include "locked.h"
#include "plan.h"

struct client_wait;
struct copy_plan;
struct daemon;
struct feed;
struct relays;
struct run;
struct schemas;
struct secret_login;
struct store;

/* Who wants to know. Embedded by the watcher; the functions may not free runs or watchers. */
struct run_watcher {
	struct run_watcher *next;
	struct run_watcher **prev; /* NULL: watches nothing */
	/* More records of a child are stored, or may be read again. May be NULL. */
	void (*results)(void *arg, struct child *child);
	void (*child)(void *arg, struct child *child); /* its state has changed */
	void (*job)(void *arg, struct job *job);       /* its state has changed */
	/* The command of a child may begin once this is told for certain: then wait is called.
	 * May be NULL. */
	void (*starting)(void *arg, struct child *child, struct client_wait *wait);
	/* Frames of a copy for who asked for the job, taken over; full: more waits to be read by it
	 * than should. May be NULL. */
	void (*pass)(void *arg, struct buf *frames, bool *full);
	void (*gone)(void *arg, struct run *run); /* it is being freed: forget it */
	void *arg;
};

/* What a job is made of. */
struct run_spec {
	struct job_open_msg *open;  /* taken over, and empty afterwards */
	struct plan *plan;	    /* taken over; NULL for a local job */
	struct feed *feed;	    /* taken over; NULL: the commands have no input */
	struct locked *password;    /* for become; taken over; NULL: none */
	struct secret_login *login; /* what users say to hosts; taken over; NULL: nothing */
	const char *const *locations;
	size_t count;
	struct buf *request;   /* keep.h; taken over. NULL: the store does not keep it */
	struct relays *relays; /* taken over; NULL: no gateways */
	uint64_t *ranks; /* struct job_target.rank of each; taken over; NULL: their own places */
};

/* Makes the job. Nothing starts before run_start. The registry owns it. */
struct run *run_new(struct daemon *daemon, const struct run_spec *spec);
void run_start(struct run *run);

/* --- in the store --------------------------------------------------------------------------- */

/* Whether a job like this is kept: a background one, or one that is durable. */
bool run_is_to_be_kept(const struct daemon *daemon, const struct job_open_msg *open);
/* Puts it into the store, and calls fn, from the loop, when it is there for good, or (kept false)
 * never will be; at once if it is not to be kept. Before run_start. Not if the run is freed before.
 */
void run_keep(struct run *run, void (*fn)(void *arg, bool kept), void *arg);
struct store *run_store(const struct run *run); /* NULL: it is not kept */
/* More of a child's records were read. */
void run_keep_read(struct run *run, const struct child *child);
/* A command is about to be started. */
void run_keep_asked(struct run *run, const struct child *child);
/* The same where nobody but the store will know: it is not begun before this is durable. */
void run_keep_once(struct run *run, const struct child *child);

/* Makes the runs that the store has; unfinished ones go on by themselves. 0, or ERR_* with msg. */
int run_restore_all(struct daemon *daemon, struct errmsg *msg);

/* The daemon leaves: what is durable goes on without it, all else is stopped. Returns false if
 * there is nothing to wait for. */
bool run_park(struct run *run);
/* Unfinished, and something of it would end with the daemon. */
bool run_is_bound(const struct run *run);
/* Finished, or parked and nothing is left that would end with the daemon. */
bool run_may_be_left(const struct run *run);
/* Commands whose hosts were let go of, or are away: tries to connect now. */
void run_wake(struct run *run);
/* Of a job that was started to be let go of: hosts are being connected to, or what they have is
 * being fetched. */
bool run_is_waking(const struct run *run);
/* Some of its commands are Disconnected, and it is tried to get them back: who waits goes on. */
bool run_is_looked_for(const struct run *run);
/* Lets go of the hosts on which a durable command runs. */
void run_let_go_of_hosts(struct run *run);
void run_free(struct run *run); /* NULL is fine */

void run_watch(struct run *run, struct run_watcher *watcher);
void run_unwatch(struct run_watcher *watcher); /* again: no effect */

/* Stops the job. Finished: no effect. */
void run_stop(struct run *run);

/* So many children (at least 1) run at once from now on; the store is told. Not when finished. */
void run_set_throttle(struct run *run, uint64_t throttle);

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

/* What its client should know of the plan; NULL: nothing. Borrowed. */
const char *run_warning(const struct run *run);

/* Of a finished job: which keys of hosts were added to known_hosts, a line each; NULL: none, or
 * somebody was told already. Borrowed. */
const char *run_take_key_news(struct run *run);

/* How many children are held back, because nobody reads their results. */
size_t run_held(const struct run *run);

/* Something of a child has changed that is no state: tells the watchers. */
void run_tell_child(struct run *run, struct child *child);

/* --- for link.c --------------------------------------------------------------------------- */

/* Of a job that came by a gateway: who asked us for it is told before a command may begin, so that
 * none that has begun is taken for one that has not. False: nobody is to be told. */
bool run_tell_starting(struct run *run, struct child *child, struct client_wait *wait);
/* Frames of a copy for who asked us for such a job, taken over. *ret_full (may be NULL): more waits
 * to be read there than should. */
void run_pass_on(struct run *run, struct buf *frames, bool *ret_full);
/* Its host could not be reached: true if it waits for that; run_await is then called in place of
 * child_on_end. */
bool run_awaits(const struct run *run, const struct child *child, const struct outcome *outcome);
void run_await(struct run *run, struct child *child, const struct outcome *outcome);
/* A child is held back from now on, or no longer: tells the watchers. */
void run_on_held(struct run *run, struct child *child, bool held);
struct daemon *run_daemon(const struct run *run);
const struct plan_target *run_target(const struct run *run, size_t index);
const struct job_open_msg *run_open(const struct run *run);
struct feed *run_feed(const struct run *run);	       /* NULL: the commands have no input */
struct locked *run_password(const struct run *run);    /* for become; NULL: none; borrowed */
struct secret_login *run_login(const struct run *run); /* to log in; may be NULL */
/* What the job copies to its hosts (copy_plan.h), begun by the first child; the run frees it. */
struct copy_plan **run_copy(struct run *run);
struct relays *run_relays(const struct run *run); /* NULL: no child goes by a gateway */
/* The place of a child in the whole job, of which this may be a part, from 0; and of how many. */
size_t run_rank(const struct run *run, const struct child *child);
size_t run_whole(const struct run *run);

#endif
