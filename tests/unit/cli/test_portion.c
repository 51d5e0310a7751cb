/* --shard: what is a portion, and that portions are disjoint and all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "portion.h"

static struct hostlist *hosts(const char *expr)
{
	struct hostlist *list = NULL;

	assert_int_equal(hostlist_parse(&list, expr, NULL, NULL), 0);
	return list;
}

static void refused(const char *text, int code, const char *says)
{
	struct portion portion = {7, 9};
	struct errmsg msg = {""};
	int rc = portion_parse(&portion, text, &msg);

	if (rc != code || !strstr(msg.text, says) || !strstr(msg.text, "--shard: '"))
		fail_msg("'%s' gives %s: %s", text, err_name(rc), msg.text);
	assert_int_equal(portion.index, 7);
	assert_int_equal(portion_parse(&portion, text, NULL), code);
}

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		size_t index, of;
	} rows[] = {
		{"0/1", 0, 1}, {"0/8", 0, 8}, {"7/8", 7, 8}, {"999999/1000000", 999999, 1000000}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct portion portion;

		assert_int_equal(portion_parse(&portion, rows[i].text, NULL), 0);
		assert_int_equal(portion.index, rows[i].index);
		assert_int_equal(portion.of, rows[i].of);
	}
}

static void test_refused(void **state)
{
	static const char *const malformed[] = {"",	"3",	 "/",	  "/8",	   "3/",
						"a/8",	"3/b",	 "-1/8",  "1/-8",  " 1/8",
						"1 /8", "1/8/9", "1.5/8", "0x1/8", "1/8 "};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(malformed); i++)
		refused(malformed[i], ERR_SYNTAX, "is not I/N: which portion, counted from 0");
	refused("0/0", ERR_RANGE, "at least 1 portion");
	refused("8/8", ERR_RANGE, "portions of 8 count from 0 to 7");
	refused("1/1", ERR_RANGE, "portions of 1 count from 0 to 0");
	refused("0/1000001", ERR_RANGE, "a number above 1000000");
	refused("99999999999999999999999/4", ERR_RANGE, "a number above");
}

/* All portions of n hosts in of portions, put back together. */
static void rejoin(size_t n, size_t of)
{
	char *expr = xasprintf("h[1-%zu]", n);
	char *seen = xcalloc(n + 1, 1);
	struct errmsg text;

	for (size_t index = 0; index < of; index++) {
		struct portion portion = {index, of};
		struct hostlist *list = hosts(expr);
		size_t want = n / of + (index < n % of);

		assert_int_equal(portion_take(&portion, list, &text), want == 0);
		assert_int_equal(hostlist_count(list), want);
		for (size_t i = 0; i < want; i++) {
			size_t number = strtoul(hostlist_at(list, i)->name + 1, NULL, 10);

			assert_int_equal(number, 1 + index + i * of);
			assert_int_equal(seen[number], 0);
			seen[number] = 1;
		}
		hostlist_free(list);
	}
	assert_null(memchr(seen + 1, 0, n));
	free(seen);
	free(expr);
}

static void test_disjoint_and_all(void **state)
{
	(void)state;
	rejoin(1, 1);
	rejoin(10, 1);
	rejoin(10, 3);
	rejoin(10, 10);
	rejoin(3, 10);
	rejoin(10007, 64);
}

static void test_empty(void **state)
{
	struct portion portion = {3, 4};
	struct hostlist *list = hosts("a,b,c"), *none = hosts("");
	struct errmsg text = {""};

	(void)state;
	assert_true(portion_take(&portion, list, &text));
	assert_string_equal(text.text, "shard 3/4 of 3 hosts is empty: there is nothing to do");
	/* Nothing of nothing is no matter of the portion. */
	assert_false(portion_take(&portion, none, &text));
	hostlist_free(list);
	hostlist_free(none);
}

/* A list that was cut is still one: hosts are found, and not added twice. */
static void test_list_afterwards(void **state)
{
	struct portion portion = {1, 2};
	struct hostlist *list = hosts("root@a:1,[::1]:22,c,root@d:1"), *more = hosts("[::1]:22,c");
	struct errmsg text;

	(void)state;
	assert_false(portion_take(&portion, list, &text));
	hostlist_add_all(list, more);
	assert_int_equal(hostlist_count(list), 3);
	assert_string_equal(hostlist_at(list, 0)->label, "[::1]:22");
	assert_string_equal(hostlist_at(list, 1)->label, "root@d:1");
	assert_string_equal(hostlist_at(list, 2)->label, "c");
	hostlist_free(list);
	hostlist_free(more);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_disjoint_and_all),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_list_afterwards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
