/* Frames through the socket between the runner of a durable run and who is attached to it. */
#ifndef MUSTER_CTL_H
#define MUSTER_CTL_H

#include <stdint.h>

#include "buf.h"
#include "frame.h"
#include "out.h"

struct ctl {
	int fd; /* non-blocking; -1: none. What is put then waits for one */
	struct out out;
	struct buf in;
	size_t in_at;
};

/* The socket of a run, in its directory. A descriptor, or -errno. */
int ctl_listen(int dir);
int ctl_connect(int dir);
/* The next that has come, of our own user; -1: none. */
int ctl_accept(int listener);

/* Closes it and forgets what waits. */
void ctl_done(struct ctl *c);

void ctl_put(struct ctl *c, uint8_t type, const struct buf *body); /* NULL: empty */
/* Writes what goes now. Returns 0, or ERR_CLOSED. */
int ctl_flush(struct ctl *c);

/* Reads what is there, some of it. Returns 1; 0: there is nothing now; ERR_CLOSED. */
int ctl_fill(struct ctl *c);
/* The next frame of what was read, borrowed until ctl_fill. Returns 1, 0, or ERR_PROTO. */
int ctl_next(struct ctl *c, struct frame *ret);

#endif
