#include "run.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "run_private.h"

#define RUN_MANY 1000u

/* A watcher may leave while it is told: the next one is looked up before. */
#define RUN_TELL(run, call)                                                   \
	for (struct run_watcher *w = (run)->watchers, *after; w; w = after) { \
		after = w->next;                                              \
		call;                                                         \
	}

void run_watch(struct run *run, struct run_watcher *watcher)
{
	watcher->next = run->watchers;
	watcher->prev = &run->watchers;
	if (run->watchers)
		run->watchers->prev = &watcher->next;
	run->watchers = watcher;
}

void run_unwatch(struct run_watcher *watcher)
{
	if (!watcher->prev)
		return;
	*watcher->prev = watcher->next;
	if (watcher->next)
		watcher->next->prev = watcher->prev;
	watcher->prev = NULL;
}

static void run_wipe_password(struct run *run)
{
	locked_drop(run->password);
	run->password = NULL;
}

static void run_on_child(void *ctx, struct child *child)
{
	struct run *run = ctx;

	run_keep_child(run, child);
	/* Who has begun everywhere asks for it no more. */
	if (run->password && !job_counts(run->job)->in_state[JOB_STATE_NOT_STARTED])
		run_wipe_password(run);
	RUN_TELL(run, w->child(w->arg, child));
}

/* What only a live job needs. */
static void run_let_go(struct run *run)
{
	plan_cancel(run->planning);
	run->planning = NULL;
	plan_request_done(&run->targets);
	relays_free(run->relays);
	run->relays = NULL;
	plan_free(run->plan);
	run->plan = NULL;
	copy_plan_free(run->copy);
	run->copy = NULL;
	feed_free(run->feed);
	run->feed = NULL;
	run_wipe_password(run);
	secret_login_drop(run->login);
	run->login = NULL;
	job_open_done(&run->open);
}

static void run_clean(void *arg)
{
	struct run *run = arg;
	struct daemon *daemon = run->daemon;

	run->queued = false;
	if (run->freed) {
		if (!run->ramping)
			free(run);
		return;
	}
	run->clean = true;
	run_rollout_done(run);
	run_let_go(run);
	/* Connections and plans of many hosts: give the memory back that the children do not need.
	 */
	if (job_child_count(run->job) >= RUN_MANY)
		(void)malloc_trim(0);
	registry_finished(daemon->registry); /* may free this run */
	daemon_consider_leaving(daemon);
}

static void run_on_job(void *ctx, struct job *job)
{
	struct run *run = ctx;

	run_keep_job(run);
	if (job_state_is_finished(job_state(job))) {
		if (!run->key_news)
			run->key_news = run_keys_news(run);
		/* From the loop: the connections that have ended are still on the stack. */
		run->queued = true;
		loop_defer(run->daemon->loop, run_clean, run);
	}
	RUN_TELL(run, w->job(w->arg, job));
}

static void run_do_start(void *ctx, struct child *child)
{
	if (!child_link(child))
		child_set_link(child, link_new(ctx, child));
	link_start(child_link(child));
}

static void run_do_stop(void *ctx, struct child *child)
{
	(void)ctx;
	link_stop(child_link(child));
}

static void run_do_suspend(void *ctx, struct child *child)
{
	(void)ctx;
	link_suspend(child_link(child), true);
}

static void run_do_resume(void *ctx, struct child *child)
{
	(void)ctx;
	link_suspend(child_link(child), false);
}

const struct job_transport run_transport = {.start = run_do_start,
					    .stop = run_do_stop,
					    .suspend = run_do_suspend,
					    .resume = run_do_resume};
const struct job_observer run_observer = {.child_changed = run_on_child,
					  .job_changed = run_on_job,
					  .wake_changed = run_on_wake_changed};

void run_job_spec(struct job_spec *ret, const struct job_open_msg *open)
{
	*ret = (struct job_spec){.name = open->name,
				 .type = open->local ? "Local" : "Remote",
				 .command = open->display ? open->display : "",
				 .hidden = !open->background,
				 .throttle =
					 open->throttle ? open->throttle : RUN_THROTTLE_DEFAULT};
}

/* Children that start in one round of the loop. */
#define RUN_STARTS 256u

static void run_climb(struct run *run);

struct run *run_new(struct daemon *daemon, const struct run_spec *from)
{
	struct run *run = xcalloc(1, sizeof *run);
	struct job_open_msg *open = from->open;
	struct rolling_spec rolling;
	struct job_spec spec;

	run_job_spec(&spec, open);
	spec.locations = from->locations;
	spec.count = from->count;
	spec.unslotted = relays_unslotted(from->relays);
	run_rollout_spec(&rolling, open, from->count);
	spec.rolling = &rolling;
	run->ramp = spec.throttle < RUN_STARTS ? spec.throttle : RUN_STARTS;
	spec.throttle = run->ramp;

	run->daemon = daemon;
	run->plan = from->plan;
	run->feed = from->feed;
	run->password = from->password;
	run->login = from->login;
	run->relays = from->relays;
	run->ranks = from->ranks;
	relays_attach(run->relays, run);
	run->schemas = schemas_new(&daemon->last_schema);
	run->job = job_new(&spec, registry_take_ids(daemon->registry, spec.count), &run_transport,
			   &run_observer, run);
	if (from->request) {
		run->request = *from->request;
		*from->request = (struct buf){0};
		run->flags = xcalloc(from->count, sizeof *run->flags);
	}
	run->open = *open;
	*open = (struct job_open_msg){0};
	registry_add(daemon->registry, run);
	return run;
}

static size_t run_throttle(const struct run *run)
{
	return run->open.throttle ? (size_t)run->open.throttle : RUN_THROTTLE_DEFAULT;
}

/* Thousands that begin at once would keep all others waiting: some in each round of the loop. */
static void run_on_ramp(void *arg)
{
	struct run *run = arg;
	size_t throttle;

	run->ramping = false;
	if (run->freed) {
		if (!run->queued)
			free(run);
		return;
	}
	throttle = run_throttle(run);
	run->ramp = throttle < run->ramp + RUN_STARTS ? throttle : run->ramp + RUN_STARTS;
	job_set_throttle(run->job, run->ramp, clock_wall_ns());
	run_climb(run);
}

static void run_climb(struct run *run)
{
	if (run->ramping || run->ramp >= run_throttle(run))
		return;
	run->ramping = true;
	loop_defer(run->daemon->loop, run_on_ramp, run);
}

void run_start(struct run *run)
{
	job_start(run->job, clock_wall_ns());
	run_climb(run);
}

void run_free(struct run *run)
{
	if (!run)
		return;
	RUN_TELL(run, {
		run_unwatch(w);
		w->gone(w->arg, run);
	});
	for (size_t i = 0; i < job_child_count(run->job); i++)
		link_free(child_link(job_child(run->job, i)), run->parked);
	run_keep_done(run);
	run_rollout_done(run);
	job_free(run->job);
	run_let_go(run);
	schemas_free(run->schemas);
	free(run->ranks);
	free(run->key_news);
	run->freed = true;
	if (!run->queued && !run->ramping)
		free(run);
}

void run_stop(struct run *run)
{
	if (!job_state_is_finished(job_state(run->job)))
		job_stop(run->job, clock_wall_ns());
}

void run_set_throttle(struct run *run, uint64_t throttle)
{
	run->open.throttle = throttle;
	if (run_store(run))
		keep_throttle(run_store(run), run->job, throttle);
	if (run->ramp > throttle)
		run->ramp = throttle;
	job_set_throttle(run->job, run->ramp, clock_wall_ns());
	run_climb(run);
}

void run_abandon(struct run *run)
{
	for (size_t i = 0; i < job_child_count(run->job); i++) {
		struct link *link = child_link(job_child(run->job, i));

		if (link)
			link_discard(link);
	}
	run_stop(run);
}

struct job *run_job(const struct run *run)
{
	return run->job;
}

bool run_is_busy(const struct run *run)
{
	return !run->clean;
}

struct results *run_child_results(struct child *child)
{
	struct link *link = child_link(child);

	return link ? link_results(link) : NULL;
}

void run_on_results(struct run *run, struct child *child)
{
	child_set_unread(child, results_unread(run_child_results(child)) > 0);
	RUN_TELL(run, {
		if (w->results)
			w->results(w->arg, child);
	});
}

void run_on_held(struct run *run, struct child *child, bool held)
{
	if (held)
		run->held++;
	else
		run->held--;
	run_tell_child(run, child);
}

void run_tell_child(struct run *run, struct child *child)
{
	RUN_TELL(run, w->child(w->arg, child));
}

bool run_tell_starting(struct run *run, struct child *child, struct client_wait *wait)
{
	struct run_watcher *w = run->open.hops ? run->watchers : NULL;

	while (w && !w->starting)
		w = w->next;
	if (w)
		w->starting(w->arg, child, wait);
	return w;
}

void run_pass_on(struct run *run, struct buf *frames, bool *ret_full)
{
	struct run_watcher *w = run->open.hops ? run->watchers : NULL;
	bool full = false;

	while (w && !w->pass)
		w = w->next;
	if (w)
		w->pass(w->arg, frames, &full);
	else
		buf_done(frames);
	if (ret_full)
		*ret_full = full;
}

const char *run_warning(const struct run *run)
{
	return run->plan ? plan_warning(run->plan) : NULL;
}

const char *run_take_key_news(struct run *run)
{
	bool told = run->key_news_told;

	if (run->key_news)
		run->key_news_told = true;
	return told ? NULL : run->key_news;
}

size_t run_held(const struct run *run)
{
	return run->held;
}

int run_add_input(struct run *run, const void *data, size_t len, bool end, struct errmsg *msg)
{
	int rc = 0;

	if (!run->feed)
		return job_state_is_finished(job_state(run->job))
			       ? 0
			       : err_set(msg, ERR_ORDER, "the commands of this job have no input");
	if (len)
		rc = feed_add(run->feed, data, len, msg);
	if (rc)
		return rc;
	if (end)
		feed_end(run->feed);
	for (size_t i = 0; i < job_child_count(run->job); i++) {
		struct link *link = child_link(job_child(run->job, i));

		if (link)
			link_feed(link);
	}
	return 0;
}

struct feed *run_feed(const struct run *run)
{
	return run->feed;
}

struct locked *run_password(const struct run *run)
{
	return run->password;
}

struct secret_login *run_login(const struct run *run)
{
	return run->login;
}

struct copy_plan **run_copy(struct run *run)
{
	return &run->copy;
}

struct relays *run_relays(const struct run *run)
{
	return run->relays;
}

size_t run_rank(const struct run *run, const struct child *child)
{
	size_t index = child_index(child);

	return run->ranks && run->ranks[index] ? (size_t)run->ranks[index] - 1 : index;
}

size_t run_whole(const struct run *run)
{
	return run->open.whole ? (size_t)run->open.whole : job_child_count(run->job);
}

struct schemas *run_schemas(const struct run *run)
{
	return run->schemas;
}

struct daemon *run_daemon(const struct run *run)
{
	return run->daemon;
}

const struct plan_target *run_target(const struct run *run, size_t index)
{
	return plan_target(run->plan, index);
}

const struct job_open_msg *run_open(const struct run *run)
{
	return &run->open;
}
