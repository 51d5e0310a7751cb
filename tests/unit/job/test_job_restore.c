/* A job that comes back as it was before its daemon ended. */
#include <string.h>

#include "fake_job.h"

static const char *const places[] = {"a", "b", "c", "d", "e"};

static const struct job_spec spec = {.name = "night",
				     .type = "Remote",
				     .command = "true",
				     .throttle = 2,
				     .locations = places,
				     .count = 5};

/* a has ended well, b failed, c was running, d and e had not come up. */
static void make_saved(struct child_saved saved[static 5])
{
	memset(saved, 0, 5 * sizeof *saved);
	for (uint8_t i = 0; i < 5; i++)
		saved[i].uuid.bytes[0] = (uint8_t)(i + 1);
	saved[0].kind = saved[1].kind = CHILD_SAVED_ENDED;
	saved[0].outcome = (struct outcome){.cause = CAUSE_EXITED};
	saved[1].outcome = (struct outcome){.cause = CAUSE_TIMEOUT, .exit_code = -1, .text = "run"};
	saved[0].begin_ns = 10, saved[0].end_ns = 20;
	saved[1].begin_ns = 5, saved[1].end_ns = 30;
	saved[2].kind = CHILD_SAVED_AWAY;
	saved[2].begin_ns = 7;
}

static void restore(struct fake *f, const struct child_saved *saved, bool held)
{
	struct uuid uuid = {{9}};

	memset(f, 0, sizeof *f);
	f->job = job_restore(&spec, 100, &uuid, saved, 99, held, &fake_full, &fake_observer, f);
}

static void test_everything_is_as_it_was(void **state)
{
	struct child_saved saved[5];
	struct outcome o;
	struct fake f;

	(void)state;
	make_saved(saved);
	restore(&f, saved, false);
	expect(&f, "");
	assert_int_equal(job_id(f.job), 100);
	assert_string_equal(job_instance_id(f.job), "09000000-0000-0000-0000-000000000000");
	assert_int_equal(job_state(f.job), JOB_STATE_RUNNING);
	assert_int_equal(job_begin_ns(f.job), 5);
	assert_int_equal(job_end_ns(f.job), 0);
	assert_int_equal(child_state(at(&f, 0)), JOB_STATE_COMPLETED);
	assert_int_equal(child_state(at(&f, 1)), JOB_STATE_FAILED);
	assert_int_equal(child_state(at(&f, 2)), JOB_STATE_DISCONNECTED);
	assert_int_equal(child_state(at(&f, 3)), JOB_STATE_NOT_STARTED);
	assert_int_equal(child_uuid(at(&f, 4))->bytes[0], 5);
	assert_true(child_outcome(at(&f, 1), &o));
	assert_int_equal(o.cause, CAUSE_TIMEOUT);
	assert_string_equal(o.text, "run");
	assert_int_equal(child_end_ns(at(&f, 1)), 30);
	assert_int_equal(job_counts(f.job)->started, 1);
	assert_int_equal(job_counts(f.job)->queued, 2);
	assert_ptr_equal(job_next_failed(f.job, NULL), at(&f, 1));
	assert_null(job_next_failed(f.job, at(&f, 1)));
	fake_done(&f);
}

/* The one that is away holds its slot. */
static void test_it_goes_on_where_it_stood(void **state)
{
	struct outcome ok = {.cause = CAUSE_EXITED};
	struct child_saved saved[5];
	struct fake f;

	(void)state;
	make_saved(saved);
	restore(&f, saved, false);
	job_start(f.job, 40);
	expect(&f, "start d\n");
	child_on_reconnected(at(&f, 2), 41);
	expect(&f, "c Running\n");
	child_on_end(at(&f, 2), &ok, 42);
	expect(&f, "c Completed\nstart e\n");
	child_on_running(at(&f, 3), 43);
	child_on_end(at(&f, 3), &ok, 44);
	child_on_end(at(&f, 4), &ok, 45);
	assert_int_equal(job_state(f.job), JOB_STATE_FAILED);
	assert_int_equal(job_end_ns(f.job), 45);
	fake_done(&f);
}

/* It was set later than the request says: before anything runs, and so nothing begins. */
static void test_another_throttle(void **state)
{
	struct child_saved saved[5];
	struct fake f;

	(void)state;
	make_saved(saved);
	restore(&f, saved, false);
	job_set_throttle(f.job, 3, 0);
	expect(&f, "");
	job_start(f.job, 40);
	expect(&f, "start d\nstart e\n");
	fake_done(&f);
	make_saved(saved);
	restore(&f, saved, false);
	job_set_throttle(f.job, 1, 0);
	job_start(f.job, 40);
	expect(&f, "");
	fake_done(&f);
}

static void test_a_held_job_stays_held(void **state)
{
	struct child_saved saved[5];
	struct fake f;

	(void)state;
	make_saved(saved);
	restore(&f, saved, true);
	assert_true(job_is_held(f.job));
	job_start(f.job, 40);
	expect(&f, "");
	fake_done(&f);
}

static void test_a_stop_reaches_one_that_is_away(void **state)
{
	struct child_saved saved[5];
	struct fake f;

	(void)state;
	make_saved(saved);
	restore(&f, saved, false);
	job_stop(f.job, 40);
	expect(&f, "job Stopping\nc Stopping\nstop c\nd Stopped\ne Stopped\n");
	fake_done(&f);
}

static void test_a_finished_job_is_finished(void **state)
{
	struct child_saved saved[5];
	struct fake f;

	(void)state;
	make_saved(saved);
	for (size_t i = 2; i < 5; i++) {
		saved[i].kind = CHILD_SAVED_ENDED;
		saved[i].outcome = (struct outcome){.cause = CAUSE_EXITED};
	}
	restore(&f, saved, false);
	assert_int_equal(job_state(f.job), JOB_STATE_FAILED);
	assert_int_equal(job_end_ns(f.job), 99);
	fake_done(&f);
}

/* A daemon that leaves: what ends frees its slot, and nobody takes it. */
static void test_a_frozen_job_starts_nothing(void **state)
{
	struct outcome ok = {.cause = CAUSE_EXITED};
	struct child_saved saved[5];
	struct fake f;

	(void)state;
	make_saved(saved);
	restore(&f, saved, false);
	job_start(f.job, 40);
	job_freeze(f.job);
	expect(&f, "start d\n");
	child_on_end(at(&f, 3), &ok, 41);
	expect(&f, "d Completed\n");
	fake_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything_is_as_it_was),
		cmocka_unit_test(test_it_goes_on_where_it_stood),
		cmocka_unit_test(test_another_throttle),
		cmocka_unit_test(test_a_held_job_stays_held),
		cmocka_unit_test(test_a_stop_reaches_one_that_is_away),
		cmocka_unit_test(test_a_finished_job_is_finished),
		cmocka_unit_test(test_a_frozen_job_starts_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
