/* json, jsonl and auto. */
#include "parse_run.h"

#define UNPARSED(why, raw) "value {\"$error\":\"" why "\",\"$raw\":" raw "} unparsed\n"
#define NOT_JSON(n, why)   "not JSON from value " n " on: " why

static const struct parse_case json_values[] = {
	{"nothing", PARSE_JSON, NULL, "", 0, ""},
	{"blanks", PARSE_JSON, NULL, " \n\t\r ", 0, ""},
	{"object", PARSE_JSON, NULL, "{\"a\":1,\"b\":[true,false,null]}", 0,
	 "value {\"a\":1,\"b\":[true,false,nil]}\n"},
	{"blanks inside", PARSE_JSON, NULL, " { \"a\" : [ 1 , 2 ] ,\n\"b\":{ } } \n", 0,
	 "value {\"a\":[1,2],\"b\":{}}\n"},
	{"several documents", PARSE_JSON, NULL, "{}{\"a\":1}\n1 2\"x\"true null", 0,
	 "value {}\nvalue {\"a\":1}\nvalue 1\nvalue 2\ntext|x\nvalue true\nvalue nil\n"},
	{"an array is its elements", PARSE_JSON, NULL, "[1,\"two\",[3],{\"four\":4},null]", 0,
	 "value 1\ntext|two\nvalue [3]\nvalue {\"four\":4}\nvalue nil\n"},
	{"empty array", PARSE_JSON, NULL, "[ ]\n[]", 0, ""},
	{"two arrays", PARSE_JSON, NULL, "[1][2]", 0, "value 1\nvalue 2\n"},
	{"byte order mark", PARSE_JSON, NULL, "\xef\xbb\xbf[1]", 0, "value 1\n"},
	{"integers are exact", PARSE_JSON, NULL,
	 "[0,-0,-1,9223372036854775807,-9223372036854775808,18446744073709551615,"
	 "9007199254740993]",
	 0,
	 "value 0\nvalue 0\nvalue -1\nvalue 9223372036854775807\nvalue -9223372036854775808\n"
	 "value 18446744073709551615\nvalue 9007199254740993\n"},
	{"beyond is text", PARSE_JSON, NULL,
	 "[18446744073709551616,-9223372036854775809,[18446744073709551616],1e999,[-1e999]]", 0,
	 "text|18446744073709551616\ntext|-9223372036854775809\n"
	 "value [\"18446744073709551616\"]\ntext|1e999\nvalue [\"-1e999\"]\n"},
	{"floats", PARSE_JSON, NULL, "[1.0,-0.5,1e3,1E-2,2.5e+1,0e0]", 0,
	 "value 1f\nvalue -0.5f\nvalue 1000f\nvalue 0.01f\nvalue 25f\nvalue 0f\n"},
	{"escapes", PARSE_JSON, NULL, "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20ac\"]", 0,
	 "text|\"\\/\\x08\\x0c\\x0a\\x0d\\x09"
	 "A\xc3\xa9\xe2\x82\xac\n"},
	{"surrogates", PARSE_JSON, NULL, "[[\"\\ud83d\\ude00\\u0000\"]]", 0,
	 "value [\"\xf0\x9f\x98\x80\\x00\"]\n"},
	{"fault_42: bytes that are no text", PARSE_JSON, NULL, "{\"a\":\"\xff\"}", 0,
	 "value {\"a\":b\"\\xff\"}\n"},
	{"brackets in strings", PARSE_JSON, NULL, "[\"]}\",{\"[\":\"\\\"]\"}]", 0,
	 "text|]}\nvalue {\"[\":\"\"]\"}\n"},
	{"16 keys", PARSE_JSON, NULL,
	 "{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"j\":1,"
	 "\"k\":1,\"l\":1,\"m\":1,\"n\":1,\"o\":1,\"p\":[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15]}",
	 0,
	 "value {\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"j\":1,"
	 "\"k\":1,\"l\":1,\"m\":1,\"n\":1,\"o\":1,\"p\":[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15]}"
	 "\n"},
};

/* JSON that has no value: the next one is read. */
static const struct parse_case json_odd[] = {
	{"same key twice", PARSE_JSON, NULL, "[{\"a\":1,\"a\":2},3]", 0,
	 UNPARSED("JSON value 1: byte 11: an object has the same key twice",
		  "\"{\"a\":1,\"a\":2}\"") "value 3\n"},
	{"the same key once escaped", PARSE_JSON, NULL, "{\"a\":1,\"\\u0061\":2} 3", 0,
	 UNPARSED("JSON value 1: byte 16: an object has the same key twice",
		  "\"{\"a\":1,\"\\u0061\":2}\"") "value 3\n"},
	{"the same key in another object", PARSE_JSON, NULL, "{\"a\":{\"a\":1},\"b\":{\"a\":2}}", 0,
	 "value {\"a\":{\"a\":1},\"b\":{\"a\":2}}\n"},
	{"the same key after an object", PARSE_JSON, NULL, "{\"a\":{\"b\":1},\"a\":2}", 0,
	 UNPARSED("JSON value 1: byte 17: an object has the same key twice",
		  "\"{\"a\":{\"b\":1},\"a\":2}\"")},
	{"half a pair", PARSE_JSON, NULL,
	 "[\"\\ud83d\",\"\\ude00\",\"\\ud83dx\",\"\\ud83d\\u0041\","
	 "4]",
	 0,
	 UNPARSED("JSON value 1: byte 8: half a surrogate pair is no text", "\"\"\\ud83d\"\"")
		 UNPARSED("JSON value 2: byte 8: half a surrogate pair is no text",
			  "\"\"\\ude00\"\"")
			 UNPARSED("JSON value 3: byte 8: half a surrogate pair is no text",
				  "\"\"\\ud83dx\"\"")
				 UNPARSED("JSON value 4: byte 14: half a surrogate pair is no text",
					  "\"\"\\ud83d\\u0041\"\"") "value 4\n"},
	{"a key that is no text", PARSE_JSON, NULL, "{\"\xff\":1} 2", 0,
	 UNPARSED("JSON value 1: byte 5: a key is not valid UTF-8",
		  "b\"{\"\\xff\":1}\"") "value 2\n"},
	{"as deep as may be", PARSE_JSON, NULL, "{\"a\":[[[[[[[[[[[[1]]]]]]]]]]]]}", 0,
	 "value {\"a\":[[[[[[[[[[[[1]]]]]]]]]]]]}\n"},
	{"fault_36: too deep", PARSE_JSON, NULL, "{\"a\":[[[[[[[[[[[[[1]]]]]]]]]]]]]}2", 0,
	 UNPARSED("JSON value 1: byte 18: it is nested too deep for a record",
		  "\"{\"a\":[[[[[[[[[[[[[1]]]]]]]]]]]]]}\"") "value 2\n"},
};

static const struct parse_case json_faults[] = {
	{"no JSON", PARSE_JSON, NULL, "hello\n\nworld", 0,
	 UNPARSED(NOT_JSON("1", "byte 1: a value was expected"), "\"hello\"")
		 UNPARSED(NOT_JSON("1", "byte 1: a value was expected"), "\"world\"")},
	{"what came before stays", PARSE_JSON, NULL, "{\"a\":1}\n{\"a\":}\nx\n", 0,
	 "value {\"a\":1}\n" UNPARSED(NOT_JSON("2", "byte 6: a value was expected"), "\"{\"a\":}\"")
		 UNPARSED(NOT_JSON("2", "byte 6: a value was expected"), "\"x\"")},
	{"no comma", PARSE_JSON, NULL, "[1 2]", 0,
	 "value 1\n" UNPARSED(NOT_JSON("1", "after it, a comma or ] was expected"), "\"2]\"")},
	{"comma at the end", PARSE_JSON, NULL, "[1,]", 0,
	 "value 1\n" UNPARSED(NOT_JSON("2", "a value was expected"), "\"]\"")},
	{"comma first", PARSE_JSON, NULL, "[,1]", 0,
	 UNPARSED(NOT_JSON("1", "a value was expected"), "\",1]\"")},
	{"bracket alone", PARSE_JSON, NULL, "1]", 0,
	 "value 1\n" UNPARSED(NOT_JSON("2", "a value was expected"), "\"]\"")},
	{"array without end", PARSE_JSON, NULL, "[1,2", 0,
	 "value 1\nvalue 2\n" UNPARSED("not JSON: the output ends inside an array", "\"\"")},
	{"value without end", PARSE_JSON, NULL, "[1,{\"a\":\n2", 0,
	 "value 1\n" UNPARSED(NOT_JSON("2", "the output ends inside it"), "\"{\"a\":\"")
		 UNPARSED(NOT_JSON("2", "the output ends inside it"), "\"2\"")},
	{"string without end", PARSE_JSON, NULL, "\"abc\\\"", 0,
	 UNPARSED(NOT_JSON("1", "the output ends inside it"), "\"\"abc\\\"\"")},
	{"NUL", PARSE_JSON, NULL, BYTES("\0"),
	 UNPARSED(NOT_JSON("1", "byte 1: a value was expected"), "\"\\x00\"")},
	{"half a byte order mark", PARSE_JSON, NULL, "\xef\xbb", 0,
	 UNPARSED(NOT_JSON("1", "byte 1: a value was expected"), "b\"\\xef\\xbb\"")},
};

/* Each a line of jsonl, and what is wrong with it. */
static const struct {
	const char *line, *why;
} jsonl_faults[] = {
	{"x", "byte 1: a value was expected"},
	{"tru", "byte 1: a value was expected"},
	{"nul", "byte 1: a value was expected"},
	{"falsey", "byte 6: something follows the value"},
	{"1 2", "byte 3: something follows the value"},
	{"01", "byte 2: something follows the value"},
	{"1.", "byte 2: something follows the value"},
	{".5", "byte 1: a value was expected"},
	{"+1", "byte 1: a value was expected"},
	{"-", "byte 1: a value was expected"},
	{"1e", "byte 2: something follows the value"},
	{"NaN", "byte 1: a value was expected"},
	{"[", "byte 2: a value was expected"},
	{"[1", "byte 3: a comma or ] was expected"},
	{"[1}", "byte 3: a comma or ] was expected"},
	{"[1,]", "byte 4: a value was expected"},
	{"{", "byte 2: a key in quotes was expected"},
	{"{1:2}", "byte 2: a key in quotes was expected"},
	{"{\"a\"}", "byte 5: a colon was expected"},
	{"{\"a\":1,}", "byte 8: a key in quotes was expected"},
	{"{\"a\":1]", "byte 7: a comma or } was expected"},
	{"\"a", "byte 3: it ends inside a string"},
	{"\"a\\", "byte 4: there is no such escape in a string"},
	{"\"\\x\"", "byte 3: there is no such escape in a string"},
	{"\"\\u12g4\"", "byte 6: \\u is not followed by 4 hex digits"},
	{"\"\\u12", "byte 6: \\u is not followed by 4 hex digits"},
	{"\"\x01\"", "byte 2: a control character in a string is not escaped"},
};

static const struct parse_case jsonl_cases[] = {
	{"lines", PARSE_JSONL, NULL, "{\"a\":1}\n\n  \r\n[1,2]\r\n\"x\"\n3", 0,
	 "value {\"a\":1}\nvalue [1,2]\ntext|x\nvalue 3\n"},
	{"a bad line is one bad line", PARSE_JSONL, NULL, "1\n{\"a\"\n2\n", 0,
	 "value 1\n" UNPARSED("not a JSON line: byte 5: a colon was expected",
			      "\"{\"a\"\"") "value 2\n"},
	{"bytes", PARSE_JSONL, NULL, "\xff\n", 0,
	 UNPARSED("not a JSON line: byte 1: a value was expected", "b\"\\xff\"")},
};

static const struct parse_case auto_cases[] = {
	{"nothing", PARSE_AUTO, NULL, "", 0, ""},
	{"object", PARSE_AUTO, NULL, " {\"a\":1}\n", 0, "value {\"a\":1}\n"},
	{"array", PARSE_AUTO, NULL, "\n[1,2]", 0, "value 1\nvalue 2\n"},
	{"text", PARSE_AUTO, NULL, "  hello\n\n{\"a\":1}\n", 0,
	 "text|  hello\ntext|\ntext|{\"a\":1}\n"},
	{"blanks", PARSE_AUTO, NULL, " \n ", 0, "text| \ntext|  no_eol\n"},
	{"a number is a line", PARSE_AUTO, NULL, "12\n", 0, "text|12\n"},
	{"a log", PARSE_AUTO, NULL, "[    0.5] Linux {\n[    1.5] x\n", 0,
	 "text|[    0.5] Linux {\ntext|[    1.5] x\n"},
	{"an unfinished array", PARSE_AUTO, NULL, "[1,2", 0, "text|[1,2 no_eol\n"},
	{"a fault after an object", PARSE_AUTO, NULL, "{\"a\":1}\nx\n", 0,
	 "value {\"a\":1}\n" UNPARSED(NOT_JSON("2", "byte 1: a value was expected"), "\"x\"")},
};

static void test_values(void **state)
{
	(void)state;
	run_cases(json_values, ARRAY_LEN(json_values));
}

static void test_no_value(void **state)
{
	(void)state;
	run_cases(json_odd, ARRAY_LEN(json_odd));
}

static void test_faults(void **state)
{
	(void)state;
	run_cases(json_faults, ARRAY_LEN(json_faults));
}

static void test_jsonl(void **state)
{
	(void)state;
	run_cases(jsonl_cases, ARRAY_LEN(jsonl_cases));
}

static void test_jsonl_faults(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(jsonl_faults); i++) {
		struct parse_case c = {jsonl_faults[i].line, PARSE_JSONL, NULL,
				       jsonl_faults[i].line, 0,		  NULL};
		struct buf raw = {0};
		char *expected;

		run_put_bytes(&raw, (const uint8_t *)c.input, strlen(c.input));
		expected = xasprintf(UNPARSED("not a JSON line: %s", "\"%s\""), jsonl_faults[i].why,
				     buf_cstr(&raw));
		c.expected = expected;
		run_cases(&c, 1);
		free(expected);
		buf_done(&raw);
	}
}

static void test_auto(void **state)
{
	(void)state;
	run_cases(auto_cases, ARRAY_LEN(auto_cases));
}

/* --- limits ---------------------------------------------------------------------------------- */

/* A JSON line made of a beginning, something again and again, and an end. */
static void big_line(uint64_t kind, const char *begin, const char *unit, size_t times,
		     const char *end, struct run_count *ret)
{
	struct parse *p = run_counter(kind, NULL, ret);

	parse_add(p, begin, strlen(begin));
	run_repeat(p, unit, times);
	parse_add(p, end, strlen(end));
	run_finish(p);
}

static void test_nodes(void **state)
{
	struct run_count c;

	(void)state;
	/* The array itself counts. */
	big_line(PARSE_JSONL, "[0", ",0", LIMIT_TYPED_NODES - 2, "]\n", &c);
	assert_int_equal(c.typed, 1);
	assert_int_equal(c.unparsed, 0);
	big_line(PARSE_JSONL, "[0", ",0", LIMIT_TYPED_NODES - 1, "]\n", &c);
	assert_int_equal(c.records, 1);
	assert_int_equal(c.unparsed, 1);
}

static void test_size(void **state)
{
	struct run_count c;

	(void)state;
	/* 5 bytes before the text, and 1 of the array. */
	big_line(PARSE_JSONL, "[\"", "x", LIMIT_TYPED_VALUE - 6, "\"]\n", &c);
	assert_int_equal(c.typed, 1);
	big_line(PARSE_JSONL, "[\"", "x", LIMIT_TYPED_VALUE - 5, "\"]\n1\n", &c);
	assert_int_equal(c.typed, 1);
	assert_int_equal(c.bytes, LIMIT_TYPED_VALUE - 5 + 4);
	/* A text alone may be longer: it travels in pieces. */
	big_line(PARSE_JSON, "\"", "x", LIMIT_TYPED_VALUE, "\"\n", &c);
	assert_int_equal(c.bytes, LIMIT_TYPED_VALUE);
	assert_int_equal(c.unparsed, 0);
}

static void test_text_size(void **state)
{
	struct run_count c;

	(void)state;
	big_line(PARSE_JSON, "\"", "x", LIMIT_LINE_JSON - 2, "\" 1", &c);
	assert_int_equal(c.unparsed, 0);
	big_line(PARSE_JSON, "\"", "x", LIMIT_LINE_JSON - 1, "\" 1", &c);
	assert_int_equal(c.bytes, LIMIT_LINE_JSON + 1);
	assert_int_equal(c.unparsed, c.records - 1);
	/* The one after it is read. */
	assert_int_equal(c.typed, 1);
}

static void keys_put(struct buf *out, size_t count)
{
	buf_add_char(out, '{');
	for (size_t i = 0; i < count; i++)
		buf_addf(out, "%s\"k%zu\":%zu", i ? "," : "", i, i);
	buf_add_str(out, "}\n");
}

static void test_keys(void **state)
{
	struct run_count c;
	struct buf text = {0};

	(void)state;
	keys_put(&text, LIMIT_MAP_KEYS);
	big_line(PARSE_JSONL, "", buf_cstr(&text), 1, "", &c);
	assert_int_equal(c.unparsed, 0);
	buf_clear(&text);
	keys_put(&text, LIMIT_MAP_KEYS + 1);
	big_line(PARSE_JSONL, "", buf_cstr(&text), 1, "", &c);
	assert_int_equal(c.unparsed, 1);
	buf_done(&text);
}

static void test_array_is_streamed(void **state)
{
	struct run_count c;
	struct parse *p = run_counter(PARSE_JSON, NULL, &c);

	(void)state;
	parse_add(p, "[{}", 3);
	for (size_t i = 0; i < 1000000; i++) {
		parse_add(p, ",{\"a\":1}", 8);
		assert_true(c.records == i + 2);
		assert_true(parse_pending(p) == 0);
	}
	parse_add(p, "]", 1);
	run_finish(p);
	assert_int_equal(c.typed, 1000001);
	assert_int_equal(c.unparsed, 0);
}

static void test_auto_decides(void **state)
{
	struct run_count c;
	struct parse *p = run_counter(PARSE_AUTO, NULL, &c);

	(void)state;
	/* At an object, not at the end. */
	parse_add(p, "[{}", 3);
	assert_int_equal(c.records, 1);
	run_finish(p);
	/* At the latest when the head is full. */
	p = run_counter(PARSE_AUTO, NULL, &c);
	parse_add(p, "[1", 2);
	run_repeat(p, ",1", LIMIT_RECORD_VALUE / 2);
	assert_true(c.typed > LIMIT_RECORD_VALUE / 4);
	run_finish(p);
	/* Nothing but blanks are lines. */
	p = run_counter(PARSE_AUTO, NULL, &c);
	run_repeat(p, " \n", LIMIT_RECORD_VALUE / 2);
	assert_int_equal(c.records, LIMIT_RECORD_VALUE / 2);
	parse_add(p, "{}\n", 3);
	assert_int_equal(c.typed, 0);
	run_finish(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_no_value),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_jsonl),
		cmocka_unit_test(test_jsonl_faults),
		cmocka_unit_test(test_auto),
		cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_text_size),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_array_is_streamed),
		cmocka_unit_test(test_auto_decides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
