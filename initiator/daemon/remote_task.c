/* A task's place on a connection: its number there, and who hears of it. */
#include <event2/event.h>
#include <stdlib.h>

#include "alloc.h"
#include "limits.h"
#include "remote_private.h"
#include "value.h"

/* From KILL, or TASK_DETACH, to the last word on a task that is nobody's. An agent that does not
 * manage that is ill. */
#define TASK_ORPHAN_MS 15000u

static void task_set_timer(struct remote_task *t, uint64_t ms)
{
	struct timeval tv = loop_ms(ms);

	(void)event_add(t->timer, &tv);
}

/* --- its end -------------------------------------------------------------------------------- */

void task_drop(struct remote_task *t)
{
	struct remote_task **at = &t->remote->tasks;

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	event_free(t->timer);
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

void task_lost(struct remote_task *t, enum cause cause, const char *text)
{
	const struct remote_events *events;
	void *arg;

	task_take_out(t, &events, &arg);
	if (events)
		events->lost(arg, cause, text);
}

void task_no_agent(struct remote_task *t, const char *why)
{
	const struct remote_events *events;
	void *arg;

	task_take_out(t, &events, &arg);
	if (events)
		events->no_agent(arg, why);
}

static void task_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct remote_task *t = arg;

	(void)fd;
	(void)what;
	remote_close(t->remote, CAUSE_AGENT_LOST, "the agent did not answer");
}

/* --- its life ------------------------------------------------------------------------------- */

struct remote_task *task_new(struct remote *r, const struct remote_events *events, void *arg)
{
	struct remote_task *t = xcalloc(1, sizeof *t);

	t->remote = r;
	t->events = events;
	t->arg = arg;
	t->id = ++r->last_task;
	t->timer =
		evtimer_new(loop_base(ssh_engine_loop(remotes_engine(r->pool))), task_on_timer, t);
	if (!t->timer)
		abort();
	t->next = r->tasks;
	r->tasks = t;
	return t;
}

void task_open(struct remote_task *t)
{
	t->open = true;
	t->events->open(t->arg, t->id, t->remote->can, t->remote->note);
}

void remote_task_begin(struct remote_task *t)
{
	if (t->remote->state == REMOTE_OPEN && !t->open)
		task_open(t);
}

void remote_task_send(struct remote_task *t, enum message_type type, struct buf *body)
{
	remote_send(t->remote, type, body);
}

void remote_task_send_frame(struct remote_task *t, struct buf *frame)
{
	remote_send_frame(t->remote, frame);
}

/* Nobody waits for its end any more; until that comes the agent still speaks of it. */
static void task_orphan(struct remote_task *t, enum track_leave how)
{
	struct task_signal_msg kill = {.task = t->id, .signal = TASK_KILL};
	struct task_detach_msg detach = {.task = t->id};
	struct buf body = {0};

	t->events = NULL;
	if (how == TRACK_LEAVE_KILL)
		task_signal_put(&body, &kill);
	else
		task_detach_put(&body, &detach);
	remote_send(t->remote, how == TRACK_LEAVE_KILL ? MSG_TASK_SIGNAL : MSG_TASK_DETACH, &body);
	task_set_timer(t, TASK_ORPHAN_MS);
}

const char *remote_task_program(const struct remote_task *task)
{
	return task->remote ? task->remote->program : NULL;
}

void remote_task_leave(struct remote_task *t, enum track_leave how, bool shun)
{
	struct remote *r;

	if (!t)
		return;
	r = t->remote;
	r->shunned = r->shunned || shun;
	if (t->open && (how == TRACK_LEAVE_KILL || how == TRACK_LEAVE_DETACH) &&
	    r->state == REMOTE_OPEN) {
		task_orphan(t, how);
		return;
	}
	task_drop(t);
	if (r->tasks || r->state == REMOTE_GONE)
		return;
	if (r->state == REMOTE_OPEN)
		remote_became_idle(r);
	else
		remote_close(r, CAUSE_NONE, "");
}

/* --- what comes ----------------------------------------------------------------------------- */

static struct remote_task *task_find(const struct remote *r, uint64_t id)
{
	for (struct remote_task *t = r->tasks; t; t = t->next)
		if (t->id == id && (t->open || !t->events))
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

static int task_orphan_message(struct remote_task *t, const struct frame *frame)
{
	struct remote *r = t->remote;

	if (frame->type != MSG_TASK_END && frame->type != MSG_TASK_DETACH)
		return 0;
	task_drop(t);
	if (!r->tasks)
		remote_became_idle(r);
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
	if (!t->events)
		return task_orphan_message(t, frame);
	t->burst = true;
	return t->events->frame(t->arg, frame, msg);
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
