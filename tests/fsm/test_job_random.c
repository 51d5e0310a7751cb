/*
 * A job under random orders of events: what is asked of it, legal or refused, and what its
 * transport may report. MUSTER_TEST_SEED=N runs the one order that a failure has printed.
 */
#include <stdio.h>
#include <stdlib.h>

#include "world.h"

enum { ORDERS = 10000, STEPS_MAX = 400 };

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
	model_settle(m);
}

static void model_stop(struct world *w, struct model *m)
{
	if (m->ended)
		return;
	if (!m->started) {
		model_end(w, m, CAUSE_NEVER_RAN, JOB_STATE_STOPPED);
		return;
	}
	m->stopping = true;
	model_settle(m);
}

/* True if somebody can ask it to halt or to go on. */
static bool model_listens(const struct model *m)
{
	return holds_slot(m) && m->running && !m->stopping && !m->lost;
}

/* Returns true if a suspend is not refused. */
static bool model_suspend(struct model *m)
{
	if (!model_listens(m))
		return false;
	if (m->pace == PACE_GOES || m->pace == PACE_WAKING) {
		m->pace = PACE_HALTING;
		m->suspends_wanted++;
	}
	model_settle(m);
	return true;
}

static bool model_resume(struct model *m)
{
	if (!model_listens(m) || m->pace == PACE_GOES)
		return false;
	if (m->pace != PACE_WAKING) {
		m->pace = PACE_WAKING;
		m->resumes_wanted++;
	}
	model_settle(m);
	return true;
}

/* It can be asked again: what the job was asked for meanwhile is asked of it within this call. */
static void model_pay(struct model *m)
{
	enum job_state via = m->state;
	enum owed owed = m->owed;

	m->owed = OWED_NOTHING;
	if (owed == OWED_SUSPEND)
		model_suspend(m);
	if (owed == OWED_RESUME)
		model_resume(m);
	m->via = via;
}

static void do_running(struct world *w, size_t i)
{
	struct model *m = &w->model[i];

	if (!holds_slot(m) || m->running)
		return;
	m->running = true;
	m->begin = w->now;
	model_settle(m);
	model_pay(m);
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

/* The command stands still or goes on: what was asked for, the opposite, or somebody else's doing.
 */
static void do_pace(struct world *w, size_t i)
{
	struct model *m = &w->model[i];
	bool stands = m->pace == PACE_GOES || m->pace == PACE_HALTING;

	if (!holds_slot(m) || !m->running || m->lost)
		return;
	if (m->pace == PACE_HALTING || m->pace == PACE_WAKING)
		stands ^= pick(w, 4) == 0;
	m->pace = stands ? PACE_STANDS : PACE_GOES;
	model_settle(m);
	if (stands)
		child_on_suspended(job_child(w->job, i), w->now);
	else
		child_on_resumed(job_child(w->job, i), w->now);
}

static void do_block(struct world *w, size_t i)
{
	struct model *m = &w->model[i];

	if (!holds_slot(m) || !m->running || m->lost)
		return;
	m->blocked = !m->blocked;
	model_settle(m);
	if (m->blocked)
		child_on_blocked(job_child(w->job, i), w->now);
	else
		child_on_unblocked(job_child(w->job, i), w->now);
}

static void do_link(struct world *w, size_t i)
{
	struct model *m = &w->model[i];

	if (!holds_slot(m) || !m->running)
		return;
	m->lost = !m->lost;
	model_settle(m);
	if (m->lost) {
		child_on_disconnected(job_child(w->job, i), w->now);
	} else {
		model_pay(m);
		child_on_reconnected(job_child(w->job, i), w->now);
	}
}

static void do_stop_child(struct world *w, size_t i)
{
	model_stop(w, &w->model[i]);
	child_stop(job_child(w->job, i), w->now);
}

static void do_stop_job(struct world *w)
{
	/* Children that are stopped later in the call must not be expected to have changed yet. */
	if (!is_finished(job_state(w->job)) && !w->stop_asked) {
		w->stop_asked = true;
		w->held = false;
		for (size_t i = 0; i < w->count; i++)
			model_stop(w, &w->model[i]);
	}
	job_stop(w->job, w->now);
}

static void do_suspend_child(struct world *w, size_t i)
{
	int want = model_suspend(&w->model[i]) ? 0 : ERR_ORDER;

	CHECK(w, child_suspend(job_child(w->job, i), w->now, NULL) == want);
}

static void do_resume_child(struct world *w, size_t i)
{
	int want = model_resume(&w->model[i]) ? 0 : ERR_ORDER;

	CHECK(w, child_resume(job_child(w->job, i), w->now, NULL) == want);
}

static bool model_waits(const struct model *m)
{
	return holds_slot(m) && !m->stopping && (!m->running || m->lost);
}

static void do_suspend_job(struct world *w)
{
	bool any = w->held;

	for (size_t i = 0; i < w->count; i++)
		any |= model_listens(&w->model[i]);
	if (!any || w->stop_asked || is_finished(job_state(w->job))) {
		CHECK(w, job_suspend(w->job, w->now, NULL) == ERR_ORDER);
		return;
	}
	w->held = true;
	for (size_t i = 0; i < w->count; i++) {
		model_suspend(&w->model[i]);
		w->model[i].owed = model_waits(&w->model[i]) ? OWED_SUSPEND : OWED_NOTHING;
	}
	CHECK(w, job_suspend(w->job, w->now, NULL) == 0);
}

static void do_resume_job(struct world *w)
{
	bool any = w->held;

	for (size_t i = 0; i < w->count; i++)
		any |= model_listens(&w->model[i]) &&
		       (w->model[i].pace == PACE_HALTING || w->model[i].pace == PACE_STANDS);
	if (!any || w->stop_asked || is_finished(job_state(w->job))) {
		CHECK(w, job_resume(w->job, w->now, NULL) == ERR_ORDER);
		return;
	}
	w->held = false;
	for (size_t i = 0; i < w->count; i++) {
		model_resume(&w->model[i]);
		w->model[i].owed = model_waits(&w->model[i]) ? OWED_RESUME : OWED_NOTHING;
	}
	CHECK(w, job_resume(w->job, w->now, NULL) == 0);
}

static void do_throttle(struct world *w)
{
	w->throttle = 1 + pick(w, w->count + 2);
	job_set_throttle(w->job, w->throttle, w->now);
}

static void do_start_job(struct world *w)
{
	w->live = true;
	job_start(w->job, w->now);
}

static void do_unread(struct world *w, size_t i)
{
	w->model[i].unread = pick(w, 2);
	child_set_unread(job_child(w->job, i), w->model[i].unread);
}

/* What can happen, and how often in relation. */
static const struct {
	unsigned weight;
	void (*to_child)(struct world *w, size_t i);
	void (*to_job)(struct world *w);
} doings[] = {
	{24, do_running, NULL},	      {20, do_end, NULL},	   {14, do_pace, NULL},
	{8, do_block, NULL},	      {8, do_link, NULL},	   {3, do_stop_child, NULL},
	{10, do_suspend_child, NULL}, {10, do_resume_child, NULL}, {4, do_unread, NULL},
	{1, NULL, do_stop_job},	      {2, NULL, do_suspend_job},   {3, NULL, do_resume_job},
	{4, NULL, do_throttle},	      {4, NULL, do_start_job},
};

static void do_something(struct world *w)
{
	size_t child = pick(w, w->count), total = 0, what, at = 0;

	for (size_t i = 0; i < sizeof doings / sizeof doings[0]; i++)
		total += doings[i].weight;
	for (what = pick(w, total); what >= doings[at].weight; at++)
		what -= doings[at].weight;
	w->now++;
	if (doings[at].to_child)
		doings[at].to_child(w, child);
	else
		doings[at].to_job(w);
}

/* Whatever is left is run to its end, in random order. */
static void world_finish(struct world *w)
{
	w->now++;
	do_start_job(w);
	if (w->held)
		do_resume_job(w);
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
