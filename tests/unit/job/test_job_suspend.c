/* Suspending and resuming children and whole jobs. */
#include <string.h>

#include "fake_job.h"

static void test_suspend_and_resume_of_a_child(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, 2, 2);
	assert_int_equal(child_suspend(at(&f, 0), 3, NULL), 0);
	expect(&f, "a Suspending\nsuspend a\n");
	assert_int_equal(child_suspend(at(&f, 0), 3, NULL), 0);
	expect(&f, "");
	child_on_suspended(at(&f, 0), 4);
	expect(&f, "a Suspended\n");
	assert_int_equal(child_suspend(at(&f, 0), 4, NULL), 0);
	expect(&f, "");
	assert_int_equal(job_counts(f.job)->started, 2);
	assert_int_equal(child_resume(at(&f, 0), 5, NULL), 0);
	assert_int_equal(child_resume(at(&f, 0), 5, NULL), 0);
	expect(&f, "a Running\nresume a\n");
	child_on_resumed(at(&f, 0), 6);
	expect(&f, "");
	fake_done(&f);
}

static void test_requests_that_overtake_answers(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, 1, 1);
	child_suspend(at(&f, 0), 3, NULL);
	child_resume(at(&f, 0), 3, NULL);
	child_suspend(at(&f, 0), 3, NULL);
	expect(&f, "a Suspending\njob Suspending\nsuspend a\na Running\njob Running\nresume a\n"
		   "a Suspending\njob Suspending\nsuspend a\n");
	child_on_suspended(at(&f, 0), 4);
	assert_int_equal(child_state(at(&f, 0)), JOB_STATE_SUSPENDED);
	fake_done(&f);
}

static void test_requests_that_cannot_be_carried_out(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, 1, 1);
	child_suspend(at(&f, 0), 3, NULL);
	child_on_resumed(at(&f, 0), 4);
	assert_int_equal(child_state(at(&f, 0)), JOB_STATE_RUNNING);
	child_suspend(at(&f, 0), 5, NULL);
	child_on_suspended(at(&f, 0), 6);
	child_resume(at(&f, 0), 7, NULL);
	child_on_suspended(at(&f, 0), 8);
	assert_int_equal(child_state(at(&f, 0)), JOB_STATE_SUSPENDED);
	assert_int_equal(child_resume(at(&f, 0), 9, NULL), 0);
	fake_done(&f);
}

static void expect_refused(int rc, const struct errmsg *msg, const char *text)
{
	assert_int_equal(rc, ERR_ORDER);
	assert_string_equal(msg->text, text);
}

static void test_a_child_that_does_not_run_is_refused(void **state)
{
	struct errmsg msg;
	struct fake f;

	(void)state;
	fake_make(&f, &fake_full, 3, 1);
	job_start(f.job, 1);
	expect_refused(child_suspend(at(&f, 2), 2, &msg), &msg,
		       "job 10 on c cannot be suspended: it is NotStarted, and only one that is "
		       "Running or Blocked can");
	expect_refused(child_suspend(at(&f, 0), 2, &msg), &msg,
		       "job 8 on a cannot be suspended: it is NotStarted, and only one that is "
		       "Running or Blocked can");
	child_on_running(at(&f, 0), 3);
	expect_refused(child_resume(at(&f, 0), 2, &msg), &msg,
		       "job 8 on a cannot be resumed: it is Running, and only one that is "
		       "Suspended can");
	child_on_disconnected(at(&f, 0), 4);
	assert_int_equal(child_suspend(at(&f, 0), 4, &msg), ERR_ORDER);
	assert_non_null(strstr(msg.text, "it is Disconnected"));
	end(&f, 0, CAUSE_EXITED);
	buf_clear(&f.trace);
	expect_refused(child_suspend(at(&f, 0), 5, &msg), &msg,
		       "job 8 on a cannot be suspended: it is Completed, and only one that is "
		       "Running or Blocked can");
	assert_int_equal(child_resume(at(&f, 0), 5, &msg), ERR_ORDER);
	child_stop(at(&f, 1), 6);
	assert_int_equal(child_suspend(at(&f, 1), 6, &msg), ERR_ORDER);
	assert_non_null(strstr(msg.text, "it is Stopping"));
	expect(&f, "b Stopping\nstop b\n");
	fake_done(&f);
}

static void test_what_the_transport_cannot_do(void **state)
{
	struct errmsg msg;
	struct fake f;

	(void)state;
	fake_make(&f, &fake_plain, 1, 1);
	job_start(f.job, 1);
	child_on_running(at(&f, 0), 2);
	buf_clear(&f.trace);
	assert_int_equal(child_suspend(at(&f, 0), 3, &msg), ERR_UNSUPPORTED);
	assert_string_equal(msg.text, "job 8 cannot be suspended: its type 'Remote' does not "
				      "support that");
	assert_int_equal(child_resume(at(&f, 0), 3, &msg), ERR_UNSUPPORTED);
	assert_int_equal(job_suspend(f.job, 3, &msg), ERR_UNSUPPORTED);
	assert_int_equal(job_resume(f.job, 3, &msg), ERR_UNSUPPORTED);
	assert_int_equal(child_send(at(&f, 0), "x", 1, &msg), ERR_UNSUPPORTED);
	assert_string_equal(msg.text, "job 8 cannot take input: its type 'Remote' does not "
				      "support that");
	expect(&f, "");
	fake_done(&f);
}

static void test_suspend_and_resume_of_a_job(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, 2, 2);
	assert_int_equal(job_suspend(f.job, 3, NULL), 0);
	expect(&f, "a Suspending\nsuspend a\nb Suspending\njob Suspending\nsuspend b\n");
	child_on_suspended(at(&f, 1), 4);
	child_on_suspended(at(&f, 0), 4);
	expect(&f, "b Suspended\na Suspended\njob Suspended\n");
	assert_int_equal(job_suspend(f.job, 5, NULL), 0);
	expect(&f, "");
	assert_int_equal(job_resume(f.job, 6, NULL), 0);
	expect(&f, "a Running\njob Running\nresume a\nb Running\nresume b\n");
	fake_done(&f);
}

static void test_a_suspended_job_starts_nobody(void **state)
{
	struct fake f;

	(void)state;
	fake_make(&f, &fake_full, 4, 2);
	job_start(f.job, 1);
	child_on_running(at(&f, 0), 2);
	buf_clear(&f.trace);
	assert_int_equal(job_suspend(f.job, 3, NULL), 0);
	expect(&f, "a Suspending\njob Suspending\nsuspend a\n");
	/* b was connecting, and is suspended as soon as its command runs. */
	child_on_running(at(&f, 1), 4);
	expect(&f, "b Running\njob Running\nb Suspending\njob Suspending\nsuspend b\n");
	end(&f, 0, CAUSE_SIGNALLED);
	job_set_throttle(f.job, 4, 5);
	child_on_suspended(at(&f, 1), 6);
	expect(&f, "a Failed\nb Suspended\njob Suspended\n");
	assert_int_equal(job_resume(f.job, 7, NULL), 0);
	expect(&f, "job Running\nb Running\nresume b\nstart c\nstart d\n");
	fake_done(&f);
}

static void test_a_suspended_job_whose_started_children_end(void **state)
{
	struct fake f;

	(void)state;
	fake_make(&f, &fake_full, 2, 1);
	job_start(f.job, 1);
	child_on_running(at(&f, 0), 2);
	job_suspend(f.job, 3, NULL);
	end(&f, 0, CAUSE_EXITED);
	assert_int_equal(job_state(f.job), JOB_STATE_SUSPENDED);
	buf_clear(&f.trace);
	assert_int_equal(job_suspend(f.job, 4, NULL), 0);
	expect(&f, "");
	assert_int_equal(job_resume(f.job, 5, NULL), 0);
	expect(&f, "job Running\nstart b\n");
	fake_done(&f);
}

static void test_a_resume_reaches_who_was_still_connecting(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, 2, 1);
	job_suspend(f.job, 3, NULL);
	job_resume(f.job, 4, NULL);
	buf_clear(&f.trace);
	child_on_running(at(&f, 1), 5);
	expect(&f, "b Running\n");
	fake_done(&f);
}

static void test_a_lost_child_is_asked_when_it_is_back(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, 2, 2);
	child_on_disconnected(at(&f, 1), 3);
	job_suspend(f.job, 4, NULL);
	buf_clear(&f.trace);
	child_on_reconnected(at(&f, 1), 5);
	expect(&f, "b Running\nb Suspending\njob Suspending\nsuspend b\n");
	child_on_suspended(at(&f, 1), 6);
	child_on_disconnected(at(&f, 1), 7);
	job_resume(f.job, 8, NULL);
	buf_clear(&f.trace);
	child_on_reconnected(at(&f, 1), 9);
	expect(&f, "b Suspended\nb Running\nresume b\n");
	fake_done(&f);
}

static void test_a_job_without_a_running_child_is_refused(void **state)
{
	struct errmsg msg;
	struct fake f;

	(void)state;
	fake_init(&f, 2, 0);
	expect_refused(job_suspend(f.job, 2, &msg), &msg,
		       "job 7 cannot be suspended: it is Running, and none of its children is "
		       "running a command");
	expect_refused(job_resume(f.job, 2, &msg), &msg,
		       "job 7 cannot be resumed: it is Running, and none of its children is "
		       "suspended");
	job_stop(f.job, 3);
	assert_int_equal(job_suspend(f.job, 4, &msg), ERR_ORDER);
	assert_non_null(strstr(msg.text, "it is Stopping"));
	end(&f, 0, CAUSE_STOPPED);
	end(&f, 1, CAUSE_STOPPED);
	assert_int_equal(job_suspend(f.job, 4, &msg), ERR_ORDER);
	assert_int_equal(job_resume(f.job, 4, &msg), ERR_ORDER);
	assert_non_null(strstr(msg.text, "it is Stopped"));
	fake_done(&f);
}

static void test_a_suspended_job_that_has_finished_is_refused(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, 1, 1);
	job_suspend(f.job, 3, NULL);
	end(&f, 0, CAUSE_SIGNALLED);
	assert_int_equal(job_state(f.job), JOB_STATE_FAILED);
	assert_int_equal(job_suspend(f.job, 4, NULL), ERR_ORDER);
	assert_int_equal(job_resume(f.job, 4, NULL), ERR_ORDER);
	fake_done(&f);
}

static void test_stop_of_a_suspended_job(void **state)
{
	struct fake f;

	(void)state;
	fake_make(&f, &fake_full, 2, 1);
	job_start(f.job, 1);
	child_on_running(at(&f, 0), 2);
	job_suspend(f.job, 3, NULL);
	child_on_suspended(at(&f, 0), 4);
	buf_clear(&f.trace);
	job_stop(f.job, 5);
	expect(&f, "job Stopping\na Stopping\nstop a\nb Stopped\n");
	end(&f, 0, CAUSE_STOPPED);
	expect(&f, "a Stopped\njob Stopped\n");
	fake_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_suspend_and_resume_of_a_child),
		cmocka_unit_test(test_requests_that_overtake_answers),
		cmocka_unit_test(test_requests_that_cannot_be_carried_out),
		cmocka_unit_test(test_a_child_that_does_not_run_is_refused),
		cmocka_unit_test(test_what_the_transport_cannot_do),
		cmocka_unit_test(test_suspend_and_resume_of_a_job),
		cmocka_unit_test(test_a_suspended_job_starts_nobody),
		cmocka_unit_test(test_a_suspended_job_whose_started_children_end),
		cmocka_unit_test(test_a_resume_reaches_who_was_still_connecting),
		cmocka_unit_test(test_a_lost_child_is_asked_when_it_is_back),
		cmocka_unit_test(test_a_job_without_a_running_child_is_refused),
		cmocka_unit_test(test_a_suspended_job_that_has_finished_is_refused),
		cmocka_unit_test(test_stop_of_a_suspended_job),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
