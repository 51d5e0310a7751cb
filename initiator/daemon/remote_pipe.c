#include "remote_pipe.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <fcntl.h>
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
#include "fd.h"
#include "payload.h"

/* Reads of one wake-up: enough to be cheap, little enough to be fair. */
#define PIPE_READ_MAX (1u << 20)
/* The daemon raises its own limit; what it starts gets the usual one. */
#define PIPE_FILES 1024u

struct remote_pipe {
	const struct remote_pipe_events *events;
	void *arg;
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

int remote_pipe_start(struct remote_pipe **ret, struct loop *loop,
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
	pipe->pid = pid;
	(void)fd_nonblock(ends[0]);
	pipe->bev = bufferevent_socket_new(loop_base(loop), ends[0], BEV_OPT_CLOSE_ON_FREE);
	if (!pipe->bev)
		abort();
	bufferevent_setcb(pipe->bev, pipe_on_read, NULL, pipe_on_event, pipe);
	(void)bufferevent_set_max_single_read(pipe->bev, PIPE_READ_MAX);
	(void)bufferevent_enable(pipe->bev, EV_READ | EV_WRITE);
	*ret = pipe;
	return 0;
}

void remote_pipe_free(struct remote_pipe *pipe)
{
	if (!pipe)
		return;
	bufferevent_free(pipe->bev);
	/* What it runs has supervisors of its own, which end that when it is gone: there is no need
	 * to wait for more than its end, and KILL does not keep us waiting. */
	(void)kill(pipe->pid, SIGKILL);
	while (waitpid(pipe->pid, NULL, 0) < 0 && errno == EINTR)
		;
	free(pipe);
}

void remote_pipe_write(struct remote_pipe *pipe, const void *data, size_t len)
{
	(void)bufferevent_write(pipe->bev, data, len);
}
