/* proto/control_msg.c and layout.c: every message there and back, and what all refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "control_msg.h"
#include "limits.h"
#include "wire.h"

/* --- one sample of every message, with every field set ------------------------------------ */

static char *sample_argv[] = {"printf", "%s", "", "a b", "\xff"};
static struct job_target sample_targets[] = {
	{"root@web1:2222", "web1", "root", 2222, 7},
	{"[::1]", "::1", NULL, 0, 0},
};
static char *sample_selectors[] = {"12", "web*", "", "\xff"};
static uint64_t sample_ids[] = {7, 8, 9, 100, 5, UINT64_MAX};

static const struct hello_msg sample_hello = {1, 3, "muster 0.1.0", 4711};
static const struct error_msg sample_error = {ERR_PROTO, "no such job"};
static const struct warning_msg sample_warning = {"throttle was lowered"};
static const struct job_open_msg sample_job_open = {
	.name = "deploy",
	.display = "printf %s '' 'a b'",
	.argv = sample_argv,
	.argc = ARRAY_LEN(sample_argv),
	.throttle = 32,
	.run_timeout_ms = 60000,
	.connect_timeout_ms = CONTROL_MS_MAX,
	.stop_grace_ms = 1,
	.ssh_config = "/home/u/.ssh/config",
	.agent_socket = "/tmp/agent",
	.home = "/home/u",
	.background = true,
	.local = true,
	.directory = "/srv/a b",
	.init_script = "set -e\n. ./env",
	.path = "/usr/bin:/bin",
};
static const struct job_targets_msg sample_job_targets = {sample_targets, 2};
static const struct job_stop_msg sample_job_stop = {12};
static const struct job_children_msg sample_job_children = {JOB_CHILDREN_GO, sample_ids,
							    ARRAY_LEN(sample_ids)};
static const struct job_accepted_msg sample_job_accepted = {12, 13, "Job12"};
static const struct child_state_msg sample_child_state = {
	.child = 13,
	.state = "Failed",
	.finished = true,
	.cause = "signalled",
	.exit_code = -1,
	.signal = "TERM",
	.text = "killed",
	.exit_status = 3,
	.begin_ns = 1,
	.end_ns = UINT64_MAX,
};
static const struct job_end_msg sample_job_end = {12, "Failed"};
#define SAMPLE_FILTER                                                                         \
	{                                                                                     \
		.selectors = sample_selectors, .selector_count = ARRAY_LEN(sample_selectors), \
		.state = "failed", .more = FILTER_MORE_NO, .command = "*uptime*",             \
		.before_ns = UINT64_MAX, .after_ns = 1, .newest = 10, .all = true,            \
		.children = true, .child_state = "Stopped",                                   \
	}
static const struct get_msg sample_get = {SAMPLE_FILTER};
static const struct doing_msg sample_doing = {
	.filter = SAMPLE_FILTER,
	.verb = DO_WAIT,
	.force = true,
	.any = true,
	.once = true,
	.timeout_ms = CONTROL_MS_MAX,
	.until = "Suspended",
};
static const struct receive_msg sample_receive = {
	.filter = SAMPLE_FILTER,
	.wait = true,
	.force = true,
	.timeout_ms = 90000,
	.remove = true,
	.events = true,
	.job_rows = true,
	.no_recurse = true,
	.locations = sample_selectors,
	.location_count = 2,
	.streams = (1u << STREAM_COUNT) - 1,
	.by_time = true,
};
static const struct source_msg sample_source = {13, 12, "root@web1:2222",
						"f81d4fae-7dec-4d0a-a765-00a0c91e6bf6"};
static const struct received_msg sample_received = {13, UINT64_MAX};
static const struct receive_end_msg sample_receive_end = {true};
static const struct problem_msg sample_problem = {255, "there is no job 'x'"};
static const struct get_row_msg sample_get_row = {
	.id = 12,
	.parent_id = 1,
	.name = "Job12",
	.type = "Remote",
	.state = "Running",
	.has_more_data = true,
	.location = "web1,web2",
	.command = "uptime",
	.begin_ns = 5,
	.end_ns = 6,
	.cause = "exited",
	.exit_code = 255,
	.signal = "HUP",
	.text = "text",
	.instance_id = "f81d4fae-7dec-4d0a-a765-00a0c91e6bf6",
	.children = sample_ids,
	.child_count = ARRAY_LEN(sample_ids),
	.progress = "1/2 failed: web1 (exited 255)",
	.exit_status = 5,
};
static const struct get_end_msg sample_get_end = {true};
static const struct shutdown_msg sample_shutdown = {true};
static const struct status_reply_msg sample_status_reply = {1,
							    "0.1.0",
							    "/run/user/0/muster/default.sock",
							    2,
							    3,
							    4,
							    5,
							    1024,
							    "/root/.local/state/muster/default",
							    "full",
							    6,
							    7,
							    "no room",
							    8,
							    9,
							    "store-size = 1G\n"};
static const struct shutdown_reply_msg sample_shutdown_reply = {2};
static char *sample_names[] = {"web", "7", "db*"};
static const struct session_get_msg sample_session_get = {sample_names, 3};
static const struct session_do_msg sample_session_do = {sample_names, 2, SESSION_REMOVE};
static const struct session_row_msg sample_session_row = {
	7, "web", "root@h1:22", "Broken", "None", 1, 2, 3, "link-lost: reset", 4, true};

/* The functions of control_msg.h with the struct's type taken away, so that a loop can use them. */
union any_msg {
	struct job_open_msg job_open;
	struct get_row_msg get_row;
	char room[512];
};

struct sample {
	const char *name;
	size_t size; /* of the struct */
	const void *m;
	void (*put)(struct buf *out, const void *m);
	int (*get)(void *ret, const void *data, size_t len, struct errmsg *msg);
	void (*done)(void *m);
};

#define ERASE(message)                                                                         \
	static void erased_put_##message(struct buf *out, const void *m)                       \
	{                                                                                      \
		message##_put(out, m);                                                         \
	}                                                                                      \
	static int erased_get_##message(void *ret, const void *data, size_t len,               \
					struct errmsg *msg)                                    \
	{                                                                                      \
		_Static_assert(sizeof(struct message##_msg) <= sizeof(union any_msg), "room"); \
		return message##_get(ret, data, len, msg);                                     \
	}                                                                                      \
	static void erased_done_##message(void *m)                                             \
	{                                                                                      \
		message##_done(m);                                                             \
	}

#define EVERY_MESSAGE(X)  \
	X(hello)          \
	X(error)          \
	X(warning)        \
	X(job_open)       \
	X(job_targets)    \
	X(job_stop)       \
	X(job_children)   \
	X(job_accepted)   \
	X(child_state)    \
	X(job_end)        \
	X(get)            \
	X(get_row)        \
	X(get_end)        \
	X(problem)        \
	X(doing)          \
	X(receive)        \
	X(source)         \
	X(received)       \
	X(receive_end)    \
	X(shutdown)       \
	X(status_reply)   \
	X(shutdown_reply) \
	X(session_get)    \
	X(session_do)     \
	X(session_row)

EVERY_MESSAGE(ERASE)

#define ROW(message)                   \
	{#message,                     \
	 sizeof(struct message##_msg), \
	 &sample_##message,            \
	 erased_put_##message,         \
	 erased_get_##message,         \
	 erased_done_##message},
static const struct sample samples[] = {EVERY_MESSAGE(ROW)};

/* Unpacks a copy of the exact size, which is gone before the result is looked at. */
static int get_exact(const struct sample *s, union any_msg *m, const void *data, size_t len,
		     struct errmsg *msg)
{
	uint8_t *copy = xmalloc(len ? len : 1);
	int r;

	memcpy(copy, data, len);
	memset(m, 0xee, sizeof *m);
	r = s->get(m, copy, len, msg);
	free(copy);
	return r;
}

static void test_round_trip_of_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		const struct sample *s = &samples[i];
		struct buf first = {0}, second = {0};
		struct errmsg msg = {""};
		union any_msg m;

		s->put(&first, s->m);
		if (get_exact(s, &m, first.data, first.len, &msg) != 0)
			fail_msg("%s: %s", s->name, msg.text);
		s->put(&second, &m);
		assert_int_equal(first.len, second.len);
		assert_memory_equal(first.data, second.data, first.len);
		s->done(&m);
		s->done(&m); /* is empty now */
		s->done(NULL);
		buf_done(&first);
		buf_done(&second);
	}
}

static void test_truncated_at_every_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		struct buf body = {0};
		union any_msg m;

		samples[i].put(&body, samples[i].m);
		for (size_t n = 0; n < body.len; n++)
			assert_int_equal(get_exact(&samples[i], &m, body.data, n, NULL), ERR_PROTO);
		buf_add_char(&body, '\0');
		assert_int_equal(get_exact(&samples[i], &m, body.data, body.len, NULL), ERR_PROTO);
		buf_done(&body);
	}
}

/* Puts something else for the first byte of each field in turn; nothing may leak or crash. */
static void test_every_byte_replaced(void **state)
{
	static const uint8_t others[] = {0x00, 0x80, 0x90, 0xa0, 0xc0, 0xc1, 0xc3, 0xcf, 0xff};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		struct buf body = {0};

		samples[i].put(&body, samples[i].m);
		for (size_t at = 0; at < body.len; at++)
			for (size_t k = 0; k < ARRAY_LEN(others); k++) {
				uint8_t saved = body.data[at];
				union any_msg m;

				body.data[at] = others[k];
				(void)get_exact(&samples[i], &m, body.data, body.len, NULL);
				samples[i].done(&m);
				body.data[at] = saved;
			}
		buf_done(&body);
	}
}

/* What a later version may add: three more fields at the end. */
static void test_unknown_fields_of_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		const struct sample *s = &samples[i];
		struct buf body = {0}, again = {0}, more = {0};
		struct errmsg msg = {""};
		union any_msg m;
		uint8_t *head;

		s->put(&body, s->m);
		head = body.data;
		if (head[0] == 0xdc) { /* array 16 */
			buf_add(&more, head, body.len);
			more.data[2] = (uint8_t)(head[2] + 3);
		} else {
			assert_int_equal(head[0] & 0xf0, 0x90);
			wire_put_array(&more, (head[0] & 0x0fu) + 3);
			buf_add(&more, head + 1, body.len - 1);
		}
		buf_add(&more, "\x91\x92\x01\x02\x81\xa1k\xc0\xcb\0\0\0\0\0\0\0\0", 17);
		if (get_exact(s, &m, more.data, more.len, &msg) != 0)
			fail_msg("%s: %s", s->name, msg.text);
		s->put(&again, &m);
		assert_int_equal(again.len, body.len);
		assert_memory_equal(again.data, body.data, body.len);
		s->done(&m);
		buf_done(&body);
		buf_done(&again);
		buf_done(&more);
	}
}

static void test_bodies_that_are_no_array(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		union any_msg m, zero;
		struct errmsg msg = {""};

		memset(&zero, 0, sizeof zero);
		assert_int_equal(get_exact(&samples[i], &m, "\x80", 1, &msg), ERR_PROTO);
		assert_non_null(strstr(msg.text, "not an array"));
		assert_memory_equal(&m, &zero, samples[i].size); /* empty */
		assert_int_equal(get_exact(&samples[i], &m, "\xdd\xff\xff\xff\xff", 5, NULL),
				 ERR_PROTO);
		assert_int_equal(get_exact(&samples[i], &m, "", 0, NULL), ERR_PROTO);
		assert_int_equal(get_exact(&samples[i], &m, "\x92\xa1\xff\xc0", 4, &msg),
				 ERR_PROTO);
		assert_non_null(strstr(msg.text, "UTF-8"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip_of_all),
		cmocka_unit_test(test_truncated_at_every_byte),
		cmocka_unit_test(test_every_byte_replaced),
		cmocka_unit_test(test_unknown_fields_of_all),
		cmocka_unit_test(test_bodies_that_are_no_array),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
