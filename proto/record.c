#include "record.h"

#include <stdlib.h>

#include "limits.h"
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

void record_batch_add(struct record_batch *batch, const struct record *record)
{
	if (record->len > LIMIT_RECORD_VALUE || batch->count == RECORDS_MAX)
		abort();
	batch->rows.len += record_row_head(buf_room(&batch->rows, RECORD_HEAD_MAX), record);
	buf_add(&batch->rows, record->value, record->len);
	batch->count++;
}

bool record_batch_is_full(const struct record_batch *batch)
{
	return batch->rows.len >= LIMIT_RECORDS_BATCH || batch->count == RECORDS_MAX;
}

void record_batch_clear(struct record_batch *batch)
{
	buf_clear(&batch->rows);
	batch->count = 0;
}

void record_batch_done(struct record_batch *batch)
{
	buf_done(&batch->rows);
	batch->count = 0;
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

static void record_get(struct wire_in *in, struct record *record)
{
	(void)wire_enter(in, "record", LIMIT_MSG_NODES);
	record->stream = wire_get_u64(in, "stream", STREAM_COUNT - 1);
	record->flags = wire_get_u64(in, "flags", UINT64_MAX);
	record->time_ns = wire_get_u64(in, "time", UINT64_MAX);
	record->value =
		wire_get_bytes(in, "value", LIMIT_RECORD_VALUE, &record->len, &record->is_text);
	wire_leave(in);
}

int records_get(const void *data, size_t len, record_fn *fn, void *arg, struct errmsg *msg)
{
	struct errmsg inner;
	struct wire_in *in = NULL;
	uint64_t child, seq;
	size_t count;
	int r;

	r = wire_in_new(&in, data, len, &inner);
	if (r < 0)
		return err_set(msg, r, "message RECORDS: %s", inner.text);
	child = wire_get_u64(in, "child", UINT64_MAX);
	seq = wire_get_u64(in, "seq", UINT64_MAX - RECORDS_MAX);
	count = wire_enter(in, "records", RECORDS_MAX);
	for (size_t i = 0; i < count; i++) {
		struct record record = {0};

		record_get(in, &record);
		r = wire_in_end(in, &inner);
		if (r < 0) {
			(void)err_set(msg, r, "message RECORDS: record %zu: %s", i, inner.text);
			goto out;
		}
		r = fn(arg, child, seq + i, &record);
		if (r)
			goto out;
	}
	r = wire_in_end(in, &inner);
	if (r < 0)
		(void)err_set(msg, r, "message RECORDS: %s", inner.text);
out:
	wire_in_free(in);
	return r;
}
