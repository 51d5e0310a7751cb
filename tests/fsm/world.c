#include "world.h"

#include <string.h>

/* splitmix64, so that a seed gives the same order everywhere. */
size_t pick(struct world *w, size_t n)
{
	uint64_t z = w->random += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (size_t)((z ^ (z >> 31)) % n);
}

bool is_finished(enum job_state s)
{
	return s == JOB_STATE_COMPLETED || s == JOB_STATE_FAILED || s == JOB_STATE_STOPPED;
}

bool holds_slot(const struct model *m)
{
	return m->started && !m->ended;
}

void model_settle(struct model *m)
{
	static const enum job_state of_pace[] = {
		[PACE_GOES] = JOB_STATE_RUNNING,
		[PACE_HALTING] = JOB_STATE_SUSPENDING,
		[PACE_STANDS] = JOB_STATE_SUSPENDED,
		[PACE_WAKING] = JOB_STATE_RUNNING,
	};

	if (!m->ended) {
		if (m->stopping)
			m->state = JOB_STATE_STOPPING;
		else if (!m->running)
			m->state = JOB_STATE_NOT_STARTED;
		else if (m->lost)
			m->state = JOB_STATE_DISCONNECTED;
		else if (m->pace == PACE_GOES && m->blocked)
			m->state = JOB_STATE_BLOCKED;
		else
			m->state = of_pace[m->pace];
	}
	m->via = m->state;
}

/* The roll-up once more, from the children one by one. */
static enum job_state expected_job_state(struct world *w)
{
	size_t n[JOB_STATE_COUNT] = {0}, unfinished = 0;

	for (size_t i = 0; i < w->count; i++) {
		enum job_state s = child_state(job_child(w->job, i));

		/* In a job that is held, who has not begun stands still, or is about to. */
		if (w->held && s == JOB_STATE_NOT_STARTED)
			s = w->model[i].started ? JOB_STATE_SUSPENDING : JOB_STATE_SUSPENDED;
		n[s]++;
		unfinished += !is_finished(s);
	}
	if (!unfinished)
		return n[JOB_STATE_FAILED]    ? JOB_STATE_FAILED
		       : n[JOB_STATE_STOPPED] ? JOB_STATE_STOPPED
					      : JOB_STATE_COMPLETED;
	if (w->stop_asked)
		return JOB_STATE_STOPPING;
	if (n[JOB_STATE_DISCONNECTED] == unfinished)
		return JOB_STATE_DISCONNECTED;
	if (n[JOB_STATE_BLOCKED] == unfinished)
		return JOB_STATE_BLOCKED;
	if (n[JOB_STATE_SUSPENDED] + n[JOB_STATE_SUSPENDING] == unfinished)
		return n[JOB_STATE_SUSPENDING] ? JOB_STATE_SUSPENDING : JOB_STATE_SUSPENDED;
	return JOB_STATE_RUNNING;
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
		want.queued += s == JOB_STATE_NOT_STARTED && !w->model[i].started;
	}
	CHECK(w, n->total == want.total);
	CHECK(w, n->finished == want.finished);
	CHECK(w, n->started == want.started);
	CHECK(w, n->queued == want.queued);
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

	CHECK(w, w->live && !w->stop_asked && !w->held);
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

static void on_suspend(void *ctx, struct child *child)
{
	struct world *w = ctx;
	struct model *m = &w->model[child_index(child)];

	CHECK(w, holds_slot(m) && !m->stop_sent && !m->lost);
	CHECK(w, m->told == JOB_STATE_SUSPENDING);
	m->suspends++;
	check_anywhere(w);
}

static void on_resume(void *ctx, struct child *child)
{
	struct world *w = ctx;
	struct model *m = &w->model[child_index(child)];

	CHECK(w, holds_slot(m) && !m->stop_sent && !m->lost);
	CHECK(w, m->told == JOB_STATE_RUNNING);
	m->resumes++;
	check_anywhere(w);
}

static void on_child_changed(void *ctx, struct child *child)
{
	struct world *w = ctx;
	struct model *m = &w->model[child_index(child)];

	CHECK(w, child_state(child) != m->told);
	CHECK(w, child_state(child) == m->state || child_state(child) == m->via);
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

static const struct job_transport transport = {
	.start = on_start, .stop = on_stop, .suspend = on_suspend, .resume = on_resume};
static const struct job_observer observer = {.child_changed = on_child_changed,
					     .job_changed = on_job_changed};

static void check_child(struct world *w, size_t i)
{
	const struct child *child = job_child(w->job, i);
	const struct model *m = &w->model[i];
	struct outcome o;

	CHECK(w, child_state(child) == m->state);
	CHECK(w, m->told == m->state);
	CHECK(w, m->suspends == m->suspends_wanted);
	CHECK(w, m->resumes == m->resumes_wanted);
	CHECK(w, child_has_more_data(child) == m->unread);
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
	if (!w->live || w->held || job_counts(w->job)->started >= w->throttle)
		return;
	for (size_t i = 0; i < w->count; i++)
		CHECK(w, w->model[i].started || w->model[i].ended);
}

static void check_failed(struct world *w)
{
	struct child *at = NULL;

	for (size_t i = 0; i < w->count; i++) {
		enum job_state s = w->model[i].state;

		if (s != JOB_STATE_FAILED && s != JOB_STATE_STOPPED)
			continue;
		at = job_next_failed(w->job, at);
		CHECK(w, at == job_child(w->job, i));
	}
	CHECK(w, job_next_failed(w->job, at) == NULL);
}

void check_all(struct world *w)
{
	uint64_t begin = 0;
	bool unread = false;

	for (size_t i = 0; i < w->count; i++) {
		check_child(w, i);
		unread |= w->model[i].unread;
		if (w->model[i].begin && (!begin || w->model[i].begin < begin))
			begin = w->model[i].begin;
	}
	check_counts(w);
	check_nobody_forgotten(w);
	check_failed(w);
	CHECK(w, job_has_more_data(w->job) == unread);
	CHECK(w, job_state(w->job) == expected_job_state(w));
	CHECK(w, job_state(w->job) == w->told);
	CHECK(w, w->finish_calls == is_finished(w->told));
	CHECK(w, job_begin_ns(w->job) == begin);
	CHECK(w, (job_end_ns(w->job) != 0) == is_finished(w->told));
}

void world_init(struct world *w, uint64_t seed)
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
