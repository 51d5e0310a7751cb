#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "escape.h"
#include "utf8.h"

static void expect_n(const char *in, size_t n, const char *want)
{
	struct buf b = {0};

	escape_display(&b, in, n);
	assert_string_equal(buf_cstr(&b), want);
	buf_done(&b);
}

static void expect(const char *in, const char *want)
{
	expect_n(in, strlen(in), want);
}

static void what_is_harmless_stays(void **state)
{
	(void)state;
	expect("", "");
	expect("plain \\x1b text\t~", "plain \\x1b text\t~");
	expect("Z\u00fcrich \u6f22\u5b57 \U0001f600", "Z\u00fcrich \u6f22\u5b57 \U0001f600");
}

static void control_characters(void **state)
{
	(void)state;
	expect("\033[31mred\033[0m", "\\x1b[31mred\\x1b[0m");
	expect("a\rb\nc\bd\177", "a\\x0db\\x0ac\\x08d\\x7f");
	expect_n("a\0b", 3, "a\\x00b");
	/* C1, as UTF-8 and as a lone byte: CSI in an 8-bit terminal. */
	expect("\xc2\x9b"
	       "31m",
	       "\\u{9b}31m");
	expect("\x9b"
	       "31m",
	       "\\x9b31m");
}

static void what_reorders_or_breaks_lines(void **state)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
		{"\u061c", "\\u{61c}"},	 {"\u200e", "\\u{200e}"}, {"\u200f", "\\u{200f}"},
		{"\u202a", "\\u{202a}"}, {"\u202e", "\\u{202e}"}, {"\u2066", "\\u{2066}"},
		{"\u2069", "\\u{2069}"}, {"\u2028", "\\u{2028}"}, {"\u2029", "\\u{2029}"},
		{"\u200d", "\u200d"},	 {"\u2027", "\u2027"},	  {"\u202f", "\u202f"},
		{"\u2065", "\u2065"},	 {"\u206a", "\u206a"},	  {"\u00a0", "\u00a0"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		expect(rows[i].in, rows[i].want);
}

static void bytes_that_are_no_text(void **state)
{
	(void)state;
	expect("a\xff\xfe z", "a\\xff\\xfe z");
	expect("\xc0\x9b", "\\xc0\\x9b");
	expect("\xe2\x82", "\\xe2\\x82");
	expect("\xe2\x82\u20ac", "\\xe2\\x82\u20ac");
	expect("\xed\xa0\x80", "\\xed\\xa0\\x80");
}

static bool is_harmless(const struct buf *b)
{
	if (!utf8_valid(b->data, b->len))
		return false;
	for (size_t i = 0; i < b->len; i++) {
		if ((b->data[i] < 0x20 && b->data[i] != '\t') || b->data[i] == 0x7f)
			return false;
		if (b->data[i] == 0xc2 && b->data[i + 1] < 0xa0)
			return false;
	}
	return true;
}

static void random_bytes_become_harmless(void **state)
{
	unsigned seed = 4711;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		uint8_t in[24];
		struct buf once = {0}, twice = {0};
		size_t n = (size_t)rand_r(&seed) % sizeof in;

		for (size_t i = 0; i < n; i++)
			in[i] = (uint8_t)(rand_r(&seed) >> 4);
		escape_display(&once, in, n);
		assert_true(is_harmless(&once));
		escape_display(&twice, once.data, once.len);
		assert_int_equal(once.len, twice.len);
		if (once.len)
			assert_memory_equal(once.data, twice.data, once.len);
		buf_done(&once);
		buf_done(&twice);
	}
}

static void fixed_buffers_are_terminated_and_hold_whole_characters(void **state)
{
	char out[8];

	(void)state;
	assert_ptr_equal(escape_str(out, sizeof out, "abc"), out);
	assert_string_equal(out, "abc");
	assert_string_equal(escape_str(out, sizeof out, "abcdefg"), "abcdefg");
	assert_string_equal(escape_str(out, sizeof out, "abcdefgh"), "abcdefg");
	assert_string_equal(escape_str(out, sizeof out, "abcde\u20ac"), "abcde");
	assert_string_equal(escape_str(out, sizeof out, "abcd\u20ac"), "abcd\u20ac");
	assert_string_equal(escape_str(out, sizeof out, "abc\033"), "abc\\x1b");
	assert_string_equal(escape_str(out, 1, "abc"), "");
	assert_string_equal(escape_str(out, sizeof out, ""), "");
}

static void a_long_text_costs_no_more_than_what_fits(void **state)
{
	size_t n = 64u << 20;
	char *text = malloc(n + 1), out[16];

	(void)state;
	assert_non_null(text);
	memset(text, '\033', n);
	text[n] = '\0';
	assert_string_equal(escape_str(out, sizeof out, text), "\\x1b\\x1b\\x1b\\x1");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_harmless_stays),
		cmocka_unit_test(control_characters),
		cmocka_unit_test(what_reorders_or_breaks_lines),
		cmocka_unit_test(bytes_that_are_no_text),
		cmocka_unit_test(random_bytes_become_harmless),
		cmocka_unit_test(fixed_buffers_are_terminated_and_hold_whole_characters),
		cmocka_unit_test(a_long_text_costs_no_more_than_what_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
