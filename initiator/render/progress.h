/* The progress line on a terminal. */
#ifndef MUSTER_PROGRESS_H
#define MUSTER_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

struct progress {
	size_t total;
	size_t done; /* finished, the failed ones included */
	size_t running;
	size_t disconnected; /* run without a connection; none: nothing is said of it */
	size_t failed;
	uint64_t elapsed_ns;
};

/*
 * Appends one line without newline, at most width columns:
 * "[#####>    ] 120/200 done, 64 running, 3 failed, 43/s, ETA 2s". When width is short the bar is
 * left out first, then parts from the right; if nothing fits, nothing is appended. No rate and no
 * ETA before 200 ms or before the first is done, no ETA when all are. colour: the failed in red.
 */
void progress_line(struct buf *out, const struct progress *p, size_t width, bool colour);

#endif
