#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rollup.h"

/* N NotStarted (n: and connecting), R Running, B Blocked, u Suspending, U Suspended, D
 * Disconnected, s Stopping, C Completed, F Failed, S Stopped: one letter for each child. */
static const char letters[JOB_STATE_COUNT + 1] = "NRBuUDsCFS";

static struct job_counts count(const char *children)
{
	struct job_counts counts = {0};

	for (; *children; children++) {
		const char *at = strchr(letters, *children == 'n' ? 'N' : *children);

		assert_non_null(at);
		counts.in_state[at - letters]++;
		counts.total++;
		counts.finished += strchr("CFS", *children) != NULL;
		counts.queued += *children == 'N';
	}
	return counts;
}

static void expect(const char *children, enum rollup_wish wish, const char *want)
{
	static const char *const wishes[] = {
		[ROLLUP_NONE] = "", [ROLLUP_HOLD] = " (held)", [ROLLUP_STOP] = " (stop)"};
	struct job_counts counts = count(children);
	const char *got = job_state_name(rollup_state(&counts, wish));

	if (strcmp(got, want) != 0)
		fail_msg("%s%s: %s, not %s", children, wishes[wish], got, want);
}

static void test_state_names(void **state)
{
	static const char *const want[JOB_STATE_COUNT] = {
		"NotStarted",	"Running",  "Blocked",	 "Suspending", "Suspended",
		"Disconnected", "Stopping", "Completed", "Failed",     "Stopped"};

	(void)state;
	for (int i = 0; i < JOB_STATE_COUNT; i++) {
		assert_string_equal(job_state_name((enum job_state)i), want[i]);
		assert_int_equal(job_state_is_finished((enum job_state)i),
				 strchr("CFS", letters[i]) != NULL);
	}
	assert_string_equal(job_state_name(JOB_STATE_COUNT), "?");
	assert_false(job_state_is_finished(JOB_STATE_COUNT));
}

static void test_verdict(void **state)
{
	(void)state;
	expect("C", ROLLUP_NONE, "Completed");
	expect("CCC", ROLLUP_NONE, "Completed");
	expect("CFC", ROLLUP_NONE, "Failed");
	expect("CSC", ROLLUP_NONE, "Stopped");
	expect("CSF", ROLLUP_NONE, "Failed");
	expect("FFF", ROLLUP_NONE, "Failed");
	expect("SSS", ROLLUP_NONE, "Stopped");
}

static void test_verdict_after_a_stop(void **state)
{
	(void)state;
	expect("CCC", ROLLUP_STOP, "Completed");
	expect("CSS", ROLLUP_STOP, "Stopped");
	expect("FSS", ROLLUP_STOP, "Failed");
}

static void test_no_verdict_before_the_last(void **state)
{
	(void)state;
	expect("FFR", ROLLUP_NONE, "Running");
	expect("SSN", ROLLUP_NONE, "Running");
	expect("CCs", ROLLUP_NONE, "Running");
	expect("N", ROLLUP_NONE, "Running");
	expect("NRs", ROLLUP_NONE, "Running");
}

static void test_stopping_until_the_last(void **state)
{
	(void)state;
	expect("N", ROLLUP_STOP, "Stopping");
	expect("FSs", ROLLUP_STOP, "Stopping");
	expect("DDD", ROLLUP_STOP, "Stopping");
	expect("UU", ROLLUP_STOP, "Stopping");
	expect("CCR", ROLLUP_STOP, "Stopping");
}

static void test_all_unfinished_wait_for_the_same(void **state)
{
	(void)state;
	expect("D", ROLLUP_NONE, "Disconnected");
	expect("DDC", ROLLUP_NONE, "Disconnected");
	expect("DDF", ROLLUP_NONE, "Disconnected");
	expect("DDR", ROLLUP_NONE, "Running");
	expect("UUC", ROLLUP_NONE, "Suspended");
	expect("UR", ROLLUP_NONE, "Running");
	expect("BBS", ROLLUP_NONE, "Blocked");
	expect("BR", ROLLUP_NONE, "Running");
}

static void test_suspending(void **state)
{
	(void)state;
	expect("u", ROLLUP_NONE, "Suspending");
	expect("uU", ROLLUP_NONE, "Suspending");
	expect("uUF", ROLLUP_NONE, "Suspending");
	expect("uUR", ROLLUP_NONE, "Running");
}

static void test_several_waits_at_once_are_running(void **state)
{
	(void)state;
	expect("DB", ROLLUP_NONE, "Running");
	expect("DU", ROLLUP_NONE, "Running");
	expect("BU", ROLLUP_NONE, "Running");
	expect("Du", ROLLUP_NONE, "Running");
}

static void test_a_held_job_counts_who_has_not_begun(void **state)
{
	(void)state;
	expect("UN", ROLLUP_NONE, "Running");
	expect("UN", ROLLUP_HOLD, "Suspended");
	expect("NNC", ROLLUP_HOLD, "Suspended");
	expect("UNn", ROLLUP_HOLD, "Suspending");
	expect("uN", ROLLUP_HOLD, "Suspending");
	expect("UR", ROLLUP_HOLD, "Running");
	expect("UD", ROLLUP_HOLD, "Running");
	expect("DD", ROLLUP_HOLD, "Disconnected");
	expect("CF", ROLLUP_HOLD, "Failed");
}

static void test_state_by_name(void **state)
{
	enum job_state got = JOB_STATE_STOPPED;
	struct errmsg msg;

	(void)state;
	for (int i = 0; i < JOB_STATE_COUNT; i++) {
		assert_int_equal(job_state_parse(job_state_name((enum job_state)i), &got, NULL), 0);
		assert_int_equal(got, i);
	}
	assert_int_equal(job_state_parse("notSTARTED", &got, NULL), 0);
	assert_int_equal(got, JOB_STATE_NOT_STARTED);
	assert_int_equal(job_state_parse("Ready\n", &got, &msg), ERR_SYNTAX);
	assert_int_equal(got, JOB_STATE_NOT_STARTED);
	assert_non_null(strstr(msg.text, "'Ready\\x0a' is no state"));
	assert_non_null(strstr(msg.text, "Suspending, Suspended, Disconnected"));
	assert_int_equal(job_state_parse("", &got, &msg), ERR_SYNTAX);
	assert_int_equal(job_state_parse("Run", &got, &msg), ERR_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_state_names),
		cmocka_unit_test(test_verdict),
		cmocka_unit_test(test_verdict_after_a_stop),
		cmocka_unit_test(test_no_verdict_before_the_last),
		cmocka_unit_test(test_stopping_until_the_last),
		cmocka_unit_test(test_all_unfinished_wait_for_the_same),
		cmocka_unit_test(test_suspending),
		cmocka_unit_test(test_several_waits_at_once_are_running),
		cmocka_unit_test(test_a_held_job_counts_who_has_not_begun),
		cmocka_unit_test(test_state_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
