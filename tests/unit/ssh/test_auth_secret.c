/* On how many hosts a password is tried before one of them has taken it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "secret_login.h"

static struct secret_login *make(void)
{
	return secret_login_new(locked_new("pw", 2), NULL);
}

static void begin(struct secret_login *login, unsigned count)
{
	while (count--)
		assert_int_equal(secret_login_begin(login), SECRET_GO);
}

static void test_text(void **state)
{
	struct secret_login *login = make();

	(void)state;
	assert_string_equal(secret_login_text(login), "pw");
	assert_null(secret_login_text(NULL));
	assert_ptr_equal(secret_login_hold(login), login);
	secret_login_drop(login);
	assert_string_equal(secret_login_text(login), "pw");
	secret_login_drop(login);
	secret_login_drop(NULL);
}

static void test_refused(void **state)
{
	struct secret_login *login = make();

	(void)state;
	begin(login, SECRET_TRIES);
	assert_int_equal(secret_login_begin(login), SECRET_WAIT);
	for (unsigned i = 1; i < SECRET_TRIES; i++) {
		secret_login_end(login, SECRET_REFUSED);
		assert_int_equal(secret_login_begin(login), SECRET_WAIT);
	}
	secret_login_end(login, SECRET_REFUSED);
	assert_int_equal(secret_login_begin(login), SECRET_NEVER);
	secret_login_drop(login);
}

static void test_taken(void **state)
{
	struct secret_login *login = make();

	(void)state;
	begin(login, SECRET_TRIES);
	secret_login_end(login, SECRET_REFUSED);
	secret_login_end(login, SECRET_TAKEN);
	begin(login, 10000);
	/* Those that have another password are told apart from those that have not. */
	for (unsigned i = 0; i < 10001; i++)
		secret_login_end(login, SECRET_REFUSED);
	begin(login, 1);
	secret_login_drop(login);
}

static void test_unused(void **state)
{
	struct secret_login *login = make();

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		begin(login, SECRET_TRIES);
		assert_int_equal(secret_login_begin(login), SECRET_WAIT);
		for (unsigned k = 0; k < SECRET_TRIES; k++)
			secret_login_end(login, SECRET_UNUSED);
	}
	secret_login_drop(login);
}

/* Those that hang do not keep the others for ever. */
static void test_unknown(void **state)
{
	struct secret_login *login = make();

	(void)state;
	begin(login, SECRET_TRIES);
	secret_login_end(login, SECRET_UNKNOWN);
	begin(login, 2);
	assert_int_equal(secret_login_begin(login), SECRET_WAIT);
	for (unsigned i = 0; i < SECRET_TRIES; i++)
		secret_login_end(login, SECRET_REFUSED);
	assert_int_equal(secret_login_begin(login), SECRET_NEVER);
	secret_login_drop(login);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),	cmocka_unit_test(test_refused),
		cmocka_unit_test(test_taken),	cmocka_unit_test(test_unused),
		cmocka_unit_test(test_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
