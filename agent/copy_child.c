#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "copy_private.h"
#include "fd.h"
#include "message.h"

#define COPY_CHILD_READ (256u << 10)
#define COPY_CHILD_SAID (128u << 10)

/* --- messages ------------------------------------------------------------------------------- */

size_t copy_child_begin(struct copy_child *c)
{
	size_t begin = c->said.len;

	(void)buf_room(&c->said, sizeof(struct copy_head));
	c->said.len += sizeof(struct copy_head);
	return begin;
}

void copy_child_flush(struct copy_child *c)
{
	/* Nobody is there any more: what is not finished is removed by who looks at the input. */
	(void)fd_write_all(c->out, c->said.data, c->said.len);
	buf_clear(&c->said);
}

void copy_child_end(struct copy_child *c, size_t begin, uint32_t type)
{
	struct copy_head head = {.len = (uint32_t)(c->said.len - begin - sizeof head),
				 .type = type};

	memcpy(c->said.data + begin, &head, sizeof head);
	if (c->said.len >= COPY_CHILD_SAID)
		copy_child_flush(c);
}

/* Whether there is a whole message in what was read. */
static bool copy_child_has(const struct copy_child *c, struct copy_head *ret)
{
	size_t left = c->got.len - c->used;

	if (left < sizeof *ret)
		return false;
	memcpy(ret, c->got.data + c->used, sizeof *ret);
	return left - sizeof *ret >= ret->len;
}

/* 1, 0: nothing came in time, ERR_CLOSED. */
static int copy_child_read(struct copy_child *c, int wait_ms)
{
	struct pollfd in = {.fd = c->in, .events = POLLIN};
	ssize_t n;
	int rc = wait_ms < 0 ? 1 : poll(&in, 1, wait_ms);

	if (rc == 0 || (rc < 0 && errno == EINTR))
		return 0;
	buf_consume(&c->got, c->used);
	c->used = 0;
	n = read(c->in, buf_room(&c->got, COPY_CHILD_READ), COPY_CHILD_READ);
	if (n < 0 && errno == EINTR)
		return 1;
	if (n <= 0)
		return ERR_CLOSED;
	c->got.len += (size_t)n;
	return 1;
}

int copy_child_next(struct copy_child *c, int wait_ms, uint32_t *ret_type, const uint8_t **ret_body,
		    size_t *ret_len)
{
	struct copy_head head;

	while (!copy_child_has(c, &head)) {
		int rc = copy_child_read(c, wait_ms);

		if (rc <= 0)
			return rc;
	}
	*ret_type = head.type;
	*ret_body = c->got.data + c->used + sizeof head;
	*ret_len = head.len;
	c->used += sizeof head + head.len;
	return 1;
}

/* --- its life ------------------------------------------------------------------------------- */

void copy_child_over(struct copy_child *c, const char *text)
{
	struct task_end_msg m = {.task = c->open.task,
				 .kind = text ? TASK_REFUSED : TASK_EXITED,
				 .exit_code = text ? -1 : 0,
				 .text = (char *)(uintptr_t)text, /* only read */
				 .began = true};
	size_t begin = copy_child_begin(c);

	task_end_put(&c->said, &m);
	copy_child_end(c, begin, MSG_TASK_END);
	copy_child_flush(c);
	_exit(0);
}

void copy_child_main(int in, int out, const void *body, size_t len)
{
	struct copy_child c = {.in = in, .out = out};
	struct errmsg msg;

	(void)prctl(PR_SET_NAME, "muster-copy");
	if (copy_open_get(&c.open, body, len, &msg) != 0)
		copy_child_over(&c, msg.text);
	if (c.open.pull)
		copy_give(&c);
	copy_take(&c);
}
