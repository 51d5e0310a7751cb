#include "relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "clock.h"
#include "fd.h"
#include "frame.h"
#include "limits.h"
#include "message.h"
#include "wire.h"

#define RELAY_BATCH_NS	50000000u
#define RELAY_PIECE_MIN 1024u
#define RELAY_PIPE_SIZE (1 << 20)
#define RELAY_DIRECT	(16u << 10) /* a value of this size is a frame of its own */
#define RELAY_FD3_END	(1u << 20)  /* read at most at the end, so that nobody can go on for ever */

/* --- frames --------------------------------------------------------------------------------- */

static size_t relay_held(const struct relay *r)
{
	return r->held.len - r->held_at;
}

bool relay_is_held(const struct relay *r)
{
	return relay_held(r) > 0;
}

/* Numbers the frame that was begun at the end of out; what the credit does not cover is held. */
static void relay_put(struct relay *r, size_t begin, uint8_t type)
{
	struct buf *out = &r->out->buf;
	size_t body = out->len - begin - FRAME_HEADER_SIZE;

	if (r->discards || frame_end(out, begin, type, 0, r->seq + 1) < 0) {
		out->len = begin;
		return;
	}
	r->seq++;
	if (!relay_is_held(r) && r->credit > 0) {
		r->credit -= (int64_t)body;
		return;
	}
	buf_add(&r->held, out->data + begin, out->len - begin);
	r->held_count++;
	out->len = begin;
}

static int64_t relay_sum(int64_t credit, uint64_t bytes)
{
	uint64_t room = credit > 0 ? (uint64_t)(INT64_MAX - credit) : (uint64_t)INT64_MAX;

	return credit + (int64_t)(bytes < room ? bytes : room);
}

void relay_grant(struct relay *r, uint64_t bytes)
{
	struct frame frame;
	int64_t len;

	r->credit = relay_sum(r->credit, bytes);
	while (relay_is_held(r)) {
		len = frame_parse(r->held.data + r->held_at, relay_held(r), &frame, NULL);
		if (len <= 0)
			abort(); /* we have made them */
		if (r->credit <= 0)
			return;
		r->credit -= (int64_t)frame.len;
		buf_add(&r->out->buf, r->held.data + r->held_at, (size_t)len);
		r->held_at += (size_t)len;
		r->held_count--;
	}
	buf_done(&r->held);
	r->held_at = 0;
}

void relay_discard(struct relay *r)
{
	r->discards = true;
	record_batch_clear(&r->batch);
	buf_done(&r->held);
	r->held_at = 0;
	/* Their numbers are free again: there must be no gap before TASK_END. */
	r->seq -= r->held_count;
	r->held_count = 0;
}

void relay_flush(struct relay *r)
{
	size_t begin;

	if (!r->batch.count)
		return;
	begin = frame_begin(&r->out->buf);
	records_put(&r->out->buf, r->task, r->records - r->batch.count + 1, &r->batch);
	relay_put(r, begin, MSG_TASK_RECORDS);
	record_batch_clear(&r->batch);
	r->flushed_ns = clock_mono_ns();
}

/* Without the batch, for one value that fills it: it is copied once. */
static void relay_put_direct(struct relay *r, const struct record *record)
{
	struct buf *out = &r->out->buf;
	size_t begin = frame_begin(out);

	wire_put_array(out, 3);
	wire_put_u64(out, r->task);
	wire_put_u64(out, r->records);
	wire_put_array(out, 1);
	out->len += record_row_head(buf_room(out, RECORD_HEAD_MAX), record);
	buf_add(out, record->value, record->len);
	out->len += record_row_tail(buf_room(out, RECORD_TAIL_MAX), record);
	relay_put(r, begin, MSG_TASK_RECORDS);
}

static void relay_add(struct relay *r, const struct record *record)
{
	if (r->discards)
		return;
	r->records++;
	if (!r->batch.count && record->len >= RELAY_DIRECT && !record->is_typed) {
		relay_put_direct(r, record);
		return;
	}
	if (!r->batch.count) {
		/* The first after a silence does not wait. */
		uint64_t now = clock_mono_ns(), next = r->flushed_ns + RELAY_BATCH_NS;

		r->batch_ends_ns = r->flushed_ns && next > now ? next : now;
	}
	record_batch_add(&r->batch, record);
	if (record_batch_is_full(&r->batch) || r->batch.rows.len >= r->piece)
		relay_flush(r);
}

static void relay_on_record(void *arg, const struct record *record)
{
	struct relay *r = arg;
	struct record own = *record;

	own.stream = r->stream;
	own.time_ns = r->time_ns;
	relay_add(r, &own);
}

static void relay_on_note(void *arg, const struct record *record)
{
	struct relay *r = arg;
	struct record own = *record;

	own.time_ns = r->time_ns;
	relay_add(r, &own);
}

static void relay_on_schema(void *arg, uint64_t schema, const char *const *columns, size_t count)
{
	struct relay *r = arg;
	struct task_schema_msg m = {.task = r->task,
				    .schema = schema,
				    .columns = (char **)(uintptr_t)columns,
				    .column_count = count};
	size_t begin;

	relay_flush(r);
	begin = frame_begin(&r->out->buf);
	task_schema_put(&r->out->buf, &m);
	relay_put(r, begin, MSG_TASK_SCHEMA);
}

void relay_put_end(struct relay *r, const struct task_end_msg *end)
{
	size_t begin = frame_begin(&r->out->buf);

	task_end_put(&r->out->buf, end);
	(void)frame_end(&r->out->buf, begin, MSG_TASK_END, 0, ++r->seq);
}

/* --- pipes ---------------------------------------------------------------------------------- */

bool relay_is_blocked(const struct relay *r)
{
	return relay_is_held(r) || out_pending(r->out) >= OUT_HIGH;
}

bool relay_is_closed(const struct relay *r)
{
	return r->pipes[RELAY_OUTPUT].fd < 0 && r->pipes[RELAY_ERROR].fd < 0;
}

static void relay_parse(struct relay *r, enum relay_source source, const void *data, size_t len)
{
	r->time_ns = clock_wall_ns();
	r->stream = source == RELAY_OUTPUT ? STREAM_OUTPUT : STREAM_ERROR;
	if (source == RELAY_FD3)
		fd3_add(r->fd3, data, len);
	else
		parse_add(source == RELAY_OUTPUT ? r->output : r->error, data, len);
}

static void relay_end(struct relay *r, enum relay_source source)
{
	struct relay_pipe *pipe = &r->pipes[source];

	fd_close(&pipe->fd);
	pipe->owed = 0;
	if (pipe->ended)
		return;
	pipe->ended = true;
	r->time_ns = clock_wall_ns();
	r->stream = source == RELAY_OUTPUT ? STREAM_OUTPUT : STREAM_ERROR;
	if (source == RELAY_FD3)
		fd3_end(r->fd3);
	else
		parse_end(source == RELAY_OUTPUT ? r->output : r->error);
}

/* How much of len bytes is within the limit of output. */
static size_t relay_limit(struct relay *r, enum relay_source source, size_t len)
{
	if (!r->limited || source == RELAY_FD3)
		return len;
	if (len > r->output_left)
		len = (size_t)r->output_left;
	r->output_left -= len;
	return len;
}

enum relay_read relay_read(struct relay *r, enum relay_source source)
{
	uint8_t piece[LIMIT_RECORD_VALUE];
	struct relay_pipe *pipe = &r->pipes[source];
	ssize_t n = read(pipe->fd, piece, r->piece);
	size_t len;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return RELAY_NOTHING;
	/* A terminal that nobody has open any more says EIO. */
	if (n <= 0) {
		relay_end(r, source);
		return RELAY_CLOSED;
	}
	len = (size_t)n;
	pipe->owed -= pipe->owed < len ? pipe->owed : len;
	if (len == sizeof piece && !pipe->large) {
		/* A user has only so much of this: those get it that need it. */
		(void)fcntl(pipe->fd, F_SETPIPE_SZ, RELAY_PIPE_SIZE);
		pipe->large = true;
	}
	len = relay_limit(r, source, len);
	if (len)
		relay_parse(r, source, piece, len);
	return len < (size_t)n ? RELAY_FULL : RELAY_SOME;
}

static uint64_t relay_waiting(int fd)
{
	int waiting = 0;

	return fd >= 0 && ioctl(fd, FIONREAD, &waiting) == 0 && waiting > 0 ? (uint64_t)waiting : 0;
}

void relay_owe(struct relay *r)
{
	for (int i = 0; i < RELAY_COUNT; i++)
		r->pipes[i].owed = relay_waiting(r->pipes[i].fd);
}

/* Looked at again: who has been left behind may take from a pipe, or empty a terminal. */
bool relay_is_owed(const struct relay *r)
{
	for (int i = RELAY_OUTPUT; i <= RELAY_ERROR; i++)
		if (r->pipes[i].owed && relay_waiting(r->pipes[i].fd))
			return true;
	return false;
}

bool relay_has_writers(const struct relay *r)
{
	for (int i = RELAY_OUTPUT; i <= RELAY_ERROR; i++) {
		struct pollfd p = {.fd = r->pipes[i].fd};

		if (p.fd >= 0 && (poll(&p, 1, 0) <= 0 || !(p.revents & POLLHUP)))
			return true;
	}
	return false;
}

void relay_finish(struct relay *r)
{
	if (!r->fd3)
		return; /* relay_init has failed */
	/* Nobody waits for the end of this one: what keeps it open need not know of it. */
	for (uint64_t n = 0; n < RELAY_FD3_END && r->pipes[RELAY_FD3].fd >= 0; n += r->piece)
		if (relay_read(r, RELAY_FD3) != RELAY_SOME)
			break;
	for (int i = 0; i < RELAY_COUNT; i++)
		relay_end(r, (enum relay_source)i);
	relay_flush(r);
}

int relay_init(struct relay *r, struct out *out, const struct task_open_msg *open,
	       const int pipes[static RELAY_COUNT], struct errmsg *msg)
{
	static const struct parse_events events = {relay_on_record, relay_on_schema};
	uint64_t error_kind = open->parse == PARSE_RAW ? PARSE_RAW : PARSE_LINES;
	uint64_t piece = open->credit / 4;
	int rc;

	*r = (struct relay){.task = open->task,
			    .out = out,
			    .credit = relay_sum(0, open->credit),
			    .limited = open->output_limit > 0,
			    .output_left = open->output_limit};
	for (int i = 0; i < RELAY_COUNT; i++)
		r->pipes[i].fd = pipes[i];
	/* Frames that fit into a small credit several times. */
	r->piece = piece < RELAY_PIECE_MIN	? RELAY_PIECE_MIN
		   : piece > LIMIT_RECORD_VALUE ? LIMIT_RECORD_VALUE
						: (size_t)piece;
	rc = parse_new(&r->output, open->parse, open->parse_argument, &events, r, msg);
	if (rc < 0)
		return rc;
	rc = parse_new(&r->error, error_kind, NULL, &events, r, msg);
	if (rc < 0)
		return rc;
	r->fd3 = fd3_new(relay_on_note, r);
	return 0;
}

void relay_done(struct relay *r)
{
	for (int i = 0; i < RELAY_COUNT; i++)
		fd_close(&r->pipes[i].fd);
	parse_free(r->output);
	parse_free(r->error);
	fd3_free(r->fd3);
	record_batch_done(&r->batch);
	buf_done(&r->held);
}
