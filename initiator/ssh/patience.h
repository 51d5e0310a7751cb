/*
 * The clock by which others are waited for. What they have said is seen late where the loop is
 * busy, or this process is not let run: then the clock goes slowly, so that no deadline expires for
 * what is our own fault. It never stops: a host that hangs has an end on a busy computer, too.
 */
#ifndef MUSTER_PATIENCE_H
#define MUSTER_PATIENCE_H

#include <stdint.h>

#include "loop.h"

struct patience;

/* Belongs to the thread of the loop. Freed by patience_free, after all that hold it. */
struct patience *patience_new(struct loop *loop);
void patience_free(struct patience *patience); /* NULL is fine */

/* Only between these two is it known how late the loop is. They nest. */
void patience_hold(struct patience *patience);
void patience_release(struct patience *patience);

/* Nanoseconds, never ahead of the monotonic clock. Comparable while it is held. */
uint64_t patience_ns(const struct patience *patience);

/* Until this clock says so, at the earliest; at least 1. */
uint64_t patience_ms_until(const struct patience *patience, uint64_t deadline_ns);

#endif
