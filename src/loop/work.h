/*
 * Threads for what blocks: resolving names, reading files, asking ssh-agent. A task runs on a
 * thread of the pool and is then finished on the loop.
 */
#ifndef MUSTER_WORK_H
#define MUSTER_WORK_H

#include <stdbool.h>
#include <stddef.h>

#include "loop.h"

struct work_pool;
struct work_task;

/* run: on a thread; must not touch what belongs to the loop. done: on the loop; cancelled tells
 * that nobody waits for the result. done frees arg. */
typedef void work_run_fn(void *arg);
typedef void work_done_fn(void *arg, bool cancelled);

/* A pool of at most max threads, started as they are needed. name: for logs, static. */
struct work_pool *work_pool_new(struct loop *loop, const char *name, unsigned max);

/*
 * Frees the pool after its loop has ended and before loop_free: waits for the tasks that run now
 * at most grace_ms and then leaves their threads behind (a name server that never answers must not
 * keep us); their done is never called, as nobody would know when. Tasks that have not started
 * never run. Those and the ones that ended meanwhile get their done, with cancelled. NULL is fine.
 */
void work_pool_free(struct work_pool *pool, unsigned grace_ms);

/* Queues a task. The handle is valid until done is called. Only from the loop's thread. Where no
 * thread can be had at all the task runs on the loop. */
struct work_task *work_submit(struct work_pool *pool, work_run_fn *run, work_done_fn *done,
			      void *arg);

/* Whether no thread has begun with it, as all have something else to do. Only from the loop's
 * thread. NULL: no. */
bool work_is_queued(struct work_task *task);

/* Nobody waits any more: done still comes, from the loop and not from here, with cancelled set. A
 * task that has not begun is not run, and its done comes at once, even if all threads hang. Only
 * from the loop's thread. NULL is fine. */
void work_cancel(struct work_task *task);

#endif
