/* What a command of a session leaves to the next one: TASK_SESSION, with every build of the agent.
 */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"

static struct rig rig;

/* As the initiator has it in front of a text for a shell. */
#define TELL                                                                             \
	"trap '{ MUSTER_PWD=$(pwd -P) command -p cat /proc/self/environ && printf x; } " \
	"2>/dev/null >&4' 0; "

static int begin(void **state)
{
	(void)state;
	rig_adopt();
	rig_start(&rig);
	return 0;
}

static int end(void **state)
{
	(void)state;
	assert_int_equal(rig_done(&rig), 0);
	rig_end_children();
	return 0;
}

static struct rig_task *run_with(const char *script, char **env, size_t count)
{
	struct task_open_msg open = rig_shell(script);
	struct rig_task *t;

	open.session = true;
	open.env = env;
	open.env_count = count;
	t = rig_open(&rig, &open);
	rig_wait_end(&rig, t);
	return t;
}

static struct rig_task *run(const char *script)
{
	return run_with(script, NULL, 0);
}

static const char *value(const struct rig_task *t, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < t->left.env_count; i++)
		if (strncmp(t->left.env[i], name, len) == 0 && t->left.env[i][len] == '=')
			return t->left.env[i] + len + 1;
	return NULL;
}

static void what_is_exported_is_told(void **state)
{
	struct rig_task *t = run(TELL "cd /usr; export A='x y\n\xff' B=; C=3; exit 7");

	(void)state;
	assert_int_equal(t->end.exit_code, 7);
	assert_int_equal(t->lefts, 1);
	assert_string_equal(t->left.directory, "/usr");
	assert_string_equal(value(t, "A"), "x y\n\xff");
	assert_string_equal(value(t, "B"), "");
	assert_null(value(t, "C"));
}

/* Neither what a login has, nor what is the command's own, nor what shells set by themselves. */
static void what_everybody_has_is_not(void **state)
{
	static const char *const names[] = {"HOME",	  "PATH",    "PWD",	   "OLDPWD",
					    "SHLVL",	  "_",	     "MUSTER_RUN", "MUSTER_FD",
					    "MUSTER_PWD", "MUSTER_X"};
	struct rig_task *t = run(TELL "cd /tmp; cd /; export MUSTER_X=1 PWD OLDPWD SHLVL=7");

	(void)state;
	assert_int_equal(t->lefts, 1);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_null(value(t, names[i]));
}

/* All that differs from a login is told each time: so what is not told is gone. */
static void what_was_brought_is_told_again_unless_it_is_gone(void **state)
{
	char a[] = "KEPT=1", b[] = "GONE=1", c[] = "OTHER=1", *env[] = {a, b, c};
	struct rig_task *t = run_with(TELL "unset GONE; OTHER=2", env, 3);

	(void)state;
	assert_int_equal(t->lefts, 1);
	assert_string_equal(value(t, "KEPT"), "1");
	assert_null(value(t, "GONE"));
	assert_string_equal(value(t, "OTHER"), "2");
}

static void it_is_told_only_where_it_was_asked_for(void **state)
{
	struct rig_task *t = rig_run(&rig, TELL "export A=1; cat </dev/null; ls /proc/self/fd");

	(void)state;
	assert_int_equal(t->end.exit_code, 0);
	assert_int_equal(t->lefts, 0);
	assert_string_equal(rig_text(t, STREAM_OUTPUT), "0\n1\n2\n3\n4\n");
	assert_string_equal(rig_text(t, STREAM_ERROR), "");
}

static void a_shell_that_says_nothing_leaves_nothing(void **state)
{
	(void)state;
	assert_int_equal(run("export A=1")->lefts, 0);
	assert_int_equal(run(TELL "trap - 0; export A=1")->lefts, 0);
	assert_int_equal(run(TELL "exec 4>&-; export A=1")->lefts, 0);
	assert_int_equal(run(TELL "exec true")->lefts, 0);
	assert_int_equal(run(TELL "kill -9 $$")->lefts, 0);
}

/* What does not fit is not waited for, and is not told in part. */
static void too_much_is_not_told(void **state)
{
	struct rig_task *t = run(TELL "export A=$(head -c 90000 /dev/zero | tr '\\0' x)");

	(void)state;
	assert_int_equal(t->end.exit_code, 0);
	assert_int_equal(t->lefts, 0);
	t = run(TELL "i=0; while [ $i -lt 1100 ]; do export V$i=1; i=$((i+1)); done");
	assert_int_equal(t->end.exit_code, 0);
	assert_int_equal(t->lefts, 0);
}

/* The command can write anything there: nothing of it breaks the protocol, or holds it up. */
static void nonsense_is_harmless(void **state)
{
	struct rig_task *t =
		run("printf 'A=1\\0=x\\0none\\0\\0MUSTER_PWD=/x\\0MUSTER_Y=1\\0x' >&4");

	(void)state;
	assert_int_equal(t->lefts, 1);
	assert_string_equal(t->left.directory, "/x");
	assert_int_equal(t->left.env_count, 1);
	assert_int_equal(run("printf 'A=1\\0x' >&4")->lefts, 0);
	assert_int_equal(run("printf 'MUSTER_PWD=x\\0x' >&4")->lefts, 0);
	assert_int_equal(run("printf x >&4")->lefts, 0);
	assert_int_equal(run("head -c 10000000 /dev/zero >&4 2>/dev/null; true")->lefts, 0);
	assert_int_equal(run("{ printf MUSTER_PWD=/; head -c 5000 /dev/zero | tr '\\0' x; "
			     "printf '\\0x'; } >&4")
				 ->lefts,
			 0);
}

static void what_is_left_running_holds_nothing_up(void **state)
{
	char *mark = rig_mark(), *env[] = {mark};
	struct rig_task *t =
		run_with(TELL "export A=1; sleep 1000 >/dev/null 2>&1 & exit 3", env, 1);

	(void)state;
	assert_int_equal(t->end.exit_code, 3);
	assert_int_equal(t->lefts, 1);
	assert_string_equal(value(t, "A"), "1");
	free(mark);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_exported_is_told),
		TEST(what_everybody_has_is_not),
		TEST(what_was_brought_is_told_again_unless_it_is_gone),
		TEST(it_is_told_only_where_it_was_asked_for),
		TEST(a_shell_that_says_nothing_leaves_nothing),
		TEST(too_much_is_not_told),
		TEST(nonsense_is_harmless),
		TEST(what_is_left_running_holds_nothing_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
