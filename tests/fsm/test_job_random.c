/*
 * A job under random orders of events over a fake transport, with what must hold at any moment
 * checked from outside: after each event, and inside each callback. MUSTER_TEST_SEED=N runs the
 * one order that a failure has printed.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "job.h"

enum { ORDERS = 10000, CHILDREN_MAX = 24, STEPS_MAX = 400 };

/* What this test knows of a child, from what it did and what it was called for. */
struct model {
	bool started; /* transport->start was called */
	bool running; /* child_on_running was reported */
	bool stop_sent;
	bool ended;
	enum cause cause;     /* that it ended with */
	enum job_state state; /* that it must have */
	enum job_state told;  /* that the observer was told last */
	uint64_t begin, end;
};

struct world {
	uint64_t seed, random, now;
	struct job *job;
	size_t count, throttle;
	bool live, stop_asked;
	size_t next_start; /* nobody before it may start any more */
	enum job_state told;
	unsigned finish_calls;
	struct model model[CHILDREN_MAX];
};

#define CHECK(w, cond)                                                                  \
	do {                                                                            \
		if (!(cond))                                                            \
			fail_msg("MUSTER_TEST_SEED=%" PRIu64 ": %s", (w)->seed, #cond); \
	} while (0)

/* A number below n: splitmix64, so that a seed gives the same order everywhere. */
static size_t pick(struct world *w, size_t n)
{
	uint64_t z = w->random += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (size_t)((z ^ (z >> 31)) % n);
}

static bool is_finished(enum job_state s)
{
	return s == JOB_STATE_COMPLETED || s == JOB_STATE_FAILED || s == JOB_STATE_STOPPED;
}

static bool holds_slot(const struct model *m)
{
	return m->started && !m->ended;
}

/* The roll-up once more, from the children one by one. */
static enum job_state expected_job_state(struct world *w)
{
	bool failed = false, stopped = false;

	for (size_t i = 0; i < w->count; i++) {
		enum job_state s = child_state(job_child(w->job, i));

		if (!is_finished(s))
			return w->stop_asked ? JOB_STATE_STOPPING : JOB_STATE_RUNNING;
		failed |= s == JOB_STATE_FAILED;
		stopped |= s == JOB_STATE_STOPPED;
	}
	return failed ? JOB_STATE_FAILED : stopped ? JOB_STATE_STOPPED : JOB_STATE_COMPLETED;
}

static void check_counts(struct world *w)
{
	const struct job_counts *n = job_counts(w->job);
	struct job_counts want = {.total = w->count};

	for (size_t i = 0; i < w->count; i++) {
		enum job_state s = child_state(job_child(w->job, i));

		want.in_state[s]++;
		want.finished += is_finished(s);
		want.started += holds_slot(&w->model[i]);
	}
	CHECK(w, n->total == want.total);
	CHECK(w, n->finished == want.finished);
	CHECK(w, n->started == want.started);
	CHECK(w, memcmp(n->in_state, want.in_state, sizeof n->in_state) == 0);
}

static void check_anywhere(struct world *w)
{
	CHECK(w, w->finish_calls == 0);
	CHECK(w, job_state(w->job) == expected_job_state(w));
	check_counts(w);
}

static void on_start(void *ctx, struct child *child)
{
	struct world *w = ctx;
	struct model *m = &w->model[child_index(child)];

	CHECK(w, w->live && !w->stop_asked);
	CHECK(w, !m->started && !m->ended);
	CHECK(w, child_index(child) >= w->next_start);
	for (size_t i = w->next_start; i < child_index(child); i++)
		CHECK(w, w->model[i].ended); /* stopped while it waited */
	w->next_start = child_index(child) + 1;
	m->started = true;
	CHECK(w, job_counts(w->job)->started <= w->throttle);
	for (size_t i = 0; i < w->count; i++)
		CHECK(w, w->model[i].told == w->model[i].state);
	check_anywhere(w);
}

static void on_stop(void *ctx, struct child *child)
{
	struct world *w = ctx;
	struct model *m = &w->model[child_index(child)];

	CHECK(w, holds_slot(m) && !m->stop_sent);
	CHECK(w, m->told == JOB_STATE_STOPPING);
	m->stop_sent = true;
	check_anywhere(w);
}

static void on_child_changed(void *ctx, struct child *child)
{
	struct world *w = ctx;
	struct model *m = &w->model[child_index(child)];

	CHECK(w, child_state(child) != m->told);
	CHECK(w, child_state(child) == m->state);
	m->told = child_state(child);
	check_anywhere(w);
}

static void on_job_changed(void *ctx, struct job *job)
{
	struct world *w = ctx;

	CHECK(w, job == w->job);
	CHECK(w, job_state(job) != w->told);
	w->told = job_state(job);
	check_anywhere(w);
	w->finish_calls += is_finished(w->told);
}

static const struct job_transport transport = {on_start, on_stop};
static const struct job_observer observer = {on_child_changed, on_job_changed};

static void check_child(struct world *w, size_t i)
{
	const struct child *child = job_child(w->job, i);
	const struct model *m = &w->model[i];
	struct outcome o;

	CHECK(w, child_state(child) == m->state);
	CHECK(w, m->told == m->state);
	CHECK(w, child_begin_ns(child) == m->begin);
	CHECK(w, child_end_ns(child) == m->end);
	CHECK(w, child_outcome(child, &o) == m->ended);
	if (m->ended) {
		CHECK(w, o.cause == m->cause);
		CHECK(w, o.began == (m->begin != 0));
	}
}

/* Nobody waits while a slot is free. */
static void check_nobody_forgotten(struct world *w)
{
	if (!w->live || job_counts(w->job)->started >= w->throttle)
		return;
	for (size_t i = 0; i < w->count; i++)
		CHECK(w, w->model[i].started || w->model[i].ended);
}

static void check_all(struct world *w)
{
	uint64_t begin = 0;

	for (size_t i = 0; i < w->count; i++) {
		check_child(w, i);
		if (w->model[i].begin && (!begin || w->model[i].begin < begin))
			begin = w->model[i].begin;
	}
	check_counts(w);
	check_nobody_forgotten(w);
	CHECK(w, job_state(w->job) == expected_job_state(w));
	CHECK(w, job_state(w->job) == w->told);
	CHECK(w, w->finish_calls == is_finished(w->told));
	CHECK(w, job_begin_ns(w->job) == begin);
	CHECK(w, (job_end_ns(w->job) != 0) == is_finished(w->told));
}

static enum job_state state_after(enum cause cause, int exit_code)
{
	if (cause == CAUSE_EXITED && exit_code == 0)
		return JOB_STATE_COMPLETED;
	if (cause == CAUSE_STOPPED || cause == CAUSE_NEVER_RAN)
		return JOB_STATE_STOPPED;
	return JOB_STATE_FAILED;
}

static void model_end(struct world *w, struct model *m, enum cause cause, enum job_state state)
{
	m->ended = true;
	m->cause = cause;
	m->state = state;
	m->end = w->now;
}

static void model_stop(struct world *w, struct model *m)
{
	if (m->ended)
		return;
	if (m->started)
		m->state = JOB_STATE_STOPPING;
	else
		model_end(w, m, CAUSE_NEVER_RAN, JOB_STATE_STOPPED);
}

static void do_running(struct world *w, size_t i)
{
	struct model *m = &w->model[i];

	if (!holds_slot(m) || m->running)
		return;
	m->running = true;
	m->begin = w->now;
	if (m->state != JOB_STATE_STOPPING)
		m->state = JOB_STATE_RUNNING;
	child_on_running(job_child(w->job, i), w->now);
}

static void do_end(struct world *w, size_t i)
{
	struct model *m = &w->model[i];
	struct outcome o = {.exit_code = -1};

	if (!holds_slot(m))
		return;
	o.cause =
		pick(w, 2) ? CAUSE_EXITED : (enum cause)(CAUSE_NONE + 1 + pick(w, CAUSE_COUNT - 1));
	if (m->stop_sent && pick(w, 2))
		o.cause = CAUSE_STOPPED;
	if (o.cause == CAUSE_EXITED)
		o.exit_code = pick(w, 4) ? 0 : (int)pick(w, 256);
	o.began = m->running || pick(w, 2);
	if (pick(w, 2))
		snprintf(o.text, sizeof o.text, "text %zu", i);
	if (o.began && !m->begin)
		m->begin = w->now;
	model_end(w, m, o.cause, state_after(o.cause, o.exit_code));
	child_on_end(job_child(w->job, i), &o, w->now);
}

static void do_stop_child(struct world *w, size_t i)
{
	model_stop(w, &w->model[i]);
	child_stop(job_child(w->job, i), w->now);
}

static void do_stop_job(struct world *w)
{
	bool effective = !is_finished(job_state(w->job)) && !w->stop_asked;

	/* Children that are stopped later in the call must not be expected to have changed yet. */
	if (effective) {
		w->stop_asked = true;
		for (size_t i = 0; i < w->count; i++)
			model_stop(w, &w->model[i]);
	}
	job_stop(w->job, w->now);
}

static void do_something(struct world *w)
{
	size_t i = pick(w, w->count), what = pick(w, 100);

	w->now++;
	if (what < 40)
		do_running(w, i);
	else if (what < 80)
		do_end(w, i);
	else if (what < 88) {
		w->throttle = 1 + pick(w, w->count + 2);
		job_set_throttle(w->job, w->throttle, w->now);
	} else if (what < 94)
		do_stop_child(w, i);
	else if (what < 95)
		do_stop_job(w);
	else {
		w->live = true;
		job_start(w->job, w->now);
	}
}

static void world_init(struct world *w, uint64_t seed)
{
	static const char *const names[CHILDREN_MAX] = {
		"h0",  "h1",  "h2",  "h3",  "h4",  "h5",  "h6",	 "h7",	"h8",  "h9",  "h10", "h11",
		"h12", "h13", "h14", "h15", "h16", "h17", "h18", "h19", "h20", "h21", "h22", "h23"};
	struct job_spec spec = {.type = "Remote", .command = "true", .locations = names};

	*w = (struct world){.seed = seed, .random = seed, .told = JOB_STATE_RUNNING};
	w->count = spec.count = 1 + pick(w, CHILDREN_MAX);
	w->throttle = spec.throttle = 1 + pick(w, w->count + 2);
	w->now = 1;
	w->job = job_new(&spec, 1 + pick(w, 1000), &transport, &observer, w);
}

/* Whatever is left is run to its end, in random order. */
static void world_finish(struct world *w)
{
	w->now++;
	w->live = true;
	job_start(w->job, w->now);
	check_all(w);
	while (!is_finished(job_state(w->job))) {
		w->now++;
		do_end(w, pick(w, w->count));
		check_all(w);
	}
	CHECK(w, job_end_ns(w->job) <= w->now);
}

/* What comes after the end changes nothing and tells nobody. */
static void world_after(struct world *w)
{
	enum job_state verdict = job_state(w->job);
	uint64_t end = job_end_ns(w->job);

	for (size_t i = 0; i < 20; i++) {
		do_something(w);
		check_all(w);
	}
	CHECK(w, job_state(w->job) == verdict);
	CHECK(w, job_end_ns(w->job) == end);
}

static void run_order(uint64_t seed)
{
	struct world w;
	size_t steps;

	world_init(&w, seed);
	check_all(&w);
	steps = pick(&w, STEPS_MAX);
	for (size_t i = 0; i < steps; i++) {
		do_something(&w);
		check_all(&w);
	}
	world_finish(&w);
	world_after(&w);
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
