#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "session_rows.h"

#define S UINT64_C(1000000000)

static const struct session_row_msg opened = {.id = 7,
					      .name = "web",
					      .host = "root@h1:22",
					      .state = "Opened",
					      .availability = "Available",
					      .idle_since_ns = 100 * S,
					      .idle_timeout_ms = 60000};
static const struct session_row_msg broken = {.id = 8,
					      .name = "a,\"b",
					      .host = "h2",
					      .state = "Broken",
					      .availability = "None",
					      .text = "link-lost: \x1b[31m reset",
					      .is_job = true};

static void shows(const char *shape, const char *want)
{
	struct session_rows *rows;
	struct buf out = {0};
	struct errmsg msg;

	assert_int_equal(session_rows_new(&rows, shape, &msg), 0);
	session_rows_add(rows, &opened, 100 * S + 125 * S);
	session_rows_add(rows, &broken, 1);
	session_rows_render(rows, &out, 0);
	assert_string_equal(buf_cstr(&out), want);
	buf_done(&out);
	session_rows_free(rows);
}

static void every_shape(void **state)
{
	(void)state;
	shows(NULL,
	      "Id  Name  ComputerName  State   Availability  Idle  Reason\n"
	      " 7  web   root@h1:22    Opened  Available       2m\n"
	      " 8  a,\"b  h2            Broken  None                link-lost: \\x1b[31m reset\n");
	shows("jsonl",
	      "{\"id\":7,\"name\":\"web\",\"computer_name\":\"root@h1:22\",\"state\":\"Opened\","
	      "\"availability\":\"Available\",\"commands\":0,\"idle_ms\":125000,"
	      "\"idle_timeout_ms\":60000,\"reason\":null,\"is_job\":false}\n"
	      "{\"id\":8,\"name\":\"a,\\\"b\",\"computer_name\":\"h2\",\"state\":\"Broken\","
	      "\"availability\":\"None\",\"commands\":0,\"idle_ms\":null,"
	      "\"idle_timeout_ms\":null,\"reason\":\"link-lost: \\u001b[31m reset\","
	      "\"is_job\":true}\n");
	shows("csv", "id,name,computer_name,state,availability,commands,idle_ms,idle_timeout_ms,"
		     "reason,is_job\n"
		     "7,web,root@h1:22,Opened,Available,0,125000,60000,,false\n"
		     "8,\"a,\"\"b\",h2,Broken,None,0,,,link-lost: \x1b[31m reset,true\n");
	shows("yaml",
	      "- id: 7\n  name: \"web\"\n  computer_name: \"root@h1:22\"\n  state: \"Opened\"\n"
	      "  availability: \"Available\"\n  commands: 0\n  idle_ms: 125000\n"
	      "  idle_timeout_ms: 60000\n  reason: null\n  is_job: false\n"
	      "- id: 8\n  name: \"a,\\\"b\"\n  computer_name: \"h2\"\n  state: \"Broken\"\n"
	      "  availability: \"None\"\n  commands: 0\n  idle_ms: null\n"
	      "  idle_timeout_ms: null\n  reason: \"link-lost: \\u001b[31m reset\"\n"
	      "  is_job: true\n");
}

static void none(void **state)
{
	static const char *const wants[][2] = {{"json", "[]\n"}, {"yaml", "[]\n"}, {"jsonl", ""}};
	struct session_rows *rows;
	struct errmsg msg;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct buf out = {0};

		assert_int_equal(session_rows_new(&rows, wants[i][0], &msg), 0);
		session_rows_render(rows, &out, 0);
		assert_string_equal(buf_cstr(&out), wants[i][1]);
		buf_done(&out);
		session_rows_free(rows);
	}
	assert_int_equal(session_rows_new(&rows, "text", &msg), ERR_SYNTAX);
}

/* As much as one has to know; a clock that was set back is no reason for centuries. */
static void idle(void **state)
{
	static const struct {
		uint64_t s;
		const char *want;
	} rows[] = {{0, " 0s"}, {59, " 59s"}, {3599, " 59m"}, {86399, " 23h"}, {900000, " 10d"}};

	(void)state;
	for (size_t i = 0; i <= sizeof rows / sizeof rows[0]; i++) {
		bool back = i == sizeof rows / sizeof rows[0];
		struct session_rows *list;
		struct buf out = {0};
		struct errmsg msg;

		assert_int_equal(session_rows_new(&list, NULL, &msg), 0);
		session_rows_add(list, &opened, back ? S : (100 + rows[i].s) * S);
		session_rows_render(list, &out, 0);
		if (!strstr(buf_cstr(&out), back ? " 0s" : rows[i].want))
			fail_msg("%s", buf_cstr(&out));
		buf_done(&out);
		session_rows_free(list);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_shape),
		cmocka_unit_test(none),
		cmocka_unit_test(idle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
