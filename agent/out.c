#include "out.h"

#include <errno.h>
#include <unistd.h>

#include "err.h"

void out_done(struct out *out)
{
	buf_done(&out->buf);
	out->at = 0;
}

size_t out_pending(const struct out *out)
{
	return out->buf.len - out->at;
}

void out_took(struct out *out, size_t len)
{
	out->at += len;
	/* To move the rest is worth it only now and then. */
	if (!out_pending(out)) {
		buf_clear(&out->buf);
		out->at = 0;
	} else if (out->at > OUT_HIGH) {
		buf_consume(&out->buf, out->at);
		out->at = 0;
	}
}

int out_write(struct out *out, int fd)
{
	while (out_pending(out)) {
		ssize_t n = write(fd, out->buf.data + out->at, out_pending(out));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			return ERR_CLOSED;
		if (n < 0)
			break;
		out_took(out, (size_t)n);
	}
	return 0;
}
