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
	expect("web[1-12,01-03]", "web[1-9,01-03,10-12]");
	/* Where 01 is, 99 counts as padded; both texts mean the same. */
	expect("web[01,98-101]", "web[01,98-99,100-101]");
}

static void test_digits_elsewhere(void **state)
{
	(void)state;
	expect("n[1-3]x", "n[1-3]x");
	expect("n-00[1-3]0", "n-[0010,0020,0030]");
	expect("r1n[1-2],r2n[1-2]", "r[1-2]n[1-2]");
	expect("r1n1,r1,r2,r2n1", "r[1-2],r[1-2]n1");
	expect("r1n1,r2n3,r3n[1-2]", "r3n[1-2],r1n1,r2n3");
	expect("r[1-3]n[1-4]p[5-6]!r2n2p5", "r[1,3]n[1-4]p[5-6],r2n[1,3-4]p[5-6],r2n2p6");
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
	expect("web10x,web9x1y,db,web2", "db,web2,web10x,web9x1y");
	expect("b[1-2],a5,a7c", "a5,a7c,b[1-2]");
	expect("a1,a,b,aa1,a10,a2", "a,a[1-2,10],aa1,b");
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

static void expect_how(const char *expr, const struct fold_how *how, const char *want)
{
	struct hostlist *list = parse(expr);
	size_t n = hostlist_count(list);
	const char **names = xcalloc(n, sizeof *names);
	struct buf out = {0};
	struct fold *fold;

	for (size_t i = 0; i < n; i++)
		names[i] = hostlist_at(list, i)->label;
	fold = fold_new(names, n);
	fold_print(fold, how, &out);
	assert_string_equal(buf_cstr(&out), want);
	buf_done(&out);
	fold_free(fold);
	free(names);
	hostlist_free(list);
}

static void test_steps(void **state)
{
	static const struct fold_how three = {.autostep = 3}, five = {.autostep = 5};

	(void)state;
	expect_how("a[1,3,5]", &three, "a[1-5/2]");
	expect_how("a[1,3,5]", &five, "a[1,3,5]");
	expect_how("a[1,2,4,6,8]", &three, "a[1-2,4-8/2]");
	expect_how("a[1,4,7,8,10,12,14]", &three, "a[1-7/3,8,10-14/2]");
	expect_how("a[1,3,5,7,10,13,16,19,22]", &five, "a[1,3,5,7-22/3]");
	expect_how("a[01-05/2,1-5/2]b", &three, "a[1-5/2,01-05/2]b");
}

static void test_axes(void **state)
{
	static const long first[] = {1}, last[] = {-1}, none[] = {9};

	(void)state;
	expect_how("r[1-2]n[1-2]", &(struct fold_how){.axes = first, .axis_count = 1},
		   "r[1-2]n1,r[1-2]n2");
	expect_how("r[1-2]n[1-2]", &(struct fold_how){.axes = last, .axis_count = 1},
		   "r1n[1-2],r2n[1-2]");
	expect_how("r[1-2]n[1-2]", &(struct fold_how){.axes = none, .axis_count = 1},
		   "r1n1,r2n1,r1n2,r2n2");
}

static void add_part(void *arg, struct buf *text, size_t n)
{
	struct buf *out = arg;

	for (size_t i = 0; i < text->len; i++)
		buf_add_char(out, text->data[i] ? (char)text->data[i] : ' ');
	buf_addf(out, "(%zu);", n);
}

static void test_expand_and_contiguous(void **state)
{
	static const char *const names[] = {"a10", "a2", "a1", "b", "a02", "r1n2", "r1n1", "r3n1"};
	struct fold *fold = fold_new(names, 8);
	struct buf out = {0};

	(void)state;
	assert_int_equal(fold_count(fold), 8);
	fold_expand(fold, &out);
	for (size_t i = 0; i < out.len; i++)
		if (!out.data[i])
			out.data[i] = ' ';
	assert_string_equal(buf_cstr(&out), "a1 a2 a02 a10 b r1n1 r1n2 r3n1 ");
	buf_clear(&out);
	fold_contiguous(fold, add_part, &out);
	assert_string_equal(buf_cstr(&out),
			    "a1 a2 (2);a02 (1);a10 (1);b (1);r1n1 r1n2 (2);r3n1 (1);");
	buf_done(&out);
	fold_free(fold);
}

static bool is_sorted(const char *const *names)
{
	size_t n = 0;

	while (names[n])
		n++;
	return fold_is_sorted(names, n);
}

#define SORTED(...) is_sorted((const char *const[]){__VA_ARGS__, NULL})

/* What is told without folding, and what must not be taken for it. */
static void test_sorted(void **state)
{
	char longest[256], longer[257];

	(void)state;
	assert_true(fold_is_sorted(NULL, 0));
	assert_true(SORTED("r2n1"));
	assert_true(SORTED("web1", "web2", "web9", "web01", "web10"));
	assert_true(SORTED("u1@web1.x:22", "u1@web2.x:22"));
	assert_true(SORTED("1", "2"));
	assert_true(SORTED("web999999999999", "web1000000000000"));
	assert_false(SORTED("web2", "web1"));
	assert_false(SORTED("web1", "web1"));
	assert_false(SORTED("web10", "web01"));
	assert_false(SORTED("web1", "web2", "db1"));
	assert_false(SORTED("web1", "web2x"));
	assert_false(SORTED("web1x", "web2"));
	assert_false(SORTED("web1", "web"));
	assert_false(SORTED("web", "web1"));
	assert_false(SORTED("a", "b"));
	assert_false(SORTED("web1:22", "web2:23"));
	assert_false(SORTED("r1n1", "r1n2"));
	assert_false(SORTED("web1", "web1n2"));
	assert_false(SORTED("::1", "::2"));
	assert_false(SORTED("web1", "web2000000000000"));
	/* In a name that is too long for a host no number is folded. */
	memset(longest, 'a', sizeof longest);
	longest[254] = '9';
	longest[255] = '\0';
	memcpy(longer, longest, 254);
	memcpy(longer + 254, "10", 3);
	assert_false(SORTED(longest, longer));
}

/* Whenever it says so, expanding gives just these names. */
static void test_sorted_is_true(void **state)
{
	uint64_t seed = 11;
	unsigned found = 0;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct buf text = {0}, out = {0};
		const char *names[3];
		size_t at[3], n = 1 + rnd(&seed, 3);

		for (size_t i = 0; i < n; i++) {
			at[i] = text.len;
			buf_addf(&text, "%s%u%s", rnd(&seed, 9) ? "w" : "",
				 rnd(&seed, 2) ? rnd(&seed, 4) : rnd(&seed, 120),
				 rnd(&seed, 9) ? "" : "x");
			buf_add_char(&text, '\0');
		}
		for (size_t i = 0; i < n; i++)
			names[i] = (const char *)text.data + at[i];
		if (fold_is_sorted(names, n)) {
			struct fold *fold = fold_new(names, n);

			found += n > 1;
			fold_expand(fold, &out);
			assert_int_equal(out.len, text.len);
			assert_memory_equal(out.data, text.data, out.len);
			fold_free(fold);
		}
		buf_done(&text);
		buf_done(&out);
	}
	assert_true(found > 1000);
}

/* Rows that hardly meet: bounded, and still the same set. */
static void test_many_rows(void **state)
{
	struct buf expr = {0};
	struct hostlist *list, *again;
	uint64_t seed = 7;
	char *text;

	(void)state;
	for (int i = 0; i < 20000; i++)
		buf_addf(&expr, "r%un%up%u,", rnd(&seed, 300), rnd(&seed, 300), rnd(&seed, 300));
	expr.len--;
	list = parse(buf_cstr(&expr));
	text = fold_list(list);
	again = parse(text);
	check_same_set(list, again, "r..n..p..");
	free(text);
	hostlist_free(again);
	hostlist_free(list);
	buf_done(&expr);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_none_and_one),
		cmocka_unit_test(test_sorted),
		cmocka_unit_test(test_sorted_is_true),
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
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_axes),
		cmocka_unit_test(test_expand_and_contiguous),
		cmocka_unit_test(test_many_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
