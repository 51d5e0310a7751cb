/* What waits to be written to the initiator. */
#ifndef MUSTER_OUT_H
#define MUSTER_OUT_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"

/* From here on no more output of commands is read. */
#define OUT_HIGH (256u << 10)

/* All zero is empty and valid. Frames are built in buf, which only grows at its end. */
struct out {
	struct buf buf;
	size_t at; /* what stands before it was written */
};

void out_done(struct out *out);

size_t out_pending(const struct out *out);

/* So much of what waits has gone. */
void out_took(struct out *out, size_t len);

/* Writes what fd takes now. Returns 0, or ERR_CLOSED if nobody reads any more. */
int out_write(struct out *out, int fd);

#endif
