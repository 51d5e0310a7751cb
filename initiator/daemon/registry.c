#include "registry.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "daemon_private.h"
#include "job.h"
#include "limits.h"
#include "run.h"
#include "store.h"

struct registry {
	struct daemon *daemon;
	struct run **runs; /* by id */
	size_t count;
	uint64_t last_id;
};

struct registry *registry_new(struct daemon *daemon)
{
	struct registry *registry = xcalloc(1, sizeof *registry);

	registry->daemon = daemon;
	return registry;
}

void registry_free(struct registry *registry)
{
	if (!registry)
		return;
	for (size_t i = 0; i < registry->count; i++)
		run_free(registry->runs[i]);
	free(registry->runs);
	free(registry);
}

uint64_t registry_take_ids(struct registry *registry, size_t count)
{
	uint64_t first = registry->last_id + 1;

	registry->last_id += count + 1;
	return first;
}

void registry_keep_ids(const struct registry *registry)
{
	store_reserve_ids(registry->daemon->store, registry->last_id);
}

void registry_had_ids(struct registry *registry, uint64_t last_id)
{
	if (registry->last_id < last_id)
		registry->last_id = last_id;
}

void registry_add(struct registry *registry, struct run *run)
{
	registry->runs = xrealloc(registry->runs, registry->count + 1, sizeof(struct run *));
	registry->runs[registry->count++] = run;
}

static bool registry_is_history(const struct run *run)
{
	const struct job *job = run_job(run);

	return job_is_hidden(job) && job_state_is_finished(job_state(job)) && !run_is_busy(run);
}

/* For good: in the store too. */
static void registry_let_go(struct run *run)
{
	if (run_store(run))
		store_remove_job(run_store(run), job_id(run_job(run)));
	run_free(run);
}

void registry_finished(struct registry *registry)
{
	size_t history = 0, kept = 0;

	for (size_t i = 0; i < registry->count; i++)
		history += registry_is_history(registry->runs[i]);
	for (size_t i = 0; i < registry->count; i++) {
		struct run *run = registry->runs[i];

		if (history > LIMIT_HISTORY_JOBS && registry_is_history(run)) {
			history--;
			registry_let_go(run);
		} else {
			registry->runs[kept++] = run;
		}
	}
	registry->count = kept;
}

size_t registry_count(const struct registry *registry)
{
	return registry->count;
}

struct run *registry_at(const struct registry *registry, size_t index)
{
	return registry->runs[index];
}

struct run *registry_find(const struct registry *registry, uint64_t id)
{
	size_t lo = 0, hi = registry->count;

	/* The last run whose job's id is not above id. */
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (job_id(run_job(registry->runs[mid])) <= id)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo)
		return NULL;
	if (id - job_id(run_job(registry->runs[lo - 1])) >
	    job_child_count(run_job(registry->runs[lo - 1])))
		return NULL;
	return registry->runs[lo - 1];
}

int registry_select(const struct registry *registry, const struct filter_msg *filter,
		    struct select_result *ret, struct errmsg *msg)
{
	struct select_filter f = {.selectors = (const char *const *)filter->selectors,
				  .selector_count = filter->selector_count,
				  .state = filter->state,
				  .more = filter->more == FILTER_MORE_YES  ? SELECT_MORE_YES
					  : filter->more == FILTER_MORE_NO ? SELECT_MORE_NO
									   : SELECT_MORE_ANY,
				  .command = filter->command,
				  .before_ns = filter->before_ns,
				  .after_ns = filter->after_ns,
				  .newest = filter->newest,
				  .all = filter->all,
				  .wild_jobs_only = !filter->children,
				  .children = filter->children,
				  .child_state = filter->child_state};
	struct job **jobs = xcalloc(registry->count, sizeof(struct job *));
	int rc;

	for (size_t i = 0; i < registry->count; i++)
		jobs[i] = run_job(registry->runs[i]);
	rc = select_jobs(ret, jobs, registry->count, &f, msg);
	free(jobs);
	return rc;
}

void registry_remove(struct registry *registry, struct run *run)
{
	size_t kept = 0;

	for (size_t i = 0; i < registry->count; i++)
		if (registry->runs[i] != run)
			registry->runs[kept++] = registry->runs[i];
	registry->count = kept;
	registry_let_go(run);
}

bool registry_retain(struct registry *registry, uint64_t now_ns, uint64_t age_ms, uint64_t count,
		     bool one_more)
{
	size_t finished = 0, kept = 0, before = registry->count;

	for (size_t i = 0; i < registry->count; i++)
		finished += job_state_is_finished(job_state(run_job(registry->runs[i])));
	for (size_t i = 0; i < registry->count; i++) {
		struct run *run = registry->runs[i];
		const struct job *job = run_job(run);
		bool old = age_ms && job_end_ns(job) / 1000000u + age_ms < now_ns / 1000000u;
		bool over = (count && finished > count) || (one_more && run_store(run));

		if (job_state_is_finished(job_state(job)) && !run_is_busy(run) && (old || over)) {
			finished--;
			one_more = one_more && !run_store(run);
			registry_let_go(run);
		} else {
			registry->runs[kept++] = run;
		}
	}
	registry->count = kept;
	return kept < before;
}

size_t registry_live(const struct registry *registry)
{
	size_t live = 0;

	for (size_t i = 0; i < registry->count; i++)
		live += !job_state_is_finished(job_state(run_job(registry->runs[i])));
	return live;
}

bool registry_is_wanted(const struct registry *registry)
{
	for (size_t i = 0; i < registry->count; i++) {
		struct job *job = run_job(registry->runs[i]);

		if (!job_state_is_finished(job_state(job)) ||
		    (!run_store(registry->runs[i]) && !job_is_hidden(job) &&
		     job_has_more_data(job)))
			return true;
	}
	return false;
}

void registry_park_all(struct registry *registry)
{
	for (size_t i = 0; i < registry->count; i++)
		(void)run_park(registry->runs[i]);
}

size_t registry_bound(const struct registry *registry)
{
	size_t bound = 0;

	for (size_t i = 0; i < registry->count; i++)
		bound += run_is_bound(registry->runs[i]);
	return bound;
}

size_t registry_waited(const struct registry *registry)
{
	size_t waited = 0;

	for (size_t i = 0; i < registry->count; i++)
		waited += !run_may_be_left(registry->runs[i]);
	return waited;
}
