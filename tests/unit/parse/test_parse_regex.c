/* regex. */
#include "parse_run.h"

#define UNPARSED(why, raw) "value {\"$error\":\"" why "\",\"$raw\":" raw "} unparsed\n"

static const struct parse_case regex_cases[] = {
	{"nothing", PARSE_REGEX, "x", "", 0, ""},
	{"names", PARSE_REGEX, "^(?<host>[a-z]+):(?<port>[0-9]+)$", "web:80\ndb:5432\r\n", 0,
	 "schema 1(host,port)\nrow 1[\"web\",80]\nrow 1[\"db\",5432]\n"},
	{"numbers", PARSE_REGEX, "(a+)(?<b>b*)(c)?", "xaabby\nac\na", 0,
	 "schema 1(1,b,3)\nrow 1[\"aa\",\"bb\",nil]\nrow 1[\"a\",\"\",\"c\"]\n"
	 "row 1[\"a\",\"\",nil]\n"},
	{"no group", PARSE_REGEX, "[0-9]+", "x 12 y\n", 0, "schema 1(0)\nrow 1[12]\n"},
	{"no match", PARSE_REGEX, "^(a)$", "a\nb\n\na\n", 0,
	 "schema 1(1)\nrow 1[\"a\"]\n" UNPARSED("the line does not match the pattern", "\"b\"")
		 UNPARSED("the line does not match the pattern", "\"\"") "row 1[\"a\"]\n"},
	{"parentheses that are no groups", PARSE_REGEX, "\\((a)[()(]([]()]+)[^]()]([[:alpha:](]*)",
	 "(a()])-x(\n", 0, "schema 1(1,2,3)\nrow 1[\"a\",\")])\",\"x(\"]\n"},
	{"the same name", PARSE_REGEX, "(?<a>x)(?<a>y)", "xy\n", 0,
	 "schema 1(a,a_2)\nrow 1[\"x\",\"y\"]\n"},
	{"fault_42: NUL", PARSE_REGEX, "(a)", BYTES("a\0b\n"),
	 UNPARSED("the line has a NUL byte", "\"a\\x00b\"")},
	{"fault_42: bytes", PARSE_REGEX, "^(a).*$", BYTES("a\xff\n"),
	 "schema 1(1)\nrow 1[\"a\"]\n"},
};

static void test_lines(void **state)
{
	(void)state;
	run_cases(regex_cases, ARRAY_LEN(regex_cases));
}

static void test_refused(void **state)
{
	static const struct {
		const char *pattern;
		int code;
		const char *word;
	} cases[] = {
		{NULL, ERR_SYNTAX, "missing"},		{"", ERR_SYNTAX, "missing"},
		{"(", ERR_SYNTAX, "pattern: "},		{"[a", ERR_SYNTAX, "pattern: "},
		{"[[:alpha:", ERR_SYNTAX, "pattern: "}, {"a\\", ERR_SYNTAX, "pattern: "},
		{"(a)\\1", ERR_SYNTAX, "character 4"},	{"(?:a)", ERR_SYNTAX, "(?<name>"},
		{"(?<>a)", ERR_SYNTAX, "name"},		{"(?<a", ERR_SYNTAX, "name"},
		{"(?<a b>x)", ERR_SYNTAX, "name"},
	};
	struct errmsg msg;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct parse *p = NULL;

		assert_int_equal(
			parse_new(&p, PARSE_REGEX, cases[i].pattern, &run_events, NULL, &msg),
			cases[i].code);
		assert_non_null(strstr(msg.text, cases[i].word));
		assert_null(p);
	}
}

static int groups(size_t count, size_t name_len, size_t fill)
{
	struct buf pattern = {0};
	struct parse *p = NULL;
	int r;

	for (size_t i = 0; i < count; i++) {
		buf_add_str(&pattern, name_len ? "(?<" : "(");
		for (size_t k = 0; k < name_len; k++)
			buf_add_char(&pattern, 'n');
		buf_add_str(&pattern, name_len ? ">x)" : "x)");
	}
	while (fill--)
		buf_add_char(&pattern, 'x');
	r = parse_new(&p, PARSE_REGEX, buf_cstr(&pattern), &run_events, NULL, NULL);
	parse_free(p);
	buf_done(&pattern);
	return r;
}

static void test_limits(void **state)
{
	(void)state;
	assert_int_equal(groups(LIMIT_COLUMNS, 0, 0), 0);
	assert_int_equal(groups(LIMIT_COLUMNS + 1, 0, 0), ERR_RANGE);
	assert_int_equal(groups(1, LIMIT_COLUMN_NAME, 0), 0);
	assert_int_equal(groups(1, LIMIT_COLUMN_NAME + 1, 0), ERR_RANGE);
	assert_int_equal(groups(0, 0, LIMIT_PATTERN), 0);
	assert_int_equal(groups(0, 0, LIMIT_PATTERN + 1), ERR_RANGE);
}

static void test_long_line(void **state)
{
	struct run_count c;
	struct parse *p = run_counter(PARSE_REGEX, "^(x)", &c);

	(void)state;
	run_repeat(p, "x", LIMIT_RECORD_VALUE);
	parse_add(p, "\n", 1);
	assert_int_equal(c.typed, 1);
	run_repeat(p, "x", LIMIT_RECORD_VALUE + 1);
	parse_add(p, "\nx\n", 3);
	run_finish(p);
	assert_int_equal(c.bytes, LIMIT_RECORD_VALUE + 1);
	assert_int_equal(c.typed, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_long_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
