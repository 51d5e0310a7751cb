/* proto/value.c: typed values in their bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "check.h"
#include "value.h"
#include "wire.h"

static struct value one(const char *bytes, size_t len)
{
	struct value_in in = value_in(bytes, len);
	struct value v;

	assert_true(value_next(&in, &v));
	assert_true(in.next == in.end);
	assert_false(value_next(&in, &v));
	return v;
}

static void test_integers(void **state)
{
	static const uint64_t whole[] = {0,	    127,	128,	    255,
					 256,	    65535,	65536,	    UINT32_MAX,
					 INT64_MAX, UINT64_MAX, 1ull << 32, 1ull << 63};
	static const int64_t below[] = {
		-1,	  -32, -33, -128, -129, -32768, -32769, INT32_MIN, (int64_t)INT32_MIN - 1,
		INT64_MIN};
	struct buf b = {0};
	struct value v;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(whole); i++) {
		buf_clear(&b);
		wire_put_u64(&b, whole[i]);
		v = one((const char *)b.data, b.len);
		assert_int_equal(v.kind, VALUE_UINT);
		assert_true(v.u == whole[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(below); i++) {
		buf_clear(&b);
		wire_put_i64(&b, below[i]);
		v = one((const char *)b.data, b.len);
		assert_int_equal(v.kind, VALUE_INT);
		assert_true(v.i == below[i]);
	}
	/* The signed forms of what is not negative. */
	v = one("\xd0\x7f", 2);
	assert_int_equal(v.kind, VALUE_UINT);
	assert_int_equal(v.u, 127);
	v = one("\xd3\x7f\xff\xff\xff\xff\xff\xff\xff", 9);
	assert_int_equal(v.kind, VALUE_UINT);
	assert_true(v.u == INT64_MAX);
	buf_done(&b);
}

static void test_scalars(void **state)
{
	struct value v;

	(void)state;
	assert_int_equal(one("\xc0", 1).kind, VALUE_NIL);
	v = one("\xc3", 1);
	assert_int_equal(v.kind, VALUE_BOOL);
	assert_true(v.b);
	assert_false(one("\xc2", 1).b);
	v = one("\xca\xbf\xc0\x00\x00", 5);
	assert_int_equal(v.kind, VALUE_FLOAT);
	assert_true(v.f == -1.5);
	v = one("\xd9\x02\xc3\xa4", 4);
	assert_int_equal(v.kind, VALUE_STR);
	assert_int_equal(v.len, 2);
	assert_memory_equal(v.data, "\xc3\xa4", 2);
	v = one("\xc6\0\0\0\x01\xff", 6);
	assert_int_equal(v.kind, VALUE_BIN);
	assert_int_equal(v.len, 1);
	assert_int_equal(one("\xa0", 1).len, 0);
}

static void test_floats(void **state)
{
	static const double numbers[] = {0.0, -0.0, 1.5, 1e308, -5e-324, INFINITY, NAN};
	struct buf b = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		struct value v;

		buf_clear(&b);
		value_put_float(&b, numbers[i]);
		assert_int_equal(check_body(b.data, b.len, NULL), 0);
		v = one((const char *)b.data, b.len);
		assert_int_equal(v.kind, VALUE_FLOAT);
		assert_memory_equal(&v.f, &numbers[i], sizeof v.f);
	}
	buf_done(&b);
}

static void test_times(void **state)
{
	static const struct {
		int64_t seconds;
		uint32_t ns;
		size_t len;
	} rows[] = {
		{0, 0, 6},
		{UINT32_MAX, 0, 6},
		{UINT32_MAX, 1, 10},
		{(int64_t)UINT32_MAX + 1, 0, 10},
		{(INT64_C(1) << 34) - 1, 999999999, 10},
		{INT64_C(1) << 34, 0, 15},
		{-1, 999999999, 15},
		{INT64_MIN, 0, 15},
		{INT64_MAX, 999999999, 15},
	};
	struct buf b = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct value v;

		buf_clear(&b);
		value_put_time(&b, rows[i].seconds, rows[i].ns);
		assert_int_equal(b.len, rows[i].len);
		assert_int_equal(check_body(b.data, b.len, NULL), 0);
		v = one((const char *)b.data, b.len);
		assert_int_equal(v.kind, VALUE_TIME);
		assert_true(v.seconds == rows[i].seconds);
		assert_int_equal(v.nanoseconds, rows[i].ns);
	}
	buf_done(&b);
}

/* The same bytes are refused by the check, so that no reader meets them. */
static void test_times_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} rows[] = {
		{"\xd7\xff\xee\x6b\x28\x00\0\0\0\0", 10},	      /* 1e9 ns */
		{"\xc7\x0c\xff\x3b\x9a\xca\x00\0\0\0\0\0\0\0\0", 15}, /* the same */
		{"\xd6\x01\0\0\0\0", 6},			      /* type 1 */
		{"\xd4\xff\0", 3},				      /* one byte */
		{"\xd8\xff\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 18},     /* 16 bytes */
		{"\xc7\x00\xff", 3},				      /* none */
		{"\xd6\xff\0\0\0", 5},				      /* cut */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct value_in in = value_in(rows[i].bytes, rows[i].len);
		struct value v;

		assert_int_equal(check_body(rows[i].bytes, rows[i].len, NULL), ERR_PROTO);
		assert_false(value_next(&in, &v));
		assert_ptr_equal(in.next, rows[i].bytes);
	}
}

/* [1, {"a": [nil, 2.0]}, "x"] and then true. */
static const char nested[] = "\x93\x01\x81\xa1\x61\x92\xc0\xca\0\0\0\0\xa1x\xc3";

static void test_nested(void **state)
{
	static const enum value_kind kinds[] = {VALUE_ARRAY, VALUE_UINT,  VALUE_MAP,
						VALUE_STR,   VALUE_ARRAY, VALUE_NIL,
						VALUE_FLOAT, VALUE_STR,	  VALUE_BOOL};
	struct value_in in = value_in(nested, sizeof nested - 1);
	uint32_t nodes = 0;
	struct value v;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		assert_true(value_next(&in, &v));
		assert_int_equal(v.kind, kinds[i]);
	}
	assert_false(value_next(&in, &v));
	in = value_in(nested, sizeof nested - 1);
	assert_true(value_skip(&in, &nodes));
	assert_int_equal(nodes, 8);
	assert_true(value_skip(&in, NULL));
	assert_false(value_skip(&in, &nodes));
	assert_int_equal(nodes, 8);
}

/* Cut anywhere: a fault, and nothing beyond the end is looked at. */
static void test_cut(void **state)
{
	struct buf b = {0};

	(void)state;
	wire_put_array(&b, 20);
	for (size_t i = 0; i < 17; i++)
		wire_put_u64(&b, UINT64_MAX >> i);
	wire_put_bin(&b, nested, sizeof nested);
	value_put_time(&b, -1, 1);
	value_put_float(&b, 0.5);
	for (size_t n = 0; n < b.len; n++) {
		uint8_t *cut = xmalloc(n ? n : 1);
		struct value_in in;
		struct value v;

		memcpy(cut, b.data, n);
		in = value_in(cut, n);
		assert_false(value_skip(&in, NULL));
		assert_ptr_equal(in.next, cut);
		while (value_next(&in, &v))
			assert_true(in.next <= in.end);
		free(cut);
	}
	buf_done(&b);
}

static void test_map_heads(void **state)
{
	static const size_t counts[] = {0, 1, 15, 16, 65535, 65536};
	struct buf b = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		struct value_in in;
		struct value v;

		buf_clear(&b);
		value_put_map(&b, counts[i]);
		memset(buf_room(&b, 2 * counts[i] + 1), 0, 2 * counts[i] + 1);
		in = value_in(b.data, b.len + 2 * counts[i]);
		assert_true(value_next(&in, &v));
		assert_int_equal(v.kind, VALUE_MAP);
		assert_int_equal(v.count, counts[i]);
		in = value_in(b.data, b.len + 2 * counts[i]);
		assert_true(value_skip(&in, NULL));
		assert_true(in.next == in.end);
	}
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers),      cmocka_unit_test(test_scalars),
		cmocka_unit_test(test_floats),	      cmocka_unit_test(test_times),
		cmocka_unit_test(test_times_refused), cmocka_unit_test(test_nested),
		cmocka_unit_test(test_cut),	      cmocka_unit_test(test_map_heads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
