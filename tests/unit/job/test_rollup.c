#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rollup.h"

/* N NotStarted, R Running, B Blocked, u Suspending, U Suspended, D Disconnected, s Stopping,
 * C Completed, F Failed, S Stopped: one letter for each child. */
static const char letters[JOB_STATE_COUNT + 1] = "NRBuUDsCFS";

static struct job_counts count(const char *children)
{
	struct job_counts counts = {0};

	for (; *children; children++) {
		const char *at = strchr(letters, *children);

		assert_non_null(at);
		counts.in_state[at - letters]++;
		counts.total++;
		counts.finished += strchr("CFS", *children) != NULL;
	}
	return counts;
}

static void expect(const char *children, bool stop_requested, const char *want)
{
	struct job_counts counts = count(children);
	const char *got = job_state_name(rollup_state(&counts, stop_requested));

	if (strcmp(got, want) != 0)
		fail_msg("%s%s: %s, not %s", children, stop_requested ? " (stop)" : "", got, want);
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
	expect("C", false, "Completed");
	expect("CCC", false, "Completed");
	expect("CFC", false, "Failed");
	expect("CSC", false, "Stopped");
	expect("CSF", false, "Failed");
	expect("FFF", false, "Failed");
	expect("SSS", false, "Stopped");
}

static void test_verdict_after_a_stop(void **state)
{
	(void)state;
	expect("CCC", true, "Completed");
	expect("CSS", true, "Stopped");
	expect("FSS", true, "Failed");
}

static void test_no_verdict_before_the_last(void **state)
{
	(void)state;
	expect("FFR", false, "Running");
	expect("SSN", false, "Running");
	expect("CCs", false, "Running");
	expect("N", false, "Running");
	expect("NRs", false, "Running");
}

static void test_stopping_until_the_last(void **state)
{
	(void)state;
	expect("N", true, "Stopping");
	expect("FSs", true, "Stopping");
	expect("DDD", true, "Stopping");
	expect("UU", true, "Stopping");
	expect("CCR", true, "Stopping");
}

static void test_all_unfinished_wait_for_the_same(void **state)
{
	(void)state;
	expect("D", false, "Disconnected");
	expect("DDC", false, "Disconnected");
	expect("DDF", false, "Disconnected");
	expect("DDR", false, "Running");
	expect("UUC", false, "Suspended");
	expect("UR", false, "Running");
	expect("BBS", false, "Blocked");
	expect("BR", false, "Running");
}

static void test_suspending(void **state)
{
	(void)state;
	expect("u", false, "Suspending");
	expect("uU", false, "Suspending");
	expect("uUF", false, "Suspending");
	expect("uUR", false, "Running");
}

static void test_several_waits_at_once_are_running(void **state)
{
	(void)state;
	expect("DB", false, "Running");
	expect("DU", false, "Running");
	expect("BU", false, "Running");
	expect("Du", false, "Running");
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
