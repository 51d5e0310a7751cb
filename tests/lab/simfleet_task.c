#include "simfleet_task.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "alloc.h"
#include "frame.h"
#include "limits.h"
#include "message.h"
#include "simfleet_run.h"

#define SIM_TASK_PID 4711u

struct sim_task {
	struct sim_channel *ch;
	struct sim_run run;
	uint64_t id;
	uint64_t granted, charged; /* credit */
	uint64_t frames, records;  /* so far */
	uint64_t bytes, limit;	   /* of output */
	uint64_t taken;		   /* of input */
	uint64_t begin_ns;
	bool raw;   /* its output is bytes, and not lines */
	bool waits; /* takes its time */
	bool suspended;
	bool over;
	const char *timeout; /* which, if it ends before the command does */
	struct event *timer;
};

static uint64_t sim_now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* --- frames ---------------------------------------------------------------------------------- */

static struct buf *sim_task_out(const struct sim_task *t)
{
	return sim_channel_out(t->ch, false);
}

/* Over a cap of the protocol: ours alone could be. */
static void sim_frame_end(struct buf *out, size_t begin, uint8_t type, uint64_t seq)
{
	if (frame_end(out, begin, type, 0, seq) != 0)
		abort();
}

static void sim_put_end(struct buf *out, const struct task_end_msg *m, uint64_t seq)
{
	size_t begin = frame_begin(out);

	task_end_put(out, m);
	sim_frame_end(out, begin, MSG_TASK_END, seq);
}

static void sim_task_end(struct sim_task *t, enum task_end_kind kind, const char *text)
{
	struct task_end_msg m = {.task = t->id,
				 .kind = kind,
				 .exit_code = kind == TASK_EXITED ? t->run.status : -1,
				 .text = (char *)(uintptr_t)text,
				 .began = true,
				 .begin_ns = t->begin_ns,
				 .end_ns = sim_now_ns()};

	if (kind == TASK_SIGNALLED)
		m.signal = (char *)(uintptr_t)t->run.signal;
	sim_put_end(sim_task_out(t), &m, ++t->frames);
	t->over = true;
	t->ch->conn->fleet->counts.ended++;
}

void sim_task_refuse(struct sim_channel *ch, uint64_t id, enum task_end_kind kind, const char *text)
{
	struct task_end_msg m = {
		.task = id, .kind = kind, .exit_code = -1, .text = (char *)(uintptr_t)text};

	sim_put_end(sim_channel_out(ch, false), &m, 1);
}

static void sim_task_put_running(const struct sim_task *t)
{
	struct task_running_msg m = {.task = t->id, .pid = SIM_TASK_PID};
	struct buf *out = sim_task_out(t);
	size_t begin = frame_begin(out);

	task_running_put(out, &m);
	sim_frame_end(out, begin, MSG_TASK_RUNNING, 0);
}

static void sim_task_put_state(const struct sim_task *t)
{
	struct task_state_msg m = {.task = t->id, .suspended = t->suspended};
	struct buf *out = sim_task_out(t);
	size_t begin = frame_begin(out);

	task_state_put(out, &m);
	sim_frame_end(out, begin, MSG_TASK_STATE, 0);
}

void sim_task_input(struct sim_task *t, size_t bytes)
{
	struct task_stdin_room_msg m = {.task = t->id, .taken = t->taken + bytes};
	struct buf *out = sim_task_out(t);
	size_t begin = frame_begin(out);

	t->taken = m.taken;
	task_stdin_room_put(out, &m);
	sim_frame_end(out, begin, MSG_TASK_STDIN_ROOM, 0);
}

/* --- output ---------------------------------------------------------------------------------- */

/* The next record of a stream: a line, or a part of one that is too long. */
static size_t sim_task_record(const struct sim_task *t, enum record_stream stream,
			      const struct buf *from, size_t at, struct record *ret)
{
	size_t left = from->len - at;
	size_t n = left < LIMIT_RECORD_VALUE ? left : LIMIT_RECORD_VALUE;
	const uint8_t *p = from->data + at;
	const uint8_t *newline = t->raw && stream == STREAM_OUTPUT ? NULL : memchr(p, '\n', n);

	*ret = (struct record){.stream = stream, .time_ns = t->begin_ns, .value = p, .len = n};
	if (newline) {
		ret->len = (size_t)(newline - p);
		return ret->len + 1;
	}
	if (n < left)
		ret->flags = RECORD_CONTINUES;
	else
		ret->flags = RECORD_NO_EOL;
	return n;
}

static void sim_task_put_batch(struct sim_task *t, struct record_batch *batch)
{
	struct buf *out = sim_task_out(t);
	size_t begin = frame_begin(out);

	records_put(out, t->id, t->records + 1, batch);
	t->records += batch->count;
	t->charged += out->len - begin - FRAME_HEADER_SIZE;
	sim_frame_end(out, begin, MSG_TASK_RECORDS, ++t->frames);
	record_batch_clear(batch);
}

static void sim_task_put_stream(struct sim_task *t, enum record_stream stream)
{
	struct record_batch *batch = &t->ch->conn->fleet->batch;
	bool error = stream == STREAM_ERROR;
	const struct buf *from = error ? &t->run.error : &t->run.out;
	size_t *at = error ? &t->run.error_sent : &t->run.out_sent;
	struct record record;

	while (*at < from->len && t->charged < t->granted) {
		while (*at < from->len && !record_batch_is_full(batch)) {
			size_t n = sim_task_record(t, stream, from, *at, &record);

			record_batch_add(batch, &record);
			*at += n;
			t->bytes += n;
		}
		sim_task_put_batch(t, batch);
	}
}

static bool sim_task_has_written(const struct sim_task *t)
{
	return t->run.out_sent == t->run.out.len && t->run.error_sent == t->run.error.len;
}

bool sim_task_has_more(const struct sim_task *t)
{
	return !t->waits && !t->suspended && t->charged < t->granted;
}

bool sim_task_pump(struct sim_task *t)
{
	if (t->over || t->waits || t->suspended)
		return t->over;
	if (t->run.flood && sim_task_has_written(t) && t->charged < t->granted)
		sim_run_refill(&t->run);
	sim_task_put_stream(t, STREAM_OUTPUT);
	sim_task_put_stream(t, STREAM_ERROR);
	if (t->limit && t->bytes > t->limit)
		sim_task_end(t, TASK_LIMIT, NULL);
	else if (!t->run.flood && sim_task_has_written(t))
		sim_task_end(t, t->run.signal ? TASK_SIGNALLED : TASK_EXITED, NULL);
	return t->over;
}

/* --- what the initiator says ----------------------------------------------------------------- */

uint64_t sim_task_id(const struct sim_task *t)
{
	return t->id;
}

bool sim_task_credit(struct sim_task *t, uint64_t bytes)
{
	t->granted = bytes > INT64_MAX - t->granted ? INT64_MAX : t->granted + bytes;
	/* What a flood adds waits until the queue is empty. */
	return !t->run.flood && sim_task_pump(t);
}

bool sim_task_signal(struct sim_task *t, uint64_t signal)
{
	if (signal == TASK_STOP || signal == TASK_KILL) {
		sim_task_end(t, TASK_STOPPED, NULL);
		return true;
	}
	t->suspended = signal == TASK_SUSPEND;
	sim_task_put_state(t);
	return !t->run.flood && sim_task_pump(t);
}

/* --- begin and end --------------------------------------------------------------------------- */

/* The channel's pump looks at the tasks, and frees those that are over. */
static void sim_task_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct sim_task *t = arg;

	(void)fd;
	(void)what;
	t->waits = false;
	if (t->timeout)
		sim_task_end(t, TASK_TIMEOUT, t->timeout);
	sim_conn_advance(t->ch->conn);
}

/* How long until something happens by itself; 0: nothing does. */
static uint64_t sim_task_wait_ms(struct sim_task *t, const struct task_open_msg *open)
{
	uint64_t ms = t->run.takes_ms;

	t->waits = ms > 0;
	if (!ms && !t->run.flood)
		return 0;
	if (open->run_timeout_ms && (!ms || open->run_timeout_ms < ms)) {
		ms = open->run_timeout_ms;
		t->timeout = "run";
	}
	if (t->waits && open->idle_timeout_ms && open->idle_timeout_ms < ms) {
		ms = open->idle_timeout_ms;
		t->timeout = "idle";
	}
	return ms;
}

struct sim_task *sim_task_new(struct sim_channel *ch, const struct task_open_msg *open)
{
	struct sim_task *t = xcalloc(1, sizeof *t);
	struct sim_conn *conn = ch->conn;
	struct timeval tv;
	uint64_t ms;

	t->ch = ch;
	t->id = open->task;
	t->granted = open->credit < INT64_MAX ? open->credit : INT64_MAX;
	t->limit = open->output_limit;
	t->raw = open->parse == PARSE_RAW;
	t->begin_ns = sim_now_ns();
	sim_run_init(&t->run, conn->fleet, conn->number, open->argv, open->script ? 0 : open->argc);
	conn->fleet->counts.commands++;
	sim_conn_reach(conn, SIM_RUN);
	sim_task_put_running(t);
	ms = sim_task_wait_ms(t, open);
	if (ms) {
		tv = (struct timeval){.tv_sec = (time_t)(ms / 1000),
				      .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
		t->timer = evtimer_new(conn->fleet->base, sim_task_on_timer, t);
		if (!t->timer || event_add(t->timer, &tv) != 0)
			abort();
	}
	if (conn->manner->deed != SIM_ANSWER || !sim_task_pump(t))
		return t;
	sim_task_free(t);
	return NULL;
}

void sim_task_free(struct sim_task *t)
{
	if (t->timer)
		event_free(t->timer);
	sim_run_done(&t->run);
	free(t);
}
