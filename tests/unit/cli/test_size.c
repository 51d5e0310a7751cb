#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "duration.h"

#define UNTOUCHED UINT64_C(0xdeadbeef)

static void test_sizes(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} rows[] = {
		{"4096", 4096},
		{"4K", 4096},
		{"64k", 65536},
		{"0064K", 65536},
		{"256M", UINT64_C(256) << 20},
		{"1g", UINT64_C(1) << 30},
		{"1024G", UINT64_C(1) << 40},
		{"1099511627776", UINT64_C(1) << 40},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t v = UNTOUCHED;
		struct errmsg msg = {{0}};

		if (size_parse(&v, rows[i].text, "--results-share", &msg) != 0)
			fail_msg("'%s': %s", rows[i].text, msg.text);
		if (v != rows[i].bytes)
			fail_msg("'%s' gives %llu", rows[i].text, (unsigned long long)v);
	}
}

static void refused(const char *text, int code)
{
	uint64_t v = UNTOUCHED;
	struct errmsg msg = {{0}};
	int rc = size_parse(&v, text, "--results-share", &msg);

	if (rc != code)
		fail_msg("'%s' gives %s", text, err_name(rc));
	assert_int_equal(v, UNTOUCHED);
	assert_non_null(strstr(msg.text, "--results-share"));
	assert_non_null(strstr(msg.text, text));
}

static void test_what_is_no_size(void **state)
{
	static const char *const texts[] = {
		"",	   "K",	  "M1",	  " 1M", "1M ", "1 M",	"-1M",	 "+1M",	      "1.5M",
		"0x10000", "1MB", "1MiB", "1KK", "1T",	"lots", "1,000", "\xd9\xa3M",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		refused(texts[i], ERR_SYNTAX);
}

static void test_too_small_and_too_large(void **state)
{
	static const char *const texts[] = {
		"0",
		"0G",
		"4095",
		"3K",
		"1025G",
		"1099511627777",
		"18446744073709551615G",
		"99999999999999999999999999",
		"17179869184G", /* 2^64 bytes: no wrap to 0 */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		refused(texts[i], ERR_RANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_what_is_no_size),
		cmocka_unit_test(test_too_small_and_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
