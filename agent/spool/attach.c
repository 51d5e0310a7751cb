#include "attach.h"

#include <stdlib.h>

#include "alloc.h"
#include "message.h"
#include "value.h"
#include "wire.h"

struct attach {
	const struct disk *disk;
	const struct attach_ops *ops;
	void *arg;
	struct attach_spec spec;
	struct attach_run run;
	struct spool_reader *reader;
	struct spool *spool; /* without a runner: to acknowledge in */
	struct frame frame;  /* the next one, if has_frame: not sent so far */
	bool has_frame;
	uint64_t credit; /* in all */
	uint64_t used;
	uint64_t sent; /* seq of the last one that the initiator has, or was sent */
	uint64_t acked;
	bool started;
	bool gone; /* the runner */
	bool buried;
	bool ended; /* TASK_END was sent */
	bool over;
};

struct attach *attach_new(const struct disk *disk, const struct attach_spec *spec,
			  const struct attach_ops *ops, void *arg)
{
	struct attach *a = xcalloc(1, sizeof *a);

	a->disk = disk;
	a->ops = ops;
	a->arg = arg;
	a->spec = *spec;
	a->credit = spec->credit;
	a->sent = spec->next_seq ? spec->next_seq - 1 : 0;
	a->reader = spool_reader_new(disk, spec->next_seq);
	return a;
}

void attach_free(struct attach *a)
{
	if (!a)
		return;
	spool_reader_free(a->reader);
	spool_close(a->spool);
	free(a);
}

/* --- to the initiator ----------------------------------------------------------------------- */

/* With the task number of this connection in place of the runner's own. */
static int attach_forward(struct attach *a, const struct frame *frame, struct errmsg *msg)
{
	struct value_in in = value_in(frame->body, frame->len);
	struct buf body = {0};
	struct value head, task;

	if (!value_next(&in, &head) || head.kind != VALUE_ARRAY || !head.count ||
	    !value_next(&in, &task) || task.kind != VALUE_UINT)
		return err_set(msg, ERR_PROTO, "message %u: has no task", frame->type);
	wire_put_array(&body, head.count);
	wire_put_u64(&body, a->spec.task);
	buf_add(&body, in.next, (size_t)(in.end - in.next));
	if (frame->type == MSG_TASK_SCHEMA || frame->type == MSG_TASK_RECORDS ||
	    frame->type == MSG_TASK_GAP)
		a->used += body.len;
	a->ops->send(a->arg, frame->type, frame->seq, &body);
	return 0;
}

/* That the command has begun, and what holds of it besides. */
static void attach_say_running(struct attach *a)
{
	struct task_running_msg running = {.task = a->spec.task, .pid = a->run.pid};
	struct task_state_msg state = {
		.task = a->spec.task, .suspended = a->run.suspended, .stalled = a->run.stalled};
	struct task_stdin_room_msg room = {.task = a->spec.task, .taken = a->run.room};
	struct buf body = {0};

	a->run.began = true;
	task_running_put(&body, &running);
	a->ops->send(a->arg, MSG_TASK_RUNNING, 0, &body);
	if (state.suspended || state.stalled) {
		body = (struct buf){0};
		task_state_put(&body, &state);
		a->ops->send(a->arg, MSG_TASK_STATE, 0, &body);
	}
	if (room.taken) {
		body = (struct buf){0};
		task_stdin_room_put(&body, &room);
		a->ops->send(a->arg, MSG_TASK_STDIN_ROOM, 0, &body);
	}
}

void attach_start(struct attach *a, const struct attach_run *run)
{
	struct task_attached_msg m = {.task = a->spec.task,
				      .taken = run->taken,
				      .resumed = a->spec.resumed,
				      .input_ended = run->input_ended};
	struct buf body = {0};

	a->started = true;
	a->run = *run;
	m.last = spool_reader_last(a->disk);
	if (m.last < a->sent)
		m.last = a->sent;
	task_attached_put(&body, &m);
	a->ops->send(a->arg, MSG_TASK_ATTACHED, 0, &body);
	if (run->began)
		attach_say_running(a);
	attach_pump(a);
}

/* The next frame, if there is one. Where nothing can come any more, the end is made. */
static bool attach_fetch(struct attach *a)
{
	while (!a->has_frame) {
		const uint8_t *bytes;
		size_t len;
		int r = spool_reader_next(a->reader, &a->frame, &bytes, &len, NULL);

		a->has_frame = r == 1;
		if (a->has_frame)
			break;
		if (!a->gone || a->buried || r == ERR_SYS || spool_reader_end(a->reader))
			return false;
		a->buried = true;
		a->ops->bury(a->arg, a->sent);
	}
	return true;
}

/* Whether it may be sent now. */
static bool attach_may(struct attach *a)
{
	if (a->frame.type == MSG_TASK_END)
		return true;
	/* Output shows that the command has begun; if the runner lives, it says so itself. */
	if (!a->run.began && a->gone)
		attach_say_running(a);
	return a->run.began && a->used < a->credit;
}

void attach_pump(struct attach *a)
{
	if (!a->started)
		return;
	while (!a->ended && !a->ops->is_full(a->arg) && attach_fetch(a) && attach_may(a)) {
		a->has_frame = false;
		/* The reader gives no frame without a task. */
		(void)attach_forward(a, &a->frame, NULL);
		a->sent = a->frame.seq;
		a->ended = a->frame.type == MSG_TASK_END;
	}
}

/* --- from the initiator --------------------------------------------------------------------- */

/* In place of a runner, which would have done it. */
static void attach_ack(struct attach *a)
{
	struct spool_limits limits = {0};

	if (!a->gone || !a->acked || a->over)
		return;
	if (!a->spool && spool_open(&a->spool, a->disk, &limits, NULL) < 0)
		return;
	spool_ack(a->spool, a->acked);
}

static int attach_on_ack(struct attach *a, const struct frame *frame, struct errmsg *msg)
{
	uint64_t end = spool_reader_end(a->reader);
	struct task_ack_msg m;
	int r = task_ack_get(&m, frame->body, frame->len, msg);

	if (r < 0)
		return r;
	if (m.seq > a->sent)
		return err_set(msg, ERR_PROTO,
			       "TASK_ACK: frame %llu was not sent, %llu is the last",
			       (unsigned long long)m.seq, (unsigned long long)a->sent);
	if (m.seq <= a->acked)
		return 0;
	a->acked = m.seq;
	if (!a->ops->order(a->arg, frame) && !(end && m.seq >= end))
		attach_ack(a);
	if (end && m.seq >= end && !a->over) {
		a->over = true;
		a->ops->settle(a->arg);
	}
	return 0;
}

static int attach_on_credit(struct attach *a, const struct frame *frame, struct errmsg *msg)
{
	struct task_credit_msg m;
	int r = task_credit_get(&m, frame->body, frame->len, msg);

	if (r < 0)
		return r;
	a->credit = m.bytes > INT64_MAX - a->credit ? INT64_MAX : a->credit + m.bytes;
	attach_pump(a);
	return 0;
}

int attach_on_message(struct attach *a, const struct frame *frame, struct errmsg *msg)
{
	switch (frame->type) {
	case MSG_TASK_ACK:
		return attach_on_ack(a, frame, msg);
	case MSG_TASK_CREDIT:
		return attach_on_credit(a, frame, msg);
	default:
		/* If there is no runner it has crossed the end. */
		(void)a->ops->order(a->arg, frame);
		return 0;
	}
}

/* --- from the runner ------------------------------------------------------------------------ */

static int attach_on_running(struct attach *a, const struct frame *frame, struct errmsg *msg)
{
	struct task_running_msg m;
	int r = task_running_get(&m, frame->body, frame->len, msg);

	if (r < 0 || a->run.began)
		return r;
	a->run.pid = m.pid;
	attach_say_running(a);
	attach_pump(a);
	return 0;
}

static int attach_on_state(struct attach *a, const struct frame *frame, struct errmsg *msg)
{
	struct task_state_msg m;
	int r = task_state_get(&m, frame->body, frame->len, msg);

	if (r < 0)
		return r;
	a->run.suspended = m.suspended;
	a->run.stalled = m.stalled;
	return 1;
}

static int attach_on_room(struct attach *a, const struct frame *frame, struct errmsg *msg)
{
	struct task_stdin_room_msg m;
	int r = task_stdin_room_get(&m, frame->body, frame->len, msg);

	if (r < 0)
		return r;
	a->run.room = m.taken;
	return 1;
}

int attach_on_runner(struct attach *a, const struct frame *frame, struct errmsg *msg)
{
	int r = 0;

	if (a->ended || !a->started)
		return 0;
	if (frame->type == MSG_TASK_RUNNING)
		r = attach_on_running(a, frame, msg);
	else if (frame->type == MSG_TASK_STATE)
		r = attach_on_state(a, frame, msg);
	else if (frame->type == MSG_TASK_STDIN_ROOM)
		r = attach_on_room(a, frame, msg);
	else
		r = err_set(msg, ERR_PROTO, "message %u: not from a runner", frame->type);
	/* Before TASK_RUNNING nothing of it may be said; it follows that then. */
	return r == 1 && a->run.began ? attach_forward(a, frame, msg) : r < 0 ? r : 0;
}

void attach_on_runner_gone(struct attach *a)
{
	if (a->gone)
		return;
	a->gone = true;
	attach_ack(a);
	attach_pump(a);
}

bool attach_is_over(const struct attach *a)
{
	return a->over;
}
