#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon_status.h"

static const struct status_reply_msg well = {.pid = 7,
					     .version = "0.1.0",
					     .socket = "/run/x.sock",
					     .jobs = 2,
					     .sessions = 3,
					     .named_sessions = 4,
					     .clients = 1,
					     .fd_limit = 1024,
					     .io_threads = 12,
					     .store_path = "/var/x",
					     .store_state = "well",
					     .store_bytes = 1u << 20};

static void text_has(const struct status_reply_msg *m, const char *want)
{
	struct buf out = {0};

	daemon_status_text(&out, m);
	if (!strstr(buf_cstr(&out), want))
		fail_msg("%s", buf_cstr(&out));
	buf_done(&out);
}

static void json_has(const struct status_reply_msg *m, const char *want)
{
	struct buf out = {0};

	daemon_status_json(&out, m);
	if (!strstr(buf_cstr(&out), want))
		fail_msg("%s", buf_cstr(&out));
	assert_int_equal(out.data[out.len - 1], '\n');
	buf_done(&out);
}

static void a_store_that_is_well(void **state)
{
	(void)state;
	text_has(&well, "jobs: 2 unfinished, 4 sessions, 3 connections, 1 clients\n"
			"store: /var/x, well, 1.0 MiB\n");
	json_has(&well, "\"open_files\":1024,\"io_threads\":12,"
			"\"store\":\"/var/x\",\"store_state\":\"well\","
			"\"store_bytes\":1048576,\"store_pending\":0,\"store_note\":null}");
}

static void a_store_that_is_full(void **state)
{
	struct status_reply_msg m = well;

	(void)state;
	m.store_state = "full";
	m.store_bytes = (UINT64_C(3) << 30) / 2;
	m.store_pending = 823;
	m.store_note = "no room in /var/x: \"full\"";
	text_has(&m, "store: /var/x, full, 1.5 GiB, and 823 bytes to be written\n"
		     "store: no room in /var/x: \"full\"\n");
	json_has(&m, "\"store_pending\":823,\"store_note\":\"no room in /var/x: \\\"full\\\"\"}");
}

static void no_store(void **state)
{
	struct status_reply_msg m = well;

	(void)state;
	m.store_path = NULL;
	text_has(&m, "clients\nstore: none, jobs are in memory only\n");
	json_has(&m, "\"store\":null");
}

static void sizes(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} rows[] = {
		{0, "well, 0 bytes\n"},
		{1023, "well, 1023 bytes\n"},
		{1024, "well, 1.0 KiB\n"},
		{(1u << 20) - 1, "well, 1.0 MiB\n"},
		{UINT64_C(8) << 30, "well, 8.0 GiB\n"},
		{UINT64_C(1) << 44, "well, 16384.0 GiB\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct status_reply_msg m = well;

		m.store_bytes = rows[i].bytes;
		text_has(&m, rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_store_that_is_well),
		cmocka_unit_test(a_store_that_is_full),
		cmocka_unit_test(no_store),
		cmocka_unit_test(sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
