/* Groups, wildcards and past jobs in expressions: what is asked, how often, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "expr_expect.h"
#include "hostlist_private.h"

/* What the sources say; source NULL is the default one. */
static const struct answer {
	enum hostlist_ask ask;
	const char *source, *name, *text;
} answers[] = {
	{HOSTLIST_GROUP, NULL, "web", "web[1-3]"},
	{HOSTLIST_GROUP, NULL, "db", "db1\ndb2\n"},
	{HOSTLIST_GROUP, NULL, "both", "@web,@db!web2"},
	{HOSTLIST_GROUP, NULL, "rack1", "web1"},
	{HOSTLIST_GROUP, NULL, "rack2", "root@web2:22"},
	{HOSTLIST_GROUP, NULL, "empty", ""},
	{HOSTLIST_GROUP, NULL, "self", "a,@self"},
	{HOSTLIST_GROUP, NULL, "l1", "@l2"},
	{HOSTLIST_GROUP, NULL, "l2", "b @l3"},
	{HOSTLIST_GROUP, NULL, "l3", "@l1"},
	{HOSTLIST_GROUP, NULL, "bad", "web[3-1]"},
	{HOSTLIST_GROUP, NULL, "file", "^/etc/passwd"},
	{HOSTLIST_GROUP, NULL, "stdin", "-"},
	{HOSTLIST_GROUP, NULL, "huge", "n[1-1000000000]"},
	{HOSTLIST_GROUP, NULL, "half", "n[1-600000]"},
	{HOSTLIST_GROUP, NULL, "other-half", "m[1-600000]"},
	{HOSTLIST_GROUP, "cmdb", "web", "c[1-2]"},
	{HOSTLIST_GROUP, "cmdb", "all", "@web"}, /* of its own source */
	{HOSTLIST_GROUPS, NULL, NULL, "web\ndb\nrack1\n"},
	{HOSTLIST_GROUPS, "cmdb", NULL, "web,all"},
	{HOSTLIST_ALL, NULL, NULL, "web[1-3],db[1-2],ann@web10:22,::1"},
	{HOSTLIST_ALL, "cmdb", NULL, "c[1-9]"},
	{HOSTLIST_JOB, NULL, "12:rc=7", "root@web1:22\n[::1]:22\n"},
	{HOSTLIST_JOB, NULL, "last", ""},
};

static size_t asked;

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static int ask(void *ctx, enum hostlist_ask what, const char *source, const char *name,
	       struct buf *out, struct errmsg *msg)
{
	(void)ctx;
	asked++;
	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		const struct answer *a = &answers[i];

		if (a->ask != what || !same(a->source, source) || !same(a->name, name))
			continue;
		buf_add_str(out, a->text);
		return 0;
	}
	return err_set(msg, ERR_NOTFOUND, "there is no group '%s'", name ? name : "");
}

static const struct hostlist_env env = {.group = ask};

static void expect_groups(const char *expr, const char *want)
{
	struct errmsg msg = {""};
	struct hostlist *list = NULL;
	char *got;

	asked = 0;
	if (hostlist_parse(&list, expr, &env, &msg))
		fail_msg("'%s': %s", expr, msg.text);
	got = labels(list);
	assert_string_equal(got, want);
	free(got);
	hostlist_free(list);
}

static void expect_refused(const char *expr, int code, const char *place, const char *what)
{
	struct errmsg msg = {""};
	struct hostlist *list = NULL;
	int rc = hostlist_parse(&list, expr, &env, &msg);

	if (rc != code || !strstr(msg.text, place) || !strstr(msg.text, what))
		fail_msg("'%s' gave %s: '%s', which should be %s with '%s' and '%s'", expr,
			 err_name(rc), msg.text, err_name(code), place, what);
}

static void test_groups(void **state)
{
	(void)state;
	expect_groups("@web", "web1 web2 web3 ");
	expect_groups("@db,a", "db1 db2 a ");
	expect_groups("@both", "web1 web3 db1 db2 ");
	expect_groups("@web!@rack1", "web2 web3 ");
	expect_groups("@rack[1-2]", "web1 root@web2:22 ");
	expect_groups("@web&@rack[1-2]^x", "web1 x ");
	expect_groups("@empty,b", "b ");
	expect_groups("@cmdb:web", "c1 c2 ");
	expect_groups("@cmdb:all", "c1 c2 ");
	expect_groups("@:web", "web1 web2 web3 ");
	expect_groups("@@", "web db rack1 ");
	expect_groups("@@cmdb", "web all ");
	expect_groups("@*", "web1 web2 web3 db1 db2 ann@web10:22 ::1 ");
	expect_groups("@cmdb:*!c[2-9]", "c1 ");
}

static void test_each_is_asked_for_once(void **state)
{
	(void)state;
	expect_groups("@web,@web!@db,@both", "web1 web2 web3 db1 db2 ");
	assert_int_equal(asked, 3);
	expect_groups("web*,db*,*", "web1 web2 web3 ann@web10:22 db1 db2 ::1 ");
	assert_int_equal(asked, 1);
}

static void test_wildcards(void **state)
{
	(void)state;
	expect_groups("web?", "web1 web2 web3 ");
	expect_groups("*1", "web1 db1 ::1 ");
	expect_groups("*b[2-3]", "web2 db2 web3 ");
	expect_groups("w*b*", "web1 web2 web3 ann@web10:22 ");
	expect_groups("nosuch*", "");
	expect_groups("root@web?:23", "root@web1:23 root@web2:23 root@web3:23 ");
	expect_groups("bob@web??", "bob@web10:22 ");
	assert_true(wild_fits("a*b*c", 5, "aXbXbYc"));
	assert_false(wild_fits("a*b*c", 5, "aXbXbY"));
	assert_true(wild_fits("?", 1, "\303\274"));
	assert_true(wild_fits("**", 2, ""));
	assert_false(wild_fits("", 0, "a"));
}

static void test_jobs(void **state)
{
	(void)state;
	expect_groups("@job:12:rc=7", "root@web1:22 [::1]:22 ");
	expect_groups("@web!@job:12:rc=7", "web1 web2 web3 ");
	expect_groups("@job:12:rc=7&@web", "root@web1:22 ");
	expect_groups("@job:last", "");
	expect_refused("a,@job:13", ERR_NOTFOUND, "position 3", "no group '13'");
	expect_refused("@job:", ERR_SYNTAX, "position 6", "must follow");
}

static void test_loops(void **state)
{
	(void)state;
	expect_refused("@self", ERR_SYNTAX, "group '@self'", "@self -> @self");
	expect_refused("x,@l1", ERR_SYNTAX, "group '@l3'", "@l1 -> @l2 -> @l3 -> @l1");
}

static void test_refused(void **state)
{
	(void)state;
	expect_refused("a,@nosuch", ERR_NOTFOUND, "position 3", "no group 'nosuch'");
	expect_refused("@rack[1-3]", ERR_NOTFOUND, "position 1", "no group 'rack3'");
	expect_refused("@bad", ERR_RANGE, "group '@bad', which is 'web[3-1]', position 5",
		       "downwards");
	expect_refused("@file", ERR_SYNTAX, "group '@file'", "cannot name files");
	expect_refused("@stdin", ERR_SYNTAX, "group '@stdin'", "cannot name files");
	expect_refused("@huge", ERR_LIMIT, "group '@huge'", "more than 1000000 hosts");
	expect_refused("@half,@other-half", ERR_LIMIT, "position 7", "more than 1000000 hosts");
	expect_refused("@", ERR_SYNTAX, "position 2", "name of a group must follow");
	expect_refused("@web*", ERR_SYNTAX, "position 5", "cannot be in the name of a group");
	expect_refused("@{a}", ERR_SYNTAX, "position 2", "cannot be in the name");
	expect_refused("@a]", ERR_SYNTAX, "position 3", "closes nothing");
	expect_refused("@a[1-2", ERR_SYNTAX, "position 3", "not closed");
	expect_refused("@a[1-2000000]", ERR_LIMIT, "position 4", "1000000");
}

/* A chain of groups, each in the next. */
static int ask_deeper(void *ctx, enum hostlist_ask what, const char *source, const char *name,
		      struct buf *out, struct errmsg *msg)
{
	(void)ctx, (void)what, (void)source, (void)msg;
	buf_addf(out, "@x%s", name);
	return 0;
}

/* Two of the level below, each: 2^n without the memory of what was asked. */
static int ask_twice(void *ctx, enum hostlist_ask what, const char *source, const char *name,
		     struct buf *out, struct errmsg *msg)
{
	(void)ctx, (void)what, (void)source, (void)msg;
	if (strlen(name) < 30)
		buf_addf(out, "@x%s,@x%s,h%zu", name, name, strlen(name));
	return 0;
}

static void test_depth_and_work(void **state)
{
	const struct hostlist_env deeper = {.group = ask_deeper}, twice = {.group = ask_twice};
	struct errmsg msg = {""};
	struct hostlist *list = NULL;

	(void)state;
	assert_int_equal(hostlist_parse(&list, "@x", &deeper, &msg), ERR_LIMIT);
	assert_non_null(strstr(msg.text, "nested more than 32 deep"));
	assert_int_equal(hostlist_parse(&list, "@x", &twice, &msg), 0);
	assert_int_equal(hostlist_count(list), 29);
	hostlist_free(list);
	assert_int_equal(hostlist_parse(&list, "@x[1-999999]", &twice, &msg), ERR_LIMIT);
	assert_non_null(strstr(msg.text, "too much work"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_each_is_asked_for_once),
		cmocka_unit_test(test_wildcards),
		cmocka_unit_test(test_jobs),
		cmocka_unit_test(test_loops),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_depth_and_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
