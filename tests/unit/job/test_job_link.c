/* Children that are cut off, blocked, answered, unread; and who has failed. */
#include <string.h>

#include "fake_job.h"

static void test_blocked_is_remembered_across_a_suspension(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, 1, 1);
	child_on_blocked(at(&f, 0), 3);
	expect(&f, "a Blocked\njob Blocked\n");
	child_suspend(at(&f, 0), 4, NULL);
	child_on_suspended(at(&f, 0), 5);
	child_resume(at(&f, 0), 6, NULL);
	buf_clear(&f.trace);
	child_on_resumed(at(&f, 0), 7);
	expect(&f, "a Blocked\njob Blocked\n");
	child_suspend(at(&f, 0), 8, NULL);
	child_on_unblocked(at(&f, 0), 8);
	child_on_suspended(at(&f, 0), 8);
	child_resume(at(&f, 0), 9, NULL);
	child_on_resumed(at(&f, 0), 9);
	assert_int_equal(child_state(at(&f, 0)), JOB_STATE_RUNNING);
	fake_done(&f);
}

/* Case 42 of the original: all children disconnected, then one is back. */
static void test_disconnected_and_back(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, 3, 3);
	end(&f, 2, CAUSE_EXITED);
	child_on_blocked(at(&f, 1), 3);
	buf_clear(&f.trace);
	child_on_disconnected(at(&f, 0), 4);
	child_on_disconnected(at(&f, 1), 4);
	expect(&f, "a Disconnected\nb Disconnected\njob Disconnected\n");
	assert_int_equal(job_counts(f.job)->started, 2);
	child_on_reconnected(at(&f, 1), 5);
	expect(&f, "b Blocked\njob Running\n");
	child_on_reconnected(at(&f, 0), 6);
	expect(&f, "a Running\n");
	fake_done(&f);
}

static void test_what_was_asked_survives_the_link(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, 1, 1);
	child_suspend(at(&f, 0), 3, NULL);
	child_on_disconnected(at(&f, 0), 4);
	child_on_reconnected(at(&f, 0), 5);
	assert_int_equal(child_state(at(&f, 0)), JOB_STATE_SUSPENDING);
	child_on_suspended(at(&f, 0), 6);
	child_on_disconnected(at(&f, 0), 7);
	child_on_reconnected(at(&f, 0), 8);
	assert_int_equal(child_state(at(&f, 0)), JOB_STATE_SUSPENDED);
	fake_done(&f);
}

static void test_stop_of_a_lost_child(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, 1, 1);
	child_on_disconnected(at(&f, 0), 3);
	buf_clear(&f.trace);
	child_stop(at(&f, 0), 4);
	expect(&f, "a Stopping\njob Running\nstop a\n");
	child_on_reconnected(at(&f, 0), 5);
	child_on_disconnected(at(&f, 0), 6);
	expect(&f, "");
	end(&f, 0, CAUSE_LINK_LOST);
	expect(&f, "a Failed\njob Failed\n");
	fake_done(&f);
}

static void test_somebody_else_suspends_it(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, 1, 1);
	child_on_suspended(at(&f, 0), 3);
	expect(&f, "a Suspended\njob Suspended\n");
	child_on_resumed(at(&f, 0), 4);
	expect(&f, "a Running\njob Running\n");
	fake_done(&f);
}

static void test_input(void **state)
{
	struct errmsg msg;
	struct fake f;

	(void)state;
	fake_init(&f, 2, 1);
	assert_int_equal(child_send(at(&f, 0), "yes", 3, &msg), 0);
	child_on_blocked(at(&f, 0), 3);
	assert_int_equal(child_send(at(&f, 0), "no", 2, &msg), 0);
	expect(&f, "send a: yes\na Blocked\nsend a: no\n");
	assert_int_equal(child_send(at(&f, 0), "123456789", 9, &msg), ERR_LIMIT);
	assert_string_equal(msg.text, "too much");
	assert_int_equal(child_send(at(&f, 1), "yes", 3, &msg), ERR_ORDER);
	assert_non_null(strstr(msg.text, "job 9 on b cannot take input: it is NotStarted"));
	fake_done(&f);
}

static void test_more_data_is_that_of_any_child(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, 3, 0);
	assert_false(job_has_more_data(f.job));
	child_set_unread(at(&f, 0), true);
	child_set_unread(at(&f, 0), true);
	child_set_unread(at(&f, 2), true);
	assert_true(child_has_more_data(at(&f, 0)));
	assert_false(child_has_more_data(at(&f, 1)));
	child_set_unread(at(&f, 0), false);
	child_set_unread(at(&f, 0), false);
	assert_true(job_has_more_data(f.job));
	end(&f, 2, CAUSE_AUTH);
	assert_true(job_has_more_data(f.job));
	child_set_unread(at(&f, 2), false);
	assert_false(job_has_more_data(f.job));
	fake_done(&f);
}

static void test_who_has_failed(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, 4, 0);
	assert_null(job_next_failed(f.job, NULL));
	end(&f, 3, CAUSE_AUTH);
	end(&f, 2, CAUSE_EXITED);
	end(&f, 1, CAUSE_STOPPED);
	assert_ptr_equal(job_next_failed(f.job, NULL), at(&f, 1));
	assert_ptr_equal(job_next_failed(f.job, at(&f, 1)), at(&f, 3));
	assert_null(job_next_failed(f.job, at(&f, 3)));
	fake_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocked_is_remembered_across_a_suspension),
		cmocka_unit_test(test_disconnected_and_back),
		cmocka_unit_test(test_what_was_asked_survives_the_link),
		cmocka_unit_test(test_stop_of_a_lost_child),
		cmocka_unit_test(test_somebody_else_suspends_it),
		cmocka_unit_test(test_input),
		cmocka_unit_test(test_more_data_is_that_of_any_child),
		cmocka_unit_test(test_who_has_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
