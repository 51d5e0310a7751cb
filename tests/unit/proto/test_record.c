/* proto/record.c: batches of records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "limits.h"
#include "record.h"
#include "wire.h"

struct seen {
	uint64_t child;
	uint64_t first_seq;
	size_t count;
	size_t stop_after; /* 0: never */
	struct record last;
	char last_value[64];
};

static int see(void *arg, uint64_t child, uint64_t seq, const struct record *record)
{
	struct seen *seen = arg;

	if (!seen->count)
		seen->first_seq = seq;
	assert_true(seq == seen->first_seq + seen->count);
	seen->count++;
	seen->child = child;
	seen->last = *record;
	if (record->len < sizeof seen->last_value) {
		memcpy(seen->last_value, record->value, record->len);
		seen->last_value[record->len] = '\0';
	}
	return seen->count == seen->stop_after ? 77 : 0;
}

static void add(struct record_batch *batch, uint64_t stream, uint64_t flags, const char *value,
		size_t len)
{
	record_batch_add(batch, &(struct record){.stream = stream,
						 .flags = flags,
						 .time_ns = 1700000000123456789,
						 .value = (const uint8_t *)value,
						 .len = len});
}

static void test_round_trip(void **state)
{
	struct record_batch batch = {0};
	struct seen seen = {0};
	struct buf body = {0};

	(void)state;
	add(&batch, STREAM_OUTPUT, 0, "first", 5);
	add(&batch, STREAM_ERROR, RECORD_CONTINUES | RECORD_NO_EOL, "\xff\0", 2);
	records_put(&body, 12, UINT64_C(1) << 40, &batch);
	assert_int_equal(records_get(body.data, body.len, see, &seen, NULL), 0);
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.child, 12);
	assert_true(seen.first_seq == UINT64_C(1) << 40);
	assert_int_equal(seen.last.stream, STREAM_ERROR);
	assert_int_equal(seen.last.flags, 3);
	assert_true(seen.last.time_ns == 1700000000123456789);
	assert_int_equal(seen.last.len, 2);
	assert_false(seen.last.is_text);
	assert_memory_equal(seen.last_value, "\xff\0", 2);

	seen = (struct seen){.stop_after = 1};
	assert_int_equal(records_get(body.data, body.len, see, &seen, NULL), 77);
	assert_int_equal(seen.count, 1);
	assert_true(seen.last.is_text);
	assert_string_equal(seen.last_value, "first");

	for (size_t n = 0; n < body.len; n++) {
		seen = (struct seen){0};
		assert_int_equal(records_get(body.data, n, see, &seen, NULL), ERR_PROTO);
		assert_int_equal(seen.count, 0);
	}
	record_batch_done(&batch);
	buf_done(&body);
}

static void test_empty_batch(void **state)
{
	struct record_batch batch = {0};
	struct seen seen = {0};
	struct buf body = {0};

	(void)state;
	records_put(&body, 1, 0, &batch);
	assert_int_equal(records_get(body.data, body.len, see, &seen, NULL), 0);
	assert_int_equal(seen.count, 0);
	record_batch_done(&batch);
	buf_done(&body);
}

/* A batch that stops when it is full always makes a good message, whatever it holds. */
static void fill_and_get(const char *value, size_t len)
{
	struct record_batch batch = {0};
	struct seen seen = {0};
	struct buf body = {0};
	struct errmsg msg = {""};
	size_t count;

	while (!record_batch_is_full(&batch))
		add(&batch, STREAM_OUTPUT, 0, value, len);
	count = batch.count;
	records_put(&body, UINT64_MAX, 5, &batch);
	assert_true(body.len <= LIMIT_FRAME_BODY);
	if (records_get(body.data, body.len, see, &seen, &msg) != 0)
		fail_msg("refused: %s", msg.text);
	assert_int_equal(seen.count, count);
	record_batch_clear(&batch);
	assert_false(record_batch_is_full(&batch));
	assert_int_equal(batch.rows.len, 0);
	record_batch_done(&batch);
	buf_done(&body);
}

static void test_full_batches(void **state)
{
	char *large = xmalloc(LIMIT_RECORD_VALUE);

	(void)state;
	memset(large, 'x', LIMIT_RECORD_VALUE);
	fill_and_get("", 0);
	fill_and_get("some line of text", 17);
	fill_and_get(large, LIMIT_RECORD_VALUE);
	fill_and_get(large, LIMIT_RECORD_VALUE - 20);
	memset(large, 0xff, LIMIT_RECORD_VALUE);
	fill_and_get(large, LIMIT_RECORD_VALUE);
	free(large);
}

/* RECORDS_MAX bounds what the size alone would let through. */
static void test_count_bounds_batch(void **state)
{
	struct record_batch batch = {0};

	(void)state;
	while (!record_batch_is_full(&batch))
		record_batch_add(&batch, &(struct record){.value = (const uint8_t *)""});
	assert_int_equal(batch.count, RECORDS_MAX);
	assert_true(batch.rows.len < LIMIT_RECORDS_BATCH);
	record_batch_done(&batch);
}

static void assert_refused(const struct buf *body, int code, const char *text)
{
	struct seen seen = {0};
	struct errmsg msg = {""};

	assert_int_equal(records_get(body->data, body->len, see, &seen, &msg), code);
	if (!strstr(msg.text, text) || !strstr(msg.text, "message RECORDS: "))
		fail_msg("\"%s\" does not say \"%s\"", msg.text, text);
}

/* [child, seq, [[stream, 0, 0, value]]] with the one thing wrong that the caller names. */
static void put_one(struct buf *body, uint64_t seq, uint64_t stream, size_t value_len)
{
	char *value = xcalloc(value_len + 1, 1);

	buf_clear(body);
	wire_put_array(body, 3);
	wire_put_u64(body, 1);
	wire_put_u64(body, seq);
	wire_put_array(body, 1);
	wire_put_array(body, 4);
	wire_put_u64(body, stream);
	wire_put_u64(body, 0);
	wire_put_u64(body, 0);
	wire_put_bin(body, value, value_len);
	free(value);
}

static void test_refusals(void **state)
{
	struct buf body = {0};

	(void)state;
	put_one(&body, 0, STREAM_COUNT, 1);
	assert_refused(&body, ERR_PROTO, "record 0: field stream: is 7, at most 6");
	put_one(&body, 0, 0, LIMIT_RECORD_VALUE + 1);
	assert_refused(&body, ERR_LIMIT, "record 0: field value: has size 65537");
	put_one(&body, UINT64_MAX, 0, 1);
	assert_refused(&body, ERR_PROTO, "field seq: ");

	buf_clear(&body);
	buf_add(&body, "\x93\x01\x01\x91\x93\x00\x00\x00", 8);
	assert_refused(&body, ERR_PROTO, "record 0: field value: is missing");
	buf_clear(&body);
	buf_add(&body, "\x93\x01\x01\x91\x94\x00\xa1x\x00\xa0", 10);
	assert_refused(&body, ERR_PROTO, "record 0: field flags: is of type str");
	buf_clear(&body);
	buf_add(&body, "\x93\x01\x01\x91\x01", 5);
	assert_refused(&body, ERR_PROTO, "field record: is of type int");
	buf_clear(&body);
	buf_add(&body, "\x92\x01\x01", 3);
	assert_refused(&body, ERR_PROTO, "field records: is missing");

	buf_clear(&body);
	wire_put_array(&body, 3);
	wire_put_u64(&body, 1);
	wire_put_u64(&body, 1);
	wire_put_array(&body, RECORDS_MAX + 1);
	for (unsigned i = 0; i <= RECORDS_MAX; i++)
		wire_put_nil(&body);
	assert_refused(&body, ERR_LIMIT, "field records: has size 8193");
	buf_done(&body);
}

/* Fields of a later version, in the message and in a record. */
static void test_unknown_fields(void **state)
{
	struct seen seen = {0};

	(void)state;
	assert_int_equal(
		records_get("\x94\x05\x06\x91\x97\x01\x00\x00\xa1x\xc0\x81\x01\x02\xc0\xa1z", 17,
			    see, &seen, NULL),
		0);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.child, 5);
	assert_int_equal(seen.first_seq, 6);
	assert_string_equal(seen.last_value, "x");
	/* Numbers in longer forms than they need. */
	seen = (struct seen){0};
	assert_int_equal(records_get("\x93\xd0\x05\xd3\0\0\0\0\0\0\0\x06\x91\x94\xd1\0\x01"
				     "\xd2\0\0\0\x02\xcc\x07\xdb\0\0\0\x01x",
				     30, see, &seen, NULL),
			 0);
	assert_int_equal(seen.child, 5);
	assert_int_equal(seen.last.stream, 1);
	assert_int_equal(seen.last.flags, 2);
	assert_int_equal(seen.last.time_ns, 7);
	assert_string_equal(seen.last_value, "x");
}

static void test_stream_names(void **state)
{
	(void)state;
	assert_string_equal(record_stream_name(STREAM_OUTPUT), "output");
	assert_string_equal(record_stream_name(STREAM_PROGRESS), "progress");
	assert_string_equal(record_stream_name(STREAM_COUNT), "?");
	assert_string_equal(record_stream_name(UINT64_MAX), "?");
	for (uint64_t i = 0; i < STREAM_COUNT; i++)
		assert_non_null(record_stream_name(i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),   cmocka_unit_test(test_empty_batch),
		cmocka_unit_test(test_full_batches), cmocka_unit_test(test_count_bounds_batch),
		cmocka_unit_test(test_refusals),     cmocka_unit_test(test_unknown_fields),
		cmocka_unit_test(test_stream_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
