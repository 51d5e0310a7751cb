/* The environment of a command. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "env.h"

static void login_variables_have_defaults(void **state)
{
	struct task_open_msg open = {0};
	char **env;

	(void)state;
	(void)unsetenv("HOME");
	(void)unsetenv("USER");
	(void)unsetenv("SHELL");
	(void)setenv("ANY", "of the login", 1);
	(void)setenv("OLDPWD", "/of/the/shell", 1);
	(void)setenv("PATH", "/agent/path", 1);
	env = env_new(&open);
	assert_string_equal(env_find(env, "HOME"), "/");
	assert_string_equal(env_find(env, "SHELL"), "/bin/sh");
	assert_string_equal(env_find(env, "PATH"), "/agent/path");
	assert_null(env_find(env, "USER"));
	assert_string_equal(env_find(env, "ANY"), "of the login");
	assert_null(env_find(env, "OLDPWD"));
	env_free(env);
}

/* getenv(3) takes the first of two: there must not be two. */
static void what_the_task_brings_wins(void **state)
{
	char path[] = "PATH=/task", own[] = "A=1", again[] = "A=2", longer[] = "AB=3",
	     empty[] = "LANG=", *list[] = {path, own, again, longer, empty};
	char instance[] = "uuid";
	struct task_open_msg open = {
		.instance = instance, .env = list, .env_count = 5, .pty = true};
	char **env = env_new(&open);
	size_t count = 0;

	(void)state;
	assert_string_equal(env_find(env, "PATH"), "/task");
	assert_string_equal(env_find(env, "A"), "2");
	assert_string_equal(env_find(env, "AB"), "3");
	assert_string_equal(env_find(env, "LANG"), "");
	assert_string_equal(env_find(env, "TERM"), "dumb");
	assert_string_equal(env_find(env, "MUSTER_RUN"), "uuid");
	assert_string_equal(env_find(env, "MUSTER_FD"), "3");
	assert_null(env_find(env, "B"));
	for (char **e = env; *e; e++)
		count += e[0][0] == 'A' && e[0][1] == '=';
	assert_int_equal(count, 1);
	env_free(env);
	env_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(login_variables_have_defaults),
		cmocka_unit_test(what_the_task_brings_wins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
