/*
 * For test_remote.c: a connection to an agent that is played. What is written to it is dropped,
 * what comes is made up here.
 */
#ifndef MUSTER_REMOTE_RIG_H
#define MUSTER_REMOTE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "message.h"
#include "remote_private.h"

#define CREDIT 1000u

/* --- a connection that is none ---------------------------------------------------------------- */

struct conn {
	const struct conn_events *events;
	void *arg;
	struct conn *next;
	size_t written;
	bool freed;
	bool trusted;
};

static struct conn *conns; /* the newest first; freed by tear_down */

struct conn *conn_start(struct ssh_engine *engine, const struct conn_spec *spec,
			const struct conn_events *events, void *arg)
{
	struct conn *c = xcalloc(1, sizeof *c);

	(void)engine;
	(void)spec;
	*c = (struct conn){.events = events, .arg = arg, .next = conns, .trusted = true};
	conns = c;
	return c;
}

void conn_write(struct conn *c, const void *data, size_t len)
{
	(void)data;
	assert_false(c->freed);
	c->written += len;
}

bool conn_is_trusted(const struct conn *c, const struct plan_target *target)
{
	(void)target;
	return c->trusted;
}

void conn_free(struct conn *c)
{
	if (c)
		c->freed = true;
}

void conn_stop(struct conn *c)
{
	(void)c;
}

void conn_suspend(struct conn *c, bool suspend)
{
	(void)c, (void)suspend;
}

void conn_hold(struct conn *c, bool hold)
{
	(void)c, (void)hold;
}

size_t conn_queued(const struct conn *c)
{
	(void)c;
	return 0;
}

void conn_finish(struct conn *c)
{
	(void)c;
}

static size_t conn_count(void)
{
	size_t n = 0;

	for (struct conn *c = conns; c; c = c->next)
		n += !c->freed;
	return n;
}

static void conn_give(struct conn *c, const struct buf *bytes)
{
	c->events->data(c->arg, false, bytes->data, bytes->len);
	c->events->burst_end(c->arg);
}

/* The connection is lost. As conn.c: it is gone when the event returns. */
static void conn_lose(struct conn *c)
{
	struct conn_result result = {.end = CONN_END_LOST, .began = true, .exit_code = -1};

	c->events->end(c->arg, &result);
	c->freed = true;
}

/* --- the daemon's side ------------------------------------------------------------------------ */

struct fixture {
	struct loop *loop;
	struct ssh_engine *engine;
	struct plan *plan;
	struct remotes *remotes;
	struct schemas *schemas;
	uint64_t schema;
	struct job_open_msg job;
	struct task_open_msg open;
	uint64_t credit;
};

/* What came of one task, as a text: r(unning), R(ecord), S(uspended), G(oes on), then its cause. */
struct told {
	struct fixture *f;
	struct remote_task *task; /* NULL: it has ended */
	char text[64];
	size_t len;
	struct outcome outcome;
	struct told *other; /* is acted upon when this one ends */
	struct told *then;  /* is started when this one ends */
};

static void told_add(struct told *t, char c)
{
	assert_true(t->len + 1 < sizeof t->text);
	t->text[t->len++] = c;
}

static void on_running(void *arg)
{
	told_add(arg, 'r');
}

static void on_record(void *arg, const struct record *record)
{
	(void)record;
	told_add(arg, 'R');
}

static void on_burst_end(void *arg)
{
	assert_non_null(((struct told *)arg)->task);
}

static void on_suspended(void *arg, bool suspended)
{
	told_add(arg, suspended ? 'S' : 'G');
}

static void start(struct fixture *f, struct told *t, const char *password);

static void on_end(void *arg, const struct outcome *outcome)
{
	struct told *t = arg;

	assert_non_null(t->task);
	t->task = NULL;
	t->outcome = *outcome;
	if (t->other && t->other->task) {
		remote_task_hold(t->other->task, true);
		remote_task_hold(t->other->task, false);
		remote_task_suspend(t->other->task, true);
		remote_task_feed(t->other->task);
		remote_task_stop(t->other->task);
	}
	if (t->then)
		start(t->f, t->then, NULL);
}

static void on_no_agent(void *arg, const char *why)
{
	(void)why;
	told_add(arg, 'N');
	((struct told *)arg)->task = NULL;
}

static const struct remote_events events = {
	.running = on_running,
	.record = on_record,
	.burst_end = on_burst_end,
	.suspended = on_suspended,
	.end = on_end,
	.no_agent = on_no_agent,
};

static void start(struct fixture *f, struct told *t, const char *password)
{
	struct remote_spec spec = {.target = plan_target(f->plan, 0),
				   .job = &f->job,
				   .password = password,
				   .open = &f->open,
				   .schemas = f->schemas,
				   .credit = f->credit};

	t->f = f;
	t->task = remote_start(f->remotes, &spec, &events, t);
}

static int set_up(void **state)
{
	static char *argv[] = {"true", NULL};
	struct fixture *f = xcalloc(1, sizeof *f);
	struct plan_request request = {
		.count = 1, .config_path = xstrdup("/dev/null"), .home = xstrdup("/nonexistent")};
	struct errmsg msg;

	request.hosts = xcalloc(1, sizeof *request.hosts);
	request.hosts[0].host = xstrdup("h1");
	request.hosts[0].hostname = xstrdup("h1");
	if (plan_build(&f->plan, &request, &msg) != 0)
		return -1;
	f->loop = loop_new();
	f->engine = ssh_engine_new(f->loop, 4096);
	f->remotes = remotes_new(f->engine, 3600000);
	f->schemas = schemas_new(&f->schema);
	f->job.agent = JOB_AGENT_SUBSYSTEM;
	f->open = (struct task_open_msg){.argv = argv, .argc = 1};
	f->credit = CREDIT;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	remotes_free(f->remotes);
	loop_flush(f->loop);
	assert_int_equal(conn_count(), 0);
	while (conns) {
		struct conn *c = conns;

		conns = c->next;
		free(c);
	}
	ssh_engine_free(f->engine);
	loop_free(f->loop);
	plan_free(f->plan);
	schemas_free(f->schemas);
	free(f);
	return 0;
}

/* --- what an agent says ----------------------------------------------------------------------- */

static void frame_up(struct buf *out, size_t begin, uint8_t type, uint64_t seq)
{
	assert_int_equal(frame_end(out, begin, type, 0, seq), 0);
}

static void say_hello(struct buf *out)
{
	struct agent_hello_msg m = {.pid = 7};

	peer_put_hello(out, &m);
}

static void say_running(struct buf *out, uint64_t task)
{
	struct task_running_msg m = {.task = task, .pid = 7};
	size_t begin = frame_begin(out);

	task_running_put(out, &m);
	frame_up(out, begin, MSG_TASK_RUNNING, 0);
}

static void say_state(struct buf *out, uint64_t task, bool suspended)
{
	struct task_state_msg m = {.task = task, .suspended = suspended};
	size_t begin = frame_begin(out);

	task_state_put(out, &m);
	frame_up(out, begin, MSG_TASK_STATE, 0);
}

static void say_record(struct buf *out, uint64_t task, uint64_t seq, size_t len)
{
	struct record_batch batch = {0};
	struct buf value = {0};
	struct record record = {0};
	size_t begin = frame_begin(out);

	memset(buf_room(&value, len), 'x', len);
	record.value = value.data;
	record.len = len;
	record_batch_add(&batch, &record);
	records_put(out, task, seq, &batch);
	record_batch_done(&batch);
	buf_done(&value);
	frame_up(out, begin, MSG_TASK_RECORDS, seq);
}

static void say_end(struct buf *out, uint64_t task, uint64_t seq)
{
	struct task_end_msg m = {.task = task, .kind = TASK_EXITED, .began = true};
	size_t begin = frame_begin(out);

	task_end_put(out, &m);
	frame_up(out, begin, MSG_TASK_END, seq);
}

/* Gives what has been said to the newest connection. */
static void give(struct buf *bytes)
{
	conn_give(conns, bytes);
	buf_done(bytes);
}

/* The first task of a connection, up to where its command runs. */
static void start_running(struct fixture *f, struct told *t)
{
	struct buf said = {0};

	start(f, t, NULL);
	conns->events->running(conns->arg);
	say_hello(&said);
	say_running(&said, 1);
	give(&said);
	assert_string_equal(t->text, "r");
}

static bool is_timed(const struct remote_task *t)
{
	return event_pending(t->timer, EV_TIMEOUT, NULL);
}

#endif
