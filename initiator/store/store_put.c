/* What is asked of the store while it is open. */
#include <stdlib.h>

#include "store_private.h"

#include "alloc.h"
#include "message.h"

/* Behind the frames of a job that can be larger than one. */
static void store_put_parts(struct store *store, uint64_t job, const struct buf *blob)
{
	size_t offset = 0;

	do {
		size_t len = blob->len - offset;
		struct store_slot slot;
		struct entry_job part;

		if (len > ENTRY_DATA_MAX)
			len = ENTRY_DATA_MAX;
		part = (struct entry_job){.job = job,
					  .offset = offset,
					  .total = blob->len,
					  .data = blob->data + offset,
					  .len = len};
		if (!store_log_begin(store, entry_prefix(MSG_STORE_JOB) + len, job, &slot))
			return;
		entry_put_job(slot.out, store->mark, ++store->seq, &part);
		store_log_end(store, &slot);
		ledger_add_item(store->ledger, job, slot.place);
		offset += len;
	} while (offset < blob->len);
}

void store_put_job(struct store *store, const struct store_job *job,
		   const struct store_child *children)
{
	struct buf blob = {0};

	store_reserve_ids(store, job->id + job->child_count);
	ledger_add_job(store->ledger, job->id, job->child_count);
	entry_put_blob(&blob, job, children);
	store_put_parts(store, job->id, &blob);
	buf_done(&blob);
	store_log_op(store, rowop_put_job(job, children));
}

void store_update_job(struct store *store, const struct store_job *job)
{
	store_log_op(store, rowop_job(job));
}

void store_update_child(struct store *store, const struct store_child *child)
{
	store_log_op(store, rowop_child(child));
}

void store_remove_job(struct store *store, uint64_t id)
{
	uint32_t until = ledger_remove_job(store->ledger, id);

	if (until)
		store_log_gone(store, id, until);
	store_log_op(store, rowop_remove(id));
	store_log_sweep(store);
}

void store_put_note(struct store *store, uint64_t job, unsigned kind, uint64_t child,
		    uint64_t remote_seq, const void *data, size_t len)
{
	struct entry_note note = {.job = job,
				  .child = child,
				  .remote_seq = remote_seq,
				  .kind = kind,
				  .data = data,
				  .len = len};
	struct store_slot slot;

	if (len > ENTRY_DATA_MAX || kind > 255)
		abort();
	if (!store_log_begin(store, entry_prefix(MSG_STORE_NOTE) + len, job, &slot))
		return;
	entry_put_note(slot.out, store->mark, ++store->seq, &note);
	store_log_end(store, &slot);
	ledger_add_item(store->ledger, job, slot.place);
}

void store_put_value(struct store *store, const char *name, const void *data, size_t len)
{
	store_log_op(store, rowop_value(name, data, len));
}

void store_reserve_ids(struct store *store, uint64_t last_id)
{
	if (last_id <= store->last_id)
		return;
	store->last_id = last_id;
	store_log_head(store);
	store_log_op(store, rowop_ids(last_id));
}

struct store_place store_append(struct store *store, const struct store_frame *frame)
{
	uint64_t job = ledger_job_of(store->ledger, frame->child);
	size_t len = entry_prefix(MSG_STORE_FRAME) + frame->len;
	struct store_slot slot;

	if (frame->len > ENTRY_DATA_MAX)
		abort();
	if (!store_log_begin(store, len, job, &slot))
		return (struct store_place){0};
	entry_put_frame(slot.out, store->mark, ++store->seq, frame);
	store_log_end(store, &slot);
	ledger_add_frame(store->ledger, job, slot.place);
	return slot.place;
}

void store_release(struct store *store, struct store_place place)
{
	uint64_t job = (uint64_t)place.job_high << 32 | place.job_low;

	if (!place.segment || !job)
		return;
	ledger_release(store->ledger, job, place);
	store_log_sweep(store);
}

void store_when_durable(struct store *store, loop_fn *fn, void *arg)
{
	writer_wait(store->writer, fn, arg);
}

uint64_t store_pending(const struct store *store)
{
	return writer_pending(store->writer);
}

uint64_t store_size(const struct store *store)
{
	return writer_size(store->writer);
}

uint64_t store_generation(const struct store *store)
{
	return store->generation;
}

bool store_is_rebuilt(const struct store *store)
{
	return store->rebuilt;
}

const char *store_note(const struct store *store)
{
	return store->note;
}

struct store_damage store_damage(const struct store *store)
{
	return store->damage;
}
