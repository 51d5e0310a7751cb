/* The bootstrap on file systems that are full, read-only, noexec, or prepared by somebody else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc.h"
#include "fd.h"
#include "isolated.h"

#define NOBODY 65534

static const char *const sh[] = {"sh", "-c", NULL};

static void ready(struct target *target, unsigned pushes)
{
	struct login login = {.target = target};

	login_expect_ready(&login, sh, pushes);
}

static void failed(struct target *target, enum boot_end end, const char *text_has)
{
	struct login login = {.target = target};

	login_expect_failed(&login, sh, end, text_has);
}

/* Less than the agent has. */
static void home_is_small(const struct target *target)
{
	isolated_enter(target);
	isolated_tmpfs("/home", "size=64k,mode=755");
}

static void all_is_small(const struct target *target)
{
	home_is_small(target);
	isolated_tmpfs("/var/tmp", "size=64k,mode=1777");
	isolated_tmpfs("/tmp", "size=64k,mode=1777");
}

static void home_is_noexec(const struct target *target)
{
	isolated_enter(target);
	isolated_remount("/home", MS_NOEXEC);
}

static void home_is_read_only(const struct target *target)
{
	isolated_enter(target);
	isolated_remount("/home", MS_RDONLY);
}

static void all_is_unusable(const struct target *target)
{
	home_is_noexec(target);
	isolated_remount("/var/tmp", MS_RDONLY);
	isolated_remount("/tmp", MS_NOEXEC);
}

/* What was sent for the full one does not disturb the next: the agent answers what it is told. */
static void fault_19_disk_full_next_directory(void **state)
{
	struct target *target = *state;

	target->isolate = home_is_small;
	ready(target, 2);
	assert_int_equal(target_count(target, "vartmp/muster-agent-0"), 1);
	ready(target, 0);
}

static void fault_19_disk_full_everywhere(void **state)
{
	struct login login = {.target = *state};

	login.target->isolate = all_is_small;
	login_start(&login, sh);
	login_wait(&login, 1);
	assert_true(login.failed);
	assert_int_equal(login.end, BOOT_NODIR);
	assert_int_equal(login.pushes, 3);
	assert_non_null(strstr(login.text, "/home/.cache/muster-agent (full)"));
	assert_non_null(strstr(login.text, "/tmp/muster-agent-0 (full)"));
	login_end(&login);
}

/* The connection is lost in the middle of the push: nothing is executed and no file stays. */
static void fault_26_push_torn(void **state)
{
	struct target *target = *state;
	struct login login = {.target = target, .hold = true};

	login_start(&login, sh);
	login_wait(&login, 1);
	assert_int_equal(login.pushes, 1);
	assert_int_equal(write(login.fd, login.queue.data, 5000), 5000);
	login.hold = false;
	fd_close(&login.fd);
	login_wait(&login, 1);
	assert_true(login.failed);
	assert_int_equal(login.end, BOOT_NO_AGENT);
	login_end(&login);
	assert_false(target_read(target, "home/tried", NULL));
	assert_int_equal(target_count(target, "home/.cache/muster-agent"), 0);
	assert_true(target_count(target, "vartmp/muster-agent-0") <= 0);
	assert_true(target_count(target, "tmp/muster-agent-0") <= 0);
}

static void fault_27_home_noexec(void **state)
{
	struct target *target = *state;

	target->isolate = home_is_noexec;
	ready(target, 1);
	assert_int_equal(target_count(target, "home/.cache/muster-agent"), 0);
	assert_int_equal(target_count(target, "vartmp/muster-agent-0"), 1);
	ready(target, 0);
}

/* It is there and whole, and cannot be started any more. */
static void fault_27_home_becomes_noexec(void **state)
{
	struct target *target = *state;

	ready(target, 1);
	assert_int_equal(target_count(target, "home/.cache/muster-agent"), 1);
	target->isolate = home_is_noexec;
	ready(target, 1);
	ready(target, 0);
	assert_int_equal(target_count(target, "vartmp/muster-agent-0"), 1);
}

static void fault_27_home_read_only(void **state)
{
	struct target *target = *state;

	target->isolate = home_is_read_only;
	ready(target, 1);
	assert_int_equal(target_count(target, "vartmp/muster-agent-0"), 1);
	ready(target, 0);
}

static void fault_27_home_missing(void **state)
{
	struct target *target = *state;

	strcpy(target->home, "/nonexistent");
	isolated_mkdir(target, "run/0", 0, 0700);
	ready(target, 1);
	assert_int_equal(target_count(target, "run/0/muster-agent"), 1);
	ready(target, 0);
}

/* Of somebody else: what is put there could be exchanged. */
static void fault_27_home_foreign(void **state)
{
	struct target *target = *state;

	target->uid = NOBODY;
	ready(target, 1);
	assert_int_equal(target_count(target, "home"), 0);
	assert_int_equal(target_count(target, "vartmp/muster-agent-65534"), 1);
}

static void fault_28_all_unusable(void **state)
{
	struct target *target = *state;

	target->isolate = all_is_unusable;
	failed(target, BOOT_NODIR,
	       "no directory there can hold the agent and run it: /home/.cache/muster-agent "
	       "(noexec), /run/user/0 (no directory of ours), "
	       "/var/tmp/muster-agent-0 (no directory of ours), /tmp/muster-agent-0 (noexec); ");
	assert_false(target_read(target, "home/tried", NULL));
}

static void fault_29_symlink_in_tmp(void **state)
{
	struct target *target = *state;
	struct stat st;
	char link[256], victim[256];

	strcpy(target->home, "/nonexistent");
	isolated_mkdir(target, "home/victim", 0, 0755);
	snprintf(link, sizeof link, "%s/vartmp/muster-agent-0", target->root);
	snprintf(victim, sizeof victim, "%s/home/victim", target->root);
	assert_int_equal(symlink("/home/victim", link), 0);
	ready(target, 1);
	assert_int_equal(target_count(target, "home/victim"), 0);
	assert_int_equal(stat(victim, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(target_count(target, "tmp/muster-agent-0"), 1);
}

static void fault_29_dangling_symlink_in_tmp(void **state)
{
	struct target *target = *state;
	char link[256];

	strcpy(target->home, "/nonexistent");
	snprintf(link, sizeof link, "%s/vartmp/muster-agent-0", target->root);
	assert_int_equal(symlink("/home/victim", link), 0);
	ready(target, 1);
	assert_int_equal(target_count(target, "home"), 0);
	assert_int_equal(target_count(target, "tmp/muster-agent-0"), 1);
}

static void fault_29_foreign_directory_in_tmp(void **state)
{
	struct target *target = *state;

	strcpy(target->home, "/nonexistent");
	isolated_mkdir(target, "vartmp/muster-agent-0", NOBODY, 0777);
	ready(target, 1);
	assert_int_equal(target_count(target, "vartmp/muster-agent-0"), 0);
	assert_int_equal(target_count(target, "tmp/muster-agent-0"), 1);
	isolated_own(target, "tmp/muster-agent-0", NOBODY, 0777);
	failed(target, BOOT_NODIR, "/tmp/muster-agent-0 (no directory of ours)");
	assert_int_equal(target_count(target, "tmp/muster-agent-0"), 1);
}

/* There another user could exchange the directory after the look at it. */
static void fault_29_tmp_is_not_sticky(void **state)
{
	struct target *target = *state;

	strcpy(target->home, "/nonexistent");
	isolated_own(target, "tmp", 0, 0777);
	isolated_own(target, "vartmp", 0, 0777);
	failed(target, BOOT_NODIR, "/var/tmp (no directory of ours)");
	assert_int_equal(target_count(target, "tmp"), 0);
}

/* Right by its hash, but its owner could still write to it. */
static void fault_29_foreign_file_in_cache(void **state)
{
	struct target *target = *state;
	struct stat st;
	char path[512];

	ready(target, 1);
	isolated_own(target, target_cached(target, "home/.cache/muster-agent"), NOBODY, 0755);
	ready(target, 1);
	snprintf(path, sizeof path, "%s/%s", target->root,
		 target_cached(target, "home/.cache/muster-agent"));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, 0);
}

static void cached_agents_are_removed(void **state)
{
	struct target *target = *state;
	char *expected, *text;

	ready(target, 1);
	strcpy(target->home, "/nonexistent");
	ready(target, 1);
	strcpy(target->home, "/home");
	isolated_mkdir(target, "tmp/muster-agent-0", NOBODY, 0755);
	target_write(target, "tmp/muster-agent-0/agent-x86_64-0000000000000000", "foreign", 0755);
	target_write(target, "vartmp/muster-agent-0/agent.0123456789abcdef", "torn", 0600);
	target_write(target, "home/.cache/muster-agent/of the user", "stays", 0600);

	expected = xasprintf("%s\t%s\t/%s\n%s\t%s\t/var/tmp/muster-agent-0/agent-%s-%.16s\n",
			     target->arch, target->sha256,
			     target_cached(target, "home/.cache/muster-agent"), target->arch,
			     target->sha256, target->arch, target->sha256);
	text = target_run(target, sh, boot_list_command());
	assert_string_equal(text, expected);
	free(text);
	text = target_run(target, sh, boot_remove_command());
	assert_string_equal(text, expected);
	free(text);
	free(expected);
	assert_int_equal(target_count(target, "vartmp/muster-agent-0"), -1);
	assert_int_equal(target_count(target, "home/.cache/muster-agent"), 1);
	assert_int_equal(target_count(target, "tmp/muster-agent-0"), 1);
	text = target_run(target, sh, boot_remove_command());
	assert_string_equal(text, "");
	free(text);
}

#define FAULT(test) cmocka_unit_test_setup_teardown(test, isolated_setup, isolated_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		FAULT(fault_19_disk_full_next_directory),
		FAULT(fault_19_disk_full_everywhere),
		FAULT(fault_26_push_torn),
		FAULT(fault_27_home_noexec),
		FAULT(fault_27_home_becomes_noexec),
		FAULT(fault_27_home_read_only),
		FAULT(fault_27_home_missing),
		FAULT(fault_27_home_foreign),
		FAULT(fault_28_all_unusable),
		FAULT(fault_29_symlink_in_tmp),
		FAULT(fault_29_dangling_symlink_in_tmp),
		FAULT(fault_29_foreign_directory_in_tmp),
		FAULT(fault_29_tmp_is_not_sticky),
		FAULT(fault_29_foreign_file_in_cache),
		FAULT(cached_agents_are_removed),
	};
	int skipped = isolated_possible();

	return skipped ? skipped : cmocka_run_group_tests(tests, NULL, NULL);
}
