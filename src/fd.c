#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "clock.h"
#include "err.h"

#define FD_READ_CHUNK (64u << 10)

void fd_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
	errno = saved;
}

int fd_nonblock(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return ERR_SYS;
	return 0;
}

int fd_cloexec(int fd)
{
	return fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ? ERR_SYS : 0;
}

int fd_write_all(int fd, const void *data, size_t n)
{
	const uint8_t *p = data;

	while (n) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno == EAGAIN) {
			struct pollfd room = {.fd = fd, .events = POLLOUT};

			(void)poll(&room, 1, -1);
			continue;
		}
		if (done < 0 && errno != EINTR)
			return ERR_SYS;
		if (done > 0) {
			p += done;
			n -= (size_t)done;
		}
	}
	return 0;
}

int fd_read_until(int fd, struct buf *in, size_t n, uint64_t deadline_ns)
{
	while (in->len < n) {
		uint64_t now = clock_mono_ns();
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t got;

		if (now >= deadline_ns)
			return ERR_TIMEOUT;
		if (poll(&p, 1, (int)((deadline_ns - now) / 1000000 + 1)) <= 0)
			continue;
		got = read(fd, buf_room(in, n - in->len), n - in->len);
		if (got == 0 || (got < 0 && errno == ECONNRESET))
			return ERR_CLOSED;
		if (got < 0 && errno != EAGAIN && errno != EINTR)
			return ERR_SYS;
		if (got > 0)
			in->len += (size_t)got;
	}
	return 0;
}

int fd_open_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	return fd < 0 ? ERR_SYS : fd;
}

int fd_read_rest(int fd, struct buf *out, size_t max)
{
	size_t start = out->len;
	int rc = 0;

	for (;;) {
		ssize_t n = read(fd, buf_room(out, FD_READ_CHUNK), FD_READ_CHUNK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			rc = n < 0 ? ERR_SYS : 0;
			break;
		}
		out->len += (size_t)n;
		if (out->len - start > max) {
			rc = ERR_LIMIT;
			break;
		}
	}
	if (rc < 0)
		out->len = start;
	return rc;
}

int fd_read_file(struct buf *out, const char *path, size_t max)
{
	int fd = fd_open_file(path), rc;

	if (fd < 0)
		return fd;
	rc = fd_read_rest(fd, out, max);
	fd_close(&fd);
	return rc;
}

size_t fd_limit_raise(void)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim) < 0)
		return 256;
	lim.rlim_cur = lim.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &lim);
	(void)getrlimit(RLIMIT_NOFILE, &lim);
	return (size_t)lim.rlim_cur;
}
