#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "pattern.h"

static const struct {
	const char *text, *pattern;
	bool fold, match;
} match_rows[] = {
	{"web1", "web1", false, true},
	{"web1", "web", false, false},
	{"web", "web1", false, false},
	{"web1", "WEB1", false, false},
	{"web1", "WEB1", true, true},
	{"", "", false, true},
	{"", "*", false, true},
	{"", "?", false, false},
	{"web1", "*", false, true},
	{"web1", "we??", false, true},
	{"web1", "we???", false, false},
	{"web1", "*1", false, true},
	{"web12", "*1", false, false},
	{"a.b.c", "*.c", false, true},
	{"a.b.c", "a*b*c", false, true},
	{"abcabd", "*abd", false, true},
	{"abcabd", "a**d", false, true},
	{"abcabd", "*b?*d", false, true},
	{"abc", "*abcd", false, false},
	{"a*c", "a*c", false, true},
	{"[web]:22", "[web]*", false, true},
	{"w", "[w]", false, false},
};

static void test_match(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(match_rows); i++) {
		const char *pattern = match_rows[i].pattern;

		if (pattern_match(match_rows[i].text, pattern, strlen(pattern),
				  match_rows[i].fold) != match_rows[i].match)
			fail_msg("\"%s\" and \"%s\"", match_rows[i].text, pattern);
	}
}

static const struct {
	const char *text, *list;
	int result;
} list_rows[] = {
	{"a", "a", 1},
	{"a", "b,a", 1},
	{"a", "b,c", 0},
	{"a", "", 0},
	{"a", ",,a,", 1},
	{"a", "!a", -1},
	{"a", "*,!a", -1},
	{"a", "!a,*", -1},
	{"a", "!b,*", 1},
	{"a", "!b", 0},
	{"a", "!", 0},
	{"", "!,", 0},
	{"web3", "web?,!web4", 1},
};

static void test_list(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(list_rows); i++) {
		if (pattern_list_match(list_rows[i].text, list_rows[i].list, false) !=
		    list_rows[i].result)
			fail_msg("\"%s\" in \"%s\"", list_rows[i].text, list_rows[i].list);
	}
	assert_int_equal(pattern_list_match("Web", "wEB", true), 1);
}

static void test_literal(void **state)
{
	(void)state;
	assert_true(pattern_is_literal("web1"));
	assert_true(pattern_is_literal("we!b"));
	assert_false(pattern_is_literal("!web"));
	assert_false(pattern_is_literal("we*"));
	assert_false(pattern_is_literal("?"));
}

/* With backtracking to every star this would take longer than the sun shines. */
static void test_many_stars(void **state)
{
	char text[2001], pattern[2001];

	(void)state;
	memset(text, 'a', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	for (size_t i = 0; i < sizeof pattern - 1; i++)
		pattern[i] = i % 2 ? '*' : 'a';
	pattern[sizeof pattern - 1] = '\0';
	assert_true(pattern_match(text, pattern, strlen(pattern), false));
	pattern[sizeof pattern - 2] = 'b';
	assert_false(pattern_match(text, pattern, strlen(pattern), false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_literal),
		cmocka_unit_test(test_many_stars),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
