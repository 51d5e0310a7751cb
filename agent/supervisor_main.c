/* The process of a supervisor: waits for the command, for orders, and for the end of the agent. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "fd.h"
#include "harden.h"
#include "supervisor_private.h"
#include "tree.h"

#define WARD_GRACE_MS	   10000u
#define WARD_LINK_GRACE_MS 3000u /* nobody waits for it any more */
#define WARD_TERM_EVERY_MS 50u
#define WARD_KILL_EVERY_MS 10u
#define WARD_KILL_MS	   5000u /* before giving up those that survive it */
#define NS_PER_MS	   1000000u

enum ward_step { WARD_RUN, WARD_TERM, WARD_KILL, WARD_OVER, WARD_STEP_COUNT };

struct ward {
	int fd; /* to the agent; -1: it has died */
	int signals;
	int status; /* says whether the command could be started; -1: has been said */
	const struct spawn *spawn;
	uint64_t grace_ms;
	pid_t command;
	uint64_t begin_ns;
	bool exited;
	enum ward_step step;
	uint64_t step_ends_ns;
	struct tree_pids known; /* who has had TERM */
	size_t survivors;
};

static void ward_report(struct ward *w, struct supervisor_report *report)
{
	while (w->fd >= 0 && send(w->fd, report, sizeof *report, MSG_NOSIGNAL) < 0 &&
	       errno == EINTR)
		;
}

/* --- the ladder: one step after the other, until nobody is left ------------------------------ */

static void ward_pass_term(struct ward *w)
{
	tree_term(&w->known);
}

static void ward_pass_kill(struct ward *w)
{
	w->survivors = tree_kill();
}

static const struct {
	void (*pass)(struct ward *w); /* again and again */
	uint32_t every_ms;
} ward_steps[WARD_STEP_COUNT] = {
	[WARD_TERM] = {ward_pass_term, WARD_TERM_EVERY_MS},
	[WARD_KILL] = {ward_pass_kill, WARD_KILL_EVERY_MS},
};

/* Only upwards. */
static void ward_enter(struct ward *w, enum ward_step step, uint64_t ms)
{
	if (step <= w->step)
		return;
	w->step = step;
	w->step_ends_ns = clock_mono_ns() + ms * NS_PER_MS;
	if (step == WARD_OVER) {
		struct supervisor_report report = {.kind = SUPERVISOR_GONE,
						   .survivors = w->survivors};

		ward_report(w, &report);
	}
}

static void ward_stop(struct ward *w, uint64_t grace_ms)
{
	ward_enter(w, WARD_TERM, grace_ms);
}

static void ward_climb(struct ward *w)
{
	if (!ward_steps[w->step].pass)
		return;
	if (clock_mono_ns() >= w->step_ends_ns) {
		if (w->step == WARD_KILL)
			w->survivors = tree_count();
		ward_enter(w, w->step + 1, WARD_KILL_MS);
	}
	if (ward_steps[w->step].pass)
		ward_steps[w->step].pass(w);
}

/* --- the command ---------------------------------------------------------------------------- */

static void ward_on_exit(struct ward *w, int status, const struct rusage *usage)
{
	struct supervisor_report report = {
		.kind = SUPERVISOR_EXITED,
		.pid = w->command,
		.status = status,
		.user_us = (uint64_t)usage->ru_utime.tv_sec * 1000000u +
			   (uint64_t)usage->ru_utime.tv_usec,
		.system_us = (uint64_t)usage->ru_stime.tv_sec * 1000000u +
			     (uint64_t)usage->ru_stime.tv_usec,
		.max_rss = (uint64_t)usage->ru_maxrss * 1024u,
		.end_ns = clock_wall_ns(),
	};

	w->exited = true;
	ward_report(w, &report);
}

/* The other end was closed by exec(3), or by the end of the child; or it says what went wrong. */
static void ward_on_status(struct ward *w)
{
	struct supervisor_report report = {
		.kind = SUPERVISOR_STARTED, .pid = w->command, .begin_ns = w->begin_ns};
	struct spawn_fault fault;
	ssize_t n = read(w->status, &fault, sizeof fault);

	if (n < 0)
		return;
	fd_close(&w->status);
	if (n == (ssize_t)sizeof fault) {
		report.kind = SUPERVISOR_REFUSED;
		spawn_fault_text(w->spawn, &fault, report.text, sizeof report.text);
		w->exited = true;
	}
	ward_report(w, &report);
}

static void ward_reap(struct ward *w)
{
	struct signalfd_siginfo info;
	struct rusage usage;
	int status;
	pid_t pid;

	while (read(w->signals, &info, sizeof info) > 0)
		;
	while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
		if (pid != w->command || w->exited)
			continue;
		/* That it has begun is told before that it has ended. */
		if (w->status >= 0)
			ward_on_status(w);
		if (!w->exited)
			ward_on_exit(w, status, &usage);
	}
	if (pid < 0 && errno == ECHILD && ward_steps[w->step].pass) {
		w->survivors = 0;
		ward_enter(w, WARD_OVER, 0);
	}
}

/* --- orders --------------------------------------------------------------------------------- */

static void ward_suspend(struct ward *w, bool suspend)
{
	struct supervisor_report report = {.kind = SUPERVISOR_SUSPENDED, .suspended = suspend};

	if (w->step != WARD_RUN)
		return;
	if (suspend)
		tree_stop();
	else
		tree_cont();
	ward_report(w, &report);
}

static void ward_on_order(struct ward *w)
{
	uint8_t order;
	ssize_t n = recv(w->fd, &order, 1, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		fd_close(&w->fd);
		ward_stop(w, w->grace_ms < WARD_LINK_GRACE_MS ? w->grace_ms : WARD_LINK_GRACE_MS);
		return;
	}
	switch ((enum supervisor_order)order) {
	case SUPERVISOR_STOP:
		ward_stop(w, w->grace_ms);
		break;
	case SUPERVISOR_KILL:
		ward_enter(w, WARD_KILL, WARD_KILL_MS);
		break;
	case SUPERVISOR_SUSPEND:
	case SUPERVISOR_RESUME:
		ward_suspend(w, order == SUPERVISOR_SUSPEND);
		break;
	case SUPERVISOR_RELEASE:
		_exit(0);
	}
}

/* --- the process ---------------------------------------------------------------------------- */

/* The agent has pipes of other commands, whose ends must not be kept open here. */
static void ward_close_others(const struct ward *w)
{
	int kept[SPAWN_FDS + 1] = {w->fd};

	memcpy(kept + 1, w->spawn->fds, sizeof w->spawn->fds);
	harden_close_others(kept, SPAWN_FDS + 1);
}

static void ward_prepare(struct ward *w)
{
	static const int ignored[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGUSR1, SIGUSR2};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t set;

	for (int fd = 0; fd < 3 && null >= 0; fd++)
		(void)dup2(null, fd);
	ward_close_others(w);
	(void)setsid();
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	harden_process();
	for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
		(void)signal(ignored[i], SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	(void)sigprocmask(SIG_SETMASK, &set, NULL);
	w->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static int ward_start(struct ward *w)
{
	sigset_t all, before;
	int ends[2];

	/* Above those that the command gets. */
	if (w->signals < 0 || pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return ERR_SYS;
	w->status = ends[0];
	w->begin_ns = clock_wall_ns();
	/* What we ignore the child ignores too, until it has the signals of a login: a stop that
	 * comes in between would be lost on it. Blocked, it stays. */
	sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	w->command = fork();
	if (w->command == 0)
		spawn_child(w->spawn, fcntl(ends[1], F_DUPFD_CLOEXEC, SPAWN_FDS));
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	fd_close(&ends[1]);
	for (int i = 0; i < SPAWN_FDS; i++)
		if (w->spawn->fds[i] >= 0)
			(void)close(w->spawn->fds[i]);
	return w->command < 0 ? ERR_SYS : 0;
}

static int ward_wait_ms(const struct ward *w)
{
	uint64_t now = clock_mono_ns(), left;

	if (!ward_steps[w->step].pass)
		return -1;
	left = w->step_ends_ns > now ? (w->step_ends_ns - now) / NS_PER_MS + 1 : 0;
	return (int)(left < ward_steps[w->step].every_ms ? left : ward_steps[w->step].every_ms);
}

/* Until it is released, or the agent and the tree are gone. */
static void ward_loop(struct ward *w)
{
	while (w->fd >= 0 || w->step != WARD_OVER) {
		struct pollfd polled[] = {
			{.fd = w->signals, .events = POLLIN},
			{.fd = w->status, .events = POLLIN},
			{.fd = w->fd, .events = POLLIN},
		};

		(void)poll(polled, 3, ward_wait_ms(w));
		if (polled[1].revents)
			ward_on_status(w);
		if (polled[2].revents)
			ward_on_order(w);
		ward_climb(w);
		ward_reap(w);
	}
}

_Noreturn void supervisor_main(int fd, const struct spawn *spawn, uint64_t grace_ms)
{
	struct ward w = {.fd = fd,
			 .status = -1,
			 .spawn = spawn,
			 .grace_ms = grace_ms ? grace_ms : WARD_GRACE_MS};

	ward_prepare(&w);
	if (ward_start(&w) < 0) {
		struct supervisor_report report = {.kind = SUPERVISOR_REFUSED};

		(void)snprintf(report.text, sizeof report.text, "cannot start a process: %s",
			       strerror(errno));
		ward_report(&w, &report);
	}
	ward_loop(&w);
	_exit(0);
}
