#include "remote_pipe.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc.h"
#include "buf.h"
#include "clock.h"
#include "fd.h"
#include "payload.h"
#include "work.h"

/* Reads of one wake-up: enough to be cheap, little enough to be fair. */
#define PIPE_READ_MAX (1u << 20)
/* The daemon raises its own limit; what it starts gets the usual one. */
#define PIPE_FILES 1024u
/* An agent that is let go ends in a moment, or is ended. */
#define PIPE_LEAVE_NS	   2000000000u
#define PIPE_LEAVE_POLL_MS 100

struct remote_pipe {
	const struct remote_pipe_events *events;
	void *arg;
	struct ssh_engine *engine;
	struct bufferevent *bev;
	pid_t pid;
};

static void pipe_on_read(struct bufferevent *bev, void *arg)
{
	struct remote_pipe *pipe = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	size_t n;

	while ((n = evbuffer_get_contiguous_space(in)) > 0) {
		pipe->events->data(pipe->arg, evbuffer_pullup(in, (ev_ssize_t)n), n);
		(void)evbuffer_drain(in, n);
	}
	pipe->events->burst_end(pipe->arg);
}

static void pipe_on_event(struct bufferevent *bev, short what, void *arg)
{
	struct remote_pipe *pipe = arg;

	(void)what;
	(void)bufferevent_disable(bev, EV_READ | EV_WRITE);
	pipe->events->end(pipe->arg);
}

/* The agent as a file that is nowhere: there is nothing to find, to exchange or to leave behind. */
static int pipe_program(int *ret_fd, struct errmsg *msg)
{
	const struct payload *payload;
	struct utsname uts;
	int fd;

	payload = uname(&uts) == 0 ? payload_find(uts.machine) : NULL;
	if (!payload)
		return err_set(msg, ERR_UNSUPPORTED, "there is no agent for this computer");
	fd = memfd_create("muster-agent", MFD_CLOEXEC);
	if (fd < 0 || fd_write_all(fd, payload->data, payload->len) != 0) {
		fd_close(&fd);
		return err_set(msg, ERR_SYS, "cannot make a file for the agent: %s",
			       strerror(errno));
	}
	*ret_fd = fd;
	return 0;
}

/* Little, and the same whoever has started the daemon, from whatever terminal. */
static void pipe_environment(char *envp[static 7])
{
	static const char *const names[] = {"HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL"};
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (getenv(names[i]))
			envp[n++] = xasprintf("%s=%s", names[i], getenv(names[i]));
	envp[n] = NULL;
}

static int pipe_spawn(pid_t *ret_pid, int program, int end)
{
	char path[64], name[] = "muster-agent", *argv[] = {name, NULL}, *envp[7];
	struct rlimit files = {.rlim_cur = PIPE_FILES};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t set;
	int rc;

	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", program);
	pipe_environment(envp);
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_adddup2(&actions, end, 0);
	(void)posix_spawn_file_actions_adddup2(&actions, end, 1);
	(void)posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	(void)posix_spawnattr_init(&attr);
	sigemptyset(&set);
	(void)posix_spawnattr_setsigmask(&attr, &set);
	sigfillset(&set);
	(void)posix_spawnattr_setsigdefault(&attr, &set);
	(void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
						      POSIX_SPAWN_SETSID);
	rc = posix_spawn(ret_pid, path, &actions, &attr, argv, envp);
	(void)posix_spawnattr_destroy(&attr);
	(void)posix_spawn_file_actions_destroy(&actions);
	for (size_t i = 0; envp[i]; i++)
		free(envp[i]);
	if (rc == 0 && getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max < PIPE_FILES ? files.rlim_max : PIPE_FILES;
		(void)prlimit(*ret_pid, RLIMIT_NOFILE, &files, NULL);
	}
	return rc;
}

int remote_pipe_start(struct remote_pipe **ret, struct ssh_engine *engine,
		      const struct remote_pipe_events *events, void *arg, struct errmsg *msg)
{
	struct remote_pipe *pipe;
	int program = -1, ends[2];
	pid_t pid = -1;
	int rc = pipe_program(&program, msg);

	if (rc)
		return rc;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
		fd_close(&program);
		return err_set(msg, ERR_SYS, "cannot make a socket pair: %s", strerror(errno));
	}
	rc = pipe_spawn(&pid, program, ends[1]);
	fd_close(&program);
	fd_close(&ends[1]);
	if (rc) {
		fd_close(&ends[0]);
		return err_set(msg, ERR_SYS, "cannot start the agent: %s", strerror(rc));
	}
	pipe = xcalloc(1, sizeof *pipe);
	pipe->events = events;
	pipe->arg = arg;
	pipe->engine = engine;
	pipe->pid = pid;
	(void)fd_nonblock(ends[0]);
	pipe->bev = bufferevent_socket_new(loop_base(ssh_engine_loop(engine)), ends[0],
					   BEV_OPT_CLOSE_ON_FREE);
	if (!pipe->bev)
		abort();
	bufferevent_setcb(pipe->bev, pipe_on_read, NULL, pipe_on_event, pipe);
	(void)bufferevent_set_max_single_read(pipe->bev, PIPE_READ_MAX);
	(void)bufferevent_enable(pipe->bev, EV_READ | EV_WRITE);
	*ret = pipe;
	return 0;
}

/* --- the end -------------------------------------------------------------------------------- */

/* On its way out: it is still told what was to be told, as that a result is stored. */
struct pipe_leaving {
	int fd;
	pid_t pid;
	struct buf rest;
};

static bool pipe_tell(const struct pipe_leaving *l, size_t *at)
{
	ssize_t n = send(l->fd, l->rest.data + *at, l->rest.len - *at, MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	*at += (size_t)n;
	if (*at == l->rest.len)
		(void)shutdown(l->fd, SHUT_WR);
	return true;
}

/* What it says is read, so that it never waits for us. */
static void pipe_talk_to_the_end(const struct pipe_leaving *l)
{
	uint64_t until = clock_mono_ns() + PIPE_LEAVE_NS;
	struct pollfd fd = {.fd = l->fd};
	size_t at = 0;
	char said[4096];

	if (!l->rest.len)
		(void)shutdown(l->fd, SHUT_WR);
	while (clock_mono_ns() < until) {
		fd.events = at < l->rest.len ? POLLIN | POLLOUT : POLLIN;
		if (poll(&fd, 1, PIPE_LEAVE_POLL_MS) < 0 && errno != EINTR)
			break;
		if (fd.revents & POLLOUT && at < l->rest.len && !pipe_tell(l, &at))
			break;
		if (fd.revents & (POLLIN | POLLHUP | POLLERR)) {
			ssize_t n = recv(l->fd, said, sizeof said, MSG_DONTWAIT);

			if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
				break;
		}
	}
}

/* On a thread. What the agent runs has supervisors of its own, which end that when it is gone. */
static void pipe_leave_run(void *arg)
{
	struct pipe_leaving *l = arg;

	pipe_talk_to_the_end(l);
	(void)kill(l->pid, SIGKILL);
	while (waitpid(l->pid, NULL, 0) < 0 && errno == EINTR)
		;
	l->pid = 0;
}

static void pipe_leave_done(void *arg, bool cancelled)
{
	struct pipe_leaving *l = arg;

	/* No thread has come to it: the daemon ends, and with it all that it has not reaped. */
	if (cancelled && l->pid)
		(void)kill(l->pid, SIGKILL);
	fd_close(&l->fd);
	buf_done(&l->rest);
	free(l);
}

void remote_pipe_free(struct remote_pipe *pipe)
{
	struct pipe_leaving *l;
	struct evbuffer *out;
	size_t len;

	if (!pipe)
		return;
	out = bufferevent_get_output(pipe->bev);
	len = evbuffer_get_length(out);
	l = xcalloc(1, sizeof *l);
	l->pid = pipe->pid;
	l->fd = fcntl(bufferevent_getfd(pipe->bev), F_DUPFD_CLOEXEC, 3);
	if (len)
		buf_add(&l->rest, evbuffer_pullup(out, -1), len);
	bufferevent_free(pipe->bev);
	(void)work_submit(ssh_engine_files(pipe->engine), pipe_leave_run, pipe_leave_done, l);
	free(pipe);
}

void remote_pipe_write(struct remote_pipe *pipe, const void *data, size_t len)
{
	(void)bufferevent_write(pipe->bev, data, len);
}
