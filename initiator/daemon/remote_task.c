/* One command on a host with an agent: what is sent for it, and what its agent may say of it. */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "limits.h"
#include "log.h"
#include "message.h"
#include "remote_private.h"
#include "value.h"

/* From TASK_OPEN to TASK_RUNNING. */
#define TASK_START_MS 30000u
/* The agent keeps the times itself; if it does not, we do not wait for ever. Behind KILL it may
 * take 5 s for processes that do not die, 2 s for what they wrote, and then some for the way. */
#define TASK_SLACK_MS 10000u
#define TASK_GRACE_MS 10000u
/* From KILL to the end of a task that is nobody's. An agent that does not manage that is ill. */
#define TASK_ORPHAN_MS 15000u
/* Input that is on its way, or waits in the agent. */
#define TASK_STDIN_WINDOW (256u << 10)
/* All column names of one child together. */
#define TASK_SCHEMA_BYTES (64u << 10)

static void task_set_timer(struct remote_task *t, uint64_t ms)
{
	struct timeval tv = loop_ms(ms);

	(void)event_add(t->timer, &tv);
}

/* --- its end -------------------------------------------------------------------------------- */

static void task_unlink(struct remote_task *t)
{
	struct remote_task **at = &t->remote->tasks;

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
}

void task_drop(struct remote_task *t)
{
	task_unlink(t);
	event_free(t->timer);
	buf_done(&t->open);
	free(t->schema_ids);
	free(t);
}

/* Takes it out before anybody is told: what they do may touch the list. */
static void task_take_out(struct remote_task *t, const struct remote_events **ret_events,
			  void **ret_arg)
{
	struct remote *r = t->remote;

	*ret_events = t->events;
	*ret_arg = t->arg;
	if (t->burst && t->events)
		t->events->burst_end(t->arg);
	task_drop(t);
	if (!r->tasks && r->state != REMOTE_GONE)
		remote_became_idle(r);
}

void task_end(struct remote_task *t, const struct outcome *outcome)
{
	const struct remote_events *events;
	void *arg;

	task_take_out(t, &events, &arg);
	if (events)
		events->end(arg, outcome);
}

void task_no_agent(struct remote_task *t, const char *why)
{
	const struct remote_events *events;
	void *arg;

	task_take_out(t, &events, &arg);
	if (events)
		events->no_agent(arg, why);
}

static void task_signal(struct remote_task *t, enum task_signal signal)
{
	struct task_signal_msg m = {.task = t->id, .signal = signal};
	struct buf body = {0};

	task_signal_put(&body, &m);
	remote_send(t->remote, MSG_TASK_SIGNAL, &body);
}

/* Nobody waits for its end any more; until that comes the agent still speaks of it. */
static void task_orphan(struct remote_task *t)
{
	t->events = NULL;
	t->feed = NULL;
	t->schemas = NULL;
	/* Whatever the agent says of it now, its deadline stays. */
	t->stopping = true;
	task_signal(t, TASK_KILL);
	task_set_timer(t, TASK_ORPHAN_MS);
}

/* The agent does not do what it was asked: its task is nobody's from now on. */
static void task_give_up(struct remote_task *t, enum cause cause, const char *text)
{
	struct outcome outcome = {
		.cause = cause, .exit_code = -1, .began = t->step == TASK_STEP_RUNNING};
	const struct remote_events *events = t->events;

	(void)snprintf(outcome.text, sizeof outcome.text, "%s", text);
	if (t->step == TASK_STEP_WAITING) {
		task_end(t, &outcome);
		return;
	}
	t->remote->shunned = true;
	task_orphan(t);
	if (events)
		events->end(t->arg, &outcome);
}

static void task_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct remote_task *t = arg;

	(void)fd;
	(void)what;
	if (!t->events)
		remote_close(t->remote, CAUSE_AGENT_LOST, "the agent did not answer");
	else if (t->stopping && t->step != TASK_STEP_RUNNING)
		task_give_up(t, CAUSE_STOPPED, "");
	else if (t->stopping)
		task_give_up(t, CAUSE_STOPPED, "the agent did not answer");
	else if (t->step == TASK_STEP_RUNNING)
		task_give_up(t, CAUSE_TIMEOUT, "run; the agent did not answer");
	else
		task_give_up(t, CAUSE_TIMEOUT, "start");
}

/* --- what is sent --------------------------------------------------------------------------- */

void remote_task_feed(struct remote_task *t)
{
	while (t->step != TASK_STEP_WAITING && t->feed && !t->feed_ended &&
	       t->fed - t->taken + LIMIT_STDIN_PIECE <= TASK_STDIN_WINDOW) {
		struct task_stdin_msg m = {.task = t->id};
		struct buf body = {0};
		const void *data = NULL;

		m.len = feed_peek(t->feed, t->fed, &data);
		m.end = feed_is_end(t->feed, t->fed + m.len);
		if (!m.len && !m.end)
			return;
		m.data = (uint8_t *)(uintptr_t)data;
		task_stdin_put(&body, &m);
		remote_send(t->remote, MSG_TASK_STDIN, &body);
		t->fed += m.len;
		t->feed_ended = m.end;
	}
}

/* Half of the window is used: as much again may come. */
static void task_grant(struct remote_task *t)
{
	struct task_credit_msg m = {.task = t->id};
	struct buf body = {0};

	if (t->held || t->step == TASK_STEP_WAITING ||
	    t->received + t->window - t->window / 2 < t->granted)
		return;
	m.bytes = t->received + t->window - t->granted;
	t->granted += m.bytes;
	task_credit_put(&body, &m);
	remote_send(t->remote, MSG_TASK_CREDIT, &body);
}

void task_open(struct remote_task *t)
{
	/* Its end is on its way, from the timer. */
	if (t->stopping)
		return;
	remote_send(t->remote, MSG_TASK_OPEN, &t->open);
	t->step = TASK_STEP_OPENED;
	task_set_timer(t, t->start_timeout_ms ? t->start_timeout_ms : TASK_START_MS);
	remote_task_feed(t);
}

struct remote_task *task_new(struct remote *r, const struct remote_spec *spec,
			     const struct remote_events *events, void *arg)
{
	struct remote_task *t = xcalloc(1, sizeof *t);
	struct task_open_msg m = *spec->open;

	t->remote = r;
	t->events = events;
	t->arg = arg;
	t->id = ++r->last_task;
	t->schemas = spec->schemas;
	t->feed = spec->feed;
	t->window = t->granted = spec->credit;
	t->start_timeout_ms = spec->job->start_timeout_ms;
	t->run_timeout_ms = m.run_timeout_ms;
	t->grace_ms = m.grace_ms ? m.grace_ms : TASK_GRACE_MS;
	m.task = t->id;
	m.credit = t->window;
	m.stdin_follows = t->feed != NULL;
	task_open_put(&t->open, &m);
	t->timer =
		evtimer_new(loop_base(ssh_engine_loop(remotes_engine(r->pool))), task_on_timer, t);
	if (!t->timer)
		abort();
	t->next = r->tasks;
	r->tasks = t;
	return t;
}

void remote_task_stop(struct remote_task *t)
{
	if (t->stopping)
		return;
	t->stopping = true;
	if (t->step == TASK_STEP_WAITING) {
		task_set_timer(t, 0);
		return;
	}
	task_signal(t, TASK_STOP);
	task_set_timer(t, t->grace_ms + TASK_SLACK_MS);
}

void remote_task_suspend(struct remote_task *t, bool suspend)
{
	t->suspend_asked = suspend;
	t->answer_owed = true;
	if (t->step == TASK_STEP_RUNNING && !t->stopping)
		task_signal(t, suspend ? TASK_SUSPEND : TASK_RESUME);
}

void remote_task_hold(struct remote_task *t, bool hold)
{
	t->held = hold;
	task_grant(t);
}

void remote_task_free(struct remote_task *t)
{
	struct remote *r;

	if (!t)
		return;
	r = t->remote;
	if (t->step != TASK_STEP_WAITING && r->state == REMOTE_OPEN) {
		task_orphan(t);
		return;
	}
	task_drop(t);
	if (!r->tasks && r->state != REMOTE_GONE)
		remote_close(r, CAUSE_NONE, "");
}

/* --- what comes ----------------------------------------------------------------------------- */

/* The agent keeps the run timeout. */
static void task_expect_end(struct remote_task *t)
{
	if (t->run_timeout_ms)
		task_set_timer(t, t->run_timeout_ms + t->grace_ms + TASK_SLACK_MS);
}

static int task_on_running(struct remote_task *t, const struct frame *frame, struct errmsg *msg)
{
	struct task_running_msg m;
	int rc = task_running_get(&m, frame->body, frame->len, msg);

	if (rc)
		return rc;
	t->step = TASK_STEP_RUNNING;
	if (!t->stopping) {
		(void)event_del(t->timer);
		task_expect_end(t);
		if (t->suspend_asked)
			task_signal(t, TASK_SUSPEND);
	}
	if (t->events)
		t->events->running(t->arg);
	task_running_done(&m);
	return 0;
}

static int task_charge(struct remote_task *t, const struct frame *frame, struct errmsg *msg)
{
	if (t->received >= t->granted)
		return err_set(msg, ERR_PROTO,
			       "task %llu: more records than it was allowed to send",
			       (unsigned long long)t->id);
	t->received += frame->len;
	task_grant(t);
	return 0;
}

static int task_on_schema(struct remote_task *t, const struct frame *frame, struct errmsg *msg)
{
	struct task_schema_msg m;
	int rc = task_schema_get(&m, frame->body, frame->len, msg);

	if (rc)
		return rc;
	for (size_t i = 0; i < m.column_count; i++)
		t->schema_bytes += strlen(m.columns[i]) + 1;
	if (m.schema != t->schema_count + 1)
		rc = err_set(msg, ERR_PROTO, "TASK_SCHEMA: number %llu after %zu",
			     (unsigned long long)m.schema, t->schema_count);
	else if (t->schema_count == LIMIT_SCHEMAS || t->schema_bytes > TASK_SCHEMA_BYTES)
		rc = err_set(msg, ERR_LIMIT, "TASK_SCHEMA: too many columns for one command");
	if (rc == 0) {
		t->schema_ids = xrealloc(t->schema_ids, t->schema_count + 1, sizeof(uint64_t));
		t->schema_ids[t->schema_count++] =
			t->schemas ? schemas_intern(t->schemas, m.name, m.columns, m.column_count)
				   : 0;
	}
	task_schema_done(&m);
	return rc ? rc : task_charge(t, frame, msg);
}

struct task_records {
	struct remote_task *task;
	struct errmsg *msg;
	uint64_t now;
};

static int task_on_record(void *arg, uint64_t child, uint64_t seq, const struct record *record)
{
	struct task_records *c = arg;
	struct remote_task *t = c->task;
	struct record own = *record;

	(void)child;
	(void)seq;
	if (!t->events)
		return 0;
	own.time_ns = c->now;
	own.flags &= RECORD_CONTINUES | RECORD_NO_EOL | RECORD_UNPARSED;
	if (own.schema > t->schema_count)
		return err_set(c->msg, ERR_PROTO, "a record of schema %llu, which was not told",
			       (unsigned long long)own.schema);
	if (own.schema)
		own.schema = t->schema_ids[own.schema - 1];
	t->burst = true;
	t->events->record(t->arg, &own);
	return 0;
}

static int task_on_records(struct remote_task *t, const struct frame *frame, struct errmsg *msg)
{
	struct task_records c = {.task = t, .msg = msg, .now = clock_wall_ns()};
	int rc = records_get(frame->body, frame->len, task_on_record, &c, msg);

	return rc ? rc : task_charge(t, frame, msg);
}

static int task_on_state(struct remote_task *t, const struct frame *frame, struct errmsg *msg)
{
	struct task_state_msg m;
	int rc = task_state_get(&m, frame->body, frame->len, msg);

	if (rc)
		return rc;
	/* A change, or the answer to a question. An agent that says it again is not believed: there
	 * is no such step for a child. */
	if (!t->stopping && (t->answer_owed || m.suspended != t->suspended)) {
		t->answer_owed = false;
		t->suspended = m.suspended;
		/* A command that was suspended by us is not late. */
		if (m.suspended && t->suspend_asked)
			(void)event_del(t->timer);
		else if (!event_pending(t->timer, EV_TIMEOUT, NULL))
			task_expect_end(t);
		t->events->suspended(t->arg, m.suspended);
	}
	task_state_done(&m);
	return 0;
}

static int task_on_stdin_room(struct remote_task *t, const struct frame *frame, struct errmsg *msg)
{
	struct task_stdin_room_msg m;
	int rc = task_stdin_room_get(&m, frame->body, frame->len, msg);

	if (rc)
		return rc;
	if (m.taken < t->taken || m.taken > t->fed)
		return err_set(msg, ERR_PROTO, "TASK_STDIN_ROOM: %llu bytes taken of %llu",
			       (unsigned long long)m.taken, (unsigned long long)t->fed);
	t->taken = m.taken;
	remote_task_feed(t);
	return 0;
}

static int task_on_end(struct remote_task *t, const struct frame *frame, struct errmsg *msg)
{
	struct outcome outcome;
	struct task_end_msg m;
	int rc = task_end_get(&m, frame->body, frame->len, msg);

	if (rc)
		return rc;
	task_outcome(&outcome, &m);
	outcome.began = t->step == TASK_STEP_RUNNING;
	task_end_done(&m);
	task_end(t, &outcome);
	return 0;
}

static const struct {
	enum message_type type;
	int (*fn)(struct remote_task *t, const struct frame *frame, struct errmsg *msg);
} task_messages[] = {
	{MSG_TASK_RUNNING, task_on_running},	   {MSG_TASK_SCHEMA, task_on_schema},
	{MSG_TASK_RECORDS, task_on_records},	   {MSG_TASK_STATE, task_on_state},
	{MSG_TASK_STDIN_ROOM, task_on_stdin_room}, {MSG_TASK_END, task_on_end},
};

static struct remote_task *task_find(const struct remote *r, uint64_t id)
{
	for (struct remote_task *t = r->tasks; t; t = t->next)
		if (t->id == id && t->step != TASK_STEP_WAITING)
			return t;
	return NULL;
}

/* The first field of every message here. Not checked so far: value_next does not read past it. */
static int task_id(const struct frame *frame, uint64_t *ret, struct errmsg *msg)
{
	struct value_in in = value_in(frame->body, frame->len);
	struct value v;

	if (!value_next(&in, &v) || v.kind != VALUE_ARRAY || !v.count || !value_next(&in, &v) ||
	    v.kind != VALUE_UINT)
		return err_set(msg, ERR_PROTO, "%s without the number of a task",
			       message_name(frame->type));
	*ret = v.u;
	return 0;
}

int task_message(struct remote *r, const struct frame *frame, struct errmsg *msg)
{
	struct remote_task *t;
	uint64_t id;
	int rc;

	if (r->state == REMOTE_GONE)
		return err_set(msg, ERR_CLOSED, "it was let go");
	rc = task_id(frame, &id, msg);
	if (rc)
		return rc;
	t = task_find(r, id);
	if (!t)
		return err_set(msg, ERR_PROTO, "%s of task %llu, which is none",
			       message_name(frame->type), (unsigned long long)id);
	rc = task_order_take(&t->order, frame, msg);
	for (size_t i = 0; rc > 0 && i < ARRAY_LEN(task_messages); i++)
		if (task_messages[i].type == frame->type)
			return task_messages[i].fn(t, frame, msg);
	return rc < 0 ? rc : 0;
}

void task_end_burst(struct remote *r)
{
	for (struct remote_task *t = r->tasks, *next; t; t = next) {
		next = t->next;
		if (!t->burst)
			continue;
		t->burst = false;
		if (t->events)
			t->events->burst_end(t->arg);
	}
}
