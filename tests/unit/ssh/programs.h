/* Running other programs from a test. */
#ifndef MUSTER_TEST_PROGRAMS_H
#define MUSTER_TEST_PROGRAMS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc.h"
#include "buf.h"
#include "fd.h"

/* Is there such a program? If not, says so. */
static inline bool program_find(const char *name)
{
	const char *at = getenv("PATH");
	bool found = false;

	while (at && *at && !found) {
		size_t n = strcspn(at, ":");
		char *path = xasprintf("%.*s/%s", (int)n, at, name);

		found = access(path, X_OK) == 0;
		free(path);
		at += n + (at[n] == ':');
	}
	if (!found)
		print_message("SKIPPED: %s is not installed\n", name);
	return found;
}

/* argv[0] is looked for in PATH. It ends with the test, and its output goes to out_fd (-1: away).
 */
static inline pid_t program_start(const char *const *argv, int out_fd)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)dup2(null, STDIN_FILENO);
		(void)dup2(out_fd >= 0 ? out_fd : null, STDOUT_FILENO);
		if (out_fd < 0)
			(void)dup2(null, STDERR_FILENO);
		/* execvp(3) does not write to it. */
		(void)execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	return pid;
}

/* Its exit status, or 128 and the signal. */
static inline int program_wait(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Runs it to its end; out (NULL: away) gets what it writes to stdout. Returns as program_wait. */
static inline int program_run(const char *const *argv, struct buf *out)
{
	int ends[2] = {-1, -1};
	ssize_t n;
	pid_t pid;

	if (!out)
		return program_wait(program_start(argv, -1));
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = program_start(argv, ends[1]);
	(void)close(ends[1]);
	while ((n = read(ends[0], buf_room(out, 65536), 65536)) > 0)
		out->len += (size_t)n;
	(void)close(ends[0]);
	return program_wait(pid);
}

/* Ends all children of the test, until none is left. With PR_SET_CHILD_SUBREAPER these are all that
 * it has begun. */
static inline void program_end_all(void)
{
	char *path = xasprintf("/proc/self/task/%d/children", (int)getpid());

	for (;;) {
		struct buf text = {0};
		char *at, *end;

		if (fd_read_file(&text, path, 1 << 20) == 0 && text.len)
			for (at = (char *)(uintptr_t)buf_cstr(&text); *at; at = end) {
				long pid = strtol(at, &end, 10);

				if (end == at)
					break;
				(void)kill((pid_t)pid, SIGKILL);
			}
		buf_done(&text);
		if (waitpid(-1, NULL, 0) < 0 && errno == ECHILD)
			break;
	}
	free(path);
}

/* Removes a directory of the test with all in it. */
static inline void remove_tree(const char *dir)
{
	const char *argv[] = {"rm", "-rf", "--", dir, NULL};

	assert_int_equal(program_run(argv, NULL), 0);
}

#endif
