/*
 * A job with a canary, batches, pauses, limits of failures and hosts that cannot be reached, under
 * random orders of events and restarts of the daemon; against rules that are written down apart.
 * MUSTER_TEST_SEED=N runs the one order that a failure has printed.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "job.h"

enum { ORDERS = 10000, STEPS_MAX = 200, CHILDREN_MAX = 24 };
#define SECOND UINT64_C(1000000000)

struct model {
	bool started, running, waiting, ended, stop_sent;
	bool came_up;	   /* once, at least */
	uint64_t idle_ns;  /* when it ended or began to wait */
	uint64_t again_ns; /* when it was tried again */
	struct outcome outcome;
};

struct world {
	uint64_t seed, random, now;
	struct job *job;
	struct rolling_spec spec;
	size_t count, throttle, batch, canary;
	bool held, stopped, released;
	bool pause_known; /* the last pause has not begun with what a restart forgets */
	size_t stage;	  /* the latest of which somebody has come up */
	struct model model[CHILDREN_MAX];
};

#define CHECK(w, cond)                                                                  \
	do {                                                                            \
		if (!(cond))                                                            \
			fail_msg("MUSTER_TEST_SEED=%" PRIu64 ": %s", (w)->seed, #cond); \
	} while (0)

static size_t pick(struct world *w, size_t n)
{
	uint64_t z = w->random += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (size_t)((z ^ (z >> 31)) % n);
}

static size_t stage_of(const struct world *w, size_t index)
{
	return index < w->canary ? 0 : 1 + (index - w->canary) / w->batch;
}

static bool is_active(const struct model *m)
{
	return m->started && !m->ended;
}

static bool is_well(const struct model *m)
{
	return m->ended && outcome_is_success(&m->outcome);
}

static size_t failed_count(const struct world *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->count; i++)
		n += child_state(job_child(w->job, i)) == JOB_STATE_FAILED;
	return n;
}

static bool is_given_up(const struct world *w)
{
	return w->spec.failures && failed_count(w) >= w->spec.failures;
}

/* --- the rules of a start --------------------------------------------------------------------- */

/* When the last of the earlier stages ended or began to wait, those apart that were tried again. */
static uint64_t last_idle(const struct world *w, size_t stage)
{
	uint64_t last = 0;

	for (size_t i = 0; i < w->count; i++) {
		const struct model *m = &w->model[i];

		if (stage_of(w, i) < stage && m->came_up && !m->again_ns && m->idle_ns > last)
			last = m->idle_ns;
	}
	return last;
}

/* Those of earlier stages have ended, or wait; and as long ago as the pause is. Only whose host is
 * tried again may have taken a place of the new stage before. */
static void check_stage_begins(struct world *w, size_t stage)
{
	/* Nobody pauses behind a release, or behind a batch that was stopped before its time. */
	bool pause_known = w->pause_known && !(w->released && w->stage == 0);
	uint64_t last = last_idle(w, stage);
	uint64_t opens = last && pause_known ? last + w->spec.pause_ns : 0;

	CHECK(w, w->now >= opens);
	for (size_t i = 0; i < w->count; i++) {
		const struct model *m = &w->model[i];

		CHECK(w, !is_active(m) || (m->again_ns && m->again_ns >= opens));
		if (stage_of(w, i) < stage)
			CHECK(w, m->ended || m->waiting || is_active(m));
	}
	w->pause_known = true;
}

static void on_start(void *ctx, struct child *child)
{
	struct world *w = ctx;
	size_t index = child_index(child), active = 0, stage = stage_of(w, index);
	struct model *m = &w->model[index];

	CHECK(w, !w->held && !w->stopped && !is_given_up(w));
	CHECK(w, !is_active(m) && !m->ended);
	if (!m->came_up && stage > w->stage) {
		check_stage_begins(w, stage);
		w->stage = stage;
	}
	CHECK(w, m->came_up || stage == w->stage);
	for (size_t i = 0; stage && i < w->canary; i++)
		CHECK(w, is_well(&w->model[i]) || w->released);
	m->again_ns = m->came_up ? w->now : 0;
	m->started = m->came_up = true;
	m->waiting = m->running = false;
	for (size_t i = 0; i < w->count; i++)
		active += is_active(&w->model[i]);
	CHECK(w, active <= w->throttle);
	CHECK(w, active <= (w->stage || !w->canary ? w->batch : w->canary));
}

static void on_stop(void *ctx, struct child *child)
{
	struct world *w = ctx;
	struct model *m = &w->model[child_index(child)];

	CHECK(w, is_active(m) && !m->stop_sent);
	m->stop_sent = true;
}

static void on_pace(void *ctx, struct child *child)
{
	struct world *w = ctx;

	CHECK(w, is_active(&w->model[child_index(child)]));
}

static void on_child(void *ctx, struct child *child)
{
	struct world *w = ctx;
	struct model *m = &w->model[child_index(child)];
	struct outcome o;

	if (!child_outcome(child, &o))
		return;
	CHECK(w, !m->ended && o.cause != CAUSE_NONE);
	CHECK(w, o.cause == CAUSE_NEVER_RAN || m->started);
	m->ended = true;
	m->waiting = false;
	m->outcome = o;
	m->idle_ns = w->now;
}

static void on_job(void *ctx, struct job *job)
{
	(void)ctx;
	(void)job;
}

static const struct job_transport transport = {
	.start = on_start, .stop = on_stop, .suspend = on_pace, .resume = on_pace};
static const struct job_observer observer = {.child_changed = on_child, .job_changed = on_job};

/* --- what happens ------------------------------------------------------------------------------
 */

static void do_running(struct world *w, size_t i)
{
	struct model *m = &w->model[i];

	if (!is_active(m) || m->running)
		return;
	m->running = true;
	child_on_running(job_child(w->job, i), w->now);
}

static void do_end(struct world *w, size_t i, bool well)
{
	struct model *m = &w->model[i];
	struct outcome o = {.cause = CAUSE_EXITED, .exit_code = !well, .began = true};

	if (!is_active(m))
		return;
	if (m->stop_sent)
		o = (struct outcome){.cause = CAUSE_STOPPED, .exit_code = -1, .began = m->running};
	child_on_end(job_child(w->job, i), &o, w->now);
}

static void do_any_end(struct world *w, size_t i)
{
	do_end(w, i, pick(w, 6) > 0);
}

static void do_unreachable(struct world *w, size_t i)
{
	struct model *m = &w->model[i];
	struct outcome o = {.cause = CAUSE_UNREACHABLE, .exit_code = -1, .text = "refused"};
	struct child *child = job_child(w->job, i);

	if (!is_active(m) || m->running)
		return;
	if (!child_may_await(child, w->now)) {
		child_on_end(child, &o, w->now);
		return;
	}
	CHECK(w, w->spec.reachable_ns && !m->stop_sent);
	m->started = false;
	m->waiting = true;
	m->idle_ns = w->now;
	child_on_await(child, &o, w->now);
	CHECK(w, !m->started); /* not again at once */
	CHECK(w, m->ended || child_is_waiting(child));
	CHECK(w, m->ended || strcmp(child_wait_text(child), "refused") == 0);
}

static void do_stop_child(struct world *w, size_t i)
{
	if (pick(w, 4) == 0)
		child_stop(job_child(w->job, i), w->now);
}

static void do_time(struct world *w)
{
	uint64_t wake = job_wake_ns(w->job);

	w->now += SECOND / 10 * (1 + pick(w, 100));
	if (wake && w->now < wake && pick(w, 2))
		w->now = wake;
	job_tick(w->job, w->now);
	CHECK(w, job_wake_ns(w->job) == 0 || job_wake_ns(w->job) > w->now);
}

static void do_throttle(struct world *w)
{
	w->throttle = 1 + pick(w, w->count + 2);
	job_set_throttle(w->job, w->throttle, w->now);
}

static void do_suspend(struct world *w)
{
	if (job_suspend(w->job, w->now, NULL) == 0)
		w->held = true;
}

static void do_resume(struct world *w)
{
	bool held = w->held || job_is_held(w->job), bad = false, over = w->canary > 0;

	for (size_t i = 0; i < w->canary; i++) {
		over = over && w->model[i].ended;
		bad = bad || !is_well(&w->model[i]);
	}
	if (!held)
		return;
	w->held = false;
	w->released = w->released || (over && bad);
	if (job_resume(w->job, w->now, NULL) != 0)
		CHECK(w, w->stopped || is_given_up(w) || job_state_is_finished(job_state(w->job)));
	CHECK(w, job_is_released(w->job) || !(over && bad) || w->stopped || is_given_up(w) ||
			 w->canary == w->count || job_state_is_finished(job_state(w->job)) ||
			 w->stage);
}

static void do_stop_job(struct world *w)
{
	if (pick(w, 10))
		return;
	w->stopped = true;
	job_stop(w->job, w->now);
}

/* --- a restart of the daemon ---------------------------------------------------------------------
 */

static const char *const names[CHILDREN_MAX] = {
	"h0",  "h1",  "h2",  "h3",  "h4",  "h5",  "h6",	 "h7",	"h8",  "h9",  "h10", "h11",
	"h12", "h13", "h14", "h15", "h16", "h17", "h18", "h19", "h20", "h21", "h22", "h23"};

static void save(struct world *w, size_t i, struct child_saved *ret)
{
	struct child *child = job_child(w->job, i);
	struct model *m = &w->model[i];

	*ret = (struct child_saved){.begin_ns = child_begin_ns(child),
				    .end_ns = child_end_ns(child),
				    .since_ns = child_since_ns(child)};
	ret->kind = m->ended	 ? CHILD_SAVED_ENDED
		    : m->waiting ? CHILD_SAVED_WAITING
		    : m->running ? CHILD_SAVED_AWAY
				 : CHILD_SAVED_QUEUED;
	ret->outcome = m->outcome;
	ret->asked = is_active(m);
	m->stop_sent = false;
	if (ret->kind == CHILD_SAVED_QUEUED)
		m->started = false;
}

static void do_restart(struct world *w)
{
	struct job_spec spec = {.type = "Remote",
				.command = "true",
				.locations = names,
				.count = w->count,
				.throttle = w->throttle,
				.rolling = &w->spec};
	struct child_saved saved[CHILDREN_MAX];
	struct uuid uuid = {{1}};
	bool held = job_is_held(w->job);

	/* A stop that was asked for one child is lost in this model. */
	if (pick(w, 3) || w->stopped || job_state(w->job) == JOB_STATE_STOPPING ||
	    job_state_is_finished(job_state(w->job)))
		return;
	for (size_t i = 0; i < w->count; i++)
		save(w, i, &saved[i]);
	w->pause_known = false;
	job_free(w->job);
	w->job = job_restore(&spec, 7, &uuid, saved, 0, held, &transport, &observer, w);
	if (w->released)
		job_restore_released(w->job);
	CHECK(w, job_is_held(w->job) == held);
	for (size_t i = 0; i < w->count; i++)
		if (saved[i].kind == CHILD_SAVED_AWAY)
			child_on_reconnected(job_child(w->job, i), w->now);
	job_start(w->job, w->now);
}

/* --- what must be so at any time
 * ------------------------------------------------------------------- */

static void check_child(struct world *w, size_t i)
{
	const struct model *m = &w->model[i];
	struct child *child = job_child(w->job, i);
	struct outcome o;

	CHECK(w, child_outcome(child, &o) == m->ended);
	CHECK(w, child_is_waiting(child) == m->waiting);
	if (m->ended)
		CHECK(w, o.cause == m->outcome.cause && strcmp(o.text, m->outcome.text) == 0);
	/* Who was given up says why. */
	if (m->ended && !m->came_up && is_given_up(w) && !w->stopped && o.text[0])
		CHECK(w, strstr(o.text, "failed"));
}

static void check_all(struct world *w)
{
	size_t active = 0, queued = 0;

	for (size_t i = 0; i < w->count; i++) {
		check_child(w, i);
		active += is_active(&w->model[i]);
		queued += !w->model[i].ended && !w->model[i].started;
		if (is_given_up(w) && w->spec.fail_fast)
			CHECK(w, !is_active(&w->model[i]) || w->model[i].stop_sent);
	}
	if (is_given_up(w))
		CHECK(w, queued == 0);
	CHECK(w, job_counts(w->job)->queued == queued);
	CHECK(w, job_counts(w->job)->started == active);
	/* A canary that is not well holds the job; else somebody runs, or the time is known. */
	if (queued && !active && !job_is_held(w->job))
		CHECK(w, job_wake_ns(w->job) != 0);
	if (job_is_held(w->job) && !active)
		CHECK(w, job_state(w->job) == JOB_STATE_SUSPENDED ||
				 job_state_is_finished(job_state(w->job)));
	if (job_is_held(w->job) && !w->held && !job_state_is_finished(job_state(w->job)))
		CHECK(w, w->canary && !w->released);
	free(job_progress(w->job, w->now));
}

static const struct {
	unsigned weight;
	void (*to_child)(struct world *w, size_t i);
	void (*to_job)(struct world *w);
} doings[] = {
	{20, do_running, NULL},	  {30, do_any_end, NULL}, {10, do_unreachable, NULL},
	{4, do_stop_child, NULL}, {12, NULL, do_time},	  {3, NULL, do_throttle},
	{2, NULL, do_suspend},	  {4, NULL, do_resume},	  {1, NULL, do_stop_job},
	{3, NULL, do_restart},
};

static void do_something(struct world *w)
{
	size_t total = 0, what, at = 0;

	for (size_t i = 0; i < sizeof doings / sizeof doings[0]; i++)
		total += doings[i].weight;
	for (what = pick(w, total); what >= doings[at].weight; at++)
		what -= doings[at].weight;
	w->now += pick(w, 3) * SECOND / 4;
	if (doings[at].to_child)
		doings[at].to_child(w, pick(w, w->count));
	else
		doings[at].to_job(w);
	check_all(w);
}

/* Whatever is left comes to its end, with hosts that may be away until their time is over. */
static void world_finish(struct world *w)
{
	for (size_t round = 0; !job_state_is_finished(job_state(w->job)); round++) {
		uint64_t wake = job_wake_ns(w->job);

		CHECK(w, round < 100000);
		if (job_is_held(w->job))
			do_resume(w);
		for (size_t i = 0; i < w->count; i++)
			if (pick(w, 4))
				do_end(w, i, true);
			else
				do_unreachable(w, i);
		check_all(w);
		if (wake > w->now)
			w->now = wake;
		job_tick(w->job, w->now);
	}
}

static void world_init(struct world *w, uint64_t seed)
{
	struct job_spec spec = {
		.type = "Remote", .command = "true", .locations = names, .rolling = &w->spec};

	*w = (struct world){.seed = seed, .random = seed, .now = SECOND, .pause_known = true};
	w->count = spec.count = 1 + pick(w, CHILDREN_MAX);
	w->throttle = spec.throttle = 1 + pick(w, w->count + 2);
	w->spec = (struct rolling_spec){.batch = pick(w, 2) ? 1 + pick(w, w->count + 1) : 0,
					.canary = pick(w, 2) ? 1 + pick(w, w->count) : 0,
					.pause_ns = pick(w, 2) ? pick(w, 60) * SECOND : 0,
					.failures = pick(w, 2) ? 1 + pick(w, 4) : 0,
					.reachable_ns = pick(w, 2) ? 1 + pick(w, 200) * SECOND : 0};
	w->spec.fail_fast = w->spec.failures && pick(w, 2);
	w->batch = w->spec.batch && w->spec.batch < w->count ? w->spec.batch : w->count;
	w->canary = w->spec.canary;
	w->stage = w->canary ? 0 : 1;
	w->job = job_new(&spec, 7, &transport, &observer, w);
}

static void run_order(uint64_t seed)
{
	struct world w;

	world_init(&w, seed);
	job_start(w.job, w.now);
	for (size_t i = pick(&w, STEPS_MAX); i > 0; i--)
		do_something(&w);
	world_finish(&w);
	for (size_t i = 0; i < w.count; i++)
		CHECK(&w, w.model[i].ended);
	job_free(w.job);
}

static void test_random_orders(void **state)
{
	const char *seed = getenv("MUSTER_TEST_SEED");

	(void)state;
	if (seed) {
		run_order(strtoull(seed, NULL, 10));
		return;
	}
	for (uint64_t i = 1; i <= ORDERS; i++)
		run_order(i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_orders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
