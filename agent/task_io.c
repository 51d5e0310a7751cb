/* What a task waits for, and what becomes of it. */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "frame.h"
#include "left.h"
#include "message.h"
#include "signame.h"
#include "task_private.h"

#define TASK_READS	 4 /* of one source in one round, so that the others have a turn */
#define TASK_GIVE_UP_NS	 5000000000u /* a stopped task whose frames nobody takes */
#define NS_PER_MS	 1000000u
#define TASK_SESSION_MAX (64u << 10) /* of environment; what a pipe holds */

static const enum relay_source task_sources[] = {
	[TASK_ROLE_OUTPUT] = RELAY_OUTPUT,
	[TASK_ROLE_ERROR] = RELAY_ERROR,
	[TASK_ROLE_FD3] = RELAY_FD3,
};

/* Before TASK_RUNNING nothing may be said of its output. */
static bool task_has_io(const struct task *t)
{
	return t->end.began && t->state < TASK_IS_FLUSHING;
}

/* --- the supervisor ------------------------------------------------------------------------- */

static void task_on_exited(struct task *t, const struct supervisor_report *report)
{
	bool signalled = WIFSIGNALED(report->status);

	t->end.user_us = report->user_us;
	t->end.system_us = report->system_us;
	t->end.max_rss = report->max_rss;
	t->end.end_ns = report->end_ns;
	if (signalled)
		t->end.signal = signame(WTERMSIG(report->status));
	else
		t->end.exit_code = WEXITSTATUS(report->status);
	if (!t->ordered)
		t->end.kind = signalled ? TASK_SIGNALLED : TASK_EXITED;
	t->reaped = true;
	task_step(t, TASK_EV_REAPED);
}

/* The time that it is suspended is not its own. */
static void task_on_suspended(struct task *t, bool suspended)
{
	struct task_state_msg m = {.task = t->open.task, .suspended = suspended};
	struct buf *out = &t->relay.out->buf;
	uint64_t now = clock_mono_ns();
	size_t begin;

	if (t->suspended && !suspended && t->run_ends_ns)
		t->run_ends_ns += now - t->suspended_ns;
	if (!t->suspended && suspended)
		t->suspended_ns = now;
	t->suspended = suspended;
	t->active_ns = now;
	if (!t->end.began)
		return;
	begin = frame_begin(out);
	task_state_put(out, &m);
	(void)frame_end(out, begin, MSG_TASK_STATE, 0, 0);
}

static void task_on_report(struct task *t, const struct supervisor_report *report)
{
	switch ((enum supervisor_report_kind)report->kind) {
	case SUPERVISOR_STARTED:
		t->pid = report->pid;
		t->end.begin_ns = report->begin_ns;
		task_step(t, TASK_EV_STARTED);
		break;
	case SUPERVISOR_REFUSED:
		free(t->end_text);
		t->end_text = xstrdup(report->text);
		task_step(t, TASK_EV_REFUSED);
		break;
	case SUPERVISOR_EXITED:
		task_on_exited(t, report);
		break;
	case SUPERVISOR_SUSPENDED:
		task_on_suspended(t, report->suspended);
		break;
	case SUPERVISOR_GONE:
		t->end.survivors = report->survivors;
		task_step(t, TASK_EV_GONE);
		break;
	case SUPERVISOR_REPORT_COUNT:
		break;
	}
}

static void task_read_supervisor(struct task *t)
{
	struct supervisor_report report;
	int rc = 0;

	while (t->supervisor.fd >= 0 && (rc = supervisor_read(&t->supervisor, &report)) > 0)
		task_on_report(t, &report);
	if (rc < 0)
		task_step(t, TASK_EV_LOST);
}

/* --- its streams ---------------------------------------------------------------------------- */

static void task_read_source(struct task *t, enum relay_source source)
{
	for (int i = 0; i < TASK_READS; i++) {
		enum relay_read got;

		if (!task_has_io(t) || t->relay.pipes[source].fd < 0 || relay_is_blocked(&t->relay))
			return;
		got = relay_read(&t->relay, source);
		if (got == RELAY_NOTHING)
			return;
		t->active_ns = clock_mono_ns();
		if (relay_is_held(&t->relay))
			t->credit_ns = t->active_ns;
		if (got == RELAY_FULL && !t->ordered)
			task_end_for(t, TASK_LIMIT, "output");
		if (got == RELAY_CLOSED && relay_is_closed(&t->relay))
			task_step(t, TASK_EV_CLOSED);
	}
}

static void task_tell_input(struct task *t)
{
	struct task_stdin_room_msg m = {.task = t->open.task, .taken = t->input.taken};
	struct buf *out = &t->relay.out->buf;
	size_t begin;

	if (!input_has_news(&t->input))
		return;
	begin = frame_begin(out);
	task_stdin_room_put(out, &m);
	(void)frame_end(out, begin, MSG_TASK_STDIN_ROOM, 0, 0);
}

static void task_write_input(struct task *t)
{
	input_write(&t->input);
	task_tell_input(t);
}

int task_input(struct task *t, const struct task_stdin_msg *m, struct errmsg *msg)
{
	int rc;

	if (!t->open.stdin_follows)
		return err_set(msg, ERR_ORDER, "TASK_STDIN for task %llu, which has no input",
			       (unsigned long long)t->open.task);
	rc = input_add(&t->input, m->data, m->len, m->end, msg);
	if (rc == 0 && task_has_io(t))
		task_write_input(t);
	return rc;
}

void task_tell_session(struct task *t)
{
	char said[TASK_SESSION_MAX];
	ssize_t n = t->session >= 0 ? read(t->session, said, sizeof said) : 0;

	if (n > 0 && t->end.began)
		left_put(&t->relay.out->buf, &t->open, said, (size_t)n);
}

/* --- the loop ------------------------------------------------------------------------------- */

static void task_poll_times(const struct task *t, struct pollset *set)
{
	if (t->relay.batch.count)
		pollset_until(set, t->relay.batch_ends_ns);
	/* Later, only reading helps. */
	if ((t->state == TASK_IS_DRAINING || t->state == TASK_IS_SETTLING) &&
	    t->drain_ends_ns > clock_mono_ns())
		pollset_until(set, t->drain_ends_ns);
	if (t->state == TASK_IS_FLUSHING && t->end.kind == TASK_STOPPED)
		pollset_until(set, t->credit_ns + TASK_GIVE_UP_NS);
	if (t->suspended || !t->end.began || t->reaped || t->ordered)
		return;
	if (t->run_ends_ns)
		pollset_until(set, t->run_ends_ns);
	if (t->open.idle_timeout_ms && !relay_is_blocked(&t->relay))
		pollset_until(set, t->active_ns + t->open.idle_timeout_ms * NS_PER_MS);
}

void task_poll(struct task *t, struct pollset *set)
{
	pollset_add(set, t->supervisor.fd, POLLIN, t, TASK_ROLE_SUPERVISOR);
	if (task_has_io(t)) {
		for (int role = TASK_ROLE_OUTPUT; role <= TASK_ROLE_FD3; role++)
			if (!relay_is_blocked(&t->relay))
				pollset_add(set, t->relay.pipes[task_sources[role]].fd, POLLIN, t,
					    role);
		if (input_wants(&t->input))
			pollset_add(set, t->input.fd, POLLOUT, t, TASK_ROLE_INPUT);
	}
	task_poll_times(t, set);
}

void task_on_ready(struct task *t, enum task_role role)
{
	switch (role) {
	case TASK_ROLE_SUPERVISOR:
		task_read_supervisor(t);
		break;
	case TASK_ROLE_OUTPUT:
	case TASK_ROLE_ERROR:
	case TASK_ROLE_FD3:
		task_read_source(t, task_sources[role]);
		break;
	case TASK_ROLE_INPUT:
		if (task_has_io(t))
			task_write_input(t);
		break;
	case TASK_ROLE_NONE:
		break;
	}
}

/* A stop is not held up by somebody who takes nothing. */
static bool task_is_given_up(const struct task *t, uint64_t now)
{
	return t->end.kind == TASK_STOPPED && t->ordered && now >= t->credit_ns + TASK_GIVE_UP_NS;
}

static void task_check_end(struct task *t, uint64_t now)
{
	bool late = now >= t->drain_ends_ns;

	if ((t->state == TASK_IS_DRAINING || t->state == TASK_IS_SETTLING) && late &&
	    (!relay_is_owed(&t->relay) || t->end.kind == TASK_STOPPED))
		task_step(t, TASK_EV_DRAINED);
	if (t->state == TASK_IS_FLUSHING && task_is_given_up(t, now)) {
		relay_discard(&t->relay);
		task_step(t, TASK_EV_SENT);
	}
}

static void task_check_timeouts(struct task *t, uint64_t now)
{
	/* Who may not speak, or does not run, is not idle. */
	if (t->suspended || relay_is_blocked(&t->relay))
		t->active_ns = now;
	if (t->suspended || !t->end.began || t->reaped || t->ordered)
		return;
	if (t->run_ends_ns && now >= t->run_ends_ns)
		task_end_for(t, TASK_TIMEOUT, "run");
	else if (t->open.idle_timeout_ms &&
		 now - t->active_ns >= t->open.idle_timeout_ms * NS_PER_MS)
		task_end_for(t, TASK_TIMEOUT, "idle");
}

void task_on_time(struct task *t)
{
	uint64_t now = clock_mono_ns();

	if (t->relay.batch.count && now >= t->relay.batch_ends_ns) {
		if (!relay_is_held(&t->relay))
			t->credit_ns = now;
		relay_flush(&t->relay);
	}
	task_check_timeouts(t, now);
	task_check_end(t, now);
}
