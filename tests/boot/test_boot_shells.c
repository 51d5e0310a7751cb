/*
 * fault_32: the text under every login shell, every sh and every userland that is installed. A
 * login shell that is not is skipped by name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc.h"
#include "harness.h"

struct shell {
	const char *name;    /* of the test */
	const char *program; /* what must be installed */
	const char *argv[5];
	bool no_exec;
};

static const struct shell shells[] = {
	{"bash", "bash", {"bash", "-c"}, false},
	{"dash", "dash", {"dash", "-c"}, false},
	{"zsh", "zsh", {"zsh", "-c"}, false},
	{"fish", "fish", {"fish", "-c"}, false},
	{"tcsh", "tcsh", {"tcsh", "-c"}, false},
	{"csh", "csh", {"csh", "-c"}, false},
	{"mksh", "mksh", {"mksh", "-c"}, false},
	{"ksh", "ksh", {"ksh", "-c"}, false},
	{"yash", "yash", {"yash", "-c"}, false},
	{"busybox", "busybox", {"busybox", "ash", "-c"}, false},
	{"rbash", "bash", {"bash", "-r", "-c"}, true},
};

static int shell_is_missing(const char *program)
{
	if (tool_find(program))
		return 0;
	print_message("SKIPPED: %s is not installed\n", program);
	return 1;
}

/* Cold, then warm. */
static void shell_start(struct target *target, const struct shell *shell, enum boot_become become,
			const char *user)
{
	for (int pushes = 1; pushes >= 0; pushes--) {
		struct login login = {.target = target};

		login.spec.no_exec = shell->no_exec;
		login.spec.become = become;
		login.spec.become_user = user;
		login_expect_ready(&login, shell->argv, (unsigned)pushes);
	}
	assert_int_equal(target_count(target, "home/.cache/muster-agent"), 1);
}

static void fault_32_login_shell(void **state)
{
	const struct shell *shell = *state;
	struct target target;

	if (shell_is_missing(shell->program))
		skip();
	target_make(&target);
	shell_start(&target, shell, BOOT_AS_SELF, NULL);
	target_remove(&target);
}

/* su gives the text to one more shell, that of the other user. */
static void fault_32_shell_below_su(void **state)
{
	const struct shell *shell = *state;
	struct target target;
	char *su;

	if (shell_is_missing(shell->program))
		skip();
	target_make(&target);
	su = xasprintf("#!/bin/sh\n[ \"$1 $2\" = 'web -c' ] || exit 9\nexec %s %s %s \"$3\"\n",
		       shell->argv[0], shell->argv[1], shell->argv[2] ? shell->argv[2] : "");
	target_write(&target, "bin/su", su, 0755);
	shell_start(&target, shell, BOOT_SU, "web");
	free(su);
	target_remove(&target);
}

static void fault_32_sh_is(void **state)
{
	const struct shell *shell = *state;
	static const struct shell login = {.argv = {"sh", "-c"}};
	char link[128], program[128];
	struct target target;

	if (shell_is_missing(shell->program))
		skip();
	target_make(&target);
	snprintf(link, sizeof link, "%s/sh", target.bin);
	snprintf(program, sizeof program, "%s", tool_find(shell->program));
	assert_int_equal(symlink(program, link), 0);
	shell_start(&target, &login, BOOT_AS_SELF, NULL);
	target_remove(&target);
}

/* Nothing in PATH but what one program brings. */
static void userland(struct target *target, const char *program, const char *sh)
{
	static const char *const tools[] = {"uname", "id",    "mkdir", "chmod", "sha256sum",
					    "wc",    "head",  "cat",   "mv",	"rm",
					    "find",  "rmdir", "env",   "true",	"sed"};
	char link[128];

	for (size_t i = 0; i < ARRAY_LEN(tools); i++) {
		snprintf(link, sizeof link, "%s/%s", target->bin, tools[i]);
		assert_int_equal(symlink(program, link), 0);
	}
	snprintf(link, sizeof link, "%s/sh", target->bin);
	assert_int_equal(symlink(sh, link), 0);
	free(target->path);
	target->path = xstrdup(target->bin);
}

static void fault_32_userland(const char *name, const char *sh_name)
{
	static const struct shell login = {.argv = {"sh", "-c"}};
	char program[128], sh[128];
	struct target target;

	if (shell_is_missing(name) || shell_is_missing(sh_name))
		skip();
	snprintf(program, sizeof program, "%s", tool_find(name));
	snprintf(sh, sizeof sh, "%s", tool_find(sh_name));
	target_make(&target);
	userland(&target, program, sh);
	shell_start(&target, &login, BOOT_AS_SELF, NULL);
	target_remove(&target);
}

static void fault_32_userland_busybox(void **state)
{
	(void)state;
	fault_32_userland("busybox", "busybox");
}

static void fault_32_userland_toybox(void **state)
{
	(void)state;
	fault_32_userland("toybox", "mksh");
}

/* The size has to do. */
static void fault_32_nothing_can_hash(void **state)
{
	static const struct shell shell = {.argv = {"sh", "-c"}};
	struct login again = {0};
	char link[128], busybox[128], dash[128];
	struct target target;

	(void)state;
	if (shell_is_missing("busybox") || shell_is_missing("dash"))
		skip();
	/* As a shell, busybox would find its own tool before what PATH has. */
	snprintf(busybox, sizeof busybox, "%s", tool_find("busybox"));
	snprintf(dash, sizeof dash, "%s", tool_find("dash"));
	target_make(&target);
	userland(&target, busybox, dash);
	snprintf(link, sizeof link, "%s/sha256sum", target.bin);
	assert_int_equal(unlink(link), 0);
	shell_start(&target, &shell, BOOT_AS_SELF, NULL);
	target_write(&target, target_cached(&target, "home/.cache/muster-agent"), "short", 0700);
	again.target = &target;
	login_expect_ready(&again, shell.argv, 1);
	target_remove(&target);
}

/* What tells that a second attempt without exec is worth it. */
static void fault_32_restricted_shell_refuses_exec(void **state)
{
	static const char *const argv[] = {"bash", "-r", "-c", NULL};
	struct login login = {0};
	struct target target;

	(void)state;
	if (shell_is_missing("bash"))
		skip();
	target_make(&target);
	login.target = &target;
	login_expect_failed(&login, argv, BOOT_NO_AGENT, "restricted");
	target_remove(&target);
}

int main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(fault_32_userland_busybox),
		cmocka_unit_test(fault_32_userland_toybox),
		cmocka_unit_test(fault_32_nothing_can_hash),
		cmocka_unit_test(fault_32_restricted_shell_refuses_exec),
	};
	struct CMUnitTest tests[3 * ARRAY_LEN(shells) + ARRAY_LEN(others)];
	size_t n = 0, named;
	int failed;

	for (size_t i = 0; i < ARRAY_LEN(shells); i++) {
		void *shell = (void *)(uintptr_t)&shells[i];
		const char *name = shells[i].name;

		tests[n++] = (struct CMUnitTest){xasprintf("fault_32_login_shell_%s", name),
						 fault_32_login_shell, NULL, NULL, shell};
		tests[n++] = (struct CMUnitTest){xasprintf("fault_32_shell_below_su_%s", name),
						 fault_32_shell_below_su, NULL, NULL, shell};
		/* fish, the csh and a restricted shell are no sh. */
		if (shells[i].no_exec || strstr("fish tcsh csh", name))
			continue;
		tests[n++] = (struct CMUnitTest){xasprintf("fault_32_sh_is_%s", name),
						 fault_32_sh_is, NULL, NULL, shell};
	}
	named = n;
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		tests[n++] = others[i];
	failed = _cmocka_run_group_tests("boot_shells", tests, n, NULL, NULL);
	for (size_t i = 0; i < named; i++)
		free((void *)(uintptr_t)tests[i].name);
	return failed;
}
