/* Filters of @job: all words that 'muster get' shows are known, and others are not. Without a
 * daemon, what is well-formed ends with "no daemon". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "job_set.h"

static char work[] = "/tmp/muster-job-set-XXXXXX";

static void expect(const char *text, int code, const char *what)
{
	struct cmd_globals globals = {.daemon = "nobody"};
	struct errmsg msg = {""};
	struct buf out = {0};

	assert_int_equal(job_set_find(&out, text, &globals, &msg), code);
	if (!strstr(msg.text, what))
		fail_msg("'%s': '%s' lacks '%s'", text, msg.text, what);
	assert_int_equal(out.len, 0);
	buf_done(&out);
}

static void expect_known(const char *form, const char *word)
{
	char *text = xasprintf("12:%s%s", form, word);

	expect(text, ERR_NOTFOUND, "no daemon is running");
	free(text);
}

static void test_states(void **state)
{
	(void)state;
#define JOB_STATE_ROW(name, text, finished) expect_known("", text);
#include "state.def"
#undef JOB_STATE_ROW
	expect_known("", "failed");
	expect_known("", "COMPLETED");
	expect_known("", "ok");
	expect("last:fail", ERR_SYNTAX, "@job:last:failed");
	expect("last:", ERR_SYNTAX, "chooses no hosts");
}

static void test_causes(void **state)
{
	static const char *const causes[] = {
#define CAUSE_ROW(name, text, status) text,
#include "cause.def"
#undef CAUSE_ROW
	};

	(void)state;
	for (size_t i = 1; i < ARRAY_LEN(causes); i++)
		expect_known("cause=", causes[i]);
	expect_known("CAUSE=", "Unreachable");
	expect("12:cause=none", ERR_SYNTAX, "unreachable");
	expect("12:cause=", ERR_SYNTAX, "is no cause");
}

static void test_codes(void **state)
{
	(void)state;
	expect_known("rc=", "0");
	expect_known("rc=", "255");
	expect("12:rc=256", ERR_RANGE, "from 0 to 255");
	expect("12:rc=", ERR_RANGE, "no exit code");
	expect("12:rc=-1", ERR_RANGE, "no exit code");
	expect("12:rc=7x", ERR_RANGE, "no exit code");
}

static void test_jobs(void **state)
{
	(void)state;
	expect("last", ERR_NOTFOUND, "no daemon is running");
	expect("LAST:failed", ERR_NOTFOUND, "no daemon is running");
	expect("0", ERR_SYNTAX, "is no job");
	expect("web", ERR_SYNTAX, "is no job");
	expect("", ERR_SYNTAX, "is no job");
	expect("99999999999999999999", ERR_SYNTAX, "is no job");
}

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(work))
		return -1;
	return setenv("XDG_RUNTIME_DIR", work, 1);
}

static int teardown(void **state)
{
	char *folder = xasprintf("%s/muster", work);

	(void)state;
	(void)rmdir(folder);
	free(folder);
	return rmdir(work);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_causes),
		cmocka_unit_test(test_codes),
		cmocka_unit_test(test_jobs),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
