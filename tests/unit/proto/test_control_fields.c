/* proto/control_msg.c and layout.c: the values, defaults, limits and refusals of single messages.
 */
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

static char *sample_argv[] = {"printf", "%s", "", "a b", "\xff"};
static struct job_target sample_targets[] = {
	{"root@web1:2222", "web1", "root", 2222, 0},
	{"[::1]", "::1", NULL, 0, 0},
};
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
	.init_script = "set -e",
	.path = "/bin",
};
static const struct job_targets_msg sample_job_targets = {sample_targets, 2};
static const struct get_row_msg sample_get_row = {.id = 12, .state = "Running"};

static void test_job_open_values(void **state)
{
	struct buf body = {0};
	struct job_open_msg m;

	(void)state;
	job_open_put(&body, &sample_job_open);
	assert_int_equal(job_open_get(&m, body.data, body.len, NULL), 0);
	assert_string_equal(m.name, "deploy");
	assert_int_equal(m.argc, 5);
	assert_string_equal(m.argv[2], "");
	assert_string_equal(m.argv[4], "\xff");
	assert_false(m.shell);
	assert_int_equal(m.throttle, 32);
	assert_true(m.connect_timeout_ms == CONTROL_MS_MAX);
	assert_string_equal(m.home, "/home/u");
	assert_true(m.background);
	assert_true(m.local);
	assert_string_equal(m.directory, "/srv/a b");
	assert_string_equal(m.init_script, "set -e");
	assert_string_equal(m.path, "/bin");
	job_open_done(&m);
	buf_done(&body);
}

/* [nil, nil, ["x"]]: all that may be absent is. */
static void test_job_open_defaults(void **state)
{
	struct job_open_msg m;

	(void)state;
	assert_int_equal(job_open_get(&m, "\x93\xc0\xc0\x91\xa1x", 6, NULL), 0);
	assert_null(m.name);
	assert_null(m.display);
	assert_int_equal(m.argc, 1);
	assert_false(m.shell);
	assert_int_equal(m.throttle, 0);
	assert_int_equal(m.run_timeout_ms, 0);
	assert_null(m.ssh_config);
	assert_null(m.home);
	assert_false(m.background);
	assert_false(m.local);
	assert_null(m.directory);
	assert_null(m.init_script);
	assert_null(m.path);
	job_open_done(&m);
}

static void assert_job_open_refused(const struct job_open_msg *m, int code, const char *text)
{
	struct buf body = {0};
	struct job_open_msg got;
	struct errmsg msg = {""};

	job_open_put(&body, m);
	assert_int_equal(job_open_get(&got, body.data, body.len, &msg), code);
	if (!strstr(msg.text, text) || !strstr(msg.text, "message JOB_OPEN: "))
		fail_msg("\"%s\" does not say \"%s\"", msg.text, text);
	assert_null(got.argv);
	assert_int_equal(got.argc, 0);
	buf_done(&body);
}

static void test_job_open_refusals(void **state)
{
	struct job_open_msg m = sample_job_open;
	char name[LIMIT_JOB_NAME + 2];

	(void)state;
	m.argc = 0;
	assert_job_open_refused(&m, ERR_PROTO, "field argv: is empty");
	m = sample_job_open;
	m.shell = true;
	assert_job_open_refused(&m, ERR_PROTO, "field argv: has more than the script");
	m = sample_job_open;
	m.ssh_config = "relative";
	assert_job_open_refused(&m, ERR_PROTO, "field ssh_config: ");
	m = sample_job_open;
	m.run_timeout_ms = CONTROL_MS_MAX + 1;
	assert_job_open_refused(&m, ERR_PROTO, "field run_timeout_ms: ");
	m = sample_job_open;
	m.throttle = LIMIT_HOSTS + 1;
	assert_job_open_refused(&m, ERR_PROTO, "field throttle: ");
	m = sample_job_open;
	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	m.name = name;
	assert_job_open_refused(&m, ERR_LIMIT, "field name: has size 256");
}

/* The new texts have the cap of the command each, and all of them fit into a frame. */
static void test_job_open_long_texts(void **state)
{
	char *text = xmalloc(LIMIT_COMMAND + 2);
	char *argv[] = {text + 2};
	struct job_open_msg m = {.argv = argv, .argc = 1, .shell = true}, got;
	struct buf body = {0};

	(void)state;
	memset(text, 't', LIMIT_COMMAND + 1);
	text[LIMIT_COMMAND + 1] = '\0';
	m.init_script = text;
	assert_job_open_refused(&m, ERR_LIMIT, "field init_script: has size 122881");
	m.init_script = NULL;
	m.path = text;
	assert_job_open_refused(&m, ERR_LIMIT, "field path: has size 122881");
	m.path = m.init_script = m.display = text + 1;
	job_open_put(&body, &m);
	assert_true(body.len <= LIMIT_FRAME_BODY);
	assert_int_equal(job_open_get(&got, body.data, body.len, NULL), 0);
	assert_string_equal(got.init_script, text + 1);
	job_open_done(&got);
	text[LIMIT_OPTION_TEXT + 1] = '\0';
	m = (struct job_open_msg){.argv = argv, .argc = 1, .directory = text};
	assert_job_open_refused(&m, ERR_LIMIT, "field directory: has size 4097");
	free(text);
	buf_done(&body);
}

static void test_job_open_limits(void **state)
{
	char **argv = xcalloc(LIMIT_ARGS + 1, sizeof *argv);
	char *script = xmalloc(LIMIT_COMMAND + 1);
	struct job_open_msg m = {.argv = argv, .argc = LIMIT_ARGS}, got;
	struct buf body = {0};

	(void)state;
	for (size_t i = 0; i <= LIMIT_ARGS; i++)
		argv[i] = "x";
	job_open_put(&body, &m);
	assert_int_equal(job_open_get(&got, body.data, body.len, NULL), 0);
	assert_int_equal(got.argc, LIMIT_ARGS);
	job_open_done(&got);
	m.argc++;
	assert_job_open_refused(&m, ERR_LIMIT, "field argv: has size 4097");

	/* The NUL of each argument counts, as in execve. */
	memset(script, 's', LIMIT_COMMAND);
	script[LIMIT_COMMAND] = '\0';
	argv[0] = script;
	m.argc = 1;
	m.shell = true;
	assert_job_open_refused(&m, ERR_LIMIT, "ship a script");
	script[LIMIT_COMMAND - 1] = '\0';
	buf_clear(&body);
	job_open_put(&body, &m);
	assert_int_equal(job_open_get(&got, body.data, body.len, NULL), 0);
	assert_true(got.shell);
	assert_string_equal(got.argv[0], script);
	job_open_done(&got);
	m.argc = 2;
	m.shell = false;
	assert_job_open_refused(&m, ERR_LIMIT, "longer than 120 KiB");
	buf_done(&body);
	free(script);
	free(argv);
}

/* What people see may be longer than the command: it is cut, not refused. */
static void test_display_is_cut(void **state)
{
	char *display = xmalloc(LIMIT_COMMAND * 2);
	struct job_open_msg m = sample_job_open, got;
	struct buf body = {0};

	(void)state;
	memset(display, 'd', LIMIT_COMMAND * 2 - 1);
	display[LIMIT_COMMAND * 2 - 1] = '\0';
	m.display = display;
	job_open_put(&body, &m);
	assert_int_equal(job_open_get(&got, body.data, body.len, NULL), 0);
	assert_int_equal(strlen(got.display), LIMIT_COMMAND);
	assert_string_equal(got.display + LIMIT_COMMAND - 4, "d...");
	job_open_done(&got);
	buf_done(&body);
	free(display);
}

static void test_job_targets_values(void **state)
{
	struct job_targets_msg m;
	struct buf body = {0};

	(void)state;
	job_targets_put(&body, &sample_job_targets);
	assert_int_equal(job_targets_get(&m, body.data, body.len, NULL), 0);
	assert_int_equal(m.count, 2);
	assert_string_equal(m.targets[0].host, "root@web1:2222");
	assert_string_equal(m.targets[0].user, "root");
	assert_int_equal(m.targets[0].port, 2222);
	assert_string_equal(m.targets[1].hostname, "::1");
	assert_null(m.targets[1].user);
	assert_int_equal(m.targets[1].port, 0);
	job_targets_done(&m);
	/* A target of two fields: the others are absent. */
	assert_int_equal(job_targets_get(&m, "\x91\x91\x92\xa1h\xa1n", 7, NULL), 0);
	assert_string_equal(m.targets[0].hostname, "n");
	assert_null(m.targets[0].user);
	job_targets_done(&m);
	buf_done(&body);
}

static void assert_job_targets_refused(const struct job_targets_msg *m, int code, const char *text)
{
	struct job_targets_msg got;
	struct buf body = {0};
	struct errmsg msg = {""};

	job_targets_put(&body, m);
	assert_int_equal(job_targets_get(&got, body.data, body.len, &msg), code);
	if (!strstr(msg.text, text))
		fail_msg("\"%s\" does not say \"%s\"", msg.text, text);
	assert_null(got.targets);
	buf_done(&body);
}

static void test_job_targets_refusals(void **state)
{
	struct job_target bad = {"h", "n", NULL, 65536, 0};
	struct job_targets_msg one = {&bad, 1};
	char name[LIMIT_HOST_NAME + 2];
	struct job_targets_msg got;

	(void)state;
	memset(name, 'h', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	assert_job_targets_refused(&one, ERR_PROTO, "field port: is 65536, at most 65535");
	bad = (struct job_target){.host = "h"};
	assert_job_targets_refused(&one, ERR_PROTO, "field hostname: is required");
	bad = (struct job_target){"", "n", NULL, 0, 0};
	assert_job_targets_refused(&one, ERR_PROTO, "field host: is required");
	bad = (struct job_target){"h", name, NULL, 0, 0};
	assert_job_targets_refused(&one, ERR_LIMIT, "field hostname: has size 256");
	assert_int_equal(job_targets_get(&got, "\x91\x91\x01", 3, NULL), ERR_PROTO);
	assert_int_equal(job_targets_get(&got, "\x91\xc0", 2, NULL), ERR_PROTO);
	assert_int_equal(job_targets_get(&got, "\x90", 1, NULL), ERR_PROTO);
}

static void test_job_targets_limit(void **state)
{
	struct job_targets_msg m = {0}, got;
	struct buf body = {0};

	(void)state;
	m.targets = xcalloc(CONTROL_TARGETS_MAX + 1, sizeof *m.targets);
	for (size_t i = 0; i <= CONTROL_TARGETS_MAX; i++)
		m.targets[i] = (struct job_target){"h", "n", "u", 22, 0};
	m.count = CONTROL_TARGETS_MAX;
	job_targets_put(&body, &m);
	assert_int_equal(job_targets_get(&got, body.data, body.len, NULL), 0);
	assert_int_equal(got.count, CONTROL_TARGETS_MAX);
	job_targets_done(&got);
	m.count++;
	assert_job_targets_refused(&m, ERR_LIMIT, "field targets: has size 4097");
	free(m.targets);
	buf_done(&body);
}

/* CONTROL_TARGETS_BATCH keeps its promise with the longest names there can be. */
static void test_job_targets_batch_fits(void **state)
{
	struct job_targets_msg m = {0}, got;
	char label[CONTROL_LABEL_MAX + 1], name[LIMIT_HOST_NAME + 1], user[CONTROL_USER_MAX + 1];
	struct buf body = {0};

	(void)state;
	memset(label, 'l', CONTROL_LABEL_MAX);
	memset(name, 'n', LIMIT_HOST_NAME);
	memset(user, 'u', CONTROL_USER_MAX);
	label[CONTROL_LABEL_MAX] = name[LIMIT_HOST_NAME] = user[CONTROL_USER_MAX] = '\0';
	m.targets = xcalloc(CONTROL_TARGETS_BATCH, sizeof *m.targets);
	m.count = CONTROL_TARGETS_BATCH;
	for (size_t i = 0; i < m.count; i++)
		m.targets[i] = (struct job_target){label, name, user, UINT16_MAX, 0};
	job_targets_put(&body, &m);
	assert_true(body.len <= LIMIT_FRAME_BODY);
	assert_int_equal(job_targets_get(&got, body.data, body.len, NULL), 0);
	job_targets_done(&got);
	free(m.targets);
	buf_done(&body);
}

static void test_hello(void **state)
{
	struct hello_msg m;
	struct errmsg msg = {""};

	(void)state;
	assert_int_equal(hello_get(&m, "\x92\x01\x02", 3, NULL), 0);
	assert_int_equal(m.version_min, 1);
	assert_int_equal(m.version_max, 2);
	assert_null(m.program);
	assert_int_equal(m.pid, 0);
	hello_done(&m);
	assert_int_equal(hello_get(&m, "\x91\x01", 2, &msg), ERR_PROTO);
	assert_string_equal(msg.text, "message HELLO: field version_max: is missing");
	assert_int_equal(hello_get(&m, "\x92\x02\x01", 3, NULL), ERR_PROTO);
	assert_int_equal(hello_get(&m, "\x92\x00\x01", 3, NULL), ERR_PROTO);
	assert_int_equal(hello_get(&m, "\x92\xc0\x01", 3, NULL), ERR_PROTO);
	assert_int_equal(m.version_max, 0);
	assert_int_equal(hello_get(&m, "\x94\x01\x02\xa2\x61\x00\x05", 7, &msg), ERR_PROTO);
	assert_non_null(strstr(msg.text, "field program: has a NUL byte"));
}

static void test_error_codes(void **state)
{
	struct error_msg m;

	(void)state;
	assert_int_equal(error_get(&m, "\x91\xff", 2, NULL), 0);
	assert_int_equal(m.code, -1);
	assert_null(m.text);
	assert_int_equal(error_get(&m, "\x91\x00", 2, NULL), ERR_PROTO);
	assert_int_equal(error_get(&m, "\x91\x05", 2, NULL), ERR_PROTO);
	assert_int_equal(error_get(&m, "\x91\xd0\x80", 3, NULL), ERR_PROTO);
	assert_int_equal(error_get(&m, "\x91\xd0\xc0", 3, NULL), ERR_PROTO);
	assert_int_equal(error_get(&m, "\x91\xd0\xc1", 3, NULL), 0);
	assert_int_equal(m.code, ERR_SYS);
	assert_int_equal(error_get(&m, "\x90", 1, NULL), ERR_PROTO);
	/* The codes travel, so that they stay as docs/protocol.md, section 5.2, has them. */
	assert_int_equal(ERR_SYS, -63);
	assert_int_equal(ERR_PROTO, -61);
	assert_int_equal(ERR_CRYPTO, -50);
}

static void test_child_state_defaults(void **state)
{
	struct child_state_msg m;

	(void)state;
	assert_int_equal(child_state_get(&m, "\x92\x05\xa7Running", 10, NULL), 0);
	assert_int_equal(m.child, 5);
	assert_string_equal(m.state, "Running");
	assert_false(m.finished);
	assert_null(m.cause);
	assert_int_equal(m.exit_code, -1);
	assert_int_equal(m.exit_status, 0);
	child_state_done(&m);
	/* nil in the place of the exit code is the same as none at all */
	assert_int_equal(child_state_get(&m, "\x95\x05\xa1R\xc3\xc0\xc0", 7, NULL), 0);
	assert_int_equal(m.exit_code, -1);
	child_state_done(&m);
	assert_int_equal(child_state_get(&m, "\x91\x05", 2, NULL), ERR_PROTO);
	assert_int_equal(child_state_get(&m, "\x92\x05\xa0", 3, NULL), ERR_PROTO);
}

/* [id, 12 fields that are absent but for the state, ..., children] */
static int get_children(struct get_row_msg *ret, const uint64_t *runs, size_t count,
			struct errmsg *msg)
{
	struct buf body = {0};
	int r;

	wire_put_array(&body, 16);
	wire_put_u64(&body, 1);
	for (int i = 0; i < 3; i++)
		wire_put_nil(&body);
	wire_put_str(&body, "Running");
	for (int i = 0; i < 10; i++)
		wire_put_nil(&body);
	wire_put_array(&body, count);
	for (size_t i = 0; i < count; i++)
		wire_put_u64(&body, runs[i]);
	r = get_row_get(ret, body.data, body.len, msg);
	buf_done(&body);
	return r;
}

static void test_children_as_runs(void **state)
{
	struct get_row_msg m;

	(void)state;
	assert_int_equal(get_children(&m, (uint64_t[]){10, 3, 5, 1}, 4, NULL), 0);
	assert_int_equal(m.child_count, 4);
	assert_int_equal(m.children[0], 10);
	assert_int_equal(m.children[2], 12);
	assert_int_equal(m.children[3], 5);
	assert_int_equal(m.exit_code, -1);
	get_row_done(&m);
	assert_int_equal(get_children(&m, (uint64_t[]){2, LIMIT_HOSTS}, 2, NULL), 0);
	assert_int_equal(m.child_count, LIMIT_HOSTS);
	assert_int_equal(m.children[LIMIT_HOSTS - 1], LIMIT_HOSTS + 1);
	get_row_done(&m);
	assert_int_equal(get_children(&m, (uint64_t[]){UINT64_MAX, 1}, 2, NULL), 0);
	get_row_done(&m);
}

static void test_hostile_runs(void **state)
{
	struct get_row_msg m;
	struct errmsg msg = {""};

	(void)state;
	assert_int_equal(get_children(&m, (uint64_t[]){1, LIMIT_HOSTS + 1}, 2, &msg), ERR_LIMIT);
	assert_non_null(strstr(msg.text, "field children: has too many ids"));
	assert_int_equal(get_children(&m, (uint64_t[]){0, UINT64_MAX}, 2, &msg), ERR_LIMIT);
	assert_int_equal(get_children(&m, (uint64_t[]){1, LIMIT_HOSTS, 1, 1}, 4, &msg), ERR_LIMIT);
	assert_int_equal(get_children(&m, (uint64_t[]){1, 0}, 2, &msg), ERR_PROTO);
	assert_int_equal(get_children(&m, (uint64_t[]){1, 2, 3}, 3, &msg), ERR_PROTO);
	assert_int_equal(get_children(&m, (uint64_t[]){UINT64_MAX, 2}, 2, &msg), ERR_PROTO);
	assert_null(m.children);
}

/* A job of a million hosts still fits into one row. */
static void test_largest_row(void **state)
{
	struct get_row_msg m = sample_get_row, got;
	struct buf body = {0};
	char *text = xmalloc(LIMIT_FRAME_BODY);

	(void)state;
	memset(text, 't', LIMIT_FRAME_BODY - 1);
	text[LIMIT_FRAME_BODY - 1] = '\0';
	m.location = m.command = m.text = m.name = m.progress = text;
	m.child_count = LIMIT_HOSTS;
	m.children = xcalloc(m.child_count, sizeof *m.children);
	for (size_t i = 0; i < m.child_count; i++)
		m.children[i] = 13 + i;
	get_row_put(&body, &m);
	assert_true(body.len <= LIMIT_FRAME_BODY);
	assert_int_equal(get_row_get(&got, body.data, body.len, NULL), 0);
	assert_int_equal(strlen(got.location), CONTROL_LOCATION_MAX);
	assert_int_equal(strlen(got.progress), CONTROL_LOCATION_MAX / 4);
	assert_int_equal(got.child_count, LIMIT_HOSTS);
	assert_memory_equal(got.children, m.children, LIMIT_HOSTS * sizeof *m.children);
	get_row_done(&got);
	free(m.children);
	free(text);
	buf_done(&body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_job_open_values),
		cmocka_unit_test(test_job_open_defaults),
		cmocka_unit_test(test_job_open_refusals),
		cmocka_unit_test(test_job_open_long_texts),
		cmocka_unit_test(test_job_open_limits),
		cmocka_unit_test(test_display_is_cut),
		cmocka_unit_test(test_job_targets_values),
		cmocka_unit_test(test_job_targets_refusals),
		cmocka_unit_test(test_job_targets_limit),
		cmocka_unit_test(test_job_targets_batch_fits),
		cmocka_unit_test(test_hello),
		cmocka_unit_test(test_error_codes),
		cmocka_unit_test(test_child_state_defaults),
		cmocka_unit_test(test_children_as_runs),
		cmocka_unit_test(test_hostile_runs),
		cmocka_unit_test(test_largest_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
