#include "hold.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "attach.h"
#include "message.h"

#define HOLD_FIRST_US	(2 * MS)
#define HOLD_MAX_US	(500 * MS)
#define HOLD_GIVE_UP_US (10 * SEC)
#define HOLD_CTL_US	(1 * MS)

struct hold {
	const struct hold_host *host;
	struct world *w;
	struct run *run;
	struct simdisk_user *user;
	const struct disk *disk;
	uint64_t task, next_seq, epoch;
	struct buf spec; /* empty: TASK_ATTACH */
	struct attach *attach;
	struct attach_run state;
	struct duplex *ctl;
	struct buf in;	    /* from the runner */
	struct buf waiting; /* to it, before there is one */
	bool started, attached, gone, over;
	struct slot retry;
	uint64_t wait_us, give_up_us;
	struct buf end;
};

static void hold_find(struct hold *h);

/* --- to the initiator ------------------------------------------------------------------------- */

static void hold_send(struct hold *h, uint8_t type, uint64_t seq, struct buf *body)
{
	struct buf out = {0};

	sim_frame(&out, type, seq, body);
	if (!h->user || !simdisk_user_is_dead(h->user))
		duplex_write(h->host->net, 1, out.data, out.len);
	if (type == MSG_TASK_END) {
		buf_clear(&h->end);
		buf_add(&h->end, out.data, out.len);
	}
	buf_done(&out);
	buf_done(body);
}

static void hold_end(struct hold *h, enum task_end_kind kind, const char *text)
{
	struct task_end_msg m = {
		.task = h->task, .kind = kind, .exit_code = -1, .text = (char *)(uintptr_t)text};
	struct buf body = {0};

	task_end_put(&body, &m);
	hold_send(h, MSG_TASK_END, h->next_seq, &body);
	h->over = true;
}

/* Behind TASK_END nothing is said any more. */
static void hold_detach(struct hold *h)
{
	struct task_detach_msg m = {.task = h->task};
	struct buf body = {0};

	h->over = true;
	if (h->end.len)
		return;
	task_detach_put(&body, &m);
	hold_send(h, MSG_TASK_DETACH, 0, &body);
}

/* --- to the runner ---------------------------------------------------------------------------- */

static void hold_put(struct hold *h, uint8_t type, const struct buf *body)
{
	struct buf out = {0};

	sim_frame(&out, type, 0, body);
	if (!h->ctl)
		buf_add(&h->waiting, out.data, out.len);
	else
		duplex_write(h->ctl, 0, out.data, out.len);
	buf_done(&out);
}

static void hold_put_hello(struct hold *h)
{
	struct task_attach_msg m = {
		.task = 1, .instance = h->run->uuid, .epoch = h->epoch, .next_seq = 1};
	struct buf body = {0};

	task_attach_put(&body, &m);
	hold_put(h, MSG_TASK_ATTACH, &body);
	buf_done(&body);
}

/* --- what struct attach asks for ---------------------------------------------------------------
 */

static void hold_on_send(void *arg, uint8_t type, uint64_t seq, struct buf *body)
{
	hold_send(arg, type, seq, body);
}

static bool hold_is_full(void *arg)
{
	const struct hold *h = arg;

	return duplex_pending(h->host->net, 1) >= h->host->high;
}

static bool hold_on_order(void *arg, const struct frame *frame)
{
	struct hold *h = arg;
	struct buf body = {.data = (uint8_t *)(uintptr_t)frame->body, .len = frame->len};

	if (h->gone)
		return false;
	hold_put(h, frame->type, &body);
	return true;
}

/* False: there is no room for it, or another fault. */
static bool hold_put_lost(struct hold *h, uint64_t above)
{
	struct task_end_msg m = {.task = 1,
				 .kind = TASK_LOST,
				 .exit_code = -1,
				 .began = h->state.began || run_has(h->run, "running")};
	struct spool_limits limits = {0};
	struct buf frame = {0}, body = {0};
	struct spool *spool;
	bool there;

	if (spool_open(&spool, h->disk, &limits, NULL) < 0)
		return false;
	if (above < spool_last(spool))
		above = spool_last(spool);
	if (!spool_has_end(spool)) {
		task_end_put(&body, &m);
		sim_frame(&frame, MSG_TASK_END, above + 1, &body);
		(void)spool_append(spool, frame.data, frame.len);
		world_trace(h->w, "run %zu: is told lost, frame %llu", h->run->index,
			    (unsigned long long)above + 1);
		buf_done(&body);
		buf_done(&frame);
	}
	there = spool_has_end(spool);
	spool_close(spool);
	return there;
}

static void hold_on_bury(void *arg, uint64_t above)
{
	struct hold *h = arg;

	if (!run_has(h->run, "done") && !hold_put_lost(h, above))
		hold_detach(h);
}

/* The initiator had the end before this connection: it was not sent. */
static void hold_read_end(struct hold *h)
{
	struct spool_reader *reader = spool_reader_new(h->disk, h->next_seq - 1);
	const uint8_t *bytes;
	struct frame f;
	size_t len;

	if (spool_reader_next(reader, &f, &bytes, &len, NULL) > 0 && f.type == MSG_TASK_END)
		buf_add(&h->end, bytes, len);
	spool_reader_free(reader);
}

static void hold_on_settle(void *arg)
{
	struct hold *h = arg;

	if (!h->end.len)
		hold_read_end(h);
	if (run_write(h->disk, "done", h->end.data, h->end.len) == 0) {
		run_empty(h->disk);
		/* Who dies in the middle leaves the rest to the cleaning of the host. */
		h->run->settled = !simdisk_user_is_dead(h->user);
	}
	world_trace(h->w, "run %zu: is settled", h->run->index);
}

/* --- from the runner -------------------------------------------------------------------------- */

static void hold_learn(struct hold *h, const struct frame *f)
{
	struct task_running_msg running;
	struct task_state_msg state;
	struct task_stdin_room_msg room;

	if (f->type == MSG_TASK_RUNNING && task_running_get(&running, f->body, f->len, NULL) == 0) {
		h->state.began = true;
		h->state.pid = running.pid;
	} else if (f->type == MSG_TASK_STATE &&
		   task_state_get(&state, f->body, f->len, NULL) == 0) {
		h->state.suspended = state.suspended;
		h->state.stalled = state.stalled;
	} else if (f->type == MSG_TASK_STDIN_ROOM &&
		   task_stdin_room_get(&room, f->body, f->len, NULL) == 0) {
		h->state.room = room.taken;
	}
}

static void hold_on_attached(struct hold *h, const struct frame *f)
{
	struct task_attached_msg m;

	if (h->attached || task_attached_get(&m, f->body, f->len, NULL) < 0)
		return;
	h->state.taken = m.taken;
	h->state.input_ended = m.input_ended;
	h->attached = true;
	h->wait_us = 0;
	attach_start(h->attach, &h->state);
}

static void hold_on_runner(struct hold *h, const struct frame *f)
{
	struct errmsg msg;

	if (f->type == MSG_TASK_DETACH)
		hold_detach(h);
	else if (f->type == MSG_TASK_ATTACHED)
		hold_on_attached(h, f);
	else if (!h->attached)
		hold_learn(h, f);
	else if (f->type == MSG_PING)
		attach_pump(h->attach);
	else if (attach_on_runner(h->attach, f, &msg) != 0)
		world_fail(h->w, "run %zu: from the runner: %s", h->run->index, msg.text);
}

static void hold_on_data(void *arg, const uint8_t *data, size_t len)
{
	struct hold *h = arg;
	size_t at = 0;
	struct frame f;
	int64_t n;

	buf_add(&h->in, data, len);
	while (!h->over && (n = frame_parse(h->in.data + at, h->in.len - at, &f, NULL)) > 0) {
		hold_on_runner(h, &f);
		at += (size_t)n;
	}
	buf_consume(&h->in, at);
}

/* It has ended, or died. What it has written stands in the spool. */
static void hold_on_eof(void *arg)
{
	struct hold *h = arg;

	duplex_close(h->ctl, 0);
	h->ctl = NULL;
	buf_done(&h->in);
	if (h->over)
		return;
	if (h->attached)
		attach_pump(h->attach);
	else
		hold_put_hello(h);
	hold_find(h);
}

/* --- what there is of the run ------------------------------------------------------------------
 */

static void hold_on_retry(void *arg)
{
	struct hold *h = arg;

	if (!h->over)
		hold_find(h);
}

static void hold_retry(struct hold *h)
{
	if (!h->wait_us) {
		h->wait_us = HOLD_FIRST_US;
		h->give_up_us = h->w->now_us + HOLD_GIVE_UP_US;
	}
	world_set(h->w, &h->retry, h->wait_us, hold_on_retry, h);
	h->wait_us = h->wait_us < HOLD_MAX_US ? h->wait_us * 2 : h->wait_us;
	if (h->w->now_us >= h->give_up_us)
		hold_detach(h);
}

static void hold_connect(struct hold *h)
{
	struct duplex_port port = {.data = hold_on_data, .eof = hold_on_eof, .arg = h};
	struct duplex *ctl;

	if (h->attached) {
		hold_retry(h);
		return;
	}
	ctl = duplex_new(h->w, HOLD_CTL_US, false);
	if (!h->run->runner || !runner_accept(h->run->runner, ctl)) {
		duplex_close(ctl, 1);
		duplex_close(ctl, 0);
		hold_retry(h);
		return;
	}
	h->ctl = ctl;
	duplex_listen(ctl, 0, &port);
	duplex_write(ctl, 0, h->waiting.data, h->waiting.len);
	buf_done(&h->waiting);
}

static void hold_refuse(struct hold *h, const char *what)
{
	world_trace(h->w, "run %zu: is refused: %s", h->run->index, what);
	hold_end(h, TASK_REFUSED, what);
}

static void hold_begin(struct hold *h)
{
	if (h->started) {
		hold_refuse(h, "its files cannot be written");
		return;
	}
	h->started = true;
	runner_start(h->run);
	hold_connect(h);
}

/* True if the run is what is asked for. The first to ask says what it is. */
static bool hold_agree(struct hold *h, bool locked)
{
	const uint8_t *have = simdisk_bytes(h->run->disk, "spec");
	int64_t len = simdisk_size(h->run->disk, "spec");

	if (len >= 0) {
		if ((size_t)len == h->spec.len && memcmp(have, h->spec.data, h->spec.len) == 0)
			return true;
		hold_refuse(h, "there is another one with this id");
		world_fail(h->w, "run %zu: another spec than before", h->run->index);
	} else if (!locked) {
		hold_retry(h);
	} else if (run_write(h->disk, "spec", h->spec.data, h->spec.len) == 0) {
		return true;
	} else {
		hold_refuse(h, "its spec cannot be written");
	}
	return false;
}

/* Frames but TASK_END come only from what has begun, whatever else was lost with the power. */
static bool hold_has_output(const struct hold *h)
{
	struct spool_reader *reader = spool_reader_new(h->disk, 1);
	const uint8_t *bytes;
	struct frame f;
	size_t len;
	bool has = spool_reader_next(reader, &f, &bytes, &len, NULL) > 0 && f.type != MSG_TASK_END;

	spool_reader_free(reader);
	return has;
}

static void hold_on_gone(struct hold *h)
{
	h->gone = true;
	if (!h->attached) {
		h->state.began = run_has(h->run, "running") || hold_has_output(h);
		h->attached = true;
		attach_start(h->attach, &h->state);
	}
	attach_on_runner_gone(h->attach);
	h->over = h->over || attach_is_over(h->attach);
}

static void hold_put_gap(struct hold *h, uint64_t last)
{
	struct task_running_msg running = {.task = h->task};
	struct task_gap_msg gap = {.task = h->task, .from = h->next_seq};
	struct buf body = {0};

	task_running_put(&body, &running);
	hold_send(h, MSG_TASK_RUNNING, 0, &body);
	task_gap_put(&body, &gap);
	hold_send(h, MSG_TASK_GAP, last, &body);
}

/* A tombstone: the end is told again, and nothing is run. */
static void hold_exhume(struct hold *h)
{
	struct task_attached_msg m = {.task = h->task, .resumed = true};
	struct task_end_msg end;
	struct buf body = {0};
	struct frame f;

	world_count(h->w, FAULT_TOMBSTONE);
	if (h->attached) {
		hold_detach(h);
		return;
	}
	if (frame_parse(simdisk_bytes(h->run->disk, "done"),
			(size_t)simdisk_size(h->run->disk, "done"), &f, NULL) <= 0 ||
	    task_end_get(&end, f.body, f.len, NULL) < 0) {
		world_fail(h->w, "run %zu: its tombstone cannot be read", h->run->index);
		hold_end(h, TASK_GONE, "what is left of this run cannot be read");
		return;
	}
	m.last = f.seq;
	task_attached_put(&body, &m);
	hold_send(h, MSG_TASK_ATTACHED, 0, &body);
	if (f.seq > h->next_seq)
		hold_put_gap(h, f.seq - 1);
	if (f.seq >= h->next_seq) {
		end.task = h->task;
		task_end_put(&body, &end);
		hold_send(h, MSG_TASK_END, f.seq, &body);
	}
	task_end_done(&end);
	h->over = true;
}

static void hold_find(struct hold *h)
{
	struct run *run = h->run;
	bool locked = !run->runner; /* by us, for this moment */
	bool started = run_has(run, "started");

	world_cancel(h->w, &h->retry);
	if (h->w->sabotage == SABOTAGE_START_TWICE)
		started = started && run->starts > 1;
	if (run_has(run, "done"))
		hold_exhume(h);
	else if (h->spec.len && !hold_agree(h, locked))
		;
	else if (!locked)
		hold_connect(h);
	else if (started)
		hold_on_gone(h);
	else if (!h->spec.len)
		hold_end(h, TASK_GONE, "this run was never started");
	else
		hold_begin(h);
}

/* --- from the initiator ------------------------------------------------------------------------
 */

int hold_on_message(struct hold *h, const struct frame *frame, struct errmsg *msg)
{
	struct task_ack_msg ack;
	int rc = 0;

	if (frame->type == MSG_TASK_ACK && task_ack_get(&ack, frame->body, frame->len, NULL) == 0 &&
	    ack.seq > h->run->acked_seq)
		h->run->acked_seq = ack.seq;
	if (frame->type == MSG_TASK_DETACH)
		hold_detach(h);
	else
		rc = attach_on_message(h->attach, frame, msg);
	h->over = h->over || attach_is_over(h->attach);
	return rc;
}

void hold_on_room(struct hold *h)
{
	if (h->attached && !h->over)
		attach_pump(h->attach);
}

/* --- beginning and end --------------------------------------------------------------------------
 */

static struct hold *hold_new(const struct hold_host *host, const struct task_attach_msg *m,
			     struct run *run)
{
	static const struct attach_ops ops = {hold_on_send, hold_is_full, hold_on_order,
					      hold_on_bury, hold_on_settle};
	struct attach_spec spec = {.task = m->task,
				   .next_seq = m->next_seq,
				   .credit = m->credit,
				   .resumed = run_has(run, "started")};
	struct hold *h = xcalloc(1, sizeof *h);

	h->host = host;
	h->w = run->w;
	h->run = run;
	h->task = m->task;
	h->next_seq = m->next_seq;
	h->epoch = m->epoch;
	h->user = run_user(run);
	h->disk = simdisk_user_disk(h->user);
	h->attach = attach_new(h->disk, &spec, &ops, h);
	hold_put_hello(h);
	return h;
}

struct hold *hold_attach(const struct hold_host *host, const struct task_attach_msg *m)
{
	struct run *run = run_find(host->host, m->instance);
	struct hold *h, none = {.host = host, .task = m->task, .next_seq = m->next_seq};

	if (!run || !run->made) {
		hold_end(&none, TASK_GONE, "there is no such run on this host");
		buf_done(&none.end);
		return NULL;
	}
	h = hold_new(host, m, run);
	hold_find(h);
	return h;
}

struct hold *hold_open(const struct hold_host *host, struct task_open_msg *open)
{
	struct task_attach_msg m = {.task = open->task,
				    .instance = open->instance,
				    .epoch = open->epoch,
				    .next_seq = 1,
				    .credit = open->credit};
	struct run *run = run_find(host->host, open->instance);
	struct hold *h;

	if (run->made)
		world_count(run->w, FAULT_REOPENED);
	run->made = true;
	open->task = 1;
	open->epoch = 0;
	open->credit = INT64_MAX;
	h = hold_new(host, &m, run);
	task_open_put(&h->spec, open);
	hold_find(h);
	return h;
}

void hold_free(struct hold *h)
{
	if (!h)
		return;
	world_cancel(h->w, &h->retry);
	attach_free(h->attach);
	if (h->ctl)
		duplex_close(h->ctl, 0);
	if (!simdisk_user_is_dead(h->user) && simdisk_user_open_files(h->user))
		world_fail(h->w, "run %zu: a connection leaves files open", h->run->index);
	run_user_done(h->run, h->user);
	buf_done(&h->in);
	buf_done(&h->waiting);
	buf_done(&h->spec);
	buf_done(&h->end);
	free(h);
}

uint64_t hold_task(const struct hold *h)
{
	return h->task;
}

bool hold_is_over(const struct hold *h)
{
	return h->over;
}

void hold_die(struct hold *h)
{
	simdisk_user_die(h->user, world_roll(h->w, 12));
}

bool hold_is_dead(const struct hold *h)
{
	return simdisk_user_is_dead(h->user);
}
