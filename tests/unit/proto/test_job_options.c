/* proto/control_msg.c: the later fields of JOB_OPEN, JOB_STDIN, JOB_SECRET and SCHEMA. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "agent_msg.h"
#include "alloc.h"
#include "control_msg.h"
#include "limits.h"

static char *sample_argv[] = {"id"};
static char *sample_env[] = {"A=1", "B="};
static uint8_t sample_script[] = {'x', 0, 0xff};
static const struct job_open_msg sample = {
	.argv = sample_argv,
	.argc = 1,
	.agent = JOB_AGENT_SUBSYSTEM,
	.env = sample_env,
	.env_count = 2,
	.script = sample_script,
	.script_len = 3,
	.script_name = "s",
	.stdin_follows = true,
	.pty = true,
	.nice = 19,
	.parse = PARSE_AUTO,
	.parse_argument = ";",
	.idle_timeout_ms = 1,
	.start_timeout_ms = 2,
	.output_limit = 3,
	.become = JOB_DOAS,
	.become_user = "www",
	.expand = true,
};

static int get_again(struct job_open_msg *ret, const struct job_open_msg *m, struct errmsg *msg)
{
	struct buf body = {0};
	int r;

	job_open_put(&body, m);
	r = job_open_get(ret, body.data, body.len, msg);
	buf_done(&body);
	return r;
}

static void test_values(void **state)
{
	struct job_open_msg got;

	(void)state;
	assert_int_equal(get_again(&got, &sample, NULL), 0);
	assert_int_equal(got.agent, JOB_AGENT_SUBSYSTEM);
	assert_int_equal(got.builtin, JOB_COMMAND);
	assert_int_equal(got.env_count, 2);
	assert_string_equal(got.env[1], "B=");
	assert_int_equal(got.script_len, 3);
	assert_memory_equal(got.script, sample_script, 3);
	assert_string_equal(got.script_name, "s");
	assert_true(got.stdin_follows);
	assert_true(got.pty);
	assert_int_equal(got.nice, 19);
	assert_int_equal(got.parse, PARSE_AUTO);
	assert_string_equal(got.parse_argument, ";");
	assert_int_equal(got.idle_timeout_ms, 1);
	assert_int_equal(got.start_timeout_ms, 2);
	assert_int_equal(got.output_limit, 3);
	assert_int_equal(got.become, JOB_DOAS);
	assert_string_equal(got.become_user, "www");
	assert_true(got.expand);
	job_open_done(&got);
}

/* A client of before: [nil, nil, ["x"]]. */
static void test_absent(void **state)
{
	struct job_open_msg got;

	(void)state;
	assert_int_equal(job_open_get(&got, "\x93\xc0\xc0\x91\xa1x", 6, NULL), 0);
	assert_int_equal(got.agent, JOB_AGENT_AUTO);
	assert_int_equal(got.builtin, JOB_COMMAND);
	assert_null(got.env);
	assert_null(got.script);
	assert_int_equal(got.nice, 0);
	assert_int_equal(got.parse, PARSE_LINES);
	assert_int_equal(got.become, JOB_AS_SELF);
	assert_false(got.expand);
	job_open_done(&got);
}

static void assert_open(const struct job_open_msg *m, int code, const char *words)
{
	struct job_open_msg got;
	struct errmsg msg = {""};

	assert_int_equal(get_again(&got, m, &msg), code);
	if (words && !strstr(msg.text, words))
		fail_msg("\"%s\" does not say \"%s\"", msg.text, words);
	job_open_done(&got);
}

/* Fields 51 to 58. */
static void test_rollout(void **state)
{
	struct job_open_msg m = {.argv = sample_argv,
				 .argc = 1,
				 .batch = 100,
				 .batch_percent = true,
				 .pause_ms = 1500,
				 .failures = 101,
				 .failures_percent = true,
				 .fail_fast = true,
				 .canary = 2,
				 .until_reachable_ms = 60000};
	struct job_open_msg got;

	(void)state;
	assert_int_equal(get_again(&got, &m, NULL), 0);
	assert_int_equal(got.batch, 100);
	assert_true(got.batch_percent);
	assert_int_equal(got.pause_ms, 1500);
	assert_int_equal(got.failures, 101);
	assert_true(got.failures_percent);
	assert_true(got.fail_fast);
	assert_int_equal(got.canary, 2);
	assert_int_equal(got.until_reachable_ms, 60000);
	job_open_done(&got);
	m.batch = 101;
	assert_open(&m, ERR_PROTO, "field batch: is not from 1 to 100");
	m.batch = 0;
	assert_open(&m, ERR_PROTO, "field batch: is not from 1 to 100");
	m.batch_percent = false;
	assert_open(&m, 0, NULL);
	m.failures = 102;
	assert_open(&m, ERR_PROTO, "field failures: is not from 1 to 101");
	m.failures = 0;
	assert_open(&m, ERR_PROTO, "field failures: is not from 1 to 101");
	m.failures_percent = false;
	m.batch = LIMIT_HOSTS;
	m.failures = LIMIT_HOSTS + 1;
	m.canary = LIMIT_HOSTS;
	assert_open(&m, 0, NULL);
	m.canary++;
	assert_open(&m, ERR_PROTO, "field canary");
}

/* A command, a script text, a script file, a built-in action: one of them. */
static void test_what_runs(void **state)
{
	struct job_open_msg m = {.argv = sample_argv, .argc = 1};

	(void)state;
	assert_open(&m, 0, NULL);
	m.shell = true;
	assert_open(&m, 0, NULL);
	m.script = sample_script;
	assert_open(&m, ERR_PROTO, "field script: does not go with shell");
	m.shell = false;
	assert_open(&m, 0, NULL);
	m.argc = 0;
	assert_open(&m, 0, NULL);
	m.script = NULL;
	assert_open(&m, ERR_PROTO, "field argv: is empty: there is nothing to run");
	for (m.builtin = JOB_AGENT_LIST; m.builtin < JOB_BUILTIN_COUNT; m.builtin++)
		if (m.builtin != JOB_COPY)
			assert_open(&m, 0, NULL);
	m.builtin = JOB_COPY;
	assert_open(&m, ERR_PROTO, "field copy_from");
	m.builtin = JOB_AGENT_PUSH;
	m.argc = 1;
	assert_open(&m, ERR_PROTO, "field builtin: does not go with a command");
	m.argc = 0;
	m.script = sample_script;
	assert_open(&m, ERR_PROTO, "field builtin: does not go with a command");
	m.script = NULL;
	m.session_count = 1;
	m.sessions = sample_argv;
	assert_open(&m, ERR_PROTO, "field sessions: does not go with builtin");
	m.session_count = 0;
	m.local = true;
	assert_open(&m, ERR_PROTO, "field builtin: does not go with local");
	m = (struct job_open_msg){.argv = sample_argv,
				  .argc = 1,
				  .local = true,
				  .sessions = sample_argv,
				  .session_count = 1};
	assert_open(&m, ERR_PROTO, "field sessions: does not go with local");
}

static void test_ranges(void **state)
{
	struct job_open_msg m;
	char *bad[] = {"NAME"};

	(void)state;
	m = sample;
	m.agent = JOB_AGENT_COUNT;
	assert_open(&m, ERR_PROTO, "field agent: is 4, at most 3");
	m = sample;
	m.builtin = JOB_BUILTIN_COUNT;
	assert_open(&m, ERR_PROTO, "field builtin: is 7, at most 6");
	m = sample;
	m.parse = PARSE_COUNT;
	assert_open(&m, ERR_PROTO, "field parse: is 12, at most 11");
	m = sample;
	m.become = JOB_BECOME_COUNT;
	assert_open(&m, ERR_PROTO, "field become: is 4, at most 3");
	m = sample;
	m.become = JOB_AS_SELF;
	assert_open(&m, ERR_PROTO, "field become_user: needs become");
	m = sample;
	m.nice = -21;
	assert_open(&m, ERR_PROTO, "field nice: is not between -20 and 19");
	m = sample;
	m.env = bad;
	m.env_count = 1;
	assert_open(&m, ERR_PROTO, "field env: has an element that is not NAME=VALUE");
	m = sample;
	m.idle_timeout_ms = CONTROL_MS_MAX + 1;
	assert_open(&m, ERR_PROTO, "field idle_timeout_ms: is ");
	m = sample;
	m.start_timeout_ms = CONTROL_MS_MAX + 1;
	assert_open(&m, ERR_PROTO, "field start_timeout_ms: is ");
}

static void test_limits(void **state)
{
	uint8_t *script = xcalloc(1, LIMIT_SCRIPT + 1);
	char *env = xcalloc(1, LIMIT_COMMAND + 1), *envs[] = {env, "A="};
	char *pattern = xcalloc(1, LIMIT_PATTERN + 2);
	struct job_open_msg m = sample;

	(void)state;
	memset(env, '=', LIMIT_COMMAND - 1);
	env[0] = 'E';
	memset(pattern, 'p', LIMIT_PATTERN);
	m.script = script;
	m.script_len = LIMIT_SCRIPT;
	m.env = envs;
	m.env_count = 1;
	m.parse_argument = pattern;
	assert_open(&m, 0, NULL);
	m.script_len++;
	assert_open(&m, ERR_LIMIT, "field script: has size 524289");
	m.script_len--;
	m.env_count++;
	assert_open(&m, ERR_LIMIT, "field env: is longer than 120 KiB in all");
	m.env_count--;
	pattern[LIMIT_PATTERN] = 'p';
	assert_open(&m, ERR_LIMIT, "field parse_argument: has size 4097");
	free(pattern);
	free(script);
	free(env);
}

static void test_stdin(void **state)
{
	static uint8_t data[LIMIT_STDIN_PIECE + 1];
	struct job_stdin_msg m = {data, LIMIT_STDIN_PIECE, true}, got;
	struct buf body = {0};

	(void)state;
	job_stdin_put(&body, &m);
	assert_int_equal(job_stdin_get(&got, body.data, body.len, NULL), 0);
	assert_int_equal(got.len, LIMIT_STDIN_PIECE);
	assert_memory_equal(got.data, data, got.len);
	assert_true(got.end);
	job_stdin_done(&got);
	m.len++;
	buf_clear(&body);
	job_stdin_put(&body, &m);
	assert_int_equal(job_stdin_get(&got, body.data, body.len, NULL), ERR_LIMIT);
	assert_int_equal(job_stdin_get(&got, "\x90", 1, NULL), 0);
	assert_null(got.data);
	assert_false(got.end);
	job_stdin_done(&got);
	buf_done(&body);
}

static void test_secret(void **state)
{
	static const char *const bad[] = {"a\nb", "a\r", "\n"};
	struct job_secret_msg m = {.password = "pass word"}, got;
	struct buf body = {0};
	struct errmsg msg = {""};

	(void)state;
	job_secret_put(&body, &m);
	assert_int_equal(job_secret_get(&got, body.data, body.len, NULL), 0);
	assert_string_equal(got.password, "pass word");
	job_secret_done(&got);
	assert_null(got.password);
	job_secret_done(&got);
	assert_int_equal(job_secret_get(&got, "\x91\xa0", 2, NULL), 0);
	assert_string_equal(got.password, "");
	job_secret_done(&got);
	assert_int_equal(job_secret_get(&got, "\x90", 1, &msg), ERR_PROTO);
	assert_string_equal(msg.text, "message JOB_SECRET: field password: is missing");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		m.password = (char *)(uintptr_t)bad[i];
		buf_clear(&body);
		job_secret_put(&body, &m);
		assert_int_equal(job_secret_get(&got, body.data, body.len, &msg), ERR_PROTO);
		/* What is said about it does not say it. */
		assert_string_equal(msg.text,
				    "message JOB_SECRET: field password: is more than one line");
		assert_null(got.password);
	}
	buf_done(&body);
}

static void test_question(void **state)
{
	struct job_ask_msg ask = {7, JOB_ASK_PASSPHRASE, "Passphrase: ", true}, asked;
	struct job_answer_msg m = {7, true, "pass word"}, got;
	struct buf body = {0};

	(void)state;
	job_ask_put(&body, &ask);
	assert_int_equal(job_ask_get(&asked, body.data, body.len, NULL), 0);
	assert_true(asked.number == 7 && asked.kind == JOB_ASK_PASSPHRASE && asked.echo);
	assert_string_equal(asked.text, "Passphrase: ");
	job_ask_done(&asked);
	ask.kind = JOB_ASK_KIND_COUNT;
	buf_clear(&body);
	job_ask_put(&body, &ask);
	assert_int_equal(job_ask_get(&asked, body.data, body.len, NULL), ERR_PROTO);
	buf_clear(&body);
	job_answer_put(&body, &m);
	assert_int_equal(job_answer_get(&got, body.data, body.len, NULL), 0);
	assert_true(got.number == 7 && got.given);
	assert_string_equal(got.text, "pass word");
	job_answer_done(&got);
	m.text = NULL;
	buf_clear(&body);
	job_answer_put(&body, &m);
	assert_int_equal(job_answer_get(&got, body.data, body.len, NULL), ERR_PROTO);
	buf_done(&body);
}

static void test_schema(void **state)
{
	char *columns[] = {"a", "b"};
	struct schema_msg m = {UINT64_MAX, NULL, columns, 2}, got;
	struct buf body = {0};

	(void)state;
	schema_put(&body, &m);
	assert_int_equal(schema_get(&got, body.data, body.len, NULL), 0);
	assert_true(got.schema == UINT64_MAX);
	assert_null(got.name);
	assert_int_equal(got.column_count, 2);
	assert_string_equal(got.columns[1], "b");
	schema_done(&got);
	assert_int_equal(schema_get(&got, "\x93\x00\xc0\x91\xa1x", 6, NULL), ERR_PROTO);
	assert_int_equal(schema_get(&got, "\x93\x01\xc0\x90", 4, NULL), ERR_PROTO);
	assert_int_equal(schema_get(&got, "\x91\x01", 2, NULL), ERR_PROTO);
	buf_done(&body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),	 cmocka_unit_test(test_absent),
		cmocka_unit_test(test_rollout),	 cmocka_unit_test(test_what_runs),
		cmocka_unit_test(test_ranges),	 cmocka_unit_test(test_limits),
		cmocka_unit_test(test_stdin),	 cmocka_unit_test(test_secret),
		cmocka_unit_test(test_question), cmocka_unit_test(test_schema),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
