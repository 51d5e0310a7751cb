/* The bootstrap where something is wrong on the target, as an ordinary user of it. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc.h"
#include "harness.h"

static const char *const bash[] = {"bash", "-c", NULL};
static const char *const sh[] = {"sh", "-c", NULL};

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

static void ready(struct target *target, const char *const *argv, unsigned pushes)
{
	struct login login = {.target = target};

	login_expect_ready(&login, argv, pushes);
}

static void failed(struct target *target, const char *const *argv, enum boot_end end,
		   const char *text_has)
{
	struct login login = {.target = target};

	login_expect_failed(&login, argv, end, text_has);
}

static void fault_25_cached_agent_altered(void **state)
{
	struct target *target = *state;
	const char *path = target_cached(target, "home/.cache/muster-agent");
	char *whole, *now;

	ready(target, sh, 1);
	assert_true(target_read(target, path, &whole));

	whole[strlen(whole) / 2] ^= 1;
	target_write(target, path, whole, 0700);
	ready(target, sh, 1);

	whole[strlen(whole) / 2] ^= 1;
	assert_true(target_read(target, path, &now));
	assert_string_equal(now, whole);
	free(now);

	whole[1000] = '\0';
	target_write(target, path, whole, 0700);
	ready(target, sh, 1);
	target_write(target, path, "", 0700);
	ready(target, sh, 1);
	target_write(target, path, "not even executable", 0600);
	ready(target, sh, 1);
	ready(target, sh, 0);
	free(whole);
}

static void fault_26_push_corrupted_once(void **state)
{
	struct login login = {.target = *state, .damage = 1};

	login_expect_ready(&login, sh, 2);
	assert_int_equal(target_count(*state, "home/.cache/muster-agent"), 1);
}

static void fault_26_push_corrupted_twice(void **state)
{
	struct login login = {.target = *state, .damage = 3};

	login_expect_failed(&login, sh, BOOT_DAMAGED, "damaged");
	assert_int_equal(target_count(*state, "home/.cache/muster-agent"), 0);
	assert_false(target_read(*state, "home/tried", NULL));
}

#define PARALLEL 100u

/* All have asked before the first is answered. */
static void fault_30_parallel_cold_pushes(void **state)
{
	static struct login logins[PARALLEL];

	for (size_t i = 0; i < PARALLEL; i++) {
		logins[i] = (struct login){.target = *state, .hold = true};
		login_start(&logins[i], sh);
	}
	login_wait(logins, PARALLEL);
	for (size_t i = 0; i < PARALLEL; i++) {
		assert_int_equal(logins[i].pushes, 1);
		logins[i].hold = false;
	}
	login_wait(logins, PARALLEL);
	for (size_t i = 0; i < PARALLEL; i++) {
		assert_true(logins[i].ready);
		login_talk(&logins[i]);
		login_end(&logins[i]);
	}
	assert_int_equal(target_count(*state, "home/.cache/muster-agent"), 1);
	ready(*state, sh, 0);
}

static void fault_31_bashrc_chatty(void **state)
{
	target_write(*state, "home/.bashrc",
		     "printf '%0109000d' 7; printf 'no newline' >&2; printf '\\033[2J'\n", 0600);
	ready(*state, bash, 1);
	ready(*state, bash, 0);
}

static void fault_31_bashrc_reads_stdin(void **state)
{
	target_write(*state, "home/.bashrc", "read -r -t 0.2 line; : >\"$HOME/has-read\"\n", 0600);
	ready(*state, bash, 1);
	assert_true(target_read(*state, "home/has-read", NULL));
}

static void fault_31_bashrc_exits(void **state)
{
	target_write(*state, "home/.bashrc", "echo 'closed \033[31mtoday'; exit 3\n", 0600);
	failed(*state, bash, BOOT_NO_AGENT, "closed \\x1b[31mtoday");
	failed(*state, bash, BOOT_NO_AGENT, "exit status 3");
}

static void fault_31_bashrc_never_stops(void **state)
{
	target_write(*state, "home/.bashrc", "while :; do echo more and more; done\n", 0600);
	failed(*state, bash, BOOT_NO_AGENT, "too much was printed");
}

/* The command's text, with both halves of the nonce, is no answer. */
static void fault_32_forced_command_echoes(void **state)
{
	static const char *const echo[] = {"sh", "-c", "printf '%s\\n' \"$1\"; exit 4", "forced",
					   NULL};

	failed(*state, echo, BOOT_NO_AGENT, "exit status 4");
}

static void fault_32_nologin(void **state)
{
	const char *path = tool_find("nologin");
	const char *const argv[] = {path, "-c", NULL};

	if (!path) {
		print_message("SKIPPED: nologin is not installed\n");
		skip();
	}
	failed(*state, argv, BOOT_NO_AGENT, "not available");
}

static void fault_32_sh_is_missing(void **state)
{
	struct target *target = *state;
	static const char *const dash[] = {"/bin/sh", "-c", NULL};

	free(target->path);
	target->path = xstrdup(target->bin);
	failed(target, dash, BOOT_NO_AGENT, "not found");
}

static void fault_33_unknown_arch(void **state)
{
	target_write(*state, "bin/uname", "#!/bin/sh\necho mips\n", 0755);
	failed(*state, sh, BOOT_ARCH, "there is no agent for mips, only for ");
	assert_int_equal(target_count(*state, "home/.cache"), -1);
}

static void fault_33_no_agents_at_all(void **state)
{
	static const struct payload none = {"", NULL, 0, ""};
	struct login login = {.target = *state, .spec = {.payloads = &none}};

	login_expect_failed(&login, sh, BOOT_ARCH, "there is no agent for ");
}

/* An ELF header of a machine that there is not, under each sh: some take it for a script. */
static void fault_33_wrong_arch_binary(void **state)
{
	static const char *const programs[] = {"dash", "bash", "busybox", "mksh", "zsh", "ksh"};
	static const char header[] = "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\xfe\x7f\1\0\0\0";
	static const char harm[] = "\ntouch \"$HOME/tried\"\n";
	struct target *target = *state;
	char data[4096] = {0}, link[128];

	memcpy(data, header, sizeof header);
	memcpy(data + 64, harm, sizeof harm);
	target_agent(target, data, sizeof data);
	snprintf(link, sizeof link, "%s/sh", target->bin);
	for (size_t i = 0; i < ARRAY_LEN(programs); i++) {
		if (!tool_find(programs[i]))
			continue;
		assert_int_equal(symlink(tool_find(programs[i]), link), 0);
		failed(target, sh, BOOT_ARCH, "does not run there");
		assert_int_equal(unlink(link), 0);
		assert_int_equal(target_count(target, "home/.cache/muster-agent"), 0);
		assert_false(target_read(target, "home/tried", NULL));
	}
}

static void cache_directory_of_xdg(void **state)
{
	struct target *target = *state;
	char *xdg = xasprintf("XDG_CACHE_HOME=%s/etc", target->root);

	target->env[0] = xdg;
	ready(target, sh, 1);
	assert_int_equal(target_count(target, "etc/muster-agent"), 1);
	assert_int_equal(target_count(target, "home/.cache/muster-agent"), -1);
	ready(target, sh, 0);
	free(xdg);
}

/* A path that is none, and one that is not there. */
static void cache_directory_of_xdg_is_nonsense(void **state)
{
	struct target *target = *state;

	target->env[0] = "XDG_CACHE_HOME=relative";
	ready(target, sh, 1);
	target->env[0] = "XDG_CACHE_HOME=/nonexistent/cache";
	ready(target, sh, 0);
	assert_int_equal(target_count(target, "home/relative"), -1);
}

static void cache_directory_has_odd_name(void **state)
{
	struct target *target = *state;

	strcpy(target->home, target->root);
	strcat(target->home, "/a home; with $(x) 'and \"");
	assert_int_equal(mkdir(target->home, 0755), 0);
	ready(target, sh, 1);
	ready(target, sh, 0);
}

/* What others may write to is closed first; what is a symlink is not ours. */
static void cache_directory_is_open_to_all(void **state)
{
	struct target *target = *state;
	struct stat st;
	char path[256];

	ready(target, sh, 1);
	snprintf(path, sizeof path, "%s/.cache/muster-agent", target->home);
	assert_int_equal(chmod(path, 0777), 0);
	ready(target, sh, 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

static void old_agents_are_removed(void **state)
{
	static const struct timespec old[2] = {{.tv_sec = 1000000}, {.tv_sec = 1000000}};
	struct target *target = *state;
	char path[256];

	ready(target, sh, 1);
	target_write(target, "home/.cache/muster-agent/agent-x86_64-0000000000000000", "old", 0700);
	target_write(target, "home/.cache/muster-agent/agent.0123456789abcdef", "torn", 0700);
	target_write(target, "home/.cache/muster-agent/agent-x86_64-1111111111111111", "recent",
		     0700);
	snprintf(path, sizeof path, "%s/.cache/muster-agent/agent-x86_64-0000000000000000",
		 target->home);
	assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
	snprintf(path, sizeof path, "%s/.cache/muster-agent/agent.0123456789abcdef", target->home);
	assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
	target_write(target, target_cached(target, "home/.cache/muster-agent"), "damaged", 0700);
	ready(target, sh, 1);
	assert_int_equal(target_count(target, "home/.cache/muster-agent"), 2);
}

static void cached_agents_are_listed(void **state)
{
	struct target *target = *state;
	char *text, *line;

	ready(target, sh, 1);
	line = xasprintf("%s\t%s\t%s/%s\n", target->arch, target->sha256, target->root,
			 target_cached(target, "home/.cache/muster-agent"));
	text = target_run(target, sh, boot_list_command());
	assert_non_null(strstr(text, line));
	free(text);
	free(line);
}

#define FAULT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		FAULT(fault_25_cached_agent_altered),  FAULT(fault_26_push_corrupted_once),
		FAULT(fault_26_push_corrupted_twice),  FAULT(fault_30_parallel_cold_pushes),
		FAULT(fault_31_bashrc_chatty),	       FAULT(fault_31_bashrc_reads_stdin),
		FAULT(fault_31_bashrc_exits),	       FAULT(fault_31_bashrc_never_stops),
		FAULT(fault_32_forced_command_echoes), FAULT(fault_32_nologin),
		FAULT(fault_32_sh_is_missing),	       FAULT(fault_33_unknown_arch),
		FAULT(fault_33_no_agents_at_all),      FAULT(fault_33_wrong_arch_binary),
		FAULT(cache_directory_of_xdg),	       FAULT(cache_directory_of_xdg_is_nonsense),
		FAULT(cache_directory_has_odd_name),   FAULT(cache_directory_is_open_to_all),
		FAULT(old_agents_are_removed),	       FAULT(cached_agents_are_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
