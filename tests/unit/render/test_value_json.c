/* Typed values as JSON, and as YAML: exact, bounded, whole whatever the bytes are. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "limits.h"
#include "typed_values.h"
#include "value_json.h"

static void gives_in(enum value_json_dialect dialect, const struct buf *value, const char *want)
{
	struct value_in in = value_in(value->data, value->len);
	struct buf out = {0};

	value_json(&out, &in, dialect);
	assert_string_equal(buf_cstr(&out), want);
	buf_done(&out);
}

#define GIVES_IN(dialect, want, ...)              \
	do {                                      \
		struct buf value_ = {0};          \
		TYPED(&value_, __VA_ARGS__);      \
		gives_in(dialect, &value_, want); \
		buf_done(&value_);                \
	} while (0)
#define GIVES(want, ...) GIVES_IN(VALUE_JSON, want, __VA_ARGS__)

static void scalars(void **state)
{
	(void)state;
	GIVES("null", "n");
	GIVES("true", "t");
	GIVES("false", "f");
	GIVES("\"\"", "s");
	GIVES("\"a\\n\\\"\\u001b[2J\\u202e\"", "sa\n\"\033[2J\u202e");
	GIVES("{\"$bytes\":\"//5h\"}", "b\xff\xfe"
				       "a");
	GIVES("{\"$bytes\":\"\"}", "b");
}

static void integers_are_exact(void **state)
{
	(void)state;
	GIVES("0", "u0");
	GIVES("9007199254740993", "u9007199254740993");
	GIVES("18446744073709551615", "u18446744073709551615");
	GIVES("-9223372036854775808", "i-9223372036854775808");
	GIVES("-1", "i-1");
}

static void floats_read_back(void **state)
{
	static const double values[] = {0.1, 1.0 / 3, 5e-324, 1.7976931348623157e308,
					123456789.125};
	char text[VALUE_FLOAT_SIZE];

	(void)state;
	GIVES("0.5", "f0.5");
	GIVES("3.0", "f3");
	GIVES("-0.0", "f-0.0");
	GIVES("1.0e+300", "f1e300");
	GIVES("1.5e-07", "f1.5e-7");
	GIVES("[null,null,null]", "[3", "fnan", "finf", "f-inf");
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
		assert_true(strtod(value_json_float(text, values[i]), NULL) == values[i]);
}

static void times(void **state)
{
	(void)state;
	GIVES("\"1970-01-01T00:00:00Z\"", "@0.0");
	GIVES("\"2026-03-01T12:34:56.123456Z\"", "@1772368496.123456000");
	GIVES("\"2026-03-01T12:34:56.000000001Z\"", "@1772368496.1");
	GIVES("\"1969-12-31T23:59:59.500000Z\"", "@-1.500000000");
	GIVES("\"9999-12-31T23:59:59Z\"", "@253402300799.0");
	GIVES("\"@253402300800\"", "@253402300800.0");
	GIVES("\"@-9223372036854775808.000005\"", "@-9223372036854775808.5000");
}

static void containers(void **state)
{
	(void)state;
	GIVES("[]", "[0");
	GIVES("{}", "{0");
	GIVES("[1,[2,[]],{},\"x\"]", "[4", "u1", "[2", "u2", "[0", "{0", "sx");
	GIVES("{\"a\":1,\"b\":{\"c\":[null,true]},\"d\":\"\"}", "{3", "sa", "u1", "sb", "{1", "sc",
	      "[2", "n", "t", "sd", "s");
	GIVES("{\"7\":1,\"-7\":2,\"0.5\":3,\"true\":4,\"null\":5,\"1970-01-01T00:00:00Z\":6}", "{6",
	      "u7", "u1", "i-7", "u2", "f0.5", "u3", "t", "u4", "n", "u5", "@0.0", "u6");
}

static void objects_follow_one_another(void **state)
{
	struct buf value = {0}, out = {0};
	struct value_in in;

	(void)state;
	TYPED(&value, "[1", "u1", "{1", "sa", "u2");
	in = value_in(value.data, value.len);
	value_json(&out, &in, VALUE_JSON);
	buf_add_char(&out, ' ');
	value_json(&out, &in, VALUE_JSON);
	assert_string_equal(buf_cstr(&out), "[1] {\"a\":2}");
	assert_ptr_equal(in.next, in.end);
	buf_done(&value);
	buf_done(&out);
}

/* What ends too early is closed: still JSON. */
static void faults_are_null(void **state)
{
	(void)state;
	gives_in(VALUE_JSON, &(const struct buf){0}, "null");
	GIVES("null", "[3", "u1");
	GIVES("[\"ab\",null]", "[2", "sab");
	GIVES("{\"ab\":null}", "{1", "sab");
	GIVES("{\"abc\":1,\"\":null}", "{2", "sabc", "u1");
	GIVES("[[null]]", "[1", "[1", "[1");
}

static void depth_is_bounded(void **state)
{
	static const struct {
		unsigned depth;
		const char *inside;
	} rows[] = {{LIMIT_MSG_DEPTH, "7"}, {LIMIT_MSG_DEPTH + 1, "null"}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct buf value = {0}, want = {0};

		for (unsigned k = 0; k < rows[i].depth; k++)
			wire_put_array(&value, 1);
		wire_put_u64(&value, 7);
		for (unsigned k = 0; k < LIMIT_MSG_DEPTH; k++)
			buf_add_char(&want, '[');
		buf_add_str(&want, rows[i].inside);
		for (unsigned k = 0; k < LIMIT_MSG_DEPTH; k++)
			buf_add_char(&want, ']');
		gives_in(VALUE_JSON, &value, buf_cstr(&want));
		buf_done(&value);
		buf_done(&want);
	}
}

/* As deep as it goes, from bytes that nobody has checked. */
static void a_million_levels(void **state)
{
	struct buf value = {0}, out = {0};
	struct value_in in;

	(void)state;
	memset(buf_room(&value, 1000000), 0x91, 1000000);
	value.len = 1000000;
	in = value_in(value.data, value.len);
	value_json(&out, &in, VALUE_JSON);
	assert_int_equal(out.len, 2 * LIMIT_MSG_DEPTH + 4);
	buf_done(&value);
	buf_done(&out);
}

static void yaml_has_blanks_and_long_keys(void **state)
{
	char key[1100], want[1200];

	(void)state;
	GIVES_IN(VALUE_YAML, "{\"a\": [1, 2], \"b\": {\"$bytes\": \"/w==\"}, \"c\": \"\\ufffe\"}",
		 "{3", "sa", "[2", "u1", "u2", "sb", "b\xff", "sc", "s\xef\xbf\xbe");
	memset(key, 'k', sizeof key - 1);
	key[0] = 's';
	key[sizeof key - 1] = '\0';
	(void)snprintf(want, sizeof want, "{\"a\": 1, ? \"%s\": 2}", key + 1);
	GIVES_IN(VALUE_YAML, want, "{2", "sa", "u1", key, "u2");
}

static void row_is(const struct buf *value, const char *const *columns, size_t count,
		   const char *want)
{
	struct buf out = {0};

	value_json_row(&out, value->data, value->len, columns, count, VALUE_JSON);
	assert_string_equal(buf_cstr(&out), want);
	buf_done(&out);
}

static void rows_are_objects_in_the_order_of_columns(void **state)
{
	static const char *const columns[] = {"pid", "name", "odd \"key\""};
	struct buf value = {0};

	(void)state;
	TYPED(&value, "[3", "u1", "sinit", "[1", "n");
	row_is(&value, columns, 3, "{\"pid\":1,\"name\":\"init\",\"odd \\\"key\\\"\":[null]}");
	row_is(&value, NULL, 0, "[1,\"init\",[null]]");
	/* More and fewer than there are columns. */
	row_is(&value, columns, 2, "{\"pid\":1,\"name\":\"init\",\"3\":[null]}");
	buf_clear(&value);
	TYPED(&value, "[1", "u1");
	row_is(&value, columns, 3, "{\"pid\":1,\"name\":null,\"odd \\\"key\\\"\":null}");
	buf_clear(&value);
	TYPED(&value, "[3", "sabc");
	row_is(&value, columns, 2, "{\"pid\":\"abc\",\"name\":null}");
	buf_clear(&value);
	TYPED(&value, "u1");
	row_is(&value, columns, 3, "1");
	buf_done(&value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scalars),
		cmocka_unit_test(integers_are_exact),
		cmocka_unit_test(floats_read_back),
		cmocka_unit_test(times),
		cmocka_unit_test(containers),
		cmocka_unit_test(objects_follow_one_another),
		cmocka_unit_test(faults_are_null),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(a_million_levels),
		cmocka_unit_test(yaml_has_blanks_and_long_keys),
		cmocka_unit_test(rows_are_objects_in_the_order_of_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
