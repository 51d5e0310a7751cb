/* What goes into the log, and where it stands there. */
#include <stdlib.h>

#include "store_private.h"

#include "alloc.h"
#include "message.h"

static void store_log_seal(struct store *store)
{
	ledger_seal(store->ledger, store->segment);
	store->segment++;
	store->at = 0;
}

/* The first of what a batch has for a segment: what is before it, and durable when the batch is
 * written, is not taken for a torn tail later. In front of the first entry there is nothing. */
static void store_log_mark(struct store *store, struct queue_batch *batch)
{
	if (batch->log.len || !store->at)
		return;
	entry_put_synced(&batch->log, store->mark, 0);
	queue_add_mark(batch, store->segment, store->at);
	store->at += ENTRY_SYNCED_SIZE;
	ledger_grow(store->ledger, store->segment, store->at);
}

static bool store_log_place(struct store *store, size_t len, uint64_t job, struct store_slot *slot)
{
	slot->batch = writer_fill(store->writer, &slot->queue);
	if (!slot->batch)
		return false;
	store_log_mark(store, slot->batch);
	slot->out = &slot->batch->log;
	slot->begin = slot->out->len;
	slot->place = (struct store_place){
		.segment = store->segment,
		.at = store->at,
		.len = (uint32_t)len,
		.job_low = (uint32_t)job,
		.job_high = (uint32_t)(job >> 32),
	};
	return true;
}

bool store_log_begin(struct store *store, size_t len, uint64_t job, struct store_slot *slot)
{
	if (store->at && store->at + ENTRY_SYNCED_SIZE + len > store->segment_size)
		store_log_seal(store);
	/* Each begins with the numbers that must not be lost with the database. */
	if (!store->at)
		store_log_head(store);
	return store_log_place(store, len, job, slot);
}

void store_log_end(struct store *store, struct store_slot *slot)
{
	if (slot->out->len - slot->begin != slot->place.len)
		abort();
	queue_add_log(slot->queue, slot->batch, slot->begin, slot->place.segment, slot->place.at);
	store->at += slot->place.len;
	ledger_grow(store->ledger, store->segment, store->at);
	store->unmarked = true;
	writer_filled(store->writer);
}

void store_log_idle(struct store *store)
{
	struct queue *queue;
	struct queue_batch *batch;

	if (!store->unmarked || writer_pending(store->writer))
		return;
	batch = writer_fill(store->writer, &queue);
	if (!batch)
		return;
	store_log_mark(store, batch);
	store->unmarked = false;
	writer_filled(store->writer);
}

void store_log_rotate(struct store *store)
{
	if (!store->at)
		return;
	store_log_seal(store);
	store_log_sweep(store);
}

void store_log_head(struct store *store)
{
	struct entry_head head = {.generation = store->generation, .last_id = store->last_id};
	struct store_slot slot;

	if (!store_log_place(store, entry_prefix(MSG_STORE_HEAD), 0, &slot))
		return;
	entry_put_head(slot.out, store->mark, ++store->seq, &head);
	store_log_end(store, &slot);
}

void store_log_gone(struct store *store, uint64_t job, uint32_t until)
{
	struct store_slot slot;

	if (!store_log_begin(store, entry_prefix(MSG_STORE_GONE), 0, &slot))
		return;
	entry_put_gone(slot.out, store->mark, ++store->seq, job);
	store_log_end(store, &slot);
	ledger_add_gone(store->ledger, until, slot.place);
}

void store_log_op(struct store *store, struct rowop *op)
{
	struct queue *queue;
	struct queue_batch *batch = writer_fill(store->writer, &queue);

	if (!batch) {
		rowop_free(op);
		return;
	}
	queue_add_op(queue, batch, op);
	writer_filled(store->writer);
}

void store_log_sweep(struct store *store)
{
	struct ledger_dead dead;

	while (ledger_take_dead(store->ledger, &dead)) {
		struct queue *queue;
		struct queue_batch *batch = writer_fill(store->writer, &queue);
		struct queue_unlink unlink = {
			.segment = dead.segment, .early = !dead.moved, .size = dead.size};

		if (!batch)
			return;
		queue_add_unlink(batch, &unlink);
		writer_filled(store->writer);
	}
}
