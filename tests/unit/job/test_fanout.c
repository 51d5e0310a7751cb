#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fanout.h"

#define NOBODY SIZE_MAX

/* Who comes up next and takes a slot, or NOBODY. */
static size_t start_next(struct fanout *f)
{
	size_t index = NOBODY;

	if (fanout_next(f, &index))
		fanout_take(f);
	return index;
}

static void test_in_order_up_to_the_limit(void **state)
{
	struct fanout f;

	(void)state;
	fanout_init(&f, 5, 2);
	assert_int_equal(start_next(&f), 0);
	assert_int_equal(start_next(&f), 1);
	assert_true(start_next(&f) == NOBODY);
	assert_int_equal(f.used, 2);
}

static void test_a_free_slot_goes_to_the_next(void **state)
{
	struct fanout f;

	(void)state;
	fanout_init(&f, 3, 1);
	assert_int_equal(start_next(&f), 0);
	fanout_release(&f);
	assert_int_equal(start_next(&f), 1);
	fanout_release(&f);
	assert_int_equal(start_next(&f), 2);
	fanout_release(&f);
	assert_true(start_next(&f) == NOBODY);
}

static void test_who_needs_no_slot_is_passed_over(void **state)
{
	struct fanout f;
	size_t index;

	(void)state;
	fanout_init(&f, 3, 1);
	assert_true(fanout_next(&f, &index));
	assert_int_equal(index, 0);
	assert_int_equal(f.used, 0);
	assert_int_equal(start_next(&f), 1);
	assert_true(start_next(&f) == NOBODY);
}

static void test_a_higher_limit_lets_more_start(void **state)
{
	struct fanout f;

	(void)state;
	fanout_init(&f, 4, 1);
	assert_int_equal(start_next(&f), 0);
	fanout_set_limit(&f, 3);
	assert_int_equal(start_next(&f), 1);
	assert_int_equal(start_next(&f), 2);
	assert_true(start_next(&f) == NOBODY);
}

static void test_a_lower_limit_holds_back(void **state)
{
	struct fanout f;

	(void)state;
	fanout_init(&f, 5, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(start_next(&f), i);
	fanout_set_limit(&f, 1);
	for (size_t i = 0; i < 2; i++) {
		fanout_release(&f);
		assert_true(start_next(&f) == NOBODY);
	}
	fanout_release(&f);
	assert_int_equal(start_next(&f), 3);
	assert_true(start_next(&f) == NOBODY);
}

static void test_nobody_behind_the_end(void **state)
{
	struct fanout f;

	(void)state;
	fanout_init(&f, 5, 5);
	fanout_set_end(&f, 2);
	assert_int_equal(start_next(&f), 0);
	assert_int_equal(start_next(&f), 1);
	assert_true(fanout_is_free(&f));
	assert_true(start_next(&f) == NOBODY);
	fanout_set_end(&f, 3);
	assert_int_equal(start_next(&f), 2);
	assert_true(start_next(&f) == NOBODY);
}

static void test_a_limit_above_the_count(void **state)
{
	struct fanout f;

	(void)state;
	fanout_init(&f, 2, SIZE_MAX);
	assert_int_equal(start_next(&f), 0);
	assert_int_equal(start_next(&f), 1);
	assert_true(start_next(&f) == NOBODY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_order_up_to_the_limit),
		cmocka_unit_test(test_a_free_slot_goes_to_the_next),
		cmocka_unit_test(test_who_needs_no_slot_is_passed_over),
		cmocka_unit_test(test_a_higher_limit_lets_more_start),
		cmocka_unit_test(test_a_lower_limit_holds_back),
		cmocka_unit_test(test_nobody_behind_the_end),
		cmocka_unit_test(test_a_limit_above_the_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
