#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "alloc.h"
#include "exit.h"

/* Documented in --help and in the manual: scripts rely on the numbers. */
static void test_numbers(void **state)
{
	(void)state;
	assert_int_equal(EXIT_OK, 0);
	assert_int_equal(EXIT_INTERNAL, 1);
	assert_int_equal(EXIT_USAGE, 2);
	assert_int_equal(EXIT_STOPPED, 3);
	assert_int_equal(EXIT_UNREACHABLE, 4);
	assert_int_equal(EXIT_REMOTE, 5);
	assert_int_equal(EXIT_INTERRUPTED, 130);
	assert_int_equal(EXIT_NO_DAEMON, 255);
}

static void test_which_wins(void **state)
{
	static const int weakest_first[] = {0, 5, 3, 4, 1};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(weakest_first); i++)
		for (size_t j = 0; j < ARRAY_LEN(weakest_first); j++)
			assert_int_equal(exit_worse(weakest_first[i], weakest_first[j]),
					 weakest_first[i > j ? i : j]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_which_wins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
