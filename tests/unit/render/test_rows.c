/* render/rows.h: every shape, byte for byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "err.h"
#include "rows.h"

static const uint64_t ids[] = {2, 3, 4, 9, 11, 10, UINT64_MAX, 0};

static const struct row_view parent = {
	.id = 1,
	.name = "Job1",
	.type = "Remote",
	.state = "Failed",
	.has_more_data = true,
	.location = "web1,web2,db1",
	.command = "echo \"a, b\"",
	.begin_ns = 1772368496123456789u,
	.end_ns = 1772368496123456789u + 125250000000u,
	.exit_code = -1,
	.instance_id = "f81d4fae-7dec-4d0a-a765-00a0c91e6bf6",
	.children = ids,
	.child_count = ARRAY_LEN(ids),
	.progress = "1/3 failed: db1 (exited 2)",
};

static const struct row_view child = {
	.id = 18446744073709551615u,
	.parent_id = 1,
	.name = "",
	.state = "Failed",
	.cause = "unreachable",
	.text = "connection\nrefused",
	.exit_code = 0,
	.signal = "TERM",
};

static void expect_rows(enum rows_shape shape, bool escape, size_t width,
			const struct row_view *const *views, size_t count, const char *want)
{
	struct rows *rows = rows_new(shape, escape);
	struct buf out = {0};

	for (size_t i = 0; i < count; i++)
		rows_add(rows, views[i]);
	assert_int_equal(rows_count(rows), count);
	rows_render(rows, &out, width);
	assert_string_equal(buf_cstr(&out), want);
	rows_free(rows);
	buf_done(&out);
}

static void expect_both(enum rows_shape shape, size_t width, const char *want)
{
	expect_rows(shape, false, width, (const struct row_view *const[]){&parent, &child}, 2,
		    want);
}

static void tables(void **state)
{
	(void)state;
	expect_both(
		ROWS_TABLE, 0,
		"                  Id  Name  Type    State   HasMoreData  Location       Command\n"
		"                   1  Job1  Remote  Failed  True         web1,web2,db1  echo \"a, "
		"b\"\n"
		"18446744073709551615                Failed  False\n");
	expect_both(
		ROWS_TABLE, 82,
		"                  Id  Name  Type    State   HasMoreData  Location       Command\n"
		"                   1  Job1  Remote  Failed  True         web1,web2,db1  echo "
		"\"a...\n"
		"18446744073709551615                Failed  False\n");
}

static void lists(void **state)
{
	(void)state;
	expect_both(ROWS_LIST, 40,
		    "Id          : 1\n"
		    "ParentId    :\n"
		    "Name        : Job1\n"
		    "Type        : Remote\n"
		    "State       : Failed\n"
		    "Progress    : 1/3 failed: db1 (exited 2)\n"
		    "HasMoreData : True\n"
		    "Location    : web1,web2,db1\n"
		    "Command     : echo \"a, b\"\n"
		    "ChildJobs   : 2-4,9,11,10,18446744073709551615,0\n"
		    "Cause       :\n"
		    "ExitCode    :\n"
		    "Signal      :\n"
		    "Begin       : 2026-03-01T12:34:56.123456Z\n"
		    "End         : 2026-03-01T12:37:01.373456Z\n"
		    "Duration    : 2m05.250s\n"
		    "InstanceId  : f81d4fae-7dec-4d0a-a765-00a0c91e6bf6\n"
		    "\n"
		    "Id          : 18446744073709551615\n"
		    "ParentId    : 1\n"
		    "Name        :\n"
		    "Type        :\n"
		    "State       : Failed\n"
		    "Progress    :\n"
		    "HasMoreData : False\n"
		    "Location    :\n"
		    "Command     :\n"
		    "ChildJobs   :\n"
		    "Cause       : unreachable: connection\\x0arefused\n"
		    "ExitCode    : 0\n"
		    "Signal      : TERM\n"
		    "Begin       :\n"
		    "End         :\n"
		    "Duration    :\n"
		    "InstanceId  :\n");
}

static void expect_duration(uint64_t begin_ns, uint64_t end_ns, const char *want)
{
	struct row_view row = {.id = 1, .begin_ns = begin_ns, .end_ns = end_ns, .exit_code = -1};
	struct rows *rows = rows_new(ROWS_LIST, false);
	struct buf out = {0};
	char *line = xasprintf("\nDuration    :%s\n", want);

	rows_add(rows, &row);
	rows_render(rows, &out, 0);
	if (!strstr(buf_cstr(&out), line))
		fail_msg("no '%s' in: %s", want, buf_cstr(&out));
	free(line);
	rows_free(rows);
	buf_done(&out);
}

static void durations(void **state)
{
	const uint64_t s = 1000000000, day = 86400 * s;

	(void)state;
	expect_duration(0, 0, "");
	expect_duration(day, 0, "");
	expect_duration(0, day, "");
	expect_duration(day, day, " 0.000s");
	expect_duration(day, day + 999999, " 0.000s");
	expect_duration(day, day - 1, " 0.000s");
	expect_duration(day, day + 59999 * (s / 1000), " 59.999s");
	expect_duration(day, day + 60 * s, " 1m00.000s");
	expect_duration(day, day + 3599 * s, " 59m59.000s");
	expect_duration(day, day + 3600 * s, " 1h00m00.000s");
	expect_duration(day, 3 * day + 61 * s, " 48h01m01.000s");
	expect_duration(1, UINT64_MAX, " 5124095h34m33.709s");
}

#define PARENT_JSON                                                                    \
	"{\"id\":1,\"parent_id\":null,\"name\":\"Job1\",\"type\":\"Remote\","          \
	"\"state\":\"Failed\",\"has_more_data\":true,\"location\":\"web1,web2,db1\","  \
	"\"command\":\"echo \\\"a, b\\\"\",\"begin\":\"2026-03-01T12:34:56.123456Z\"," \
	"\"end\":\"2026-03-01T12:37:01.373456Z\",\"cause\":null,\"exit_code\":null,"   \
	"\"signal\":null,\"instance_id\":\"f81d4fae-7dec-4d0a-a765-00a0c91e6bf6\","    \
	"\"children\":[2,3,4,9,11,10,18446744073709551615,0]}"
#define CHILD_JSON                                                                         \
	"{\"id\":18446744073709551615,\"parent_id\":1,\"name\":\"\",\"type\":null,"        \
	"\"state\":\"Failed\",\"has_more_data\":false,\"location\":null,\"command\":null," \
	"\"begin\":null,\"end\":null,\"cause\":\"unreachable: connection\\nrefused\","     \
	"\"exit_code\":0,\"signal\":\"TERM\",\"instance_id\":null,\"children\":[]}"

static void json(void **state)
{
	(void)state;
	expect_both(ROWS_JSON, 40, "[" PARENT_JSON ",\n" CHILD_JSON "]\n");
	expect_both(ROWS_JSONL, 40, PARENT_JSON "\n" CHILD_JSON "\n");
}

static void yaml(void **state)
{
	(void)state;
	expect_both(ROWS_YAML, 0,
		    "- id: 1\n"
		    "  parent_id: null\n"
		    "  name: \"Job1\"\n"
		    "  type: \"Remote\"\n"
		    "  state: \"Failed\"\n"
		    "  has_more_data: true\n"
		    "  location: \"web1,web2,db1\"\n"
		    "  command: \"echo \\\"a, b\\\"\"\n"
		    "  begin: \"2026-03-01T12:34:56.123456Z\"\n"
		    "  end: \"2026-03-01T12:37:01.373456Z\"\n"
		    "  cause: null\n"
		    "  exit_code: null\n"
		    "  signal: null\n"
		    "  instance_id: \"f81d4fae-7dec-4d0a-a765-00a0c91e6bf6\"\n"
		    "  children: [2, 3, 4, 9, 11, 10, 18446744073709551615, 0]\n"
		    "- id: 18446744073709551615\n"
		    "  parent_id: 1\n"
		    "  name: \"\"\n"
		    "  type: null\n"
		    "  state: \"Failed\"\n"
		    "  has_more_data: false\n"
		    "  location: null\n"
		    "  command: null\n"
		    "  begin: null\n"
		    "  end: null\n"
		    "  cause: \"unreachable: connection\\nrefused\"\n"
		    "  exit_code: 0\n"
		    "  signal: \"TERM\"\n"
		    "  instance_id: null\n"
		    "  children: []\n");
}

#define CSV_TITLES                                                           \
	"id,parent_id,name,type,state,has_more_data,location,command,begin," \
	"end,cause,exit_code,signal,instance_id,children\n"

static void csv(void **state)
{
	(void)state;
	expect_both(ROWS_CSV, 0,
		    CSV_TITLES
		    "1,,Job1,Remote,Failed,true,\"web1,web2,db1\",\"echo \"\"a, b\"\"\","
		    "2026-03-01T12:34:56.123456Z,2026-03-01T12:37:01.373456Z,,,,"
		    "f81d4fae-7dec-4d0a-a765-00a0c91e6bf6,2 3 4 9 11 10 18446744073709551615 0\n"
		    "18446744073709551615,1,\"\",,Failed,false,,,,,"
		    "\"unreachable: connection\nrefused\",0,TERM,,\n");
	expect_rows(ROWS_CSV, true, 0, (const struct row_view *const[]){&child}, 1,
		    CSV_TITLES "18446744073709551615,1,\"\",,Failed,false,,,,,"
			       "\"unreachable: connection\\x0arefused\",0,TERM,,\n");
}

static void nothing_at_all(void **state)
{
	(void)state;
	expect_rows(ROWS_TABLE, false, 0, NULL, 0,
		    "Id  Name  Type  State  HasMoreData  Location  Command\n");
	expect_rows(ROWS_LIST, false, 0, NULL, 0, "");
	expect_rows(ROWS_JSON, false, 0, NULL, 0, "[]\n");
	expect_rows(ROWS_JSONL, false, 0, NULL, 0, "");
	expect_rows(ROWS_YAML, false, 0, NULL, 0, "[]\n");
	expect_rows(ROWS_CSV, false, 0, NULL, 0, CSV_TITLES);
	rows_free(NULL);
}

/* What a daemon of bad will or a strange command line could put there. */
static void hostile_texts(void **state)
{
	static const struct row_view evil = {
		.id = 7,
		.name = "\xff\033]0;x\a",
		.state = "Running\n- id: 8",
		.command = "a\n\"b\"\u202e\uffff",
		.text = "text without a cause",
		.exit_code = -1,
	};
	const struct row_view *const one[] = {&evil};

	(void)state;
	expect_rows(
		ROWS_TABLE, false, 0, one, 1,
		"Id  Name              Type  State               HasMoreData  Location  Command\n"
		" 7  \\xff\\x1b]0;x\\x07        Running\\x0a- id: 8  False                  "
		"a\\x0a\"b\"\\u{202e}\uffff\n");
	expect_rows(ROWS_JSONL, false, 0, one, 1,
		    "{\"id\":7,\"parent_id\":null,\"name\":{\"$bytes\":\"/xtdMDt4Bw==\"},"
		    "\"type\":null,\"state\":\"Running\\n- id: 8\",\"has_more_data\":false,"
		    "\"location\":null,\"command\":\"a\\n\\\"b\\\"\\u202e\uffff\",\"begin\":null,"
		    "\"end\":null,\"cause\":null,\"exit_code\":null,\"signal\":null,"
		    "\"instance_id\":null,\"children\":[]}\n");
	expect_rows(ROWS_YAML, false, 0, one, 1,
		    "- id: 7\n"
		    "  parent_id: null\n"
		    "  name: {\"$bytes\": \"/xtdMDt4Bw==\"}\n"
		    "  type: null\n"
		    "  state: \"Running\\n- id: 8\"\n"
		    "  has_more_data: false\n"
		    "  location: null\n"
		    "  command: \"a\\n\\\"b\\\"\\u202e\\uffff\"\n"
		    "  begin: null\n"
		    "  end: null\n"
		    "  cause: null\n"
		    "  exit_code: null\n"
		    "  signal: null\n"
		    "  instance_id: null\n"
		    "  children: []\n");
	expect_rows(ROWS_CSV, false, 0, one, 1,
		    CSV_TITLES "7,,\\xff\\x1b]0;x\\x07,,\"Running\n- id: 8\",false,,"
			       "\"a\n\"\"b\"\"\u202e\uffff\",,,,,,,\n");
}

static void shapes_by_name(void **state)
{
	static const char *const names[] = {"table", "list", "json", "jsonl", "csv", "yaml"};
	enum rows_shape shape = ROWS_CSV;
	char all[64] = "";

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		assert_int_equal(rows_shape_find(names[i], &shape), 0);
		assert_int_equal(shape, i);
		strcat(strcat(all, i ? ", " : ""), names[i]);
	}
	assert_string_equal(all, ROWS_NAMES);
	shape = ROWS_CSV;
	assert_int_equal(rows_shape_find("text", &shape), ERR_NOTFOUND);
	assert_int_equal(rows_shape_find("", &shape), ERR_NOTFOUND);
	assert_int_equal(shape, ROWS_CSV);
}

/* Runs keep the line of a job of a million hosts short. */
static void a_million_children(void **state)
{
	size_t count = 1000000;
	uint64_t *many = xcalloc(count, sizeof *many);
	struct row_view row = {.id = 1, .exit_code = -1, .children = many, .child_count = count};
	struct rows *rows = rows_new(ROWS_LIST, false);
	struct buf out = {0};

	(void)state;
	for (size_t i = 0; i < count; i++)
		many[i] = i + 2;
	rows_add(rows, &row);
	rows_render(rows, &out, 0);
	assert_non_null(strstr(buf_cstr(&out), "\nChildJobs   : 2-1000001\n"));
	rows_free(rows);
	buf_done(&out);
	free(many);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables),	  cmocka_unit_test(lists),
		cmocka_unit_test(durations),	  cmocka_unit_test(json),
		cmocka_unit_test(yaml),		  cmocka_unit_test(csv),
		cmocka_unit_test(nothing_at_all), cmocka_unit_test(hostile_texts),
		cmocka_unit_test(shapes_by_name), cmocka_unit_test(a_million_children),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
