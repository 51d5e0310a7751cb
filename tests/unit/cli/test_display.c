/* What people see of a command and of its hosts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "job_rows.h"
#include "submit_job.h"

static void shows(const char *expected, const char *const *argv, size_t argc)
{
	char *text = submit_display(argv, argc, false);

	assert_string_equal(text, expected);
	free(text);
}
#define SHOWS(expected, ...)                               \
	do {                                               \
		const char *const words[] = {__VA_ARGS__}; \
		shows(expected, words, ARRAY_LEN(words));  \
	} while (0)

static void test_plain_words(void **state)
{
	(void)state;
	SHOWS("uptime", "uptime");
	SHOWS("cp -a /etc/x y.z", "cp", "-a", "/etc/x", "y.z");
	SHOWS("dd if=/dev/zero bs=1M count=1,5%", "dd", "if=/dev/zero", "bs=1M", "count=1,5%");
	SHOWS("grep \xc3\xbc f", "grep", "\xc3\xbc", "f");
}

static void test_words_in_quotes(void **state)
{
	(void)state;
	SHOWS("sh -c 'echo hello; exit 3'", "sh", "-c", "echo hello; exit 3");
	SHOWS("echo ''", "echo", "");
	SHOWS("echo '$HOME' '*' '~' '{a,b}' '|'", "echo", "$HOME", "*", "~", "{a,b}", "|");
	SHOWS("echo 'it'\\''s' ''\\'''", "echo", "it's", "'");
	SHOWS("echo 'a\nb'", "echo", "a\nb");
	SHOWS("'A=b' c=d", "A=b", "c=d");
}

static void test_a_script_text(void **state)
{
	const char *const argv[] = {"df -P / | tail -1"};
	char *text = submit_display(argv, 1, true);

	(void)state;
	assert_string_equal(text, argv[0]);
	free(text);
}

static void folds(const char *location, size_t max, const char *expected)
{
	char *text = job_rows_fold(location, max);

	assert_string_equal(text, expected);
	free(text);
}

static void test_folding(void **state)
{
	(void)state;
	folds("web1,web2,web3,db1", 0, "db1,web[1-3]");
	folds("localhost", 0, "localhost");
	folds("", 0, "");
	folds("web01,web02,root@db1", 0, "root@db1,web[01-02]");
}

/* On a terminal a column has its width. */
static void test_folded_and_cut(void **state)
{
	(void)state;
	folds("alpha,beta,gamma", 16, "alpha,beta,gamma");
	folds("alpha,beta,gamma", 15, "alpha,beta,g...");
	folds("alpha,beta,gamma", 4, "a...");
	/* Between characters. */
	folds("\xc3\xbc\xc3\xbc\xc3\xbc", 5, "\xc3\xbc...");
	folds("a\xc3\xbc\xc3\xbc", 5, "a\xc3\xbc\xc3\xbc");
	folds("a\xc3\xbc\xc3\xbc\xc3\xbc", 5, "a...");
}

/* The daemon has cut the list: its last name means nothing. */
static void test_a_list_that_was_cut(void **state)
{
	(void)state;
	folds("web1,web2,we...", 0, "web[1-2],...");
	folds("web1...", 0, "...");
	folds("...", 0, "...");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_words),    cmocka_unit_test(test_words_in_quotes),
		cmocka_unit_test(test_a_script_text),  cmocka_unit_test(test_folding),
		cmocka_unit_test(test_folded_and_cut), cmocka_unit_test(test_a_list_that_was_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
