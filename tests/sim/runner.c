/* The runner of a run and its command (agent/runner.c): appends frames to the spool, and talks with
 * who is attached. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent_msg.h"
#include "alloc.h"
#include "message.h"
#include "target.h"

#define RUNNER_RETRY_US SEC

struct runner {
	struct run *run;
	struct world *w;
	struct simdisk_user *user;
	struct spool *spool;
	struct duplex *attached, *newcomer;
	struct buf in, new_in; /* what came of them, up to whole frames */
	uint64_t epoch;
	enum spool_room room;
	struct slot begin, emit, exit, consume, stop, limit;
	bool ready; /* "started" is written */
	bool began, suspended, stalled, over, dying;
	uint64_t came, taken;
	bool input_ended;
	bool stopping;
	enum task_end_kind_sim ending; /* by a signal or a timeout; NONE: by itself */
	uint64_t seq;		       /* of the last frame */
	uint64_t said;		       /* records of the script so far */
	uint64_t number;	       /* of the last record on the wire */
	uint64_t schemas;
	struct buf frame; /* waits for room */
	uint64_t frame_said;
	bool frame_is_end;
};

/* --- its end --------------------------------------------------------------------------------- */

static void runner_hang_up(struct duplex **d, struct buf *in)
{
	if (*d)
		duplex_close(*d, 1);
	*d = NULL;
	buf_done(in);
}

static void runner_free(struct runner *r)
{
	struct slot *slots[] = {&r->begin, &r->emit, &r->exit, &r->consume, &r->stop, &r->limit};

	for (size_t i = 0; i < ARRAY_LEN(slots); i++)
		world_cancel(r->w, slots[i]);
	runner_hang_up(&r->attached, &r->in);
	runner_hang_up(&r->newcomer, &r->new_in);
	/* Of a dead process the system closes the files; memory is ours to free. */
	spool_close(r->spool);
	if (!simdisk_user_is_dead(r->user) && simdisk_user_open_files(r->user))
		world_fail(r->w, "run %zu: its runner leaves files open", r->run->index);
	run_user_done(r->run, r->user);
	buf_done(&r->frame);
	r->run->runner = NULL;
	if (r->dying)
		r->w->dying--;
	free(r);
}

static void runner_on_exit(void *arg)
{
	runner_free(arg);
}

/* From inside of what it does: soon. */
static void runner_exit(struct runner *r)
{
	r->over = true;
	world_set(r->w, &r->exit, 0, runner_on_exit, r);
}

void runner_kill(struct runner *r, bool late)
{
	struct run *run = r->run;

	if (!late) {
		if (!run->end_spooled)
			run->runner_died = true;
		world_trace(r->w, "run %zu: its runner is killed", run->index);
		runner_free(r);
		return;
	}
	simdisk_user_die(r->user, world_roll(r->w, 8));
	if (!r->dying)
		r->w->dying++;
	r->dying = true;
}

void runner_fail(struct runner *r)
{
	simdisk_user_fail(r->user, world_roll(r->w, 6), 1, EIO);
}

bool runner_is_dying(struct runner *r)
{
	if (!r->dying || !simdisk_user_is_dead(r->user))
		return false;
	runner_kill(r, false);
	return true;
}

/* --- to the attached -------------------------------------------------------------------------- */

static void runner_tell(struct runner *r, struct duplex *to, uint8_t type, struct buf *body)
{
	struct buf out = {0};

	if (to && !simdisk_user_is_dead(r->user)) {
		sim_frame(&out, type, 0, body);
		duplex_write(to, 1, out.data, out.len);
	}
	buf_done(&out);
	buf_done(body);
}

static void runner_tell_state(struct runner *r)
{
	struct task_state_msg m = {.task = 1, .suspended = r->suspended, .stalled = r->stalled};
	struct buf body = {0};

	if (!r->began)
		return;
	task_state_put(&body, &m);
	runner_tell(r, r->attached, MSG_TASK_STATE, &body);
}

static void runner_tell_running(struct runner *r)
{
	struct task_running_msg m = {.task = 1, .pid = 7};
	struct buf body = {0};

	task_running_put(&body, &m);
	runner_tell(r, r->attached, MSG_TASK_RUNNING, &body);
}

static void runner_tell_room(struct runner *r)
{
	struct task_stdin_room_msg m = {.task = 1, .taken = r->taken};
	struct buf body = {0};

	task_stdin_room_put(&body, &m);
	runner_tell(r, r->attached, MSG_TASK_STDIN_ROOM, &body);
}

static void runner_greet(struct runner *r)
{
	struct task_attached_msg m = {.task = 1,
				      .last = spool_last(r->spool),
				      .taken = r->came,
				      .input_ended = r->input_ended};
	struct buf body = {0};

	if (r->began)
		runner_tell_running(r);
	if (r->suspended || r->stalled)
		runner_tell_state(r);
	if (r->taken)
		runner_tell_room(r);
	task_attached_put(&body, &m);
	runner_tell(r, r->attached, MSG_TASK_ATTACHED, &body);
}

static void runner_tell_grown(struct runner *r)
{
	struct buf body = {0};

	runner_tell(r, r->attached, MSG_PING, &body);
}

/* --- the command ------------------------------------------------------------------------------ */

static void runner_emit(void *arg);

static void runner_emit_soon(struct runner *r, uint64_t us)
{
	if (!r->over && r->began && !r->emit.id)
		world_set(r->w, &r->emit, us, runner_emit, r);
}

static void runner_make_end(struct runner *r, enum task_end_kind_sim end)
{
	static const enum task_end_kind kinds[] = {[RUN_END_EXITED] = TASK_EXITED,
						   [RUN_END_SIGNALLED] = TASK_SIGNALLED,
						   [RUN_END_STOPPED] = TASK_STOPPED,
						   [RUN_END_TIMEOUT] = TASK_TIMEOUT};
	static char signal[] = "KILL", run[] = "run";
	struct task_end_msg m = {.task = 1, .kind = kinds[end], .exit_code = -1, .began = true};
	struct buf body = {0};

	if (end == RUN_END_EXITED)
		m.exit_code = r->run->script.exit_code;
	if (end == RUN_END_SIGNALLED)
		m.signal = signal;
	if (end == RUN_END_TIMEOUT)
		m.text = run;
	task_end_put(&body, &m);
	sim_frame(&r->frame, MSG_TASK_END, ++r->seq, &body);
	buf_done(&body);
	r->frame_is_end = true;
	r->run->end = end;
	r->run->end_produced = true;
}

static void runner_make_schema(struct runner *r)
{
	static char one[] = "number", two[] = "text", three[] = "words";
	char *columns[] = {one, r->schemas ? three : two};
	struct task_schema_msg m = {
		.task = 1, .schema = ++r->schemas, .columns = columns, .column_count = 2};
	struct buf body = {0};

	task_schema_put(&body, &m);
	sim_frame(&r->frame, MSG_TASK_SCHEMA, ++r->seq, &body);
	buf_done(&body);
}

static void runner_make_records(struct runner *r)
{
	const struct script *s = &r->run->script;
	uint64_t want = world_between(r->w, 1, s->batch), said = r->said;
	struct record_batch batch = {0};
	struct buf body = {0}, room = {0};
	struct record record;

	if (r->w->sabotage == SABOTAGE_DROP_FRAME && world_chance(r->w, 5))
		said += 1;
	for (uint64_t i = 0; i < want && said < s->records; i++) {
		if (script_schema(s, said + 1) > r->schemas)
			break;
		script_record(s, ++said, &room, &record);
		record_batch_add(&batch, &record);
	}
	if (batch.count) {
		records_put(&body, 1, r->number + 1, &batch);
		sim_frame(&r->frame, MSG_TASK_RECORDS, ++r->seq, &body);
	}
	r->number += batch.count;
	r->said = said;
	r->run->produced = said;
	buf_done(&body);
	buf_done(&room);
	record_batch_done(&batch);
}

/* The next frame. False: there is none now. */
static bool runner_make(struct runner *r)
{
	const struct script *s = &r->run->script;

	if (r->frame.len)
		return true;
	if (r->ending)
		runner_make_end(r, r->ending);
	else if (r->suspended)
		return false;
	else if (r->said < s->records && script_schema(s, r->said + 1) > r->schemas)
		runner_make_schema(r);
	else if (r->said < s->records)
		runner_make_records(r);
	else if (r->taken < s->input || (s->input && !r->input_ended))
		return false;
	else
		runner_make_end(r, s->signalled ? RUN_END_SIGNALLED : RUN_END_EXITED);
	return r->frame.len > 0;
}

static void runner_set_room(struct runner *r, enum spool_room room)
{
	bool stalled = room == SPOOL_DISK;

	world_trace(r->w, "run %zu: its spool says %d at frame %llu, %llu is acknowledged",
		    r->run->index, (int)room, (unsigned long long)r->seq,
		    (unsigned long long)spool_acked(r->spool));
	r->room = room;
	if (stalled != r->stalled) {
		r->stalled = stalled;
		runner_tell_state(r);
	}
	if (room == SPOOL_DISK)
		runner_emit_soon(r, RUNNER_RETRY_US);
	if (room == SPOOL_BROKEN) {
		r->run->runner_died = true;
		runner_exit(r);
	}
}

/* The same records once more, under other numbers. */
static void runner_append_again(struct runner *r)
{
	struct record_batch batch = {0};
	struct buf body = {0}, frame = {0}, room = {0};
	struct record record;

	if (r->w->sabotage != SABOTAGE_APPEND_TWICE || !r->said || !world_chance(r->w, 5))
		return;
	script_record(&r->run->script, r->said, &room, &record);
	record_batch_add(&batch, &record);
	records_put(&body, 1, ++r->number, &batch);
	sim_frame(&frame, MSG_TASK_RECORDS, ++r->seq, &body);
	(void)spool_append(r->spool, frame.data, frame.len);
	buf_done(&body);
	buf_done(&frame);
	buf_done(&room);
	record_batch_done(&batch);
}

static void runner_on_taken(struct runner *r)
{
	struct run *run = r->run;

	buf_clear(&r->frame);
	run->spooled = r->said;
	if (r->frame_is_end) {
		run->end_spooled = true;
		world_trace(r->w, "run %zu: ends, frame %llu", run->index,
			    (unsigned long long)r->seq);
		runner_exit(r);
	} else {
		runner_append_again(r);
		runner_tell_grown(r);
		runner_emit_soon(r, world_roll(r->w, run->script.pause_us + 1));
	}
}

static void runner_emit(void *arg)
{
	struct runner *r = arg;
	enum spool_room room;

	if (r->over || !runner_make(r))
		return;
	room = spool_append(r->spool, r->frame.data, r->frame.len);
	if (simdisk_user_is_dead(r->user))
		return;
	if (room != r->room || room != SPOOL_TAKEN)
		runner_set_room(r, room);
	if (room == SPOOL_TAKEN)
		runner_on_taken(r);
}

static void runner_on_consume(void *arg)
{
	struct runner *r = arg;

	r->taken += world_between(r->w, 1, r->came - r->taken);
	runner_tell_room(r);
	if (r->taken < r->came)
		world_set(r->w, &r->consume, world_roll(r->w, SEC), runner_on_consume, r);
	runner_emit_soon(r, 0);
}

static void runner_on_stop_time(void *arg)
{
	struct runner *r = arg;

	r->ending = RUN_END_STOPPED;
	runner_emit_soon(r, 0);
}

static void runner_on_limit(void *arg)
{
	struct runner *r = arg;

	if (!r->ending)
		r->ending = RUN_END_TIMEOUT;
	runner_emit_soon(r, 0);
}

/* --- from the attached ------------------------------------------------------------------------ */

static int runner_on_stdin(struct runner *r, const struct frame *f)
{
	struct task_stdin_msg m;
	int rc = task_stdin_get(&m, f->body, f->len, NULL);

	for (size_t i = 0; rc == 0 && i < m.len; i++)
		if (m.data[i] != script_input(&r->run->script, r->came + i))
			rc = ERR_PROTO;
	r->came += m.len;
	if (rc || r->came > r->run->script.input || (r->input_ended && m.len) ||
	    (m.end && r->came != r->run->script.input))
		world_fail(r->w, "run %zu: wrong input at %llu", r->run->index,
			   (unsigned long long)r->came);
	if (r->came - r->taken > RUN_INPUT_MAX)
		world_fail(r->w, "run %zu: more input than there is room for", r->run->index);
	r->input_ended = r->input_ended || m.end;
	if (rc == 0)
		task_stdin_done(&m);
	if (r->taken < r->came && !r->consume.id)
		world_set(r->w, &r->consume, world_roll(r->w, SEC), runner_on_consume, r);
	runner_emit_soon(r, 0);
	return rc;
}

static int runner_on_signal(struct runner *r, const struct frame *f)
{
	struct task_signal_msg m;
	int rc = task_signal_get(&m, f->body, f->len, NULL);

	if (rc)
		return rc;
	world_trace(r->w, "run %zu: is told signal %llu", r->run->index,
		    (unsigned long long)m.signal);
	if (m.signal == TASK_SUSPEND || m.signal == TASK_RESUME) {
		r->suspended = m.signal == TASK_SUSPEND && !r->stopping;
		runner_tell_state(r);
		runner_emit_soon(r, 0);
	} else if (m.signal == TASK_KILL) {
		r->ending = RUN_END_STOPPED;
		runner_emit_soon(r, 0);
	} else if (!r->stopping) {
		r->stopping = true;
		world_set(r->w, &r->stop, world_roll(r->w, 8 * SEC), runner_on_stop_time, r);
	}
	return 0;
}

static int runner_on_ack(struct runner *r, const struct frame *f)
{
	struct task_ack_msg m;
	int rc = task_ack_get(&m, f->body, f->len, NULL);

	if (rc)
		return rc;
	if (m.seq <= spool_last(r->spool))
		spool_ack(r->spool, m.seq);
	if (r->room == SPOOL_CAP)
		r->room = SPOOL_TAKEN;
	if (r->frame.len)
		runner_emit_soon(r, 0);
	return 0;
}

static int runner_on_order(struct runner *r, const struct frame *f)
{
	if (f->type == MSG_TASK_ACK)
		return runner_on_ack(r, f);
	if (f->type == MSG_TASK_STDIN)
		return runner_on_stdin(r, f);
	return f->type == MSG_TASK_SIGNAL ? runner_on_signal(r, f) : 0;
}

static void runner_read_attached(struct runner *r)
{
	size_t at = 0;
	struct frame f;
	int64_t n;

	while (!r->over && at < r->in.len &&
	       (n = frame_parse(r->in.data + at, r->in.len - at, &f, NULL)) > 0) {
		if (runner_on_order(r, &f) != 0)
			world_fail(r->w, "run %zu: an order cannot be read", r->run->index);
		at += (size_t)n;
	}
	buf_consume(&r->in, at);
}

static void runner_on_data(void *arg, const uint8_t *data, size_t len)
{
	struct runner *r = arg;

	buf_add(&r->in, data, len);
	runner_read_attached(r);
}

static void runner_on_eof(void *arg)
{
	struct runner *r = arg;

	runner_hang_up(&r->attached, &r->in);
}

static void runner_let_go(struct runner *r, struct duplex **d, struct buf *in)
{
	struct task_detach_msg m = {.task = 1};
	struct buf body = {0};

	world_count(r->w, FAULT_EVICTED);
	task_detach_put(&body, &m);
	runner_tell(r, *d, MSG_TASK_DETACH, &body);
	runner_hang_up(d, in);
}

/* The highest epoch has it; what its predecessor still got to us counts as having come. */
static void runner_on_newcomer(struct runner *r, uint64_t epoch)
{
	static const struct duplex_port port = {.data = runner_on_data, .eof = runner_on_eof};
	struct duplex_port own = port;

	if (epoch < r->epoch) {
		runner_let_go(r, &r->newcomer, &r->new_in);
		return;
	}
	if (r->attached)
		duplex_drain(r->attached, 0);
	if (r->attached)
		runner_let_go(r, &r->attached, &r->in);
	buf_done(&r->in);
	own.arg = r;
	r->attached = r->newcomer;
	r->in = r->new_in;
	r->newcomer = NULL;
	r->new_in = (struct buf){0};
	r->epoch = epoch;
	duplex_listen(r->attached, 1, &own);
	runner_greet(r);
	runner_read_attached(r);
}

static void runner_read_newcomer(struct runner *r)
{
	struct task_attach_msg m;
	struct frame f;
	int64_t n = r->new_in.len ? frame_parse(r->new_in.data, r->new_in.len, &f, NULL) : 0;

	if (n <= 0 || !r->ready || r->over)
		return;
	if (f.type != MSG_TASK_ATTACH || task_attach_get(&m, f.body, f.len, NULL) != 0) {
		world_fail(r->w, "run %zu: a greeting cannot be read", r->run->index);
		return;
	}
	buf_consume(&r->new_in, (size_t)n);
	runner_on_newcomer(r, m.epoch);
	task_attach_done(&m);
}

static void runner_on_new_data(void *arg, const uint8_t *data, size_t len)
{
	struct runner *r = arg;

	buf_add(&r->new_in, data, len);
	runner_read_newcomer(r);
}

static void runner_on_new_eof(void *arg)
{
	struct runner *r = arg;

	runner_hang_up(&r->newcomer, &r->new_in);
}

bool runner_accept(struct runner *r, struct duplex *ctl)
{
	struct duplex_port port = {.data = runner_on_new_data, .eof = runner_on_new_eof, .arg = r};

	if (r->over || simdisk_user_is_dead(r->user))
		return false;
	/* Whoever has said nothing so far tries again. */
	runner_hang_up(&r->newcomer, &r->new_in);
	r->newcomer = ctl;
	duplex_listen(ctl, 1, &port);
	return true;
}

/* --- its begin -------------------------------------------------------------------------------- */

/* That it was started is known for good before it is. */
static void runner_on_begin(void *arg)
{
	struct runner *r = arg;
	struct run *run = r->run;
	const struct disk *disk = simdisk_user_disk(r->user);
	char boot[32];
	int rc = spool_open(&r->spool, disk, &run->script.limits, NULL);

	(void)snprintf(boot, sizeof boot, "%llu", (unsigned long long)run->host->boot);
	if (rc == 0)
		rc = run_write(disk, "started", boot, strlen(boot));
	if (simdisk_user_is_dead(r->user))
		return;
	if (rc) {
		run->runner_died = true;
		runner_exit(r);
		return;
	}
	r->ready = true;
	run->starts++;
	world_trace(r->w, "run %zu: starts", run->index);
	r->began = true;
	(void)run_write(disk, "running", "7", 1);
	if (run->script.run_timeout_ms)
		world_set(r->w, &r->limit, run->script.run_timeout_ms * MS, runner_on_limit, r);
	runner_read_newcomer(r);
	runner_emit_soon(r, world_roll(r->w, run->script.pause_us + 1));
}

void runner_start(struct run *run)
{
	struct runner *r = xcalloc(1, sizeof *r);

	r->run = run;
	r->w = run->w;
	r->user = run_user(run);
	run->runner = r;
	world_set(r->w, &r->begin, world_roll(r->w, 5 * MS), runner_on_begin, r);
}
