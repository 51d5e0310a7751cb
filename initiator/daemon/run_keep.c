/* What the store keeps of a run, and how a daemon leaves it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "log.h"
#include "run_private.h"
#include "session.h"

struct store *run_store(const struct run *run)
{
	return run->flags ? run->daemon->store : NULL;
}

bool run_is_to_be_kept(const struct daemon *daemon, const struct job_open_msg *open)
{
	return daemon->store && (!open->builtin || open->builtin == JOB_COPY) &&
	       (open->background || open->durable == JOB_DURABLE_ALWAYS);
}

/* --- keeping -------------------------------------------------------------------------------- */

static void run_on_kept(void *arg, bool durable)
{
	struct run *run = arg;

	buf_done(&run->request);
	run->on_kept(run->on_kept_arg, durable);
}

static void run_keep_feed(struct run *run)
{
	uint64_t at = 0;
	const void *data;
	size_t n;

	if (!run->feed)
		return;
	while ((n = feed_peek(run->feed, at, &data)) > 0) {
		keep_input(run->daemon->store, run->job, data, n);
		at += n;
	}
	if (feed_is_end(run->feed, at))
		keep_input_end(run->daemon->store, run->job);
}

void run_keep(struct run *run, void (*fn)(void *arg, bool kept), void *arg)
{
	if (!run->flags) {
		fn(arg, true);
		return;
	}
	registry_keep_ids(run->daemon->registry);
	keep_job(run->daemon->store, run->job, &run->request);
	run_keep_feed(run);
	run->on_kept = fn;
	run->on_kept_arg = arg;
	run->wait.fn = run_on_kept;
	run->wait.arg = run;
	if (!results_wait(&run->daemon->budget.waits, run->daemon->store, &run->wait))
		fn(arg, false);
}

void run_keep_child(struct run *run, const struct child *child)
{
	struct link *link = child_link(child);

	if (run->flags)
		keep_child(run->daemon->store, child, run->flags[child_index(child)],
			   link ? link_results(link) : NULL);
}

void run_keep_asked(struct run *run, const struct child *child)
{
	if (!run->flags || run->flags[child_index(child)] & KEEP_ASKED)
		return;
	/* Of one that has waited for its host the time is that of the first attempt. */
	if (!(run->flags[child_index(child)] & KEEP_WAITS))
		run->flags[child_index(child)] |= keep_time(clock_wall_ns());
	run->flags[child_index(child)] |= KEEP_ASKED;
	run_keep_child(run, child);
}

void run_keep_once(struct run *run, const struct child *child)
{
	run->flags[child_index(child)] |= KEEP_ONCE;
	run_keep_child(run, child);
}

void run_keep_read(struct run *run, const struct child *child)
{
	run_keep_child(run, child);
}

void run_keep_job(struct run *run)
{
	if (!run->flags)
		return;
	if (job_is_released(run->job) && !run->released)
		keep_released(run->daemon->store, run->job);
	run->released = job_is_released(run->job);
	keep_job_state(run->daemon->store, run->job);
}

void run_keep_done(struct run *run)
{
	results_unwait(&run->daemon->budget.waits, &run->wait);
	buf_done(&run->request);
	free(run->flags);
}

/* --- leaving --------------------------------------------------------------------------------- */

/* Its command would end with the daemon. What waits for its turn waits in the store. */
static bool run_child_is_bound(const struct run *run, const struct child *child)
{
	const struct link *link = child_link(child);

	if (job_state_is_finished(child_state(child)))
		return false;
	return !run->flags || (link && link_is_started(link) && !link_is_durable(link));
}

bool run_is_bound(const struct run *run)
{
	for (size_t i = 0; i < job_child_count(run->job); i++)
		if (run_child_is_bound(run, job_child(run->job, i)))
			return true;
	return false;
}

bool run_park(struct run *run)
{
	bool waits = false;

	if (job_state_is_finished(job_state(run->job)))
		return false;
	if (!run->flags) {
		run_stop(run);
		return true;
	}
	run->parked = true;
	job_freeze(run->job);
	for (size_t i = 0; i < job_child_count(run->job); i++) {
		struct child *child = job_child(run->job, i);

		if (!run_child_is_bound(run, child))
			continue;
		child_stop(child, clock_wall_ns());
		waits = true;
	}
	return waits;
}

bool run_may_be_left(const struct run *run)
{
	if (!run->parked)
		return job_state_is_finished(job_state(run->job));
	return !run_is_bound(run);
}

void run_wake(struct run *run)
{
	run->woken = true;
	for (size_t i = 0; i < job_child_count(run->job); i++)
		if (child_link(job_child(run->job, i)))
			link_wake(child_link(job_child(run->job, i)));
}

bool run_is_looked_for(const struct run *run)
{
	if (run->planning)
		return true;
	for (size_t i = 0; i < job_child_count(run->job); i++) {
		const struct link *link = child_link(job_child(run->job, i));

		if (link && link_is_looked_for(link))
			return true;
	}
	return false;
}

bool run_is_waking(const struct run *run)
{
	if (!run->open.detached || !run->woken)
		return false;
	for (size_t i = 0; i < job_child_count(run->job); i++) {
		const struct link *link = child_link(job_child(run->job, i));

		if (link && link_is_waking(link))
			return true;
	}
	return run->planning;
}

void run_let_go_of_hosts(struct run *run)
{
	run->woken = false;
	for (size_t i = 0; i < job_child_count(run->job); i++)
		if (child_link(job_child(run->job, i)))
			link_park(child_link(job_child(run->job, i)));
}
