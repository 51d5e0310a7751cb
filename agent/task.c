#include "task.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "alloc.h"
#include "clock.h"
#include "env.h"
#include "fd.h"
#include "frame.h"
#include "message.h"
#include "task_private.h"

#define TASK_DRAIN_NS 2000000000u

/* --- actions -------------------------------------------------------------------------------- */

static void task_do_running(struct task *t)
{
	struct task_running_msg m = {.task = t->open.task, .pid = (uint64_t)t->pid};
	struct buf *out = &t->relay.out->buf;
	size_t begin = frame_begin(out);

	task_running_put(out, &m);
	(void)frame_end(out, begin, MSG_TASK_RUNNING, 0, 0);
	t->end.began = true;
	t->active_ns = clock_mono_ns();
	if (t->open.run_timeout_ms)
		t->run_ends_ns = t->active_ns + t->open.run_timeout_ms * 1000000u;
}

static void task_do_drain(struct task *t)
{
	t->drain_ends_ns = clock_mono_ns() + TASK_DRAIN_NS;
	relay_owe(&t->relay);
	if (relay_is_closed(&t->relay))
		task_step(t, TASK_EV_CLOSED);
}

static void task_do_finish(struct task *t)
{
	if (!t->end.began)
		relay_discard(&t->relay); /* only TASK_END may come without TASK_RUNNING */
	if (!relay_is_held(&t->relay))
		t->credit_ns = clock_mono_ns();
	relay_finish(&t->relay);
	if (t->reaped)
		task_tell_session(t);
	supervisor_order(&t->supervisor, SUPERVISOR_RELEASE);
	supervisor_done(&t->supervisor);
	if (!relay_is_held(&t->relay))
		task_step(t, TASK_EV_SENT);
}

static void task_do_leave(struct task *t)
{
	t->end.pipes_open = relay_has_writers(&t->relay);
	task_do_finish(t);
}

static void task_do_stop(struct task *t)
{
	supervisor_order(&t->supervisor, SUPERVISOR_STOP);
}

/* Nobody wants to see it any more. */
static void task_do_kill(struct task *t)
{
	relay_discard(&t->relay);
	supervisor_order(&t->supervisor, SUPERVISOR_KILL);
}

static void task_do_discard(struct task *t)
{
	relay_discard(&t->relay);
	if (t->state == TASK_IS_FLUSHING)
		task_step(t, TASK_EV_SENT);
}

static void task_do_suspend(struct task *t)
{
	supervisor_order(&t->supervisor, SUPERVISOR_SUSPEND);
}

static void task_do_resume(struct task *t)
{
	supervisor_order(&t->supervisor, SUPERVISOR_RESUME);
}

static void task_do_refuse(struct task *t)
{
	t->end.kind = TASK_REFUSED;
	task_do_finish(t);
}

static void task_do_lost(struct task *t)
{
	supervisor_bury(&t->supervisor, t->open.instance ? t->open.instance : "");
	if (!t->ordered && !t->reaped)
		t->end.kind = TASK_LOST;
	task_do_finish(t);
}

static void task_do_end(struct task *t)
{
	if (!t->end.end_ns)
		t->end.end_ns = clock_wall_ns();
	t->end.task = t->open.task;
	t->end.text = t->end_text;
	relay_put_end(&t->relay, &t->end);
}

/* --- the table ------------------------------------------------------------------------------ */

struct task_row {
	bool listed;
	enum task_state next;
	void (*action)(struct task *t); /* after the state was entered; NULL: none */
};

#define ROW(state, event, next_state, action_fn) \
	[TASK_IS_##state][TASK_EV_##event] = {true, TASK_IS_##next_state, action_fn}

static const struct task_row task_rows[TASK_STATE_COUNT][TASK_EV_COUNT] = {
	ROW(STARTING, STARTED, RUNNING, task_do_running),
	ROW(STARTING, REFUSED, FLUSHING, task_do_refuse),
	ROW(STARTING, END, ENDING, task_do_stop),
	ROW(STARTING, KILL, ENDING, task_do_kill),
	ROW(STARTING, SUSPEND, STARTING, task_do_suspend),
	ROW(STARTING, RESUME, STARTING, task_do_resume),
	ROW(STARTING, LOST, FLUSHING, task_do_lost),

	ROW(RUNNING, CLOSED, CLOSED, NULL),
	ROW(RUNNING, REAPED, DRAINING, task_do_drain),
	ROW(RUNNING, END, ENDING, task_do_stop),
	ROW(RUNNING, KILL, ENDING, task_do_kill),
	ROW(RUNNING, SUSPEND, RUNNING, task_do_suspend),
	ROW(RUNNING, RESUME, RUNNING, task_do_resume),
	ROW(RUNNING, LOST, FLUSHING, task_do_lost),

	ROW(CLOSED, REAPED, FLUSHING, task_do_finish),
	ROW(CLOSED, END, ENDING, task_do_stop),
	ROW(CLOSED, KILL, ENDING, task_do_kill),
	ROW(CLOSED, SUSPEND, CLOSED, task_do_suspend),
	ROW(CLOSED, RESUME, CLOSED, task_do_resume),
	ROW(CLOSED, LOST, FLUSHING, task_do_lost),

	ROW(DRAINING, CLOSED, FLUSHING, task_do_finish),
	ROW(DRAINING, DRAINED, FLUSHING, task_do_leave),
	ROW(DRAINING, END, ENDING, task_do_stop),
	ROW(DRAINING, KILL, ENDING, task_do_kill),
	ROW(DRAINING, LOST, FLUSHING, task_do_lost),

	ROW(ENDING, STARTED, ENDING, task_do_running),
	ROW(ENDING, REFUSED, FLUSHING, task_do_refuse),
	ROW(ENDING, CLOSED, ENDING, NULL),
	ROW(ENDING, REAPED, ENDING, NULL),
	ROW(ENDING, KILL, ENDING, task_do_kill),
	ROW(ENDING, GONE, SETTLING, task_do_drain),
	ROW(ENDING, LOST, FLUSHING, task_do_lost),

	ROW(SETTLING, CLOSED, FLUSHING, task_do_finish),
	ROW(SETTLING, DRAINED, FLUSHING, task_do_leave),
	ROW(SETTLING, KILL, SETTLING, task_do_discard),
	ROW(SETTLING, LOST, FLUSHING, task_do_lost),

	ROW(FLUSHING, KILL, FLUSHING, task_do_discard),
	ROW(FLUSHING, SENT, OVER, task_do_end),
};

void task_step(struct task *t, enum task_event event)
{
	const struct task_row *row = &task_rows[t->state][event];

	if (!row->listed)
		return;
	t->state = row->next;
	if (row->action)
		row->action(t);
}

/* --- what comes from outside ------------------------------------------------------------------ */

void task_end_for(struct task *t, enum task_end_kind kind, const char *text)
{
	if (!t->ordered && !t->reaped) {
		t->ordered = true;
		t->end.kind = kind;
		free(t->end_text);
		t->end_text = text ? xstrdup(text) : NULL;
	}
	task_step(t, TASK_EV_END);
}

void task_signal(struct task *t, enum task_signal signal)
{
	switch (signal) {
	case TASK_STOP:
		task_end_for(t, TASK_STOPPED, NULL);
		break;
	case TASK_KILL:
		if (!t->ordered && !t->reaped)
			t->end.kind = TASK_STOPPED;
		t->ordered = true;
		task_step(t, TASK_EV_KILL);
		break;
	case TASK_SUSPEND:
		task_step(t, TASK_EV_SUSPEND);
		break;
	case TASK_RESUME:
		task_step(t, TASK_EV_RESUME);
		break;
	case TASK_SIGNAL_COUNT:
		break;
	}
}

void task_credit(struct task *t, uint64_t bytes)
{
	t->credit_ns = clock_mono_ns();
	relay_grant(&t->relay, bytes);
	if (!relay_is_held(&t->relay))
		task_step(t, TASK_EV_SENT);
}

uint64_t task_id(const struct task *t)
{
	return t->open.task;
}

bool task_is_over(const struct task *t)
{
	return t->state == TASK_IS_OVER;
}

/* --- its beginning and its end ---------------------------------------------------------------- */

struct task *task_new(struct task_open_msg *open, const struct spawn_limits *limits,
		      struct out *out)
{
	struct task *t = xcalloc(1, sizeof *t);
	struct errmsg msg;

	t->open = *open;
	*open = (struct task_open_msg){0};
	t->supervisor.fd = -1;
	t->input.fd = -1;
	t->session = -1;
	t->end.exit_code = -1;
	if (task_open_start(t, limits, out, &msg) < 0) {
		t->end_text = xstrdup(msg.text);
		task_step(t, TASK_EV_REFUSED);
	}
	return t;
}

void task_free(struct task *t)
{
	if (!t)
		return;
	supervisor_done(&t->supervisor);
	relay_done(&t->relay);
	input_done(&t->input);
	fd_close(&t->session);
	env_free(t->env);
	t->end.text = NULL;
	free(t->end.signal);
	free(t->end_text);
	task_open_done(&t->open);
	free(t);
}

void task_refuse(struct out *out, uint64_t id, const char *text)
{
	struct task_end_msg m = {.task = id,
				 .kind = TASK_REFUSED,
				 .exit_code = -1,
				 .text = (char *)(uintptr_t)text,
				 .end_ns = clock_wall_ns()};
	size_t begin = frame_begin(&out->buf);

	task_end_put(&out->buf, &m);
	(void)frame_end(&out->buf, begin, MSG_TASK_END, 0, 1);
}
