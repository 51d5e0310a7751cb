/* decimal_read is exact: bit by bit what the libc's strtod says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decimal.h"

#define RANDOM_ROUNDS 20000

static void check(const char *text)
{
	uint64_t ours, theirs;
	double f = decimal_read((const uint8_t *)text, strlen(text));
	double g = strtod(text, NULL);

	memcpy(&ours, &f, sizeof ours);
	memcpy(&theirs, &g, sizeof theirs);
	if (ours != theirs)
		fail_msg("%s: %a, not %a", text, f, g);
}

/* With a minus too. */
static void both(const char *text)
{
	char minus[DECIMAL_MAX + 2];

	check(text);
	(void)snprintf(minus, sizeof minus, "-%s", text);
	if (strlen(minus) <= DECIMAL_MAX)
		check(minus);
}

static void common_ones(void **state)
{
	static const char *const texts[] = {"0.0",
					    "0e0",
					    "0.000e99999",
					    "1.0",
					    "0.1",
					    "0.2",
					    "0.3",
					    "3.14159",
					    "1e22",
					    "1e23",
					    "123456789.123456789",
					    "1.7976931348623157e308",
					    "100.00",
					    "0.5e+1",
					    "5E-1",
					    "9007199254740993.0",
					    "9007199254740992.9",
					    "9007199254740991e0",
					    "1e-22",
					    "1e-23",
					    "000.0",
					    "1e00000000000000000000000000000000000000005",
					    "99.900",
					    "0.30000000000000004"};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		both(texts[i]);
}

static void the_ends_of_the_range(void **state)
{
	static const char *const texts[] = {"1.7976931348623158e308",
					    "1.7976931348623159e308",
					    "1.797693134862315807e308",
					    "1.797693134862315808e308",
					    "1e308",
					    "1e309",
					    "1e310",
					    "1e311",
					    "9.9e307",
					    "1e99999999999999999999",
					    "1e-99999999999999999999",
					    "2.2250738585072014e-308",
					    "2.2250738585072011e-308",
					    "2.2250738585072012e-308",
					    "2.225073858507201e-308",
					    "4.9406564584124654e-324",
					    "4.9e-324",
					    "2.4703282292062327e-324",
					    "2.4703282292062328e-324",
					    "2.47032822920623272e-324",
					    "2.47032822920623273e-324",
					    "7.4109846876186981e-324",
					    "7.4109846876186982e-324",
					    "1e-323",
					    "1e-324",
					    "2e-324",
					    "3e-324",
					    "1e-329",
					    "1e-330",
					    "1e-331",
					    "1e-332",
					    "0.1e-329"};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		both(texts[i]);
}

/* Every power of ten, and with all digits that there is room for: nothing is written beyond it. */
static void all_powers(void **state)
{
	char text[DECIMAL_MAX + 20], digits[DECIMAL_MAX + 1];

	(void)state;
	for (int power = -700; power <= 400; power++) {
		(void)snprintf(text, sizeof text, "1e%d", power);
		both(text);
		memset(digits, '9', sizeof digits);
		(void)snprintf(text, sizeof text, "%.249se%d", digits, power);
		both(text);
		(void)snprintf(text, sizeof text, "0.%.247se%d", digits, power);
		both(text);
	}
}

static uint64_t random_next(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return *state ^ *state >> 29;
}

/* The middle between two neighbours in full, and just beside it: the hardest to round. */
static void the_middle_of_two(void **state)
{
	uint64_t seed = 5;

	(void)state;
	for (int i = 0; i < RANDOM_ROUNDS / 4; i++) {
		/* 2^52 to 2^53, and half of one more. */
		uint64_t half = (random_next(&seed) | UINT64_C(1) << 63) >> 11;
		int shift = (int)(random_next(&seed) % 60);
		char text[400];
		long double middle = (long double)half + 0.5L;
		int n;

		/* Exact in decimal, as long double has 64 bits of significand or more. */
		n = snprintf(text, sizeof text, "%.*Lf", shift + 1, ldexpl(middle, -shift));
		assert_in_range(n, 1, DECIMAL_MAX - 1);
		check(text);
		(void)snprintf(text + n, sizeof text - (size_t)n, "1");
		check(text);
		text[n - 1] = '4';
		text[n] = '9';
		check(text);
	}
}

static void any_double(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (int i = 0; i < RANDOM_ROUNDS; i++) {
		uint64_t bits = random_next(&seed);
		char text[64];
		double f;

		memcpy(&f, &bits, sizeof f);
		if (!isfinite(f))
			continue;
		for (int digits = 5; digits <= 25; digits += 4) {
			(void)snprintf(text, sizeof text, "%.*e", digits, f);
			check(text);
		}
		(void)snprintf(text, sizeof text, "%.17g.0", (double)(bits >> 12));
		check(text);
	}
}

/* Numbers below the normal ones lose bits. */
static void subnormal_ones(void **state)
{
	uint64_t seed = 3;

	(void)state;
	for (int i = 0; i < RANDOM_ROUNDS; i++) {
		uint64_t bits = random_next(&seed) >> (12 + i % 50);
		char text[64];
		double f;

		memcpy(&f, &bits, sizeof f);
		for (int digits = 1; digits <= 21; digits += 5) {
			(void)snprintf(text, sizeof text, "%.*e", digits, f);
			check(text);
		}
	}
}

static void digits_in_all_lengths(void **state)
{
	uint64_t seed = 7;

	(void)state;
	for (int i = 0; i < RANDOM_ROUNDS; i++) {
		int count = 1 + (int)(random_next(&seed) % 240);
		int point = 1 + (int)(random_next(&seed) % (unsigned)count);
		int power = (int)(random_next(&seed) % 700) - 350;
		char text[DECIMAL_MAX + 1];
		size_t n = 0;

		for (int d = 0; d < count; d++) {
			text[n++] = (char)('0' + random_next(&seed) % 10);
			if (d + 1 == point && point < count)
				text[n++] = '.';
		}
		(void)snprintf(text + n, sizeof text - n, "e%d", power);
		check(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(common_ones),
		cmocka_unit_test(the_ends_of_the_range),
		cmocka_unit_test(all_powers),
		cmocka_unit_test(the_middle_of_two),
		cmocka_unit_test(any_double),
		cmocka_unit_test(subnormal_ones),
		cmocka_unit_test(digits_in_all_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
