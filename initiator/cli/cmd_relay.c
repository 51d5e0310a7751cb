/*
 * muster relay: what the daemon of another computer runs here, by SSH, to be a client of ours
 * (docs/relays.md). Bytes go between the standard streams and the control socket as they are; the
 * two ends agree on all else.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "alloc.h"
#include "cmd.h"
#include "control_msg.h"
#include "exit.h"
#include "fd.h"
#include "paths.h"
#include "start.h"

/* On its way in one direction. What is not taken is not read: that is what holds back who sends. */
#define RELAY_ROOM (256u << 10)

struct relay_values {
	struct cmd_globals globals;
};

/* One direction. */
struct relay_flow {
	int from;
	int to;
	uint8_t *room;
	size_t at;
	size_t len;
	bool ended;  /* nothing comes any more */
	bool broken; /* nobody takes it any more */
};

static void relay_read(struct relay_flow *f)
{
	ssize_t n = read(f->from, f->room, RELAY_ROOM);

	if (n > 0) {
		f->at = 0;
		f->len = (size_t)n;
	} else if (n == 0 || errno == ECONNRESET) {
		f->ended = true; /* a reset comes behind all that was there */
	} else if (errno != EAGAIN && errno != EINTR) {
		f->broken = true;
	}
}

static void relay_write(struct relay_flow *f)
{
	ssize_t n = write(f->to, f->room + f->at, f->len);

	if (n > 0) {
		f->at += (size_t)n;
		f->len -= (size_t)n;
	} else if (n < 0 && errno != EAGAIN && errno != EINTR) {
		f->broken = true;
	}
}

/* What poll is to look for: room for what there is, or more of it. */
static void relay_await(const struct relay_flow *f, struct pollfd *from, struct pollfd *to)
{
	bool moves = !f->broken && !f->ended;

	*from = (struct pollfd){.fd = f->len || !moves ? -1 : f->from, .events = POLLIN};
	*to = (struct pollfd){.fd = f->len && !f->broken ? f->to : -1, .events = POLLOUT};
}

static void relay_move(struct relay_flow *f, const struct pollfd *from, const struct pollfd *to)
{
	if (f->len && to->revents)
		relay_write(f);
	else if (!f->len && from->revents)
		relay_read(f);
}

static bool relay_is_done(const struct relay_flow *f)
{
	return f->ended && !f->len;
}

/*
 * Until one of the two has ended: the daemon has all that came, the other side all that it said.
 * One that takes nothing any more may have said something before. That this was passed on to the
 * end is told by a status of its own: what was not told of has not begun, then.
 */
static int relay_run_flows(struct relay_flow flows[2])
{
	struct pollfd fds[4];

	while (!relay_is_done(&flows[0]) && !relay_is_done(&flows[1]) && !flows[1].broken) {
		relay_await(&flows[0], &fds[0], &fds[1]);
		relay_await(&flows[1], &fds[2], &fds[3]);
		if (poll(fds, ARRAY_LEN(fds), -1) < 0) {
			if (errno == EINTR)
				continue;
			return cmd_error(EXIT_INTERNAL, "cannot wait: %s", strerror(errno));
		}
		relay_move(&flows[0], &fds[0], &fds[1]);
		relay_move(&flows[1], &fds[2], &fds[3]);
	}
	/* The words are for the other side, which sees how we end. */
	return relay_is_done(&flows[1]) ? cmd_error(CONTROL_RELAY_ENDED, "the daemon has gone")
					: EXIT_OK;
}

static int relay_join(int fd)
{
	struct relay_flow flows[2] = {
		{.from = STDIN_FILENO, .to = fd, .room = xmalloc(RELAY_ROOM)},
		{.from = fd, .to = STDOUT_FILENO, .room = xmalloc(RELAY_ROOM)}};
	int status;

	(void)fd_nonblock(fd);
	(void)fd_nonblock(STDIN_FILENO);
	(void)fd_nonblock(STDOUT_FILENO);
	status = relay_run_flows(flows);
	free(flows[0].room);
	free(flows[1].room);
	return status;
}

static int relay_cmd_run(const struct cmd *cmd, void *values, int argc, char **argv)
{
	const struct relay_values *v = values;
	struct paths paths;
	struct errmsg msg;
	int fd, status;

	if (argc)
		return cmd_usage(cmd, "'%s': it takes no arguments", argv[0]);
	if (isatty(STDIN_FILENO) == 1 || isatty(STDOUT_FILENO) == 1)
		return cmd_usage(cmd, "it is for the daemon of another computer, not for people");
	if (paths_find(&paths, cmd_daemon_name(&v->globals), &msg) != 0)
		return cmd_error(EXIT_NO_DAEMON, "%s", msg.text);
	fd = start_connect(&paths, 1, &msg);
	paths_done(&paths);
	if (fd < 0)
		return cmd_error(EXIT_NO_DAEMON, "%s", msg.text);
	status = relay_join(fd);
	fd_close(&fd);
	return status;
}

const struct cmd cmd_relay = {
	.name = "relay",
	.synopsis = "",
	.summary = "Be what another computer's muster talks to on a gateway",
	.text = "Run by 'muster invoke --via' on a gateway, over SSH: starts the daemon if there\n"
		"is none, and connects the standard streams to it.\n",
	.values_size = sizeof(struct relay_values),
	.run = relay_cmd_run,
};
