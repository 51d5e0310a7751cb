/* Children whose hosts cannot be reached: they wait without a slot, and are tried again. */
#include <stdlib.h>

#include "alloc.h"
#include "job_private.h"

#define AWAIT_FIRST_NS (UINT64_C(5) * 1000000000)
#define AWAIT_LAST_NS  (UINT64_C(60) * 1000000000)

/* When the time of the child is over. */
static uint64_t child_until_ns(const struct child *child)
{
	uint64_t most = child->job->rolling.spec.reachable_ns;

	return child->since_ns > UINT64_MAX - most ? UINT64_MAX : child->since_ns + most;
}

/* Who tells the time may have two clocks, of which one is a little behind: time does not go back.
 */
static uint64_t job_latest(const struct job *job, uint64_t now)
{
	return now > job->seen_ns ? now : job->seen_ns;
}

static uint64_t child_delay_ns(const struct child *child)
{
	uint64_t delay = AWAIT_FIRST_NS;

	for (unsigned i = 1; i < child->tries && delay < AWAIT_LAST_NS; i++)
		delay *= 2;
	return delay < AWAIT_LAST_NS ? delay : AWAIT_LAST_NS;
}

bool child_may_await(const struct child *child, uint64_t now)
{
	const struct job *job = child->job;

	return job->rolling.spec.reachable_ns && child->step == CHILD_STARTING &&
	       job->rolling.phase != ROLLING_OVER && job_latest(job, now) < child_until_ns(child);
}

void child_do_await(struct child *child, const struct outcome *outcome, uint64_t now)
{
	uint64_t at, until = child_until_ns(child);

	if (child->tries < UINT8_MAX)
		child->tries++;
	at = job_latest(child->job, now) + child_delay_ns(child);
	/* Once more at the end of its time. */
	await_add(&child->job->await, at < until ? at : until, child_index(child));
	free(child->end_text);
	child->end_text = xstrndup(outcome->text[0] ? outcome->text : cause_name(outcome->cause),
				   sizeof outcome->text - 1);
	/* Whoever suspends the job holds it back anyway. */
	child->owed = CHILD_OWED_NOTHING;
}

void child_on_await(struct child *child, const struct outcome *outcome, uint64_t now)
{
	struct job *job = child->job;

	job_enter(job, "child_on_await");
	child_event(child, CHILD_EV_AWAIT, outcome, now);
	/* It shows as before, but the job may not: it stands still where that is asked of all. */
	job_set_wish(job, job->wish, now);
	job_fill(job, now);
	job_leave(job);
}

struct child *job_due(struct job *job, uint64_t now)
{
	struct await_entry first;

	while (await_first(&job->await, &first)) {
		struct child *child = &job->children[first.index];

		if (child->step == CHILD_WAITING)
			return first.at_ns <= now ? child : NULL;
		await_drop(&job->await); /* it was stopped */
	}
	return NULL;
}

uint64_t job_wake_ns(const struct job *job)
{
	struct await_entry first;

	if (!job->live || job->wish != ROLLUP_NONE || job_state_is_finished(job->state))
		return 0;
	if (job->rolling.phase == ROLLING_PAUSE)
		return job->rolling.until_ns;
	/* Whose time has come waits for a slot, which no time brings. */
	return await_first(&job->await, &first) && first.at_ns > job->seen_ns ? first.at_ns : 0;
}

void job_tick(struct job *job, uint64_t now)
{
	job_enter(job, "job_tick");
	job_fill(job, now);
	job_leave(job);
}

bool child_is_waiting(const struct child *child)
{
	return child->step == CHILD_WAITING;
}

const char *child_wait_text(const struct child *child)
{
	return child_is_waiting(child) && child->end_text ? child->end_text : "";
}

uint64_t child_since_ns(const struct child *child)
{
	return child->since_ns;
}
