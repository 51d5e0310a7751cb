#include "writer.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "alloc.h"
#include "clock.h"
#include "log.h"
#include "writer_private.h"

#define WRITER_GROUP	 (4u << 20)  /* of what has come up while the last group was written */
#define WRITER_LINGER_NS 20000000u   /* for more to come */
#define WRITER_HURRY_NS	 1000000u    /* the same, if somebody waits */
#define WRITER_RETRY_NS	 1000000000u /* when there was no room */
#define WRITER_CLOSE_NS	 5000000000u

/* --- messages to the loop ------------------------------------------------------------------- */

struct writer_news {
	struct writer *writer;
	struct queue_batch *batches; /* that are durable */
	enum store_trouble trouble;
	bool has_trouble;
	struct errmsg text;
};

static void writer_free(struct writer *w)
{
	queue_done(&w->queue);
	seglog_done(&w->log);
	(void)pthread_mutex_destroy(&w->lock);
	(void)pthread_mutex_destroy(&w->db_lock);
	(void)pthread_cond_destroy(&w->wake);
	free(w->path);
	free(w);
}

/* Each callback may close the writer. */
static void writer_tell(struct writer *w, struct writer_news *news)
{
	for (struct queue_batch *batch = news->batches; batch; batch = batch->next)
		for (size_t i = 0; i < batch->wait_count && !w->closed; i++)
			batch->waits[i].fn(batch->waits[i].arg);
	if (news->batches && !w->closed && w->options.durable)
		w->options.durable(w->options.arg);
	if (news->has_trouble && !w->closed && w->options.trouble)
		w->options.trouble(w->options.arg, news->trouble, news->text.text);
}

static void writer_on_news(void *arg)
{
	struct writer_news *news = arg;
	struct writer *w = news->writer;
	struct queue_batch *batch;
	bool last;

	writer_tell(w, news);
	(void)pthread_mutex_lock(&w->lock);
	while ((batch = news->batches) != NULL) {
		news->batches = batch->next;
		queue_free(&w->queue, batch);
	}
	last = !--w->posted && w->closed && !w->abandoned;
	(void)pthread_mutex_unlock(&w->lock);
	free(news);
	if (last)
		writer_free(w);
}

static struct writer_news *writer_news(struct writer *w)
{
	struct writer_news *news = xcalloc(1, sizeof *news);

	news->writer = w;
	return news;
}

/* With the lock. */
static void writer_post(struct writer *w, struct writer_news *news)
{
	w->posted++;
	loop_post(w->options.loop, writer_on_news, news);
}

static void writer_post_trouble(struct writer *w, enum store_trouble what, const struct errmsg *msg)
{
	struct writer_news *news = writer_news(w);

	news->has_trouble = true;
	news->trouble = what;
	news->text = *msg;
	writer_post(w, news);
}

/* --- the thread ----------------------------------------------------------------------------- */

static void writer_sleep(struct writer *w, uint64_t until_ns)
{
	struct timespec until = {.tv_sec = (time_t)(until_ns / 1000000000u),
				 .tv_nsec = (long)(until_ns % 1000000000u)};

	if (until_ns == UINT64_MAX)
		(void)pthread_cond_wait(&w->wake, &w->lock);
	else
		(void)pthread_cond_timedwait(&w->wake, &w->lock, &until);
}

/* When the first batch is to be written; UINT64_MAX: there is none. */
static uint64_t writer_due(const struct writer *w)
{
	uint64_t due = UINT64_MAX;

	if (w->queue.first)
		due = w->queue.first->first_ns + WRITER_LINGER_NS;
	if (w->hurry_ns && w->hurry_ns + WRITER_HURRY_NS < due)
		due = w->hurry_ns + WRITER_HURRY_NS;
	if (w->queue.bytes >= QUEUE_BATCH || (w->close_ns && w->queue.first))
		due = 0;
	return w->retry_ns > due ? w->retry_ns : due;
}

/* With the lock: until there is a group to write. False: the end. */
static bool writer_await(struct writer *w)
{
	for (;;) {
		uint64_t due = w->failed ? UINT64_MAX : writer_due(w), now = clock_mono_ns();

		if (due <= now)
			return true;
		if (w->close_ns && (due == UINT64_MAX || due > w->close_ns))
			return false;
		w->sleep_ns = due;
		writer_sleep(w, due);
		w->sleep_ns = 0;
	}
}

/* With the lock. The last batch of the next group; nothing is added to them any more. */
static struct queue_batch *writer_take(struct writer *w)
{
	struct queue_batch *last = w->queue.first;
	uint64_t bytes = last->bytes;

	last->taken = true;
	while (last->next && bytes + last->next->bytes <= WRITER_GROUP) {
		last = last->next;
		last->taken = true;
		bytes += last->bytes;
	}
	w->hurry_ns = 0;
	for (const struct queue_batch *batch = last->next; batch && !w->hurry_ns;
	     batch = batch->next)
		w->hurry_ns = batch->hurry_ns;
	return last;
}

/* With the lock. */
static void writer_on_done(struct writer *w, const struct queue_batch *last)
{
	static const struct errmsg well = {"the store can be written to again"};
	struct writer_news *news = writer_news(w);
	struct queue_batch **to = &news->batches, *batch;

	do {
		batch = queue_pop(&w->queue);
		*to = batch;
		to = &batch->next;
	} while (batch != last);
	w->durable = w->log.segment;
	writer_post(w, news);
	if (w->retry_ns)
		writer_post_trouble(w, STORE_WELL, &well);
	w->retry_ns = 0;
}

/* With the lock, which is given away meanwhile. */
static void writer_on_full(struct writer *w, const struct errmsg *msg)
{
	struct queue_batch *first = w->queue.first, *last = w->queue.last;
	bool more;

	if (!w->retry_ns)
		writer_post_trouble(w, STORE_FULL, msg);
	for (struct queue_batch *batch = first; batch; batch = batch->next)
		batch->taken = true;
	(void)pthread_mutex_unlock(&w->lock);
	more = writer_make_room(w, first, last);
	(void)pthread_mutex_lock(&w->lock);
	w->retry_ns = clock_mono_ns() + (more ? 0 : WRITER_RETRY_NS);
}

static void *writer_main(void *arg)
{
	struct writer *w = arg;

	(void)pthread_mutex_lock(&w->lock);
	while (writer_await(w)) {
		struct queue_batch *first = w->queue.first, *last = writer_take(w);
		struct errmsg msg = {""};
		enum writer_outcome outcome;

		(void)pthread_mutex_unlock(&w->lock);
		outcome = writer_group(w, first, last, &msg);
		(void)pthread_mutex_lock(&w->lock);
		switch (outcome) {
		case WRITER_DONE:
			writer_on_done(w, last);
			break;
		case WRITER_FULL:
			writer_on_full(w, &msg);
			break;
		case WRITER_FAILED:
			w->failed = true;
			writer_post_trouble(w, STORE_FAILED, &msg);
			break;
		}
	}
	if (!w->failed && !w->queue.first) {
		(void)pthread_mutex_unlock(&w->lock);
		writer_mark_end(w);
		(void)pthread_mutex_lock(&w->lock);
	}
	w->ended = true;
	(void)pthread_cond_broadcast(&w->wake);
	(void)pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* --- for the loop's thread ------------------------------------------------------------------ */

static int writer_start(struct writer *w, struct errmsg *msg)
{
	sigset_t all, old;
	int r;

	/* Signals are for the loop. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&w->thread, NULL, writer_main, w);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r == 0)
		return 0;
	errno = r;
	return err_set(msg, ERR_SYS, "cannot start a thread for the store: %s", err_text(ERR_SYS));
}

int writer_new(struct writer **ret, const struct writer_options *options, struct errmsg *msg)
{
	struct writer *w = xcalloc(1, sizeof *w);
	pthread_condattr_t attr;
	int r;

	w->options = *options;
	w->path = xstrdup(options->path);
	w->size = options->size;
	w->durable = options->segment;
	seglog_init(&w->log, options->disk, options->segment, options->segment_size);
	(void)pthread_mutex_init(&w->lock, NULL);
	(void)pthread_mutex_init(&w->db_lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&w->wake, &attr);
	(void)pthread_condattr_destroy(&attr);
	r = writer_start(w, msg);
	if (r < 0) {
		writer_free(w);
		return r;
	}
	*ret = w;
	return 0;
}

bool writer_close(struct writer *w)
{
	uint64_t until_ns = clock_mono_ns() + WRITER_CLOSE_NS;
	bool last;

	if (!w)
		return true;
	w->closed = true;
	(void)pthread_mutex_lock(&w->lock);
	w->close_ns = until_ns;
	(void)pthread_cond_broadcast(&w->wake);
	/* It looks at the same time itself, so that it is late only if it hangs. */
	while (!w->ended && clock_mono_ns() < until_ns + WRITER_RETRY_NS)
		writer_sleep(w, until_ns + WRITER_RETRY_NS);
	w->abandoned = !w->ended;
	(void)pthread_mutex_unlock(&w->lock);
	if (w->abandoned) {
		log_warn("the store %s does not answer: what it has not written is lost", w->path);
		(void)pthread_detach(w->thread);
		return false;
	}
	(void)pthread_join(w->thread, NULL);
	(void)pthread_mutex_lock(&w->lock);
	if (w->queue.first)
		log_warn("the store %s: %llu bytes could not be written", w->path,
			 (unsigned long long)w->queue.bytes);
	last = !w->posted;
	(void)pthread_mutex_unlock(&w->lock);
	/* Its file is of a disk that goes now. */
	seglog_done(&w->log);
	if (last)
		writer_free(w);
	return true;
}

struct queue_batch *writer_fill(struct writer *w, struct queue **ret_queue)
{
	(void)pthread_mutex_lock(&w->lock);
	if (w->failed) {
		(void)pthread_mutex_unlock(&w->lock);
		return NULL;
	}
	*ret_queue = &w->queue;
	return queue_fill(&w->queue);
}

void writer_filled(struct writer *w)
{
	bool wake = writer_due(w) < w->sleep_ns;

	(void)pthread_mutex_unlock(&w->lock);
	if (wake)
		(void)pthread_cond_signal(&w->wake);
}

void writer_wait(struct writer *w, loop_fn *fn, void *arg)
{
	struct queue *queue;
	struct queue_batch *batch = writer_fill(w, &queue);

	if (!batch)
		return;
	queue_add_wait(batch, fn, arg);
	if (!w->hurry_ns)
		w->hurry_ns = batch->hurry_ns;
	writer_filled(w);
}

bool writer_find(struct writer *w, struct store_place place, struct buf *out)
{
	bool found;

	(void)pthread_mutex_lock(&w->lock);
	found = queue_find(&w->queue, place, out);
	(void)pthread_mutex_unlock(&w->lock);
	return found;
}

bool writer_has_failed(struct writer *w)
{
	bool failed;

	(void)pthread_mutex_lock(&w->lock);
	failed = w->failed;
	(void)pthread_mutex_unlock(&w->lock);
	return failed;
}

uint64_t writer_pending(struct writer *w)
{
	uint64_t bytes;

	(void)pthread_mutex_lock(&w->lock);
	bytes = w->queue.bytes;
	(void)pthread_mutex_unlock(&w->lock);
	return bytes;
}

uint64_t writer_size(struct writer *w)
{
	uint64_t size;

	(void)pthread_mutex_lock(&w->lock);
	size = w->size;
	(void)pthread_mutex_unlock(&w->lock);
	return size;
}

uint32_t writer_durable_segment(struct writer *w)
{
	uint32_t durable;

	(void)pthread_mutex_lock(&w->lock);
	durable = w->durable;
	(void)pthread_mutex_unlock(&w->lock);
	return durable;
}

void writer_hold_db(struct writer *w)
{
	(void)pthread_mutex_lock(&w->db_lock);
}

void writer_release_db(struct writer *w)
{
	(void)pthread_mutex_unlock(&w->db_lock);
}
