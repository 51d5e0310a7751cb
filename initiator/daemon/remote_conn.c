/* The connection to an agent: SSH, the bootstrap, HELLO, and then messages. */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "conn_cause.h"
#include "escape.h"
#include "log.h"
#include "plan_settings.h"
#include "remote_private.h"

/* From the start of the bootstrap to the agent's HELLO. */
#define REMOTE_START_MS	 30000u
#define REMOTE_FINISH_MS 2000u

/* The name under which deploy/ configures the agent in sshd. */
#define REMOTE_SUBSYSTEM "muster"

static const enum boot_become remote_become[] = {
	[JOB_AS_SELF] = BOOT_AS_SELF,
	[JOB_SUDO] = BOOT_SUDO,
	[JOB_SU] = BOOT_SU,
	[JOB_DOAS] = BOOT_DOAS,
};

/* For logs. */
static const char *remote_name(const struct remote *r)
{
	return r->target ? r->target->host : "localhost";
}

static bool remote_is_up(const struct remote *r)
{
	return r->line || r->pipe;
}

static void remote_write(struct remote *r, const void *data, size_t len)
{
	if (r->finishing)
		return;
	if (r->line)
		line_write(r->line, data, len);
	else if (r->pipe)
		remote_pipe_write(r->pipe, data, len);
}

/* --- the end -------------------------------------------------------------------------------- */

static void remote_wipe_password(struct remote *r)
{
	locked_drop(r->password);
	r->password = NULL;
	secret_login_drop(r->login);
	r->login = NULL;
}

void remote_destroy(struct remote *r)
{
	while (r->tasks)
		task_drop(r->tasks);
	line_free(r->line);
	remote_pipe_free(r->pipe);
	peer_free(r->peer);
	remote_wipe_password(r);
	if (r->timer)
		event_free(r->timer);
	if (r->target)
		plan_free(r->target->plan);
	r->target = NULL;
	free(r->key);
	free(r->program);
	free(r->note);
	r->line = NULL;
	r->pipe = NULL;
	r->peer = NULL;
	r->timer = NULL;
	r->key = r->note = r->program = NULL;
	r->freed = true;
	if (!r->queued)
		free(r);
}

static void remote_free_deferred(void *arg)
{
	struct remote *r = arg;

	r->queued = false;
	if (r->freed)
		free(r);
	else
		remote_destroy(r);
}

/* Its connection may be on the stack. */
static void remote_free_later(struct remote *r)
{
	r->queued = true;
	loop_defer(ssh_engine_loop(remotes_engine(r->pool)), remote_free_deferred, r);
}

void remote_close(struct remote *r, enum cause cause, const char *text)
{
	if (r->state == REMOTE_GONE)
		return;
	r->state = REMOTE_GONE;
	remotes_forget(r);
	if (r->timer)
		(void)event_del(r->timer);
	while (r->tasks)
		task_lost(r->tasks, cause, text);
	remote_free_later(r);
}

/* It is not one of ours, or breaks the rules: nothing that it says is believed any more. */
static void remote_fail(struct remote *r, int code, const struct errmsg *msg)
{
	char text[LIMIT_OUTCOME_TEXT];
	struct buf out = {0};

	if (r->state == REMOTE_GONE)
		return;
	(void)escape_str(text, sizeof text, msg->text);
	log_warn("%s: the agent was let go: %s", remote_name(r), text);
	if (remote_is_up(r) && code != ERR_CLOSED) {
		peer_put_error(&out, code, msg->text);
		remote_write(r, out.data, out.len);
		buf_done(&out);
	}
	remote_close(r, CAUSE_AGENT_LOST, text);
}

/* --- the talk ------------------------------------------------------------------------------- */

void remote_send(struct remote *r, enum message_type type, struct buf *body)
{
	struct buf frame = {0};
	size_t begin;

	/* Its tasks are being told that it has ended, and each may act on the others. */
	if (r->state == REMOTE_GONE || !remote_is_up(r)) {
		buf_done(body);
		return;
	}
	begin = frame_begin(&frame);
	buf_add(&frame, body->data, body->len);
	if (frame_end(&frame, begin, (uint8_t)type, 0, 0) != 0)
		abort();
	remote_write(r, frame.data, frame.len);
	buf_done(&frame);
	buf_done(body);
}

void remote_send_frame(struct remote *r, struct buf *frame)
{
	if (r->state != REMOTE_GONE && remote_is_up(r))
		remote_write(r, frame->data, frame->len);
	buf_done(frame);
}

static void remote_open(struct remote *r, uint64_t can, char *program, char *note)
{
	r->state = REMOTE_OPEN;
	r->can = can;
	r->program = program;
	r->note = note;
	(void)event_del(r->timer);
	/* Who hears it may leave, and so may others: each time from the front. */
	for (struct remote_task *t = r->tasks; t;) {
		bool opens = !t->open && t->events;

		if (opens)
			task_open(t);
		t = opens ? r->tasks : t->next;
	}
	if (!r->tasks && r->state == REMOTE_OPEN)
		remote_became_idle(r);
}

static int remote_on_hello(void *arg, const struct agent_hello_msg *hello, struct errmsg *msg)
{
	(void)msg;
	remote_open(arg, hello->capabilities, hello->program ? xstrdup(hello->program) : NULL,
		    hello->durable_note ? xstrdup(hello->durable_note) : NULL);
	return 0;
}

static int remote_on_message(void *arg, const struct frame *frame, struct errmsg *msg)
{
	/* Any sign of life is one, and the answer to PING says no more. */
	return frame->type == MSG_PING ? 0 : task_message(arg, frame, msg);
}

static void remote_set_timer(struct remote *r, uint64_t ms)
{
	struct timeval tv = loop_ms(ms);

	(void)event_add(r->timer, &tv);
}

/* Everybody who waits is told, and may do it another way. */
static void remote_no_agent(struct remote *r, const char *text)
{
	r->state = REMOTE_GONE;
	remotes_forget(r);
	(void)event_del(r->timer);
	while (r->tasks)
		task_no_agent(r->tasks, text);
	remote_free_later(r);
}

/* --- the connection ------------------------------------------------------------------------- */

static void remote_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct remote *r = arg;

	(void)fd;
	(void)what;
	if (!r->target && !r->pipe)
		remote_no_agent(r, r->fault.text);
	else if (r->state == REMOTE_OPEN)
		remote_close(r, CAUSE_NONE, "");
	else
		remote_close(r, CAUSE_TIMEOUT, "start agent");
}

static void remote_told_open(struct remote *r, const void *data, size_t len)
{
	struct remote_told_open told;
	const char *program = (const char *)data + sizeof told, *note;

	memcpy(&told, data, sizeof told);
	note = program + told.program;
	remote_heard(r);
	remote_open(r, told.can, told.program ? xstrndup(program, told.program) : NULL,
		    told.note ? xstrndup(note, len - sizeof told - told.program) : NULL);
}

static void remote_told_ready(struct remote *r)
{
	/* Nobody looks at the other copy any more, as this is said behind the last use of it. */
	remote_wipe_password(r);
	remote_order_wipe(r->order);
	r->state = REMOTE_GREETING;
}

static void remote_on_told(void *arg, unsigned what, const void *data, size_t len)
{
	struct remote *r = arg;
	struct errmsg msg = {{0}};

	if (r->state == REMOTE_GONE)
		return;
	(void)snprintf(msg.text, sizeof msg.text, "%.*s", (int)len, len ? (const char *)data : "");
	switch ((enum remote_told)what) {
	case REMOTE_TOLD_BOOTING:
		r->state = REMOTE_BOOTING;
		break;
	case REMOTE_TOLD_READY:
		remote_told_ready(r);
		break;
	case REMOTE_TOLD_OPEN:
		remote_told_open(r, data, len);
		break;
	case REMOTE_TOLD_NO_AGENT:
		remote_no_agent(r, msg.text);
		break;
	case REMOTE_TOLD_BECOME:
		remote_close(r, CAUSE_BECOME, msg.text);
		break;
	case REMOTE_TOLD_BROKEN:
		remote_fail(r, ERR_CLOSED, &msg); /* it was told so already */
		break;
	case REMOTE_TOLD_LATE:
		remote_close(r, CAUSE_TIMEOUT, "start agent");
		break;
	}
}

/* Whole frames, checked. */
static void remote_on_frames(void *arg, bool is_error, const void *data, size_t len)
{
	struct remote *r = arg;
	const uint8_t *at = data, *end = at + len;
	struct errmsg msg = {{0}};

	(void)is_error;
	remote_heard(r);
	while (at < end && r->state != REMOTE_GONE) {
		struct frame frame;
		int rc;

		at += frame_next(at, &frame);
		rc = remote_on_message(r, &frame, &msg);
		if (rc)
			remote_fail(r, rc, &msg);
	}
}

static void remote_on_burst_end(void *arg)
{
	task_end_burst(arg);
}

static void remote_on_end(void *arg, const struct conn_result *result)
{
	struct remote *r = arg;
	bool exited = result->end == CONN_END_EXITED || result->end == CONN_END_SIGNALLED;

	r->line = NULL;
	r->order = NULL;
	if (r->state == REMOTE_GONE)
		return;
	if (exited && r->tasks)
		remote_close(r, CAUSE_AGENT_LOST, "the agent has ended");
	else
		remote_close(r, conn_cause(result->end), result->text);
}

static const struct line_events remote_line_events = {
	.data = remote_on_frames,
	.burst_end = remote_on_burst_end,
	.listened = remote_on_listened,
	.told = remote_on_told,
	.end = remote_on_end,
};

static struct remote_order *remote_new_order(const struct job_open_msg *job,
					     struct locked *password)
{
	struct remote_order *order = xcalloc(1, sizeof *order);

	order->become_user = job->become_user ? xstrdup(job->become_user) : NULL;
	order->password = locked_hold(password);
	order->start_timeout_ms = job->start_timeout_ms ? job->start_timeout_ms : REMOTE_START_MS;
	order->spec = (struct boot_spec){.subsystem = job->agent == JOB_AGENT_SUBSYSTEM,
					 .become = remote_become[job->become],
					 .become_user = order->become_user,
					 .password = locked_text(order->password)};
	order->spec.payloads = payload_list(&order->spec.payload_count);
	return order;
}

static void remote_connect(struct remote *r, const struct remote_spec *from)
{
	struct remote_order *order = remote_new_order(from->job, from->password);
	char *command = remote_order_command(order);
	struct line_spec spec = {
		.conn = {.target = r->target,
			 .command = command,
			 .connect_timeout_ms = from->job->connect_timeout_ms,
			 .stream = true,
			 .subsystem = order->spec.subsystem ? REMOTE_SUBSYSTEM : NULL,
			 .kex = from->job->kex,
			 .ciphers = from->job->ciphers,
			 .macs = from->job->macs,
			 .login = from->login},
		.retries = plan_settings_retries(from->job, r->target),
		.side = &remote_side,
		.order = order,
	};

	r->order = order;
	r->state = REMOTE_CONNECTING;
	r->line = line_start(remotes_lines(r->pool), &spec, &remote_line_events, r);
	free(command);
}

/* --- the agent of this computer ------------------------------------------------------------- */

static const struct peer_events remote_peer_events = {.hello = remote_on_hello,
						      .message = remote_on_message};

static void remote_on_pipe_data(void *arg, const void *data, size_t len)
{
	struct remote *r = arg;
	struct errmsg msg = {{0}};
	int rc;

	if (r->state == REMOTE_GONE)
		return;
	remote_heard(r);
	rc = len ? peer_feed(r->peer, data, len, &msg) : 0;
	if (rc)
		remote_fail(r, rc, &msg);
}

static void remote_on_pipe_end(void *arg)
{
	remote_close(arg, CAUSE_AGENT_LOST, "the agent has ended");
}

static const struct remote_pipe_events remote_pipe_events = {
	.data = remote_on_pipe_data,
	.burst_end = remote_on_burst_end,
	.end = remote_on_pipe_end,
};

static void remote_greet(struct remote *r)
{
	struct agent_hello_msg hello = {0};
	struct buf out = {0};

	r->state = REMOTE_GREETING;
	r->peer = peer_new(PEER_INITIATOR, &remote_peer_events, r);
	peer_put_hello(&out, &hello);
	remote_write(r, out.data, out.len);
	buf_done(&out);
}

static void remote_start_local(struct remote *r)
{
	remote_set_timer(r, REMOTE_START_MS);
	if (remote_pipe_start(&r->pipe, remotes_engine(r->pool), &remote_pipe_events, r,
			      &r->fault) == 0)
		remote_greet(r);
	else
		remote_set_timer(r, 0);
}

struct remote *remote_new(struct remotes *pool, const struct remote_spec *spec, char *key)
{
	struct remote *r = xcalloc(1, sizeof *r);
	struct loop *loop = ssh_engine_loop(remotes_engine(pool));

	r->pool = pool;
	r->key = key;
	r->target = spec->target;
	if (r->target)
		plan_hold(r->target->plan);
	r->password = locked_hold(spec->password);
	r->login = secret_login_hold(spec->login);
	r->timer = evtimer_new(loop_base(loop), remote_on_timer, r);
	if (!r->timer)
		abort();
	if (r->target)
		remote_connect(r, spec);
	else
		remote_start_local(r);
	return r;
}

/* What was written a moment ago, as that all of a run is stored, still gets there. */
static bool remote_finish(struct remote *r)
{
	if (r->state != REMOTE_OPEN || r->shunned || !r->line || !line_queued(r->line))
		return false;
	r->shunned = true;
	r->finishing = true;
	line_finish(r->line);
	remote_set_timer(r, REMOTE_FINISH_MS);
	return true;
}

void remote_became_idle(struct remote *r)
{
	uint64_t linger = remotes_linger_ms(r->pool);

	if (r->state != REMOTE_OPEN || r->shunned || !linger) {
		if (!remote_finish(r))
			remote_close(r, CAUSE_NONE, "");
		return;
	}
	remotes_set_idle(r, true);
	remote_set_timer(r, linger);
}
