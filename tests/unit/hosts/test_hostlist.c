/* The list itself: copies, removal, big lists; and which names are allowed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostlist.h"
#include "hostlist_private.h"

static struct hostlist *parse(const char *expr)
{
	struct errmsg msg = {""};
	struct hostlist *list = NULL;

	if (hostlist_parse(&list, expr, NULL, &msg))
		fail_msg("'%s': %s", expr, msg.text);
	return list;
}

/* Checks the labels, each followed by a space, and frees the list. */
static void expect(struct hostlist *list, const char *want)
{
	struct buf b = {0};

	for (size_t i = 0; i < hostlist_count(list); i++)
		buf_addf(&b, "%s ", hostlist_at(list, i)->label);
	assert_string_equal(buf_cstr(&b), want);
	buf_done(&b);
	hostlist_free(list);
}

static void test_new_is_empty(void **state)
{
	struct hostlist *list = hostlist_new();

	(void)state;
	assert_int_equal(hostlist_count(list), 0);
	hostlist_free(list);
	hostlist_free(NULL);
}

static void test_add_all_copies(void **state)
{
	struct hostlist *list = parse("a,b"), *other = parse("u@[::1]:22,b,[::2],u@c");

	(void)state;
	hostlist_add_all(list, other);
	assert_int_equal(hostlist_count(other), 4);
	hostlist_free(other);
	assert_string_equal(hostlist_at(list, 2)->name, "::1");
	assert_string_equal(hostlist_at(list, 2)->user, "u");
	assert_int_equal(hostlist_at(list, 2)->port, 22);
	expect(list, "a b u@[::1]:22 [::2] u@c ");
}

static void test_add_all_to_empty_and_from_empty(void **state)
{
	struct hostlist *list = hostlist_new(), *empty = hostlist_new(), *other = parse("a");

	(void)state;
	hostlist_add_all(list, other);
	hostlist_add_all(list, empty);
	hostlist_add_all(list, list);
	hostlist_free(empty);
	hostlist_free(other);
	expect(list, "a ");
}

static void test_remove_plain_name_removes_its_variants(void **state)
{
	struct hostlist *list = parse("a,root@a,a:22,root@a:22,b,root@ab"), *other = parse("a");

	(void)state;
	hostlist_remove_all(list, other);
	hostlist_free(other);
	expect(list, "b root@ab ");
}

static void test_remove_with_user_or_port_removes_just_that(void **state)
{
	struct hostlist *list = parse("a,root@a,a:22,root@a:22"), *other = parse("root@a,a:22");

	(void)state;
	hostlist_remove_all(list, other);
	hostlist_free(other);
	expect(list, "a root@a:22 ");
}

static void test_list_works_after_removal(void **state)
{
	struct hostlist *list = parse("h[1-100]"), *other = parse("h[3-100]"),
			*more = parse("h[2-4]");

	(void)state;
	hostlist_remove_all(list, other);
	hostlist_add_all(list, more);
	hostlist_free(other);
	hostlist_free(more);
	expect(list, "h1 h2 h3 h4 ");
}

static void test_remove_everything(void **state)
{
	struct hostlist *list = parse("a,b"), *more = parse("b");

	(void)state;
	hostlist_remove_all(list, list);
	assert_int_equal(hostlist_count(list), 0);
	hostlist_remove_all(list, more);
	hostlist_add_all(list, more);
	hostlist_free(more);
	expect(list, "b ");
}

static void test_move_keep_toggle(void **state)
{
	struct hostlist *list = parse("a,b"), *other = parse("b,c");

	(void)state;
	hostlist_move_all(list, other);
	assert_int_equal(hostlist_count(other), 0);
	hostlist_free(other);
	other = parse("c,a,d");
	hostlist_keep_all(list, other);
	assert_int_equal(hostlist_count(list), 2);
	hostlist_toggle_all(list, other);
	hostlist_free(other);
	expect(list, "d ");
}

/* Whether the names of an item are known to differ or are looked at one by one. */
static void test_names_that_meet(void **state)
{
	(void)state;
	expect(parse("a[1-2]b[1-2],a2b1,a3"), "a1b1 a1b2 a2b1 a2b2 a3 ");
	expect(parse("a[1-3,2-4]"), "a1 a2 a3 a4 ");
	expect(parse("a[1-2,01-02]"), "a1 a2 a01 a02 ");
	expect(parse("[1,11][1,11]"), "11 111 1111 ");
	expect(parse("a[1,11]1[1-2]"), "a111 a112 a1111 a1112 ");
	expect(parse("a[1-2]1[1-12/11]b"), "a111b a1112b a211b a2112b ");
	expect(parse("a[1-4]!a2!a[4-9]"), "a1 a3 ");
	expect(parse("a[1-4]&a[3-9]"), "a3 a4 ");
	expect(parse("a[1-3]^a[2-5]"), "a1 a4 a5 ");
}

/* Enough hosts that anything quadratic would run into the time limit of the test. */
static void test_many_hosts(void **state)
{
	struct hostlist *list = parse("node[1-200000].example.com");
	struct hostlist *odd = parse("node[1-200000/2].example.com");

	(void)state;
	assert_int_equal(hostlist_count(list), 200000);
	assert_string_equal(hostlist_at(list, 199999)->label, "node200000.example.com");
	hostlist_remove_all(list, odd);
	assert_int_equal(hostlist_count(list), 100000);
	assert_string_equal(hostlist_at(list, 99999)->label, "node200000.example.com");
	hostlist_add_all(list, odd);
	assert_int_equal(hostlist_count(list), 200000);
	hostlist_free(odd);
	hostlist_free(list);
}

/* Many users of one computer must not end in one slot. */
static void test_many_users_of_one_name(void **state)
{
	struct hostlist *list = hostlist_new(), *plain = parse("web1");
	char user[16];

	(void)state;
	for (int i = 0; i < 200000; i++) {
		int n = snprintf(user, sizeof user, "u%d", i);
		struct host_text host = {
			.user = user, .user_len = (size_t)n, .name = "web1", .name_len = 4};

		hostlist_put(list, &host);
		hostlist_put(list, &host);
	}
	assert_int_equal(hostlist_count(list), 200000);
	hostlist_remove_all(list, plain);
	assert_int_equal(hostlist_count(list), 0);
	hostlist_free(plain);
	hostlist_free(list);
}

static void test_name_ok(void **state)
{
	static const char *const good[] = {"a",		  "web-1",    "web_1.example.com.",
					   "192.0.2.1",	  "::1",      "fe80::1%eth0",
					   "b\303\274ro", "\316\261", "1"};
	static const char *const bad[] = {"",
					  "-a",
					  "a b",
					  "a/b",
					  "a\tb",
					  "a@b",
					  "[::1]",
					  "a\n",
					  "a\377",
					  "\303",
					  "a\302\240b",
					  "a\342\200\256b",
					  "a\357\273\277",
					  "$a",
					  "a\177",
					  "a\302\205"};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		if (!hostlist_name_ok(good[i]))
			fail_msg("'%s' was refused", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (hostlist_name_ok(bad[i]))
			fail_msg("'%s' was allowed", bad[i]);
}

static void test_name_length(void **state)
{
	char name[LIMIT_HOST_NAME + 2];

	(void)state;
	memset(name, 'a', sizeof name);
	name[LIMIT_HOST_NAME + 1] = '\0';
	assert_false(hostlist_name_ok(name));
	name[LIMIT_HOST_NAME] = '\0';
	assert_true(hostlist_name_ok(name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new_is_empty),
		cmocka_unit_test(test_add_all_copies),
		cmocka_unit_test(test_add_all_to_empty_and_from_empty),
		cmocka_unit_test(test_remove_plain_name_removes_its_variants),
		cmocka_unit_test(test_remove_with_user_or_port_removes_just_that),
		cmocka_unit_test(test_list_works_after_removal),
		cmocka_unit_test(test_remove_everything),
		cmocka_unit_test(test_move_keep_toggle),
		cmocka_unit_test(test_names_that_meet),
		cmocka_unit_test(test_many_hosts),
		cmocka_unit_test(test_many_users_of_one_name),
		cmocka_unit_test(test_name_ok),
		cmocka_unit_test(test_name_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
