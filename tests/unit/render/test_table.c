#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "table.h"
#include "utf8.h"

static const struct table_column three[] = {
	{.title = "ID", .right = true},
	{.title = "STATE"},
	{.title = "COMMAND"},
};

static struct table *jobs(void)
{
	struct table *t = table_new(three, 3);

	table_row(t, (const char *const[]){"7", "Running", "uptime --pretty"});
	table_row(t, (const char *const[]){"1234", NULL, "df"});
	table_row(t, (const char *const[]){NULL, "Completed", NULL});
	return t;
}

static void expect(const struct table *t, size_t width, const char *want)
{
	struct buf out = {0};

	table_render(&out, t, width);
	assert_string_equal(buf_cstr(&out), want);
	buf_done(&out);
}

static void columns_are_aligned(void **state)
{
	struct table *t = jobs();

	(void)state;
	expect(t, 0,
	       "  ID  STATE      COMMAND\n"
	       "   7  Running    uptime --pretty\n"
	       "1234             df\n"
	       "      Completed\n");
	table_free(t);
}

static void the_last_column_is_cut(void **state)
{
	struct table *t = jobs();

	(void)state;
	expect(t, 32,
	       "  ID  STATE      COMMAND\n"
	       "   7  Running    uptime --pretty\n"
	       "1234             df\n"
	       "      Completed\n");
	expect(t, 31,
	       "  ID  STATE      COMMAND\n"
	       "   7  Running    uptime --pr...\n"
	       "1234             df\n"
	       "      Completed\n");
	expect(t, 23,
	       "  ID  STATE      COM...\n"
	       "   7  Running    upt...\n"
	       "1234             df\n"
	       "      Completed\n");
	/* Less than the other columns need. */
	expect(t, 5,
	       "  ID  STATE      ...\n"
	       "   7  Running    ...\n"
	       "1234             df\n"
	       "      Completed\n");
	table_free(t);
}

static void the_header_alone(void **state)
{
	struct table *t = table_new(three, 3);

	(void)state;
	expect(t, 80, "ID  STATE  COMMAND\n");
	table_free(t);
	t = table_new(three, 0);
	expect(t, 80, "");
	table_free(t);
	table_free(NULL);
}

static void numbers_in_the_last_column(void **state)
{
	static const struct table_column columns[] = {{.title = "HOST"},
						      {.title = "RC", .right = true}};
	struct table *t = table_new(columns, 2);

	(void)state;
	table_row(t, (const char *const[]){"a", "5"});
	table_row(t, (const char *const[]){"b", "123456"});
	expect(t, 0, "HOST      RC\na          5\nb     123456\n");
	expect(t, 11, "HOST     RC\na         5\nb     12...\n");
	table_free(t);
}

static void cells_are_copied_and_harmless(void **state)
{
	static const struct table_column columns[] = {{.title = "A"}, {.title = "B"}};
	struct table *t = table_new(columns, 2);
	char cell[16] = "x\033[2J\ny";

	(void)state;
	table_row(t, (const char *const[]){cell, "t\tt  "});
	memset(cell, '#', sizeof cell - 1);
	table_row(t, (const char *const[]){"\xff", "\u202e"});
	expect(t, 0,
	       "A              B\n"
	       "x\\x1b[2J\\x0ay  t t\n"
	       "\\xff           \\u{202e}\n");
	table_free(t);
}

static void wide_and_combining_characters(void **state)
{
	static const struct table_column columns[] = {{.title = "NAME"}, {.title = "X"}};
	struct table *t = table_new(columns, 2);

	(void)state;
	table_row(t, (const char *const[]){"\u6f22\u5b57\u6f22", "\u6f22\u5b57\u6f22\u5b57"});
	table_row(t, (const char *const[]){"e\u0301", "1"});
	expect(t, 0, "NAME    X\n\u6f22\u5b57\u6f22  \u6f22\u5b57\u6f22\u5b57\ne\u0301       1\n");
	/* Seven columns: two wide characters and the dots; with six a half one does not fit. */
	expect(t, 15, "NAME    X\n\u6f22\u5b57\u6f22  \u6f22\u5b57...\ne\u0301       1\n");
	expect(t, 14, "NAME    X\n\u6f22\u5b57\u6f22  \u6f22...\ne\u0301       1\n");
	table_free(t);
}

static void many_rows(void **state)
{
	struct table *t = table_new(three, 3);
	struct buf out = {0};
	size_t lines = 0;

	(void)state;
	for (int i = 0; i < 20000; i++)
		table_row(t, (const char *const[]){"1", "Running", "true"});
	table_render(&out, t, 0);
	for (size_t i = 0; i < out.len; i++)
		lines += out.data[i] == '\n';
	assert_int_equal(lines, 20001);
	buf_done(&out);
	table_free(t);
}

static void widths(void **state)
{
	static const struct {
		const char *text;
		size_t width;
	} rows[] = {
		{"", 0},
		{"abc", 3},
		{"\u00fcber", 4},
		{"e\u0301", 1},
		{"\u6f22\u5b57", 4},
		{"\uff21", 2},
		{"\uff71", 1},
		{"\U0001f600", 2},
		{"\u200b", 0},
		{"\u0300", 0},
		{"\ufe0f", 0},
		{"\U000e0100", 0},
		{"\uac00", 2},
		{"\u1112\u1161", 2},
		{"\u2500", 1},
		{"\U00020000", 2},
		{"\U0003fffd", 2},
		{"\U0010fffd", 1},
		{"\x01\x7f", 0},
		{"\xff\xfe", 2},
		{"a\xe2\x82", 3},
		{"\u0410\u05d0", 2},
		{"\u303f", 1},
		{"\u3000", 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (table_width(rows[i].text) != rows[i].width)
			fail_msg("row %zu: %zu columns", i, table_width(rows[i].text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_aligned),
		cmocka_unit_test(the_last_column_is_cut),
		cmocka_unit_test(the_header_alone),
		cmocka_unit_test(numbers_in_the_last_column),
		cmocka_unit_test(cells_are_copied_and_harmless),
		cmocka_unit_test(wide_and_combining_characters),
		cmocka_unit_test(many_rows),
		cmocka_unit_test(widths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
