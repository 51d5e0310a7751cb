#include "record.h"

#include <inttypes.h>
#include <stdlib.h>

#include "limits.h"
#include "record_private.h"
#include "wire.h"

static const char *const record_streams[STREAM_COUNT] = {
	[STREAM_OUTPUT] = "output",	[STREAM_ERROR] = "error",
	[STREAM_WARNING] = "warning",	[STREAM_VERBOSE] = "verbose",
	[STREAM_DEBUG] = "debug",	[STREAM_INFORMATION] = "information",
	[STREAM_PROGRESS] = "progress",
};

const char *record_stream_name(uint64_t stream)
{
	return stream < STREAM_COUNT ? record_streams[stream] : "?";
}

/* An array: the object that a row of a schema is. */
static bool record_is_row(const struct record *record)
{
	uint8_t first = record->len ? record->value[0] : 0;

	return record->is_typed && ((first & 0xf0) == 0x90 || first == 0xdc || first == 0xdd);
}

int record_check(const struct record *record, struct errmsg *msg)
{
	size_t max = record->is_typed ? LIMIT_TYPED_VALUE : LIMIT_RECORD_VALUE;

	if (record->len > max)
		return err_set(msg, ERR_LIMIT, "field value: has size %zu, at most %zu is allowed",
			       record->len, max);
	if (record->is_typed && record->nodes > LIMIT_TYPED_NODES)
		return err_set(msg, ERR_LIMIT,
			       "field value: has %" PRIu32 " objects, at most %u are allowed",
			       record->nodes, LIMIT_TYPED_NODES);
	if (record->is_typed && (record->flags & RECORD_CONTINUES))
		return err_set(msg, ERR_PROTO, "field flags: say that a typed value goes on");
	if (record->schema && !record_is_row(record))
		return err_set(msg, ERR_PROTO, "field schema: the value is no array");
	return 0;
}

void record_batch_add(struct record_batch *batch, const struct record *record)
{
	if (batch->count == RECORDS_MAX || record_check(record, NULL) < 0)
		abort();
	batch->rows.len += record_row_head(buf_room(&batch->rows, RECORD_HEAD_MAX), record);
	buf_add(&batch->rows, record->value, record->len);
	batch->count++;
	if (!record->is_typed)
		return;
	batch->rows.len += record_row_tail(buf_room(&batch->rows, RECORD_TAIL_MAX), record);
	batch->nodes += record->nodes;
}

/*
 * What a body has but for the values: itself, its three fields, and in each row the row, stream,
 * flags, time and (schema or value). A typed value counts itself.
 */
#define RECORD_BODY_NODES 4u
#define RECORD_ROW_NODES  5u

bool record_batch_is_full(const struct record_batch *batch)
{
	size_t nodes = RECORD_BODY_NODES + RECORD_ROW_NODES * (batch->count + 1) + batch->nodes;

	return batch->rows.len >= LIMIT_RECORDS_BATCH || batch->count == RECORDS_MAX ||
	       batch->nodes >= LIMIT_BATCH_NODES || nodes > LIMIT_MSG_NODES - LIMIT_TYPED_NODES;
}

void record_batch_clear(struct record_batch *batch)
{
	buf_clear(&batch->rows);
	batch->count = 0;
	batch->nodes = 0;
}

void record_batch_done(struct record_batch *batch)
{
	buf_done(&batch->rows);
	batch->count = 0;
	batch->nodes = 0;
}

void records_put(struct buf *out, uint64_t child, uint64_t first_seq,
		 const struct record_batch *batch)
{
	wire_put_array(out, 3);
	wire_put_u64(out, child);
	wire_put_u64(out, first_seq);
	wire_put_array(out, batch->count);
	buf_add(out, batch->rows.data, batch->rows.len);
}
