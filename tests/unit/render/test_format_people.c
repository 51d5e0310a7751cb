/* render/format.h: table and list. */
#include "format_render.h"

#include "rows.h"

static void table_grows_its_columns(void **state)
{
	static const struct format_record others[] = {
		{.host = "db1", .stream = "error", .is_error = true, .is_text = true},
		{.host = "a-long-name.example.com", .stream = "information", .is_text = true},
		{.host = "web2", .stream = "output", .is_text = true, .no_eol = true},
	};
	struct format_state st = {0};
	struct buf out = {0};

	(void)state;
	add(&out, &format_table, &plain, &st, &record, BYTES("up"), 2);
	for (size_t i = 0; i < 3; i++)
		add(&out, &format_table, &plain, &st, &others[i], BYTES("value"), 2);
	format_table.close(&out, &plain, &st);
	assert_string_equal(buf_cstr(&out), "Host          Stream   Value\n"
					    "web1          output   up\n"
					    "db1           error    value\n"
					    "a-long-name.example.com  information  value\n"
					    "web2                     output       value\n");
	buf_done(&out);
}

static void table_of_wide_and_hostile_names(void **state)
{
	struct format_record r = record;

	(void)state;
	r.host = "\u6f22\u5b57";
	expect(&format_table, &plain, &r, "x",
	       "Host          Stream   Value\n"
	       "\u6f22\u5b57          output   x\n");
	r.host = "a\033[2J";
	expect(&format_table, &escaped, &r, "x\033c\n\ttab",
	       "Host          Stream   Value\n"
	       "a\\x1b[2J      output   x\\x1bc\\x0a\ttab\n");
}

static void table_colours_the_host(void **state)
{
	struct format_record error = record;

	(void)state;
	expect(&format_table, &terminal, &record, "x",
	       "Host          Stream   Value\n"
	       "\033[34mweb1\033[0m          output   x\n");
	error.is_error = true;
	error.stream = "error";
	expect(&format_table, &coloured, &error, "x",
	       "Host          Stream   Value\n"
	       "\033[31mweb1\033[0m          error    x\n");
}

static void without_labels_no_host_shows(void **state)
{
	(void)state;
	expect(&format_text, &bare_terminal, &record, "x", "x\n");
	expect(&format_table, &bare, &record, "x", "Stream   Value\noutput   x\n");
	expect(&format_table, &bare_terminal, &record, "x", "Stream   Value\noutput   x\n");
	expect(&format_list, &bare_terminal, &record, "x",
	       "Stream       : output\n"
	       "Time         : 2026-03-01T12:34:56.123456Z\n"
	       "Value        : x\n");
}

static void list_blocks(void **state)
{
	struct format_record never = {.host = "db1", .stream = "error", .is_error = true};
	struct format_state st = {0};
	struct buf out = {0};

	(void)state;
	add(&out, &format_list, &plain, &st, &record, BYTES("up \"x\""), 2);
	add(&out, &format_list, &plain, &st, &never, "", 0, 1);
	format_list.close(&out, &plain, &st);
	assert_string_equal(buf_cstr(&out), "ComputerName : web1\n"
					    "Stream       : output\n"
					    "Time         : 2026-03-01T12:34:56.123456Z\n"
					    "Value        : up \"x\"\n"
					    "\n"
					    "ComputerName : db1\n"
					    "Stream       : error\n"
					    "Time         : \n"
					    "Value        : \n");
	buf_done(&out);
}

static void list_on_a_terminal(void **state)
{
	struct format_record evil = record;

	(void)state;
	evil.host = "w\033";
	evil.is_text = false;
	expect(&format_list, &terminal, &evil, "\xff\033]0;x\a",
	       "ComputerName : \033[34mw\\x1b\033[0m\n"
	       "Stream       : output\n"
	       "Time         : 2026-03-01T12:34:56.123456Z\n"
	       "Value        : \\xff\\x1b]0;x\\x07\n");
}

/* A host sends what looks like another host's record: it stays inside its own. */
static void values_of_several_lines_are_indented(void **state)
{
	(void)state;
	expect(&format_list, &plain, &record, "a\n\nComputerName : db1\n",
	       "ComputerName : web1\n"
	       "Stream       : output\n"
	       "Time         : 2026-03-01T12:34:56.123456Z\n"
	       "Value        : a\n"
	       "               \n"
	       "               ComputerName : db1\n"
	       "               \n");
	expect(&format_table, &plain, &record, "a\ndb1  output  b",
	       "Host          Stream   Value\n"
	       "web1          output   a\n"
	       "                       db1  output  b\n");
	expect(&format_table, &bare, &record, "a\nb", "Stream   Value\noutput   a\n         b\n");
	expect(&format_text, &plain, &record, "a\nb", "web1: a\nb\n");
}

static void empty_outputs(void **state)
{
	(void)state;
	expect_empty(&format_table, &plain, "");
	expect_empty(&format_list, &plain, "");
}

static void jobs_among_records(void **state)
{
	static const struct row_view job = {.id = 1,
					    .name = "Job1",
					    .type = "Remote",
					    .state = "Running",
					    .location = "web1",
					    .command = "up",
					    .exit_code = -1};
	struct format_state st = {0};
	struct buf out = {0};

	(void)state;
	format_table.row(&out, &plain, &st, &job);
	add(&out, &format_table, &plain, &st, &record, BYTES("a"), 1);
	format_table.row(&out, &plain, &st, &job);
	add(&out, &format_table, &plain, &st, &record, BYTES("b"), 1);
	assert_string_equal(buf_cstr(&out),
			    "Id  Name  Type    State    HasMoreData  Location  Command\n"
			    " 1  Job1  Remote  Running  False        web1      up\n"
			    "Host          Stream   Value\n"
			    "web1          output   a\n"
			    "Id  Name  Type    State    HasMoreData  Location  Command\n"
			    " 1  Job1  Remote  Running  False        web1      up\n"
			    "Host          Stream   Value\n"
			    "web1          output   b\n");
	buf_clear(&out);
	st = (struct format_state){0};
	format_text.row(&out, &plain, &st, &job);
	add(&out, &format_text, &plain, &st, &record, BYTES("a"), 1);
	assert_string_equal(buf_cstr(&out),
			    "Id  Name  Type    State    HasMoreData  Location  Command\n"
			    " 1  Job1  Remote  Running  False        web1      up\n"
			    "web1: a\n");
	buf_clear(&out);
	st = (struct format_state){0};
	add(&out, &format_list, &bare, &st, &record, BYTES("a"), 1);
	format_list.row(&out, &bare, &st, &job);
	add(&out, &format_list, &bare, &st, &record, BYTES("b"), 1);
	assert_non_null(strstr(buf_cstr(&out), "Value        : a\n\nId          : 1\n"));
	assert_non_null(strstr(buf_cstr(&out), "InstanceId  :\n\nStream       : output\n"));
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_grows_its_columns),
		cmocka_unit_test(table_of_wide_and_hostile_names),
		cmocka_unit_test(table_colours_the_host),
		cmocka_unit_test(without_labels_no_host_shows),
		cmocka_unit_test(list_blocks),
		cmocka_unit_test(list_on_a_terminal),
		cmocka_unit_test(values_of_several_lines_are_indented),
		cmocka_unit_test(empty_outputs),
		cmocka_unit_test(jobs_among_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
