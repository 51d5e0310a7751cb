#include "start.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc.h"
#include "fd.h"

#define START_BACKLOG	128
#define START_LOG_MAX	(8 << 20) /* then the old log is put aside */
#define START_DAEMON_FD 3	  /* the socket, in the new daemon */
#define START_SELF	"/proc/self/exe"

static int start_address(struct sockaddr_un *ret, const char *path)
{
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(ret->sun_path, path, strlen(path) + 1); /* paths_find has checked the length */
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

/* A connected socket, or ERR_NOTFOUND when nobody listens. */
static int start_try(const char *path, struct errmsg *msg)
{
	struct sockaddr_un addr;
	int fd = start_address(&addr, path);

	if (fd < 0)
		return err_set(msg, ERR_SYS, "cannot make a socket: %s", strerror(errno));
	if (connect(fd, (const struct sockaddr *)&addr, sizeof addr) == 0)
		return fd;
	fd_close(&fd);
	if (errno == ENOENT || errno == ECONNREFUSED)
		return ERR_NOTFOUND;
	return err_set(msg, ERR_SYS, "cannot connect to %s: %s", path, strerror(errno));
}

static int start_bind(const char *path, struct errmsg *msg)
{
	struct sockaddr_un addr;
	int fd = start_address(&addr, path);
	mode_t mask;

	if (fd < 0)
		return err_set(msg, ERR_SYS, "cannot make a socket: %s", strerror(errno));
	(void)unlink(path); /* of a daemon that was killed: nobody listens, and we hold the lock */
	mask = umask(0177);
	if (bind(fd, (const struct sockaddr *)&addr, sizeof addr) < 0 ||
	    listen(fd, START_BACKLOG) < 0) {
		(void)err_set(msg, ERR_SYS, "cannot listen on %s: %s", path, strerror(errno));
		fd_close(&fd);
		fd = ERR_SYS;
	}
	(void)umask(mask);
	return fd;
}

static int start_open_log(const char *path)
{
	struct stat st;
	int fd;

	if (path && stat(path, &st) == 0 && st.st_size > START_LOG_MAX) {
		char *old = xasprintf("%s.old", path);

		(void)rename(path, old);
		free(old);
	}
	fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600) : -1;
	return fd >= 0 ? fd : open("/dev/null", O_WRONLY);
}

/* In the child: puts the descriptors in place and becomes the daemon. */
static _Noreturn void start_exec(int fd, int log, char **argv)
{
	int null = open("/dev/null", O_RDWR);
	struct sigaction dfl = {.sa_handler = SIG_DFL};

	(void)setsid();
	if (log >= 0)
		(void)dup2(log, STDERR_FILENO);
	(void)dup2(null, STDIN_FILENO);
	(void)dup2(null, STDOUT_FILENO);
	/* dup2 onto itself would keep FD_CLOEXEC. */
	if (fd == START_DAEMON_FD)
		(void)fcntl(fd, F_SETFD, 0);
	else
		(void)dup2(fd, START_DAEMON_FD);
	(void)close_range(START_DAEMON_FD + 1, ~0u, 0);
	(void)sigaction(SIGINT, &dfl, NULL);
	if (chdir("/") < 0)
		_exit(127);
	/* Of a job that we are part of: the daemon is not, and must not end with it. */
	(void)unsetenv("MUSTER_RUN");
	(void)execv(START_SELF, argv);
	_exit(127);
}

/* Two forks: the daemon is nobody's child, and nobody has to wait for it. */
static int start_spawn(int fd, int log, char **argv, struct errmsg *msg)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		pid_t inner = fork();

		if (inner == 0)
			start_exec(fd, log, argv);
		_exit(inner < 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0)
		return err_set(msg, ERR_SYS, "cannot start the daemon: %s", strerror(errno));
	return 0;
}

static int start_spawn_listener(const struct paths *paths, int listener, struct errmsg *msg)
{
	char *argv[] = {xstrdup("muster"),	xstrdup("daemon"),	  xstrdup("run"),
			xstrdup("--daemon"),	xstrdup(paths->name),	  xstrdup("--listen-fd"),
			xstrdup("3"),		xstrdup("--socket-path"), xstrdup(paths->socket),
			xstrdup("--lock-path"), xstrdup(paths->lock),	  NULL};
	int log = start_open_log(paths->log), rc = start_spawn(listener, log, argv, msg);

	fd_close(&log);
	for (size_t i = 0; argv[i]; i++)
		free(argv[i]);
	return rc;
}

/* We are in its queue before it runs: a daemon that cannot work tells why to who waits there, and
 * has gone when the next one comes. */
static int start_daemon(const struct paths *paths, struct errmsg *msg)
{
	int listener = start_bind(paths->socket, msg), fd, rc;

	if (listener < 0)
		return listener;
	fd = start_try(paths->socket, msg);
	rc = fd < 0 ? fd : start_spawn_listener(paths, listener, msg);
	if (rc)
		fd_close(&fd);
	fd_close(&listener);
	return rc ? rc : fd;
}

static int start_lock(const char *path, struct errmsg *msg)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	/* Held for milliseconds: who starts a daemon does not wait for it to be ready. */
	if (fd >= 0 && flock(fd, LOCK_EX) == 0)
		return fd;
	(void)err_set(msg, ERR_SYS, "cannot lock %s: %s", path, strerror(errno));
	fd_close(&fd);
	return ERR_SYS;
}

int start_connect(const struct paths *paths, int start, struct errmsg *msg)
{
	int fd = start_try(paths->socket, msg), lock;

	if (fd >= 0 || fd != ERR_NOTFOUND)
		return fd;
	if (!start)
		return err_set(msg, ERR_NOTFOUND, "no daemon is running (%s)", paths->socket);
	lock = start_lock(paths->lock, msg);
	if (lock < 0)
		return lock;
	fd = start_try(paths->socket, msg); /* somebody else may have been first */
	if (fd == ERR_NOTFOUND)
		fd = start_daemon(paths, msg);
	fd_close(&lock);
	return fd;
}

int start_ephemeral(struct errmsg *msg)
{
	char *argv[] = {xstrdup("muster"),	 xstrdup("daemon"), xstrdup("run"),
			xstrdup("--control-fd"), xstrdup("3"),	    NULL};
	int pair[2], rc;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		rc = err_set(msg, ERR_SYS, "cannot make a socket pair: %s", strerror(errno));
	} else {
		/* Its log is our stderr: a CI job shows what went wrong. */
		rc = start_spawn(pair[1], -1, argv, msg);
		fd_close(&pair[1]);
		if (rc)
			fd_close(&pair[0]);
	}
	for (size_t i = 0; argv[i]; i++)
		free(argv[i]);
	return rc ? rc : pair[0];
}

int start_listen(const struct paths *paths, struct errmsg *msg)
{
	int lock = start_lock(paths->lock, msg), fd;

	if (lock < 0)
		return lock;
	fd = start_try(paths->socket, msg);
	if (fd >= 0) {
		fd_close(&fd);
		fd = err_set(msg, ERR_EXISTS, "a daemon is already running at %s", paths->socket);
	} else if (fd == ERR_NOTFOUND) {
		fd = start_bind(paths->socket, msg);
	}
	fd_close(&lock);
	return fd;
}
