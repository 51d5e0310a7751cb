/* What hosts say of the agents they keep. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "agent_rows.h"
#include "capture.h"
#include "payload.h"

#define OLD "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct format_record web1 = {.host = "web1", .stream = "output", .seq = 1};

static void add(struct agent_rows *rows, const char *line)
{
	agent_rows_add(rows, web1, line, strlen(line));
}

static void shows(const char *format, const char *const *lines, size_t count, const char *want)
{
	struct render_style style = {.labels = true};
	struct agent_rows *rows = agent_rows_new(format_find(format), &style);
	struct capture capture;
	struct buf got = {0};

	for (size_t i = 0; i < count; i++)
		add(rows, lines[i]);
	assert_int_equal(agent_rows_count(rows), count);
	capture_begin(&capture);
	(void)agent_rows_print(rows);
	capture_read(&capture, 0, &got);
	capture_end(&capture);
	assert_string_equal(buf_cstr(&got), want);
	buf_done(&got);
	agent_rows_free(rows);
}

static void a_table_by_default(void **state)
{
	static const char *const lines[] = {"x86_64\t" OLD "\t/root/.cache/muster/agent-x",
					    "aarch64\t0123456789abcdef\t/tmp/a b"};

	(void)state;
	shows("table", lines, 2,
	      "Host          Arch     Version       Path\n"
	      "web1          x86_64   0123456789ab  /root/.cache/muster/agent-x\n"
	      "web1          aarch64  0123456789ab  /tmp/a b\n");
	shows("table", NULL, 0, "");
	shows("json", NULL, 0, "[]\n");
}

static void objects_for_programs(void **state)
{
	static const char *const lines[] = {"x86_64\t" OLD "\t/x"};

	(void)state;
	shows("jsonl", lines, 1,
	      "{\"host\":\"web1\",\"job\":0,\"child\":0,\"stream\":\"output\",\"seq\":1,"
	      "\"time\":null,\"value\":{\"Arch\":\"x86_64\",\"Version\":\"0123456789ab\","
	      "\"Path\":\"/x\"}}\n");
}

static void the_one_that_we_carry_is_current(void **state)
{
	size_t count = 0;
	const struct payload *payloads = payload_list(&count);
	char line[256], want[256];
	const char *lines[] = {line};

	(void)state;
	for (size_t i = 0; i < count; i++) {
		(void)snprintf(line, sizeof line, "%s\t%s\t/x", payloads[i].arch,
			       payloads[i].sha256);
		(void)snprintf(want, sizeof want, "web1: Arch=%s Version=current Path=/x\n",
			       payloads[i].arch);
		shows("text", lines, 1, want);
	}
}

/* Whatever else a host says is shown, and harmless in a table. */
static void lines_that_are_none(void **state)
{
	static const char cut[] = "x86_64\t" OLD;
	static const char *const lines[] = {"no agent here", "x\t1234\t/x", cut, "\t\t", "",
					    "\xff"};

	(void)state;
	shows("text", lines, 6,
	      "web1: no agent here\nweb1: x\t1234\t/x\nweb1: x86_64\t" OLD
	      "\nweb1: \t\t\nweb1: \nweb1: \xff\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_by_default),
		cmocka_unit_test(objects_for_programs),
		cmocka_unit_test(the_one_that_we_carry_is_current),
		cmocka_unit_test(lines_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
