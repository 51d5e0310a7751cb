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
#include "schemas.h"

#define CREDIT 1000u

/* --- a connection that is none ---------------------------------------------------------------- */

struct line {
	const struct line_events *events;
	void *arg;
	struct line *next;
	const struct line_side *side;
	void *order;
	void *state;
	struct buf out; /* what its side has put */
	size_t written, queued;
	bool freed, finished;
	bool trusted;
};

static struct line *conns; /* the newest first; freed by tear_down */
static struct loop *rig_loop;

/* Its side runs here and now, and not on a thread. */
static struct line *line_of(struct line_io *io)
{
	return (struct line *)(void *)io;
}

struct line *line_start(struct lines *lines, const struct line_spec *spec,
			const struct line_events *events, void *arg)
{
	struct line *c = xcalloc(1, sizeof *c);

	(void)lines;
	*c = (struct line){.events = events,
			   .arg = arg,
			   .next = conns,
			   .side = spec->side,
			   .order = spec->order,
			   .trusted = true};
	c->state = c->side->begin((struct line_io *)(void *)c, c->order);
	conns = c;
	return c;
}

struct loop *line_io_loop(struct line_io *io)
{
	(void)io;
	return rig_loop;
}

void line_io_write(struct line_io *io, const void *data, size_t len)
{
	(void)data;
	line_of(io)->written += len;
}

static void line_flush(struct line *c)
{
	struct buf out = c->out;

	c->out = (struct buf){0};
	if (out.len && !c->freed) {
		c->events->data(c->arg, false, out.data, out.len);
		c->events->burst_end(c->arg);
	}
	buf_done(&out);
}

void line_io_tell(struct line_io *io, unsigned what, const void *data, size_t len)
{
	struct line *c = line_of(io);

	line_flush(c);
	if (!c->freed)
		c->events->told(c->arg, what, data, len);
}

void line_io_put(struct line_io *io, const void *data, size_t len)
{
	buf_add(&line_of(io)->out, data, len);
}

void line_io_connect(struct line_io *io, const char *command)
{
	(void)io, (void)command;
	fail();
}

void line_write(struct line *c, const void *data, size_t len)
{
	(void)data;
	assert_false(c->freed);
	assert_false(c->finished);
	c->written += len;
}

bool line_is_trusted(const struct line *c, const struct plan_target *target)
{
	(void)target;
	return c->trusted;
}

void line_free(struct line *c)
{
	if (c)
		c->freed = true;
}

void line_stop(struct line *c)
{
	(void)c;
}

void line_suspend(struct line *c, bool suspend)
{
	(void)c, (void)suspend;
}

void line_hold(struct line *c, bool hold)
{
	(void)c, (void)hold;
}

size_t line_queued(const struct line *c)
{
	return c->queued;
}

void line_listen(struct line *c)
{
	(void)c;
}

void line_finish(struct line *c)
{
	c->finished = true;
}

struct lines *lines_new(struct loop *loop, unsigned threads, size_t fd_limit)
{
	(void)loop, (void)threads, (void)fd_limit;
	return NULL;
}

void lines_free(struct lines *lines)
{
	(void)lines;
}

size_t lines_in_use(const struct lines *lines)
{
	(void)lines;
	return 0;
}

unsigned lines_threads(const struct lines *lines)
{
	(void)lines;
	return 1;
}

struct bastions *lines_bastions(struct lines *lines)
{
	(void)lines;
	return NULL;
}

size_t lines_slots(const struct lines *lines)
{
	(void)lines;
	return 1000;
}

static size_t conn_count(void)
{
	size_t n = 0;

	for (struct line *c = conns; c; c = c->next)
		n += !c->freed;
	return n;
}

static void conn_give(struct line *c, const struct buf *bytes)
{
	c->side->data(c->state, false, bytes->data, bytes->len);
	line_flush(c);
}

/* The connection is lost. As line.c: it is gone when the event returns. */
static void conn_lose(struct line *c)
{
	struct conn_result result = {.end = CONN_END_LOST, .began = true, .exit_code = -1};

	if (!c->side->end(c->state, &result))
		c->events->end(c->arg, &result);
	c->freed = true;
}

static void conn_done(struct line *c)
{
	c->side->free(c->state);
	c->side->drop(c->order);
	buf_done(&c->out);
	free(c);
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
	struct track *track; /* NULL: it has ended */
	struct remote_task *task;
	const char *password;
	char text[64];
	size_t len;
	bool timed;
	struct outcome outcome;
	struct told *other; /* is acted upon when this one ends */
	struct told *then;  /* is started when this one ends */
};

static void told_add(struct told *t, char c)
{
	assert_true(t->len + 1 < sizeof t->text);
	t->text[t->len++] = c;
}

static void start(struct fixture *f, struct told *t, const char *password);

/* --- of a connection */

static void on_open(void *arg, uint64_t task, uint64_t can, const char *note)
{
	track_on_open(((struct told *)arg)->track, task, can, note);
}

static int on_frame(void *arg, const struct frame *frame, struct errmsg *msg)
{
	return track_on_frame(((struct told *)arg)->track, frame, msg);
}

static void on_burst_end(void *arg)
{
	assert_non_null(((struct told *)arg)->task);
}

static void on_lost(void *arg, enum cause cause, const char *text)
{
	struct told *t = arg;

	t->task = NULL;
	track_on_lost(t->track, cause, text);
}

static void on_remote_no_agent(void *arg, const char *why)
{
	struct told *t = arg;

	t->task = NULL;
	track_on_no_agent(t->track, why);
}

static const struct remote_events events = {
	.open = on_open,
	.frame = on_frame,
	.burst_end = on_burst_end,
	.lost = on_lost,
	.no_agent = on_remote_no_agent,
};

/* --- of a track */

static void do_connect(void *arg)
{
	struct told *t = arg;
	struct locked *password = t->password ? locked_new(t->password, strlen(t->password)) : NULL;
	struct remote_spec spec = {
		.target = plan_target(t->f->plan, 0), .job = &t->f->job, .password = password};

	t->task = remote_start(t->f->remotes, &spec, &events, t);
	locked_drop(password);
	remote_task_begin(t->task);
}

static void do_send(void *arg, enum message_type type, struct buf *body)
{
	remote_task_send(((struct told *)arg)->task, type, body);
}

static void do_leave(void *arg, enum track_leave how, bool shun)
{
	struct told *t = arg;

	remote_task_leave(t->task, how, shun);
	t->task = NULL;
}

static void do_timer(void *arg, uint64_t ms)
{
	((struct told *)arg)->timed = ms != TRACK_NEVER;
}

static uint64_t no_time(void *arg)
{
	(void)arg;
	return 1;
}

static void put_open(void *arg, struct buf *body, const struct task_open_msg *own)
{
	struct told *t = arg;
	struct task_open_msg m = t->f->open;

	m.task = own->task;
	m.credit = own->credit;
	task_open_put(body, &m);
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

static uint64_t on_schema(void *arg, const struct task_schema_msg *m, uint64_t seq)
{
	struct told *t = arg;

	(void)seq;
	return schemas_intern(t->f->schemas, m->name, m->columns, m->column_count);
}

static void on_taken(void *arg, uint64_t seq)
{
	(void)arg, (void)seq;
}

static void on_note(void *arg, const char *text)
{
	(void)arg, (void)text;
}

static void on_suspended(void *arg, bool suspended)
{
	told_add(arg, suspended ? 'S' : 'G');
}

static void on_away(void *arg)
{
	told_add(arg, 'L');
}

static void told_done(struct told *t)
{
	assert_true(track_is_settled(t->track));
	track_free(t->track);
	t->track = NULL;
}

static void on_end(void *arg, const struct outcome *outcome)
{
	struct told *t = arg;

	assert_non_null(t->track);
	told_done(t);
	t->outcome = *outcome;
	if (t->other && t->other->track) {
		track_hold(t->other->track, true);
		track_hold(t->other->track, false);
		track_suspend(t->other->track, true);
		track_feed(t->other->track);
		track_stop(t->other->track);
	}
	if (t->then)
		start(t->f, t->then, NULL);
}

static void on_no_agent(void *arg, const char *why)
{
	(void)why;
	told_add(arg, 'N');
	told_done(arg);
}

static const struct track_ops ops = {
	.connect = do_connect,
	.send = do_send,
	.leave = do_leave,
	.timer = do_timer,
	.clock_ms = no_time,
	.wall_ns = no_time,
	.random = no_time,
	.epoch = no_time,
	.put_open = put_open,
	.running = on_running,
	.record = on_record,
	.schema = on_schema,
	.taken = on_taken,
	.note = on_note,
	.suspended = on_suspended,
	.lost = on_away,
	.back = on_away,
	.end = on_end,
	.no_agent = on_no_agent,
};

static void start(struct fixture *f, struct told *t, const char *password)
{
	struct track_spec spec = {
		.instance = "", .window = f->credit, .run_timeout_ms = f->open.run_timeout_ms};

	t->f = f;
	t->password = password;
	t->track = track_new(&spec, &ops, t);
	track_start(t->track, false);
}

/* Lets go of one that has not ended. */
static void drop(struct told *t)
{
	if (!t->track)
		return;
	track_drop(t->track, true);
	told_done(t);
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
	f->loop = rig_loop = loop_new();
	f->engine = ssh_engine_new(f->loop, 4096);
	f->remotes = remotes_new(f->engine, NULL, 3600000, 0);
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
		struct line *c = conns;

		conns = c->next;
		conn_done(c);
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
	conns->side->running(conns->state);
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
