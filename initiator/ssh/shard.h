/*
 * The I/O threads: each has a loop, and the SSH sessions on it belong to it alone. Everybody else
 * lives on the main loop. What crosses is a call with an argument that changes hands; calls of one
 * round of a loop cross together, in order.
 */
#ifndef MUSTER_SHARD_H
#define MUSTER_SHARD_H

#include <stdbool.h>
#include <stddef.h>

#include "engine.h"
#include "loop.h"

struct shards;
struct shard;

/* At most count threads (at least 1), each started when there is work for it. Where none can be
 * had, what is called runs on the main loop. Belongs to the thread of that. */
struct shards *shards_new(struct loop *loop, unsigned count);

/* After everything that lives on the threads was told to go, or will be by what is deferred on the
 * main loop: they finish what was called, and end. What they tell meanwhile comes before this
 * returns. NULL is fine. */
void shards_free(struct shards *shards);

/* How many threads there are by now. */
unsigned shards_running(const struct shards *shards);

/* The thread for one more connection: the one with the fewest, or a new one when all have enough to
 * do. shard_leave when it is gone. From the main loop. */
struct shard *shards_pick(struct shards *shards);
void shard_leave(struct shard *shard);

/* fn(arg) soon on the thread of the shard. From the main loop. */
void shard_call(struct shard *shard, loop_fn *fn, void *arg);

/* fn(arg) soon on the main loop. From the thread of the shard. */
void shard_tell(struct shard *shard, loop_fn *fn, void *arg);

/*
 * How much is told and not taken, of all that lives on a thread: the main loop may be slower than
 * what thousands of hosts say, each within its own bounds. From the thread: so many bytes are being
 * told; is that enough for now; and what wants to go on when it is less. From the main loop: so
 * many were taken.
 */
struct shard_wait {
	struct shard_wait *next;
	struct shard_wait **prev; /* NULL: it does not wait */
	loop_fn *fn;
	void *arg;
};
void shard_ahead(struct shard *shard, size_t bytes);
bool shard_is_full(const struct shard *shard);
void shard_wait(struct shard *shard, struct shard_wait *wait); /* again: no effect */
void shard_unwait(struct shard_wait *wait);
void shard_taken(struct shard *shard, size_t bytes);

/* Its helpers and loop. For its own thread. */
struct ssh_engine *shard_engine(struct shard *shard);

#endif
