#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "clock.h"

#define S UINT64_C(1000000000)

static void expect(uint64_t ns, const char *want)
{
	char out[CLOCK_RFC3339_SIZE];

	assert_ptr_equal(clock_rfc3339(out, ns), out);
	assert_string_equal(out, want);
}

static void times_as_text(void **state)
{
	(void)state;
	expect(0, "1970-01-01T00:00:00.000000Z");
	expect(1, "1970-01-01T00:00:00.000000Z");
	expect(999999999, "1970-01-01T00:00:00.999999Z");
	expect(951782400 * S + 1000, "2000-02-29T00:00:00.000001Z");
	expect(1772368496 * S + 123456789, "2026-03-01T12:34:56.123456Z");
	expect(UINT64_MAX, "2554-07-21T23:34:33.709551Z");
}

static void the_monotonic_clock_does_not_go_back(void **state)
{
	uint64_t last = clock_mono_ns();

	(void)state;
	assert_true(last > 0);
	for (int i = 0; i < 10000; i++) {
		uint64_t now = clock_mono_ns();

		assert_true(now >= last);
		last = now;
	}
}

static void the_wall_clock_is_that_of_the_system(void **state)
{
	uint64_t before = (uint64_t)time(NULL), now = clock_wall_ns() / S;
	uint64_t after = (uint64_t)time(NULL);

	(void)state;
	/* time(2) may lag by a tick. */
	assert_true(now >= before && now <= after + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_as_text),
		cmocka_unit_test(the_monotonic_clock_does_not_go_back),
		cmocka_unit_test(the_wall_clock_is_that_of_the_system),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
