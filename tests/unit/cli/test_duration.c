#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "duration.h"

#define UNTOUCHED UINT64_C(0xdeadbeef)

static void test_units(void **state)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} rows[] = {
		{"0", 0},	  {"1", 1000},
		{"90", 90000},	  {"90s", 90000},
		{"1.5m", 90000},  {"250ms", 250},
		{"0.25", 250},	  {"2h", 7200000},
		{"1d", 86400000}, {"366d", UINT64_C(31622400000)},
		{"1.", 1000},	  {"007", 7000},
		{"0.4ms", 0},	  {"0.5ms", 1},
		{"0.0005", 1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t ms = UNTOUCHED;
		struct errmsg msg = {{0}};

		if (duration_parse(&ms, rows[i].text, "--timeout", &msg) != 0)
			fail_msg("'%s': %s", rows[i].text, msg.text);
		if (ms != rows[i].ms)
			fail_msg("'%s' gives %llu", rows[i].text, (unsigned long long)ms);
	}
}

/* The error names the option and the text; the result is not touched. */
static void refused(const char *text, int code)
{
	uint64_t ms = UNTOUCHED;
	struct errmsg msg = {{0}};
	int rc = duration_parse(&ms, text, "--timeout", &msg);

	if (rc != code)
		fail_msg("'%s' gives %s", text, err_name(rc));
	assert_int_equal(ms, UNTOUCHED);
	assert_non_null(strstr(msg.text, "--timeout"));
	assert_non_null(strstr(msg.text, text));
}

static void test_what_is_no_time(void **state)
{
	static const char *const texts[] = {
		"",	"s",	" 1",	 "1 ", "1 s",	  "-1",	      "+1",  "soon",	 "1x",
		"1S",	"1min", "1ms2",	 "1w", "1s500ms", "1.2.3",    "inf", "infinity", "nan",
		"0x10", "0X10", "0x1p4", ".5", "1,5",	  "\xd9\xa3", "1\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		refused(texts[i], ERR_SYNTAX);
}

static void test_more_than_a_year(void **state)
{
	char digits[400];

	(void)state;
	refused("367d", ERR_RANGE);
	refused("31622401", ERR_RANGE);
	refused("99999999999999999999", ERR_RANGE);
	/* More than a double holds. */
	memset(digits, '9', sizeof digits - 1);
	digits[sizeof digits - 1] = '\0';
	assert_int_equal(duration_parse(&(uint64_t){0}, digits, "--timeout", NULL), ERR_RANGE);
}

static void test_counts(void **state)
{
	uint64_t v = UNTOUCHED;

	(void)state;
	assert_int_equal(count_parse(&v, "1", 1, 5, "-f", NULL), 0);
	assert_int_equal(v, 1);
	assert_int_equal(count_parse(&v, "5", 1, 5, "-f", NULL), 0);
	assert_int_equal(v, 5);
	assert_int_equal(count_parse(&v, "005", 1, 5, "-f", NULL), 0);
	assert_int_equal(v, 5);
	assert_int_equal(count_parse(&v, "18446744073709551615", 0, UINT64_MAX, "-f", NULL), 0);
	assert_true(v == UINT64_MAX);
}

static void test_what_is_no_count(void **state)
{
	static const char *const texts[] = {
		"",
		"0",
		"6",
		"-1",
		"+1",
		" 1",
		"1 ",
		"1.0",
		"0x1",
		"many",
		"18446744073709551617",
		"99999999999999999999999999",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		uint64_t v = UNTOUCHED;
		struct errmsg msg = {{0}};

		if (count_parse(&v, texts[i], 1, 5, "-f", &msg) != ERR_RANGE)
			fail_msg("'%s' is a count", texts[i]);
		assert_int_equal(v, UNTOUCHED);
		assert_non_null(strstr(msg.text, "-f"));
		assert_non_null(strstr(msg.text, "from 1 to 5"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_units),
		cmocka_unit_test(test_what_is_no_time),
		cmocka_unit_test(test_more_than_a_year),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_what_is_no_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
