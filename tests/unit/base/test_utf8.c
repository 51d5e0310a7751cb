#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "utf8.h"

/* The first code point after all of them. */
#define UNICODE_END 0x110000u

static size_t encode(uint8_t *out, uint32_t cp)
{
	size_t len = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
	static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};

	for (size_t i = len - 1; i > 0; i--) {
		out[i] = (uint8_t)(0x80 | (cp & 0x3f));
		cp >>= 6;
	}
	out[0] = (uint8_t)(lead[len] | cp);
	return len;
}

static void every_code_point_round_trips(void **state)
{
	(void)state;
	for (uint32_t cp = 0; cp < UNICODE_END; cp++) {
		uint8_t text[4];
		size_t len = encode(text, cp);
		uint32_t got = 0xdead;
		int rc = utf8_decode(text, len, &got);

		if (cp >= 0xd800 && cp < 0xe000) {
			assert_int_equal(rc, 0);
			assert_false(utf8_valid(text, len));
			continue;
		}
		assert_int_equal(rc, len);
		assert_int_equal(got, cp);
		assert_true(utf8_valid(text, len));
		for (size_t part = 1; part < len; part++) {
			got = 0xdead;
			assert_int_equal(utf8_decode(text, part, &got), -1);
			assert_int_equal(got, 0xdead);
			assert_false(utf8_valid(text, part));
		}
	}
}

static void only_the_shortest_form_and_nothing_above(void **state)
{
	static const char *const bad[] = {
		"\x80",
		"\xbf",
		"\xc0\x80",
		"\xc1\xbf",
		"\xe0\x80\x80",
		"\xe0\x9f\xbf",
		"\xf0\x80\x80\x80",
		"\xf0\x8f\xbf\xbf",
		"\xed\xa0\x80",
		"\xed\xbf\xbf",
		"\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80",
		"\xf8\x88\x80\x80",
		"\xfe",
		"\xff",
		"\xc3(",
		"\xe2\x82(",
		"\xe2(\xa1",
		"\xf0\x90\x80(",
		"\xf0\x90(\xbc",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		uint32_t cp = 0xdead;

		assert_int_equal(utf8_decode((const uint8_t *)bad[i], strlen(bad[i]), &cp), 0);
		assert_int_equal(cp, 0xdead);
		assert_false(utf8_valid(bad[i], strlen(bad[i])));
	}
}

static void a_bad_beginning_is_bad_before_it_is_short(void **state)
{
	uint32_t cp;

	(void)state;
	assert_int_equal(utf8_decode((const uint8_t *)"\xe0\x80", 2, &cp), 0);
	assert_int_equal(utf8_decode((const uint8_t *)"\xf4\x90", 2, &cp), 0);
	assert_int_equal(utf8_decode((const uint8_t *)"\xe0\xa0", 2, &cp), -1);
}

/* The check takes eight bytes at a time: a bad byte must be found wherever it stands. */
static void a_bad_byte_is_found_anywhere(void **state)
{
	char text[40];

	(void)state;
	assert_true(utf8_valid("", 0));
	for (size_t n = 1; n < sizeof text; n++) {
		memset(text, 'a', sizeof text);
		assert_true(utf8_valid(text, n));
		for (size_t at = 0; at < n; at++) {
			text[at] = '\xff';
			assert_false(utf8_valid(text, n));
			text[at] = 'a';
		}
	}
}

static void nul_is_a_character(void **state)
{
	uint32_t cp = 1;

	(void)state;
	assert_true(utf8_valid("a\0b", 3));
	assert_int_equal(utf8_decode((const uint8_t *)"\0", 1, &cp), 1);
	assert_int_equal(cp, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_point_round_trips),
		cmocka_unit_test(only_the_shortest_form_and_nothing_above),
		cmocka_unit_test(a_bad_beginning_is_bad_before_it_is_short),
		cmocka_unit_test(a_bad_byte_is_found_anywhere),
		cmocka_unit_test(nul_is_a_character),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
