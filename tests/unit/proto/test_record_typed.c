/* proto/record.c and record_get.c: typed values and rows of a schema (docs/protocol.md, 6.7). */
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
#include "value.h"
#include "wire.h"

/* What came out; the values go into one buffer, one behind the other. */
struct seen {
	struct record records[8];
	size_t count;
	struct buf values;
};

static int see(void *arg, uint64_t child, uint64_t seq, const struct record *record)
{
	struct seen *seen = arg;

	(void)child;
	(void)seq;
	if (seen->count < ARRAY_LEN(seen->records))
		seen->records[seen->count] = *record;
	seen->count++;
	buf_add(&seen->values, record->value, record->len);
	return 0;
}

static void add_typed(struct record_batch *batch, const struct buf *value, uint64_t schema)
{
	struct value_in in = value_in(value->data, value->len);
	struct record record = {.value = value->data,
				.len = value->len,
				.is_typed = true,
				.schema = schema,
				.time_ns = 7};

	assert_true(value_skip(&in, &record.nodes));
	assert_true(in.next == in.end);
	record_batch_add(batch, &record);
}

static void get(const struct record_batch *batch, struct seen *seen)
{
	struct buf body = {0};
	struct errmsg msg = {""};

	records_put(&body, 3, 4, batch);
	assert_true(body.len <= LIMIT_FRAME_BODY);
	if (records_get(body.data, body.len, see, seen, &msg) != 0)
		fail_msg("%s", msg.text);
	assert_int_equal(seen->count, batch->count);
	buf_done(&body);
}

/* A number, nil, a map, a row, and a text between them. */
static void test_kinds(void **state)
{
	struct record_batch batch = {0};
	struct seen seen = {0};
	struct buf value = {0}, all = {0};

	(void)state;
	wire_put_u64(&value, UINT64_MAX);
	add_typed(&batch, &value, 0);
	record_batch_add(&batch, &(struct record){.value = (const uint8_t *)"text", .len = 4});
	buf_add(&all, value.data, value.len);
	buf_add_str(&all, "text");
	buf_clear(&value);
	value_put_map(&value, 1);
	wire_put_str(&value, "when");
	value_put_time(&value, 1700000000, 5);
	add_typed(&batch, &value, 0);
	buf_add(&all, value.data, value.len);
	buf_clear(&value);
	wire_put_array(&value, 2);
	wire_put_nil(&value);
	value_put_float(&value, 0.25);
	add_typed(&batch, &value, 40);
	buf_add(&all, value.data, value.len);
	get(&batch, &seen);

	assert_int_equal(seen.values.len, all.len);
	assert_memory_equal(seen.values.data, all.data, all.len);
	assert_true(seen.records[0].is_typed);
	assert_int_equal(seen.records[0].nodes, 1);
	assert_false(seen.records[1].is_typed);
	assert_true(seen.records[1].is_text);
	assert_int_equal(seen.records[1].nodes, 0);
	assert_int_equal(seen.records[2].nodes, 3);
	assert_int_equal(seen.records[2].schema, 0);
	assert_int_equal(seen.records[3].nodes, 3);
	assert_int_equal(seen.records[3].schema, 40);
	assert_int_equal(seen.records[3].time_ns, 7);
	record_batch_done(&batch);
	buf_done(&seen.values);
	buf_done(&value);
	buf_done(&all);
}

/* The long way of the reader must say the same: [0, 0, 0, [1], 2, nil]. */
static void test_later_fields(void **state)
{
	struct seen seen = {0};

	(void)state;
	assert_int_equal(records_get("\x93\x01\x01\x92\x96\x00\x00\x00\x91\x01\x02\xc0"
				     "\x95\x00\x00\x00\x05\xc0",
				     18, see, &seen, NULL),
			 0);
	assert_int_equal(seen.count, 2);
	assert_true(seen.records[0].is_typed);
	assert_int_equal(seen.records[0].nodes, 2);
	assert_int_equal(seen.records[0].schema, 2);
	assert_int_equal(seen.records[0].len, 2);
	assert_true(seen.records[1].is_typed);
	assert_int_equal(seen.records[1].schema, 0);
	assert_memory_equal(seen.values.data, "\x91\x01\x05", 3);
	buf_done(&seen.values);
}

static void assert_refused(const void *data, size_t len, int code, const char *words)
{
	struct seen seen = {0};
	struct errmsg msg = {""};

	assert_int_equal(records_get(data, len, see, &seen, &msg), code);
	if (!strstr(msg.text, words))
		fail_msg("\"%s\" does not say \"%s\"", msg.text, words);
	assert_int_equal(seen.count, 0);
	buf_done(&seen.values);
}

static void test_refusals(void **state)
{
	(void)state;
	assert_refused("\x93\x01\x01\x91\x94\x00\x01\x00\x05", 9, ERR_PROTO,
		       "record 0: field flags: say that a typed value goes on");
	assert_refused("\x93\x01\x01\x91\x95\x00\x00\x00\x05\x01", 10, ERR_PROTO,
		       "record 0: field schema: the value is no array");
	assert_refused("\x93\x01\x01\x91\x95\x00\x00\x00\xa1\x61\x01", 11, ERR_PROTO,
		       "record 0: field schema: the value is no array");
	assert_refused("\x93\x01\x01\x91\x95\x00\x00\x00\x81\x01\x01\x01", 12, ERR_PROTO,
		       "record 0: field schema: the value is no array");
	assert_refused("\x93\x01\x01\x91\x95\x00\x00\x00\x91\x05\xff", 11, ERR_PROTO,
		       "record 0: field schema: is of type int, not a number that is not negative");
	assert_refused("\x93\x01\x01\x91\x94\x07\x00\x00\x05", 9, ERR_PROTO,
		       "record 0: field stream: is 7, at most 6");
	assert_refused("\x05", 1, ERR_PROTO, "message RECORDS: field of the body: is of type int");
}

/* [child, seq, [[0, 0, 0, value]]] */
static void put_one(struct buf *body, const struct buf *value)
{
	buf_clear(body);
	buf_add(body, "\x93\x01\x01\x91\x94\x00\x00\x00", 8);
	buf_add(body, value->data, value->len);
}

static void put_nils(struct buf *value, size_t count)
{
	buf_clear(value);
	wire_put_array(value, count);
	memset(buf_room(value, count), 0xc0, count);
	value->len += count;
}

static void test_limits(void **state)
{
	struct buf body = {0}, value = {0};
	struct seen seen = {0};
	uint8_t *bytes = xcalloc(1, LIMIT_TYPED_VALUE);

	(void)state;
	put_nils(&value, LIMIT_TYPED_NODES - 1);
	put_one(&body, &value);
	assert_int_equal(records_get(body.data, body.len, see, &seen, NULL), 0);
	assert_int_equal(seen.records[0].nodes, LIMIT_TYPED_NODES);
	put_nils(&value, LIMIT_TYPED_NODES);
	put_one(&body, &value);
	assert_refused(body.data, body.len, ERR_LIMIT,
		       "record 0: field value: has 16385 objects, at most 16384");

	for (size_t over = 0; over < 2; over++) {
		buf_clear(&value);
		wire_put_array(&value, 1);
		wire_put_bin(&value, bytes, LIMIT_TYPED_VALUE - 6 + over);
		assert_int_equal(value.len, LIMIT_TYPED_VALUE + over);
		put_one(&body, &value);
		if (!over)
			assert_int_equal(records_get(body.data, body.len, see, &seen, NULL), 0);
		else
			assert_refused(body.data, body.len, ERR_LIMIT,
				       "record 0: field value: has size 524289, at most 524288");
	}
	assert_int_equal(seen.count, 2);
	buf_done(&seen.values);
	buf_done(&value);
	buf_done(&body);
	free(bytes);
}

/* As deep as RECORD_DEPTH_MAX says, and one deeper. */
static void test_depth(void **state)
{
	struct buf body = {0}, value = {0};
	struct seen seen = {0};

	(void)state;
	for (size_t i = 1; i < RECORD_DEPTH_MAX; i++)
		wire_put_array(&value, 1);
	wire_put_array(&value, 0);
	put_one(&body, &value);
	assert_int_equal(records_get(body.data, body.len, see, &seen, NULL), 0);
	assert_int_equal(seen.records[0].nodes, RECORD_DEPTH_MAX);
	value.data[value.len - 1] = 0x91;
	wire_put_array(&value, 0);
	put_one(&body, &value);
	assert_refused(body.data, body.len, ERR_LIMIT, "nested too deep");
	buf_done(&seen.values);
	buf_done(&value);
	buf_done(&body);
}

/* Batches that are added to until they are full pass the check, whatever comes last. */
static void fill(size_t nodes_each, uint64_t schema, size_t texts_each, bool large_last)
{
	struct record_batch batch = {0};
	struct seen seen = {0};
	struct buf small = {0}, large = {0};

	put_nils(&small, nodes_each - 1);
	put_nils(&large, LIMIT_TYPED_NODES - 1);
	for (;;) {
		struct record_batch before;

		for (size_t i = 0; i < texts_each && !record_batch_is_full(&batch); i++)
			record_batch_add(&batch, &(struct record){.value = (const uint8_t *)""});
		if (record_batch_is_full(&batch))
			break;
		before = batch;
		add_typed(&batch, &small, schema);
		if (!record_batch_is_full(&batch) || !large_last)
			continue;
		/* The largest that may come, in the place of the one that filled it. */
		batch.rows.len = before.rows.len;
		batch.count = before.count;
		batch.nodes = before.nodes;
		add_typed(&batch, &large, schema);
		assert_true(record_batch_is_full(&batch));
	}
	get(&batch, &seen);
	record_batch_clear(&batch);
	assert_false(record_batch_is_full(&batch));
	assert_int_equal(batch.nodes, 0);
	record_batch_done(&batch);
	buf_done(&seen.values);
	buf_done(&small);
	buf_done(&large);
}

static void test_full_batches(void **state)
{
	(void)state;
	for (size_t nodes = 1; nodes < 9; nodes++)
		for (size_t texts = 0; texts < 3; texts++)
			for (int last = 0; last < 2; last++) {
				fill(nodes, 0, texts, last);
				fill(nodes, UINT64_MAX, texts, last);
				fill(nodes, 1, texts, last);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),	 cmocka_unit_test(test_later_fields),
		cmocka_unit_test(test_refusals), cmocka_unit_test(test_limits),
		cmocka_unit_test(test_depth),	 cmocka_unit_test(test_full_batches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
