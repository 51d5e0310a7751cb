#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc.h"
#include "fd.h"
#include "local_private.h"

#define SPAWN_PATH  "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define SPAWN_SHELL "/bin/sh"
/* In the child descriptors are first moved here, so that none is in another's place. */
#define SPAWN_FD_MIN	10
#define SPAWN_STATUS_FD 3
/* The daemon raises its own limit. Programs that use select(2), or close all descriptors one by
 * one, want the usual one. */
#define SPAWN_FILES 1024u
#define SPAWN_VARS  10u

/* --- before the fork ------------------------------------------------------------------------ */

static void spawn_set(struct local_plan *plan, size_t *count, const char *name, const char *value)
{
	if (value)
		plan->envp[(*count)++] = xasprintf("%s=%s", name, value);
}

/* The first that is there: the daemon's own variable, or what the user database says. */
static const char *spawn_or(const char *name, const char *other)
{
	const char *value = getenv(name);

	return value && *value ? value : other;
}

/* Asked only where the environment is not enough: the answer may come from the network. */
static const struct passwd *spawn_user(const struct local_spec *spec)
{
	bool has_home = spec->home || spawn_or("HOME", NULL);

	if (has_home && spawn_or("USER", NULL) && spawn_or("SHELL", NULL))
		return NULL;
	return getpwuid(geteuid());
}

/* Little, and the same whoever has started the daemon, from whatever terminal. */
static void spawn_environment(struct local_plan *plan, const struct local_spec *spec)
{
	static const char *const passed[] = {"LANG", "LC_ALL"};
	const struct passwd *user = spawn_user(spec);
	const char *home = user && user->pw_dir ? user->pw_dir : "/";
	const char *name = spawn_or("USER", user ? user->pw_name : NULL);
	const char *shell = user && user->pw_shell ? user->pw_shell : SPAWN_SHELL;
	size_t n = 0;

	plan->envp = xcalloc(SPAWN_VARS, sizeof *plan->envp);
	home = spec->home ? spec->home : spawn_or("HOME", home);
	spawn_set(plan, &n, "PATH", spec->path ? spec->path : SPAWN_PATH);
	spawn_set(plan, &n, "HOME", home);
	spawn_set(plan, &n, "USER", name);
	spawn_set(plan, &n, "LOGNAME", spawn_or("LOGNAME", name));
	spawn_set(plan, &n, "SHELL", spawn_or("SHELL", shell));
	for (size_t i = 0; i < ARRAY_LEN(passed); i++)
		spawn_set(plan, &n, passed[i], getenv(passed[i]));
	spawn_set(plan, &n, "MUSTER_RUN", spec->run_id);
	plan->directory = xstrdup(spec->directory ? spec->directory : home);
}

void local_plan_init(struct local_plan *plan, const struct local_spec *spec)
{
	size_t argc = 0;

	while (spec->argv[argc])
		argc++;
	plan->argv = xcalloc(argc + 1, sizeof *plan->argv);
	for (size_t i = 0; i < argc; i++)
		plan->argv[i] = xstrdup(spec->argv[i]);
	spawn_environment(plan, spec);
}

static void spawn_list_free(char **list)
{
	for (size_t i = 0; list && list[i]; i++)
		free(list[i]);
	free(list);
}

void local_plan_done(struct local_plan *plan)
{
	spawn_list_free(plan->argv);
	spawn_list_free(plan->envp);
	free(plan->directory);
	*plan = (struct local_plan){0};
}

/* --- in the child: system calls only -------------------------------------------------------- */

static _Noreturn void spawn_fail(int status_fd, enum local_stage stage)
{
	struct local_fault fault = {.stage = stage, .error = errno};
	int code = stage == LOCAL_STAGE_EXEC && fault.error != ENOENT ? 126 : 127;

	if (write(status_fd, &fault, sizeof fault) < 0)
		_exit(code);
	_exit(code);
}

/* Puts the pipes in their places and closes all else. Returns false with errno. */
static bool spawn_descriptors(int *status_fd, const int data_fd[2])
{
	int out = fcntl(data_fd[0], F_DUPFD_CLOEXEC, SPAWN_FD_MIN);
	int err = fcntl(data_fd[1], F_DUPFD_CLOEXEC, SPAWN_FD_MIN);
	int status = fcntl(*status_fd, F_DUPFD_CLOEXEC, SPAWN_FD_MIN);
	int null;

	if (out < 0 || err < 0 || status < 0)
		return false;
	*status_fd = status;
	null = open("/dev/null", O_RDONLY);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    dup2(err, STDERR_FILENO) < 0 || dup3(status, SPAWN_STATUS_FD, O_CLOEXEC) < 0)
		return false;
	*status_fd = SPAWN_STATUS_FD;
	/* Where the kernel is too old for it: all of ours are closed by exec. */
	(void)close_range(SPAWN_STATUS_FD + 1, ~0u, 0);
	return true;
}

static void spawn_limits(void)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim) < 0 || lim.rlim_cur <= SPAWN_FILES)
		return;
	lim.rlim_cur = SPAWN_FILES;
	(void)setrlimit(RLIMIT_NOFILE, &lim);
}

static void spawn_signals(void)
{
	struct sigaction dfl = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		(void)sigaction(sig, &dfl, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void spawn_child(const struct local_plan *plan, int status_fd,
				  const int data_fd[2])
{
	if (setsid() < 0 || !spawn_descriptors(&status_fd, data_fd))
		spawn_fail(status_fd, LOCAL_STAGE_SETUP);
	spawn_limits();
	spawn_signals();
	if (chdir(plan->directory) < 0)
		spawn_fail(status_fd, LOCAL_STAGE_DIRECTORY);
	environ = plan->envp; /* PATH of this is what execvp(3) looks at */
	(void)execvp(plan->argv[0], plan->argv);
	spawn_fail(status_fd, LOCAL_STAGE_EXEC);
}

/* --- the parent ----------------------------------------------------------------------------- */

/* Signals wait meanwhile: a handler of ours that runs in the child would speak to our loop. */
static pid_t spawn_fork(const struct local_plan *plan, int status_fd, const int data_fd[2])
{
	sigset_t all, before;
	pid_t pid;
	int saved;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0)
		spawn_child(plan, status_fd, data_fd);
	saved = errno;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = saved;
	return pid;
}

/* pipes[i][0] is what we read. */
static int spawn_pipes(int pipes[3][2])
{
	for (size_t i = 0; i < 3; i++)
		if (pipe2(pipes[i], O_CLOEXEC) < 0 || fd_nonblock(pipes[i][0]) < 0)
			return ERR_SYS;
	return 0;
}

int local_spawn(const struct local_plan *plan, struct local_child *ret, struct errmsg *msg)
{
	int pipes[3][2] = {{-1, -1}, {-1, -1}, {-1, -1}}, pidfd = -1, rc;
	pid_t pid = -1;

	rc = spawn_pipes(pipes);
	if (!rc) {
		pid = spawn_fork(plan, pipes[0][1], (int[2]){pipes[1][1], pipes[2][1]});
		pidfd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
		rc = pidfd < 0 ? ERR_SYS : 0;
	}
	if (rc)
		(void)err_set(msg, rc, "cannot start a process: %s", strerror(errno));
	if (rc && pid > 0) {
		/* It has only just begun, and KILL is certain: this wait is short. */
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
	}
	for (size_t i = 0; i < 3; i++) {
		fd_close(&pipes[i][1]);
		if (rc)
			fd_close(&pipes[i][0]);
	}
	if (!rc)
		*ret = (struct local_child){.pid = pid,
					    .pidfd = pidfd,
					    .status_fd = pipes[0][0],
					    .data_fd = {pipes[1][0], pipes[2][0]}};
	return rc;
}
