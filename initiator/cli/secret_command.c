#include "secret_command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "control_msg.h"
#include "fd.h"
#include "limits.h"
#include "secret.h"

extern char **environ;

/* After its deadline a command gets so long to leave. */
#define COMMAND_LEAVE_MS 2000u
#define COMMAND_LOOK_NS	 20000000

static int command_spawn(pid_t *ret, const char *text, int out)
{
	char sh[] = "sh", c[] = "-c";
	char *argv[] = {sh, c, (char *)(uintptr_t)text, NULL};
	posix_spawn_file_actions_t actions;
	int rc;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return ENOMEM;
	rc = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (rc == 0)
		rc = posix_spawn(ret, "/bin/sh", &actions, NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	return rc;
}

/* Returns its status as wait(2) has it, or -1 if it does not end in time. */
static int command_wait(pid_t pid, uint64_t deadline_ns)
{
	struct timespec moment = {.tv_nsec = COMMAND_LOOK_NS};
	int status = 0;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (clock_mono_ns() >= deadline_ns)
			return -1;
		(void)nanosleep(&moment, NULL);
	}
	return status;
}

static void command_end(pid_t pid)
{
	(void)kill(pid, SIGTERM);
	if (command_wait(pid, clock_mono_ns() + COMMAND_LEAVE_MS * UINT64_C(1000000)) != -1)
		return;
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

/* The first line; what comes behind it is not read. 0, ERR_TIMEOUT or ERR_SYS. */
static int command_read(int fd, char *text, size_t size, uint64_t deadline_ns)
{
	size_t used = 0;

	while (used + 1 < size) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		uint64_t now = clock_mono_ns();
		ssize_t n;

		if (now >= deadline_ns)
			return ERR_TIMEOUT;
		if (poll(&p, 1, (int)((deadline_ns - now) / 1000000u) + 1) < 0 && errno != EINTR)
			return ERR_SYS;
		if (!p.revents)
			continue;
		n = read(fd, text + used, size - 1 - used);
		if (n < 0 && errno != EINTR)
			return ERR_SYS;
		if (n == 0)
			break;
		used += n > 0 ? (size_t)n : 0;
		if (memchr(text, '\n', used))
			break;
	}
	text[used] = '\0';
	return 0;
}

static int command_judge(int status, const char *text, const char *name, struct errmsg *msg)
{
	if (status == -1)
		return err_set(msg, ERR_TIMEOUT, "%s: '%.200s' did not end within %u s", name, text,
			       LIMIT_ASK_MS / 1000);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	/* It had its line to write, and the pipe is closed behind that. */
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE)
		return 0;
	if (WIFSIGNALED(status))
		return err_set(msg, ERR_SYS, "%s: '%.200s' was ended by signal %d", name, text,
			       WTERMSIG(status));
	return err_set(msg, ERR_SYS, "%s: '%.200s' ended with status %d", name, text,
		       WEXITSTATUS(status));
}

int secret_command(char **ret, const char *text, const char *name, struct errmsg *msg)
{
	uint64_t deadline_ns = clock_mono_ns() + LIMIT_ASK_MS * UINT64_C(1000000);
	char line[CONTROL_PASSWORD_MAX + 3] = "";
	int fds[2], rc, status;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_set(msg, ERR_SYS, "%s: %s", name, strerror(errno));
	rc = command_spawn(&pid, text, fds[1]);
	fd_close(&fds[1]);
	if (rc) {
		fd_close(&fds[0]);
		return err_set(msg, ERR_SYS, "%s: %s", name, strerror(rc));
	}
	rc = command_read(fds[0], line, sizeof line, deadline_ns);
	fd_close(&fds[0]);
	status = rc ? -1 : command_wait(pid, deadline_ns);
	if (status == -1)
		command_end(pid);
	/* One whose line is too long may fail because nobody has read the rest of it. */
	rc = strlen(line) > CONTROL_PASSWORD_MAX + 1 ? 0 : command_judge(status, text, name, msg);
	if (rc == 0)
		rc = secret_take_line(ret, line, sizeof line, name, msg);
	explicit_bzero(line, sizeof line);
	return rc;
}
