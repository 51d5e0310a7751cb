/* csv and tsv, and what becomes of a cell. */
#include "parse_run.h"

#define UNPARSED(why, raw) "value {\"$error\":\"" why "\",\"$raw\":" raw "} unparsed\n"

static const struct parse_case csv_cases[] = {
	{"nothing", PARSE_CSV, NULL, "", 0, ""},
	{"header alone", PARSE_CSV, NULL, "a,b\n", 0, "schema 1(a,b)\n"},
	{"rows", PARSE_CSV, NULL, "name,size\nx,1\ny,2", 0,
	 "schema 1(name,size)\nrow 1[\"x\",1]\nrow 1[\"y\",2]\n"},
	{"CRLF and empty lines", PARSE_CSV, NULL, "a,b\r\n\r\n1,2\r\n\n", 0,
	 "schema 1(a,b)\nrow 1[1,2]\n"},
	{"byte order mark", PARSE_CSV, NULL, "\xef\xbb\xbf\"a\",b\n1,2\n", 0,
	 "schema 1(a,b)\nrow 1[1,2]\n"},
	{"quotes", PARSE_CSV, NULL, "a,b\n\"x,\"\"y\"\"\",\"1\n2\"\n\"\",3\n", 0,
	 "schema 1(a,b)\nrow 1[\"x,\"y\"\",\"1\\x0a2\"]\nrow 1[\"\",3]\n"},
	{"CRLF in quotes", PARSE_CSV, NULL, "a\n\"1\r\n2\"\r\n", 0,
	 "schema 1(a)\nrow 1[\"1\\x0d\\x0a2\"]\n"},
	{"a quote inside of a cell is text", PARSE_CSV, NULL, "a,b\n5\" disk,x\n", 0,
	 "schema 1(a,b)\nrow 1[\"5\" disk\",\"x\"]\n"},
	{"quoted is text", PARSE_CSV, NULL, "a,b\n\"1\",\"true\"\n", 0,
	 "schema 1(a,b)\nrow 1[\"1\",\"true\"]\n"},
	{"empty at the end", PARSE_CSV, NULL, "a,b\n1,\n,\n", 0,
	 "schema 1(a,b)\nrow 1[1,nil]\nrow 1[nil,nil]\n"},
	{"delimiter", PARSE_CSV, ";", "a;b\n1,5;2\n", 0, "schema 1(a,b)\nrow 1[\"1,5\",2]\n"},
	{"delimiter in words", PARSE_CSV, "\\t", "a\tb\n1\t\"2\"\n", 0,
	 "schema 1(a,b)\nrow 1[1,\"2\"]\n"},
	{"names", PARSE_CSV, NULL, "a,a,,a_2,\xff,a\n1,2,3,4,5,6\n", 0,
	 "schema 1(a,a_2,column3,a_2_2,column5,a_3)\nrow 1[1,2,3,4,5,6]\n"},
	{"wrong number of cells", PARSE_CSV, NULL, "a,b\n1\n1,2,3\r\n1,2\n", 0,
	 "schema 1(a,b)\n" UNPARSED("the row has 1 cells, the header 2", "\"1\"")
		 UNPARSED("the row has 3 cells, the header 2", "\"1,2,3\\x0d\"") "row 1[1,2]\n"},
	{"something after a quote", PARSE_CSV, NULL, "a,b\n1,\"2\"3\n4,5\n", 0,
	 "schema 1(a,b)\n" UNPARSED("cell 2: something follows the quote that ends it",
				    "\"1,\"2\"3\"") "row 1[4,5]\n"},
	{"bad header", PARSE_CSV, NULL, "\"a\"b\n1\n", 0,
	 UNPARSED("the row that names the columns is malformed", "\"\"a\"b\"")
		 UNPARSED("the row that names the columns is malformed", "\"1\"")},
	{"a stray quote does not take all", PARSE_CSV, NULL, "a,b\n1,\"2\n3,4\n5,\"6\"\n7,\"8", 0,
	 "schema 1(a,b)\n" UNPARSED("cell 2: something follows the quote that ends it",
				    "\"1,\"2\\x0a3,4\\x0a5,\"6\"\"")
		 UNPARSED("cell 2: its quote is not closed", "\"7,\"8\"")},
	{"a quote that is not closed", PARSE_CSV, NULL, "a,b\n1,\"2\n3,4\n5,6", 0,
	 "schema 1(a,b)\n" UNPARSED("cell 2: its quote is not closed",
				    "\"1,\"2\"") "row 1[3,4]\nrow 1[5,6]\n"},
	{"fault_42: bytes", PARSE_CSV, NULL, BYTES("a,b\n\xff,x\0y\n"),
	 "schema 1(a,b)\nrow 1[b\"\\xff\",\"x\\x00y\"]\n"},
};

static const struct parse_case tsv_cases[] = {
	{"rows", PARSE_TSV, NULL, "a\tb\n1\t2\r\n", 0, "schema 1(a,b)\nrow 1[1,2]\n"},
	{"no quotes", PARSE_TSV, NULL, "a\tb\n\"1\t2\"\n", 0,
	 "schema 1(a,b)\nrow 1[\"\"1\",\"2\"\"]\n"},
	{"escapes", PARSE_TSV, NULL, "a\tb\nx\\ty\\nz\\r\\\\t\t\\q\\\n", 0,
	 "schema 1(a,b)\nrow 1[\"x\\x09y\\x0az\\x0d\\t\",\"\\q\\\"]\n"},
	{"nothing in a cell", PARSE_TSV, NULL, "a\tb\tc\n\\N\t\t\\\\N\n", 0,
	 "schema 1(a,b,c)\nrow 1[nil,nil,\"\\N\"]\n"},
	{"wrong number", PARSE_TSV, NULL, "a\tb\n1\n", 0,
	 "schema 1(a,b)\n" UNPARSED("the row has 1 cells, the header 2", "\"1\"")},
};

/* One cell, and the value that it is. */
static const struct {
	const char *cell, *value;
} cells[] = {
	{"0", "0"},
	{"12", "12"},
	{"-12", "-12"},
	{"18446744073709551615", "18446744073709551615"},
	{"18446744073709551616", "\"18446744073709551616\""},
	{"-9223372036854775808", "-9223372036854775808"},
	{"-9223372036854775809", "\"-9223372036854775809\""},
	{"007", "\"007\""},
	{"+1", "\"+1\""},
	{" 1", "\" 1\""},
	{"0x10", "\"0x10\""},
	{"1.5", "1.5f"},
	{"-0.25", "-0.25f"},
	{"1e3", "1000f"},
	{"1.", "\"1.\""},
	{".5", "\".5\""},
	{"00.5", "\"00.5\""},
	{"1.2.3", "\"1.2.3\""},
	{"1e999", "\"1e999\""},
	{"1e", "\"1e\""},
	{"NaN", "\"NaN\""},
	{"inf", "\"inf\""},
	{"-", "\"-\""},
	{"true", "true"},
	{"false", "false"},
	{"True", "\"True\""},
	{"null", "\"null\""},
	{"2024-01-31T12:00:00Z", "\"2024-01-31T12:00:00Z\""},
	{"10%", "\"10%\""},
	{"\xc3\xa9", "\"\xc3\xa9\""},
	{"\xc3", "b\"\\xc3\""},
};

static void test_csv(void **state)
{
	(void)state;
	run_cases(csv_cases, ARRAY_LEN(csv_cases));
}

static void test_tsv(void **state)
{
	(void)state;
	run_cases(tsv_cases, ARRAY_LEN(tsv_cases));
}

static void test_cells(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cells); i++) {
		char *input = xasprintf("c\n%s\n", cells[i].cell);
		char *expected = xasprintf("schema 1(c)\nrow 1[%s]\n", cells[i].value);
		struct parse_case c = {cells[i].cell, PARSE_CSV, NULL, input, 0, expected};

		run_cases(&c, 1);
		free(input);
		free(expected);
	}
}

/* --- limits ---------------------------------------------------------------------------------- */

static void columns_put(struct buf *out, size_t count, char c)
{
	for (size_t i = 0; i < count; i++) {
		if (i)
			buf_add_char(out, ',');
		buf_add_char(out, c);
	}
	buf_add_char(out, '\n');
}

static void test_columns(void **state)
{
	struct run_count c;
	struct parse *p;
	struct buf text = {0};

	(void)state;
	columns_put(&text, LIMIT_COLUMNS, 'c');
	columns_put(&text, LIMIT_COLUMNS, '1');
	p = run_counter(PARSE_CSV, NULL, &c);
	parse_add(p, text.data, text.len);
	run_finish(p);
	assert_int_equal(c.typed, 1);
	assert_int_equal(c.unparsed, 0);
	buf_clear(&text);
	columns_put(&text, LIMIT_COLUMNS + 1, 'c');
	columns_put(&text, LIMIT_COLUMNS + 1, '1');
	p = run_counter(PARSE_CSV, NULL, &c);
	parse_add(p, text.data, text.len);
	run_finish(p);
	assert_int_equal(c.records, 2);
	assert_int_equal(c.unparsed, 2);
	buf_done(&text);
}

static void name_schema(void *arg, uint64_t schema, const char *const *columns, size_t count)
{
	(void)arg;
	(void)schema;
	assert_int_equal(count, 2);
	assert_int_equal(strlen(columns[0]), LIMIT_COLUMN_NAME);
	assert_true(strlen(columns[1]) <= LIMIT_COLUMN_NAME);
	assert_true(utf8_valid(columns[1], strlen(columns[1])));
	assert_string_not_equal(columns[0], columns[1]);
}

static void test_long_names(void **state)
{
	static const struct parse_events events = {run_count_record, name_schema};
	struct run_count c = {0};
	struct parse *p = run_new(PARSE_CSV, NULL, &events, &c);

	(void)state;
	run_repeat(p, "\xe2\x82\xac", 1000);
	parse_add(p, ",", 1);
	run_repeat(p, "\xe2\x82\xac", 1000);
	parse_add(p, "\n1,2\n", 5);
	run_finish(p);
	assert_int_equal(c.typed, 1);
	assert_int_equal(c.unparsed, 0);
}

static void test_big_row(void **state)
{
	struct run_count c;
	struct parse *p = run_counter(PARSE_CSV, NULL, &c);

	(void)state;
	parse_add(p, "a\n", 2);
	run_repeat(p, "x", LIMIT_TYPED_VALUE - 6);
	assert_int_equal(c.records, 0);
	parse_add(p, "\n", 1);
	assert_int_equal(c.typed, 1);
	run_repeat(p, "x", LIMIT_TYPED_VALUE - 5);
	parse_add(p, "\n1\n", 3);
	run_finish(p);
	assert_int_equal(c.typed, 2);
	assert_int_equal(c.bytes, LIMIT_TYPED_VALUE - 5);
}

/* Lines that leave a quote open, whether one looks at them after another such line or alone: a
 * parser that begins again at each would never come to an end. */
static void test_quotes_that_never_close(void **state)
{
	static const char *const lines[] = {"x\",\"\n", "\"\n", "\"\"\"\n", "a,\"b\n"};
	struct buf text = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct run_count c;
		struct parse *p = run_counter(PARSE_CSV, NULL, &c);

		parse_add(p, "a,b\n\"", 5);
		buf_clear(&text);
		while (text.len < LIMIT_LINE_JSON)
			buf_add_str(&text, lines[i]);
		run_repeat(p, buf_cstr(&text), 4);
		assert_true(parse_pending(p) <= LIMIT_LINE_JSON);
		run_finish(p);
		assert_true(c.records > 0);
	}
	buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_csv),
		cmocka_unit_test(test_tsv),
		cmocka_unit_test(test_cells),
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_big_row),
		cmocka_unit_test(test_quotes_that_never_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
