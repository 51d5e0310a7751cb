/* The stages of a job (job/rolling.h): what is asked for, and the time that they need. */
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "conn.h"
#include "log.h"
#include "run_private.h"

/* A clock that is set back makes no wait longer than this, or the pause that was asked for. */
#define ROLLOUT_WAIT_NS (UINT64_C(60) * 1000000000)
#define ROLLOUT_MS_NS	UINT64_C(1000000)

void run_rollout_spec(struct rolling_spec *ret, const struct job_open_msg *open, size_t count)
{
	uint64_t batch = open->batch, failures = open->failures;

	if (open->batch_percent)
		batch = ((uint64_t)count * batch + 99) / 100;
	if (open->failures_percent && failures)
		failures = (uint64_t)count * (failures - 1) / 100 + 1;
	if (open->fail_fast && !failures)
		failures = 1;
	*ret = (struct rolling_spec){.batch = (size_t)batch,
				     .canary = (size_t)open->canary,
				     .pause_ns = open->pause_ms * ROLLOUT_MS_NS,
				     .failures = (size_t)failures,
				     .fail_fast = open->fail_fast,
				     .reachable_ns = open->until_reachable_ms * ROLLOUT_MS_NS};
}

/* --- time ------------------------------------------------------------------------------------ */

static void run_on_time(evutil_socket_t fd, short what, void *arg)
{
	struct run *run = arg;
	uint64_t now = clock_wall_ns();

	(void)fd;
	(void)what;
	/* The timer knows best how much time has gone by. */
	job_tick(run->job, now > run->wake_ns ? now : run->wake_ns);
}

void run_on_wake_changed(void *ctx, struct job *job)
{
	struct run *run = ctx;
	uint64_t now = clock_wall_ns(), most = run->open.pause_ms * ROLLOUT_MS_NS, delay;
	struct timeval tv;

	run->wake_ns = job_wake_ns(job);
	if (!run->wake && run->wake_ns) {
		run->wake = evtimer_new(loop_base(run->daemon->loop), run_on_time, run);
		if (!run->wake)
			abort();
	}
	if (!run->wake_ns) {
		if (run->wake)
			(void)event_del(run->wake);
		return;
	}
	if (most < ROLLOUT_WAIT_NS)
		most = ROLLOUT_WAIT_NS;
	delay = run->wake_ns > now ? run->wake_ns - now : 0;
	if (delay > most)
		delay = most;
	tv = loop_ms((delay + ROLLOUT_MS_NS - 1) / ROLLOUT_MS_NS);
	if (event_add(run->wake, &tv) != 0)
		abort();
}

void run_rollout_done(struct run *run)
{
	if (run->wake)
		event_free(run->wake);
	run->wake = NULL;
}

/* --- hosts that cannot be reached ------------------------------------------------------------- */

bool run_awaits(const struct run *run, const struct child *child, const struct outcome *outcome)
{
	bool unreachable = outcome->cause == CAUSE_UNREACHABLE ||
			   (outcome->cause == CAUSE_TIMEOUT && conn_is_before_login(outcome->text));

	(void)run;
	return unreachable && !outcome->began && child_may_await(child, clock_wall_ns());
}

void run_await(struct run *run, struct child *child, const struct outcome *outcome)
{
	child_on_await(child, outcome, clock_wall_ns());
	/* Nothing of it was sent: the next daemon, too, begins it as if it were new. */
	if (run->flags) {
		run->flags[child_index(child)] = KEEP_WAITS | keep_time(child_since_ns(child));
		run_keep_child(run, child);
	}
	run_tell_child(run, child);
}
