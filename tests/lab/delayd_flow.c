#include "delayd_flow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Of one direction of one connection: what a gigabyte a second has on its way in 64 ms. */
#define FLOW_MAX   ((size_t)64 << 20)
#define FLOW_READ  ((size_t)64 << 10)
#define FLOW_TURNS 32

struct block {
	struct block *next;
	uint64_t due;
	size_t begin, end;
	unsigned char data[];
};

static void flow_pop(struct flow *w)
{
	struct block *b = w->first;

	w->first = b->next;
	if (!w->first)
		w->last = NULL;
	free(b);
}

void flow_free(struct flow *w)
{
	while (w->first)
		flow_pop(w);
}

static bool flow_push(struct flow *w, const unsigned char *data, size_t n, uint64_t due)
{
	struct block *b = malloc(sizeof(*b) + n);

	if (!b)
		return false;
	*b = (struct block){.due = due, .end = n};
	memcpy(b->data, data, n);
	if (w->last)
		w->last->next = b;
	else
		w->first = b;
	w->last = b;
	w->bytes += n;
	return true;
}

uint64_t flow_arm(const struct flow *w, struct pollfd *in, struct pollfd *out, uint64_t now)
{
	uint64_t due = w->first ? w->first->due : w->eof && !w->shut ? w->eof_due : NEVER;

	if (!w->eof && w->bytes < FLOW_MAX)
		in->events |= POLLIN;
	if (due > now)
		return due;
	out->events |= POLLOUT;
	return NEVER;
}

bool flow_read(struct flow *w, int fd, uint64_t now, uint64_t delay)
{
	unsigned char data[FLOW_READ];

	for (int i = 0; i < FLOW_TURNS && !w->eof && w->bytes < FLOW_MAX; i++) {
		ssize_t n = recv(fd, data, sizeof(data), 0);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		if (n == 0) {
			w->eof = true;
			w->eof_due = now + delay;
		} else if (!flow_push(w, data, (size_t)n, now + delay)) {
			return false;
		}
	}
	return true;
}

bool flow_write(struct flow *w, int fd, uint64_t now)
{
	while (w->first && w->first->due <= now) {
		struct block *b = w->first;
		ssize_t n = send(fd, b->data + b->begin, b->end - b->begin, MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		b->begin += (size_t)n;
		w->bytes -= (size_t)n;
		if (b->begin < b->end)
			return true;
		flow_pop(w);
	}
	if (!w->first && w->eof && !w->shut && w->eof_due <= now) {
		shutdown(fd, SHUT_WR);
		w->shut = true;
	}
	return true;
}
