#include "loop.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "alloc.h"
#include "err.h"

/* So many posted calls are made before other input and timers are looked at. */
#define LOOP_POSTED_ROUND 16u

struct loop_item {
	loop_fn *fn;
	void *arg;
};

struct loop_queue {
	struct loop_item *items;
	size_t count;
	size_t size;
};

struct loop {
	struct event_base *base;
	struct event *deferred_event;
	struct event *posted_event;
	struct loop_queue deferred;
	struct loop_queue running; /* what loop_drain walks; its memory is swapped back */
	pthread_mutex_t lock;	   /* guards posted */
	struct loop_queue posted;
	int posted_fd;
	pthread_t thread;
	bool entered;
};

/* As when memory runs out (alloc.h): there is no way on without a loop. */
static _Noreturn void loop_die(void)
{
	fprintf(stderr, "muster: no resources for an event loop: %s\n", err_text(ERR_SYS));
	exit(1);
}

static void loop_queue_add(struct loop_queue *q, loop_fn *fn, void *arg)
{
	if (q->count == q->size) {
		q->size = q->size ? q->size * 2 : 16;
		q->items = xrealloc(q->items, q->size, sizeof *q->items);
	}
	q->items[q->count++] = (struct loop_item){fn, arg};
}

/* Leaves what is beyond the first max items in the queue. */
static struct loop_queue loop_take(struct loop *loop, struct loop_queue *q, size_t max)
{
	struct loop_queue now = *q;

	*q = loop->running;
	loop->running = (struct loop_queue){0};
	for (size_t i = max; i < now.count; i++)
		loop_queue_add(q, now.items[i].fn, now.items[i].arg);
	if (now.count > max)
		now.count = max;
	return now;
}

/* Takes the queue as it is now: what the functions add waits for the next round. */
static void loop_drain(struct loop *loop, struct loop_queue *q, pthread_mutex_t *lock, size_t max)
{
	struct loop_queue now;

	if (lock)
		(void)pthread_mutex_lock(lock);
	now = loop_take(loop, q, max);
	if (lock)
		(void)pthread_mutex_unlock(lock);
	for (size_t i = 0; i < now.count; i++)
		now.items[i].fn(now.items[i].arg);
	now.count = 0;
	free(loop->running.items);
	loop->running = now;
}

static void loop_on_deferred(evutil_socket_t fd, short what, void *arg)
{
	struct loop *loop = arg;

	(void)fd;
	(void)what;
	loop_drain(loop, &loop->deferred, NULL, SIZE_MAX);
}

static void loop_on_posted(evutil_socket_t fd, short what, void *arg)
{
	struct loop *loop = arg;
	uint64_t n, one = 1;
	bool more;

	(void)what;
	if (read(fd, &n, sizeof n) < 0)
		return;
	loop_drain(loop, &loop->posted, &loop->lock, LOOP_POSTED_ROUND);
	(void)pthread_mutex_lock(&loop->lock);
	more = loop->posted.count > 0;
	(void)pthread_mutex_unlock(&loop->lock);
	/* Who posted it may have relied on the wake-up that has been used up. */
	if (more && write(fd, &one, sizeof one) < 0) {
		/* One is waiting already. */
	}
}

struct loop *loop_try(void)
{
	struct loop *loop;
	struct event_base *base;
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0)
		return NULL;
	base = event_base_new();
	if (!base) {
		(void)close(fd);
		return NULL;
	}
	loop = xcalloc(1, sizeof *loop);
	loop->base = base;
	loop->posted_fd = fd;
	if (pthread_mutex_init(&loop->lock, NULL) != 0)
		loop_die();
	loop->deferred_event = event_new(loop->base, -1, 0, loop_on_deferred, loop);
	loop->posted_event =
		event_new(loop->base, loop->posted_fd, EV_READ | EV_PERSIST, loop_on_posted, loop);
	if (!loop->deferred_event || !loop->posted_event ||
	    event_add(loop->posted_event, NULL) != 0)
		loop_die();
	return loop;
}

struct loop *loop_new(void)
{
	struct loop *loop = loop_try();

	if (!loop)
		loop_die();
	return loop;
}

static bool loop_has_posted(struct loop *loop)
{
	bool any;

	(void)pthread_mutex_lock(&loop->lock);
	any = loop->posted.count > 0;
	(void)pthread_mutex_unlock(&loop->lock);
	return any;
}

void loop_flush(struct loop *loop)
{
	while (loop->deferred.count || loop_has_posted(loop)) {
		loop_drain(loop, &loop->deferred, NULL, SIZE_MAX);
		loop_drain(loop, &loop->posted, &loop->lock, SIZE_MAX);
	}
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	loop->entered = false;
	loop_flush(loop);
	event_free(loop->deferred_event);
	event_free(loop->posted_event);
	event_base_free(loop->base);
	(void)close(loop->posted_fd);
	(void)pthread_mutex_destroy(&loop->lock);
	free(loop->deferred.items);
	free(loop->running.items);
	free(loop->posted.items);
	free(loop);
}

struct event_base *loop_base(struct loop *loop)
{
	return loop->base;
}

void loop_run(struct loop *loop)
{
	loop->thread = pthread_self();
	loop->entered = true;
	(void)event_base_dispatch(loop->base);
}

void loop_stop(struct loop *loop)
{
	/* Not loopbreak: it would be forgotten if loop_run is entered later. */
	if (event_base_loopexit(loop->base, NULL) != 0)
		loop_die();
}

void loop_defer(struct loop *loop, loop_fn *fn, void *arg)
{
	static const struct timeval now = {0};

	loop_assert_thread(loop);
	loop_queue_add(&loop->deferred, fn, arg);
	/* A timer, as event_active(3) would run in this round again: something that always defers
	 * itself would then keep input and timers from ever being looked at. */
	if (loop->deferred.count == 1 && event_add(loop->deferred_event, &now) != 0)
		loop_die();
}

void loop_post(struct loop *loop, loop_fn *fn, void *arg)
{
	uint64_t one = 1;
	bool first;

	(void)pthread_mutex_lock(&loop->lock);
	first = !loop->posted.count;
	loop_queue_add(&loop->posted, fn, arg);
	(void)pthread_mutex_unlock(&loop->lock);
	/* The others find a wake-up on its way, which comes before the queue is taken. */
	if (first && write(loop->posted_fd, &one, sizeof one) < 0) {
		/* Full means that a wake-up is already waiting: nothing is lost. */
	}
}

void loop_assert_thread(const struct loop *loop)
{
	if (loop->entered && !pthread_equal(loop->thread, pthread_self()))
		abort();
}

struct timeval loop_ms(uint64_t ms)
{
	return (struct timeval){.tv_sec = (time_t)(ms / 1000),
				.tv_usec = (suseconds_t)(ms % 1000 * 1000)};
}
