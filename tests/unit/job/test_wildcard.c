#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "wildcard.h"

static struct wildcard *make(const char *pattern)
{
	struct wildcard *w = NULL;
	struct errmsg msg;

	if (wildcard_new(&w, pattern, &msg))
		fail_msg("%s", msg.text);
	return w;
}

static bool matches(const char *pattern, const char *text)
{
	struct wildcard *w = make(pattern);
	bool match = wildcard_match(w, text, strlen(text));

	wildcard_free(w);
	return match;
}

static void yes(const char *pattern, const char *text)
{
	if (!matches(pattern, text))
		fail_msg("'%s' must match '%s'", pattern, text);
}

static void no(const char *pattern, const char *text)
{
	if (matches(pattern, text))
		fail_msg("'%s' must not match '%s'", pattern, text);
}

static void test_literal_text(void **state)
{
	(void)state;
	yes("", "");
	yes("Disk", "dISK");
	no("disk", "disks");
	no("disks", "disk");
	no("", "x");
	yes("a.b^c\\d$", "a.b^c\\d$");
	no("a.b", "axb");
	yes("]a-", "]A-");
}

static void test_stars(void **state)
{
	(void)state;
	yes("*", "");
	yes("*", "anything");
	yes("***", "anything");
	yes("web*", "WEB");
	yes("*.com", "a.com.com");
	yes("a*b*c", "aXbXbXc");
	yes("*ab*ab*", "xababx");
	no("*ab*ab*", "xabax");
	no("a*b", "a b c");
	yes("*a", "aaaa");
	no("a*a", "a");
}

static void test_one_character(void **state)
{
	(void)state;
	yes("web?", "web1");
	no("web?", "web");
	no("web?", "web12");
	yes("??", "ab");
	yes("*?", "a");
	no("*?", "");
	yes("?*?", "ab");
	no("?*?", "a");
}

static void test_sets(void **state)
{
	(void)state;
	yes("job[0-9]", "Job7");
	no("job[0-9]", "jobs");
	yes("[abc]x", "Bx");
	no("[abc]x", "dx");
	yes("[A-C]", "b");
	yes("[a-c]", "B");
	yes("[!0-9]x", "ax");
	no("[!0-9]x", "1x");
	no("[!a-c]", "B");
	no("[!0-9]", "");
	yes("[*]", "*");
	no("[*]", "x");
	yes("[?]", "?");
	yes("[[]", "[");
	yes("[]]", "]");
	yes("[]a]", "a");
	yes("[!]]", "a");
	no("[!]]", "]");
	yes("[a-]", "-");
	yes("[-a]", "-");
	no("[a-]", "b");
	yes("[a!]", "!");
	yes("[1-39]", "9");
	no("[1-39]", "4");
	yes("[b-dc]", "c");
	no("[!b-dc]", "c");
	yes("[Z-a]", "_");
	yes("[Z-a]", "z");
	no("[Z-a]", "b");
}

static void test_characters_beyond_ascii(void **state)
{
	(void)state;
	yes("?", "\xc3\xa9");
	no("??", "\xc3\xa9");
	yes("caf\xc3\xa9*", "CAF\xc3\xa9s");
	no("caf\xc3\xa9", "caf\xc3\xa8");
	yes("[\xc3\xa0-\xc3\xa9]", "\xc3\xa8");
	no("[\xc3\xa0-\xc3\xa9]", "\xc3\xaa");
	yes("[!a-z]", "\xf0\x9f\x98\x80");
	yes("*\xf0\x9f\x98\x80", "x\xf0\x9f\x98\x80");
}

static void test_bytes_that_are_no_text(void **state)
{
	(void)state;
	yes("?", "\xff");
	yes("a?b", "a\xc3"
		   "b");
	yes("\xff", "\xff");
	no("\xff", "\xfe");
	no("\xc3\xa9", "\xc3");
	yes("??", "\xc3\xc3");
}

static void test_text_with_a_nul(void **state)
{
	struct wildcard *w = make("a?b");

	(void)state;
	assert_true(wildcard_match(w, "a\0b", 3));
	assert_false(wildcard_match(w, "a\0b", 2));
	wildcard_free(w);
}

static void test_what_is_a_wildcard(void **state)
{
	(void)state;
	assert_false(wildcard_is(""));
	assert_false(wildcard_is("web-01]"));
	assert_true(wildcard_is("web*"));
	assert_true(wildcard_is("w?b"));
	assert_true(wildcard_is("[x"));
}

static void expect_bad(const char *pattern, int code, const char *text)
{
	struct wildcard *w = NULL;
	struct errmsg msg;

	assert_int_equal(wildcard_new(&w, pattern, &msg), code);
	assert_null(w);
	if (!strstr(msg.text, text))
		fail_msg("'%s' is not in: %s", text, msg.text);
	assert_int_equal(wildcard_new(&w, pattern, NULL), code);
}

static void test_malformed(void **state)
{
	(void)state;
	expect_bad("web[", ERR_SYNTAX,
		   "the pattern 'web[' is malformed: the bracket at byte 4 is never closed by a "
		   "']'; for the character '[' itself write [[]");
	expect_bad("[]", ERR_SYNTAX, "at byte 1 is never closed");
	expect_bad("[!]", ERR_SYNTAX, "at byte 1 is never closed");
	expect_bad("[a-z", ERR_SYNTAX, "never closed");
	expect_bad("[a-", ERR_SYNTAX, "never closed");
	expect_bad("[!", ERR_SYNTAX, "never closed");
	expect_bad("[a][z-a]", ERR_SYNTAX, "at byte 4 has a range that ends before it begins");
	expect_bad("\x1b[31m[", ERR_SYNTAX, "'\\x1b[31m['");
}

static void test_length(void **state)
{
	char pattern[WILDCARD_MAX + 2], text[WILDCARD_MAX + 1];

	(void)state;
	memset(pattern, '?', sizeof pattern);
	memset(text, 'x', sizeof text);
	pattern[WILDCARD_MAX + 1] = '\0';
	expect_bad(pattern, ERR_LIMIT, "has 513 bytes: it may have 512 at most");
	pattern[WILDCARD_MAX] = '\0';
	text[WILDCARD_MAX] = '\0';
	yes(pattern, text);
	no(pattern, text + 1);
	for (size_t n = 60; n < 70; n++) {
		pattern[n] = '\0';
		yes(pattern, text + WILDCARD_MAX - n);
		no(pattern, text + WILDCARD_MAX - n - 1);
		pattern[n] = '?';
	}
}

/* A matcher that goes back would not end before the test's limit. */
static void test_hostile_patterns(void **state)
{
	enum { LONG = 1 << 20 };
	char pattern[WILDCARD_MAX + 1], *text = xmalloc(LONG);
	struct wildcard *w;

	(void)state;
	memset(text, 'a', LONG);
	for (size_t i = 0; i < WILDCARD_MAX; i++)
		pattern[i] = i % 2 ? '*' : 'a';
	pattern[WILDCARD_MAX - 1] = 'b';
	pattern[WILDCARD_MAX] = '\0';
	w = make(pattern);
	assert_false(wildcard_match(w, text, LONG));
	text[LONG - 1] = 'B';
	assert_true(wildcard_match(w, text, LONG));
	wildcard_free(w);
	/* As many characters that differ as there can be. */
	for (size_t i = 0; i < WILDCARD_MAX; i++)
		pattern[i] = (char)(i % 127 + 1);
	for (char *p = pattern; (p = strchr(p, '[')) != NULL;)
		*p = '{';
	wildcard_free(make(pattern));
	free(text);
}

/* The plainest matcher that can be: every way is tried. */
static bool reference(const char *pattern, const char *text)
{
	if (*pattern == '*')
		return reference(pattern + 1, text) || (*text && reference(pattern, text + 1));
	if (!*pattern)
		return !*text;
	return *text && (*pattern == '?' || *pattern == *text) && reference(pattern + 1, text + 1);
}

/* Every pattern of up to 5 of "ab*?" on every text of up to 5 of "ab". */
static void test_against_a_reference(void **state)
{
	(void)state;
	for (unsigned p = 0; p < 5 * 5 * 5 * 5 * 5; p++) {
		char pattern[6] = "";
		struct wildcard *w;

		for (unsigned i = 0, rest = p; i < 5; i++, rest /= 5)
			if (rest % 5)
				strncat(pattern, &"ab*?"[rest % 5 - 1], 1);
		w = make(pattern);
		for (unsigned t = 0; t < 3 * 3 * 3 * 3 * 3; t++) {
			char text[6] = "";

			for (unsigned i = 0, rest = t; i < 5; i++, rest /= 3)
				if (rest % 3)
					strncat(text, &"ab"[rest % 3 - 1], 1);
			if (wildcard_match(w, text, strlen(text)) != reference(pattern, text))
				fail_msg("'%s' on '%s'", pattern, text);
		}
		wildcard_free(w);
	}
}

static bool numbered(const char *pattern)
{
	struct wildcard *w = make(pattern);
	bool match = wildcard_match_numbered(w, "Job");

	wildcard_free(w);
	return match;
}

static void test_numbered_names(void **state)
{
	(void)state;
	assert_true(numbered("*"));
	assert_true(numbered("job*"));
	assert_true(numbered("JOB?"));
	assert_true(numbered("job[!a-z]"));
	assert_true(numbered("*7"));
	assert_true(numbered("?ob12*"));
	assert_true(numbered("job????????????????????"));
	assert_false(numbered("job?????????????????????"));
	assert_false(numbered("web*"));
	assert_false(numbered("*disk*"));
	assert_false(numbered("job[a-z]*"));
	assert_false(numbered("job"));
	assert_false(numbered("jo?"));
	assert_false(numbered(""));
}

static void test_free_of_nothing(void **state)
{
	(void)state;
	wildcard_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_literal_text),
		cmocka_unit_test(test_stars),
		cmocka_unit_test(test_one_character),
		cmocka_unit_test(test_sets),
		cmocka_unit_test(test_characters_beyond_ascii),
		cmocka_unit_test(test_bytes_that_are_no_text),
		cmocka_unit_test(test_text_with_a_nul),
		cmocka_unit_test(test_what_is_a_wildcard),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_hostile_patterns),
		cmocka_unit_test(test_against_a_reference),
		cmocka_unit_test(test_numbered_names),
		cmocka_unit_test(test_free_of_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
