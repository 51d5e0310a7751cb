/* Which question of a server wants the password. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "alloc.h"
#include "conn_prompt.h"

static void test_prompts(void **state)
{
	static const struct {
		const char *text;
		bool echo;
		size_t count;
		enum conn_prompt kind;
	} rows[] = {
		{"Password: ", false, 1, CONN_PROMPT_PASSWORD},
		{"(me@db1) Password: ", false, 1, CONN_PROMPT_PASSWORD},
		{"me's PASSWORD:", false, 2, CONN_PROMPT_PASSWORD},
		{"Passwort: ", false, 1, CONN_PROMPT_HIDDEN},
		{"Mot de passe :", false, 1, CONN_PROMPT_HIDDEN},
		{"Passwort: ", false, 2, CONN_PROMPT_OTHER},
		{"Password: ", true, 1, CONN_PROMPT_OTHER},
		{"Verification code: ", false, 1, CONN_PROMPT_OTHER},
		{"One-time password (OATH) for `me': ", false, 1, CONN_PROMPT_OTHER},
		{"Passcode or option (1-3): ", true, 1, CONN_PROMPT_OTHER},
		{"New password: ", false, 1, CONN_PROMPT_NEW},
		{"(current) UNIX password: ", false, 1, CONN_PROMPT_NEW},
		{"Retype new password: ", false, 1, CONN_PROMPT_NEW},
		{"YubiKey for `me': ", false, 1, CONN_PROMPT_HIDDEN},
		{"", false, 1, CONN_PROMPT_HIDDEN},
		{"", false, 3, CONN_PROMPT_OTHER},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(conn_prompt_kind(rows[i].text, rows[i].echo, rows[i].count),
				 rows[i].kind);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_prompts)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
