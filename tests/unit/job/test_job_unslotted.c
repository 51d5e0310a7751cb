/* Children that take no slot, as somebody else counts them: initiator/job/job.c. */
#include "fake_job.h"

static const struct outcome ended = {.cause = CAUSE_EXITED, .exit_code = 0, .began = true};

static void make(struct fake *f, const bool *unslotted, size_t throttle)
{
	static const char *const names[] = {"a", "b", "c", "d"};
	struct job_spec spec = {.type = "Remote",
				.command = "uptime",
				.throttle = throttle,
				.locations = names,
				.count = 4,
				.unslotted = unslotted};

	*f = (struct fake){0};
	f->job = job_new(&spec, 7, &fake_full, &fake_observer, f);
}

static void test_they_start_at_once_and_leave_the_slots_to_others(void **state)
{
	static const bool unslotted[] = {false, true, false, true};
	struct fake f;

	(void)state;
	make(&f, unslotted, 1);
	job_start(f.job, 1);
	expect(&f, "start b\nstart d\nstart a\n");
	assert_int_equal(job_counts(f.job)->started, 1);
	child_on_end(at(&f, 1), &ended, 2);
	expect(&f, "b Completed\n");
	child_on_end(at(&f, 0), &ended, 3);
	expect(&f, "a Completed\nstart c\n");
	assert_int_equal(job_counts(f.job)->started, 1);
	child_on_end(at(&f, 2), &ended, 4);
	child_on_end(at(&f, 3), &ended, 5);
	expect(&f, "c Completed\nd Completed\njob Completed\n");
	assert_int_equal(job_counts(f.job)->started, 0);
	fake_done(&f);
}

static void test_all_of_them(void **state)
{
	static const bool unslotted[] = {true, true, true, true};
	struct fake f;

	(void)state;
	make(&f, unslotted, 1);
	job_start(f.job, 1);
	expect(&f, "start a\nstart b\nstart c\nstart d\n");
	assert_int_equal(job_counts(f.job)->started, 0);
	fake_done(&f);
}

static void test_they_are_stopped_before_the_start(void **state)
{
	static const bool unslotted[] = {true, false, false, false};
	struct fake f;

	(void)state;
	make(&f, unslotted, 4);
	job_stop(f.job, 1);
	buf_clear(&f.trace);
	job_start(f.job, 2);
	expect(&f, "");
	assert_int_equal(job_state(f.job), JOB_STATE_STOPPED);
	fake_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_they_start_at_once_and_leave_the_slots_to_others),
		cmocka_unit_test(test_all_of_them),
		cmocka_unit_test(test_they_are_stopped_before_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
