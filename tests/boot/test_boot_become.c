/*
 * Becoming another user by programs that stand in for sudo, su and doas and behave as the real ones
 * were seen to; root_boot_become has the real ones. What reached the input of the agent is seen in
 * login_talk: a password there would be answered.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "harness.h"

static const char *const sh[] = {"sh", "-c", NULL};

/* Asks up to three times with the prompt that it was given, on standard error. */
static const char sudo_asks[] =
	"#!/bin/sh\n"
	"[ \"$1 $2 $3\" = '-k -S -p' ] && [ \"$5 $6 $7 $8\" = '-H -u web --' ] || exit 9\n"
	"prompt=$4; shift 8\n"
	"for try in 1 2 3; do\n"
	"    printf %s \"$prompt\" >&2; read -r answer || exit 8\n"
	"    echo \"$answer\" >>\"$HOME/answers\"\n"
	"    [ \"$answer\" = 'right one' ] && { echo >&2; exec \"$@\"; }\n"
	"    echo 'Sorry, try again.' >&2\n"
	"done\n"
	"echo 'sudo: 3 incorrect password attempts' >&2; exit 1\n";

static const char su_asks[] = "#!/bin/sh\n"
			      "[ \"$1 $2\" = 'web -c' ] || exit 9\n"
			      "printf 'Password: ' >&2; read -r answer || exit 8\n"
			      "echo \"$answer\" >>\"$HOME/answers\"\n"
			      "[ \"$answer\" = 'right one' ] || { printf '\\nsu: ' >&2; echo "
			      "'Authentication failure' >&2; exit 1; }\n"
			      "echo >&2; exec sh -c \"$3\"\n";

static int setup(void **state)
{
	struct target *target = xcalloc(1, sizeof *target);

	target_make(target);
	*state = target;
	return 0;
}

static int teardown(void **state)
{
	target_remove(*state);
	free(*state);
	return 0;
}

static struct login become(struct target *target, enum boot_become how, const char *password)
{
	struct login login = {.target = target};

	login.spec.become = how;
	login.spec.become_user = "web";
	login.spec.password = password;
	return login;
}

static void expect_answers(const struct target *target, const char *answers)
{
	char *text;

	assert_true(target_read(target, "home/answers", &text));
	assert_string_equal(text, answers);
	free(text);
}

static void sudo_password_is_accepted(void **state)
{
	struct login login = become(*state, BOOT_SUDO, "right one");

	target_write(*state, "bin/sudo", sudo_asks, 0755);
	login_expect_ready(&login, sh, 1);
	expect_answers(*state, "right one\n");
}

static void fault_49_sudo_wrong_password(void **state)
{
	struct login login = become(*state, BOOT_SUDO, "wrong");

	target_write(*state, "bin/sudo", sudo_asks, 0755);
	login_expect_failed(&login, sh, BOOT_BECOME, "not accepted");
	expect_answers(*state, "wrong\n");
}

/* What a chatty login shell says is not the cause. */
static void fault_49_sudo_refuses(void **state)
{
	static const char *const bash[] = {"bash", "-c", NULL};
	struct login login = become(*state, BOOT_SUDO, "right one");

	target_write(*state, "home/.bashrc", "echo welcome >&2; printf 'Password: '\n", 0600);
	target_write(*state, "bin/sudo",
		     "#!/bin/sh\necho 'me is not in the sudoers file.' >&2\nexit 1\n", 0755);
	login_start(&login, bash);
	login_wait(&login, 1);
	assert_true(login.failed);
	assert_int_equal(login.end, BOOT_BECOME);
	assert_non_null(strstr(login.text, "not in the sudoers file"));
	assert_null(strstr(login.text, "welcome"));
	assert_int_equal(login.sends, 0);
	login_end(&login);
}

static void fault_48_sudo_asks_for_nothing(void **state)
{
	struct login login = become(*state, BOOT_SUDO, "right one");

	target_write(*state, "bin/sudo", "#!/bin/sh\nshift 8\nexec \"$@\"\n", 0755);
	login_start(&login, sh);
	login_wait(&login, 1);
	assert_true(login.ready);
	assert_int_equal(login.sends, login.pushes);
	login_talk(&login);
	login_end(&login);
}

static void sudo_without_a_password(void **state)
{
	struct login login = become(*state, BOOT_SUDO, NULL);

	target_write(*state, "bin/sudo",
		     "#!/bin/sh\n[ \"$*\" != \"${*#-n -H -u web -- sh -c }\" ] || exit 9\n"
		     "shift 5\nexec \"$@\"\n",
		     0755);
	login_expect_ready(&login, sh, 1);
	target_write(*state, "bin/sudo",
		     "#!/bin/sh\necho 'sudo: a password is required' >&2\nexit 1\n", 0755);
	login = become(*state, BOOT_SUDO, NULL);
	login_expect_failed(&login, sh, BOOT_BECOME, "a password is required");
}

static void sudo_is_missing(void **state)
{
	struct target *target = *state;
	struct login login = become(target, BOOT_SUDO, "right one");
	static const char *const absolute[] = {"/bin/sh", "-c", NULL};

	target_write(target, "bin/sh", "#!/bin/sh\nexec /bin/sh \"$@\"\n", 0755);
	free(target->path);
	target->path = xstrdup(target->bin);
	login_expect_failed(&login, absolute, BOOT_BECOME, "cannot become web with sudo");
}

static void su_password_is_accepted(void **state)
{
	struct login login = become(*state, BOOT_SU, "right one");

	target_write(*state, "bin/su", su_asks, 0755);
	login_expect_ready(&login, sh, 1);
	expect_answers(*state, "right one\n");
}

static void fault_49_su_wrong_password(void **state)
{
	struct login login = become(*state, BOOT_SU, "wrong");

	target_write(*state, "bin/su", su_asks, 0755);
	login_expect_failed(&login, sh, BOOT_BECOME, "Authentication failure");
	expect_answers(*state, "wrong\n");
}

static void su_asks_and_there_is_no_password(void **state)
{
	struct login login = become(*state, BOOT_SU, NULL);

	target_write(*state, "bin/su", su_asks, 0755);
	login_expect_failed(&login, sh, BOOT_BECOME, "none was given");
}

/* Only sudo's own reader takes a line; a second one would reach the agent. */
static void password_with_a_line_break(void **state)
{
	struct login login = become(*state, BOOT_SUDO, "right one\nreboot");

	target_write(*state, "bin/sudo", sudo_asks, 0755);
	login_start(&login, sh);
	login_wait(&login, 1);
	assert_true(login.failed);
	assert_int_equal(login.end, BOOT_BECOME);
	assert_int_equal(login.sends, 0);
	login_end(&login);
}

static void doas_without_a_password(void **state)
{
	struct login login = become(*state, BOOT_DOAS, "never used");

	target_write(*state, "bin/doas",
		     "#!/bin/sh\n[ \"$1 $2 $3\" = '-n -u web' ] || exit 9\nshift 3\nexec \"$@\"\n",
		     0755);
	login_start(&login, sh);
	login_wait(&login, 1);
	assert_true(login.ready);
	assert_int_equal(login.sends, login.pushes);
	login_talk(&login);
	login_end(&login);
	target_write(*state, "bin/doas",
		     "#!/bin/sh\necho 'doas: Operation not permitted' >&2\nexit 1\n", 0755);
	login = become(*state, BOOT_DOAS, "never used");
	login_expect_failed(&login, sh, BOOT_BECOME, "Operation not permitted");
}

#define BECOME(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		BECOME(sudo_password_is_accepted),
		BECOME(fault_49_sudo_wrong_password),
		BECOME(fault_49_sudo_refuses),
		BECOME(fault_48_sudo_asks_for_nothing),
		BECOME(sudo_without_a_password),
		BECOME(sudo_is_missing),
		BECOME(su_password_is_accepted),
		BECOME(fault_49_su_wrong_password),
		BECOME(su_asks_and_there_is_no_password),
		BECOME(password_with_a_line_break),
		BECOME(doas_without_a_password),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
