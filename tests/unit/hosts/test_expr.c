/* Host expressions: what they expand to, and what is said about those that are wrong. */
#include "expr_expect.h"
#include "hostlist_private.h"

static void test_empty(void **state)
{
	(void)state;
	expect("", NULL, "");
	expect(" \t\r\n ", NULL, "");
	expect("a!a", NULL, "");
}

static void test_lists(void **state)
{
	(void)state;
	expect("web1", NULL, "web1 ");
	expect("b,a,b,c,a", NULL, "b a c ");
	expect("a b\tc\nd", NULL, "a b c d ");
	expect("  a ,  b  ", NULL, "a b ");
	expect("web-1,web_2,3.example.com.", NULL, "web-1 web_2 3.example.com. ");
	expect("b\303\274ro[1-2]", NULL, "b\303\274ro1 b\303\274ro2 ");
}

static void test_operators(void **state)
{
	(void)state;
	expect("a,b,c!b", NULL, "a c ");
	expect("a,b,c&c,d", NULL, "c d ");
	expect("a,b^b,c", NULL, "a c ");
	expect("a,b!b,b", NULL, "a b ");
	expect("a,b,c!a!c", NULL, "b ");
	expect("a,b,c!a&b^c", NULL, "b c ");
	expect("a ! a", NULL, "");
	expect("a b !b", NULL, "a ");
	expect("a ^ a", NULL, "");
	expect("a^ a,b", NULL, "b ");
	expect("a & a", NULL, "a ");
	expect("web[1-5]!web[2-3]", NULL, "web1 web4 web5 ");
	expect("a!nosuch", NULL, "a ");
}

static void test_operators_with_user_and_port(void **state)
{
	(void)state;
	expect("root@web[1-3]:22!web2", NULL, "root@web1:22 root@web3:22 ");
	expect("root@web[1-3]!root@web2", NULL, "root@web1 root@web3 ");
	expect("web[1-2]!root@web2", NULL, "web1 web2 ");
	expect("root@web1:22!web1:22", NULL, "root@web1:22 ");
	expect("root@web[1-3]&web[2-9]", NULL, "root@web2 root@web3 ");
	expect("root@web1^web1", NULL, "root@web1 web1 ");
}

static void test_ranges(void **state)
{
	(void)state;
	expect("web[1-3]", NULL, "web1 web2 web3 ");
	expect("web[3,1-2,1]", NULL, "web3 web1 web2 ");
	expect("web[1-9/4]", NULL, "web1 web5 web9 ");
	expect("web[1-10/4]", NULL, "web1 web5 web9 ");
	expect("web[1-2/1000000000000]", NULL, "web1 ");
	expect("web[ 1 , 2-3 ]", NULL, "web1 web2 web3 ");
	expect("[1-2]", NULL, "1 2 ");
	expect("[1-2]a,b", NULL, "1a 2a b ");
	expect("r[1-2]n[1-2].x", NULL, "r1n1.x r1n2.x r2n1.x r2n2.x ");
	expect("a[1-2][3-4]", NULL, "a13 a14 a23 a24 ");
	expect("a[1,11][1,11]", NULL, "a11 a111 a1111 ");
	expect("x[1000000000000]", NULL, "x1000000000000 ");
}

static void test_padding(void **state)
{
	(void)state;
	expect("web[01-03]", NULL, "web01 web02 web03 ");
	expect("web[08-11]", NULL, "web08 web09 web10 web11 ");
	expect("web[98-101]", NULL, "web98 web99 web100 web101 ");
	expect("web[098-100]", NULL, "web098 web099 web100 ");
	expect("web[01-100/33]", NULL, "web01 web34 web67 web100 ");
	expect("web[001-3]", NULL, "web001 web002 web003 ");
	expect("web[1,01,001]", NULL, "web1 web01 web001 ");
	expect("web[00-01]", NULL, "web00 web01 ");
	expect("web[0-1]", NULL, "web0 web1 ");
}

static void test_digits_beside_brackets(void **state)
{
	(void)state;
	expect("n-00[1-2]0", NULL, "n-0010 n-0020 ");
	expect("web1[0-2]", NULL, "web10 web11 web12 ");
	expect("x1[9-11]", NULL, "x19 x110 x111 ");
	expect("x[09-10]5", NULL, "x095 x105 ");
}

static void test_user_and_port(void **state)
{
	struct hostlist *list;
	const struct host *host;

	(void)state;
	expect("root@web[01-02]:2222", NULL, "root@web01:2222 root@web02:2222 ");
	expect("root@[1-2]:22", NULL, "root@1:22 root@2:22 ");
	expect("a@web1,b@web1,web1,web1:22", NULL, "a@web1 b@web1 web1 web1:22 ");
	expect("user@corp.example@web1", NULL, "user@corp.example@web1 ");
	expect("CORP\\ann@web1:65535", NULL, "CORP\\ann@web1:65535 ");
	assert_int_equal(hostlist_parse(&list, "root@web1:2222,web2", NULL, NULL), 0);
	host = hostlist_at(list, 0);
	assert_string_equal(host->name, "web1");
	assert_string_equal(host->user, "root");
	assert_int_equal(host->port, 2222);
	host = hostlist_at(list, 1);
	assert_string_equal(host->name, "web2");
	assert_null(host->user);
	assert_int_equal(host->port, 0);
	hostlist_free(list);
}

static void test_ipv6(void **state)
{
	struct hostlist *list;
	const struct host *host;

	(void)state;
	expect("2001:db8::1,::", NULL, "2001:db8::1 :: ");
	expect("fe80::1%eth0", NULL, "fe80::1%eth0 ");
	expect("[::1]:22,[::2]", NULL, "[::1]:22 [::2] ");
	expect("ann@::1,ann@[fe80::1%eth0.5]:22", NULL, "ann@::1 ann@[fe80::1%eth0.5]:22 ");
	expect("::ffff:192.0.2.1", NULL, "::ffff:192.0.2.1 ");
	/* One host, whichever way it is written. */
	expect("[::1],::1", NULL, "[::1] ");
	expect("::1,[::1]", NULL, "::1 ");
	expect("::1!::1,a", NULL, "a ");
	assert_int_equal(hostlist_parse(&list, "ann@[fe80::1%eth0]:22", NULL, NULL), 0);
	host = hostlist_at(list, 0);
	assert_string_equal(host->name, "fe80::1%eth0");
	assert_string_equal(host->user, "ann");
	assert_int_equal(host->port, 22);
	hostlist_free(list);
}

static void test_empty_items(void **state)
{
	(void)state;
	expect_error("a,,b", NULL, ERR_SYNTAX, "position 3", "between ',' and ','");
	expect_error("a, ,b", NULL, ERR_SYNTAX, "position 4", "between ',' and ','");
	expect_error("a,b,", NULL, ERR_SYNTAX, "position 4", "must follow ','");
	expect_error(",a", NULL, ERR_SYNTAX, "position 1", "must stand before ','");
	expect_error("!a", NULL, ERR_SYNTAX, "position 1", "must stand before '!'");
	expect_error("a!", NULL, ERR_SYNTAX, "position 2", "must follow '!'");
	expect_error("a&!b", NULL, ERR_SYNTAX, "position 3", "between '&' and '!'");
	expect_error("a ^", NULL, ERR_SYNTAX, "position 3", "must follow '^'");
}

static void test_bad_brackets(void **state)
{
	(void)state;
	expect_error("web[1-2", NULL, ERR_SYNTAX, "position 4", "not closed");
	expect_error("web1]", NULL, ERR_SYNTAX, "position 5", "closes nothing");
	expect_error("web[1[2]]", NULL, ERR_SYNTAX, "position 6", "within brackets");
	expect_error("web[]", NULL, ERR_SYNTAX, "position 5", "number is missing");
	expect_error("web[1,,2]", NULL, ERR_SYNTAX, "position 7", "number is missing");
	expect_error("web[1,]", NULL, ERR_SYNTAX, "position 7", "number is missing");
	expect_error("web[1-]", NULL, ERR_SYNTAX, "position 7", "number is missing");
	expect_error("web[1-2/]", NULL, ERR_SYNTAX, "position 9", "number is missing");
	expect_error("web[a-c]", NULL, ERR_SYNTAX, "position 5", "'a-c' is no number");
	expect_error("web[-3]", NULL, ERR_SYNTAX, "position 5", "'-3' is no number");
	expect_error("web[1-2 3]", NULL, ERR_SYNTAX, "position 9", "'3' is unexpected");
	expect_error("web[3/2]", NULL, ERR_SYNTAX, "position 6", "'/2' is unexpected");
	expect_error("web[5-3]", NULL, ERR_RANGE, "position 5", "write 3-5");
	expect_error("web[1,9-08]", NULL, ERR_RANGE, "position 7", "downwards");
	expect_error("web[1-9/0]", NULL, ERR_RANGE, "position 9", "step of 0");
	expect_error("web[1-010]", NULL, ERR_RANGE, "position 5", "as in 001-010");
	expect_error("web[01-010]", NULL, ERR_RANGE, "position 5", "as in 001-010");
	expect_error("web[1000000000001]", NULL, ERR_RANGE, "position 5", "too large");
	expect_error("web[1-99999999999999999999999]", NULL, ERR_RANGE, "position 7", "too large");
}

static void test_bad_names(void **state)
{
	(void)state;
	expect_error("a,-rf", NULL, ERR_SYNTAX, "position 3", "begins with '-'");
	expect_error("-a@web1", NULL, ERR_SYNTAX, "position 1", "begins with '-'");
	expect_error("root@", NULL, ERR_SYNTAX, "position 6", "name is missing");
	expect_error("a,:22", NULL, ERR_SYNTAX, "position 3", "name is missing");
	expect_error("root@:22", NULL, ERR_SYNTAX, "position 6", "name is missing");
	expect_error("web{1,2}", NULL, ERR_SYNTAX, "position 4", "as web[1-3] or web[1,3]");
	expect_error("web%", NULL, ERR_SYNTAX, "position 4", "no wildcard");
	expect_error("(a,b)", NULL, ERR_SYNTAX, "position 1", "left to right");
	expect_error("a/b", NULL, ERR_SYNTAX, "position 2", "'/' cannot be in a host name");
	expect_error("a;b", NULL, ERR_SYNTAX, "position 2", "';' cannot be");
	expect_error("a\033[1]", NULL, ERR_SYNTAX, "position 2", "'\\x1b' cannot be");
	expect_error("a\377", NULL, ERR_SYNTAX, "position 2", "'\\xff' cannot be");
	expect_error("a\342\200\256b", NULL, ERR_SYNTAX, "position 2", "cannot be");
}

static void test_bad_users_and_ports(void **state)
{
	(void)state;
	expect_error("ro;ot@web1", NULL, ERR_SYNTAX, "position 3", "cannot be in a user name");
	expect_error("user[1-2]@web1", NULL, ERR_SYNTAX, "position 5", "host names only");
	expect_error("web1:", NULL, ERR_RANGE, "position 6", "'' is no port");
	expect_error("web1:0", NULL, ERR_RANGE, "position 6", "from 1 to 65535");
	expect_error("web1:65536", NULL, ERR_RANGE, "position 6", "from 1 to 65535");
	expect_error("web1:18446744073709551638", NULL, ERR_RANGE, "position 6", "no port");
	expect_error("web1:022", NULL, ERR_RANGE, "position 6", "'022' is no port");
	expect_error("web1:ssh", NULL, ERR_RANGE, "position 6", "'ssh' is no port");
	expect_error("web1:[22-23]", NULL, ERR_RANGE, "position 6", "no port");
}

static void test_bad_ipv6(void **state)
{
	(void)state;
	expect_error("a:b:c", NULL, ERR_SYNTAX, "position 1", "'a:b:c' is no IPv6 address");
	expect_error("x,[::g]", NULL, ERR_SYNTAX, "position 4", "'::g' is no IPv6 address");
	expect_error("::[1-2]", NULL, ERR_SYNTAX, "position 1", "is no IPv6 address");
	expect_error("[::1]x", NULL, ERR_SYNTAX, "position 6", "may follow");
	expect_error("[::1]:", NULL, ERR_RANGE, "position 7", "no port");
	expect_error("[::1", NULL, ERR_SYNTAX, "position 1", "not closed");
	expect_error("fe80::1%", NULL, ERR_SYNTAX, "position 1", "is no IPv6 address");
	expect_error("fe80::1%a%b", NULL, ERR_SYNTAX, "position 1", "is no IPv6 address");
	expect_error("[fe80::1%a/b]", NULL, ERR_SYNTAX, "position 2", "is no IPv6 address");
}

static void test_groups_need_a_source(void **state)
{
	(void)state;
	expect_error("@web", NULL, ERR_SYNTAX, "position 1", "cannot be named here");
	expect_error("a!@db:x", NULL, ERR_SYNTAX, "position 3", "cannot be named here");
	expect_error("root@@web", NULL, ERR_SYNTAX, "position 6", "begins an item");
	expect_error("web1,@*", NULL, ERR_SYNTAX, "position 6", "cannot be named here");
	expect_error("a,web*", NULL, ERR_SYNTAX, "position 3", "choose from groups");
	expect_error("web?", NULL, ERR_SYNTAX, "position 1", "choose from groups");
}

static void test_messages_show_the_expression(void **state)
{
	struct buf expr = {0};

	(void)state;
	expect_error("web[5-3]", NULL, ERR_RANGE, "host expression 'web[5-3]'", "");
	for (int i = 0; i < 1000; i++)
		buf_addf(&expr, "host%d,", i);
	buf_add_str(&expr, "a/b,end");
	expect_error(buf_cstr(&expr), NULL, ERR_SYNTAX, "host998,host999,a/b,end'", "'...");
	buf_done(&expr);
}

static void test_counts_are_capped_before_expansion(void **state)
{
	(void)state;
	expect_error("web[1-999999999]", NULL, ERR_LIMIT, "position 5", "more than 1000000");
	expect_error("web[0-1000000000000]", NULL, ERR_LIMIT, "position 5", "more than 1000000");
	expect_error("a,web[1-1000][1-1000][1-1000]", NULL, ERR_LIMIT, "position 3", "1000000");
	expect_error("w[1-1000000]x[1-1000000]x[1-1000000]x[1-1000000]", NULL, ERR_LIMIT,
		     "position 1", "more than 1000000");
	expect_error("web[1-600000,2-600000]", NULL, ERR_LIMIT, "position 14", "1000000");
}

static void expect_limited(const char *expr, size_t hosts, uint64_t work, struct file *files,
			   const char *what)
{
	struct expr_limits limits = {hosts, work};
	struct errmsg msg = {""};
	struct hostlist *list = NULL;
	int rc = expr_parse(&list, expr, &limits,
			    &(struct hostlist_env){.read = read_fake, .read_ctx = files}, &msg);

	if (!what && rc)
		fail_msg("'%s': %s", expr, msg.text);
	if (what && (rc != ERR_LIMIT || !strstr(msg.text, what)))
		fail_msg("'%s': %s", expr, rc ? msg.text : "no error");
	hostlist_free(list);
}

static void test_count_of_all_items(void **state)
{
	static struct file files[] = {{"f", "a[1-6]\nb[1-6]\n"}, {NULL, NULL}};

	(void)state;
	expect_limited("a[1-10]", 10, EXPR_WORK_MAX, files, NULL);
	expect_limited("a[1-10],a[1-10]", 10, EXPR_WORK_MAX, files, NULL);
	expect_limited("a[1-10],b", 10, EXPR_WORK_MAX, files, "more than 10 hosts");
	expect_limited("a[1-6]^b[1-6]", 10, EXPR_WORK_MAX, files, "more than 10 hosts");
	expect_limited("a!a[1-6]!b[1-6]", 10, EXPR_WORK_MAX, files, "more than 10 hosts");
	expect_limited("^f", 10, EXPR_WORK_MAX, files, "more than 10 hosts");
	expect_limited("^f", 12, EXPR_WORK_MAX, files, NULL);
}

static void test_work_is_capped(void **state)
{
	static struct file files[] = {
		{"a", "^b\n^b\n^b\n^b\n^b\n^b\n^b\n^b\n"}, {"b", "x"}, {NULL, NULL}};

	(void)state;
	expect_limited("w[1-9],w[1-9]", 100, 18 * EXPR_WORK_HOST, NULL, NULL);
	expect_limited("w[1-9],w[1-9],w", 100, 18 * EXPR_WORK_HOST, NULL, "too much work");
	expect_limited("w[1-9]!w&w", 100, 10 * EXPR_WORK_HOST, NULL, "too much work");
	expect_limited("w[1-9]&w", 100, 10 * EXPR_WORK_HOST, NULL, "too much work");
	expect_limited("^a", 100, 8 * EXPR_WORK_FILE, files, "too much work");
	expect_limited("^a", 100, 10 * EXPR_WORK_FILE, files, NULL);
}

static void test_sizes_are_capped(void **state)
{
	struct buf b = {0};

	(void)state;
	for (unsigned i = 0; i < LIMIT_HOST_NAME - 1; i++)
		buf_add_char(&b, 'a');
	buf_add_str(&b, "[1-9]");
	expect_limited(buf_cstr(&b), 9, EXPR_WORK_MAX, NULL, NULL);
	b.len -= 2;
	buf_add_str(&b, "10]");
	expect_error(buf_cstr(&b), NULL, ERR_LIMIT, "position 1:", "256 bytes");
	buf_clear(&b);
	buf_add_str(&b, "a,w[");
	for (unsigned i = 0; i < LIMIT_HOST_NAME + 1; i++)
		buf_add_char(&b, '0');
	buf_add_char(&b, ']');
	expect_error(buf_cstr(&b), NULL, ERR_LIMIT, "position 5:", "256 digits");
	buf_clear(&b);
	for (unsigned i = 0; i < HOST_USER_MAX + 1; i++)
		buf_add_char(&b, 'u');
	buf_add_str(&b, "@a");
	expect_error(buf_cstr(&b), NULL, ERR_LIMIT, "position 1:", "user name is longer");
	buf_clear(&b);
	for (unsigned i = 0; i < 33; i++)
		buf_add_str(&b, "[1]");
	expect_error(buf_cstr(&b), NULL, ERR_LIMIT, "position 97:", "pairs of brackets");
	buf_clear(&b);
	while (b.len <= LIMIT_EXPR)
		buf_add_str(&b, "a ");
	expect_error(buf_cstr(&b), NULL, ERR_LIMIT, "longer than", "put it into a file");
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_operators),
		cmocka_unit_test(test_operators_with_user_and_port),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_padding),
		cmocka_unit_test(test_digits_beside_brackets),
		cmocka_unit_test(test_user_and_port),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_empty_items),
		cmocka_unit_test(test_bad_brackets),
		cmocka_unit_test(test_bad_names),
		cmocka_unit_test(test_bad_users_and_ports),
		cmocka_unit_test(test_bad_ipv6),
		cmocka_unit_test(test_groups_need_a_source),
		cmocka_unit_test(test_messages_show_the_expression),
		cmocka_unit_test(test_counts_are_capped_before_expansion),
		cmocka_unit_test(test_count_of_all_items),
		cmocka_unit_test(test_work_is_capped),
		cmocka_unit_test(test_sizes_are_capped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
