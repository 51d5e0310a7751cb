#include "registry.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "job.h"
#include "limits.h"
#include "run.h"

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

void registry_finished(struct registry *registry)
{
	size_t history = 0, kept = 0;

	for (size_t i = 0; i < registry->count; i++)
		history += registry_is_history(registry->runs[i]);
	for (size_t i = 0; i < registry->count; i++) {
		struct run *run = registry->runs[i];

		if (history > LIMIT_HISTORY_JOBS && registry_is_history(run)) {
			history--;
			run_free(run);
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
	run_free(run);
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
		    (!job_is_hidden(job) && job_has_more_data(job)))
			return true;
	}
	return false;
}

void registry_stop_all(struct registry *registry)
{
	for (size_t i = 0; i < registry->count; i++)
		run_stop(registry->runs[i]);
}
