#include "out.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "fd.h"

/* Looks at a pipe before we wait for it in earnest. */
#define OUT_SPINS 200u

/* Buffers that are kept for out_spare: what may be on its way together. Only of a common size. */
#define OUT_SPARES    4u
#define OUT_SPARE_MIN (4u << 10)
#define OUT_SPARE_MAX (1u << 20)

/* A mark stands in every lane that runs; it is reached when it is in all of them. */
struct out_mark {
	struct out *out;
	out_mark_fn *fn;
	void *arg;
	size_t lanes; /* where it has not been reached */
	bool written;
};

struct out_item {
	struct out_item *next;
	int fd;
	struct buf data;
	struct out_mark *mark; /* NULL: data */
};

/* A queue with its thread, which is started by the first thing to write: most commands say nothing
 * on one of the two, and many nothing at all. */
struct out_lane {
	struct out *out;
	pthread_t thread;
	bool runs;
	pthread_cond_t wake;
	struct out_item *first;
	struct out_item **last;
	struct out_item *writing; /* taken out of the queue, and not yet freed */
};

struct out {
	struct loop *loop;
	const struct out_events *events;
	void *arg;
	pthread_mutex_t lock; /* guards all below, and the lanes */
	struct out_lane lanes[2];
	size_t lane_count; /* 1: stdout and stderr are the same */
	struct buf spares[OUT_SPARES];
	size_t spare_count;
	size_t queued; /* bytes, what is being written included */
	bool was_full;
	bool closing;
	bool await_reader;
	size_t running; /* threads */
	bool left;	/* a thread hangs in a write, and was left behind */
	bool freed;	/* the last thread frees the memory */
	int error;	/* of stdout; nothing more is written to it */
};

static void out_on_room(void *arg)
{
	struct out *out = arg;

	if (!out->closing)
		out->events->room(out->arg);
}

static void out_on_failed(void *arg)
{
	struct out *out = arg;

	if (!out->closing)
		out->events->failed(out->arg, out->error);
}

static void out_on_mark(void *arg)
{
	struct out_mark *mark = arg;

	mark->fn(mark->arg, mark->written);
	free(mark);
}

static void out_item_free(struct out_item *item)
{
	buf_done(&item->data);
	if (item->mark && --item->mark->lanes == 0)
		out_on_mark(item->mark);
	free(item);
}

/* With the lock held. */
static void out_keep_spare(struct out *out, struct buf *data)
{
	if (out->spare_count == OUT_SPARES || data->size < OUT_SPARE_MIN ||
	    data->size > OUT_SPARE_MAX)
		return;
	buf_clear(data);
	out->spares[out->spare_count++] = *data;
	*data = (struct buf){0};
}

static void out_destroy(struct out *out)
{
	while (out->spare_count)
		buf_done(&out->spares[--out->spare_count]);
	for (size_t i = 0; i < out->lane_count; i++) {
		struct out_lane *lane = &out->lanes[i];

		while (lane->first) {
			struct out_item *item = lane->first;

			lane->first = item->next;
			if (item->mark)
				item->mark->written = false;
			out_item_free(item);
		}
		(void)pthread_cond_destroy(&lane->wake);
	}
	(void)pthread_mutex_destroy(&out->lock);
	free(out);
}

/* With the lock held. */
static void out_written(struct out_lane *lane, int error)
{
	struct out *out = lane->out;
	struct out_item *item = lane->writing;

	out->queued -= item->data.len;
	if (error && item->fd == STDOUT_FILENO && !out->error) {
		out->error = error;
		if (!out->closing)
			loop_post(out->loop, out_on_failed, out);
	}
	if (out->was_full && out->queued <= OUT_QUEUE / 2) {
		out->was_full = false;
		if (!out->closing)
			loop_post(out->loop, out_on_room, out);
	}
	lane->writing = NULL;
	out_keep_spare(out, &item->data);
	out_item_free(item);
}

/* With the lock held. */
static void out_reach(struct out_lane *lane)
{
	struct out_item *item = lane->writing;
	struct out_mark *mark = item->mark;

	/* Only the lane of stdout knows what came before its error, and what behind. */
	if (lane == &lane->out->lanes[0])
		mark->written = !lane->out->error;
	lane->writing = NULL;
	item->mark = NULL;
	out_item_free(item);
	if (--mark->lanes == 0)
		loop_post(lane->out->loop, out_on_mark, mark);
}

/* Until the reader has taken everything out of the pipe, or has left. Returns 0 or an errno. */
static int out_wait_reader(void)
{
	struct pollfd p = {.fd = STDOUT_FILENO};

	for (unsigned i = 0;; i++) {
		bool gone = false;
		int left = 0;

		/* A reader that waits takes it out within microseconds; others take their time. */
		if (i > 0 && i < OUT_SPINS)
			(void)sched_yield();
		else if (i > 0)
			gone = poll(&p, 1, 1) > 0 && (p.revents & POLLERR);
		/* Asked last: who has left may have taken it before. */
		if (ioctl(STDOUT_FILENO, FIONREAD, &left) < 0 || left == 0)
			return 0;
		if (gone)
			return EPIPE;
	}
}

/* Without the lock. Returns 0 or an errno. */
static int out_write(const struct out_item *item, bool await_reader)
{
	if (fd_write_all(item->fd, item->data.data, item->data.len) != 0)
		return errno;
	return await_reader && item->fd == STDOUT_FILENO ? out_wait_reader() : 0;
}

/* Takes the next item, with the lock held, waiting for one. False at the end. */
static bool out_take(struct out_lane *lane)
{
	struct out *out = lane->out;

	while (!lane->first && !out->closing)
		(void)pthread_cond_wait(&lane->wake, &out->lock);
	if (!lane->first || out->left)
		return false;
	lane->writing = lane->first;
	lane->first = lane->writing->next;
	if (!lane->first)
		lane->last = &lane->first;
	return true;
}

static void *out_thread(void *arg)
{
	struct out_lane *lane = arg;
	struct out *out = lane->out;
	bool last;

	(void)pthread_mutex_lock(&out->lock);
	while (out_take(lane)) {
		const struct out_item *item = lane->writing;
		bool await_reader = out->await_reader;
		int error = 0;

		if (item->mark) {
			out_reach(lane);
			continue;
		}
		if (item->fd != STDOUT_FILENO || !out->error) {
			(void)pthread_mutex_unlock(&out->lock);
			error = out_write(item, await_reader);
			(void)pthread_mutex_lock(&out->lock);
		}
		out_written(lane, error);
	}
	out->running--;
	last = out->freed && !out->running;
	(void)pthread_mutex_unlock(&out->lock);
	if (last)
		out_destroy(out);
	return NULL;
}

/* What is written to one shows among what is written to the other. */
static bool out_is_shared(void)
{
	struct stat a, b;

	if (isatty(STDOUT_FILENO) == 1 && isatty(STDERR_FILENO) == 1)
		return true;
	return fstat(STDOUT_FILENO, &a) == 0 && fstat(STDERR_FILENO, &b) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

struct out *out_new(struct loop *loop, const struct out_events *events, void *arg)
{
	struct out *out = xcalloc(1, sizeof *out);

	out->loop = loop;
	out->events = events;
	out->arg = arg;
	out->lane_count = out_is_shared() ? 1 : 2;
	(void)pthread_mutex_init(&out->lock, NULL);
	for (size_t i = 0; i < out->lane_count; i++) {
		struct out_lane *lane = &out->lanes[i];

		lane->out = out;
		lane->last = &lane->first;
		(void)pthread_cond_init(&lane->wake, NULL);
	}
	return out;
}

/* With the lock held. */
static void out_start(struct out_lane *lane)
{
	static const int others[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
	sigset_t set, before;
	int rc;

	if (lane->runs)
		return;
	/* They are the main thread's, which may have them wait: while it asks for a password. */
	(void)sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		(void)sigaddset(&set, others[i]);
	(void)pthread_sigmask(SIG_BLOCK, &set, &before);
	rc = pthread_create(&lane->thread, NULL, out_thread, lane);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0) {
		fprintf(stderr, "muster: cannot start a thread\n");
		exit(1);
	}
	lane->runs = true;
	lane->out->running++;
}

/* With the lock held. */
static void out_queue(struct out_lane *lane, struct out_item *item)
{
	*lane->last = item;
	lane->last = &item->next;
	lane->out->queued += item->data.len;
	(void)pthread_cond_signal(&lane->wake);
}

void out_add(struct out *out, int fd, struct buf *data)
{
	struct out_lane *lane = &out->lanes[fd == STDERR_FILENO ? out->lane_count - 1 : 0];
	struct out_item *item;

	if (!data->len) {
		buf_done(data);
		return;
	}
	item = xcalloc(1, sizeof *item);
	item->fd = fd;
	item->data = *data;
	*data = (struct buf){0};
	(void)pthread_mutex_lock(&out->lock);
	out_start(lane);
	out_queue(lane, item);
	(void)pthread_mutex_unlock(&out->lock);
}

void out_spare(struct out *out, struct buf *data)
{
	(void)pthread_mutex_lock(&out->lock);
	if (out->spare_count)
		*data = out->spares[--out->spare_count];
	(void)pthread_mutex_unlock(&out->lock);
}

void out_mark(struct out *out, out_mark_fn *fn, void *arg)
{
	struct out_mark *mark = xcalloc(1, sizeof *mark);

	*mark = (struct out_mark){out, fn, arg, 0, true};
	(void)pthread_mutex_lock(&out->lock);
	for (size_t i = 0; i < out->lane_count; i++) {
		struct out_item *item;

		if (!out->lanes[i].runs)
			continue;
		item = xcalloc(1, sizeof *item);
		mark->lanes++;
		item->fd = -1;
		item->mark = mark;
		out_queue(&out->lanes[i], item);
	}
	if (!mark->lanes) /* nothing was ever added */
		loop_post(out->loop, out_on_mark, mark);
	(void)pthread_mutex_unlock(&out->lock);
}

void out_await_reader(struct out *out)
{
	struct stat st;

	(void)pthread_mutex_lock(&out->lock);
	out->await_reader = fstat(STDOUT_FILENO, &st) == 0 && S_ISFIFO(st.st_mode);
	(void)pthread_mutex_unlock(&out->lock);
}

bool out_is_full(struct out *out)
{
	bool full;

	(void)pthread_mutex_lock(&out->lock);
	full = out->queued > OUT_QUEUE;
	out->was_full = out->was_full || full;
	(void)pthread_mutex_unlock(&out->lock);
	return full;
}

static void out_join(struct out_lane *lane, const struct timespec *until)
{
	struct out *out = lane->out;

	if (!lane->runs)
		return;
	if (!until) {
		(void)pthread_join(lane->thread, NULL);
	} else if (pthread_timedjoin_np(lane->thread, NULL, until) != 0) {
		(void)pthread_detach(lane->thread);
		(void)pthread_mutex_lock(&out->lock);
		out->left = true;
		(void)pthread_mutex_unlock(&out->lock);
	}
}

/* until: NULL: for ever. */
static int out_end(struct out *out, const struct timespec *until)
{
	bool first = !out->closing;
	int error;

	(void)pthread_mutex_lock(&out->lock);
	out->closing = true;
	for (size_t i = 0; i < out->lane_count; i++)
		(void)pthread_cond_signal(&out->lanes[i].wake);
	(void)pthread_mutex_unlock(&out->lock);
	for (size_t i = 0; first && i < out->lane_count; i++)
		out_join(&out->lanes[i], until);
	(void)pthread_mutex_lock(&out->lock);
	error = out->error;
	(void)pthread_mutex_unlock(&out->lock);
	return error;
}

int out_close(struct out *out)
{
	return out_end(out, NULL);
}

int out_leave(struct out *out, unsigned max_ms)
{
	uint64_t until_ns = clock_wall_ns() + max_ms * UINT64_C(1000000);
	struct timespec until = {.tv_sec = (time_t)(until_ns / 1000000000),
				 .tv_nsec = (long)(until_ns % 1000000000)};

	return out_end(out, &until);
}

static void out_free_posted(void *arg)
{
	struct out *out = arg;
	bool last;

	(void)pthread_mutex_lock(&out->lock);
	out->freed = true;
	last = !out->running;
	(void)pthread_mutex_unlock(&out->lock);
	if (last)
		out_destroy(out);
}

void out_free(struct out *out)
{
	if (!out)
		return;
	(void)out_close(out);
	/* Behind what the threads have posted. */
	loop_post(out->loop, out_free_posted, out);
}
