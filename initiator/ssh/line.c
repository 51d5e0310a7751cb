/* The half of a line that is on the main loop. */
#include "line.h"

#include <assert.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "alloc.h"
#include "clock.h"
#include "host_key.h"
#include "line_private.h"
#include "pacer.h"

/* So long a free port, or memory of the kernel's, is waited for. */
#define LINE_LOCAL_NS UINT64_C(60000000000)

enum line_state {
	LINE_WAITING, /* for a slot, or for the next attempt */
	LINE_UNDER_WAY,
	LINE_ENDED
};

struct line {
	struct lines *lines;
	const struct line_events *events;
	void *arg;
	struct line_spec spec; /* its strings are ours */
	enum line_state state;
	struct ssh_slot slot;
	struct pacer_ticket ticket;
	uint64_t failed[2];  /* attempts: for want of something here, and for other reasons */
	uint64_t give_up_ns; /* when to wait no longer for what is wanting here; 0: not yet known */
	struct event *timer;
	struct line_io *io; /* of this attempt; NULL: none */
	size_t holds;	    /* attempts that are not gone, and events that run */
	uint8_t *key;	    /* of the server; NULL: it has shown none */
	size_t key_len;
	struct buf early; /* input from before the attempt */
	bool stopped;
	bool held;
	bool suspended;
	bool finished;
	bool began;
	bool above;	  /* writable is owed */
	uint64_t written; /* all the input */
	uint64_t taken;	  /* of it */
	size_t consumed;  /* and not told yet */
	bool freed;
};

/* --- orders --------------------------------------------------------------------------------- */

static void line_order(struct line_io *io, enum line_order_kind kind, uint64_t number,
		       const void *data, size_t len)
{
	struct line_order *order = xmalloc(sizeof *order + len);

	*order = (struct line_order){.io = io, .kind = kind, .number = number, .len = len};
	if (len)
		memcpy(order->data, data, len);
	shard_call(io->shard, line_on_order, order);
}

/* It stays until line_exit: it does not vanish below its own event, nor before its attempts. */
static void line_enter(struct line *line)
{
	line->holds++;
}

static void line_attempt(struct line *line)
{
	struct line_io *io = xcalloc(1, sizeof *io);

	io->line = line;
	io->shard = shards_pick(line->lines->shards);
	io->spec = line->spec.conn;
	io->spec.bastions = line->lines->bastions;
	io->spec.proxies = line->lines->proxies;
	io->side = line->spec.side;
	io->order = line->spec.order;
	line->io = io;
	line_enter(line);
	line->state = LINE_UNDER_WAY;
	line_order(io, LINE_START, 0, NULL, 0);
	if (line->held)
		line_order(io, LINE_HOLD, 1, NULL, 0);
	if (line->suspended)
		line_order(io, LINE_SUSPEND, 1, NULL, 0);
	if (line->early.len)
		line_order(io, LINE_WRITE, 0, line->early.data, line->early.len);
	if (line->finished)
		line_order(io, LINE_FINISH, 0, NULL, 0);
}

/* --- its end -------------------------------------------------------------------------------- */

/* A password may be in it. */
static void line_forget_early(struct line *line)
{
	if (line->early.data)
		explicit_bzero(line->early.data, line->early.size);
	buf_done(&line->early);
}

static void line_destroy(struct line *line)
{
	if (line->timer)
		event_free(line->timer);
	line_spec_done(&line->spec);
	free(line->key);
	line_forget_early(line);
	free(line);
}

/* Lets go of the attempt, whose memory is on the other side. */
static void line_leave(struct line *line)
{
	if (line->io)
		line_order(line->io, LINE_CLOSE, 0, NULL, 0);
	line->io = NULL;
	pacer_forget(line->lines->pacer, &line->ticket, clock_mono_ns());
	ssh_slot_release(line->lines->engine, &line->slot);
}

static void line_exit(struct line *line)
{
	line->holds--;
	if (line->freed && !line->holds)
		line_destroy(line);
}

static void line_dismiss(struct line *line)
{
	line->freed = true;
	line->state = LINE_ENDED;
	line->events = NULL;
	/* The last attempt may go more slowly than the next one would come. */
	if (line->timer)
		(void)event_del(line->timer);
	line_leave(line);
}

void line_free(struct line *line)
{
	if (!line)
		return;
	line_enter(line);
	line_dismiss(line);
	line_exit(line);
}

static void line_end(struct line *line, const struct conn_result *result)
{
	const struct line_events *events = line->events;

	line->state = LINE_ENDED;
	line_leave(line);
	line->events = NULL;
	if (events)
		events->end(line->arg, result);
	line_dismiss(line);
}

static void line_set_timer(struct line *line, uint64_t ms);

/* Whom many logins at once are a burden to: the bastion, if there is one. */
static void line_group(const struct plan_target *t, char *group, size_t size)
{
	bool jumps = t->way == PLAN_JUMP && t->jump;

	(void)snprintf(group, size, "%s%s:%u", jumps ? "by " : "",
		       jumps ? t->jump->hostname : t->hostname, jumps ? t->jump->port : t->port);
}

/* One login after the other gets a descriptor, and then a place among those in flight. */
static void line_ask(struct line *line)
{
	const struct plan_target *t = line->spec.conn.target;
	char group[300];

	if (line->slot.state == SSH_SLOT_NONE) {
		ssh_slot_ask(line->lines->engine, &line->slot);
	} else if (line->ticket.state == PACER_TICKET_HELD || t->fault) {
		line_attempt(line);
	} else if (line->slot.state == SSH_SLOT_HELD) {
		line_group(t, group, sizeof group);
		pacer_ask(line->lines->pacer, &line->ticket, group, clock_mono_ns());
		lines_look(line->lines);
	}
}

static void line_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct line *line = arg;
	struct conn_result result = {.end = CONN_END_STOPPED, .exit_code = -1};

	(void)fd;
	(void)what;
	line_enter(line);
	if (line->stopped)
		line_end(line, &result);
	else
		line_ask(line);
	line_exit(line);
}

static void line_set_timer(struct line *line, uint64_t ms)
{
	struct timeval tv = loop_ms(ms);

	if (!line->timer)
		line->timer = evtimer_new(loop_base(line->lines->loop), line_on_timer, line);
	if (!line->timer || event_add(line->timer, &tv) != 0)
		abort();
}

/* Not at once: it may be granted inside of another line's end. */
static void line_on_granted(void *arg)
{
	line_set_timer(arg, 0);
}

static uint64_t line_random(void)
{
	uint64_t bits = 0;

	/* Interrupted: one delay is as good as another. */
	if (getrandom(&bits, sizeof bits, 0) < 0)
		bits = clock_mono_ns();
	return bits;
}

/* An attempt has failed before the login. True: there will be another one. */
static bool line_retry(struct line *line, const struct conn_result *result)
{
	enum pacer_end end = (enum pacer_end)result->trouble;
	uint64_t now = clock_mono_ns(), *failed = &line->failed[end == PACER_LOCAL];
	int64_t delay;

	pacer_login_done(line->lines->pacer, &line->ticket, end, now);
	if (line->began || line->stopped || result->end == CONN_END_STOPPED)
		return false;
	delay = pacer_retry(end, *failed, line->spec.retries, line_random());
	if (delay == PACER_NO_RETRY)
		return false;
	if (end == PACER_LOCAL && !line->give_up_ns)
		line->give_up_ns = now + LINE_LOCAL_NS;
	if (end == PACER_LOCAL && now >= line->give_up_ns)
		return false;
	++*failed;
	line->state = LINE_WAITING;
	line_leave(line);
	line_set_timer(line, (uint64_t)delay);
	return true;
}

/* --- notes ---------------------------------------------------------------------------------- */

static void line_on_note_running(struct line *line, struct line_note *note)
{
	line->began = true;
	pacer_login_done(line->lines->pacer, &line->ticket, PACER_LOGIN, clock_mono_ns());
	free(line->key);
	line->key = note->data.data;
	line->key_len = note->data.len;
	note->data = (struct buf){0};
	if (line->timer)
		event_free(line->timer);
	line->timer = NULL;
	line_forget_early(line);
	if (line->events->running)
		line->events->running(line->arg);
}

static void line_consume(struct line *line, size_t len)
{
	line->consumed += len;
	if (line->consumed < LINE_CONSUMED_STEP || !line->io)
		return;
	line_order(line->io, LINE_CONSUMED, line->consumed, NULL, 0);
	line->consumed = 0;
}

/* What it tells may free the line. */
static void line_on_note_data(struct line *line, struct line_note *note)
{
	size_t at = 0;

	while (at < note->data.len && !line->freed) {
		struct line_piece piece;

		memcpy(&piece, note->data.data + at, sizeof piece);
		at += sizeof piece;
		line->events->data(line->arg, piece.is_error != 0, note->data.data + at, piece.len);
		at += piece.len;
	}
	if (!line->freed && line->events->burst_end)
		line->events->burst_end(line->arg);
	if (!line->freed)
		line_consume(line, note->data.len);
}

static void line_on_note_taken(struct line *line, struct line_note *note)
{
	line->taken = note->number;
	if (!line->above || line_queued(line) >= CONN_QUEUE_LO)
		return;
	line->above = false;
	if (line->events->writable)
		line->events->writable(line->arg);
}

static void line_on_note_suspended(struct line *line, struct line_note *note)
{
	line->events->suspended(line->arg, note->number != 0);
}

static void line_on_note_silent(struct line *line, struct line_note *note)
{
	line->events->listened(line->arg, note->number != 0);
}

static void line_on_note_told(struct line *line, struct line_note *note)
{
	line->events->told(line->arg, (unsigned)note->number, note->data.data, note->data.len);
}

static void line_on_note_end(struct line *line, struct line_note *note)
{
	if (!line_retry(line, note->result))
		line_end(line, note->result);
}

static void (*const line_notes[LINE_NOTE_COUNT])(struct line *, struct line_note *) = {
	[LINE_RUNNING] = line_on_note_running, [LINE_DATA] = line_on_note_data,
	[LINE_TAKEN] = line_on_note_taken,     [LINE_SUSPENDED] = line_on_note_suspended,
	[LINE_SILENT] = line_on_note_silent,   [LINE_TOLD] = line_on_note_told,
	[LINE_END] = line_on_note_end,
};

static void line_on_gone(struct line *line, struct line_io *io)
{
	shard_leave(io->shard);
	free(io);
	line_exit(line);
}

void line_on_note(void *arg)
{
	struct line_note *note = arg;
	struct line_io *io = note->io;
	struct line *line = io->line;
	struct shard *shard = io->shard;
	size_t bytes = note->kind == LINE_DATA ? note->data.len : 0;

	if (note->kind == LINE_GONE) {
		line_on_gone(line, io);
	} else if (line->io == io && line->events) {
		line_enter(line);
		line_notes[note->kind](line, note);
		line_exit(line);
	}
	/* Whether or not there still was anybody who wanted it. */
	if (bytes)
		shard_taken(shard, bytes);
	buf_done(&note->data);
	free(note->result);
	free(note);
}

/* --- for the job side ------------------------------------------------------------------------ */

struct line *line_start(struct lines *lines, const struct line_spec *spec,
			const struct line_events *events, void *arg)
{
	struct line *line = xcalloc(1, sizeof *line);

	line->lines = lines;
	line->events = events;
	line->arg = arg;
	line->spec = line_spec_copy(spec);
	/* The other end of a socketpair, or the program's stderr. */
	if (spec->conn.target->way == PLAN_JUMP || spec->conn.target->way == PLAN_COMMAND)
		line->slot.cost = 2;
	/* Socket, stderr and process of the OpenSSH client. */
	else if (spec->conn.target->way == PLAN_OPENSSH)
		line->slot.cost = 3;
	line->slot.granted = line_on_granted;
	line->ticket.granted = line_on_granted;
	line->slot.arg = line->ticket.arg = line;
	line_set_timer(line, 0);
	return line;
}

void line_stop(struct line *line)
{
	if (line->stopped)
		return;
	line->stopped = true;
	if (line->io)
		line_order(line->io, LINE_STOP, 0, NULL, 0);
	else
		line_set_timer(line, 0);
}

void line_suspend(struct line *line, bool suspend)
{
	line->suspended = suspend;
	if (line->io)
		line_order(line->io, LINE_SUSPEND, suspend, NULL, 0);
}

void line_hold(struct line *line, bool hold)
{
	if (line->held == hold)
		return;
	line->held = hold;
	if (line->io)
		line_order(line->io, LINE_HOLD, hold, NULL, 0);
}

void line_write(struct line *line, const void *data, size_t len)
{
	assert(!line->finished);
	if (!len || line->stopped || line->state == LINE_ENDED)
		return;
	line->written += len;
	line->above = line->above || line_queued(line) > CONN_QUEUE_LO;
	if (!line->began)
		buf_add(&line->early, data, len);
	if (line->io)
		line_order(line->io, LINE_WRITE, 0, data, len);
}

void line_listen(struct line *line)
{
	if (line->io)
		line_order(line->io, LINE_LISTEN, 0, NULL, 0);
}

size_t line_queued(const struct line *line)
{
	return line->written > line->taken ? (size_t)(line->written - line->taken) : 0;
}

void line_finish(struct line *line)
{
	if (line->finished)
		return;
	line->finished = true;
	if (line->io)
		line_order(line->io, LINE_FINISH, 0, NULL, 0);
}

bool line_is_trusted(const struct line *line, const struct plan_target *target)
{
	return line->key && host_key_is_known(target, line->key, line->key_len);
}
