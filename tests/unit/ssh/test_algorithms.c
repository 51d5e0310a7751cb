/* Lists of algorithms: what a user may name, and what is offered where nothing is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "algorithms.h"

static void taken(enum algorithm_kind kind, const char *list)
{
	struct errmsg msg = {{0}};

	if (algorithms_check(kind, list, "--x", &msg) != 0)
		fail_msg("'%s': %s", list, msg.text);
}

static void refused(enum algorithm_kind kind, const char *list, const char *text)
{
	struct errmsg msg = {{0}};
	int rc = algorithms_check(kind, list, "--x", &msg);

	if (rc != ERR_SYNTAX || strncmp(msg.text, text, strlen(text)) != 0)
		fail_msg("'%s' gives %d: %s", list, rc, msg.text);
	/* What there is, as a whole. */
	assert_true(strlen(msg.text) < ERRMSG_MAX - 1);
	assert_int_not_equal(msg.text[strlen(msg.text) - 1], ' ');
}

static void test_ours_are_known(void **state)
{
	(void)state;
	for (enum algorithm_kind kind = ALGORITHM_KEX; kind <= ALGORITHM_MAC; kind++) {
		taken(kind, NULL);
		taken(kind, algorithms_offer(kind, NULL));
		assert_string_equal(algorithms_offer(kind, "a,b"), "a,b");
	}
}

static void test_nothing_old_is_offered(void **state)
{
	(void)state;
	for (enum algorithm_kind kind = ALGORITHM_KEX; kind <= ALGORITHM_MAC; kind++) {
		assert_null(strstr(algorithms_offer(kind, NULL), "sha1"));
		assert_null(strstr(algorithms_offer(kind, NULL), "-cbc"));
		assert_null(strstr(algorithms_offer(kind, NULL), "none"));
	}
	assert_int_equal(strncmp(algorithms_offer(ALGORITHM_MAC, NULL), "hmac-sha2-256-etm", 17),
			 0);
}

static void test_a_user_may_name_them(void **state)
{
	(void)state;
	taken(ALGORITHM_CIPHER, "aes128-cbc");
	taken(ALGORITHM_MAC, "hmac-sha1,hmac-sha2-256");
	taken(ALGORITHM_KEX, "curve25519-sha256,diffie-hellman-group14-sha1");
}

static void test_what_is_none(void **state)
{
	(void)state;
	refused(ALGORITHM_CIPHER, "aes128-ctr,rot13,aes256-ctr",
		"--x: 'rot13' is none of aes128-gcm@openssh.com, aes256-gcm@openssh.com, ");
	refused(ALGORITHM_KEX, "rot13", "--x: 'rot13' is none of curve25519-sha256, ");
	refused(ALGORITHM_MAC, "umac-64@openssh.com",
		"--x: 'umac-64@openssh.com' is none of hmac-");
	/* Names of another kind. */
	refused(ALGORITHM_MAC, "aes128-ctr", "--x: 'aes128-ctr' is none of ");
	refused(ALGORITHM_CIPHER, "none", "--x: 'none' is none of ");
	refused(ALGORITHM_MAC, "none", "--x: 'none' is none of ");
	refused(ALGORITHM_CIPHER, "", "--x: '' is none of ");
	refused(ALGORITHM_CIPHER, "aes128-ctr,", "--x: '' is none of ");
	refused(ALGORITHM_CIPHER, ",aes128-ctr", "--x: '' is none of ");
	refused(ALGORITHM_CIPHER, " aes128-ctr", "--x: ' aes128-ctr' is none of ");
	/* libssh would change its own list by these. */
	refused(ALGORITHM_CIPHER, "+aes128-cbc", "--x: '+aes128-cbc' is none of ");
	refused(ALGORITHM_CIPHER, "-aes128-ctr", "--x: '-aes128-ctr' is none of ");
	refused(ALGORITHM_CIPHER, "^aes128-ctr", "--x: '^aes128-ctr' is none of ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ours_are_known),
		cmocka_unit_test(test_nothing_old_is_offered),
		cmocka_unit_test(test_a_user_may_name_them),
		cmocka_unit_test(test_what_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
