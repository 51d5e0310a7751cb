/* One direction of a delayed connection: what has come and is not due yet. */
#ifndef MUSTER_DELAYD_FLOW_H
#define MUSTER_DELAYD_FLOW_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NEVER UINT64_MAX

struct block;

/* All zero is empty. */
struct flow {
	struct block *first, *last;
	size_t bytes;
	bool eof, shut;
	uint64_t eof_due;
};

void flow_free(struct flow *w);

/* Adds what is wanted of the two sockets. Returns when something is due, NEVER if nothing waits. */
uint64_t flow_arm(const struct flow *w, struct pollfd *in, struct pollfd *out, uint64_t now);

/* Reads what is there, to be due delay after now. Returns false when the connection is lost. */
bool flow_read(struct flow *w, int fd, uint64_t now, uint64_t delay);

/* Writes what is due, and hands the end on. Returns false when the connection is lost. */
bool flow_write(struct flow *w, int fd, uint64_t now);

#endif
