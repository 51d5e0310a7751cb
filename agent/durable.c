#include "durable.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "control_msg.h"
#include "disk_posix.h"
#include "durable_private.h"
#include "fd.h"
#include "message.h"
#include "task.h"

#define DURABLE_CTL_MAX (1u << 20) /* orders that no runner reads */
#define DURABLE_READS	16

/* --- to the initiator ------------------------------------------------------------------------ */

void durable_send(struct durable *d, uint8_t type, uint64_t seq, struct buf *body)
{
	struct buf *out = &d->host->out->buf;
	size_t begin = frame_begin(out);

	buf_add(out, body->data, body->len);
	(void)frame_end(out, begin, type, 0, seq);
	if (type == MSG_TASK_END) {
		buf_clear(&d->end);
		buf_add(&d->end, out->data + begin, out->len - begin);
	}
	buf_done(body);
}

void durable_end(struct durable *d, enum task_end_kind kind, const char *text)
{
	struct task_end_msg m = {.task = d->task,
				 .kind = kind,
				 .exit_code = -1,
				 .text = (char *)(uintptr_t)text,
				 .end_ns = clock_wall_ns()};
	struct buf body = {0};

	task_end_put(&body, &m);
	durable_send(d, MSG_TASK_END, d->next_seq, &body);
	d->over = true;
}

/* Behind TASK_END nothing is said any more. */
void durable_detach(struct durable *d)
{
	struct task_detach_msg m = {.task = d->task};
	struct buf body = {0};

	d->over = true;
	if (d->end.len)
		return;
	task_detach_put(&body, &m);
	durable_send(d, MSG_TASK_DETACH, 0, &body);
}

/* --- to the runner --------------------------------------------------------------------------- */

/* First. Orders may come before there is a runner: they wait behind this. */
static void durable_put_hello(struct durable *d)
{
	struct task_attach_msg m = {
		.task = 1, .instance = d->instance, .epoch = d->epoch, .next_seq = 1};
	struct buf body = {0};

	task_attach_put(&body, &m);
	ctl_put(&d->ctl, MSG_TASK_ATTACH, &body);
	buf_done(&body);
}

/* --- what struct attach asks for ------------------------------------------------------------- */

static void durable_on_send(void *arg, uint8_t type, uint64_t seq, struct buf *body)
{
	durable_send(arg, type, seq, body);
}

static bool durable_is_full(void *arg)
{
	struct durable *d = arg;

	d->held = out_pending(d->host->out) >= OUT_HIGH;
	return d->held;
}

static bool durable_on_order(void *arg, const struct frame *frame)
{
	struct durable *d = arg;
	struct buf body = {.data = (uint8_t *)(uintptr_t)frame->body, .len = frame->len};

	if (d->gone)
		return false;
	ctl_put(&d->ctl, frame->type, &body);
	return true;
}

static void durable_on_bury(void *arg, uint64_t above)
{
	durable_bury(arg, above);
}

static void durable_on_settle(void *arg)
{
	durable_settle(arg);
}

/* --- from the runner ------------------------------------------------------------------------- */

/* What holds when the initiator is told that it is attached. */
static void durable_learn(struct durable *d, const struct frame *f)
{
	struct task_running_msg running;
	struct task_state_msg state;
	struct task_stdin_room_msg room;

	if (f->type == MSG_TASK_RUNNING && task_running_get(&running, f->body, f->len, NULL) == 0) {
		d->run.began = true;
		d->run.pid = running.pid;
	} else if (f->type == MSG_TASK_STATE &&
		   task_state_get(&state, f->body, f->len, NULL) == 0) {
		d->run.suspended = state.suspended;
		d->run.stalled = state.stalled;
	} else if (f->type == MSG_TASK_STDIN_ROOM &&
		   task_stdin_room_get(&room, f->body, f->len, NULL) == 0) {
		d->run.room = room.taken;
	}
}

static void durable_on_attached(struct durable *d, const struct frame *f)
{
	struct task_attached_msg m;

	if (d->attached || task_attached_get(&m, f->body, f->len, NULL) < 0)
		return;
	d->run.taken = m.taken;
	d->run.input_ended = m.input_ended;
	d->attached = true;
	d->wait_ns = 0;
	attach_start(d->attach, &d->run);
}

static int durable_on_error(const struct frame *f, struct errmsg *msg)
{
	struct error_msg m;
	int rc = error_get(&m, f->body, f->len, msg);

	if (rc < 0)
		return rc;
	rc = err_set(msg, m.code < 0 ? (int)m.code : ERR_PROTO, "%s", m.text ? m.text : "");
	error_done(&m);
	return rc;
}

static int durable_on_runner(struct durable *d, const struct frame *f, struct errmsg *msg)
{
	if (f->type == MSG_ERROR)
		return durable_on_error(f, msg);
	if (f->type == MSG_TASK_DETACH)
		durable_detach(d);
	else if (f->type == MSG_TASK_ATTACHED)
		durable_on_attached(d, f);
	else if (!d->attached)
		durable_learn(d, f);
	else if (f->type == MSG_PING)
		attach_pump(d->attach);
	else if (f->type == MSG_TASK_RUNNING || f->type == MSG_TASK_STATE ||
		 f->type == MSG_TASK_STDIN_ROOM)
		return attach_on_runner(d->attach, f, msg);
	return 0; /* a runner of another version may say more */
}

int durable_on_ready(struct durable *d, struct errmsg *msg)
{
	struct frame f;
	int rc = 1, next = 0, fault;

	for (int i = 0; i < DURABLE_READS && rc > 0 && next == 0; i++) {
		rc = ctl_fill(&d->ctl);
		while (rc > 0 && !d->over && (next = ctl_next(&d->ctl, &f)) > 0) {
			fault = durable_on_runner(d, &f, msg);
			if (fault < 0)
				return fault;
		}
	}
	if (d->over || (rc >= 0 && next >= 0 && ctl_flush(&d->ctl) == 0))
		return 0;
	/* It has ended, or died. What it has written stands in the spool. */
	ctl_done(&d->ctl);
	if (d->attached)
		attach_pump(d->attach);
	else
		durable_put_hello(d);
	durable_find(d);
	return 0;
}

/* --- from the initiator ---------------------------------------------------------------------- */

int durable_on_message(struct durable *d, const struct frame *frame, struct errmsg *msg)
{
	int rc = 0;

	if (frame->type == MSG_TASK_DETACH)
		durable_detach(d);
	else
		rc = attach_on_message(d->attach, frame, msg);
	d->over = d->over || attach_is_over(d->attach);
	if (rc == 0 && out_pending(&d->ctl.out) > DURABLE_CTL_MAX)
		rc = err_set(msg, ERR_LIMIT, "too much that was said to a run is not taken");
	/* That it is closed is seen when it is read. */
	(void)ctl_flush(&d->ctl);
	return rc;
}

/* --- the loop -------------------------------------------------------------------------------- */

void durable_poll(struct durable *d, struct pollset *set, int role)
{
	short events = out_pending(&d->ctl.out) ? POLLIN | POLLOUT : POLLIN;

	pollset_add(set, d->ctl.fd, events, NULL, role);
	if (d->retry_ns)
		pollset_until(set, d->retry_ns);
	if (d->held && out_pending(d->host->out) < OUT_HIGH)
		pollset_until(set, 0);
}

void durable_on_time(struct durable *d)
{
	if (d->over)
		return;
	if (d->retry_ns && clock_mono_ns() >= d->retry_ns)
		durable_find(d);
	if (d->held && d->attached && !d->over && out_pending(d->host->out) < OUT_HIGH) {
		d->held = false;
		attach_pump(d->attach);
	}
}

/* --- beginning and end ----------------------------------------------------------------------- */

/* Takes dir over. */
static struct durable *durable_new(const struct durable_host *host, const struct task_attach_msg *m,
				   int dir)
{
	static const struct attach_ops ops = {durable_on_send, durable_is_full, durable_on_order,
					      durable_on_bury, durable_on_settle};
	struct attach_spec spec = {.task = m->task,
				   .next_seq = m->next_seq,
				   .credit = m->credit,
				   .resumed = spooldir_has(dir, "started")};
	struct durable *d = xcalloc(1, sizeof *d);

	d->host = host;
	d->task = m->task;
	d->next_seq = m->next_seq;
	d->epoch = m->epoch;
	d->instance = xstrdup(m->instance);
	d->dir = dir;
	d->disk = disk_posix_new(fcntl(dir, F_DUPFD_CLOEXEC, 3));
	d->attach = attach_new(d->disk, &spec, &ops, d);
	d->ctl.fd = -1;
	durable_put_hello(d);
	/* Whoever is asked for is not stale. */
	(void)futimens(dir, NULL);
	return d;
}

struct durable *durable_attach(const struct durable_host *host, const struct task_attach_msg *m)
{
	int dir = spooldir_find(host->dirs, m->instance);
	struct durable none = {.host = host, .task = m->task, .next_seq = m->next_seq}, *d;

	if (dir < 0) {
		durable_end(&none, TASK_GONE, "there is no such run on this host");
		buf_done(&none.end);
		return NULL;
	}
	d = durable_new(host, m, dir);
	durable_find(d);
	return d;
}

struct durable *durable_open(const struct durable_host *host, struct task_open_msg *open)
{
	struct task_attach_msg m = {.task = open->task,
				    .instance = open->instance,
				    .epoch = open->epoch,
				    .next_seq = 1,
				    .credit = open->credit};
	struct durable *d;
	struct errmsg msg;
	int dir = ERR_NOTFOUND;

	if (spooldir_is_usable(host->dirs))
		dir = spooldir_make(host->dirs, open->instance, &msg);
	else
		(void)err_set(&msg, dir, "%s", host->dirs->note);
	if (dir < 0) {
		task_refuse(host->out, m.task, msg.text);
		return NULL;
	}
	/* What is asked for is the same on every connection, whatever numbers that has. */
	open->task = 1;
	open->epoch = 0;
	open->credit = INT64_MAX;
	d = durable_new(host, &m, dir);
	task_open_put(&d->spec, open);
	durable_find(d);
	return d;
}

void durable_free(struct durable *d)
{
	if (!d)
		return;
	attach_free(d->attach);
	disk_posix_free(d->disk);
	ctl_done(&d->ctl);
	fd_close(&d->dir);
	buf_done(&d->spec);
	buf_done(&d->end);
	free(d->instance);
	free(d);
}

uint64_t durable_task(const struct durable *d)
{
	return d->task;
}

bool durable_is_over(const struct durable *d)
{
	return d->over;
}
