/* proto/wire_in.c and wire_out.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "wire.h"

static struct wire_in *open_body(const struct buf *body)
{
	struct errmsg msg = {""};
	struct wire_in *in = NULL;

	if (wire_in_new(&in, body->data, body->len, &msg) < 0)
		fail_msg("refused: %s", msg.text);
	return in;
}

static void assert_no_fault(const struct wire_in *in)
{
	struct errmsg msg = {""};

	if (wire_in_end(in, &msg) < 0)
		fail_msg("fault: %s", msg.text);
}

static void assert_fault(const struct wire_in *in, int code, const char *text)
{
	struct errmsg msg = {""};

	assert_int_equal(wire_in_end(in, &msg), code);
	if (!strstr(msg.text, text))
		fail_msg("\"%s\" does not say \"%s\"", msg.text, text);
}

static void test_numbers(void **state)
{
	static const uint64_t u64s[] = {0,	    127,       128,	   255,
					256,	    65535,     65536,	   UINT32_MAX,
					1ull << 32, INT64_MAX, 1ull << 63, UINT64_MAX};
	static const int64_t i64s[] = {0,   -1,	   -32,	   -33,	      -128,	 -129,	   -32768,
				       127, 32768, -32769, INT32_MIN, INT64_MIN, INT64_MAX};
	struct buf body = {0};
	struct wire_in *in;

	(void)state;
	wire_put_array(&body, ARRAY_LEN(u64s) + ARRAY_LEN(i64s));
	for (size_t i = 0; i < ARRAY_LEN(u64s); i++)
		wire_put_u64(&body, u64s[i]);
	for (size_t i = 0; i < ARRAY_LEN(i64s); i++)
		wire_put_i64(&body, i64s[i]);
	in = open_body(&body);
	for (size_t i = 0; i < ARRAY_LEN(u64s); i++)
		assert_true(wire_get_u64(in, "u", UINT64_MAX) == u64s[i]);
	for (size_t i = 0; i < ARRAY_LEN(i64s); i++)
		assert_true(wire_get_i64(in, "i") == i64s[i]);
	assert_no_fault(in);
	wire_in_free(in);
	buf_done(&body);
}

static void test_strings(void **state)
{
	char long_text[70000];
	struct buf body = {0};
	struct wire_in *in;
	const uint8_t *p;
	bool is_text;
	char *text;
	size_t len;

	(void)state;
	memset(long_text, 'x', sizeof long_text - 1);
	long_text[sizeof long_text - 1] = '\0';
	wire_put_array(&body, 7);
	wire_put_str(&body, "plain \xc3\xa4");
	wire_put_str(&body, "raw \xff");
	wire_put_str(&body, NULL);
	wire_put_str(&body, "");
	wire_put_str(&body, long_text);
	wire_put_bin(&body, "\0\1", 2);
	wire_put_text(&body, "", 0);
	in = open_body(&body);
	text = wire_get_str(in, "a", 100);
	assert_string_equal(text, "plain \xc3\xa4");
	free(text);
	text = wire_get_str(in, "b", 5); /* exactly its length */
	assert_string_equal(text, "raw \xff");
	free(text);
	assert_null(wire_get_str(in, "c", 5));
	text = wire_get_str(in, "d", 0);
	assert_string_equal(text, "");
	free(text);
	text = wire_get_str(in, "e", sizeof long_text);
	assert_string_equal(text, long_text);
	free(text);
	p = wire_get_bytes(in, "f", 2, &len, &is_text);
	assert_int_equal(len, 2);
	assert_memory_equal(p, "\0\1", 2);
	assert_true(p > body.data && p < body.data + body.len);
	assert_false(is_text);
	p = wire_get_bytes(in, "g", 0, &len, &is_text);
	assert_non_null(p);
	assert_int_equal(len, 0);
	assert_true(is_text);
	assert_no_fault(in);
	wire_in_free(in);
	buf_done(&body);
}

/* Puts text with a cap and compares what arrives. */
static void assert_cut(const char *text, size_t max, const char *expected)
{
	struct buf body = {0};
	struct wire_in *in;
	char *got;

	wire_put_array(&body, 1);
	wire_put_str_cut(&body, text, max);
	in = open_body(&body);
	got = wire_get_str(in, "text", max);
	assert_no_fault(in);
	if (expected)
		assert_string_equal(got, expected);
	else
		assert_null(got);
	free(got);
	wire_in_free(in);
	buf_done(&body);
}

static void test_cut(void **state)
{
	(void)state;
	assert_cut(NULL, 5, NULL);
	assert_cut("12345", 5, "12345");
	assert_cut("123456", 5, "12...");
	assert_cut("1234", 3, "...");
	assert_cut("ab\xc3\xa4xyz", 6, "ab...");
	assert_cut("ab\xc3\xa4xyz", 7, "ab\xc3\xa4xyz");
	assert_cut("a\xf0\x9f\x98\x80xyz", 7, "a...");
	/* What is no UTF-8 may lose up to three bytes more. */
	assert_cut("\x80\x80\x80\x80\x80\x80\x80\x80\x80", 8, "\x80\x80...");
}

static void test_faults_of_type(void **state)
{
	/* [getter, what the body holds, what the fault says] */
	static const struct {
		char getter;
		const char *field;
		const char *text;
	} rows[] = {
		{'u', "\xa1x", "is of type str, not a number"},
		{'u', "\xff", "is of type int, not a number that is not negative"},
		{'u', "\xc0", "is of type nil"},
		{'u', "\x0b", "is 11, at most 10"},
		{'u', "\xca\x40\x40\x40\x40", "is of type float"},
		{'i', "\xcf\xff\xff\xff\xff\xff\xff\xff\xff", "does not fit"},
		{'i', "\xc3", "is of type bool"},
		{'b', "\x01", "is of type int, not a bool"},
		{'s', "\x01", "is of type int, not a str"},
		{'s', "\x91\x01", "is of type array"},
		{'s', "\x81\x01\x01", "is of type map"},
		{'s', "\xd6\xff\x01\x01\x01\x01", "is of type ext"},
		{'p', "\xc0", "is of type nil"},
		{'e', "\xa1x", "is of type str, not an array"},
		{'e', "\xc0", "is of type nil"},
	};
	size_t len;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf body = {0};
		struct wire_in *in;

		buf_add_char(&body, '\x91');
		buf_add_str(&body, rows[i].field);
		in = open_body(&body);
		if (rows[i].getter == 'u')
			assert_int_equal(wire_get_u64(in, "it", 10), 0);
		if (rows[i].getter == 'i')
			assert_int_equal(wire_get_i64(in, "it"), 0);
		if (rows[i].getter == 'b')
			assert_false(wire_get_bool(in, "it"));
		if (rows[i].getter == 's')
			assert_null(wire_get_str(in, "it", 100));
		if (rows[i].getter == 'p')
			assert_null(wire_get_bytes(in, "it", 100, &len, NULL));
		if (rows[i].getter == 'e')
			assert_int_equal(wire_enter(in, "it", 100), 0);
		assert_fault(in, ERR_PROTO, "field it: ");
		assert_fault(in, ERR_PROTO, rows[i].text);
		wire_in_free(in);
		buf_done(&body);
	}
}

static void test_faults_of_size(void **state)
{
	struct buf body = {0};
	struct wire_in *in;

	(void)state;
	wire_put_array(&body, 3);
	wire_put_str(&body, "abcdef");
	wire_put_array(&body, 3);
	for (int i = 0; i < 3; i++)
		wire_put_u64(&body, 1);
	wire_put_bin(&body, "a\0b", 3);

	in = open_body(&body);
	assert_null(wire_get_str(in, "word", 5));
	assert_fault(in, ERR_LIMIT, "field word: has size 6, at most 5");
	wire_in_free(in);

	in = open_body(&body);
	wire_skip(in);
	assert_int_equal(wire_enter(in, "list", 2), 0);
	assert_fault(in, ERR_LIMIT, "field list: has size 3, at most 2");
	wire_in_free(in);

	in = open_body(&body);
	wire_skip(in);
	wire_skip(in);
	assert_null(wire_get_str(in, "bytes", 5));
	assert_fault(in, ERR_PROTO, "field bytes: has a NUL byte");
	wire_in_free(in);
	buf_done(&body);
}

/* After the first fault nothing is read and nothing else is told. */
static void test_first_fault_stays(void **state)
{
	struct buf body = {0};
	struct wire_in *in;
	size_t len;

	(void)state;
	wire_put_array(&body, 3);
	wire_put_bool(&body, true);
	wire_put_u64(&body, 7);
	wire_put_array(&body, 0);
	in = open_body(&body);
	assert_int_equal(wire_get_u64(in, "first", 1), 0);
	assert_int_equal(wire_get_u64(in, "second", 100), 0);
	assert_int_equal(wire_get_i64(in, "second"), 0);
	assert_false(wire_get_bool(in, "second"));
	assert_null(wire_get_str(in, "second", 100));
	assert_null(wire_get_bytes(in, "second", 100, &len, NULL));
	assert_false(wire_has(in));
	assert_int_equal(wire_enter(in, "second", 100), 0);
	wire_leave(in);
	wire_leave(in);
	wire_skip(in);
	wire_fault(in, ERR_LIMIT, "second", "is a later fault");
	assert_fault(in, ERR_PROTO, "field first: ");
	wire_in_free(in);
	buf_done(&body);
}

static void test_nesting(void **state)
{
	struct buf body = {0};
	struct wire_in *in;

	(void)state;
	buf_add(&body, "\x93\x93\x01\x91\x02\x03\x90\x04", 8); /* [[1, [2], 3], [], 4] */
	in = open_body(&body);
	assert_int_equal(wire_enter(in, "a", 3), 3);
	assert_int_equal(wire_get_u64(in, "b", 9), 1);
	assert_int_equal(wire_enter(in, "c", 1), 1);
	assert_int_equal(wire_get_u64(in, "d", 9), 2);
	assert_false(wire_has(in));
	wire_leave(in);
	assert_true(wire_has(in));
	wire_leave(in); /* 3 is skipped */
	assert_int_equal(wire_enter(in, "e", 0), 0);
	assert_false(wire_has(in));
	wire_skip(in);
	wire_leave(in);
	assert_int_equal(wire_get_u64(in, "f", 9), 4);
	assert_no_fault(in);
	assert_int_equal(wire_get_u64(in, "g", 9), 0);
	assert_fault(in, ERR_PROTO, "field g: is missing");
	wire_in_free(in);
	buf_done(&body);
}

static void test_optional(void **state)
{
	struct buf body = {0};
	struct wire_in *in;

	(void)state;
	wire_put_array(&body, 2);
	wire_put_nil(&body);
	wire_put_u64(&body, 5);
	in = open_body(&body);
	assert_false(wire_has(in));
	wire_skip(in);
	assert_true(wire_has(in));
	assert_int_equal(wire_get_u64(in, "five", 9), 5);
	assert_false(wire_has(in));
	wire_skip(in);
	assert_no_fault(in);
	wire_in_free(in);
	buf_done(&body);
}

static void test_bad_bodies(void **state)
{
	struct wire_in *in = NULL;
	struct errmsg msg = {""};

	(void)state;
	assert_int_equal(wire_in_new(&in, "\x01", 1, &msg), ERR_PROTO);
	assert_non_null(strstr(msg.text, "of type int, not an array"));
	assert_int_equal(wire_in_new(&in, "\x80", 1, &msg), ERR_PROTO);
	assert_int_equal(wire_in_new(&in, "\xdd\xff\xff\xff\xff", 5, &msg), ERR_PROTO);
	assert_int_equal(wire_in_new(&in, "", 0, NULL), ERR_PROTO);
	assert_int_equal(wire_in_new(&in,
				     "\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91"
				     "\x91\x91\x91\x91\x01",
				     18, &msg),
			 ERR_LIMIT);
	assert_null(in);
	wire_in_free(NULL);
}

/* As deep as allowed: the reader has a place for every level. */
static void test_deepest(void **state)
{
	struct buf body = {0};
	struct wire_in *in;

	(void)state;
	for (int i = 0; i < 16; i++)
		wire_put_array(&body, 1);
	wire_put_u64(&body, 1);
	in = open_body(&body);
	for (int i = 0; i < 15; i++)
		assert_int_equal(wire_enter(in, "level", 1), 1);
	assert_int_equal(wire_get_u64(in, "leaf", 1), 1);
	for (int i = 0; i < 15; i++)
		wire_leave(in);
	assert_no_fault(in);
	wire_in_free(in);
	buf_done(&body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_faults_of_type),
		cmocka_unit_test(test_faults_of_size),
		cmocka_unit_test(test_first_fault_stays),
		cmocka_unit_test(test_nesting),
		cmocka_unit_test(test_optional),
		cmocka_unit_test(test_bad_bodies),
		cmocka_unit_test(test_deepest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
