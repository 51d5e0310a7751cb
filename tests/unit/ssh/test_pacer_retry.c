/* Which logins are tried again, and after how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <netdb.h>

#include "pacer.h"

/* How often it is tried again. */
static int tries(enum pacer_end end, uint64_t retries)
{
	int n = 0;

	while (n < 1000 && pacer_retry(end, (uint64_t)n, retries, 0) >= 0)
		n++;
	return n;
}

static void test_without_a_word_of_the_user(void **state)
{
	(void)state;
	assert_int_equal(tries(PACER_DROPPED, 0), 3);
	assert_int_equal(tries(PACER_RESOLVE_AGAIN, 0), 3);
	assert_int_equal(tries(PACER_REFUSED, 0), 0);
	assert_int_equal(tries(PACER_UNREACHABLE, 0), 0);
	assert_int_equal(tries(PACER_LOCAL, 0), 1000);
	assert_int_equal(tries(PACER_FINAL, 0), 0);
	assert_int_equal(tries(PACER_LOGIN, 0), 0);
}

static void test_as_often_as_the_user_says(void **state)
{
	static const enum pacer_end ends[] = {PACER_DROPPED, PACER_RESOLVE_AGAIN, PACER_REFUSED,
					      PACER_UNREACHABLE};

	(void)state;
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		assert_int_equal(tries(ends[i], 1), 0);
		assert_int_equal(tries(ends[i], 1 + 7), 7);
		assert_int_equal(tries(ends[i], 1 + 100), 100);
	}
	assert_int_equal(tries(PACER_LOCAL, 1), 1000);
	assert_int_equal(tries(PACER_FINAL, 1 + 100), 0);
}

static void test_the_delay_doubles_and_is_random(void **state)
{
	static const int64_t middle[] = {500, 1000, 2000, 4000, 8000, 16000, 20000, 20000};

	(void)state;
	for (uint64_t n = 0; n < sizeof middle / sizeof *middle; n++) {
		int64_t least = INT64_MAX, most = 0;

		for (uint64_t random = 0; random < 30000; random++) {
			int64_t ms = pacer_retry(PACER_DROPPED, n, 50, random * 7919);

			least = ms < least ? ms : least;
			most = ms > most ? ms : most;
		}
		assert_int_equal(least, middle[n] / 2);
		assert_int_equal(most, middle[n] / 2 + middle[n]);
		assert_true(most <= 30000);
	}
	assert_in_range(pacer_retry(PACER_LOCAL, UINT64_MAX, 0, UINT64_MAX), 10000, 30000);
}

static void test_what_an_errno_means(void **state)
{
	(void)state;
	assert_int_equal(pacer_end_of_errno(ECONNREFUSED), PACER_REFUSED);
	assert_int_equal(pacer_end_of_errno(ECONNRESET), PACER_DROPPED);
	assert_int_equal(pacer_end_of_errno(EHOSTUNREACH), PACER_UNREACHABLE);
	assert_int_equal(pacer_end_of_errno(ENETUNREACH), PACER_UNREACHABLE);
	assert_int_equal(pacer_end_of_errno(ETIMEDOUT), PACER_UNREACHABLE);
	assert_int_equal(pacer_end_of_errno(EADDRNOTAVAIL), PACER_LOCAL);
	assert_int_equal(pacer_end_of_errno(ENOBUFS), PACER_LOCAL);
	assert_int_equal(pacer_end_of_errno(EMFILE), PACER_LOCAL);
	assert_int_equal(pacer_end_of_errno(EACCES), PACER_FINAL);
	assert_int_equal(pacer_end_of_resolver(EAI_AGAIN), PACER_RESOLVE_AGAIN);
	assert_int_equal(pacer_end_of_resolver(EAI_NONAME), PACER_FINAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_a_word_of_the_user),
		cmocka_unit_test(test_as_often_as_the_user_says),
		cmocka_unit_test(test_the_delay_doubles_and_is_random),
		cmocka_unit_test(test_what_an_errno_means),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
