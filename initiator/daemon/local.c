#include "local.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "escape.h"
#include "fd.h"
#include "local_private.h"

/* Reads of one wake-up: enough to be cheap, few enough to be fair. */
#define LOCAL_READ_SIZE	     (16u << 10)
#define LOCAL_READS_PER_WAKE 4
/* What a command leaves behind may hold the pipes open after it has ended. */
#define LOCAL_LINGER_MS 2000u
/* Room in the pipes for last words, while the command is ended and its output is not read. */
#define LOCAL_LAST_WORDS (1 << 20)
/* More than both pipes can hold: somebody still writes. */
#define LOCAL_DRAIN_MAX (4u << 20)
/* So that the reason stands in the same text. */
#define LOCAL_DIRECTORY_SHOWN 140
#define NS_PER_MS	      1000000u

static void event_drop(struct event **event)
{
	if (*event)
		event_free(*event);
	*event = NULL;
}

static void local_pipe_close(struct local_pipe *p)
{
	event_drop(&p->event);
	fd_close(&p->fd);
}

static bool local_pipes_are_open(const struct local *l)
{
	return l->pipes[0].event || l->pipes[1].event;
}

/* --- the end -------------------------------------------------------------------------------- */

/* Whoever is not dead yet is waited for when it is: in the loop, with nobody else knowing. */
static void local_on_late_exit(evutil_socket_t fd, short what, void *arg)
{
	(void)what;
	(void)waitpid((pid_t)(intptr_t)arg, NULL, WNOHANG);
	(void)close(fd);
}

static void local_reap(struct local *l)
{
	struct event_base *base = loop_base(l->loop);

	if (l->child.pid <= 0)
		return;
	if (waitpid(l->child.pid, NULL, WNOHANG) == 0 && l->child.pidfd >= 0 &&
	    event_base_once(base, l->child.pidfd, EV_READ, local_on_late_exit,
			    (void *)(intptr_t)l->child.pid, NULL) == 0)
		l->child.pidfd = -1; /* its own now */
	fd_close(&l->child.pidfd);
}

static void local_destroy(struct local *l)
{
	event_drop(&l->begin);
	event_drop(&l->status);
	event_drop(&l->exit);
	event_drop(&l->deadline);
	event_drop(&l->linger);
	fd_close(&l->child.status_fd);
	local_pipe_close(&l->pipes[0]);
	local_pipe_close(&l->pipes[1]);
	local_sweep_done(l);
	local_reap(l);
	local_plan_done(&l->plan);
	free(l->run_id);
	free(l);
}

/* A stop may be why it has ended as it has: then that says nothing of the command. But a success
 * is one. */
static void local_settle(struct local *l)
{
	struct local_result *r = &l->result;
	char text[LIMIT_OUTCOME_TEXT];
	bool success = l->exited && r->end == LOCAL_END_EXITED && r->exit_code == 0;

	if (l->refused) {
		r->end = LOCAL_END_REFUSED;
	} else if (l->timed_out) {
		r->end = LOCAL_END_TIMEOUT;
		memcpy(text, r->text, sizeof text);
		(void)snprintf(r->text, sizeof r->text, "run%s%.*s", text[0] ? "; " : "",
			       (int)sizeof text - 6, text);
	} else if (l->stopping && !success) {
		r->end = LOCAL_END_STOPPED;
	}
	if (r->end != LOCAL_END_EXITED)
		r->exit_code = -1;
	if (r->end != LOCAL_END_SIGNALLED)
		r->signal[0] = '\0';
}

static void local_finish(struct local *l)
{
	l->ended = true;
	local_settle(l);
	l->events->end(l->arg, &l->result);
	local_destroy(l);
}

/* The last thing that a callback of the loop does. */
static void local_consider_end(struct local *l)
{
	if (!l->exited && !l->draining)
		return;
	if (l->stopping && !l->draining && !l->refused)
		return;
	if (!local_pipes_are_open(l))
		local_finish(l);
}

static void local_restart_linger(struct local *l)
{
	struct timeval tv = loop_ms(LOCAL_LINGER_MS);

	if ((l->exited && !l->stopping) || l->draining)
		(void)event_add(l->linger, &tv);
}

static void local_on_linger(evutil_socket_t fd, short what, void *arg)
{
	struct local *l = arg;

	(void)fd;
	(void)what;
	if (!l->draining && (l->held || l->suspended)) {
		/* It is we who do not read, or who have stopped those that write. */
		local_restart_linger(l);
		return;
	}
	if (!l->result.text[0])
		(void)snprintf(l->result.text, sizeof l->result.text,
			       "it left processes behind that hold its output open");
	local_finish(l);
}

/* --- output --------------------------------------------------------------------------------- */

/*
 * While it is being ended its output is held back as ever: the pipes are made larger instead, so
 * that a handler of TERM has room for what it says, and are emptied when all is over.
 */
static void local_update_reading(struct local *l)
{
	bool reads = l->started && (!l->held || l->draining);

	for (size_t i = 0; i < 2; i++) {
		struct local_pipe *p = &l->pipes[i];

		if (!p->event)
			continue;
		if (reads)
			(void)event_add(p->event, NULL);
		else
			(void)event_del(p->event);
		if (!reads && l->stopping)
			(void)fcntl(p->fd, F_SETPIPE_SZ, LOCAL_LAST_WORDS);
	}
}

/* One read; false: no more now. */
static bool local_pipe_read(struct local_pipe *p)
{
	struct local *l = p->local;
	char data[LOCAL_READ_SIZE];
	ssize_t n = read(p->fd, data, sizeof data);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		local_pipe_close(p);
	if (n <= 0)
		return false;
	l->drained += l->draining ? (size_t)n : 0;
	l->events->data(l->arg, p->is_error, data, (size_t)n);
	return (size_t)n == sizeof data && (!l->held || l->draining);
}

static void local_on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct local_pipe *p = arg;
	struct local *l = p->local;
	int reads = 0;

	(void)fd;
	(void)what;
	while (reads < LOCAL_READS_PER_WAKE && local_pipe_read(p))
		reads++;
	l->events->burst_end(l->arg);
	if (p->event)
		local_restart_linger(l);
	if (l->drained > LOCAL_DRAIN_MAX) {
		local_pipe_close(&l->pipes[0]);
		local_pipe_close(&l->pipes[1]);
	}
	local_consider_end(l);
}

/* --- the process ---------------------------------------------------------------------------- */

static uint64_t local_run_left(const struct local *l)
{
	uint64_t gone = clock_mono_ns() - l->run_since_ns;

	return l->run_left_ns > gone ? l->run_left_ns - gone : 1;
}

/* The clock of the run timeout goes while the command does. */
static void local_update_deadline(struct local *l)
{
	struct timeval tv = loop_ms(l->run_left_ns / NS_PER_MS);

	if (!l->run_left_ns || l->exited || l->stopping)
		(void)event_del(l->deadline);
	else if (l->suspended && event_pending(l->deadline, EV_TIMEOUT, NULL))
		l->run_left_ns = local_run_left(l);
	if (l->suspended)
		(void)event_del(l->deadline);
	if (!l->run_left_ns || l->exited || l->stopping || l->suspended)
		return;
	l->run_since_ns = clock_mono_ns();
	(void)event_add(l->deadline, &tv);
}

static void local_note_running(struct local *l)
{
	l->result.began = true;
	l->events->running(l->arg);
	if (l->suspended && !l->stopping)
		local_sweep_begin(l, SWEEP_STOP);
	local_update_deadline(l);
	local_update_reading(l);
}

/* As sh does it: the line comes from us, as nobody is there any more who could write it. */
static void local_say_not_executed(struct local *l, int error)
{
	char *line = xasprintf("%s: %s\n", l->plan.argv[0],
			       error == ENOENT ? "not found" : strerror(error));

	l->events->data(l->arg, true, line, strlen(line));
	l->events->burst_end(l->arg);
	free(line);
}

static void local_refuse(struct local *l, const struct local_fault *fault)
{
	char directory[LOCAL_DIRECTORY_SHOWN];

	l->refused = true;
	if (fault->stage == LOCAL_STAGE_DIRECTORY)
		(void)snprintf(l->result.text, sizeof l->result.text, "working directory %s: %.40s",
			       escape_str(directory, sizeof directory, l->plan.directory),
			       strerror(fault->error));
	else
		(void)snprintf(l->result.text, sizeof l->result.text, "cannot start a process: %s",
			       strerror(fault->error));
	local_pipe_close(&l->pipes[0]);
	local_pipe_close(&l->pipes[1]);
}

static void local_take_status(struct local *l)
{
	struct local_fault fault;
	ssize_t n = read(l->child.status_fd, &fault, sizeof fault);
	bool failed = n == (ssize_t)sizeof fault;

	if (n < 0 && (errno == EAGAIN || errno == EINTR) && !l->exited)
		return;
	event_drop(&l->status);
	fd_close(&l->child.status_fd);
	l->started = true;
	if (failed && fault.stage != LOCAL_STAGE_EXEC) {
		local_refuse(l, &fault);
		return;
	}
	local_note_running(l);
	if (failed)
		local_say_not_executed(l, fault.error);
}

static void local_on_status(evutil_socket_t fd, short what, void *arg)
{
	struct local *l = arg;

	(void)fd;
	(void)what;
	local_take_status(l);
	local_consider_end(l);
}

static void local_note_exit(struct local *l, const siginfo_t *info)
{
	struct local_result *r = &l->result;
	const char *name = sigabbrev_np(info->si_status);

	l->exited = true;
	if (info->si_code == CLD_EXITED) {
		r->end = LOCAL_END_EXITED;
		r->exit_code = info->si_status;
		return;
	}
	r->end = LOCAL_END_SIGNALLED;
	if (name)
		(void)snprintf(r->signal, sizeof r->signal, "%s", name);
	else
		(void)snprintf(r->signal, sizeof r->signal, "RTMIN+%d", info->si_status - SIGRTMIN);
}

static void local_on_exit(evutil_socket_t fd, short what, void *arg)
{
	struct local *l = arg;
	siginfo_t info = {.si_code = CLD_EXITED, .si_status = -1};

	(void)fd;
	(void)what;
	/* It stays a zombie: as long as it is there its number is that of its group and session. */
	if (waitid(P_PID, (id_t)l->child.pid, &info, WEXITED | WNOWAIT | WNOHANG) < 0)
		(void)snprintf(l->result.text, sizeof l->result.text,
			       "its exit status was lost: %s", strerror(errno));
	else if (!info.si_pid)
		return;
	event_drop(&l->exit);
	local_note_exit(l, &info);
	if (!l->started)
		local_take_status(l);
	local_update_deadline(l);
	local_restart_linger(l);
	local_consider_end(l);
}

static struct event *local_watch(struct local *l, int fd, short what, event_callback_fn fn,
				 void *arg)
{
	struct event *event = event_new(loop_base(l->loop), fd, what, fn, arg);

	if (!event)
		abort();
	return event;
}

static void local_on_begin(evutil_socket_t fd, short what, void *arg)
{
	struct local *l = arg;
	struct errmsg msg;

	(void)fd;
	(void)what;
	if (l->stopping) {
		local_finish(l);
		return;
	}
	if (local_spawn(&l->plan, &l->child, &msg) < 0) {
		l->refused = true;
		(void)snprintf(l->result.text, sizeof l->result.text, "%.190s", msg.text);
		local_finish(l);
		return;
	}
	l->status = local_watch(l, l->child.status_fd, EV_READ | EV_PERSIST, local_on_status, l);
	l->exit = local_watch(l, l->child.pidfd, EV_READ | EV_PERSIST, local_on_exit, l);
	(void)event_add(l->status, NULL);
	(void)event_add(l->exit, NULL);
	for (size_t i = 0; i < 2; i++) {
		struct local_pipe *p = &l->pipes[i];

		p->fd = l->child.data_fd[i];
		p->event = local_watch(l, p->fd, EV_READ | EV_PERSIST, local_on_readable, p);
	}
}

static void local_on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct local *l = arg;

	(void)fd;
	(void)what;
	l->timed_out = true;
	local_stop(l);
}

/* --- from the sweep ------------------------------------------------------------------------- */

void local_on_gone(struct local *l)
{
	l->draining = true;
	local_update_reading(l);
	local_restart_linger(l);
	local_consider_end(l);
}

void local_on_suspended(struct local *l, bool suspended)
{
	l->events->suspended(l->arg, suspended);
}

/* --- from outside --------------------------------------------------------------------------- */

struct local *local_start(struct loop *loop, const struct local_spec *spec,
			  const struct local_events *events, void *arg)
{
	struct local *l = xcalloc(1, sizeof *l);
	static const struct timeval now = {0};

	l->loop = loop;
	l->events = events;
	l->arg = arg;
	l->run_id = xstrdup(spec->run_id);
	l->stop_grace_ms = spec->stop_grace_ms;
	l->run_left_ns = spec->run_timeout_ms * NS_PER_MS;
	l->result.end = LOCAL_END_STOPPED;
	l->result.exit_code = -1;
	l->child = (struct local_child){.pidfd = -1, .status_fd = -1, .data_fd = {-1, -1}};
	for (size_t i = 0; i < 2; i++)
		l->pipes[i] = (struct local_pipe){.local = l, .fd = -1, .is_error = i == 1};
	local_plan_init(&l->plan, spec);
	local_sweep_init(l);
	l->begin = local_watch(l, -1, 0, local_on_begin, l);
	l->deadline = local_watch(l, -1, 0, local_on_deadline, l);
	l->linger = local_watch(l, -1, 0, local_on_linger, l);
	(void)event_add(l->begin, &now);
	return l;
}

void local_stop(struct local *l)
{
	if (l->stopping || l->ended || l->refused)
		return;
	l->stopping = true;
	if (l->child.pid <= 0)
		return; /* local_on_begin is about to come */
	local_update_deadline(l);
	(void)event_del(l->linger);
	local_update_reading(l);
	local_sweep_begin(l, SWEEP_TERM);
}

void local_suspend(struct local *l, bool suspend)
{
	if (l->suspended == suspend || l->stopping || l->ended || l->refused)
		return;
	l->suspended = suspend;
	if (!l->result.began)
		return; /* local_note_running sees to it */
	local_update_deadline(l);
	local_sweep_begin(l, suspend ? SWEEP_STOP : SWEEP_CONT);
}

void local_hold(struct local *l, bool hold)
{
	if (l->held == hold || l->ended)
		return;
	l->held = hold;
	local_update_reading(l);
}

void local_free(struct local *l)
{
	if (!l)
		return;
	if (l->child.pid > 0)
		local_sweep_now(l);
	local_destroy(l);
}
