/* Jobs that are never started: the registry only keeps them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "daemon_private.h"
#include "limits.h"
#include "registry.h"
#include "run.h"

static int set_up(void **state)
{
	struct daemon *daemon = xcalloc(1, sizeof *daemon);

	daemon->loop = loop_new();
	daemon->registry = registry_new(daemon);
	*state = daemon;
	return 0;
}

static int tear_down(void **state)
{
	struct daemon *daemon = *state;

	registry_free(daemon->registry);
	loop_free(daemon->loop);
	free(daemon);
	return 0;
}

static struct run *add(struct daemon *daemon, size_t children)
{
	static const char *const locations[] = {"a", "b", "c"};
	struct job_open_msg open = {.display = xstrdup("true")};

	assert_true(children <= ARRAY_LEN(locations));
	return run_new(daemon, &(struct run_spec){
				       .open = &open, .locations = locations, .count = children});
}

static void on_stop(void *arg)
{
	loop_stop(arg);
}

/* Lets what was deferred happen. */
static void settle(struct daemon *daemon)
{
	loop_defer(daemon->loop, on_stop, daemon->loop);
	loop_run(daemon->loop);
}

static void test_ids_are_never_reused(void **state)
{
	struct daemon *daemon = *state;

	assert_int_equal(registry_take_ids(daemon->registry, 3), 1);
	assert_int_equal(registry_take_ids(daemon->registry, 1), 5);
	assert_int_equal(registry_take_ids(daemon->registry, LIMIT_HOSTS), 7);
	assert_int_equal(registry_take_ids(daemon->registry, 1), 7 + LIMIT_HOSTS + 1);
}

static void test_finding(void **state)
{
	struct daemon *daemon = *state;
	struct registry *registry = daemon->registry;
	struct run *first, *second;

	assert_null(registry_find(registry, 1));
	first = add(daemon, 3);		      /* 1, and 2 to 4 */
	(void)registry_take_ids(registry, 1); /* 5 and 6 are nobody's */
	second = add(daemon, 1);	      /* 7 and 8 */
	assert_int_equal(registry_count(registry), 2);
	assert_ptr_equal(registry_at(registry, 0), first);
	assert_ptr_equal(registry_at(registry, 1), second);
	assert_null(registry_find(registry, 0));
	for (uint64_t id = 1; id <= 4; id++)
		assert_ptr_equal(registry_find(registry, id), first);
	assert_null(registry_find(registry, 5));
	assert_null(registry_find(registry, 6));
	assert_ptr_equal(registry_find(registry, 7), second);
	assert_ptr_equal(registry_find(registry, 8), second);
	assert_null(registry_find(registry, 9));
	assert_null(registry_find(registry, UINT64_MAX));
}

static void test_live_ones_and_the_end_of_all(void **state)
{
	struct daemon *daemon = *state;
	struct run *first = add(daemon, 2);

	(void)add(daemon, 1);
	assert_int_equal(registry_live(daemon->registry), 2);
	run_stop(first);
	assert_int_equal(job_state(run_job(first)), JOB_STATE_STOPPED);
	assert_int_equal(registry_live(daemon->registry), 1);
	registry_park_all(daemon->registry);
	registry_park_all(daemon->registry);
	assert_int_equal(registry_live(daemon->registry), 0);
	settle(daemon);
	assert_int_equal(registry_count(daemon->registry), 2);
}

/* The oldest finished ones go; those that still run stay, however old. */
static void test_history_is_bounded(void **state)
{
	struct daemon *daemon = *state;
	struct registry *registry = daemon->registry;
	struct run *live = add(daemon, 1);

	for (unsigned i = 0; i < LIMIT_HISTORY_JOBS + 5; i++) {
		run_stop(add(daemon, 1));
		settle(daemon);
	}
	assert_int_equal(registry_count(registry), LIMIT_HISTORY_JOBS + 1);
	assert_ptr_equal(registry_find(registry, 1), live);
	/* Each has two ids: 3, 5, 7 ... are the jobs. Five are gone. */
	assert_null(registry_find(registry, 3));
	assert_null(registry_find(registry, 11));
	assert_non_null(registry_find(registry, 13));
	assert_int_equal(job_id(run_job(registry_at(registry, 1))), 13);
	assert_int_equal(registry_take_ids(registry, 1), 3 + 2 * (LIMIT_HISTORY_JOBS + 5));
}

/* By age and by number, the oldest first; what runs stays. */
static void test_retention(void **state)
{
	struct daemon *daemon = *state;
	struct registry *registry = daemon->registry;
	struct run *runs[6];
	uint64_t end;

	for (size_t i = 0; i < ARRAY_LEN(runs); i++) {
		runs[i] = add(daemon, 1);
		if (i != 1)
			run_stop(runs[i]);
		settle(daemon);
	}
	end = job_end_ns(run_job(runs[5]));
	assert_false(registry_retain(registry, end, 60000, 5, false));
	assert_int_equal(registry_count(registry), 6);
	assert_true(registry_retain(registry, end, 0, 3, false));
	assert_null(registry_find(registry, 1));
	assert_ptr_equal(registry_find(registry, 3), runs[1]);
	assert_null(registry_find(registry, 5));
	assert_ptr_equal(registry_find(registry, 7), runs[3]);
	/* None of these is in a store, whose size would be the reason. */
	assert_false(registry_retain(registry, end, 0, 0, true));
	assert_true(registry_retain(registry, end + UINT64_C(3600000000000), 60000, 0, false));
	assert_int_equal(registry_count(registry), 1);
	assert_ptr_equal(registry_at(registry, 0), runs[1]);
}

/* The daemon ends in the same round in which a job has: what was deferred for it still comes. */
static void test_freed_before_a_job_was_cleaned_up(void **state)
{
	struct daemon *daemon = *state;

	run_stop(add(daemon, 2));
	registry_free(daemon->registry);
	daemon->registry = NULL;
	loop_free(daemon->loop);
	daemon->loop = NULL;
}

#define REGISTRY_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		REGISTRY_TEST(test_ids_are_never_reused),
		REGISTRY_TEST(test_finding),
		REGISTRY_TEST(test_live_ones_and_the_end_of_all),
		REGISTRY_TEST(test_history_is_bounded),
		REGISTRY_TEST(test_retention),
		REGISTRY_TEST(test_freed_before_a_job_was_cleaned_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
