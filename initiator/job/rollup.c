#include "rollup.h"

static enum job_state rollup_verdict(const size_t *n)
{
	if (n[JOB_STATE_FAILED] > 0)
		return JOB_STATE_FAILED;
	if (n[JOB_STATE_STOPPED] > 0)
		return JOB_STATE_STOPPED;
	return JOB_STATE_COMPLETED;
}

enum job_state rollup_state(const struct job_counts *counts, bool stop_requested)
{
	const size_t *n = counts->in_state;
	size_t unfinished = counts->total - counts->finished;

	if (unfinished == 0)
		return rollup_verdict(n);
	if (stop_requested)
		return JOB_STATE_STOPPING;
	if (n[JOB_STATE_DISCONNECTED] == unfinished)
		return JOB_STATE_DISCONNECTED;
	if (n[JOB_STATE_SUSPENDED] == unfinished)
		return JOB_STATE_SUSPENDED;
	if (n[JOB_STATE_BLOCKED] == unfinished)
		return JOB_STATE_BLOCKED;
	if (n[JOB_STATE_SUSPENDED] + n[JOB_STATE_SUSPENDING] == unfinished)
		return JOB_STATE_SUSPENDING;
	return JOB_STATE_RUNNING;
}
