/* Match exec: what a command says. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "config_private.h"
#include "limits.h"
#include "plan_index.h"

#define EXEC_MS	      1000000u
#define EXEC_FIRST_NS 200000
#define EXEC_LAST_NS  10000000
#define EXEC_SHELL    "/bin/sh"

extern char **environ;

struct ssh_exec {
	struct plan_index commands;
	bool *yes; /* what each of them said */
	uint64_t spent_ns;
};

struct ssh_exec *ssh_exec_new(void)
{
	return xcalloc(1, sizeof(struct ssh_exec));
}

void ssh_exec_free(struct ssh_exec *exec)
{
	if (!exec)
		return;
	plan_index_done(&exec->commands);
	free(exec->yes);
	free(exec);
}

/* Without our descriptors and in a group of its own, which ends as one. 0, or an errno. */
static int exec_spawn(pid_t *ret, char *const *argv)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t set;
	int rc;

	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
	(void)posix_spawn_file_actions_adddup2(&actions, 0, 1);
	(void)posix_spawn_file_actions_adddup2(&actions, 0, 2);
	(void)posix_spawnattr_init(&attr);
	(void)sigemptyset(&set);
	(void)posix_spawnattr_setsigmask(&attr, &set);
	(void)sigfillset(&set);
	(void)posix_spawnattr_setsigdefault(&attr, &set);
	(void)posix_spawnattr_setpgroup(&attr, 0);
	(void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
						      POSIX_SPAWN_SETPGROUP);
	rc = posix_spawn(ret, argv[0], &actions, &attr, argv, environ);
	(void)posix_spawnattr_destroy(&attr);
	(void)posix_spawn_file_actions_destroy(&actions);
	return rc;
}

/* False: it has not ended in time, and is gone now. */
static bool exec_wait(pid_t pid, uint64_t deadline_ns, int *ret_status)
{
	struct timespec pause = {.tv_nsec = EXEC_FIRST_NS};
	pid_t found;

	while ((found = waitpid(pid, ret_status, WNOHANG)) == 0) {
		if (clock_mono_ns() >= deadline_ns) {
			(void)kill(-pid, SIGKILL);
			while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR)
				;
			return false;
		}
		(void)nanosleep(&pause, NULL);
		if (pause.tv_nsec < EXEC_LAST_NS)
			pause.tv_nsec *= 2;
	}
	if (found < 0)
		*ret_status = -1;
	return true;
}

/* 1, 0 or ERR_*. */
static int exec_run(const char *command, uint64_t most_ms, struct errmsg *msg)
{
	const char *shell = getenv("SHELL");
	char *argv[] = {NULL, (char *)"-c", (char *)(uintptr_t)command, NULL};
	int rc, status = 0;
	pid_t pid;

	argv[0] = (char *)(uintptr_t)(shell && *shell == '/' ? shell : EXEC_SHELL);
	rc = exec_spawn(&pid, argv);
	if (rc)
		return err_set(msg, ERR_SYS, "cannot start %s: %s", argv[0], strerror(rc));
	if (!exec_wait(pid, clock_mono_ns() + most_ms * EXEC_MS, &status))
		return err_set(msg, ERR_TIMEOUT, "it did not end within %llu s, and was killed",
			       (unsigned long long)(most_ms + 999) / 1000);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int config_exec_ask(struct ssh_exec *exec, const char *command, struct errmsg *msg)
{
	uint64_t began = clock_mono_ns(), left;
	size_t n;
	int rc;

	if (!exec)
		return err_set(msg, ERR_UNSUPPORTED, "nothing can be run here");
	n = plan_index_find(&exec->commands, command);
	if (n != PLAN_INDEX_NONE)
		return exec->yes[n];
	left = exec->spent_ns / EXEC_MS;
	if (left >= LIMIT_MATCH_EXEC_ALL_MS)
		return err_set(msg, ERR_TIMEOUT,
			       "such commands have taken %u s already; let them ask less of each "
			       "host",
			       LIMIT_MATCH_EXEC_ALL_MS / 1000);
	left = LIMIT_MATCH_EXEC_ALL_MS - left;
	rc = exec_run(command, left < LIMIT_MATCH_EXEC_MS ? left : LIMIT_MATCH_EXEC_MS, msg);
	exec->spent_ns += clock_mono_ns() - began;
	if (rc < 0)
		return rc;
	n = plan_index_add(&exec->commands, xstrdup(command));
	exec->yes = xrealloc(exec->yes, n + 1, sizeof *exec->yes);
	exec->yes[n] = rc > 0;
	return rc;
}
