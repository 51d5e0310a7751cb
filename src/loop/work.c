#include "work.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "alloc.h"
#include "log.h"

#define WORK_STACK (512u << 10)

struct work_task {
	struct work_task *next;	 /* in the queue, or among what work_pool_free finishes */
	struct work_task **link; /* what points here while it is queued; NULL: a thread took it */
	struct work_pool *pool;
	work_run_fn *run;
	work_done_fn *done;
	void *arg;
	atomic_bool cancelled;
};

struct work_pool {
	struct loop *loop;
	const char *name;
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t wake;  /* a task was queued, or closing */
	pthread_cond_t left;  /* a thread has left */
	struct work_task *first;
	struct work_task **last;
	struct work_task *late; /* ended while closing: their done is called by work_pool_free */
	pthread_t *ids;		/* of the threads that were started; they leave only at the end */
	unsigned started;
	unsigned max;
	unsigned threads; /* that have not left */
	unsigned idle;
	unsigned queued;
	bool warned; /* about having no thread */
	bool closing;
	bool abandoned; /* work_pool_free has gone: the last thread frees the pool */
};

static void work_finish(void *arg)
{
	struct work_task *task = arg;

	task->done(task->arg, task->cancelled);
	free(task);
}

/* This and the next two with the lock held. */
static void work_queue(struct work_pool *pool, struct work_task *task)
{
	task->link = pool->last;
	*pool->last = task;
	pool->last = &task->next;
	pool->queued++;
}

static void work_unqueue(struct work_pool *pool, struct work_task *task)
{
	*task->link = task->next;
	if (task->next)
		task->next->link = task->link;
	else
		pool->last = task->link;
	task->next = NULL;
	task->link = NULL;
	pool->queued--;
}

static void work_end(struct work_pool *pool, struct work_task *task)
{
	if (!pool->closing) {
		loop_post(pool->loop, work_finish, task);
	} else if (!pool->abandoned) {
		task->next = pool->late;
		pool->late = task;
	} else {
		free(task);
	}
}

static void work_pool_destroy(struct work_pool *pool)
{
	(void)pthread_mutex_destroy(&pool->lock);
	(void)pthread_cond_destroy(&pool->wake);
	(void)pthread_cond_destroy(&pool->left);
	free(pool->ids);
	free(pool);
}

static void *work_thread(void *arg)
{
	struct work_pool *pool = arg;
	bool destroy;

	(void)pthread_mutex_lock(&pool->lock);
	for (;;) {
		struct work_task *task;

		while (!pool->first && !pool->closing) {
			pool->idle++;
			(void)pthread_cond_wait(&pool->wake, &pool->lock);
			pool->idle--;
		}
		if (pool->closing)
			break;
		task = pool->first;
		work_unqueue(pool, task);
		(void)pthread_mutex_unlock(&pool->lock);
		task->run(task->arg);
		(void)pthread_mutex_lock(&pool->lock);
		work_end(pool, task);
	}
	pool->threads--;
	destroy = pool->abandoned && !pool->threads;
	(void)pthread_cond_signal(&pool->left);
	(void)pthread_mutex_unlock(&pool->lock);
	if (destroy)
		work_pool_destroy(pool);
	return NULL;
}

struct work_pool *work_pool_new(struct loop *loop, const char *name, unsigned max)
{
	struct work_pool *pool = xcalloc(1, sizeof *pool);
	pthread_condattr_t attr;

	pool->loop = loop;
	pool->name = name;
	pool->max = max;
	pool->ids = xcalloc(max, sizeof *pool->ids);
	pool->last = &pool->first;
	(void)pthread_mutex_init(&pool->lock, NULL);
	(void)pthread_cond_init(&pool->wake, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&pool->left, &attr);
	(void)pthread_condattr_destroy(&attr);
	return pool;
}

/* Waits, with the lock held, until all threads have left or grace_ms are over. */
static void work_wait_threads(struct work_pool *pool, unsigned grace_ms)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(grace_ms / 1000);
	until.tv_nsec += (long)(grace_ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	while (pool->threads &&
	       pthread_cond_timedwait(&pool->left, &pool->lock, &until) != ETIMEDOUT)
		;
}

static void work_detach(struct work_pool *pool)
{
	for (unsigned i = 0; i < pool->started; i++)
		(void)pthread_detach(pool->ids[i]);
}

void work_pool_free(struct work_pool *pool, unsigned grace_ms)
{
	struct work_task *task;
	const char *name;
	unsigned left;

	if (!pool)
		return;
	name = pool->name;
	(void)pthread_mutex_lock(&pool->lock);
	pool->closing = true;
	(void)pthread_cond_broadcast(&pool->wake);
	work_wait_threads(pool, grace_ms);
	while ((task = pool->first ? pool->first : pool->late) != NULL) {
		if (task == pool->first)
			work_unqueue(pool, task);
		else
			pool->late = task->next;
		task->cancelled = true;
		/* done may submit or cancel: not with the lock held. */
		(void)pthread_mutex_unlock(&pool->lock);
		work_finish(task);
		(void)pthread_mutex_lock(&pool->lock);
	}
	pool->abandoned = true;
	left = pool->threads;
	if (left)
		work_detach(pool);
	(void)pthread_mutex_unlock(&pool->lock);
	if (left) {
		log_debug("%s: %u threads left behind", name, left);
		return;
	}
	/* To their very end: libraries clean up behind each thread, and behind the program. */
	for (unsigned i = 0; i < pool->started; i++)
		(void)pthread_join(pool->ids[i], NULL);
	work_pool_destroy(pool);
}

/* With the lock held. True if there is a thread to do the work, now or later. */
static bool work_start_thread(struct work_pool *pool)
{
	sigset_t all, old;
	pthread_attr_t attr;

	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setstacksize(&attr, WORK_STACK);
	/* Signals are for the loops; here they would only cut system calls short. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	if (pthread_create(&pool->ids[pool->started], &attr, work_thread, pool) == 0) {
		pool->started++;
		pool->threads++;
	}
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	(void)pthread_attr_destroy(&attr);
	return pool->threads > 0;
}

static void work_run_here(void *arg)
{
	struct work_task *task = arg;

	if (!task->cancelled)
		task->run(task->arg);
	work_finish(task);
}

struct work_task *work_submit(struct work_pool *pool, work_run_fn *run, work_done_fn *done,
			      void *arg)
{
	struct work_task *task = xcalloc(1, sizeof *task);
	bool here = false, warn = false;

	task->pool = pool;
	task->run = run;
	task->done = done;
	task->arg = arg;
	(void)pthread_mutex_lock(&pool->lock);
	work_queue(pool, task);
	if (!pool->closing && pool->queued > pool->idle && pool->threads < pool->max)
		here = !work_start_thread(pool);
	if (here) {
		/* A loop that stands still for a while is better than a task that never ends. */
		work_unqueue(pool, task);
		loop_post(pool->loop, work_run_here, task);
		warn = !pool->warned;
		pool->warned = true;
	}
	(void)pthread_cond_signal(&pool->wake);
	(void)pthread_mutex_unlock(&pool->lock);
	if (warn)
		log_warn("%s: cannot start a thread: working without", pool->name);
	return task;
}

bool work_is_queued(struct work_task *task)
{
	bool queued;

	if (!task)
		return false;
	(void)pthread_mutex_lock(&task->pool->lock);
	queued = task->link != NULL;
	(void)pthread_mutex_unlock(&task->pool->lock);
	return queued;
}

void work_cancel(struct work_task *task)
{
	struct work_pool *pool;

	if (!task)
		return;
	pool = task->pool;
	(void)pthread_mutex_lock(&pool->lock);
	task->cancelled = true;
	/* All threads may hang, and whoever cancels may wait for done. */
	if (task->link) {
		work_unqueue(pool, task);
		work_end(pool, task);
	}
	(void)pthread_mutex_unlock(&pool->lock);
}
