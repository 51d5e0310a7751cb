#include "ctl.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "err.h"
#include "fd.h"

#define CTL_NAME    "ctl"
#define CTL_BACKLOG 16
#define CTL_PIECE   (64u << 10)

/* The directory may be too deep for a name of a socket, so it is named by its descriptor. */
static int ctl_socket(int dir, struct sockaddr_un *ret)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	(void)snprintf(ret->sun_path, sizeof ret->sun_path, "/proc/self/fd/%d/" CTL_NAME, dir);
	return fd < 0 ? -errno : fd;
}

int ctl_listen(int dir)
{
	struct sockaddr_un name;
	int fd = ctl_socket(dir, &name), error;

	if (fd < 0)
		return fd;
	(void)unlinkat(dir, CTL_NAME, 0);
	if (bind(fd, (struct sockaddr *)&name, sizeof name) == 0 && listen(fd, CTL_BACKLOG) == 0)
		return fd;
	error = -errno;
	fd_close(&fd);
	return error;
}

int ctl_connect(int dir)
{
	struct sockaddr_un name;
	int fd = ctl_socket(dir, &name), error;

	if (fd < 0 || connect(fd, (struct sockaddr *)&name, sizeof name) == 0)
		return fd;
	error = -errno;
	fd_close(&fd);
	return error;
}

int ctl_accept(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct ucred peer = {0};
	socklen_t len = sizeof peer;

	if (fd >= 0 &&
	    (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 || peer.uid != geteuid()))
		fd_close(&fd);
	return fd;
}

void ctl_done(struct ctl *c)
{
	fd_close(&c->fd);
	out_done(&c->out);
	buf_done(&c->in);
	c->in_at = 0;
}

void ctl_put(struct ctl *c, uint8_t type, const struct buf *body)
{
	size_t begin = frame_begin(&c->out.buf);

	if (body)
		buf_add(&c->out.buf, body->data, body->len);
	(void)frame_end(&c->out.buf, begin, type, 0, 0);
}

int ctl_flush(struct ctl *c)
{
	return c->fd < 0 ? 0 : out_write(&c->out, c->fd);
}

int ctl_fill(struct ctl *c)
{
	ssize_t n;

	buf_consume(&c->in, c->in_at);
	c->in_at = 0;
	n = read(c->fd, buf_room(&c->in, CTL_PIECE), CTL_PIECE);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return ERR_CLOSED;
	c->in.len += (size_t)n;
	return 1;
}

int ctl_next(struct ctl *c, struct frame *ret)
{
	int64_t len = frame_parse(c->in.data + c->in_at, c->in.len - c->in_at, ret, NULL);

	if (len <= 0)
		return (int)len;
	c->in_at += (size_t)len;
	return 1;
}
