/* Folding: the text, and that expanding it gives the names back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "fold.h"
#include "hostlist.h"

static struct hostlist *parse(const char *expr)
{
	struct errmsg msg = {""};
	struct hostlist *list = NULL;

	if (hostlist_parse(&list, expr, NULL, &msg))
		fail_msg("'%s': %s", expr, msg.text);
	return list;
}

static char *fold_list(const struct hostlist *list)
{
	size_t n = hostlist_count(list);
	const char **names = xcalloc(n, sizeof *names);
	char *text;

	for (size_t i = 0; i < n; i++)
		names[i] = hostlist_at(list, i)->label;
	text = fold_names(names, n);
	free(names);
	return text;
}

/* Folds the hosts of expr. */
static void expect(const char *expr, const char *want)
{
	struct hostlist *list = parse(expr);
	char *got = fold_list(list);

	assert_string_equal(got, want);
	free(got);
	hostlist_free(list);
}

static void expect_same(const char *expr)
{
	expect(expr, expr);
}

static void test_none_and_one(void **state)
{
	static const char *const name[] = {"web1"};
	char *text = fold_names(NULL, 0);

	(void)state;
	assert_string_equal(text, "");
	free(text);
	text = fold_names(name, 1);
	assert_string_equal(text, "web1");
	free(text);
}

static void test_same_name_twice(void **state)
{
	static const char *const names[] = {"web1", "db", "web2", "web1", "db"};
	char *text = fold_names(names, 5);

	(void)state;
	assert_string_equal(text, "db,web[1-2]");
	free(text);
}

static void test_runs(void **state)
{
	(void)state;
	expect("web01,web02,web03,db1", "db1,web[01-03]");
	expect("web[1-3,5,7-9]", "web[1-3,5,7-9]");
	expect("web[1-5/2]", "web[1,3,5]");
	expect("web[8-12]", "web[8-12]");
	expect("web11,web2,web1", "web[1-2,11]");
	expect("web01.example.com,web02.example.com", "web[01-02].example.com");
	expect("10.0.0.[1-20],10.0.1.5", "10.0.0.[1-20],10.0.1.5");
	expect("[1-3]", "[1-3]");
}

static void test_padding(void **state)
{
	(void)state;
	expect_same("web[08-12]");
	expect_same("web[1,01,001]");
	expect("web[098-102]", "web[098-102]");
	/* [01-100] would mean the same here, and be an error to nodeset. */
	expect("web[01-100]", "web[01-99,100]");
	expect("web[1-12,01-03]", "web[1-12,01-03]");
}

static void test_digits_elsewhere(void **state)
{
	(void)state;
	expect("n[1-3]x", "n[1-3]x");
	expect("n-00[1-3]0", "n-[0010,0020,0030]");
	expect("r1n[1-2],r2n[1-2]", "r1n[1-2],r2n[1-2]");
	expect("web[1-3].lab2.example.com", "web[1-3].lab2.example.com");
	expect("r1n1,r2n1,r1n2", "r1n[1-2],r2n1");
	expect("web1,web1a,web2a", "web1,web[1-2]a");
}

static void test_user_and_port_are_left_alone(void **state)
{
	(void)state;
	expect("a:1,a:2", "a:1,a:2");
	expect("u1@a,u2@a", "u1@a,u2@a");
	expect("root@web[1-2]:2222", "root@web[1-2]:2222");
	expect("web1:22,web2:23", "web1:22,web2:23");
	expect("u1@web[1-2],u2@web[1-2]", "u1@web[1-2],u2@web[1-2]");
	expect("u@[1-2]:22", "u@[1-2]:22");
	expect("u@d1@web[1-2]", "u@d1@web[1-2]");
}

static void test_ipv6_is_left_alone(void **state)
{
	(void)state;
	expect("::1,::2", "::1,::2");
	expect("[::1]:21,[::1]:22", "[::1]:21,[::1]:22");
	expect("u@fe80::1%eth0,u@fe80::1%eth1", "u@fe80::1%eth0,u@fe80::1%eth1");
}

static void test_order(void **state)
{
	(void)state;
	expect("web10x,web9x1y,db,web2", "db,web2,web9x1y,web10x");
	expect("b[1-2],a5,a7c", "a5,a7c,b[1-2]");
}

static void test_huge_numbers(void **state)
{
	(void)state;
	expect_same("n[999999999999-1000000000000]");
	expect("n1000000000001,n1000000000002", "n1000000000001,n1000000000002");
	expect("n1x1000000000001,n2x1000000000001", "n[1-2]x1000000000001");
	expect("n00000000000000000000001,n00000000000000000000002",
	       "n[00000000000000000000001-00000000000000000000002]");
}

static void test_what_brackets_cannot_say(void **state)
{
	static const char *const names[] = {"a*1", "a*2", "", "x y1", "x y2"};
	char *text = fold_names(names, 5);

	(void)state;
	assert_string_equal(text, ",a*1,a*2,x y1,x y2");
	free(text);
}

/* A small generator of our own, so that a seed means the same everywhere. */
static uint32_t rnd(uint64_t *seed, uint32_t below)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*seed >> 33) % below;
}

static void add_number(struct buf *b, uint64_t *seed)
{
	uint32_t value = rnd(seed, rnd(seed, 2) ? 12 : 120);

	buf_addf(b, "%0*u", (int)rnd(seed, 4), value);
}

static void add_name(struct buf *b, uint64_t *seed)
{
	static const char *const forms[] = {"web#", "db-#",	"#", "r#n#",	"n#.example#.com",
					    "x#y",  "10.0.#.#", "w", "fe80::#", "2001:db8::#%eth#"};
	const char *form = forms[rnd(seed, (uint32_t)ARRAY_LEN(forms))];
	const int is_ipv6 = strchr(form, ':') != NULL;
	const uint32_t with = rnd(seed, 8), port = rnd(seed, 3) + 21;

	if (with & 1)
		buf_addf(b, "u%u@", rnd(seed, 2));
	if (is_ipv6 && with & 2)
		buf_add_char(b, '[');
	for (; *form; form++)
		if (*form == '#')
			add_number(b, seed);
		else
			buf_add_char(b, *form);
	if (is_ipv6 && with & 2)
		buf_add_char(b, ']');
	if (with & 2)
		buf_addf(b, ":%u", port);
}

static void check_same_set(const struct hostlist *a, const struct hostlist *b, const char *text)
{
	struct hostlist *rest = hostlist_new();

	hostlist_add_all(rest, a);
	hostlist_add_all(rest, b);
	if (hostlist_count(a) != hostlist_count(b) || hostlist_count(rest) != hostlist_count(a))
		fail_msg("%zu hosts became %zu by '%s'", hostlist_count(a), hostlist_count(b),
			 text);
	hostlist_free(rest);
}

static void test_expanding_gives_the_names_back(void **state)
{
	(void)state;
	for (uint64_t round = 1; round <= 400; round++) {
		uint64_t seed = round;
		struct buf expr = {0};
		struct hostlist *list, *again;
		uint32_t n = 1 + rnd(&seed, 300);
		char *text;

		for (uint32_t i = 0; i < n; i++) {
			if (i)
				buf_add_char(&expr, ',');
			add_name(&expr, &seed);
		}
		list = parse(buf_cstr(&expr));
		text = fold_list(list);
		again = parse(text);
		check_same_set(list, again, text);
		free(text);
		hostlist_free(again);
		hostlist_free(list);
		buf_done(&expr);
	}
}

/* The order of the names does not matter to the text. */
static void test_order_of_names_does_not_matter(void **state)
{
	struct hostlist *up = parse("a1,r[1-2]n[01-12],web[1-3,7].x,b");
	struct hostlist *down = parse("b,web[7,3,2,1].x,r2n[09-12,01-08],r1n[01-12],a1");
	char *a = fold_list(up), *b = fold_list(down);

	(void)state;
	assert_string_equal(a, b);
	free(a);
	free(b);
	hostlist_free(up);
	hostlist_free(down);
}

/* Anything quadratic would run into the time limit of the test. */
static void test_many(void **state)
{
	(void)state;
	expect_same("node[1-100000].example.com");
	expect_same("u@node[1-50000]:22");
}

/* Long names that are all numbers cost a bounded number of passes. */
static void test_many_numbers_in_names(void **state)
{
	struct hostlist *list = parse("[1-2]-[1-2]-[1-2]-[1-2]-[1-2]-[1-2]-[1-2]-[1-2]-[1-2]-[1-2]-"
				      "[1-2]-3-4-5-6-7-8-9-1-2-3-4-5-6-7-8-9-1-2-3-4-5-6-7-8-9");
	char *text = fold_list(list);
	struct hostlist *again = parse(text);

	(void)state;
	check_same_set(list, again, text);
	free(text);
	hostlist_free(again);
	hostlist_free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_none_and_one),
		cmocka_unit_test(test_same_name_twice),
		cmocka_unit_test(test_runs),
		cmocka_unit_test(test_padding),
		cmocka_unit_test(test_digits_elsewhere),
		cmocka_unit_test(test_user_and_port_are_left_alone),
		cmocka_unit_test(test_ipv6_is_left_alone),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_huge_numbers),
		cmocka_unit_test(test_what_brackets_cannot_say),
		cmocka_unit_test(test_expanding_gives_the_names_back),
		cmocka_unit_test(test_order_of_names_does_not_matter),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_many_numbers_in_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
