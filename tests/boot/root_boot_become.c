/*
 * Becoming another user by the real sudo and su, with users, passwords and sudoers of their own:
 * me (who logs in), web and root, whose password is "right one".
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc.h"
#include "isolated.h"

#define UID_ME	54321
#define UID_WEB 54322

#define HASH                                                                                   \
	"$6$musterboot$vyO53DRw4NJ/HBk/0EnjIrWmf51CuqeinvxHztprWMwYlIf9gzl4hjLwfAAuXgeyGB9Cn/" \
	"EB3u77tlQT0sPSi/"

static const char *const sh[] = {"sh", "-c", NULL};

static const char shadow[] = "root:" HASH ":19000:0:99999:7:::\nme:" HASH
			     ":19000:0:99999:7:::\nweb:" HASH ":19000:0:99999:7:::\n";

static const char passwd[] = "root:x:0:0::/home/root:/bin/bash\n"
			     "me:x:54321:54321::/home/me:/bin/sh\n"
			     "web:x:54322:54322::/home/web:/bin/bash\n";

static int setup(void **state)
{
	struct target *target;

	(void)isolated_setup(state);
	target = *state;
	target->uid = UID_ME;
	isolated_mkdir(target, "home/me", UID_ME, 0755);
	isolated_mkdir(target, "home/web", UID_WEB, 0755);
	isolated_mkdir(target, "home/root", 0, 0755);
	strcpy(target->home, "/home/me");
	target_write(target, "etc/passwd", passwd, 0644);
	target_write(target, "etc/group", "root:x:0:\nme:x:54321:\nweb:x:54322:\n", 0644);
	target_write(target, "etc/shadow", shadow, 0600);
	return 0;
}

static struct login become(struct target *target, enum boot_become how, const char *user,
			   const char *password)
{
	struct login login = {.target = target};

	login.spec.become = how;
	login.spec.become_user = user;
	login.spec.password = password;
	return login;
}

static void need(const char *program)
{
	if (tool_find(program))
		return;
	print_message("SKIPPED: %s is not installed\n", program);
	skip();
}

/* The whole bootstrap is the other user's: so is the copy of the agent, and its home. */
static void sudo_password_is_accepted(void **state)
{
	struct target *target = *state;

	need("sudo");
	target_write(target, "etc/sudoers", "me ALL=(ALL) ALL\n", 0440);
	for (int pushes = 1; pushes >= 0; pushes--) {
		struct login login = become(target, BOOT_SUDO, NULL, "right one");

		login_expect_ready(&login, sh, (unsigned)pushes);
	}
	assert_int_equal(target_count(target, "home/root/.cache/muster-agent"), 1);
	assert_int_equal(target_count(target, "home/me"), 0);
}

static void sudo_to_another_user(void **state)
{
	struct target *target = *state;
	struct login login = become(target, BOOT_SUDO, "web", "right one");

	need("sudo");
	target_write(target, "etc/sudoers", "Defaults use_pty\nme ALL=(web) ALL\n", 0440);
	login_expect_ready(&login, sh, 1);
	assert_int_equal(target_count(target, "home/web/.cache/muster-agent"), 1);
	login = become(target, BOOT_SUDO, NULL, "right one");
	login_expect_failed(&login, sh, BOOT_BECOME, "not allowed");
}

static void fault_48_sudo_nopasswd_with_password(void **state)
{
	struct target *target = *state;
	struct login login = become(target, BOOT_SUDO, NULL, "right one");

	need("sudo");
	target_write(target, "etc/sudoers", "me ALL=(ALL) NOPASSWD: ALL\n", 0440);
	login_start(&login, sh);
	login_wait(&login, 1);
	assert_true(login.ready);
	assert_int_equal(login.sends, login.pushes);
	login_talk(&login);
	login_end(&login);
	login = become(target, BOOT_SUDO, NULL, NULL);
	login_expect_ready(&login, sh, 0);
}

static void fault_49_sudo_wrong_password(void **state)
{
	struct target *target = *state;
	struct login login = become(target, BOOT_SUDO, NULL, "wrong one");

	need("sudo");
	target_write(target, "etc/sudoers", "me ALL=(ALL) ALL\n", 0440);
	login_start(&login, sh);
	login_wait(&login, 1);
	assert_true(login.failed);
	assert_int_equal(login.end, BOOT_BECOME);
	assert_string_equal(buf_cstr(&login.sent), "wrong one\n");
	assert_non_null(strstr(login.text, "not accepted"));
	login_end(&login);
	assert_int_equal(target_count(target, "home/root"), 0);
}

static void fault_49_sudo_one_try(void **state)
{
	struct target *target = *state;
	struct login login = become(target, BOOT_SUDO, NULL, "wrong one");

	need("sudo");
	target_write(target, "etc/sudoers", "Defaults passwd_tries=1\nme ALL=(ALL) ALL\n", 0440);
	login_expect_failed(&login, sh, BOOT_BECOME, "incorrect password");
}

static void fault_49_sudo_password_missing(void **state)
{
	struct target *target = *state;
	struct login login = become(target, BOOT_SUDO, NULL, NULL);

	need("sudo");
	target_write(target, "etc/sudoers", "me ALL=(ALL) ALL\n", 0440);
	login_expect_failed(&login, sh, BOOT_BECOME, "a password is required");
}

static void su_password_is_accepted(void **state)
{
	struct target *target = *state;

	need("su");
	for (int pushes = 1; pushes >= 0; pushes--) {
		struct login login = become(target, BOOT_SU, "web", "right one");

		login_expect_ready(&login, sh, (unsigned)pushes);
	}
	assert_int_equal(target_count(target, "home/web/.cache/muster-agent"), 1);
}

static void fault_49_su_wrong_password(void **state)
{
	struct login login = become(*state, BOOT_SU, NULL, "wrong one");

	need("su");
	login_expect_failed(&login, sh, BOOT_BECOME, "Authentication failure");
}

/* root is not asked: then the password stays here. */
static void fault_48_su_asks_for_nothing(void **state)
{
	struct target *target = *state;
	struct login login = become(target, BOOT_SU, "web", "right one");

	need("su");
	target->uid = 0;
	login_start(&login, sh);
	login_wait(&login, 1);
	assert_true(login.ready);
	assert_int_equal(login.sends, login.pushes);
	login_talk(&login);
	login_end(&login);
}

static void doas_is_allowed_or_not(void **state)
{
	struct target *target = *state;
	struct login login = become(target, BOOT_DOAS, "web", NULL);

	need("doas");
	if (access("/etc/doas.conf", F_OK) < 0) {
		print_message(
			"SKIPPED: there is no /etc/doas.conf that another could stand in for\n");
		skip();
	}
	target_write(target, "etc/doas.conf", "permit nopass me as web\n", 0400);
	login_expect_ready(&login, sh, 1);
	assert_int_equal(target_count(target, "home/web/.cache/muster-agent"), 1);
	login = become(target, BOOT_DOAS, NULL, "right one");
	login_expect_failed(&login, sh, BOOT_BECOME, "doas: ");
}

#define BECOME(test) cmocka_unit_test_setup_teardown(test, setup, isolated_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		BECOME(sudo_password_is_accepted),
		BECOME(sudo_to_another_user),
		BECOME(fault_48_sudo_nopasswd_with_password),
		BECOME(fault_49_sudo_wrong_password),
		BECOME(fault_49_sudo_one_try),
		BECOME(fault_49_sudo_password_missing),
		BECOME(su_password_is_accepted),
		BECOME(fault_49_su_wrong_password),
		BECOME(fault_48_su_asks_for_nothing),
		BECOME(doas_is_allowed_or_not),
	};
	int skipped = isolated_possible();

	return skipped ? skipped : cmocka_run_group_tests(tests, NULL, NULL);
}
