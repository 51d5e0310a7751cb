/* Becoming another user: when the password is sent, and that it is sent once. */
#include "talk.h"

static void sudo_is_answered_once(void **state)
{
	struct talk talk;

	(void)state;
	talk_begin(&talk, BOOT_SUDO, "secret");
	error(&talk, "hello " N "BECOME\n[lecture]\n" N "ASK");
	assert_int_equal(talk.sent.len, 0);
	error(&talk, ":");
	assert_string_equal(buf_cstr(&talk.sent), "secret\n|");
	out(&talk, N "BECOME\n" N "THROUGH\n");
	error(&talk, "\n" N "THROUGH\n" N "ASK:");
	out(&talk, N "NEED x86_64 5 /d\n" N "RUN /d/a\n");
	expect_ready(&talk, "secret\n|AGENT|", "");
}

/* Before sudo has begun, nobody is told. */
static void sudo_prompt_out_of_order(void **state)
{
	struct talk talk;

	(void)state;
	talk_begin(&talk, BOOT_SUDO, "secret");
	error(&talk, N "ASK:");
	assert_int_equal(talk.sent.len, 0);
	error(&talk, N "THROUGH\n");
	boot_eof(talk.boot, 1);
	expect_failed(&talk, BOOT_NO_AGENT, "before the agent began");
}

static void sudo_asks_again(void **state)
{
	struct talk talk;

	(void)state;
	talk_begin(&talk, BOOT_SUDO, "secret");
	error(&talk, "noise\n" N "BECOME\n" N "ASK:Sorry, try again.\n" N "ASK:");
	assert_string_equal(buf_cstr(&talk.sent), "secret\n|");
	assert_null(strstr(talk.text, "secret"));
	assert_null(strstr(talk.text, "noise"));
	expect_failed(&talk, BOOT_BECOME,
		      "not accepted; see what sudoers, or the like, allows "
		      "there. It said: Sorry, try again.");
}

static void sudo_ends(void **state)
{
	struct talk talk;

	(void)state;
	talk_begin(&talk, BOOT_SUDO, NULL);
	error(&talk, N "BECOME\nsudo: a password is required\n");
	boot_eof(talk.boot, 1);
	expect_failed(&talk, BOOT_BECOME, "cannot become root with sudo (exit status 1)");
}

/* The login shell ended: that is not sudo's doing. */
static void login_ends_before_sudo(void **state)
{
	struct talk talk;

	(void)state;
	talk_begin(&talk, BOOT_SUDO, NULL);
	error(&talk, "closed\n");
	boot_eof(talk.boot, 1);
	expect_failed(&talk, BOOT_NO_AGENT, "closed");
}

static void su_prompts(void **state)
{
	static const char *const prompts[] = {
		"Password: ", "Mot de passe : ", "\n\xe5\xaf\x86\xe7\xa0\x81\xef\xbc\x9a",
		"motd\nPasswort: "};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(prompts); i++) {
		struct talk talk;

		talk_begin(&talk, BOOT_SU, "secret");
		error(&talk, "Password: ");
		assert_int_equal(talk.sent.len, 0);
		error(&talk, N "BECOME\n");
		for (const char *p = prompts[i]; *p; p++) {
			assert_int_equal(talk.sent.len, 0);
			boot_feed(talk.boot, true, p, 1);
		}
		assert_string_equal(buf_cstr(&talk.sent), "secret\n|");
		out(&talk, N "BECOME\n" N "THROUGH\n" N "RUN /a\n");
		expect_ready(&talk, "secret\n|", "");
	}
}

static void su_says_what_is_no_prompt(void **state)
{
	char line[300];
	struct talk talk;

	(void)state;
	talk_begin(&talk, BOOT_SU, "secret");
	error(&talk, N "BECOME\n");
	error(&talk, "su: ");
	error(&talk, "no\n: \n\n");
	memset(line, 'x', sizeof line);
	memcpy(line + sizeof line - 3, ": ", 3);
	error(&talk, line);
	out(&talk, N "BECOME\n" N "THROUGH\n");
	error(&talk, "\n" N "THROUGH\nmkdir: ");
	out(&talk, "x: ");
	assert_int_equal(talk.sent.len, 0);
	talk_end(&talk);
}

static void su_asks_twice(void **state)
{
	struct talk talk;

	(void)state;
	talk_begin(&talk, BOOT_SU, "secret");
	error(&talk, N "BECOME\n");
	error(&talk, "Password: ");
	error(&talk, "\nPassword: ");
	assert_string_equal(buf_cstr(&talk.sent), "secret\n|");
	expect_failed(&talk, BOOT_BECOME, "not accepted");
}

static void password_missing_or_impossible(void **state)
{
	static const char *const passwords[] = {NULL, "a\nb"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct talk talk;

		talk_begin(&talk, BOOT_SU, passwords[i]);
		error(&talk, N "BECOME\n");
		error(&talk, "Password: ");
		assert_int_equal(talk.sent.len, 0);
		expect_failed(&talk, BOOT_BECOME, i ? "line break" : "none was given");
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sudo_is_answered_once),
		cmocka_unit_test(sudo_prompt_out_of_order),
		cmocka_unit_test(sudo_asks_again),
		cmocka_unit_test(sudo_ends),
		cmocka_unit_test(login_ends_before_sudo),
		cmocka_unit_test(su_prompts),
		cmocka_unit_test(su_says_what_is_no_prompt),
		cmocka_unit_test(su_asks_twice),
		cmocka_unit_test(password_missing_or_impossible),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
