#include "doing_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alloc.h"
#include "clock.h"
#include "daemon_private.h"
#include "registry.h"
#include "reply.h"
#include "run.h"

/* Suspending goes over the network: an answer that does not come is not waited for longer. */
#define DOING_SUSPEND_MS 15000u
/* A store that has no room may not have noted a removal for longer than anybody wants to wait. */
#define DOING_NOTE_MS 5000u

static void doing_free(void *arg)
{
	struct doing *doing = arg;

	for (size_t i = 0; i < doing->watch_count; i++)
		run_unwatch(&doing->watches[i].watcher);
	if (doing->timer)
		event_free(doing->timer);
	if (doing->wake)
		event_free(doing->wake);
	results_unwait(&client_daemon(doing->client)->budget.waits, &doing->durable);
	doing_done(&doing->m);
	free(doing->watches);
	free(doing->items);
	free(doing);
}

static bool doing_waited(const struct doing *doing, const struct doing_item *item,
			 enum job_state state)
{
	if (doing->m.until)
		return strcasecmp(job_state_name(state), doing->m.until) == 0 ||
		       job_state_is_finished(state);
	if (job_state_is_finished(state))
		return true;
	if (state == JOB_STATE_DISCONNECTED && run_is_looked_for(doing_run(doing, item)))
		return false;
	return !doing->m.force && (state == JOB_STATE_SUSPENDED || state == JOB_STATE_DISCONNECTED);
}

/* True if there is nothing more to wait for. */
static bool doing_is_done(const struct doing *doing, const struct doing_item *item)
{
	enum job_state state;

	if (!item->at.job || item->refused)
		return true;
	state = doing_state(item);
	switch ((enum do_verb)doing->m.verb) {
	case DO_WAIT:
		return doing_waited(doing, item, state);
	case DO_STOP:
	case DO_REMOVE:
		return job_state_is_finished(state);
	case DO_SUSPEND:
		return state == JOB_STATE_SUSPENDED || job_state_is_finished(state);
	case DO_RESUME:
		return state == JOB_STATE_RUNNING || job_state_is_finished(state);
	case DO_SET:
	case DO_VERB_COUNT:
		break;
	}
	return true;
}

/* --- what the runs tell ---------------------------------------------------------------------- */

static void doing_wake(struct doing *doing)
{
	struct timeval now = {0};

	(void)event_add(doing->wake, &now);
}

static void doing_on_child(void *arg, struct child *child)
{
	struct doing_watch *watch = arg;

	(void)child;
	doing_wake(watch->doing);
}

static void doing_on_job(void *arg, struct job *job)
{
	struct doing_watch *watch = arg;

	(void)job;
	doing_wake(watch->doing);
}

static void doing_on_gone(void *arg, struct run *run)
{
	struct doing_watch *watch = arg;
	struct doing *doing = watch->doing;

	for (size_t i = 0; i < doing->count; i++)
		if (doing->items[i].at.job == run_job(run))
			doing->items[i].at = (struct select_item){0};
	watch->run = NULL;
	doing_wake(doing);
}

/* --- the end --------------------------------------------------------------------------------- */

static void doing_show(struct doing *doing, struct doing_item *item)
{
	if (item->shown || item->refused || !item->at.job)
		return;
	item->shown = true;
	reply_item(doing->client, &item->at);
}

/* It was waited for, and has not finished: whoever reads on should know. */
static void doing_warn_unfinished(struct doing *doing, const struct doing_item *item)
{
	enum job_state state;
	char *text, *why;

	if (!item->at.job || doing->m.until)
		return;
	state = doing_state(item);
	if (job_state_is_finished(state))
		return;
	why = state == JOB_STATE_SUSPENDED ? job_progress(item->at.job, clock_wall_ns()) : NULL;
	text = xasprintf("job %llu is %s, not finished: --force waits on%s%s",
			 (unsigned long long)doing_id(item), job_state_name(state), why ? "; " : "",
			 why ? why : "");
	reply_problem(doing->client, 0, text);
	free(text);
	free(why);
}

static void doing_remove(struct doing *doing, struct doing_item *item)
{
	struct registry *registry = client_daemon(doing->client)->registry;

	if (!item->at.job || item->refused || !job_state_is_finished(doing_state(item)))
		return;
	doing->kept = doing->kept || run_store(doing_run(doing, item));
	/* Tells doing_on_gone, which forgets every item of this job. */
	registry_remove(registry, registry_find(registry, job_id(item->at.job)));
}

static void doing_end(struct doing *doing)
{
	struct client *client = doing->client;
	struct get_end_msg end = {.timed_out = doing->timed_out};
	struct buf body = {0};

	get_end_put(&body, &end);
	client_send(client, MSG_GET_END, &body);
	client_set_state(client, CLIENT_IDLE);
	client_set_context(client, NULL, NULL); /* frees it */
}

static void doing_on_noted(void *arg, bool durable)
{
	struct doing *doing = arg;

	if (!durable)
		reply_problem(
			doing->client, 0,
			doing->m.verb != DO_REMOVE
				? "the store has no room, or has failed: the next daemon may "
				  "not know of this"
				: "the store has no room, or has failed: what was removed now "
				  "may come again with the next daemon");
	doing_end(doing);
}

/* What was said to be removed does not come again; what was set, stopped or suspended stays so. */
static void doing_end_noted(struct doing *doing)
{
	struct daemon *daemon = client_daemon(doing->client);
	struct timeval tv = loop_ms(DOING_NOTE_MS);

	if (!doing->kept) {
		doing_end(doing);
		return;
	}
	doing->ending = true;
	doing->durable.fn = doing_on_noted;
	doing->durable.arg = doing;
	(void)event_add(doing->timer, &tv);
	if (!results_wait(&daemon->budget.waits, daemon->store, &doing->durable))
		doing_on_noted(doing, false);
}

static void doing_finish(struct doing *doing)
{
	bool one = doing->m.verb == DO_WAIT && doing->m.any;

	for (size_t i = 0; i < doing->count; i++) {
		struct doing_item *item = &doing->items[i];

		if (doing->m.verb == DO_REMOVE) {
			doing_remove(doing, item);
			continue;
		}
		if (doing->m.verb == DO_WAIT && !doing_is_done(doing, item))
			continue;
		if (doing->m.verb == DO_WAIT) {
			doing_warn_unfinished(doing, item);
			reply_notes(doing->client, run_take_key_news(doing_run(doing, item)));
		}
		doing_show(doing, item);
		if (one)
			break;
	}
	doing_end_noted(doing);
}

/* Waiting for somebody who waits for us would never end. */
static bool doing_is_deadlock(struct doing *doing)
{
	size_t blocked = 0, open = 0;
	char text[120];

	if (doing->m.verb != DO_WAIT || doing->m.until)
		return false;
	for (size_t i = 0; i < doing->count; i++) {
		const struct doing_item *item = &doing->items[i];

		if (doing_is_done(doing, item))
			continue;
		open++;
		if (doing_state(item) != JOB_STATE_BLOCKED)
			continue;
		if (!blocked++)
			(void)snprintf(text, sizeof text,
				       "job %llu is Blocked: it waits for input, and waiting for "
				       "it would not end",
				       (unsigned long long)doing_id(item));
	}
	if (!blocked || (doing->m.any && blocked < open))
		return false;
	reply_problem(doing->client, 1, text);
	return true;
}

/* What stands still until a person does something, as behind a canary that has failed. */
static void doing_warn_suspended(struct doing *doing, struct doing_watch *w)
{
	const struct job *job = run_job(w->run);
	char *text, *why;

	if (w->told || job_state(job) != JOB_STATE_SUSPENDED)
		return;
	w->told = true;
	why = job_progress(job, clock_wall_ns());
	text = xasprintf("job %llu is Suspended%s%s", (unsigned long long)job_id(job),
			 why ? ": " : "", why ? why : "");
	reply_problem(doing->client, 0, text);
	free(text);
	free(why);
}

/* Waiting for what waits to be read, or for a person, would look like a hang. */
static void doing_warn_held(struct doing *doing)
{
	for (size_t i = 0; i < doing->watch_count && doing->m.verb == DO_WAIT; i++) {
		struct doing_watch *w = &doing->watches[i];
		char text[200];

		if (w->run)
			doing_warn_suspended(doing, w);
		if (!w->run || w->warned || !run_held(w->run))
			continue;
		w->warned = true;
		(void)snprintf(text, sizeof text,
			       "job %llu: %zu of its children are held back until their results "
			       "are received ('muster receive'; results-share in muster.conf)",
			       (unsigned long long)job_id(run_job(w->run)), run_held(w->run));
		reply_problem(doing->client, 0, text);
	}
}

static void doing_on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct doing *doing = arg;
	size_t done = 0;

	(void)fd;
	(void)what;
	if (doing->ending)
		return;
	for (size_t i = 0; i < doing->count; i++)
		done += doing_is_done(doing, &doing->items[i]);
	if (done == doing->count || (doing->m.any && done) || doing->timed_out ||
	    doing_is_deadlock(doing)) {
		doing_finish(doing);
	} else if (doing->m.once) {
		doing->timed_out = true;
		doing_finish(doing);
	} else {
		doing_warn_held(doing);
	}
}

static void doing_on_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct doing *doing = arg;

	(void)fd;
	(void)what;
	if (doing->ending) {
		doing_on_noted(doing, false);
		return;
	}
	doing->timed_out = true;
	doing_wake(doing);
}

/* --- starting -------------------------------------------------------------------------------- */

static void doing_add_watch(struct doing *doing, struct run *run)
{
	for (size_t i = 0; i < doing->watch_count; i++)
		if (doing->watches[i].run == run)
			return;
	doing->watches[doing->watch_count++].run = run;
}

static void doing_watch_all(struct doing *doing)
{
	struct registry *registry = client_daemon(doing->client)->registry;

	/* Their addresses are in the runs' lists: no growing afterwards. */
	doing->watches = xcalloc(doing->count, sizeof *doing->watches);
	for (size_t i = 0; i < doing->count; i++)
		doing_add_watch(doing, registry_find(registry, doing->items[i].job_id));
	for (size_t i = 0; i < doing->watch_count; i++) {
		struct doing_watch *w = &doing->watches[i];

		w->doing = doing;
		w->watcher = (struct run_watcher){.child = doing_on_child,
						  .job = doing_on_job,
						  .gone = doing_on_gone,
						  .arg = w};
		run_watch(w->run, &w->watcher);
	}
}

static void doing_arm(struct doing *doing)
{
	struct event_base *base = loop_base(client_daemon(doing->client)->loop);
	uint64_t ms = doing->m.timeout_ms;
	struct timeval tv;

	if (doing->m.verb == DO_SUSPEND || doing->m.verb == DO_RESUME)
		ms = DOING_SUSPEND_MS;
	doing->wake = evtimer_new(base, doing_on_wake, doing);
	doing->timer = evtimer_new(base, doing_on_timeout, doing);
	if (!doing->wake || !doing->timer)
		abort();
	tv = loop_ms(ms);
	if (ms)
		(void)event_add(doing->timer, &tv);
	doing_wake(doing);
}

int doing_start(struct client *client, struct doing_msg *m, struct errmsg *msg)
{
	struct doing *doing = xcalloc(1, sizeof *doing);
	struct select_result selected;
	enum job_state until;
	int rc = m->until ? job_state_parse(m->until, &until, msg) : 0;

	if (rc == 0)
		rc = registry_select(client_daemon(client)->registry, &m->filter, &selected, msg);
	doing->client = client;
	doing->m = *m;
	*m = (struct doing_msg){0};
	if (rc) {
		doing_free(doing);
		return rc;
	}
	for (size_t i = 0; i < selected.missing_count; i++)
		reply_problem(client, 2, selected.missing[i]);
	for (size_t i = 0; i < selected.note_count; i++)
		reply_problem(client, 0, selected.notes[i]);
	doing->count = selected.count;
	doing->items = xcalloc(selected.count, sizeof *doing->items);
	for (size_t i = 0; i < selected.count; i++)
		doing->items[i] = (struct doing_item){.at = selected.items[i],
						      .job_id = job_id(selected.items[i].job)};
	select_done(&selected);
	client_set_context(client, doing, doing_free);
	client_set_state(client, CLIENT_WAITING);
	doing_watch_all(doing);
	doing_arm(doing);
	for (size_t i = 0; i < doing->count; i++)
		doing_act(doing, &doing->items[i]);
	return 0;
}
