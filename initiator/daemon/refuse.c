#include "refuse.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "control_msg.h"
#include "fd.h"
#include "frame.h"
#include "message.h"

#define REFUSE_ONE_NS UINT64_C(500000000)  /* for one client to read it */
#define REFUSE_ALL_NS UINT64_C(5000000000) /* for all of them together */

static void refuse_frame(struct buf *out, int code, const char *text)
{
	struct error_msg m = {.code = code, .text = (char *)(uintptr_t)text}; /* only read */
	struct buf body = {0};
	size_t begin;

	error_put(&body, &m);
	begin = frame_begin(out);
	buf_add(out, body.data, body.len);
	/* A frame has room for the longest text. */
	(void)frame_end(out, begin, MSG_ERROR, 0, 1);
	buf_done(&body);
}

/* Reads what the client says until it has closed: closing before would reset the connection, and
 * it might never see what was sent. */
static void refuse_drain(int fd, uint64_t deadline_ns)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	uint64_t now;
	char rest[4096];

	while ((now = clock_mono_ns()) < deadline_ns) {
		ssize_t n;

		if (poll(&p, 1, (int)((deadline_ns - now) / 1000000 + 1)) <= 0)
			continue;
		n = recv(fd, rest, sizeof rest, MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			return;
	}
}

/* Closes fd. */
static void refuse_one(int fd, const struct buf *frame, uint64_t all_ns)
{
	uint64_t one_ns = clock_mono_ns() + REFUSE_ONE_NS;
	struct ucred peer;
	socklen_t len = sizeof peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	    (peer.uid == geteuid() || peer.uid == 0) &&
	    send(fd, frame->data, frame->len, MSG_NOSIGNAL | MSG_DONTWAIT) > 0) {
		(void)shutdown(fd, SHUT_WR);
		refuse_drain(fd, one_ns < all_ns ? one_ns : all_ns);
	}
	fd_close(&fd);
}

void refuse_clients(const struct daemon_options *options, int code, const char *text)
{
	uint64_t all_ns = clock_mono_ns() + REFUSE_ALL_NS;
	int listener = options->listen_fd, fd;
	struct buf frame = {0};

	refuse_frame(&frame, code, text);
	/* Nobody new joins the queue, and the path is ours while we listen on it. */
	if (options->socket_path)
		(void)unlink(options->socket_path);
	if (options->control_fd >= 0)
		refuse_one(options->control_fd, &frame, all_ns);
	if (listener >= 0) {
		(void)fd_nonblock(listener);
		while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0 || errno == EINTR)
			if (fd >= 0)
				refuse_one(fd, &frame, all_ns);
		fd_close(&listener);
	}
	buf_done(&frame);
}
