/* Files of host expressions, and standard input. */
#include "expr_expect.h"

static void test_files(void **state)
{
	static struct file files[] = {
		{"web", "web[1-2]\nweb4 # the new one\n\n# nothing\r\nweb1\r\n  web5,web6 \r\n"},
		{"/etc/all", "^web\nroot@db1:22 db2!db2\n^web !web1\n"},
		{"none", "# nobody\n\n"},
		{"marked", "\357\273\277a\nb"},
		{NULL, "in1 in2\n"},
		{NULL, NULL},
	};

	(void)state;
	expect("^web", files, "web1 web2 web4 web5 web6 ");
	expect("^/etc/all", files, "web1 web2 web4 web5 web6 root@db1:22 ");
	expect("x,^web!web[4-9]", files, "x web1 web2 ");
	expect("web[1-9]!^web", files, "web3 web7 web8 web9 ");
	expect("web[1-3]^^web", files, "web3 web4 web5 web6 ");
	expect("web[1-3]&^web", files, "web1 web2 ");
	expect("x ^web", files, "x web1 web2 web4 web5 web6 ");
	expect("^none", files, "");
	expect("^web ^web", files, "web1 web2 web4 web5 web6 ");
	expect("^marked", files, "a b ");
	expect("-", files, "in1 in2 ");
	expect("a,-!in1", files, "a in2 ");
	expect("^-", files, "in1 in2 ");
}

static void test_lines_are_expressions_of_their_own(void **state)
{
	static struct file files[] = {
		{"f", "a,b\nc!a\n"}, {"g", "a\n!a\n"}, {"h", "a,\nb\n"}, {NULL, NULL}};

	(void)state;
	expect("^f", files, "a b c ");
	expect_error("^g", files, ERR_SYNTAX, "g:2, position 1:", "before '!'");
	expect_error("^h", files, ERR_SYNTAX, "h:1, position 2:", "must follow ','");
}

static void test_bad_files(void **state)
{
	static struct file files[] = {
		{"bad", "a\nb web[5-3]\n"}, {"outer", "\n^bad"}, {"lost", "x\n  ^nosuch"},
		{"self", "a ^self"},	    {"ping", "^pong"},	 {"pong", "^ping"},
		{"twice", "- a"},	    {NULL, "b\nc,,d\n"}, {NULL, NULL},
	};

	(void)state;
	expect_error("^bad", files, ERR_RANGE, "bad:2, position 7:", "write 3-5");
	expect_error("^outer", files, ERR_RANGE, "bad:2, position 7:", "write 3-5");
	expect_error("a ^nosuch", files, ERR_NOTFOUND, "position 3:", "cannot read 'nosuch'");
	expect_error("^lost", files, ERR_NOTFOUND, "lost:2, position 3:", "cannot read 'nosuch'");
	expect_error("^self", files, ERR_SYNTAX, "self:1, position 3:", "contain itself");
	expect_error("^ping", files, ERR_SYNTAX, "pong:1, position 1:", "contain itself");
	expect_error("-", files, ERR_SYNTAX, "standard input:2, position 3:", "between");
	expect_error("^", files, ERR_SYNTAX, "position 1:", "file name must follow");
	expect_error("a,^,b", files, ERR_SYNTAX, "position 3:", "file name must follow");
	expect_error("^bad", NULL, ERR_SYNTAX, "position 1:", "cannot be named here");
	expect_error("-", NULL, ERR_SYNTAX, "position 1:", "cannot be named here");
}

static void test_stdin_is_read_once(void **state)
{
	static struct file files[] = {{"f", "-\n"}, {NULL, "a\n"}, {NULL, NULL}};

	(void)state;
	expect("^f", files, "a ");
	expect_error("-,-", files, ERR_SYNTAX, "position 3:", "only once");
	expect_error("-,^f", files, ERR_SYNTAX, "f:1, position 1:", "only once");
}

static void test_file_depth(void **state)
{
	static struct file files[] = {{"1", "^2"}, {"2", "^3"}, {"3", "^4"}, {"4", "^5"},
				      {"5", "^6"}, {"6", "^7"}, {"7", "^8"}, {"8", "^9"},
				      {"9", "a"},  {NULL, NULL}};

	(void)state;
	expect("^2", files, "a ");
	expect_error("^1", files, ERR_LIMIT, "8:1, position 1:", "more than 8 deep");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_lines_are_expressions_of_their_own),
		cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_stdin_is_read_once),
		cmocka_unit_test(test_file_depth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
