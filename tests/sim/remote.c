/* A connection of the initiator to a host, with the tasks on it. */
#include <stdlib.h>

#include "alloc.h"
#include "keeper.h"
#include "message.h"
#include "peer.h"
#include "value.h"

#define REMOTE_CONNECT_US (300 * MS)
#define REMOTE_KEEP_US	  (15 * SEC)
#define REMOTE_SILENCES	  3u
#define REMOTE_ORPHAN_US  (15 * SEC)
#define REMOTE_LINGER_US  (20 * SEC)

enum remote_state { REMOTE_CONNECTING, REMOTE_GREETING, REMOTE_OPEN, REMOTE_GONE };

struct remote_task {
	struct remote *remote;
	struct remote_task *next;
	struct link *link; /* NULL: nobody's */
	uint64_t id;
	bool open, burst;
	struct slot timer;
};

struct remote {
	struct keeper *k;
	struct world *w;
	struct remote *next;
	struct host *host;
	enum remote_state state;
	struct duplex *net;
	struct peer *peer;
	struct remote_task *tasks;
	uint64_t last_task;
	uint64_t heard_us;
	uint64_t pings;
	bool shunned;
	struct slot connect, keep, linger, gone;
};

/* --- the end ---------------------------------------------------------------------------------- */

static void task_free(struct remote_task *t)
{
	struct remote_task **at = &t->remote->tasks;

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	world_cancel(t->remote->w, &t->timer);
	free(t);
}

static void remote_free(struct remote *r, bool reset)
{
	struct remote **at = &r->k->remotes;

	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	while (r->tasks)
		task_free(r->tasks);
	world_cancel(r->w, &r->connect);
	world_cancel(r->w, &r->keep);
	world_cancel(r->w, &r->linger);
	world_cancel(r->w, &r->gone);
	if (r->net && reset)
		duplex_reset(r->net, 0);
	else if (r->net)
		duplex_close(r->net, 0);
	peer_free(r->peer);
	free(r);
}

static void remote_on_gone(void *arg)
{
	remote_free(arg, false);
}

static void task_lost(struct remote_task *t, enum cause cause, const char *text)
{
	struct link *link = t->link;
	bool burst = t->burst;

	task_free(t);
	if (link && burst)
		link_on_burst_end(link);
	if (link)
		link_on_lost(link, cause, text);
}

/* Frees it later: it may be on the stack. */
static void remote_close(struct remote *r, enum cause cause, const char *text)
{
	if (r->state == REMOTE_GONE)
		return;
	world_trace(r->w, "host %zu: the connection is closed: %s", r->host->index, text);
	r->state = REMOTE_GONE;
	world_set(r->w, &r->gone, 0, remote_on_gone, r);
	while (r->tasks)
		task_lost(r->tasks, cause, text);
}

void remotes_free(struct keeper *k)
{
	while (k->remotes)
		remote_free(k->remotes, true);
}

/* --- the talk --------------------------------------------------------------------------------- */

static void remote_send(struct remote *r, uint8_t type, struct buf *body)
{
	struct buf out = {0};

	if (r->state != REMOTE_GONE && r->net && !keeper_is_dead(r->k)) {
		sim_frame(&out, type, 0, body);
		duplex_write(r->net, 0, out.data, out.len);
	}
	buf_done(&out);
	buf_done(body);
}

static void remote_on_linger(void *arg)
{
	remote_close(arg, CAUSE_NONE, "idle");
}

static void remote_became_idle(struct remote *r)
{
	if (r->state != REMOTE_OPEN || r->shunned)
		remote_close(r, CAUSE_NONE, "not needed");
	else
		world_set(r->w, &r->linger, REMOTE_LINGER_US, remote_on_linger, r);
}

static void task_open(struct remote_task *t)
{
	t->open = true;
	link_on_open(t->link, t->id, AGENT_CAN_DURABLE | AGENT_CAN_SUSPEND);
}

static void remote_on_keep(void *arg)
{
	struct remote *r = arg;
	struct ping_msg m = {.number = ++r->pings};
	struct buf body = {0};

	if (r->w->now_us - r->heard_us >= REMOTE_KEEP_US * REMOTE_SILENCES) {
		remote_close(r, CAUSE_LINK_LOST, "nothing was heard");
		return;
	}
	if (r->w->now_us - r->heard_us >= REMOTE_KEEP_US && r->state == REMOTE_OPEN) {
		ping_put(&body, &m);
		remote_send(r, MSG_PING, &body);
	}
	world_set(r->w, &r->keep, REMOTE_KEEP_US, remote_on_keep, r);
}

static int remote_on_hello(void *arg, const struct agent_hello_msg *hello, struct errmsg *msg)
{
	struct remote *r = arg;

	(void)hello;
	(void)msg;
	r->state = REMOTE_OPEN;
	for (struct remote_task *t = r->tasks; t;) {
		bool opens = !t->open && t->link;

		if (opens)
			task_open(t);
		t = opens ? r->tasks : t->next;
	}
	if (!r->tasks && r->state == REMOTE_OPEN)
		remote_became_idle(r);
	return 0;
}

static int remote_on_task(struct remote *r, const struct frame *frame, struct errmsg *msg)
{
	struct value_in in = value_in(frame->body, frame->len);
	struct remote_task *t = r->tasks;
	struct value v;

	if (!value_next(&in, &v) || !value_next(&in, &v))
		return err_set(msg, ERR_PROTO, "no task");
	while (t && (t->id != v.u || (!t->open && t->link)))
		t = t->next;
	if (!t)
		return err_set(msg, ERR_PROTO, "%s of task %llu, which is none",
			       message_name(frame->type), (unsigned long long)v.u);
	if (t->link) {
		t->burst = true;
		return link_on_frame(t->link, frame, msg);
	}
	if (frame->type == MSG_TASK_END || frame->type == MSG_TASK_DETACH) {
		task_free(t);
		if (!r->tasks)
			remote_became_idle(r);
	}
	return 0;
}

static int remote_on_message(void *arg, const struct frame *frame, struct errmsg *msg)
{
	struct remote *r = arg;

	if (r->state == REMOTE_GONE)
		return err_set(msg, ERR_CLOSED, "it was let go");
	return frame->type == MSG_PING ? 0 : remote_on_task(r, frame, msg);
}

static void remote_on_data(void *arg, const uint8_t *data, size_t len)
{
	struct remote *r = arg;
	struct errmsg msg;
	int rc;

	if (r->state == REMOTE_GONE)
		return;
	r->heard_us = r->w->now_us;
	rc = peer_feed(r->peer, data, len, &msg);
	if (rc && rc != ERR_CLOSED) {
		world_fail(r->w, "host %zu: the agent is refused: %s", r->host->index, msg.text);
		remote_close(r, CAUSE_AGENT_LOST, msg.text);
	}
	for (struct remote_task *t = r->tasks, *next; t; t = next) {
		next = t->next;
		if (t->burst && t->link)
			link_on_burst_end(t->link);
		t->burst = false;
	}
}

static void remote_on_eof(void *arg)
{
	struct remote *r = arg;

	if (r->state == REMOTE_GREETING)
		remote_close(r, CAUSE_UNREACHABLE, "it ended at once");
	else
		remote_close(r, world_chance(r->w, 20) ? CAUSE_AGENT_LOST : CAUSE_LINK_LOST,
			     "it ended");
}

static void remote_on_connected(void *arg)
{
	static const struct peer_events events = {.hello = remote_on_hello,
						  .message = remote_on_message};
	struct remote *r = arg;
	struct duplex_port port = {.data = remote_on_data, .eof = remote_on_eof, .arg = r};
	struct agent_hello_msg hello = {0};
	struct buf out = {0};

	if (!r->host->up || r->host->deaf) {
		world_count(r->w, FAULT_REFUSE);
		remote_close(r, CAUSE_UNREACHABLE, "refused");
		return;
	}
	r->state = REMOTE_GREETING;
	r->heard_us = r->w->now_us;
	r->net = duplex_new(r->w, 1 * MS << world_roll(r->w, 9), true);
	r->peer = peer_new(PEER_INITIATOR, &events, r);
	duplex_listen(r->net, 0, &port);
	agent_start(r->host, r->net);
	peer_put_hello(&out, &hello);
	duplex_write(r->net, 0, out.data, out.len);
	buf_done(&out);
	world_set(r->w, &r->keep, REMOTE_KEEP_US, remote_on_keep, r);
}

/* --- tasks ------------------------------------------------------------------------------------ */

static struct remote *remote_get(struct keeper *k, struct host *host)
{
	struct remote *r = k->remotes;

	while (r && (r->host != host || r->shunned || r->state == REMOTE_GONE))
		r = r->next;
	if (r) {
		world_cancel(r->w, &r->linger);
		return r;
	}
	r = xcalloc(1, sizeof *r);
	r->k = k;
	r->w = k->w;
	r->host = host;
	r->next = k->remotes;
	k->remotes = r;
	world_set(r->w, &r->connect, world_roll(r->w, REMOTE_CONNECT_US), remote_on_connected, r);
	return r;
}

struct remote_task *remote_start(struct keeper *k, struct link *link)
{
	struct remote_task *t = xcalloc(1, sizeof *t);

	t->remote = remote_get(k, link_run(link)->host);
	t->link = link;
	t->id = ++t->remote->last_task;
	t->next = t->remote->tasks;
	t->remote->tasks = t;
	return t;
}

void remote_task_begin(struct remote_task *t)
{
	if (t->remote->state == REMOTE_OPEN && !t->open)
		task_open(t);
}

void remote_task_send(struct remote_task *t, uint8_t type, struct buf *body)
{
	remote_send(t->remote, type, body);
}

static void task_on_timer(void *arg)
{
	struct remote_task *t = arg;

	remote_close(t->remote, CAUSE_AGENT_LOST, "the agent did not answer");
}

void remote_task_leave(struct remote_task *t, enum track_leave how, bool shun)
{
	struct task_signal_msg kill = {.signal = TASK_KILL};
	struct task_detach_msg detach = {0};
	struct buf body = {0};
	struct remote *r;

	if (!t)
		return;
	r = t->remote;
	r->shunned = r->shunned || shun;
	if (t->open && (how == TRACK_LEAVE_KILL || how == TRACK_LEAVE_DETACH) &&
	    r->state == REMOTE_OPEN) {
		t->link = NULL;
		kill.task = detach.task = t->id;
		if (how == TRACK_LEAVE_KILL)
			task_signal_put(&body, &kill);
		else
			task_detach_put(&body, &detach);
		remote_send(r, how == TRACK_LEAVE_KILL ? MSG_TASK_SIGNAL : MSG_TASK_DETACH, &body);
		world_set(r->w, &t->timer, REMOTE_ORPHAN_US, task_on_timer, t);
		return;
	}
	task_free(t);
	if (!r->tasks && r->state != REMOTE_GONE)
		remote_became_idle(r);
}

struct duplex *remotes_pick(struct keeper *k)
{
	struct remote *chosen = NULL;
	uint64_t n = 0;

	for (struct remote *r = k->remotes; r; r = r->next)
		if (r->net && r->state != REMOTE_GONE && world_roll(k->w, ++n) == 0)
			chosen = r;
	return chosen ? chosen->net : NULL;
}
