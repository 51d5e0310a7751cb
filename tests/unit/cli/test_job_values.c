/* What invoke's options make of a job, and what they refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent_msg.h"
#include "alloc.h"
#include "fd.h"
#include "job_options.h"
#include "limits.h"
#include "secret.h"

static struct job_open_msg filled; /* by the last fill */
static struct job_made made;

static int fill(const struct job_values *v, int argc, char **argv, struct errmsg *msg)
{
	job_made_done(&made);
	filled = (struct job_open_msg){0};
	return job_options_fill(&filled, &made, v, argc, argv, msg);
}

static void accepted(const struct job_values *v)
{
	struct errmsg msg = {{0}};

	if (fill(v, 0, NULL, &msg) != 0)
		fail_msg("%s", msg.text);
}

static void refused(const struct job_values *v, int code, const char *text)
{
	struct errmsg msg = {{0}};
	int rc = fill(v, 0, NULL, &msg);

	if (rc != code || !strstr(msg.text, text))
		fail_msg("%s: %s", err_name(rc), msg.text);
}

static int tear_down(void **state)
{
	(void)state;
	job_made_done(&made);
	return 0;
}

static void without_options(void **state)
{
	(void)state;
	accepted(&(struct job_values){0});
	assert_int_equal(filled.agent, JOB_AGENT_AUTO);
	assert_int_equal(filled.parse, PARSE_LINES);
	assert_int_equal(filled.become, JOB_AS_SELF);
	assert_int_equal(filled.nice, 0);
	assert_null(filled.script);
	assert_false(filled.stdin_follows);
	assert_true(filled.expand);
}

static void agents(void **state)
{
	(void)state;
	accepted(&(struct job_values){.agent = "subsystem"});
	assert_int_equal(filled.agent, JOB_AGENT_SUBSYSTEM);
	refused(&(struct job_values){.agent = "maybe"}, ERR_SYNTAX,
		"--agent: 'maybe' is none of auto, always, never, subsystem");
	refused(&(struct job_values){.agent = "never", .parse = "json"}, ERR_SYNTAX,
		"--parse needs the agent");
	refused(&(struct job_values){.agent = "never", .become = {.given = true}}, ERR_SYNTAX,
		"--become needs the agent");
	refused(&(struct job_values){.agent = "subsystem", .become = {.given = true}}, ERR_SYNTAX,
		"--become: not with --agent subsystem");
	refused(&(struct job_values){.agent = "never", .parse = "raw"}, ERR_SYNTAX,
		"not with --agent never");
	accepted(&(struct job_values){.agent = "never", .parse = "lines"});
}

static void environment(void **state)
{
	const char *good[] = {"A=1", "_b2=x=y", "C="};
	static const char *const bad[] = {"A", "=1", "1A=2", "A-B=1", "A B=1", "", "\xc3\xa4=1"};
	const char *ours[] = {"MUSTER_FD=9"};

	(void)state;
	accepted(&(struct job_values){.env = {good, 3}});
	assert_int_equal(filled.env_count, 3);
	assert_string_equal(filled.env[1], "_b2=x=y");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const char *at[] = {bad[i]};

		refused(&(struct job_values){.env = {at, 1}}, ERR_SYNTAX, "is not NAME=VALUE");
	}
	refused(&(struct job_values){.env = {ours, 1}}, ERR_SYNTAX, "--env: MUSTER_FD");
}

static void environment_limits(void **state)
{
	const char **many = xcalloc(LIMIT_ENV + 1, sizeof(char *));
	char *large = xcalloc(LIMIT_COMMAND + 1, 1);
	const char *one[] = {large};

	(void)state;
	for (size_t i = 0; i <= LIMIT_ENV; i++)
		many[i] = "A=1";
	accepted(&(struct job_values){.env = {many, LIMIT_ENV}});
	refused(&(struct job_values){.env = {many, LIMIT_ENV + 1}}, ERR_LIMIT, "1024 variables");
	memset(large, 'x', LIMIT_COMMAND);
	large[1] = '=';
	refused(&(struct job_values){.env = {one, 1}}, ERR_LIMIT, "120 KiB");
	large[LIMIT_COMMAND - 1] = '\0';
	accepted(&(struct job_values){.env = {one, 1}});
	free(large);
	free(many);
}

static void niceness(void **state)
{
	static const char *const bad[] = {"20", "-21", "x", "", "-", "+1", "1.5"};

	(void)state;
	accepted(&(struct job_values){.nice = "19"});
	assert_int_equal(filled.nice, 19);
	accepted(&(struct job_values){.nice = "-20"});
	assert_int_equal(filled.nice, -20);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		refused(&(struct job_values){.nice = bad[i]}, ERR_RANGE, "from -20 to 19");
}

static void parsing(void **state)
{
	char *long_pattern = xcalloc(LIMIT_PATTERN + 8, 1);

	(void)state;
	accepted(&(struct job_values){.parse = "json"});
	assert_int_equal(filled.parse, PARSE_JSON);
	assert_null(filled.parse_argument);
	accepted(&(struct job_values){.parse = "csv:;"});
	assert_int_equal(filled.parse, PARSE_CSV);
	assert_string_equal(filled.parse_argument, ";");
	accepted(&(struct job_values){.parse = "regex:^(?<a>.):(.)$"});
	assert_int_equal(filled.parse, PARSE_REGEX);
	assert_string_equal(filled.parse_argument, "^(?<a>.):(.)$");
	refused(&(struct job_values){.parse = "xml"}, ERR_SYNTAX, "xml");
	refused(&(struct job_values){.parse = "regex"}, ERR_SYNTAX, "regex:PATTERN");
	refused(&(struct job_values){.parse = "regex:"}, ERR_SYNTAX, "regex:PATTERN");
	refused(&(struct job_values){.parse = "json:x"}, ERR_SYNTAX, "takes nothing");
	refused(&(struct job_values){.parse = "csv:"}, ERR_SYNTAX, "no delimiter");
	refused(&(struct job_values){.parse = "csv:;;"}, ERR_SYNTAX, "no delimiter");
	refused(&(struct job_values){.parse = "tsv:\""}, ERR_SYNTAX, "no delimiter");
	(void)strcpy(long_pattern, "regex:");
	memset(long_pattern + 6, 'x', LIMIT_PATTERN + 1);
	refused(&(struct job_values){.parse = long_pattern}, ERR_LIMIT, "4096 bytes");
	free(long_pattern);
}

static void becoming(void **state)
{
	(void)state;
	accepted(&(struct job_values){.become = {.given = true}});
	assert_int_equal(filled.become, JOB_SUDO);
	assert_null(filled.become_user);
	accepted(&(struct job_values){.become = {"app", true}, .become_method = "doas"});
	assert_int_equal(filled.become, JOB_DOAS);
	assert_string_equal(filled.become_user, "app");
	refused(&(struct job_values){.become = {"", true}}, ERR_SYNTAX, "no user name");
	refused(&(struct job_values){.become = {"-x", true}}, ERR_SYNTAX, "no user name");
	refused(&(struct job_values){.become = {NULL, true}, .become_method = "runas"}, ERR_SYNTAX,
		"sudo, su, doas");
	refused(&(struct job_values){.become_method = "su"}, ERR_SYNTAX, "goes with --become");
	refused(&(struct job_values){.ask_become_pass = true}, ERR_SYNTAX, "-K goes with --become");
	refused(&(struct job_values){.become = {NULL, true},
				     .ask_become_pass = true,
				     .become_password_file = "x"},
		ERR_SYNTAX, "one of them");
}

static void write_file(char *path, const void *data, size_t len)
{
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, data, len), 0);
	fd_close(&fd);
}

static void scripts(void **state)
{
	char path[] = "/tmp/test_job_values.XXXXXX", word[] = "c d", *argv[] = {word, NULL};
	const char *list[] = {"a", "b"};
	struct job_values v = {.file = path, .arguments = {list, 2}};
	struct errmsg msg;

	(void)state;
	write_file(path, "#!/bin/sh\n\0x", 12);
	assert_int_equal(fill(&v, 1, argv, &msg), 0);
	assert_int_equal(filled.script_len, 12);
	assert_memory_equal(filled.script, "#!/bin/sh\n\0x", 12);
	assert_string_equal(filled.script_name, path + 5);
	assert_int_equal(filled.argc, 3);
	assert_string_equal(filled.argv[1], "b");
	assert_string_equal(filled.argv[2], "c d");
	assert_int_equal(truncate(path, LIMIT_SCRIPT), 0);
	accepted(&v);
	assert_int_equal(truncate(path, LIMIT_SCRIPT + 1), 0);
	refused(&v, ERR_LIMIT, "longer than 512 KiB");
	assert_int_equal(truncate(path, 0), 0);
	refused(&v, ERR_SYNTAX, "is empty");
	(void)unlink(path);
	refused(&v, ERR_SYS, path);
	v.file = NULL;
	refused(&v, ERR_SYNTAX, "--argument-list goes with --file-path");
}

static void who_reads_standard_input(void **state)
{
	struct errmsg msg;
	bool taken;

	(void)state;
	assert_int_equal(job_options_stdin(&taken, &(struct job_values){.input = "x"}, &msg), 0);
	assert_false(taken);
	assert_int_equal(job_options_stdin(&taken, &(struct job_values){.input = "-"}, &msg), 0);
	assert_true(taken);
	assert_int_equal(
		job_options_stdin(&taken,
				  &(struct job_values){.input = "-", .become_password_file = "-"},
				  &msg),
		ERR_SYNTAX);
	assert_non_null(strstr(msg.text, "read once"));
}

static void password_is(const void *data, size_t len, int code, const char *want)
{
	char path[] = "/tmp/test_job_values.XXXXXX", *password = NULL;
	struct job_values v = {.become = {NULL, true}, .become_password_file = path};
	struct errmsg msg;

	write_file(path, data, len);
	assert_int_equal(job_options_password(&password, &v, &msg), code);
	if (want)
		assert_string_equal(password, want);
	else
		assert_null(password);
	secret_free(password);
	(void)unlink(path);
}

static void passwords_from_files(void **state)
{
	char large[CONTROL_PASSWORD_MAX + 16];
	struct job_values missing = {.become_password_file = "/nonexistent/x"};
	struct errmsg msg;
	char *password = NULL;

	(void)state;
	assert_int_equal(job_options_password(&password, &(struct job_values){0}, &msg), 0);
	assert_null(password);
	password_is("secret", 6, 0, "secret");
	password_is("two words \nnext\n", 16, 0, "two words ");
	password_is("crlf\r\n", 6, 0, "crlf");
	password_is("", 0, ERR_NOTFOUND, NULL);
	password_is("\nx", 2, ERR_NOTFOUND, NULL);
	memset(large, 'x', sizeof large);
	password_is(large, sizeof large, ERR_LIMIT, NULL);
	large[CONTROL_PASSWORD_MAX] = '\0';
	password_is(large, CONTROL_PASSWORD_MAX, 0, large);
	assert_int_equal(job_options_password(&password, &missing, &msg), ERR_SYS);
	assert_non_null(strstr(msg.text, "--become-password-file: /nonexistent/x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_options),
		cmocka_unit_test(agents),
		cmocka_unit_test(environment),
		cmocka_unit_test(environment_limits),
		cmocka_unit_test(niceness),
		cmocka_unit_test(parsing),
		cmocka_unit_test(becoming),
		cmocka_unit_test_teardown(scripts, tear_down),
		cmocka_unit_test(who_reads_standard_input),
		cmocka_unit_test(passwords_from_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
