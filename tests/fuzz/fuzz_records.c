// NEEDS: proto
/*
 * Fuzz target: the body of RECORDS, and the same bytes as stored rows. Records that were accepted
 * must be the same when a batch of them is read again.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "fuzz.h"

#include "check.h"
#include "limits.h"
#include "record.h"

struct fuzz_records {
	struct record_batch batch;
	struct buf values; /* all of them, and what is said of each */
};

static int fuzz_record(void *arg, uint64_t child, uint64_t seq, const struct record *record)
{
	struct fuzz_records *f = arg;
	uint64_t said[] = {record->stream, record->flags, record->time_ns, record->len,
			   record->schema, record->nodes, record->is_typed};

	(void)child;
	(void)seq;
	must(record->stream < STREAM_COUNT);
	must(record->len <= (record->is_typed ? LIMIT_TYPED_VALUE : LIMIT_RECORD_VALUE));
	must(!record->is_typed ||
	     (!record->is_text && record->nodes > 0 && record->nodes <= LIMIT_TYPED_NODES &&
	      !(record->flags & RECORD_CONTINUES)));
	must(!record->schema || (record->is_typed && record->len > 0));
	must(!record->is_typed || check_body(record->value, record->len, NULL) == 0);
	record_batch_add(&f->batch, record);
	buf_add(&f->values, said, sizeof said);
	buf_add(&f->values, record->value, record->len);
	return 0;
}

static void fuzz_body(const uint8_t *data, size_t size)
{
	struct fuzz_records first = {0}, second = {0};
	struct buf body = {0};
	struct errmsg msg = {""};
	int r = records_get(data, size, fuzz_record, &first, &msg);

	must(r == 0 || msg.text[0] != '\0');
	/* Also of one that was refused in the middle: what came before it stands. */
	records_put(&body, 1, 1, &first.batch);
	must(records_get(body.data, body.len, fuzz_record, &second, NULL) == 0);
	must(first.values.len == second.values.len);
	must(!first.values.len ||
	     memcmp(first.values.data, second.values.data, first.values.len) == 0);
	must(record_rows_skip(first.batch.rows.data, first.batch.rows.len, SIZE_MAX) ==
	     first.batch.rows.len);
	record_batch_done(&first.batch);
	record_batch_done(&second.batch);
	buf_done(&first.values);
	buf_done(&second.values);
	buf_done(&body);
}

static void fuzz_rows(const uint8_t *data, size_t size)
{
	struct record record;
	size_t len = 0, count = 0, at = 0, n;

	while (at < size && (n = record_row_get(data + at, size - at, &record)) > 0) {
		must(n <= size - at);
		must(record.value >= data + at && record.value + record.len <= data + at + n);
		at += n;
		count++;
	}
	must(record_rows_skip(data, size, count) == at);
	must(record_rows_until(data, size, count, UINT64_MAX, &len) == count && len == at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_body(data, size);
	fuzz_rows(data, size);
	return 0;
}
