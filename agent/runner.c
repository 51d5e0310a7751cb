#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "ctl.h"
#include "disk_posix.h"
#include "fd.h"
#include "harden.h"
#include "limits.h"
#include "message.h"
#include "peer.h"
#include "pollset.h"
#include "spool.h"
#include "spooldir.h"
#include "task.h"

#define RUNNER_CAP	  (64u << 20)
#define RUNNER_RESERVE	  (256u << 20)
#define RUNNER_RESERVE_OF 16	       /* of the file system at most this part */
#define RUNNER_RETRY_NS	  1000000000u  /* a file system that was full */
#define RUNNER_CTL_MAX	  (256u << 10) /* one that reads nothing is let go */
#define RUNNER_READS	  16

enum runner_role { RUNNER_SIGNAL, RUNNER_LISTENER, RUNNER_ATTACHED, RUNNER_NEWCOMER };

struct runner {
	int dir, listener, signals;
	struct spool *spool;
	struct task *task;
	struct out out;	     /* of the task: until it is in the spool */
	struct ctl attached; /* fd -1: nobody */
	struct ctl newcomer; /* has not said its epoch */
	uint64_t epoch;	     /* of the attached */
	enum spool_room room;
	uint64_t retry_ns; /* when a full file system is tried again */
	bool began, suspended, stalled, grown, over;
	uint64_t pid;
	uint64_t came, taken; /* of the input: from the initiator, by the command */
	bool input_ended;
};

/* --- to the attached ------------------------------------------------------------------------ */

/* A message of a task with the number that all have here. */
#define RUNNER_PUT(ctl, TYPE, name, ...)                    \
	do {                                                \
		const struct name##_msg m_ = {__VA_ARGS__}; \
		struct buf body_ = {0};                     \
                                                            \
		name##_put(&body_, &m_);                    \
		ctl_put(ctl, MSG_##TYPE, &body_);           \
		buf_done(&body_);                           \
	} while (0)

static void runner_tell_state(struct runner *r)
{
	if (r->began)
		RUNNER_PUT(&r->attached, TASK_STATE, task_state, .task = 1,
			   .suspended = r->suspended, .stalled = r->stalled);
}

static void runner_greet(struct runner *r)
{
	struct ctl *c = &r->attached;

	if (r->began)
		RUNNER_PUT(c, TASK_RUNNING, task_running, .task = 1, .pid = r->pid);
	if (r->suspended || r->stalled)
		runner_tell_state(r);
	if (r->taken)
		RUNNER_PUT(c, TASK_STDIN_ROOM, task_stdin_room, .task = 1, .taken = r->taken);
	RUNNER_PUT(c, TASK_ATTACHED, task_attached, .task = 1, .last = spool_last(r->spool),
		   .taken = r->came, .input_ended = r->input_ended);
}

static void runner_let_go(struct ctl *c)
{
	RUNNER_PUT(c, TASK_DETACH, task_detach, .task = 1);
	(void)ctl_flush(c);
	ctl_done(c);
}

/* What is told goes in whole frames, or its reader is gone or as good as gone. */
static void runner_flush(struct runner *r)
{
	struct ctl *c = &r->attached;

	if (c->fd < 0) {
		out_done(&c->out);
		return;
	}
	/* One at a time: more of them say no more. */
	if (r->grown && !out_pending(&c->out)) {
		ctl_put(c, MSG_PING, NULL);
		r->grown = false;
	}
	if (ctl_flush(c) < 0 || out_pending(&c->out) > RUNNER_CTL_MAX)
		ctl_done(c);
}

/* --- from the task to the spool -------------------------------------------------------------- */

static void runner_on_running(struct runner *r, const struct frame *f)
{
	struct task_running_msg m;
	struct buf text = {0};

	if (task_running_get(&m, f->body, f->len, NULL) < 0)
		return;
	r->began = true;
	r->pid = m.pid;
	buf_addf(&text, "%llu", (unsigned long long)m.pid);
	/* For the time when this process cannot be asked any more; then it is not needed badly. */
	(void)spooldir_write(r->dir, "running", &text, false);
	buf_done(&text);
	RUNNER_PUT(&r->attached, TASK_RUNNING, task_running, .task = 1, .pid = r->pid);
}

/* What is not numbered is for the attached, and for those that come after it. */
static void runner_on_told(struct runner *r, const struct frame *f)
{
	struct task_state_msg state;
	struct task_stdin_room_msg room;

	if (f->type == MSG_TASK_RUNNING) {
		runner_on_running(r, f);
	} else if (f->type == MSG_TASK_STATE &&
		   task_state_get(&state, f->body, f->len, NULL) == 0) {
		r->suspended = state.suspended;
		runner_tell_state(r);
	} else if (f->type == MSG_TASK_STDIN_ROOM &&
		   task_stdin_room_get(&room, f->body, f->len, NULL) == 0) {
		r->taken = room.taken;
		RUNNER_PUT(&r->attached, TASK_STDIN_ROOM, task_stdin_room, .task = 1,
			   .taken = r->taken);
	}
}

static void runner_set_room(struct runner *r, enum spool_room room)
{
	bool stalled = room == SPOOL_DISK;

	r->room = room;
	r->retry_ns = clock_mono_ns() + RUNNER_RETRY_NS;
	r->over = r->over || room == SPOOL_BROKEN;
	if (stalled == r->stalled)
		return;
	r->stalled = stalled;
	runner_tell_state(r);
}

/* As far as the spool takes it. What stays makes the task stop reading (OUT_HIGH). */
static void runner_drain(struct runner *r)
{
	struct frame f;
	int64_t len;

	if (r->room == SPOOL_CAP || (r->room == SPOOL_DISK && clock_mono_ns() < r->retry_ns))
		return;
	while (!r->over && out_pending(&r->out)) {
		const uint8_t *at = r->out.buf.data + r->out.at;

		len = frame_parse(at, out_pending(&r->out), &f, NULL);
		if (len <= 0)
			abort(); /* we have made them */
		if (f.seq) {
			enum spool_room room = spool_append(r->spool, at, (size_t)len);

			if (room != r->room || room != SPOOL_TAKEN)
				runner_set_room(r, room);
			if (room != SPOOL_TAKEN)
				return;
			r->grown = true;
			r->over = f.type == MSG_TASK_END;
		} else {
			runner_on_told(r, &f);
		}
		out_took(&r->out, (size_t)len);
	}
}

/* --- from the attached ----------------------------------------------------------------------- */

static int runner_on_ack(struct runner *r, const struct frame *f, struct errmsg *msg)
{
	struct task_ack_msg m;
	int rc = task_ack_get(&m, f->body, f->len, msg);

	if (rc < 0)
		return rc;
	if (m.seq <= spool_last(r->spool))
		spool_ack(r->spool, m.seq);
	r->retry_ns = 0;
	if (r->room == SPOOL_CAP)
		r->room = SPOOL_TAKEN;
	return 0;
}

static int runner_on_stdin(struct runner *r, const struct frame *f, struct errmsg *msg)
{
	struct task_stdin_msg m;
	int rc = task_stdin_get(&m, f->body, f->len, msg);

	if (rc < 0)
		return rc;
	/* That it has ended may be said again on a new connection. */
	if (!r->input_ended || m.len)
		rc = task_input(r->task, &m, msg);
	if (rc == 0) {
		r->came += m.len;
		r->input_ended = r->input_ended || m.end;
	}
	task_stdin_done(&m);
	return rc;
}

static int runner_on_order(struct runner *r, const struct frame *f, struct errmsg *msg)
{
	struct task_signal_msg m;
	int rc = 0;

	if (f->type == MSG_TASK_ACK)
		return runner_on_ack(r, f, msg);
	if (f->type == MSG_TASK_STDIN)
		return runner_on_stdin(r, f, msg);
	if (f->type == MSG_TASK_SIGNAL) {
		rc = task_signal_get(&m, f->body, f->len, msg);
		if (rc == 0)
			task_signal(r->task, (enum task_signal)m.signal);
	}
	return rc;
}

static void runner_read_attached(struct runner *r)
{
	struct ctl *c = &r->attached;
	struct errmsg msg;
	struct frame f;
	int rc = 1, next = 0, fault = 0;

	/* Something may have come in one piece with TASK_ATTACH. */
	for (int i = 0; rc > 0; i++) {
		while (fault == 0 && (next = ctl_next(c, &f)) > 0)
			fault = runner_on_order(r, &f, &msg);
		if (fault < 0 || next < 0 || i == RUNNER_READS)
			break;
		rc = ctl_fill(c);
	}
	if (fault < 0) {
		peer_put_error(&c->out.buf, fault, msg.text);
		(void)ctl_flush(c);
	}
	if (fault < 0 || rc < 0 || next < 0)
		ctl_done(c);
}

/* The highest epoch has it. */
static void runner_on_newcomer(struct runner *r, uint64_t epoch)
{
	if (epoch < r->epoch) {
		runner_let_go(&r->newcomer);
		return;
	}
	if (r->attached.fd >= 0) {
		runner_read_attached(r); /* what it still got to us counts as having come */
		if (r->attached.fd >= 0)
			runner_let_go(&r->attached);
	}
	ctl_done(&r->attached);
	r->attached = r->newcomer;
	r->newcomer = (struct ctl){.fd = -1};
	r->epoch = epoch;
	runner_greet(r);
	runner_read_attached(r);
}

static void runner_read_newcomer(struct runner *r)
{
	struct task_attach_msg m;
	struct frame f;
	int rc = ctl_fill(&r->newcomer);

	rc = rc > 0 ? ctl_next(&r->newcomer, &f) : rc;
	if (rc == 0)
		return;
	if (rc < 0 || f.type != MSG_TASK_ATTACH || task_attach_get(&m, f.body, f.len, NULL) < 0) {
		ctl_done(&r->newcomer);
		return;
	}
	runner_on_newcomer(r, m.epoch);
	task_attach_done(&m);
}

static void runner_accept(struct runner *r)
{
	int fd = ctl_accept(r->listener);

	if (fd < 0)
		return;
	/* Whoever has said nothing so far tries again. */
	ctl_done(&r->newcomer);
	r->newcomer.fd = fd;
	runner_read_newcomer(r);
}

/* --- the process ----------------------------------------------------------------------------- */

static void runner_reap(const struct runner *r)
{
	struct signalfd_siginfo info;

	while (read(r->signals, &info, sizeof info) > 0)
		;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

static void runner_on_ready(struct runner *r, int role)
{
	switch ((enum runner_role)role) {
	case RUNNER_SIGNAL:
		runner_reap(r);
		break;
	case RUNNER_LISTENER:
		runner_accept(r);
		break;
	case RUNNER_ATTACHED:
		if (r->attached.fd >= 0)
			runner_read_attached(r);
		break;
	case RUNNER_NEWCOMER:
		if (r->newcomer.fd >= 0)
			runner_read_newcomer(r);
		break;
	}
}

static void runner_wait(struct runner *r, struct pollset *set)
{
	short out = out_pending(&r->attached.out) ? POLLIN | POLLOUT : POLLIN;

	pollset_clear(set);
	pollset_add(set, r->signals, POLLIN, NULL, RUNNER_SIGNAL);
	pollset_add(set, r->attached.fd, out, NULL, RUNNER_ATTACHED);
	pollset_add(set, r->newcomer.fd, POLLIN, NULL, RUNNER_NEWCOMER);
	pollset_add(set, r->listener, POLLIN, NULL, RUNNER_LISTENER);
	task_poll(r->task, set);
	if (r->room == SPOOL_DISK)
		pollset_until(set, r->retry_ns);
	pollset_wait(set);
}

static void runner_loop(struct runner *r)
{
	struct pollset set = {0};

	while (!r->over) {
		task_on_time(r->task);
		runner_drain(r);
		runner_flush(r);
		if (r->over)
			break;
		runner_wait(r, &set);
		for (size_t i = 0; i < set.count; i++) {
			if (!set.fds[i].revents)
				continue;
			if (set.who[i].task)
				task_on_ready(r->task, (enum task_role)set.who[i].role);
			else
				runner_on_ready(r, set.who[i].role);
		}
	}
}

/* Nothing of the connection stays: it would be kept open. */
static int runner_prepare(struct runner *r, const struct runner_spec *spec)
{
	static const int ignored[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGUSR1, SIGUSR2};
	const int kept[] = {spec->dir, spec->lock, spec->listener};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t set;

	for (int fd = 0; fd < 3; fd++)
		if (dup2(null, fd) < 0)
			return ERR_SYS;
	harden_close_others(kept, 3);
	(void)setsid();
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	(void)prctl(PR_SET_NAME, "muster-runner");
	for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
		(void)signal(ignored[i], SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	(void)sigprocmask(SIG_SETMASK, &set, NULL);
	r->dir = spec->dir;
	r->listener = spec->listener;
	r->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return r->signals < 0 ? ERR_SYS : 0;
}

static int runner_open_spool(struct runner *r, const struct task_open_msg *m)
{
	struct spool_limits limits = {
		.cap = m->spool_limit, .reserve = RUNNER_RESERVE, .drop = m->spool_drop};
	struct statvfs fs;
	int dir = fcntl(r->dir, F_DUPFD_CLOEXEC, 3);

	if (!limits.cap)
		limits.cap = RUNNER_CAP;
	/* Of a small file system they are parts: something can be written, and make room later. */
	if (fstatvfs(r->dir, &fs) == 0) {
		uint64_t size = (uint64_t)fs.f_blocks * fs.f_frsize;

		if (limits.reserve > size / RUNNER_RESERVE_OF)
			limits.reserve = size / RUNNER_RESERVE_OF;
		if (limits.cap > size / 2)
			limits.cap = size / 2;
	}
	return spool_open(&r->spool, disk_posix_new(dir), &limits, NULL);
}

/* That it was started is known for good before it is. */
static int runner_begin(struct runner *r, const struct runner_spec *spec)
{
	struct task_open_msg m;
	struct buf boot = {0};
	int rc = task_open_get(&m, spec->open.data, spec->open.len, NULL);

	spooldir_boot(&boot);
	if (rc == 0)
		rc = runner_open_spool(r, &m);
	if (rc == 0)
		rc = spooldir_write(r->dir, "started", &boot, true);
	if (rc == 0)
		r->task = task_new(&m, &spec->limits, &r->out);
	buf_done(&boot);
	return rc;
}

static _Noreturn void runner_main(const struct runner_spec *spec)
{
	struct runner r = {.attached = {.fd = -1}, .newcomer = {.fd = -1}};

	if (runner_prepare(&r, spec) < 0 || runner_begin(&r, spec) < 0)
		_exit(1);
	runner_loop(&r);
	_exit(0);
}

int runner_start(const struct runner_spec *spec)
{
	/* One fork is enough: the agent, which reaps what is orphaned below it, would be the parent
	 * after a second one too. */
	pid_t pid = fork();

	if (pid == 0)
		runner_main(spec);
	return pid < 0 ? ERR_SYS : 0;
}
