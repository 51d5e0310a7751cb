#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "verdict.h"

/* Stands in for fold_names: shows what it was given, and in which order. */
static char *join(const char *const *names, size_t n)
{
	struct buf b = {0};

	for (size_t i = 0; i < n; i++)
		buf_addf(&b, "%s%s", i ? "+" : "", names[i]);
	return buf_take_str(&b);
}

static void expect(const struct verdict_item *items, size_t count, size_t total, const char *want)
{
	struct buf out = {0};

	verdict_line(&out, items, count, total, join);
	assert_string_equal(buf_cstr(&out), want);
	buf_done(&out);
}

static void nobody_failed(void **state)
{
	(void)state;
	expect(NULL, 0, 200, "");
}

static void hosts_are_grouped_by_reason(void **state)
{
	static const struct verdict_item items[] = {
		{"db1", "unreachable: connection refused"},
		{"web12", "exited 2"},
		{"web07", "exited 2"},
	};

	(void)state;
	expect(items, 3, 200,
	       "3/200 failed: web12+web07 (exited 2), db1 (unreachable: connection refused)");
	expect(items, 1, 1, "1/1 failed: db1 (unreachable: connection refused)");
}

static void equal_groups_in_order_of_first_mention(void **state)
{
	static const struct verdict_item items[] = {
		{"h1", "z"}, {"h2", "a"}, {"h3", "m"}, {"h4", "a"}, {"h5", "z"}, {"h6", "b"},
	};

	(void)state;
	expect(items, 6, 6, "6/6 failed: h1+h5 (z), h2+h4 (a), h3 (m), h6 (b)");
}

static void what_a_host_says_is_harmless(void **state)
{
	static const struct verdict_item items[] = {{"h\033[1m", "said \033[2J\n\xff"}};

	(void)state;
	expect(items, 1, 1, "1/1 failed: h\\x1b[1m (said \\x1b[2J\\x0a\\xff)");
}

static char *count_names(const char *const *names, size_t n)
{
	(void)names;
	return xasprintf("<%zu>", n);
}

/* As many as a run may have, in few groups and in as many groups as there are hosts. */
static void many_hosts(void **state)
{
	enum { HOSTS = 200000 };
	struct verdict_item *items = calloc(HOSTS, sizeof *items);
	char(*why)[16] = calloc(HOSTS, sizeof *why);
	struct buf out = {0};

	(void)state;
	assert_non_null(items);
	assert_non_null(why);
	for (size_t i = 0; i < HOSTS; i++)
		items[i] = (struct verdict_item){"h", i % 4 ? "exited 1" : "timeout"};
	verdict_line(&out, items, HOSTS, HOSTS, count_names);
	assert_string_equal(buf_cstr(&out),
			    "200000/200000 failed: <150000> (exited 1), <50000> (timeout)");
	buf_clear(&out);
	for (size_t i = 0; i < HOSTS; i++) {
		(void)snprintf(why[i], sizeof why[i], "%zu", HOSTS - i);
		items[i].why = why[i];
	}
	verdict_line(&out, items, HOSTS, HOSTS, count_names);
	assert_non_null(strstr(buf_cstr(&out), ": <1> (200000), <1> (199999), <1> (199998)"));
	buf_done(&out);
	free(why);
	free(items);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_failed),
		cmocka_unit_test(hosts_are_grouped_by_reason),
		cmocka_unit_test(equal_groups_in_order_of_first_mention),
		cmocka_unit_test(what_a_host_says_is_harmless),
		cmocka_unit_test(many_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
