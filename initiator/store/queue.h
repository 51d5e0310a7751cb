/*
 * What waits to be written, in the order in which it was asked for, in batches. What a batch holds
 * of the log is whole frames. No lock: that is the writer's.
 */
#ifndef MUSTER_STORE_QUEUE_H
#define MUSTER_STORE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "loop.h"
#include "rowop.h"
#include "store.h"

#define QUEUE_BATCH (1u << 20)

/* Bytes of the log that belong into one segment. */
struct queue_piece {
	uint32_t segment;
	uint32_t at;
	size_t offset; /* in the log of the batch */
	size_t len;
	bool dead; /* its segment was taken away before this was written (writer_group.c) */
};

struct queue_wait {
	loop_fn *fn;
	void *arg;
};

struct queue_unlink {
	uint32_t segment; /* 0: has gone */
	bool early;	  /* nothing that waits before it is needed for it but rows */
	uint64_t size;
};

struct queue_batch {
	struct queue_batch *next;
	struct buf log;
	struct queue_piece *pieces;
	size_t piece_count, piece_room;
	struct rowop *ops, **last_op;
	struct queue_wait *waits;
	size_t wait_count, wait_room;
	struct queue_unlink *unlinks;
	size_t unlink_count, unlink_room;
	uint64_t bytes;	   /* of memory */
	uint64_t first_ns; /* when the first of it came */
	uint64_t hurry_ns; /* when somebody began to wait for it; 0: nobody does */
	bool taken;	   /* nothing is added any more */
	bool counted;	   /* its log is in the files (writer.c) */
	bool marked;	   /* the log begins with a STORE_MARK; the writer says what is in it */
};

struct queue {
	struct queue_batch *first, *last;
	struct queue_batch *spare; /* one that was used, for its memory */
	uint64_t bytes;		   /* of all batches */
};

void queue_done(struct queue *queue);

/* The batch that is added to. */
struct queue_batch *queue_fill(struct queue *queue);
/* What was appended to batch->log since begin belongs there. */
void queue_add_log(struct queue *queue, struct queue_batch *batch, size_t begin, uint32_t segment,
		   uint32_t at);
/* The same of a STORE_MARK, which is the first of the log. It is not counted: nobody waits for it.
 */
void queue_add_mark(struct queue_batch *batch, uint32_t segment, uint32_t at);
/* Takes op over. */
void queue_add_op(struct queue *queue, struct queue_batch *batch, struct rowop *op);
void queue_add_wait(struct queue_batch *batch, loop_fn *fn, void *arg);
void queue_add_unlink(struct queue_batch *batch, const struct queue_unlink *unlink);

/* Takes the first batch out; what it holds is the caller's, who gives it back by queue_free. */
struct queue_batch *queue_pop(struct queue *queue);
void queue_free(struct queue *queue, struct queue_batch *batch);

/* Appends the bytes at that place to out if they wait here. */
bool queue_find(const struct queue *queue, struct store_place place, struct buf *out);

#endif
