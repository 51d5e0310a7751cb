#include "proxy_command.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc.h"
#include "buf.h"
#include "escape.h"
#include "fd.h"
#include "limits.h"
#include "log.h"
#include "proxy_private.h"

extern char **environ;

/* Of what it says, so much reaches the log in one look, and so much in all. */
#define PROXY_READ    4096u
#define PROXY_LOG_MAX (16u << 10)

struct proxy_command {
	struct proxies *proxies;
	pid_t pid;
	int errors; /* its stderr; -1: at its end */
	struct event *said;
	char *label;
	size_t logged;
	struct buf line;		/* the one that is being read */
	char first[LIMIT_OUTCOME_TEXT]; /* "": none yet */
};

static void proxy_line_end(struct proxy_command *p)
{
	char text[LIMIT_OUTCOME_TEXT];
	size_t len = p->line.len;

	while (len && (p->line.data[len - 1] == '\r' || p->line.data[len - 1] == ' '))
		len--;
	p->line.len = len;
	if (len) {
		(void)escape_str(text, sizeof text, buf_cstr(&p->line));
		if (!p->first[0])
			memcpy(p->first, text, sizeof text);
		p->logged += len;
		if (p->logged <= PROXY_LOG_MAX)
			log_info("%s: ProxyCommand: %s", p->label, text);
	}
	buf_clear(&p->line);
}

static void proxy_take(struct proxy_command *p, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (data[i] == '\n' || data[i] == '\0')
			proxy_line_end(p);
		else if (p->line.len < LIMIT_OUTCOME_TEXT)
			buf_add_char(&p->line, data[i]);
	}
}

/* One look: one that floods must not keep the loop from others. */
static void proxy_hear(struct proxy_command *p)
{
	char data[PROXY_READ];
	ssize_t n;

	if (p->errors < 0)
		return;
	n = read(p->errors, data, sizeof data);
	if (n > 0) {
		proxy_take(p, data, (size_t)n);
		return;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	proxy_line_end(p);
	if (p->said)
		event_free(p->said);
	p->said = NULL;
	fd_close(&p->errors);
}

static void proxy_on_said(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	proxy_hear(arg);
}

static int proxy_spawn(pid_t *ret_pid, char *text, int io, int errors)
{
	char shell[] = "sh", option[] = "-c";
	char *argv[] = {shell, option, text, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t set;
	int rc;

	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_adddup2(&actions, io, 0);
	(void)posix_spawn_file_actions_adddup2(&actions, io, 1);
	(void)posix_spawn_file_actions_adddup2(&actions, errors, 2);
	(void)posix_spawnattr_init(&attr);
	/* I/O threads block all signals, and the daemon ignores some. */
	(void)sigemptyset(&set);
	(void)posix_spawnattr_setsigmask(&attr, &set);
	(void)sigfillset(&set);
	(void)posix_spawnattr_setsigdefault(&attr, &set);
	(void)posix_spawnattr_setpgroup(&attr, 0);
	(void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
						      POSIX_SPAWN_SETPGROUP);
	rc = posix_spawn(ret_pid, "/bin/sh", &actions, &attr, argv, environ);
	(void)posix_spawnattr_destroy(&attr);
	(void)posix_spawn_file_actions_destroy(&actions);
	errno = rc;
	return rc ? -1 : 0;
}

/* io: both ends of the connection; said: of stderr, the end that is read first. */
static int proxy_begin(pid_t *ret_pid, const char *command, int io[2], int said[2])
{
	char *text;
	int rc;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, io) < 0 ||
	    pipe2(said, O_CLOEXEC) < 0 || fd_nonblock(io[0]) < 0 || fd_nonblock(said[0]) < 0)
		return -1;
	text = xstrdup(command);
	rc = proxy_spawn(ret_pid, text, io[1], said[1]);
	free(text);
	return rc;
}

static void proxy_listen(struct proxy_command *p, struct loop *loop)
{
	p->said = event_new(loop_base(loop), p->errors, EV_READ | EV_PERSIST, proxy_on_said, p);
	if (!p->said || event_add(p->said, NULL) != 0)
		abort();
}

struct proxy_command *proxy_command_start(struct loop *loop, struct proxies *proxies,
					  const char *command, const char *label, int *ret_fd)
{
	int io[2] = {-1, -1}, said[2] = {-1, -1}, rc;
	struct proxy_command *p;
	pid_t pid = -1;

	rc = proxy_begin(&pid, command, io, said);
	fd_close(&io[1]);
	fd_close(&said[1]);
	if (rc < 0) {
		fd_close(&io[0]);
		fd_close(&said[0]);
		return NULL;
	}
	p = xcalloc(1, sizeof *p);
	p->proxies = proxies;
	p->pid = pid;
	p->errors = said[0];
	p->label = xstrdup(label);
	proxy_listen(p, loop);
	*ret_fd = io[0];
	return p;
}

static bool proxy_how_ended(const struct proxy_command *p, char *text, size_t size)
{
	siginfo_t info = {0};

	if (waitid(P_PID, (id_t)p->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
	    info.si_pid != p->pid)
		return false;
	if (info.si_code == CLD_EXITED)
		(void)snprintf(text, size, "ProxyCommand: exited %d", info.si_status);
	else
		(void)snprintf(text, size, "ProxyCommand: ended by signal %d", info.si_status);
	return true;
}

bool proxy_command_why(struct proxy_command *p, char *text, size_t size)
{
	proxy_hear(p);
	if (!p->first[0])
		proxy_line_end(p);
	if (p->first[0]) {
		(void)snprintf(text, size, "ProxyCommand: %.180s", p->first);
		return true;
	}
	return proxy_how_ended(p, text, size);
}

void proxy_command_free(struct proxy_command *p)
{
	if (!p)
		return;
	if (p->said)
		event_free(p->said);
	fd_close(&p->errors);
	proxies_take(p->proxies, p->pid);
	buf_done(&p->line);
	free(p->label);
	free(p);
}
