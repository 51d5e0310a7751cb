/* What a job becomes for each host must fit into what is sent to an agent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "control_msg.h"
#include "limits.h"
#include "link_private.h"

#define WORDS 10000u

/* "%h%h%h...", which is short until it is a host's name. */
static char *many_hosts(void)
{
	char *text = xmalloc(2 * WORDS + 1);

	for (size_t i = 0; i < WORDS; i++)
		memcpy(text + 2 * i, "%h", 3);
	return text;
}

static char *long_name(void)
{
	char *name = xmalloc(LIMIT_HOST_NAME + 1);

	memset(name, 'h', LIMIT_HOST_NAME);
	name[LIMIT_HOST_NAME] = '\0';
	return name;
}

static void names_are_filled_in_before_it_is_measured(void **state)
{
	uint8_t script[] = "true";
	char *word = many_hosts(), *name = long_name();
	char *argv[] = {word, NULL};
	struct job_open_msg open = {.argv = argv, .argc = 1, .expand = true};
	struct errmsg msg;

	(void)state;
	assert_int_equal(link_check_host(&open, "h1", 1, &msg), 0);
	assert_int_equal(link_check_host(&open, name, 1, &msg), ERR_RANGE);
	assert_non_null(strstr(msg.text, "the command"));
	/* The arguments of a script are no different. */
	open.script = script;
	open.script_len = sizeof script - 1;
	assert_int_equal(link_check_host(&open, name, 1, &msg), ERR_RANGE);
	open.expand = false;
	assert_int_equal(link_check_host(&open, name, 1, &msg), 0);
	free(name);
	free(word);
}

static void what_is_added_counts(void **state)
{
	char *argv[LIMIT_ARGS], *env[LIMIT_ENV];
	struct job_open_msg open = {
		.argv = argv, .argc = LIMIT_ARGS, .env = env, .env_count = LIMIT_ENV - 3};
	char word[] = "x", variable[] = "V=1", init[] = "true";
	struct errmsg msg;

	(void)state;
	for (size_t i = 0; i < LIMIT_ARGS; i++)
		argv[i] = word;
	for (size_t i = 0; i < LIMIT_ENV; i++)
		env[i] = variable;
	assert_int_equal(link_check_host(&open, "h1", 1, &msg), 0);
	open.env_count = LIMIT_ENV;
	assert_int_equal(link_check_host(&open, "h1", 1, &msg), ERR_RANGE);
	assert_non_null(strstr(msg.text, "the environment"));
	open.env_count = 0;
	open.init_script = init;
	assert_int_equal(link_check_host(&open, "h1", 1, &msg), ERR_RANGE);
}

/* The shell of a synchronous job on a session tells what it leaves, in its first line. */
static void test_of_a_session(void **state)
{
	char text[] = "a\nb", *argv[] = {text}, one[] = "1:1", *sessions[] = {one};
	struct job_open_msg open = {
		.argv = argv, .argc = 1, .shell = true, .sessions = sessions, .session_count = 1};

	(void)state;
	for (int i = 0; i < 5; i++) {
		struct link_command c;
		bool keeps = i == 0;

		open.background = i == 1;
		open.durable = i == 2 ? JOB_DURABLE_ALWAYS : JOB_DURABLE_AUTO;
		open.session_count = i != 3;
		link_command_make(&c, &open, "h", 0, 1, i == 4);
		/* Without the words that plain exec has in front. */
		assert_string_equal(c.argv[c.argc - 4], "sh");
		assert_string_equal(c.argv[c.argc - 3], "-c");
		assert_int_equal(strncmp(c.argv[c.argc - 2], "trap '", 6) == 0, keeps);
		assert_true(strchr(c.argv[c.argc - 2], '\n') == strstr(c.argv[c.argc - 2], "\nb"));
		assert_int_equal(strcmp(c.argv[c.argc - 2], text) == 0, !keeps);
		link_command_done(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_filled_in_before_it_is_measured),
		cmocka_unit_test(test_of_a_session),
		cmocka_unit_test(what_is_added_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
