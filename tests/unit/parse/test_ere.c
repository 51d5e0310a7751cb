/* Regular expressions: what they match, what they refuse, and that the libc agrees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "ere.h"

#define SPANS 6

/* "0-3 1-2 -": the match and its groups as far as there are any, "-" for one that is not in it. */
static void spans_text(char *out, size_t size, const struct ere_span *spans, size_t count)
{
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		if (spans[i].begin == ERE_NONE)
			n += (size_t)snprintf(out + n, size - n, "%s-", i ? " " : "");
		else
			n += (size_t)snprintf(out + n, size - n, "%s%u-%u", i ? " " : "",
					      spans[i].begin, spans[i].end);
	}
}

static void check(const char *pattern, const char *text, size_t count, const char *expected)
{
	struct ere_span spans[SPANS];
	struct errmsg msg = {""};
	struct ere *ere;
	char got[256];

	if (ere_new(&ere, pattern, &msg) < 0)
		fail_msg("%s: %s", pattern, msg.text);
	if (!ere_find(ere, (const uint8_t *)text, strlen(text), spans, count))
		(void)snprintf(got, sizeof got, "none");
	else
		spans_text(got, sizeof got, spans, count);
	if (strcmp(got, expected) != 0)
		fail_msg("%s on '%s': %s, not %s", pattern, text, got, expected);
	ere_free(ere);
}

static void matches(void **state)
{
	(void)state;
	check("abc", "xxabcx", 1, "2-5");
	check("abc", "ab", 1, "none");
	check("", "abc", 1, "0-0");
	check("a*", "baaa", 1, "0-0");
	check("a+", "baaa", 1, "1-4");
	check("^a|b$", "cb", 1, "1-2");
	check("^$", "", 1, "0-0");
	check("a.c", "a\nc", 1, "0-3");
	check("a{2,3}", "caaaaa", 1, "1-4");
	check("a{0}b", "ab", 1, "1-2");
	check("a{2}", "aba", 1, "none");
	check("a{2,}", "aaaab", 1, "0-4");
	check("a{,2}", "a{,2}", 1, "0-5");
	check("[^a-c]+", "abxyc", 1, "2-4");
	check("[]a]+", "x]a", 1, "1-3");
	check("[a-]+", "b-a", 1, "1-3");
	check("[[:digit:].]+", "v1.2", 1, "1-4");
	check("[[.-.]]", "a-", 1, "1-2");
	check("\\.\\d+\\s\\w", "1.23 x", 1, "1-6");
	check("\\D\\S\\W", "1ab-", 1, "1-4");
	check("\\\\\\(", "\\(", 1, "0-2");
}

static void groups(void **state)
{
	(void)state;
	check("(a)(b)?", "a", 3, "0-1 0-1 -");
	check("(a|b)*c", "abc", 2, "0-3 1-2");
	check("([a-z]+)=([0-9]*)", " key=12", 3, "1-7 1-4 5-7");
	check("((a)(b))c", "abc", 4, "0-3 0-2 0-1 1-2");
	check("(a*)*", "aa", 1, "0-2");
	check("(a*)+b", "aab", 1, "0-3");
	check("()a", "a", 2, "0-1 0-0");
	check("(x){2,3}y", "xxxy", 2, "0-4 2-3");
}

static void the_longest_of_the_leftmost_wins(void **state)
{
	(void)state;
	check("a|ab|abc", "xabcd", 1, "1-4");
	check("bcd|abc", "abcd", 1, "0-3");
	check("(a|ab)(c|bcd)?", "abcd", 1, "0-4");
}

static void bad_patterns_are_refused(void **state)
{
	static const char *const bad[] = {
		"(",
		"a)",
		"[a",
		"[b-a]",
		"[[:nope:]]",
		"*a",
		"a|*",
		"^*",
		"a{3,2}",
		"a{1",
		"a{256}",
		"a\\",
		"\\q",
		"\\1",
		"(a{200}){200}",
		"((((a{20}){20}){20}){20})",
		"[[.ab.]]",
	};
	struct errmsg msg;
	struct ere *ere;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		msg.text[0] = '\0';
		if (ere_new(&ere, bad[i], &msg) == 0)
			fail_msg("%s was accepted", bad[i]);
		assert_non_null(strstr(msg.text, "pattern"));
	}
}

static void deep_groups_are_bounded(void **state)
{
	char pattern[2001];
	struct ere *ere;

	(void)state;
	memset(pattern, '(', 1000);
	memset(pattern + 1000, ')', 1000);
	pattern[2000] = '\0';
	assert_int_equal(ere_new(&ere, pattern, NULL), ERR_RANGE);
}

/* What takes other matchers for ever. */
static void hostile_text_takes_linear_time(void **state)
{
	size_t len = 1 << 16;
	uint8_t *text = xmalloc(len);
	struct ere_span span;
	struct ere *ere;

	(void)state;
	memset(text, 'a', len);
	assert_int_equal(ere_new(&ere, "^(a*)*(a|aa)+(a?){20}b$", NULL), 0);
	assert_false(ere_find(ere, text, len, &span, 1));
	ere_free(ere);
	free(text);
}

/* Random patterns and texts over few letters: where the match is says the libc too. */
static void the_libc_agrees(void **state)
{
	static const char *const pieces[] = {"a",      "b",  ".",  "[ab]",   "(a|b)",
					     "(ab|a)", "a*", "b+", "(a*b)?", "a{1,2}",
					     "|",      "^a", "b$"};
	unsigned seed = 1;
	char pattern[128], text[16], expected[32];

	(void)state;
	for (int round = 0; round < 5000; round++) {
		regmatch_t m;
		regex_t re;

		pattern[0] = '\0';
		for (int i = rand_r(&seed) % 5; i >= 0; i--)
			(void)strcat(pattern, pieces[(unsigned)rand_r(&seed) % ARRAY_LEN(pieces)]);
		for (size_t i = 0; i < sizeof text; i++)
			text[i] = "abc"[rand_r(&seed) % 3];
		text[rand_r(&seed) % (int)sizeof text] = '\0';
		text[sizeof text - 1] = '\0';
		assert_int_equal(regcomp(&re, pattern, REG_EXTENDED), 0);
		if (regexec(&re, text, 1, &m, 0) == 0)
			(void)snprintf(expected, sizeof expected, "%d-%d", (int)m.rm_so,
				       (int)m.rm_eo);
		else
			(void)snprintf(expected, sizeof expected, "none");
		regfree(&re);
		check(pattern, text, 1, expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches),
		cmocka_unit_test(groups),
		cmocka_unit_test(the_longest_of_the_leftmost_wins),
		cmocka_unit_test(bad_patterns_are_refused),
		cmocka_unit_test(deep_groups_are_bounded),
		cmocka_unit_test(hostile_text_takes_linear_time),
		cmocka_unit_test(the_libc_agrees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
