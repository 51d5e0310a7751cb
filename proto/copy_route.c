#include "copy_route.h"

#include <stdbool.h>

#include "wire.h"

/* A body begins with the head of its array and an unsigned number, as the msgpack specification
 * writes them. */
struct copy_route {
	size_t fields;
	uint64_t task;
	size_t rest; /* where that begins */
};

static bool route_number(const uint8_t *p, size_t n, size_t size, uint64_t *ret)
{
	*ret = 0;
	for (size_t i = 0; size <= n && i < size; i++)
		*ret = *ret << 8 | p[i];
	return size <= n;
}

static bool route_read(struct copy_route *ret, const uint8_t *p, size_t n)
{
	size_t at = 1, size;
	uint64_t fields;

	if (!n || ((p[0] & 0xf0) != 0x90 && p[0] != 0xdc))
		return false;
	ret->fields = p[0] & 0x0f;
	if (p[0] == 0xdc) {
		if (!route_number(p + 1, n - 1, 2, &fields))
			return false;
		ret->fields = (size_t)fields;
		at = 3;
	}
	if (!ret->fields || at >= n)
		return false;
	ret->task = p[at];
	size = p[at] >= 0xcc && p[at] <= 0xcf ? (size_t)1 << (p[at] - 0xcc) : 0;
	if (p[at] > 0x7f && !size)
		return false;
	at++;
	if (size && !route_number(p + at, n - at, size, &ret->task))
		return false;
	ret->rest = at + size;
	return ret->task != 0;
}

static int route_get(struct copy_route *ret, const struct frame *frame, struct errmsg *msg)
{
	if (route_read(ret, frame->body, frame->len))
		return 0;
	return err_set(msg, ERR_PROTO, "a message of a copy without the number of its task");
}

int copy_route_task(uint64_t *ret, const struct frame *frame, struct errmsg *msg)
{
	struct copy_route route;
	int rc = route_get(&route, frame, msg);

	if (rc == 0)
		*ret = route.task;
	return rc;
}

int copy_route_put(struct buf *out, const struct frame *frame, uint64_t task, struct errmsg *msg)
{
	struct copy_route route;
	int rc = route_get(&route, frame, msg);
	size_t begin;

	if (rc)
		return rc;
	begin = frame_begin(out);
	wire_put_array(out, route.fields);
	wire_put_u64(out, task);
	buf_add(out, frame->body + route.rest, frame->len - route.rest);
	if (frame_end(out, begin, frame->type, 0, 0) == 0)
		return 0;
	return err_set(msg, ERR_LIMIT, "a message of a copy is too long to be passed on");
}
