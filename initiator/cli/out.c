#include "out.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "alloc.h"
#include "fd.h"

struct out_item {
	struct out_item *next;
	int fd;
	struct buf data;
};

struct out {
	struct loop *loop;
	const struct out_events *events;
	void *arg;
	pthread_t thread;
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t wake;
	struct out_item *first;
	struct out_item **last;
	size_t queued; /* bytes, the item that is being written included */
	bool was_full;
	bool closing;
	int error; /* of stdout; nothing more is written to it */
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

/* With the lock held. */
static void out_written(struct out *out, const struct out_item *item, int error)
{
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
}

static void *out_thread(void *arg)
{
	struct out *out = arg;

	(void)pthread_mutex_lock(&out->lock);
	for (;;) {
		struct out_item *item = out->first;
		int error = 0;
		bool skip;

		if (!item && out->closing)
			break;
		if (!item) {
			(void)pthread_cond_wait(&out->wake, &out->lock);
			continue;
		}
		out->first = item->next;
		if (!out->first)
			out->last = &out->first;
		skip = item->fd == STDOUT_FILENO && out->error;
		(void)pthread_mutex_unlock(&out->lock);
		if (!skip && fd_write_all(item->fd, item->data.data, item->data.len) != 0)
			error = errno;
		(void)pthread_mutex_lock(&out->lock);
		out_written(out, item, error);
		buf_done(&item->data);
		free(item);
	}
	(void)pthread_mutex_unlock(&out->lock);
	return NULL;
}

struct out *out_new(struct loop *loop, const struct out_events *events, void *arg)
{
	struct out *out = xcalloc(1, sizeof *out);

	out->loop = loop;
	out->events = events;
	out->arg = arg;
	out->last = &out->first;
	(void)pthread_mutex_init(&out->lock, NULL);
	(void)pthread_cond_init(&out->wake, NULL);
	if (pthread_create(&out->thread, NULL, out_thread, out) != 0) {
		fprintf(stderr, "muster: cannot start a thread\n");
		exit(1);
	}
	return out;
}

void out_add(struct out *out, int fd, struct buf *data)
{
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
	*out->last = item;
	out->last = &item->next;
	out->queued += item->data.len;
	(void)pthread_cond_signal(&out->wake);
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

int out_close(struct out *out)
{
	if (out->closing)
		return out->error;
	(void)pthread_mutex_lock(&out->lock);
	out->closing = true;
	(void)pthread_cond_signal(&out->wake);
	(void)pthread_mutex_unlock(&out->lock);
	(void)pthread_join(out->thread, NULL);
	return out->error;
}

static void out_free_posted(void *arg)
{
	struct out *out = arg;

	(void)pthread_mutex_destroy(&out->lock);
	(void)pthread_cond_destroy(&out->wake);
	free(out);
}

void out_free(struct out *out)
{
	if (!out)
		return;
	(void)out_close(out);
	/* Behind what the thread has posted. */
	loop_post(out->loop, out_free_posted, out);
}
