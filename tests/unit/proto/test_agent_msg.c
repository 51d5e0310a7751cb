/* proto/agent_msg.c: what goes between initiator and agent (docs/protocol.md, section 12). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "agent_msg.h"
#include "alloc.h"
#include "limits.h"
#include "wire.h"

/* Puts a message and reads it again, or fails with what was wrong. */
#define AGAIN(message, ret, m)                                             \
	do {                                                               \
		struct buf body_ = {0};                                    \
		struct errmsg msg_ = {""};                                 \
                                                                           \
		message##_put(&body_, m);                                  \
		assert_true(body_.len <= LIMIT_FRAME_BODY);                \
		if (message##_get(ret, body_.data, body_.len, &msg_) != 0) \
			fail_msg("%s", msg_.text);                         \
		buf_done(&body_);                                          \
	} while (0)

/* The same for one that must be refused with this code and these words. */
#define REFUSED(message, m, code, words)                                                    \
	do {                                                                                \
		struct buf body_ = {0};                                                     \
		struct errmsg msg_ = {""};                                                  \
		struct message##_msg got_, zero_;                                           \
                                                                                            \
		message##_put(&body_, m);                                                   \
		assert_int_equal(message##_get(&got_, body_.data, body_.len, &msg_), code); \
		if (!strstr(msg_.text, words))                                              \
			fail_msg("\"%s\" does not say \"%s\"", msg_.text, words);           \
		memset(&zero_, 0, sizeof zero_);                                            \
		assert_memory_equal(&got_, &zero_, sizeof zero_);                           \
		buf_done(&body_);                                                           \
	} while (0)

static void test_hello(void **state)
{
	char word[200];
	struct agent_hello_msg m = {.version_min = 1,
				    .version_max = 3,
				    .program = "muster 0.1.0",
				    .pid = 77,
				    .arch = "x86_64",
				    .machine_id = "m",
				    .boot_id = "b",
				    .uid = 1000,
				    .capabilities = AGENT_CAN_PTY | AGENT_CAN_SUSPEND};
	struct agent_hello_msg got;

	(void)state;
	AGAIN(agent_hello, &got, &m);
	assert_int_equal(got.version_max, 3);
	assert_string_equal(got.program, "muster 0.1.0");
	assert_int_equal(got.pid, 77);
	assert_string_equal(got.arch, "x86_64");
	assert_string_equal(got.machine_id, "m");
	assert_string_equal(got.boot_id, "b");
	assert_int_equal(got.uid, 1000);
	assert_int_equal(got.capabilities, 3);
	agent_hello_done(&got);
	/* As a HELLO of the control socket is: without what only an agent says. */
	assert_int_equal(agent_hello_get(&got, "\x92\x01\x02", 3, NULL), 0);
	assert_int_equal(got.version_max, 2);
	assert_null(got.arch);
	assert_int_equal(got.capabilities, 0);
	/* What a strange computer calls itself is cut, and no reason to fail. */
	memset(word, 'w', sizeof word - 1);
	word[sizeof word - 1] = '\0';
	m.machine_id = word;
	AGAIN(agent_hello, &got, &m);
	assert_int_equal(strlen(got.machine_id), 64);
	agent_hello_done(&got);
	m.version_min = 0;
	REFUSED(agent_hello, &m, ERR_PROTO, "message HELLO: field version_min: is 0");
	m.version_min = 4;
	REFUSED(agent_hello, &m, ERR_PROTO, "field version_min: is 0 or above version_max");
}

static char *sample_argv[] = {"printf", "%s", "", "\xff"};
static char *sample_env[] = {"A=1", "B=", "C==\xff"};
static uint8_t sample_script[] = {'#', '!', 0, 0xff};
static const struct task_open_msg sample_open = {
	.task = 9,
	.instance = "6a3f0c2e-0000-4000-8000-000000000000",
	.argv = sample_argv,
	.argc = 4,
	.env = sample_env,
	.env_count = 3,
	.directory = "/srv",
	.script = sample_script,
	.script_len = sizeof sample_script,
	.script_name = "s.sh",
	.stdin_follows = true,
	.pty = true,
	.nice = -20,
	.parse = PARSE_REGEX,
	.parse_argument = "(a)",
	.run_timeout_ms = 1,
	.idle_timeout_ms = 2,
	.grace_ms = 3,
	.credit = 4,
	.output_limit = UINT64_MAX,
};

static void test_open_values(void **state)
{
	struct task_open_msg got;

	(void)state;
	AGAIN(task_open, &got, &sample_open);
	assert_int_equal(got.task, 9);
	assert_string_equal(got.instance, sample_open.instance);
	assert_int_equal(got.argc, 4);
	assert_string_equal(got.argv[2], "");
	assert_string_equal(got.argv[3], "\xff");
	assert_int_equal(got.env_count, 3);
	assert_string_equal(got.env[2], "C==\xff");
	assert_string_equal(got.directory, "/srv");
	assert_int_equal(got.script_len, 4);
	assert_memory_equal(got.script, sample_script, 4);
	assert_string_equal(got.script_name, "s.sh");
	assert_true(got.stdin_follows);
	assert_true(got.pty);
	assert_int_equal(got.nice, -20);
	assert_int_equal(got.parse, PARSE_REGEX);
	assert_string_equal(got.parse_argument, "(a)");
	assert_int_equal(got.run_timeout_ms, 1);
	assert_int_equal(got.idle_timeout_ms, 2);
	assert_int_equal(got.grace_ms, 3);
	assert_int_equal(got.credit, 4);
	assert_true(got.output_limit == UINT64_MAX);
	task_open_done(&got);
	assert_null(got.script);
}

/* [5, nil, ["x"]] */
static void test_open_defaults(void **state)
{
	struct task_open_msg got;

	(void)state;
	assert_int_equal(task_open_get(&got, "\x93\x05\xc0\x91\xa1x", 6, NULL), 0);
	assert_null(got.env);
	assert_null(got.script);
	assert_int_equal(got.script_len, 0);
	assert_int_equal(got.nice, 0);
	assert_int_equal(got.parse, PARSE_LINES);
	assert_int_equal(got.credit, 0);
	task_open_done(&got);
	/* An empty script is one, and needs no argv. */
	assert_int_equal(task_open_get(&got, "\x96\x05\xc0\xc0\xc0\xc0\xa0", 7, NULL), 0);
	assert_non_null(got.script);
	assert_int_equal(got.script_len, 0);
	task_open_done(&got);
}

static void test_open_refusals(void **state)
{
	struct task_open_msg m = sample_open;
	char *bad[] = {"A=1", "NAME"};

	(void)state;
	m.task = 0;
	REFUSED(task_open, &m, ERR_PROTO, "message TASK_OPEN: field task: is 0");
	m = (struct task_open_msg){.task = 1};
	REFUSED(task_open, &m, ERR_PROTO, "field argv: is empty");
	m = (struct task_open_msg){.task = 1, .argv = &sample_argv[2], .argc = 1};
	REFUSED(task_open, &m, ERR_PROTO, "field argv: begins with an empty word");
	m = sample_open;
	m.env = bad;
	m.env_count = 2;
	REFUSED(task_open, &m, ERR_PROTO, "field env: has an element that is not NAME=VALUE");
	bad[1] = "=x";
	REFUSED(task_open, &m, ERR_PROTO, "field env: has an element that is not NAME=VALUE");
	m = sample_open;
	m.nice = 20;
	REFUSED(task_open, &m, ERR_PROTO, "field nice: is not between");
	m.nice = -21;
	REFUSED(task_open, &m, ERR_PROTO, "field nice: is not between");
	m = sample_open;
	m.parse = PARSE_COUNT;
	REFUSED(task_open, &m, ERR_PROTO, "field parse: is 12, at most 11");
	m = sample_open;
	m.grace_ms = UINT64_MAX;
	REFUSED(task_open, &m, ERR_PROTO, "field grace_ms: is ");
}

/* Everything at its cap fits into a frame, and nothing may be a byte longer. */
static void test_open_limits(void **state)
{
	struct task_open_msg m = sample_open, got;
	uint8_t *script = xcalloc(1, LIMIT_SCRIPT + 1);
	char *word = xcalloc(1, LIMIT_COMMAND + 1), *name = xcalloc(1, LIMIT_OPTION_TEXT + 2);
	char *env = xcalloc(1, LIMIT_COMMAND + 1), *argv[2] = {word, NULL}, *envs[2] = {env, NULL};

	(void)state;
	memset(word, 'w', LIMIT_COMMAND - 1);
	memset(env, '=', LIMIT_COMMAND - 1);
	memset(name, 'n', LIMIT_OPTION_TEXT);
	env[0] = 'E';
	m.argv = argv;
	m.env = envs;
	m.argc = m.env_count = 1;
	m.script = script;
	m.script_len = LIMIT_SCRIPT;
	m.script_name = m.directory = m.parse_argument = name;
	AGAIN(task_open, &got, &m);
	assert_int_equal(got.script_len, LIMIT_SCRIPT);
	task_open_done(&got);
	m.script_len++;
	REFUSED(task_open, &m, ERR_LIMIT, "field script: has size 524289, at most 524288");
	m.script_len--;
	argv[1] = "";
	m.argc = 2;
	REFUSED(task_open, &m, ERR_LIMIT, "field argv: the command is longer than 120 KiB");
	m.argc = 1;
	envs[1] = "A=";
	m.env_count = 2;
	REFUSED(task_open, &m, ERR_LIMIT, "field env: is longer than 120 KiB in all");
	m.env_count = 1;
	name[LIMIT_OPTION_TEXT] = 'n';
	REFUSED(task_open, &m, ERR_LIMIT, "field directory: has size 4097");
	free(script);
	free(word);
	free(name);
	free(env);
}

static void test_open_counts(void **state)
{
	static char *many[LIMIT_ARGS + 1];
	struct task_open_msg m = {.task = 1, .argv = many, .argc = LIMIT_ARGS}, got;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = "V=";
	m.env = many;
	m.env_count = LIMIT_ENV;
	AGAIN(task_open, &got, &m);
	assert_int_equal(got.argc, LIMIT_ARGS);
	assert_int_equal(got.env_count, LIMIT_ENV);
	task_open_done(&got);
	m.argc++;
	REFUSED(task_open, &m, ERR_LIMIT, "field argv: has size 4097");
	m.argc--;
	m.env_count++;
	REFUSED(task_open, &m, ERR_LIMIT, "field env: has size 1025");
}

static void test_stdin(void **state)
{
	static uint8_t data[LIMIT_STDIN_PIECE + 1];
	struct task_stdin_msg m = {.task = 2, .data = data, .len = LIMIT_STDIN_PIECE}, got;

	(void)state;
	memset(data, 0xfe, sizeof data);
	AGAIN(task_stdin, &got, &m);
	assert_int_equal(got.len, LIMIT_STDIN_PIECE);
	assert_memory_equal(got.data, data, got.len);
	assert_false(got.end);
	task_stdin_done(&got);
	m.len++;
	REFUSED(task_stdin, &m, ERR_LIMIT, "message TASK_STDIN: field data: has size 32769");
	m = (struct task_stdin_msg){.task = 2, .end = true};
	AGAIN(task_stdin, &got, &m);
	assert_null(got.data);
	assert_int_equal(got.len, 0);
	assert_true(got.end);
	task_stdin_done(&got);
	/* As str, too; not as anything else. */
	assert_int_equal(task_stdin_get(&got, "\x92\x02\xa1x", 4, NULL), 0);
	assert_int_equal(got.len, 1);
	task_stdin_done(&got);
	assert_int_equal(task_stdin_get(&got, "\x92\x02\x05", 3, NULL), ERR_PROTO);
	assert_int_equal(task_stdin_get(&got, "\x92\x00\xa1x", 4, NULL), ERR_PROTO);
}

static void test_small_messages(void **state)
{
	struct task_signal_msg signal = {3, TASK_STOP}, got_signal;
	struct task_credit_msg credit = {3, UINT64_MAX}, got_credit;
	struct task_running_msg running = {3, 4711}, got_running;
	struct task_state_msg suspended = {3, true, false}, got_state;
	struct task_stdin_room_msg room = {3, 0}, got_room;

	(void)state;
	for (; signal.signal < TASK_SIGNAL_COUNT; signal.signal++) {
		AGAIN(task_signal, &got_signal, &signal);
		assert_int_equal(got_signal.signal, signal.signal);
	}
	REFUSED(task_signal, &signal, ERR_PROTO, "message TASK_SIGNAL: field signal: is none");
	signal.signal = 0;
	REFUSED(task_signal, &signal, ERR_PROTO, "field signal: is none");
	AGAIN(task_credit, &got_credit, &credit);
	assert_true(got_credit.bytes == UINT64_MAX);
	AGAIN(task_running, &got_running, &running);
	assert_int_equal(got_running.pid, 4711);
	running.pid = 1ull << 31;
	REFUSED(task_running, &running, ERR_PROTO, "message TASK_RUNNING: field pid: is ");
	AGAIN(task_state, &got_state, &suspended);
	assert_true(got_state.suspended);
	AGAIN(task_stdin_room, &got_room, &room);
	assert_int_equal(got_room.taken, 0);
}

#define UUID_OK "01234567-89ab-cdef-0123-456789abcdef"

/* Its text becomes the name of a directory. */
static void test_instances(void **state)
{
	static char *wrong[] = {NULL,
				"",
				"..",
				"01234567-89AB-cdef-0123-456789abcdef",
				"01234567-89ab-cdef-0123-456789abcde",
				"01234567-89ab-cdef-0123-456789abcdef0",
				"../34567-89ab-cdef-0123-456789abcdef",
				"01234567089ab-cdef-0123-456789abcdef"};
	struct task_attach_msg m = {.task = 1, .instance = UUID_OK, .next_seq = 1}, got;
	char *argv[] = {"true"};
	struct task_open_msg open = {.task = 1, .argv = argv, .argc = 1, .durable = true};

	(void)state;
	AGAIN(task_attach, &got, &m);
	assert_string_equal(got.instance, UUID_OK);
	task_attach_done(&got);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		m.instance = open.instance = wrong[i];
		REFUSED(task_attach, &m, ERR_PROTO, "field instance: is no UUID");
		REFUSED(task_open, &open, ERR_PROTO, "field instance: is no UUID");
	}
	/* One that ends with its connection has no directory. */
	open.durable = false;
	open.instance = "any";
	{
		struct task_open_msg got_open;

		AGAIN(task_open, &got_open, &open);
		task_open_done(&got_open);
	}
	m.instance = UUID_OK;
	m.next_seq = 0;
	REFUSED(task_attach, &m, ERR_PROTO, "field next_seq: ");
	m.next_seq = UINT64_MAX;
	REFUSED(task_attach, &m, ERR_PROTO, "field next_seq: ");
}

static void test_messages_of_durable_runs(void **state)
{
	struct task_ack_msg ack = {3, 9}, got_ack;
	struct task_detach_msg detach = {3}, got_detach;
	struct task_attached_msg attached = {3, 9, 5, true, true}, got_attached;
	struct task_gap_msg gap = {3, 4, 100, 50, 6000}, got_gap;
	struct ping_msg ping = {UINT64_MAX}, got_ping;

	(void)state;
	AGAIN(task_ack, &got_ack, &ack);
	assert_int_equal(got_ack.seq, 9);
	AGAIN(task_detach, &got_detach, &detach);
	assert_int_equal(got_detach.task, 3);
	AGAIN(task_attached, &got_attached, &attached);
	assert_int_equal(got_attached.last, 9);
	assert_int_equal(got_attached.taken, 5);
	assert_true(got_attached.resumed);
	assert_true(got_attached.input_ended);
	AGAIN(task_gap, &got_gap, &gap);
	assert_int_equal(got_gap.first_record, 100);
	assert_int_equal(got_gap.records, 50);
	assert_int_equal(got_gap.bytes, 6000);
	AGAIN(ping, &got_ping, &ping);
	assert_true(got_ping.number == UINT64_MAX);
	ack.task = detach.task = attached.task = gap.task = 0;
	REFUSED(task_ack, &ack, ERR_PROTO, "field task: is 0");
	REFUSED(task_detach, &detach, ERR_PROTO, "field task: is 0");
	REFUSED(task_attached, &attached, ERR_PROTO, "field task: is 0");
	REFUSED(task_gap, &gap, ERR_PROTO, "field task: is 0");
	gap = (struct task_gap_msg){.task = 3};
	REFUSED(task_gap, &gap, ERR_PROTO, "field from: ");
	attached = (struct task_attached_msg){.task = 3, .last = UINT64_MAX};
	REFUSED(task_attached, &attached, ERR_PROTO, "field last: ");
}

static void test_what_a_session_keeps(void **state)
{
	struct task_session_msg m = {
		.task = 3, .directory = "/a b", .env = sample_env, .env_count = 3};
	struct task_session_msg got;
	struct task_open_msg open = sample_open, got_open;
	char *bad[] = {"A=1", "=x"};

	(void)state;
	AGAIN(task_session, &got, &m);
	assert_string_equal(got.directory, "/a b");
	assert_int_equal(got.env_count, 3);
	assert_string_equal(got.env[2], "C==\xff");
	task_session_done(&got);
	m.env = bad;
	m.env_count = 2;
	REFUSED(task_session, &m, ERR_PROTO, "field env: ");
	m.env_count = 0;
	m.task = 0;
	REFUSED(task_session, &m, ERR_PROTO, "field task: is 0");
	open.session = true;
	open.durable = false;
	AGAIN(task_open, &got_open, &open);
	assert_true(got_open.session);
	task_open_done(&got_open);
	open.durable = true;
	REFUSED(task_open, &open, ERR_PROTO, "field session: does not go with durable");
}

/* No message is about task 0. */
static void test_no_task(void **state)
{
	struct task_signal_msg signal = {0, TASK_STOP};
	struct task_credit_msg credit = {0, 1};
	struct task_running_msg running = {0, 1};
	struct task_state_msg suspended = {0, true, true};
	struct task_stdin_room_msg room = {0, 1};
	char *columns[] = {"a"};
	struct task_schema_msg schema = {0, 1, NULL, columns, 1};
	struct task_end_msg end = {.kind = TASK_LOST, .exit_code = -1};

	(void)state;
	REFUSED(task_signal, &signal, ERR_PROTO, "field task: is 0");
	REFUSED(task_credit, &credit, ERR_PROTO, "field task: is 0");
	REFUSED(task_running, &running, ERR_PROTO, "field task: is 0");
	REFUSED(task_state, &suspended, ERR_PROTO, "field task: is 0");
	REFUSED(task_stdin_room, &room, ERR_PROTO, "field task: is 0");
	REFUSED(task_schema, &schema, ERR_PROTO, "field task: is 0");
	REFUSED(task_end, &end, ERR_PROTO, "field task: is 0");
}

static void test_schema(void **state)
{
	static char *many[LIMIT_COLUMNS + 1];
	char name[LIMIT_COLUMN_NAME + 2];
	char *columns[] = {"pid", "", "\xff"};
	struct task_schema_msg m = {1, LIMIT_SCHEMAS, "ps", columns, 3}, got;

	(void)state;
	AGAIN(task_schema, &got, &m);
	assert_int_equal(got.schema, 64);
	assert_string_equal(got.name, "ps");
	assert_int_equal(got.column_count, 3);
	assert_string_equal(got.columns[2], "\xff");
	task_schema_done(&got);
	m.schema++;
	REFUSED(task_schema, &m, ERR_LIMIT, "message TASK_SCHEMA: field schema: is above 64");
	m.schema = 0;
	REFUSED(task_schema, &m, ERR_PROTO, "field schema: is 0");
	m = (struct task_schema_msg){.task = 1, .schema = 1};
	REFUSED(task_schema, &m, ERR_PROTO, "field columns: is empty");
	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	columns[1] = name;
	m = (struct task_schema_msg){1, 1, NULL, columns, 3};
	REFUSED(task_schema, &m, ERR_LIMIT, "field columns: has a name of more than 255 bytes");
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = "c";
	m = (struct task_schema_msg){1, 1, NULL, many, LIMIT_COLUMNS};
	AGAIN(task_schema, &got, &m);
	task_schema_done(&got);
	m.column_count++;
	REFUSED(task_schema, &m, ERR_LIMIT, "field columns: has size 257");
}

static void test_end(void **state)
{
	struct task_end_msg m = {.task = 1,
				 .kind = TASK_SIGNALLED,
				 .exit_code = -1,
				 .signal = "KILL",
				 .text = "why",
				 .began = true,
				 .pipes_open = true,
				 .survivors = 2,
				 .user_us = 3,
				 .system_us = 4,
				 .max_rss = 5,
				 .begin_ns = 6,
				 .end_ns = 7};
	struct task_end_msg got;

	(void)state;
	AGAIN(task_end, &got, &m);
	assert_int_equal(got.kind, TASK_SIGNALLED);
	assert_int_equal(got.exit_code, -1);
	assert_string_equal(got.signal, "KILL");
	assert_string_equal(got.text, "why");
	assert_true(got.began);
	assert_true(got.pipes_open);
	assert_int_equal(got.survivors, 2);
	assert_int_equal(got.user_us, 3);
	assert_int_equal(got.system_us, 4);
	assert_int_equal(got.max_rss, 5);
	assert_int_equal(got.begin_ns, 6);
	assert_int_equal(got.end_ns, 7);
	task_end_done(&got);
	m.signal = NULL;
	REFUSED(task_end, &m, ERR_PROTO, "message TASK_END: field signal: is missing");
	m.kind = TASK_EXITED;
	REFUSED(task_end, &m, ERR_PROTO, "field exit_code: is missing");
	m.exit_code = 255;
	AGAIN(task_end, &got, &m);
	task_end_done(&got);
	m.exit_code = 256;
	REFUSED(task_end, &m, ERR_PROTO, "field exit_code: is not between -1 and 255");
	m.exit_code = -2;
	REFUSED(task_end, &m, ERR_PROTO, "field exit_code: is not between -1 and 255");
	m = (struct task_end_msg){.task = 1, .kind = TASK_END_KIND_COUNT};
	REFUSED(task_end, &m, ERR_PROTO, "field kind: is none");
	m.kind = 0;
	REFUSED(task_end, &m, ERR_PROTO, "field kind: is none");
}

static void test_parse_names(void **state)
{
	struct errmsg msg = {""};
	uint64_t parse = 99;

	(void)state;
	for (uint64_t i = 0; i < PARSE_COUNT; i++) {
		assert_non_null(agent_parse_name(i));
		assert_int_equal(agent_parse_find(agent_parse_name(i), &parse, NULL), 0);
		assert_int_equal(parse, i);
	}
	assert_null(agent_parse_name(PARSE_COUNT));
	assert_null(agent_parse_name(UINT64_MAX));
	parse = 99;
	assert_int_equal(agent_parse_find("xml", &parse, &msg), ERR_SYNTAX);
	assert_int_equal(parse, 99);
	assert_non_null(strstr(msg.text, "\"xml\""));
	assert_non_null(strstr(msg.text, "lines, raw, nul, json, jsonl, csv, tsv, kv, blocks, "));
	assert_int_equal(agent_parse_find("", &parse, &msg), ERR_SYNTAX);
	assert_int_equal(agent_parse_find("JSON", &parse, &msg), ERR_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hello),
		cmocka_unit_test(test_open_values),
		cmocka_unit_test(test_open_defaults),
		cmocka_unit_test(test_open_refusals),
		cmocka_unit_test(test_open_limits),
		cmocka_unit_test(test_open_counts),
		cmocka_unit_test(test_stdin),
		cmocka_unit_test(test_small_messages),
		cmocka_unit_test(test_instances),
		cmocka_unit_test(test_messages_of_durable_runs),
		cmocka_unit_test(test_what_a_session_keeps),
		cmocka_unit_test(test_no_task),
		cmocka_unit_test(test_schema),
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_parse_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
