/* The inside of a run, for run.c (its life) and run_keep.c (what the store keeps of it). */
#ifndef MUSTER_RUN_PRIVATE_H
#define MUSTER_RUN_PRIVATE_H

#include "copy_plan.h"
#include "daemon_private.h"
#include "feed.h"
#include "keep.h"
#include "link.h"
#include "registry.h"
#include "relays.h"
#include "run.h"
#include "schemas.h"
#include "secret_login.h"

#define RUN_THROTTLE_DEFAULT 64u

struct run {
	struct daemon *daemon;
	struct job_open_msg open;
	struct plan *plan;
	struct job *job;
	struct feed *feed;
	struct locked *password;    /* for become */
	struct secret_login *login; /* until the end: who has to be connected to again */
	struct relays *relays;
	struct copy_plan *copy; /* what is copied to hosts; NULL: nothing so far */
	uint64_t *ranks;
	struct schemas *schemas;
	struct run_watcher *watchers;
	size_t held;		     /* children that are held back */
	struct buf request;	     /* what the store keeps of it, until it has it */
	struct plan_request targets; /* of a restored one, until its plan is made */
	struct plan_work *planning;
	bool stop;	 /* of a restored one: a stop was asked for */
	uint64_t *flags; /* KEEP_* of each child; NULL: the store does not keep it */
	void (*on_kept)(void *arg, bool kept);
	void *on_kept_arg;
	struct results_wait wait; /* for the store */
	bool woken;		  /* somebody asked for its hosts before there was a plan */
	bool parked;		  /* the daemon leaves, and what is durable goes on */
	bool clean;		  /* what only a live job needs has been let go */
	size_t ramp;		  /* what the throttle is so far */
	bool ramping;		  /* run_on_ramp will come */
	bool queued;		  /* run_clean will come */
	bool freed;		  /* it has nothing left to do but free the memory */
	bool released;		  /* the store knows that its canary does not count */
	struct event *wake;	  /* of what happens by time alone; NULL: nothing has so far */
	uint64_t wake_ns;	  /* when that is (job_wake_ns) */
	char *key_news;		  /* run_take_key_news */
	bool key_news_told;
};

extern const struct job_transport run_transport;
extern const struct job_observer run_observer;

/* run_rollout.c */
void run_rollout_spec(struct rolling_spec *ret, const struct job_open_msg *open, size_t count);
void run_on_wake_changed(void *ctx, struct job *job);
void run_rollout_done(struct run *run);

/* run_keys.c: which keys its connections have added to known_hosts, a line each; NULL: none. The
 * caller frees it. */
char *run_keys_news(const struct run *run);

/* Its spec as far as it comes from the request. */
void run_job_spec(struct job_spec *ret, const struct job_open_msg *open);

/* The state of a child, or of the job, is another. */
void run_keep_child(struct run *run, const struct child *child);
void run_keep_job(struct run *run);
void run_keep_done(struct run *run); /* frees what is for the store */

#endif
