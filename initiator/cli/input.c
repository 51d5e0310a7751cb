#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "fd.h"
#include "limits.h"

struct input {
	const struct input_events *events;
	void *arg;
	const char *name;
	struct event *event; /* one look, when there is something to read */
	bool always_ready;   /* a file: no poll tells of it, and it never blocks */
	int fd;
	size_t total;
	bool waiting; /* for room */
	bool ended;
};

int input_open(int *ret_fd, const char *name, struct errmsg *msg)
{
	bool std = strcmp(name, "-") == 0;
	int fd = std ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
		     : open(name, O_RDONLY | O_CLOEXEC);
	struct stat st;
	int rc = 0;

	if (fd < 0)
		return err_set(msg, ERR_SYS, "--stdin: cannot read %s: %s",
			       std ? "standard input" : name, strerror(errno));
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		rc = err_set(msg, ERR_SYS, "--stdin: %s is a directory", name);
	else if (S_ISREG(st.st_mode) && st.st_size > (off_t)LIMIT_STDIN)
		rc = err_set(msg, ERR_LIMIT,
			     "--stdin: %s is longer than %u MiB; copy it to the hosts instead",
			     name, LIMIT_STDIN >> 20);
	if (rc)
		fd_close(&fd);
	else
		*ret_fd = fd;
	return rc;
}

/* Files, /dev/null and their like cannot be waited for, epoll_ctl(2). */
static bool input_is_always_ready(int fd)
{
	struct epoll_event event = {.events = EPOLLIN};
	int probe = epoll_create1(EPOLL_CLOEXEC);
	bool ready = epoll_ctl(probe, EPOLL_CTL_ADD, fd, &event) < 0 && errno == EPERM;

	fd_close(&probe);
	return ready;
}

static void input_wait(struct input *input)
{
	static const struct timeval at_once = {0};

	if (event_add(input->event, input->always_ready ? &at_once : NULL) != 0)
		abort();
}

static void input_fail(struct input *input, const char *what)
{
	struct errmsg msg;

	input->ended = true;
	(void)err_set(&msg, ERR_SYS, "--stdin: %s: %s",
		      strcmp(input->name, "-") == 0 ? "standard input" : input->name, what);
	input->events->failed(input->arg, msg.text);
}

static void input_take(struct input *input, const void *data, size_t len)
{
	char text[64];

	input->total += len;
	if (input->total > LIMIT_STDIN) {
		(void)snprintf(text, sizeof text, "more than %u MiB", LIMIT_STDIN >> 20);
		input_fail(input, text);
		return;
	}
	input->ended = len == 0;
	input->events->piece(input->arg, data, len, input->ended);
}

static void input_on_readable(evutil_socket_t fd, short what, void *arg)
{
	uint8_t data[LIMIT_STDIN_PIECE];
	struct input *input = arg;
	ssize_t n = read(input->fd, data, sizeof data);

	(void)fd;
	(void)what;
	if (n >= 0)
		input_take(input, data, (size_t)n);
	else if (errno != EAGAIN && errno != EINTR)
		input_fail(input, strerror(errno));
	if (input->ended)
		return;
	input->waiting = input->events->is_full(input->arg);
	if (!input->waiting)
		input_wait(input);
}

struct input *input_new(struct loop *loop, int fd, const char *name,
			const struct input_events *events, void *arg)
{
	struct input *input = xcalloc(1, sizeof *input);

	input->events = events;
	input->arg = arg;
	input->name = name;
	input->fd = fd;
	input->always_ready = input_is_always_ready(fd);
	input->event = event_new(loop_base(loop), input->always_ready ? -1 : fd,
				 input->always_ready ? 0 : EV_READ, input_on_readable, input);
	if (!input->event)
		abort();
	input_wait(input);
	return input;
}

void input_free(struct input *input)
{
	if (!input)
		return;
	event_free(input->event);
	free(input);
}

void input_room(struct input *input)
{
	if (!input || !input->waiting || input->ended || input->events->is_full(input->arg))
		return;
	input->waiting = false;
	input_wait(input);
}
