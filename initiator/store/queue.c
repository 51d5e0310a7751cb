#include "queue.h"

#include <stdlib.h>

#include "alloc.h"
#include "clock.h"

#define QUEUE_SPARE (4u << 20) /* a log of more memory is not kept */

static void *queue_room(void *list, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return list;
	*room = *room ? *room * 2 : 4;
	return xrealloc(list, *room, size);
}

static void queue_destroy(struct queue_batch *batch)
{
	if (!batch)
		return;
	buf_done(&batch->log);
	free(batch->pieces);
	free(batch->waits);
	free(batch->unlinks);
	free(batch);
}

static void queue_empty(struct queue_batch *batch)
{
	struct rowop *op;

	while ((op = batch->ops) != NULL) {
		batch->ops = op->next;
		rowop_free(op);
	}
	buf_clear(&batch->log);
	batch->piece_count = batch->wait_count = batch->unlink_count = 0;
	batch->bytes = batch->hurry_ns = 0;
	batch->taken = batch->counted = batch->marked = false;
	batch->next = NULL;
}

void queue_done(struct queue *queue)
{
	struct queue_batch *batch;

	while ((batch = queue_pop(queue)) != NULL) {
		queue_empty(batch);
		queue_destroy(batch);
	}
	queue_destroy(queue->spare);
	*queue = (struct queue){0};
}

/* --- adding --------------------------------------------------------------------------------- */

struct queue_batch *queue_fill(struct queue *queue)
{
	struct queue_batch *batch = queue->last;

	if (batch && !batch->taken && batch->bytes < QUEUE_BATCH)
		return batch;
	batch = queue->spare;
	queue->spare = NULL;
	if (!batch)
		batch = xcalloc(1, sizeof *batch);
	batch->first_ns = clock_mono_ns();
	batch->last_op = &batch->ops;
	if (queue->last)
		queue->last->next = batch;
	else
		queue->first = batch;
	queue->last = batch;
	return batch;
}

static void queue_count(struct queue *queue, struct queue_batch *batch, uint64_t bytes)
{
	batch->bytes += bytes;
	queue->bytes += bytes;
}

static void queue_add_piece(struct queue_batch *batch, size_t begin, uint32_t segment, uint32_t at)
{
	size_t len = batch->log.len - begin, n = batch->piece_count;
	struct queue_piece *last = n ? &batch->pieces[n - 1] : NULL;

	if (last && last->segment == segment && last->at + last->len == at) {
		last->len += len;
		return;
	}
	batch->pieces = queue_room(batch->pieces, n, &batch->piece_room, sizeof *batch->pieces);
	batch->pieces[batch->piece_count++] =
		(struct queue_piece){.segment = segment, .at = at, .offset = begin, .len = len};
}

void queue_add_log(struct queue *queue, struct queue_batch *batch, size_t begin, uint32_t segment,
		   uint32_t at)
{
	queue_count(queue, batch, batch->log.len - begin);
	queue_add_piece(batch, begin, segment, at);
}

void queue_add_mark(struct queue_batch *batch, uint32_t segment, uint32_t at)
{
	queue_add_piece(batch, 0, segment, at);
	batch->marked = true;
}

void queue_add_op(struct queue *queue, struct queue_batch *batch, struct rowop *op)
{
	op->next = NULL;
	*batch->last_op = op;
	batch->last_op = &op->next;
	queue_count(queue, batch, op->bytes);
}

void queue_add_wait(struct queue_batch *batch, loop_fn *fn, void *arg)
{
	batch->waits = queue_room(batch->waits, batch->wait_count, &batch->wait_room,
				  sizeof *batch->waits);
	batch->waits[batch->wait_count++] = (struct queue_wait){fn, arg};
	if (!batch->hurry_ns)
		batch->hurry_ns = clock_mono_ns();
}

void queue_add_unlink(struct queue_batch *batch, const struct queue_unlink *unlink)
{
	batch->unlinks = queue_room(batch->unlinks, batch->unlink_count, &batch->unlink_room,
				    sizeof *batch->unlinks);
	batch->unlinks[batch->unlink_count++] = *unlink;
}

/* --- taking --------------------------------------------------------------------------------- */

struct queue_batch *queue_pop(struct queue *queue)
{
	struct queue_batch *batch = queue->first;

	if (!batch)
		return NULL;
	queue->first = batch->next;
	if (!queue->first)
		queue->last = NULL;
	queue->bytes -= batch->bytes;
	batch->next = NULL;
	return batch;
}

void queue_free(struct queue *queue, struct queue_batch *batch)
{
	queue_empty(batch);
	if (queue->spare || batch->log.size > QUEUE_SPARE)
		queue_destroy(batch);
	else
		queue->spare = batch;
}

bool queue_find(const struct queue *queue, struct store_place place, struct buf *out)
{
	for (const struct queue_batch *batch = queue->first; batch; batch = batch->next) {
		for (size_t i = 0; i < batch->piece_count; i++) {
			const struct queue_piece *piece = &batch->pieces[i];

			if (piece->segment != place.segment || piece->at > place.at ||
			    piece->at + piece->len < (uint64_t)place.at + place.len)
				continue;
			buf_add(out, batch->log.data + piece->offset + (place.at - piece->at),
				place.len);
			return true;
		}
	}
	return false;
}
