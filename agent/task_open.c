/* How a task comes to be: its pipes or terminal, environment, parser, and supervisor. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "env.h"
#include "fd.h"
#include "task_private.h"

#define TASK_TTY_ROWS 24
#define TASK_TTY_COLS 80

/* Both ends of everything between the agent and a command. */
struct task_ends {
	int theirs[SPAWN_FDS];
	int ours[SPAWN_FDS];
	char tty[64];
};

static void task_ends_init(struct task_ends *ends)
{
	for (int i = 0; i < SPAWN_FDS; i++)
		ends->theirs[i] = ends->ours[i] = -1;
	ends->tty[0] = '\0';
}

static void task_ends_close(int fds[static SPAWN_FDS])
{
	for (int i = 0; i < SPAWN_FDS; i++)
		fd_close(&fds[i]);
}

static int task_ends_pipe(struct task_ends *ends, int which, bool to_command)
{
	int pair[2];

	if (pipe2(pair, O_CLOEXEC) < 0)
		return ERR_SYS;
	ends->theirs[which] = pair[to_command ? 0 : 1];
	ends->ours[which] = pair[to_command ? 1 : 0];
	return fd_nonblock(ends->ours[which]);
}

/* Nobody types there: nothing is echoed, and lines end as they were written. */
static void task_ends_tame(int tty)
{
	struct winsize size = {.ws_row = TASK_TTY_ROWS, .ws_col = TASK_TTY_COLS};
	struct termios mode;

	if (tcgetattr(tty, &mode) == 0) {
		mode.c_oflag &= ~(tcflag_t)ONLCR;
		mode.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
		(void)tcsetattr(tty, TCSANOW, &mode);
	}
	(void)ioctl(tty, TIOCSWINSZ, &size);
}

/* The terminal is input and output at once. Ours at 0 and 1 are one open file. */
static int task_ends_tty(struct task_ends *ends)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), tty;

	if (fd < 0)
		return ERR_SYS;
	ends->ours[1] = fd;
	if (grantpt(fd) < 0 || unlockpt(fd) < 0 || fd_nonblock(fd) < 0 ||
	    ptsname_r(fd, ends->tty, sizeof ends->tty) != 0)
		return ERR_SYS;
	ends->ours[0] = fcntl(fd, F_DUPFD_CLOEXEC, SPAWN_FDS);
	tty = open(ends->tty, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (ends->ours[0] < 0 || tty < 0)
		return ERR_SYS;
	task_ends_tame(tty);
	/* Open until the command has it, so that it has no end before it begins. */
	ends->theirs[1] = tty;
	return 0;
}

static int task_ends_open(struct task_ends *ends, const struct task_open_msg *open)
{
	if (task_ends_pipe(ends, ENV_NOTES_FD, false) < 0)
		return ERR_SYS;
	/* Nobody is kept waiting by it: what it does not take is lost, and then all of it. After
	 * the notes, so that it is not where it is to be: dup2(2) would leave it to be closed. */
	if (open->session && (task_ends_pipe(ends, ENV_SESSION_FD, false) < 0 ||
			      fd_nonblock(ends->theirs[ENV_SESSION_FD]) < 0))
		return ERR_SYS;
	if (open->pty)
		return task_ends_tty(ends);
	if (open->stdin_follows && task_ends_pipe(ends, STDIN_FILENO, true) < 0)
		return ERR_SYS;
	if (task_ends_pipe(ends, STDOUT_FILENO, false) < 0)
		return ERR_SYS;
	return task_ends_pipe(ends, STDERR_FILENO, false);
}

static int task_open_supervisor(struct task *t, struct task_ends *ends,
				const struct spawn_limits *limits, struct errmsg *msg)
{
	struct spawn spawn = {.open = &t->open,
			      .env = t->env,
			      .tty = ends->tty[0] ? ends->tty : NULL,
			      .limits = *limits};

	memcpy(spawn.fds, ends->theirs, sizeof spawn.fds);
	return supervisor_start(&t->supervisor, &spawn, t->open.grace_ms, msg);
}

int task_open_start(struct task *t, const struct spawn_limits *limits, struct out *out,
		    struct errmsg *msg)
{
	struct task_ends ends;
	int rc, pipes[RELAY_COUNT];

	task_ends_init(&ends);
	rc = task_ends_open(&ends, &t->open);
	if (rc < 0)
		(void)err_set(msg, rc, "cannot open its streams: %s", strerror(errno));
	pipes[RELAY_OUTPUT] = ends.ours[STDOUT_FILENO];
	pipes[RELAY_ERROR] = ends.ours[STDERR_FILENO];
	pipes[RELAY_FD3] = ends.ours[ENV_NOTES_FD];
	t->session = ends.ours[ENV_SESSION_FD];
	input_init(&t->input, ends.ours[STDIN_FILENO], t->open.pty);
	/* A terminal without input says so at once. */
	t->input.ended = !t->open.stdin_follows;
	if (relay_init(&t->relay, out, &t->open, pipes, rc < 0 ? NULL : msg) < 0)
		rc = ERR_SYNTAX;
	if (rc == 0) {
		t->env = env_new(&t->open);
		rc = task_open_supervisor(t, &ends, limits, msg);
	}
	task_ends_close(ends.theirs);
	/* The supervisor has its own copy. */
	free(t->open.script);
	t->open.script = NULL;
	t->open.script_len = 0;
	return rc;
}
