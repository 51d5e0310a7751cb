#include "rollup.h"

static enum job_state rollup_verdict(const size_t *n)
{
	if (n[JOB_STATE_FAILED] > 0)
		return JOB_STATE_FAILED;
	if (n[JOB_STATE_STOPPED] > 0)
		return JOB_STATE_STOPPED;
	return JOB_STATE_COMPLETED;
}

enum job_state rollup_state(const struct job_counts *counts, enum rollup_wish wish)
{
	const size_t *n = counts->in_state;
	size_t unfinished = counts->total - counts->finished;
	size_t suspended = n[JOB_STATE_SUSPENDED], suspending = n[JOB_STATE_SUSPENDING];

	if (unfinished == 0)
		return rollup_verdict(n);
	if (wish == ROLLUP_STOP)
		return JOB_STATE_STOPPING;
	if (wish == ROLLUP_HOLD) {
		suspended += counts->queued;
		suspending += n[JOB_STATE_NOT_STARTED] - counts->queued;
	}
	if (n[JOB_STATE_DISCONNECTED] == unfinished)
		return JOB_STATE_DISCONNECTED;
	if (suspended == unfinished)
		return JOB_STATE_SUSPENDED;
	if (n[JOB_STATE_BLOCKED] == unfinished)
		return JOB_STATE_BLOCKED;
	if (suspended + suspending == unfinished)
		return JOB_STATE_SUSPENDING;
	return JOB_STATE_RUNNING;
}
