#include "shard.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "alloc.h"
#include "log.h"

/* Below so many connections a thread has enough time for one more. */
#define SHARD_BUSY 64u
/* What all threads together, and each at least, may have told and nobody taken. */
#define SHARDS_AHEAD (128u << 20)
#define SHARD_AHEAD  (4u << 20)

struct shard_call {
	loop_fn *fn;
	void *arg;
};

/* What crosses together. */
struct shard_batch {
	size_t count;
	size_t size;
	struct shard_call calls[];
};

/* One way across, filled and sent on the thread that it leads from. */
struct shard_way {
	struct loop *from;
	struct loop *to;
	struct shard_batch *batch; /* NULL: nothing waits */
	bool leaving;		   /* shard_on_departure will come */
};

struct shard {
	struct loop *loop;
	struct ssh_engine *engine;
	pthread_t thread;
	bool threaded; /* false: it is on the main loop */
	struct shard_way in;
	struct shard_way out;
	/* Of the main loop. */
	size_t lines; /* that live on it */
	size_t taken; /* and not told */
	bool ended;   /* the thread is no more */
	/* Of the thread, but for what is constant. */
	size_t ahead;
	size_t ahead_max; /* constant */
	struct shard_wait *waits;
};

struct shards {
	struct loop *loop;
	unsigned max;
	unsigned count;
	struct shard **shards;
};

/* --- across --------------------------------------------------------------------------------- */

#define SHARD_BATCH_FIRST 16u
/* Little enough for what else waits on the other side. */
#define SHARD_BATCH_MAX 64u

static void shard_on_arrival(void *arg)
{
	struct shard_batch *batch = arg;

	for (size_t i = 0; i < batch->count; i++)
		batch->calls[i].fn(batch->calls[i].arg);
	free(batch);
}

static void shard_depart(struct shard_way *way)
{
	struct shard_batch *batch = way->batch;

	way->batch = NULL;
	if (batch)
		loop_post(way->to, shard_on_arrival, batch);
}

static void shard_on_departure(void *arg)
{
	struct shard_way *way = arg;

	way->leaving = false;
	shard_depart(way);
}

static struct shard_batch *shard_batch_grow(struct shard_batch *batch)
{
	size_t size = batch ? batch->size * 2 : SHARD_BATCH_FIRST;
	size_t count = batch ? batch->count : 0;

	batch = xrealloc(batch, 1, sizeof *batch + size * sizeof batch->calls[0]);
	batch->size = size;
	batch->count = count;
	return batch;
}

static void shard_send(struct shard_way *way, loop_fn *fn, void *arg)
{
	if (!way->batch) {
		way->batch = shard_batch_grow(NULL);
		if (!way->leaving)
			loop_defer(way->from, shard_on_departure, way);
		way->leaving = true;
	} else if (way->batch->count == way->batch->size) {
		way->batch = shard_batch_grow(way->batch);
	}
	way->batch->calls[way->batch->count++] = (struct shard_call){fn, arg};
	if (way->batch->count == SHARD_BATCH_MAX)
		shard_depart(way);
}

void shard_call(struct shard *shard, loop_fn *fn, void *arg)
{
	assert(!shard->ended);
	shard_send(&shard->in, fn, arg);
}

void shard_tell(struct shard *shard, loop_fn *fn, void *arg)
{
	shard_send(&shard->out, fn, arg);
}

/* --- how much is on its way ------------------------------------------------------------------- */

struct shard_taken {
	struct shard *shard;
	size_t bytes;
};

void shard_ahead(struct shard *shard, size_t bytes)
{
	shard->ahead += bytes;
}

bool shard_is_full(const struct shard *shard)
{
	return shard->ahead > shard->ahead_max;
}

void shard_wait(struct shard *shard, struct shard_wait *wait)
{
	if (wait->prev)
		return;
	wait->next = shard->waits;
	wait->prev = &shard->waits;
	if (wait->next)
		wait->next->prev = &wait->next;
	shard->waits = wait;
}

void shard_unwait(struct shard_wait *wait)
{
	if (!wait->prev)
		return;
	*wait->prev = wait->next;
	if (wait->next)
		wait->next->prev = wait->prev;
	wait->prev = NULL;
	wait->next = NULL;
}

static void shard_on_taken(void *arg)
{
	struct shard_taken *taken = arg;
	struct shard *shard = taken->shard;

	shard->ahead -= taken->bytes;
	free(taken);
	while (shard->waits && shard->ahead <= shard->ahead_max / 2) {
		struct shard_wait *wait = shard->waits;

		shard_unwait(wait);
		wait->fn(wait->arg);
	}
}

/* In steps: a call for each message would cost as much as the message. */
void shard_taken(struct shard *shard, size_t bytes)
{
	struct shard_taken *taken;

	shard->taken += bytes;
	if (shard->taken < shard->ahead_max / 8 || shard->ended)
		return;
	taken = xcalloc(1, sizeof *taken);
	*taken = (struct shard_taken){.shard = shard, .bytes = shard->taken};
	shard->taken = 0;
	shard_call(shard, shard_on_taken, taken);
}

struct ssh_engine *shard_engine(struct shard *shard)
{
	return shard->engine;
}

/* --- the threads ---------------------------------------------------------------------------- */

static void *shard_main(void *arg)
{
	struct shard *shard = arg;

	loop_run(shard->loop);
	loop_flush(shard->loop);
	ssh_engine_free(shard->engine);
	loop_free(shard->loop);
	return NULL;
}

static void shard_on_stop(void *arg)
{
	struct shard *shard = arg;

	loop_stop(shard->loop);
}

/* Signals are for the main thread. */
static int shard_start_thread(struct shard *shard)
{
	sigset_t all, before;
	int error;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&shard->thread, NULL, shard_main, shard);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

static void shard_set_loop(struct shard *shard, const struct shards *shards, struct loop *loop)
{
	shard->loop = loop;
	shard->engine = ssh_engine_new_part(loop, shards->max);
	shard->in = (struct shard_way){.from = shards->loop, .to = loop};
	shard->out = (struct shard_way){.from = loop, .to = shards->loop};
	shard->ahead_max = SHARDS_AHEAD / shards->max;
	if (shard->ahead_max < SHARD_AHEAD)
		shard->ahead_max = SHARD_AHEAD;
}

static bool shard_start(struct shard *shard, const struct shards *shards)
{
	struct loop *loop = loop_try();
	char name[16];

	if (!loop)
		return false;
	shard_set_loop(shard, shards, loop);
	if (shard_start_thread(shard) != 0) {
		ssh_engine_free(shard->engine);
		loop_free(loop);
		return false;
	}
	shard->threaded = true;
	(void)snprintf(name, sizeof name, "io-%u", shards->count);
	(void)pthread_setname_np(shard->thread, name);
	return true;
}

static void shards_add(struct shards *shards)
{
	struct shard *shard = xcalloc(1, sizeof *shard);

	if (!shard_start(shard, shards)) {
		log_warn("only %u threads can be had for connections", shards->count);
		if (shards->count) {
			shards->max = shards->count;
			free(shard);
			return;
		}
		/* Slower, and better than nothing. */
		shards->max = 1;
		shard_set_loop(shard, shards, shards->loop);
	}
	shards->shards = xrealloc(shards->shards, shards->count + 1, sizeof(struct shard *));
	shards->shards[shards->count++] = shard;
}

struct shards *shards_new(struct loop *loop, unsigned count)
{
	struct shards *shards = xcalloc(1, sizeof *shards);

	shards->loop = loop;
	shards->max = count ? count : 1;
	return shards;
}

void shards_free(struct shards *shards)
{
	if (!shards)
		return;
	/* Who is to be freed by this loop still calls. */
	loop_flush(shards->loop);
	/* What waits to cross goes first. */
	for (unsigned i = 0; i < shards->count; i++) {
		if (!shards->shards[i]->threaded)
			continue;
		shard_call(shards->shards[i], shard_on_stop, shards->shards[i]);
		shard_depart(&shards->shards[i]->in);
	}
	for (unsigned i = 0; i < shards->count; i++) {
		if (shards->shards[i]->threaded)
			(void)pthread_join(shards->shards[i]->thread, NULL);
		shards->shards[i]->ended = true;
	}
	/* A departure that was deferred may still look at its way. */
	loop_flush(shards->loop);
	for (unsigned i = 0; i < shards->count; i++) {
		if (!shards->shards[i]->threaded)
			ssh_engine_free(shards->shards[i]->engine);
		free(shards->shards[i]);
	}
	free(shards->shards);
	free(shards);
}

unsigned shards_running(const struct shards *shards)
{
	return shards->count;
}

struct shard *shards_pick(struct shards *shards)
{
	struct shard *least = NULL;

	for (unsigned i = 0; i < shards->count; i++)
		if (!least || shards->shards[i]->lines < least->lines)
			least = shards->shards[i];
	if (!least || (least->lines >= SHARD_BUSY && shards->count < shards->max)) {
		shards_add(shards);
		least = shards->shards[shards->count - 1];
	}
	least->lines++;
	return least;
}

void shard_leave(struct shard *shard)
{
	shard->lines--;
}
