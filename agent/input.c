#include "input.h"

#include <errno.h>
#include <unistd.h>

#include "fd.h"
#include "limits.h"

/* Ctrl-D ends a line that is not whole, or the input. */
#define INPUT_TTY_END "\004\004"

void input_init(struct input *in, int fd, bool is_tty)
{
	*in = (struct input){.fd = fd, .is_tty = is_tty};
}

void input_done(struct input *in)
{
	fd_close(&in->fd);
	buf_done(&in->buf);
}

static size_t input_pending(const struct input *in)
{
	return in->buf.len - in->at;
}

int input_add(struct input *in, const void *data, size_t len, bool end, struct errmsg *msg)
{
	if (in->ended)
		return err_set(msg, ERR_ORDER, "TASK_STDIN behind the end of the input");
	if (input_pending(in) + len > INPUT_ROOM)
		return err_set(msg, ERR_LIMIT,
			       "TASK_STDIN: more than %u bytes that the command has not taken",
			       INPUT_ROOM);
	if (in->at >= INPUT_ROOM) {
		buf_consume(&in->buf, in->at);
		in->at = 0;
	}
	buf_add(&in->buf, data, len);
	in->ended = end;
	return 0;
}

bool input_wants(const struct input *in)
{
	return input_pending(in) || (in->ended && in->fd >= 0);
}

/* False if there is no room now. */
static bool input_write_piece(struct input *in)
{
	const uint8_t *data = in->buf.data + in->at;
	ssize_t n =
		in->fd < 0 ? (ssize_t)input_pending(in) : write(in->fd, data, input_pending(in));

	if (n < 0 && errno == EINTR)
		return true;
	if (n < 0 && errno == EAGAIN)
		return false;
	if (n < 0) {
		fd_close(&in->fd);
		return true;
	}
	in->partial = data[n - 1] != '\n';
	in->at += (size_t)n;
	in->taken += (uint64_t)n;
	return true;
}

/* False if there is no room now. */
static bool input_write_end(struct input *in)
{
	ssize_t n;

	if (in->is_tty) {
		n = write(in->fd, INPUT_TTY_END, in->partial ? 2 : 1);
		if (n < 0 && errno == EAGAIN)
			return false;
	}
	fd_close(&in->fd);
	return true;
}

void input_write(struct input *in)
{
	while (input_pending(in))
		if (!input_write_piece(in))
			return;
	buf_clear(&in->buf);
	in->at = 0;
	if (in->ended && in->fd >= 0)
		(void)input_write_end(in);
}

bool input_has_news(struct input *in)
{
	if (in->taken == in->told)
		return false;
	if (input_pending(in) && in->taken - in->told < LIMIT_STDIN_PIECE)
		return false;
	in->told = in->taken;
	return true;
}
