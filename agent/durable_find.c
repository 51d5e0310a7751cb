/* What there is of a durable run: a runner, an end, a tombstone, or nothing yet. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "durable_private.h"
#include "fd.h"
#include "message.h"
#include "runner.h"
#include "tree.h"

#define FIND_FIRST_NS	2000000u
#define FIND_MAX_NS	500000000u
#define FIND_LOCK_TRIES 100
#define FIND_LOCK_MS	10
#define FIND_GIVE_UP_NS 10000000000u

/* Somebody begins or ends it at this moment. */
static void durable_retry(struct durable *d)
{
	uint64_t now = clock_mono_ns();

	if (!d->wait_ns) {
		d->wait_ns = FIND_FIRST_NS;
		d->give_up_ns = now + FIND_GIVE_UP_NS;
	}
	d->retry_ns = now + d->wait_ns;
	d->wait_ns = d->wait_ns < FIND_MAX_NS ? d->wait_ns * 2 : d->wait_ns;
	if (now >= d->give_up_ns)
		durable_detach(d);
}

/* --- with a runner --------------------------------------------------------------------------- */

static void durable_connect(struct durable *d)
{
	if (!d->attached)
		d->ctl.fd = ctl_connect(d->dir);
	if (d->ctl.fd < 0) {
		d->ctl.fd = -1;
		durable_retry(d);
	}
	(void)ctl_flush(&d->ctl);
}

static void durable_refuse(struct durable *d, const char *what)
{
	char *text = xasprintf("cannot start a durable run: %s", what);

	durable_end(d, TASK_REFUSED, text);
	free(text);
}

/* We have the lock, and it never was started. */
static void durable_begin(struct durable *d, int lock)
{
	struct runner_spec spec = {
		.dir = d->dir, .lock = lock, .open = d->spec, .limits = *d->host->limits};
	int error = 0;

	if (d->started) {
		durable_refuse(d, "its files cannot be written");
		return;
	}
	d->started = true;
	spec.listener = ctl_listen(d->dir);
	if (spec.listener < 0)
		error = -spec.listener;
	else if (runner_start(&spec) < 0)
		error = errno;
	fd_close(&spec.listener);
	if (error)
		durable_refuse(d, strerror(error));
	else
		durable_connect(d);
}

/* True if the run is what is asked for. The first to ask says what it is. */
static bool durable_agree(struct durable *d, bool locked)
{
	struct buf have = {0};
	bool same = false;

	if (spooldir_read(d->dir, "spec", &have) == 0) {
		same = have.len == d->spec.len && memcmp(have.data, d->spec.data, have.len) == 0;
		if (!same)
			durable_refuse(d, "there is another one with this id");
	} else if (!locked) {
		durable_retry(d);
	} else {
		same = spooldir_write(d->dir, "spec", &d->spec, true) == 0;
		if (!same)
			durable_refuse(d, strerror(errno));
	}
	buf_done(&have);
	return same;
}

/* --- without one ----------------------------------------------------------------------------- */

/* Frames but TASK_END come only from what has begun, whatever else was lost with the power. */
static bool durable_has_output(const struct durable *d)
{
	struct spool_reader *reader = spool_reader_new(d->disk, 1);
	const uint8_t *bytes;
	struct frame f;
	size_t len;
	bool has = spool_reader_next(reader, &f, &bytes, &len, NULL) > 0 && f.type != MSG_TASK_END;

	spool_reader_free(reader);
	return has;
}

/* The lock is free, and nobody will take it for long any more. */
static void durable_on_gone(struct durable *d)
{
	struct buf text = {0};

	d->gone = true;
	if (!d->attached) {
		if (spooldir_read(d->dir, "running", &text) == 0)
			d->run.pid = strtoull(buf_cstr(&text), NULL, 10);
		d->run.began = text.len || durable_has_output(d);
		buf_done(&text);
		d->attached = true;
		attach_start(d->attach, &d->run);
	}
	attach_on_runner_gone(d->attach);
	d->over = d->over || attach_is_over(d->attach);
}

static bool durable_is_same_boot(const struct durable *d)
{
	struct buf boot = {0}, was = {0};
	bool same;

	spooldir_boot(&boot);
	same = spooldir_read(d->dir, "started", &was) == 0 && was.len == boot.len &&
	       memcmp(was.data, boot.data, boot.len) == 0;
	buf_done(&was);
	buf_done(&boot);
	return same;
}

/* Others hold the lock of a dead run for moments only. */
static int durable_lock(const struct durable *d)
{
	int lock = spooldir_lock(d->dir);

	for (int i = 0; i < FIND_LOCK_TRIES && lock < 0; i++) {
		(void)poll(NULL, 0, FIND_LOCK_MS);
		lock = spooldir_lock(d->dir);
	}
	return lock;
}

/* False: it cannot be written now. */
static bool durable_put_lost(struct durable *d, const struct task_end_msg *m, uint64_t above)
{
	struct spool_limits limits = {0};
	struct buf frame = {0};
	struct spool *spool;
	bool there;

	if (spool_open(&spool, d->disk, &limits, NULL) < 0)
		return false;
	if (above < spool_last(spool))
		above = spool_last(spool);
	if (!spool_has_end(spool)) {
		(void)frame_begin(&frame);
		task_end_put(&frame, m);
		(void)frame_end(&frame, 0, MSG_TASK_END, 0, above + 1);
		(void)spool_append(spool, frame.data, frame.len);
		buf_done(&frame);
	}
	there = spool_has_end(spool);
	spool_close(spool);
	return there;
}

void durable_bury(struct durable *d, uint64_t above)
{
	int lock = durable_lock(d);
	bool same = durable_is_same_boot(d);
	struct task_end_msg m = {.task = 1,
				 .kind = TASK_LOST,
				 .exit_code = -1,
				 .began = d->run.began || spooldir_has(d->dir, "running"),
				 .end_ns = clock_wall_ns()};
	char *mark;

	m.text = (char *)(uintptr_t)(same ? "what watched over it died"
					  : "the host has been restarted");
	if (same) {
		mark = xasprintf("MUSTER_RUN=%s", d->instance);
		tree_kill_marked(mark, tree_walk_all);
		free(mark);
	}
	/* A disk that is full may have room when the initiator asks again. */
	if (!spooldir_has(d->dir, "done") && !durable_put_lost(d, &m, above))
		durable_detach(d);
	fd_close(&lock);
}

/* --- after its end --------------------------------------------------------------------------- */

/* The initiator had the end before this connection: it was not sent. */
static void durable_read_end(struct durable *d)
{
	struct spool_reader *reader = spool_reader_new(d->disk, d->next_seq - 1);
	const uint8_t *bytes;
	struct frame f;
	size_t len;

	if (spool_reader_next(reader, &f, &bytes, &len, NULL) > 0 && f.type == MSG_TASK_END)
		buf_add(&d->end, bytes, len);
	spool_reader_free(reader);
}

void durable_settle(struct durable *d)
{
	if (!d->end.len)
		durable_read_end(d);
	if (spooldir_write(d->dir, "done", &d->end, true) == 0)
		spooldir_empty(d->dir, false);
}

static void durable_put_gap(struct durable *d, uint64_t last)
{
	struct task_running_msg running = {.task = d->task};
	struct task_gap_msg gap = {.task = d->task, .from = d->next_seq};
	struct buf body = {0};

	task_running_put(&body, &running);
	durable_send(d, MSG_TASK_RUNNING, 0, &body);
	task_gap_put(&body, &gap);
	durable_send(d, MSG_TASK_GAP, last, &body);
}

/* A tombstone: the end is told again, and nothing is run. */
static void durable_exhume(struct durable *d)
{
	struct task_attached_msg m = {.task = d->task, .resumed = true};
	struct buf done = {0}, body = {0};
	struct task_end_msg end;
	struct frame f;

	if (d->attached) {
		durable_detach(d); /* it was settled by another connection */
		return;
	}
	if (spooldir_read(d->dir, "done", &done) < 0 ||
	    frame_parse(done.data, done.len, &f, NULL) <= 0 ||
	    task_end_get(&end, f.body, f.len, NULL) < 0) {
		durable_end(d, TASK_GONE, "what is left of this run cannot be read");
		buf_done(&done);
		return;
	}
	m.last = f.seq;
	task_attached_put(&body, &m);
	durable_send(d, MSG_TASK_ATTACHED, 0, &body);
	if (f.seq > d->next_seq)
		durable_put_gap(d, f.seq - 1);
	if (f.seq >= d->next_seq) {
		end.task = d->task;
		task_end_put(&body, &end);
		durable_send(d, MSG_TASK_END, f.seq, &body);
	}
	task_end_done(&end);
	buf_done(&done);
	d->over = true;
}

void durable_find(struct durable *d)
{
	int lock = spooldir_lock(d->dir);
	bool gone = false;

	d->retry_ns = 0;
	if (spooldir_has(d->dir, "done"))
		durable_exhume(d);
	else if (d->spec.len && !durable_agree(d, lock >= 0))
		;
	else if (lock < 0)
		durable_connect(d);
	else if (spooldir_has(d->dir, "started"))
		gone = true;
	else if (!d->spec.len)
		durable_end(d, TASK_GONE, "this run was never started");
	else
		durable_begin(d, lock);
	fd_close(&lock);
	if (gone)
		durable_on_gone(d);
}
