#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "env.h"
#include "escape.h"
#include "fd.h"
#include "limits.h"

#define SPAWN_SHELL	 "/bin/sh"
#define SPAWN_PLAIN_PATH "/usr/local/bin:/usr/bin:/bin"
#define SPAWN_NAME_MAX	 400 /* of a command in a message */

enum spawn_step { SPAWN_FD, SPAWN_TTY, SPAWN_DIRECTORY, SPAWN_NICE, SPAWN_SCRIPT };

static _Noreturn void spawn_fail(int status_fd, enum spawn_step step)
{
	struct spawn_fault fault = {.step = (int)step, .error = errno};

	(void)fd_write_all(status_fd, &fault, sizeof fault);
	_exit(125);
}

void spawn_fault_text(const struct spawn *spawn, const struct spawn_fault *fault, char *out,
		      size_t size)
{
	static const char *const steps[] = {
		[SPAWN_FD] = "its streams cannot be set up",
		[SPAWN_TTY] = "its terminal cannot be opened",
		[SPAWN_NICE] = "its nice value cannot be set",
		[SPAWN_SCRIPT] = "the script cannot be stored",
	};
	char name[SPAWN_NAME_MAX];

	if (fault->step == SPAWN_DIRECTORY)
		(void)snprintf(out, size, "cannot enter the directory '%s': %s",
			       escape_str(name, sizeof name, spawn->open->directory),
			       strerror(fault->error));
	else
		(void)snprintf(out, size, "%s: %s", steps[fault->step], strerror(fault->error));
}

/* A command begins with the signals of a login. */
static void spawn_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Above those that a command gets, so that none is overwritten before it was used. */
static int spawn_open(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC), high = -1;

	if (fd >= 0)
		high = fcntl(fd, F_DUPFD_CLOEXEC, SPAWN_FDS);
	fd_close(&fd);
	return high;
}

static void spawn_streams(const struct spawn *spawn, int status_fd)
{
	int other = spawn_open(spawn->tty ? spawn->tty : "/dev/null");

	if (spawn->tty && (other < 0 || ioctl(other, TIOCSCTTY, 0) < 0))
		spawn_fail(status_fd, SPAWN_TTY);
	for (int i = 0; i < SPAWN_FDS; i++) {
		int fd = spawn->fds[i] >= 0 ? spawn->fds[i] : other;

		if (i == ENV_SESSION_FD && spawn->fds[i] < 0)
			continue;
		if (dup2(fd, i) < 0)
			spawn_fail(status_fd, SPAWN_FD);
	}
}

static void spawn_directory(const struct spawn *spawn, int status_fd)
{
	const char *home = env_find(spawn->env, "HOME");

	/* As sshd: without a home one begins at the root. */
	if ((!home || chdir(home) < 0) && chdir("/") < 0)
		spawn_fail(status_fd, SPAWN_DIRECTORY);
	if (spawn->open->directory && chdir(spawn->open->directory) < 0)
		spawn_fail(status_fd, SPAWN_DIRECTORY);
}

static void spawn_nice(const struct spawn *spawn, int status_fd)
{
	int now;

	if (!spawn->open->nice)
		return;
	errno = 0;
	now = getpriority(PRIO_PROCESS, 0);
	if ((now == -1 && errno) || setpriority(PRIO_PROCESS, 0, now + (int)spawn->open->nice) < 0)
		spawn_fail(status_fd, SPAWN_NICE);
}

/* Where there are no anonymous files: one that has lost its name. Returns -1 with errno. */
static int spawn_script_file(const struct task_open_msg *open_msg)
{
	const char *home = getenv("HOME");
	const char *const dirs[] = {"/tmp", "/var/tmp", home ? home : "/"};

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		char *path = xasprintf("%s/.muster-script-XXXXXX", dirs[i]);
		int fd = mkostemp(path, O_CLOEXEC), again = -1;

		if (fd >= 0) {
			if (fd_write_all(fd, open_msg->script, open_msg->script_len) == 0 &&
			    fchmod(fd, 0700) == 0)
				again = open(path, O_RDONLY);
			(void)unlink(path);
			fd_close(&fd);
		}
		free(path);
		if (again >= 0)
			return again;
	}
	return -1;
}

/* The script's interpreter opens it by its descriptor, which therefore survives exec(3). */
static int spawn_script(const struct task_open_msg *open_msg)
{
	int fd = memfd_create("script", 0);

	if (fd < 0)
		return spawn_script_file(open_msg);
	if (fchmod(fd, 0700) < 0 || fd_write_all(fd, open_msg->script, open_msg->script_len) < 0) {
		fd_close(&fd);
		return -1;
	}
	return fd;
}

/* Returns if it cannot be run, with errno. A file without "#!" is run by sh, as any shell would. */
static void spawn_exec(const char *path, char **argv, size_t argc, char **env)
{
	char **again;

	(void)execve(path, argv, env);
	if (errno != ENOEXEC)
		return;
	again = xcalloc(argc + 3, sizeof *again);
	again[0] = xstrdup("sh");
	again[1] = xstrdup(path);
	for (size_t i = 1; i < argc; i++)
		again[i + 1] = argv[i];
	(void)execve(SPAWN_SHELL, again, env);
}

/* Looks for it in PATH. One that is there but not allowed is passed over, but not forgotten. */
static void spawn_search(const char *name, char **argv, size_t argc, char **env)
{
	const char *at = env_find(env, "PATH");
	bool denied = false;

	if (strchr(name, '/')) {
		spawn_exec(name, argv, argc, env);
		return;
	}
	for (at = at ? at : SPAWN_PLAIN_PATH;; at++) {
		size_t len = strcspn(at, ":");
		char *path = xasprintf("%.*s/%s", len ? (int)len : 1, len ? at : ".", name);

		spawn_exec(path, argv, argc, env);
		/* Not allowed may also be the folder: then it is as if it had nothing in it. */
		if (errno == EACCES)
			denied = denied || access(path, F_OK) == 0;
		else if (errno != ENOENT && errno != ENOTDIR)
			return;
		free(path);
		at += len;
		if (!*at)
			break;
	}
	errno = denied ? EACCES : ENOENT;
}

static _Noreturn void spawn_no_command(const char *name)
{
	char shown[SPAWN_NAME_MAX];
	int error = errno;
	const char *why = error == ENOENT ? "not found" : strerror(error);

	(void)dprintf(STDERR_FILENO, "muster: cannot run '%s': %s\n",
		      escape_str(shown, sizeof shown, name), why);
	_exit(error == ENOENT || error == ENOTDIR ? 127 : 126);
}

static _Noreturn void spawn_run_script(const struct spawn *spawn, int status_fd)
{
	const struct task_open_msg *m = spawn->open;
	char **argv = xcalloc(m->argc + 2, sizeof *argv);
	int fd = spawn_script(m);

	if (fd < 0)
		spawn_fail(status_fd, SPAWN_SCRIPT);
	argv[0] = xstrdup(m->script_name ? m->script_name : "script");
	for (size_t i = 0; i < m->argc; i++)
		argv[i + 1] = m->argv[i];
	spawn_exec(xasprintf("/proc/self/fd/%d", fd), argv, m->argc + 1, spawn->env);
	spawn_no_command(argv[0]);
}

_Noreturn void spawn_child(const struct spawn *spawn, int status_fd)
{
	const struct task_open_msg *m = spawn->open;
	char **argv;

	(void)setsid();
	spawn_streams(spawn, status_fd);
	spawn_directory(spawn, status_fd);
	spawn_nice(spawn, status_fd);
	(void)setrlimit(RLIMIT_NOFILE, &spawn->limits.files);
	(void)setrlimit(RLIMIT_CORE, &spawn->limits.core);
	spawn_signals();
	if (m->script)
		spawn_run_script(spawn, status_fd);
	argv = xcalloc(m->argc + 1, sizeof *argv);
	for (size_t i = 0; i < m->argc; i++)
		argv[i] = m->argv[i];
	spawn_search(m->argv[0], argv, m->argc, spawn->env);
	spawn_no_command(m->argv[0]);
}
