/*
 * Segments of which only a few notes are needed: these are copied to the newest, under the numbers
 * that they have, and the old segment goes when the copies are durable. Frames of records are not
 * moved, as others hold their places.
 */
#include <stdlib.h>

#include "store_private.h"

#include "alloc.h"
#include "frame.h"
#include "log.h"
#include "seglog.h"

struct store_move {
	struct store *store; /* NULL: it was closed */
	const struct disk *disk;
	struct store_place *items;
	size_t count;
	uint32_t segment;
	struct buf data; /* one behind the other */
	int rc;
};

static void store_move_run(void *arg)
{
	struct store_move *move = arg;

	for (size_t i = 0; i < move->count && move->rc == 0; i++) {
		const struct store_place *item = &move->items[i];
		size_t begin = move->data.len;
		struct frame frame;

		move->rc = seglog_read(move->disk, item->segment, item->at, item->len, &move->data);
		if (move->rc == 0 &&
		    frame_parse(move->data.data + begin, item->len, &frame, NULL) != item->len)
			move->rc = ERR_PROTO;
	}
}

static void store_move_all(struct store *store, struct store_move *move)
{
	size_t offset = 0;

	for (size_t i = 0; i < move->count; offset += move->items[i++].len) {
		struct store_place from = move->items[i];
		uint64_t job = (uint64_t)from.job_high << 32 | from.job_low;
		struct store_slot slot;

		if (!ledger_has_item(store->ledger, from))
			continue;
		if (!store_log_begin(store, from.len, job, &slot))
			return;
		buf_add(slot.out, move->data.data + offset, from.len);
		store_log_end(store, &slot);
		ledger_move(store->ledger, from, slot.place);
	}
	store_log_sweep(store);
}

static void store_move_done(void *arg, bool cancelled)
{
	struct store_move *move = arg;
	struct store *store = move->store;

	if (store)
		store->move = NULL;
	if (store && !cancelled && move->rc == 0)
		store_move_all(store, move);
	else if (store && !cancelled)
		log_warn("%08u.seg stays: not all that is needed of it can be read", move->segment);
	buf_done(&move->data);
	free(move->items);
	free(move);
	if (store && !cancelled)
		store_move(store);
}

void store_move(struct store *store)
{
	struct store_move *move;
	uint32_t segment;

	if (store->move || !store->writer || writer_has_failed(store->writer))
		return;
	segment = ledger_take_sparse(store->ledger, writer_durable_segment(store->writer));
	if (!segment)
		return;
	move = xcalloc(1, sizeof *move);
	move->store = store;
	move->disk = store->disk;
	move->segment = segment;
	move->count = ledger_items(store->ledger, segment, &move->items);
	store->move = move;
	(void)work_submit(store->pool, store_move_run, store_move_done, move);
}

void store_move_close(struct store *store)
{
	if (store->move)
		store->move->store = NULL;
	store->move = NULL;
}
