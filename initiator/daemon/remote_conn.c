/* The connection to an agent: SSH, the bootstrap, HELLO, and then messages. */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "conn_cause.h"
#include "escape.h"
#include "log.h"
#include "remote_private.h"

/* From the start of the bootstrap to the agent's HELLO. */
#define REMOTE_START_MS	 30000u
#define REMOTE_FINISH_MS 2000u

/* So many times the keepalive without a byte, and the connection is lost. */
#define REMOTE_SILENCES 3u

/* The name under which deploy/ configures the agent in sshd. */
#define REMOTE_SUBSYSTEM "muster"

static const enum boot_become remote_become[] = {
	[JOB_AS_SELF] = BOOT_AS_SELF,
	[JOB_SUDO] = BOOT_SUDO,
	[JOB_SU] = BOOT_SU,
	[JOB_DOAS] = BOOT_DOAS,
};

static void remote_connect(struct remote *r);

/* For logs. */
static const char *remote_name(const struct remote *r)
{
	return r->target ? r->target->host : "localhost";
}

static bool remote_is_up(const struct remote *r)
{
	return r->conn || r->pipe;
}

static void remote_write(struct remote *r, const void *data, size_t len)
{
	if (r->finishing)
		return;
	if (r->conn)
		conn_write(r->conn, data, len);
	else if (r->pipe)
		remote_pipe_write(r->pipe, data, len);
}

/* --- the end -------------------------------------------------------------------------------- */

static void remote_wipe_password(struct remote *r)
{
	if (r->password)
		explicit_bzero(r->password, strlen(r->password));
	free(r->password);
	r->password = NULL;
	r->boot_spec.password = NULL;
}

static void remote_free_talk(struct remote *r)
{
	boot_free(r->boot);
	r->boot = NULL;
	peer_free(r->peer);
	r->peer = NULL;
	free(r->command);
	r->command = NULL;
}

void remote_destroy(struct remote *r)
{
	while (r->tasks)
		task_drop(r->tasks);
	conn_free(r->conn);
	remote_pipe_free(r->pipe);
	remote_free_talk(r);
	remote_wipe_password(r);
	if (r->timer)
		event_free(r->timer);
	if (r->target)
		plan_free(r->target->plan);
	r->target = NULL;
	free(r->key);
	free(r->note);
	free(r->become_user);
	r->conn = NULL;
	r->pipe = NULL;
	r->timer = NULL;
	r->key = r->note = r->become_user = NULL;
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

static int remote_on_hello(void *arg, const struct agent_hello_msg *hello, struct errmsg *msg)
{
	struct remote *r = arg;

	(void)msg;
	r->state = REMOTE_OPEN;
	r->can = hello->capabilities;
	r->note = hello->durable_note ? xstrdup(hello->durable_note) : NULL;
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
	return 0;
}

static int remote_on_message(void *arg, const struct frame *frame, struct errmsg *msg)
{
	/* Any sign of life is one, and the answer to PING says no more. */
	return frame->type == MSG_PING ? 0 : task_message(arg, frame, msg);
}

void remote_check(struct remote *r, uint64_t now_ms, uint64_t keepalive_ms)
{
	struct ping_msg m = {.number = r->pings};
	struct buf body = {0};
	char text[64];

	if (r->state != REMOTE_OPEN || !r->tasks || !(r->can & AGENT_CAN_DURABLE)) {
		r->heard_ms = now_ms;
		return;
	}
	if (now_ms - r->heard_ms >= keepalive_ms * REMOTE_SILENCES) {
		(void)snprintf(text, sizeof text, "nothing was heard for %llu s",
			       (unsigned long long)(now_ms - r->heard_ms) / 1000u);
		remote_close(r, CAUSE_LINK_LOST, text);
	} else if (now_ms - r->heard_ms >= keepalive_ms && !r->pinged) {
		r->pinged = true;
		r->pings++;
		ping_put(&body, &m);
		remote_send(r, MSG_PING, &body);
	}
}

static const struct peer_events remote_peer_events = {.hello = remote_on_hello,
						      .message = remote_on_message};

static void remote_feed(struct remote *r, const void *data, size_t len)
{
	struct errmsg msg = {{0}};
	int rc = len ? peer_feed(r->peer, data, len, &msg) : 0;

	r->heard_ms = clock_mono_ns() / 1000000u;
	r->pinged = false;

	if (rc)
		remote_fail(r, rc, &msg);
}

static void remote_on_boot_send(void *arg, const void *data, size_t len)
{
	struct remote *r = arg;

	remote_write(r, data, len);
}

/* The agent runs. */
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

static void remote_on_boot_ready(void *arg, const void *rest, size_t len)
{
	struct remote *r = arg;

	remote_wipe_password(r);
	remote_greet(r);
	remote_feed(r, rest, len);
}

static void remote_set_timer(struct remote *r, uint64_t ms)
{
	struct timeval tv = loop_ms(ms);

	(void)event_add(r->timer, &tv);
}

/* A restricted shell does not know exec: once more without it. */
static bool remote_retry(struct remote *r, enum boot_end end, const char *text)
{
	if (end != BOOT_NO_AGENT || r->retried || !strstr(text, "restricted"))
		return false;
	r->retried = true;
	r->again = true;
	r->boot_spec.no_exec = true;
	return true;
}

static void remote_reconnect(struct remote *r)
{
	conn_free(r->conn);
	r->conn = NULL;
	remote_free_talk(r);
	remote_connect(r);
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

static void remote_on_boot_failed(void *arg, enum boot_end end, const char *text)
{
	struct remote *r = arg;

	if (r->state == REMOTE_GONE)
		return;
	if (end == BOOT_BECOME)
		remote_close(r, CAUSE_BECOME, text);
	else if (remote_retry(r, end, text))
		remote_set_timer(r, 0);
	else
		remote_no_agent(r, text);
}

static const struct boot_events remote_boot_events = {.send = remote_on_boot_send,
						      .ready = remote_on_boot_ready,
						      .failed = remote_on_boot_failed};

/* --- the connection ------------------------------------------------------------------------- */

static void remote_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct remote *r = arg;

	(void)fd;
	(void)what;
	if (r->again)
		remote_reconnect(r);
	else if (!r->target && !r->pipe)
		remote_no_agent(r, r->fault.text);
	else if (r->state == REMOTE_OPEN)
		remote_close(r, CAUSE_NONE, "");
	else
		remote_close(r, CAUSE_TIMEOUT, "start agent");
}

static void remote_on_running(void *arg)
{
	struct remote *r = arg;

	if (r->state != REMOTE_CONNECTING)
		return;
	r->state = REMOTE_BOOTING;
	remote_set_timer(r, r->start_timeout_ms ? r->start_timeout_ms : REMOTE_START_MS);
}

static void remote_on_data(void *arg, bool is_error, const void *data, size_t len)
{
	struct remote *r = arg;

	if (r->state == REMOTE_GONE || r->again)
		return;
	if (!r->peer) {
		boot_feed(r->boot, is_error, data, len);
		return;
	}
	/* Kilobytes that nobody needs any more, for each of thousands. */
	boot_free(r->boot);
	r->boot = NULL;
	if (!is_error)
		remote_feed(r, data, len);
	else
		log_debug("%s: the agent writes %zu bytes of errors", remote_name(r), len);
}

static void remote_on_burst_end(void *arg)
{
	task_end_burst(arg);
}

static void remote_on_end(void *arg, const struct conn_result *result)
{
	struct remote *r = arg;
	bool exited = result->end == CONN_END_EXITED || result->end == CONN_END_SIGNALLED;

	r->conn = NULL;
	if (r->state == REMOTE_GONE || r->again)
		return;
	if (exited && r->state == REMOTE_BOOTING) {
		boot_eof(r->boot, result->exit_code);
		return;
	}
	if (exited && r->tasks)
		remote_close(r, CAUSE_AGENT_LOST, "the agent has ended");
	else
		remote_close(r, conn_cause(result->end), result->text);
}

static const struct conn_events remote_conn_events = {
	.running = remote_on_running,
	.data = remote_on_data,
	.burst_end = remote_on_burst_end,
	.end = remote_on_end,
};

static void remote_connect(struct remote *r)
{
	struct conn_spec spec = {.target = r->target,
				 .connect_timeout_ms = r->connect_timeout_ms,
				 .stream = true,
				 .subsystem = r->boot_spec.subsystem ? REMOTE_SUBSYSTEM : NULL};
	struct errmsg msg;

	r->state = REMOTE_CONNECTING;
	r->again = false;
	boot_nonce(r->boot_spec.nonce);
	/* The user to become was checked when the job was opened. */
	if (!spec.subsystem && boot_command(&r->command, &r->boot_spec, &msg) != 0)
		abort();
	spec.command = r->command;
	r->boot = boot_new(&r->boot_spec, &remote_boot_events, r);
	r->conn = conn_start(remotes_engine(r->pool), &spec, &remote_conn_events, r);
}

static void remote_on_pipe_data(void *arg, const void *data, size_t len)
{
	remote_on_data(arg, false, data, len);
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
	r->connect_timeout_ms = spec->job->connect_timeout_ms;
	r->start_timeout_ms = spec->job->start_timeout_ms;
	r->become_user = spec->job->become_user ? xstrdup(spec->job->become_user) : NULL;
	r->password = spec->password ? xstrdup(spec->password) : NULL;
	r->boot_spec = (struct boot_spec){.subsystem = spec->job->agent == JOB_AGENT_SUBSYSTEM,
					  .become = remote_become[spec->job->become],
					  .become_user = r->become_user,
					  .password = r->password};
	r->boot_spec.payloads = payload_list(&r->boot_spec.payload_count);
	r->timer = evtimer_new(loop_base(loop), remote_on_timer, r);
	if (!r->timer)
		abort();
	if (r->target)
		remote_connect(r);
	else
		remote_start_local(r);
	return r;
}

/* What was written a moment ago, as that all of a run is stored, still gets there. */
static bool remote_finish(struct remote *r)
{
	if (r->state != REMOTE_OPEN || r->shunned || !r->conn || !conn_queued(r->conn))
		return false;
	r->shunned = true;
	r->finishing = true;
	conn_finish(r->conn);
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
