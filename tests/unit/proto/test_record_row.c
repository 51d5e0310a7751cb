/* proto/record_row.c: single rows, against what msgpack-c makes of the same record. */
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
#include "utf8.h"
#include "wire.h"

#define ROUNDS 20000

/* xorshift: the same numbers in every run. */
static uint64_t random_next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void put(struct buf *rows, const struct record *record)
{
	rows->len += record_row_head(buf_room(rows, RECORD_HEAD_MAX), record);
	buf_add(rows, record->value, record->len);
	rows->len += record_row_tail(buf_room(rows, RECORD_TAIL_MAX), record);
}

static void assert_as_msgpack(const struct record *record)
{
	struct buf ours = {0}, theirs = {0};
	struct record back;

	put(&ours, record);
	wire_put_array(&theirs, 4);
	wire_put_u64(&theirs, record->stream);
	wire_put_u64(&theirs, record->flags);
	wire_put_u64(&theirs, record->time_ns);
	wire_put_text(&theirs, record->value, record->len);
	assert_int_equal(ours.len, theirs.len);
	assert_memory_equal(ours.data, theirs.data, ours.len);

	assert_int_equal(record_row_get(ours.data, ours.len, &back), ours.len);
	assert_int_equal(back.stream, record->stream);
	assert_int_equal(back.flags, record->flags);
	assert_true(back.time_ns == record->time_ns);
	assert_int_equal(back.len, record->len);
	assert_memory_equal(back.value, record->value, record->len);
	assert_int_equal(back.is_text, utf8_valid(record->value, record->len));
	buf_done(&ours);
	buf_done(&theirs);
}

static void test_as_msgpack(void **state)
{
	static const uint64_t numbers[] = {
		0,
		1,
		0x7f,
		0x80,
		0xff,
		0x100,
		0xffff,
		0x10000,
		UINT32_MAX,
		1ull + UINT32_MAX,
		1700000000123456789,
		UINT64_MAX,
	};
	static const size_t lengths[] = {0,   1,   31,	  32,	 33,
					 255, 256, 65535, 65536, LIMIT_RECORD_VALUE};
	uint8_t *value = xmalloc(LIMIT_RECORD_VALUE);

	(void)state;
	for (int binary = 0; binary < 2; binary++) {
		memset(value, binary ? 0xff : 'a', LIMIT_RECORD_VALUE);
		for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
			for (size_t k = 0; k < ARRAY_LEN(lengths); k++)
				assert_as_msgpack(&(struct record){.stream = numbers[i],
								   .flags = numbers[i],
								   .time_ns = numbers[i],
								   .value = value,
								   .len = lengths[k]});
	}
	free(value);
}

static void make_rows(struct buf *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		put(rows, &(struct record){.stream = STREAM_ERROR,
					   .time_ns = 1000 + i,
					   .value = (const uint8_t *)"some value",
					   .len = i % 10});
}

static void test_skip(void **state)
{
	struct buf rows = {0};
	struct record record;
	size_t at;

	(void)state;
	make_rows(&rows, 100);
	assert_int_equal(record_rows_skip(rows.data, rows.len, 0), 0);
	assert_int_equal(record_rows_skip(rows.data, rows.len, 100), rows.len);
	assert_int_equal(record_rows_skip(rows.data, rows.len, SIZE_MAX), rows.len);
	for (size_t i = 0; i < 100; i++) {
		at = record_rows_skip(rows.data, rows.len, i);
		assert_true(record_row_get(rows.data + at, rows.len - at, &record) > 0);
		assert_int_equal(record.time_ns, 1000 + i);
		assert_int_equal(record.len, i % 10);
	}
	assert_int_equal(record_rows_skip(NULL, 0, 5), 0);
	buf_done(&rows);
}

static void test_until(void **state)
{
	struct buf rows = {0};
	size_t len = 77;

	(void)state;
	make_rows(&rows, 100);
	assert_int_equal(record_rows_until(rows.data, rows.len, 100, 999, &len), 0);
	assert_int_equal(len, 0);
	assert_int_equal(record_rows_until(rows.data, rows.len, 100, 1000, &len), 1);
	assert_int_equal(len, record_rows_skip(rows.data, rows.len, 1));
	assert_int_equal(record_rows_until(rows.data, rows.len, 100, 1041, &len), 42);
	assert_int_equal(len, record_rows_skip(rows.data, rows.len, 42));
	assert_int_equal(record_rows_until(rows.data, rows.len, 7, UINT64_MAX, &len), 7);
	assert_int_equal(record_rows_until(rows.data, rows.len, 200, UINT64_MAX, &len), 100);
	assert_int_equal(len, rows.len);
	buf_done(&rows);
}

/* Exact allocations, so that a byte too far is seen by the sanitizer. */
static void test_cut_rows(void **state)
{
	struct buf rows = {0};
	struct record record = {.stream = 99};

	(void)state;
	put(&rows,
	    &(struct record){.stream = 1,
			     .flags = 300,
			     .time_ns = UINT64_MAX,
			     .value = (const uint8_t *)"0123456789012345678901234567890123456789",
			     .len = 40});
	for (size_t n = 0; n < rows.len; n++) {
		uint8_t *cut = xmalloc(n ? n : 1);

		memcpy(cut, rows.data, n);
		assert_int_equal(record_row_get(cut, n, &record), 0);
		assert_int_equal(record_rows_skip(cut, n, 1), 0);
		free(cut);
	}
	assert_int_equal(record.stream, 99);
	buf_done(&rows);
}

static void test_not_rows(void **state)
{
	static const char *const bad[] = {
		"\x93\x01\x01\x01",			/* three fields */
		"\x94\xff\x01\x01\xa0",			/* a negative number */
		"\x94\x01\xa1x\x01\xa0",		/* text for a number */
		"\x94\x01\x01\x01\xdb\xff\xff\xff\xff", /* longer than what is there */
		"\x94\x01\x01\x01\x92\x01",		/* an array that is not whole */
		"\x94\x01\x01\x01\xc1",			/* no object */
		"\x95\x01\x01\x01\x91\x01",		/* without its schema */
		"\x95\x01\x01\x01\x91\x01\xa1x",	/* text for a schema */
		"\x96\x01\x01\x01\x91\x01\x01\x01",	/* six fields */
	};
	struct record record;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(record_row_get((const uint8_t *)bad[i], strlen(bad[i]), &record),
				 0);
}

/* A typed row is [1, nil, {"a": 2}] of schema 300, and numbers and nil stand between. */
static void test_typed_rows(void **state)
{
	static const uint8_t value[] = "\x93\x01\xc0\x81\xa1\x61\x02";
	static const struct record made[] = {
		{.value = value, .len = 7, .is_typed = true, .nodes = 6, .schema = 300},
		{.value = (const uint8_t *)"text", .len = 4, .flags = RECORD_NO_EOL},
		{.value = value + 1, .len = 1, .is_typed = true, .nodes = 1},
		{.value = value + 2, .len = 1, .is_typed = true, .nodes = 1, .time_ns = 5},
		{.value = value, .len = 7, .is_typed = true, .nodes = 6, .schema = UINT64_MAX},
	};
	struct buf rows = {0};
	struct record back;
	size_t at = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(made); i++)
		put(&rows, &made[i]);
	for (size_t i = 0; i < ARRAY_LEN(made); i++) {
		assert_int_equal(record_rows_skip(rows.data, rows.len, i), at);
		at += record_row_get(rows.data + at, rows.len - at, &back);
		assert_int_equal(back.is_typed, made[i].is_typed);
		assert_int_equal(back.len, made[i].len);
		assert_memory_equal(back.value, made[i].value, made[i].len);
		assert_int_equal(back.nodes, made[i].nodes);
		assert_true(back.schema == made[i].schema);
		assert_int_equal(back.time_ns, made[i].time_ns);
	}
	assert_int_equal(at, rows.len);
	for (size_t n = 0; n < 4 + 7 + 3; n++)
		assert_int_equal(record_row_get(rows.data, n, &back), 0);
	buf_done(&rows);
}

/* Whatever the bytes are: it ends, inside of them, and what it returns lies inside of them. */
static void test_random_bytes(void **state)
{
	uint64_t seed = 20240229;
	struct record record;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		size_t len = random_next(&seed) % 48, n;
		uint8_t *rows = xmalloc(len ? len : 1);

		for (size_t k = 0; k < len; k++)
			rows[k] = (uint8_t)random_next(&seed);
		if (len)
			rows[0] = i % 2 ? 0x94 : 0x95;
		n = record_row_get(rows, len, &record);
		assert_true(n <= len);
		if (n && !record.schema)
			assert_true(record.value + record.len == rows + n);
		assert_true(record_rows_skip(rows, len, 9) <= len);
		free(rows);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_msgpack),   cmocka_unit_test(test_skip),
		cmocka_unit_test(test_until),	     cmocka_unit_test(test_cut_rows),
		cmocka_unit_test(test_not_rows),     cmocka_unit_test(test_typed_rows),
		cmocka_unit_test(test_random_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
