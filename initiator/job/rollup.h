/* The state of a parent from those of its children. Pure. */
#ifndef MUSTER_ROLLUP_H
#define MUSTER_ROLLUP_H

#include "job.h"

/*
 * A verdict only once every child is finished: any Failed -> Failed; else any Stopped -> Stopped;
 * else Completed. Before that: if all unfinished ones are Disconnected (Suspended, Blocked): that;
 * if all unfinished are Suspended or Suspending: Suspending; otherwise Running. A job whose stop
 * was asked for, and that is not finished, is Stopping.
 */
enum job_state rollup_state(const struct job_counts *counts, bool stop_requested);

#endif
