/* number_read finds what strtoull and strtoll find. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "number.h"

static void check(const char *text, int base)
{
	struct number n = number_read(text, base);
	unsigned long long expected;
	char *end;

	errno = 0;
	expected = strtoull(text, &end, base);
	if (n.end != end || n.overflow != (errno == ERANGE))
		fail_msg("'%s' in base %d: ends at %td, not %td", text, base, n.end - text,
			 end - text);
	assert_int_equal(n.overflow ? UINT64_MAX : n.negative ? -n.value : n.value, expected);
}

static void as_strtoull(void **state)
{
	static const char *const texts[] = {"",
					    "0",
					    "1",
					    "-1",
					    "+1",
					    "--1",
					    "-",
					    "12x",
					    "x12",
					    " \t\n\v\f\r42 ",
					    "- 1",
					    "007",
					    "08",
					    "0x",
					    "0x1F",
					    "-0Xff",
					    "0xg",
					    "zZ",
					    "1_000",
					    "18446744073709551615",
					    "18446744073709551616",
					    "-18446744073709551615",
					    "-18446744073709551616",
					    "9223372036854775808",
					    "99999999999999999999999999999999x",
					    "00000000000000000001",
					    "7ffff,",
					    "\xff",
					    "01777777777777777777777"};
	static const int bases[] = {0, 2, 8, 10, 16, 36};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		for (size_t j = 0; j < sizeof bases / sizeof bases[0]; j++)
			check(texts[i], bases[j]);
}

static void all_small_ones(void **state)
{
	char text[16];

	(void)state;
	for (int i = -2000; i < 2000; i++) {
		(void)snprintf(text, sizeof text, "%d", i);
		for (int base = 2; base <= 36; base++)
			check(text, base);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_strtoull),
		cmocka_unit_test(all_small_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
