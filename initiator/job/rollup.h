/* The state of a parent from those of its children. Pure. */
#ifndef MUSTER_ROLLUP_H
#define MUSTER_ROLLUP_H

#include "job.h"

/* What was asked of the job as a whole. A stop outweighs a hold. */
enum rollup_wish { ROLLUP_NONE, ROLLUP_HOLD, ROLLUP_STOP };

/*
 * A verdict only once every child is finished: any Failed -> Failed; else any Stopped -> Stopped;
 * else Completed. Before that: if all unfinished ones are Disconnected (Suspended, Blocked): that;
 * if all unfinished are Suspended or Suspending: Suspending; otherwise Running. A job whose stop
 * was asked for, and that is not finished, is Stopping. In a job that is held (suspended as a
 * whole) a queued child stands still like a suspended one, and one that is connecting is about to.
 */
enum job_state rollup_state(const struct job_counts *counts, enum rollup_wish wish);

#endif
