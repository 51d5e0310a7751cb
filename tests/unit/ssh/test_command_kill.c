/* The text that ends what a run has started, on real processes. */
#include <dirent.h>
#include <errno.h>
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
#include "clock.h"
#include "command.h"
#include "fd.h"
#include "programs.h"

#define ENVIRON_MAX (1u << 20)
#define PATIENCE_NS 60000000000u

static char dir[] = "/tmp/muster-kill-XXXXXX";

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	(void)setenv("HOME", dir, 1);
	/* What loses its parent becomes ours, and is gone when it is dead. */
	return prctl(PR_SET_CHILD_SUBREAPER, 1);
}

/* What a test has left, as it failed half-way, ends too. */
static int tear_down(void **state)
{
	(void)state;
	program_end_all();
	remove_tree(dir);
	return 0;
}

/* Each test has its own id. */
static const char *new_id(void)
{
	static char id[64];
	static unsigned number;

	(void)snprintf(id, sizeof id, "test-%d-%u", (int)getpid(), ++number);
	return id;
}

static bool is_marked(const char *pid, const char *id)
{
	char *path = xasprintf("/proc/%s/environ", pid);
	char *want = xasprintf("MUSTER_RUN=%s", id);
	struct buf text = {0};
	bool found = false;

	if (fd_read_file(&text, path, ENVIRON_MAX) == 0)
		for (const char *p = buf_cstr(&text); p < (const char *)text.data + text.len;
		     p += strlen(p) + 1)
			found = found || strcmp(p, want) == 0;
	buf_done(&text);
	free(want);
	free(path);
	return found;
}

static size_t count_marked(const char *id)
{
	DIR *proc = opendir("/proc");
	size_t n = 0;

	assert_non_null(proc);
	for (struct dirent *e; (e = readdir(proc)) != NULL;)
		n += e->d_name[0] >= '1' && e->d_name[0] <= '9' && is_marked(e->d_name, id);
	(void)closedir(proc);
	return n;
}

/* One that becomes a program has no environment for a moment. */
static void await_marked(const char *id, size_t count)
{
	uint64_t late = clock_mono_ns() + PATIENCE_NS;

	while (count_marked(id) < count) {
		if (clock_mono_ns() > late)
			fail_msg("there are less than %zu of %s", count, id);
		(void)usleep(10000);
	}
}

/* Runs a script of sh, marked; comes back when so many of its processes are there. */
static pid_t start_marked(const char *id, const char *script, size_t count)
{
	char *marker = xasprintf("MUSTER_RUN=%s", id);
	const char *argv[] = {"env", marker, "sh", "-c", script, NULL};
	pid_t pid = program_start(argv, -1);

	free(marker);
	await_marked(id, count);
	return pid;
}

/* Every dead child of ours. The dead have no environment, but a number of theirs. */
static void reap(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

static int kill_with(const char *shell, const char *shell_arg, const char *id, unsigned grace_s)
{
	const char *argv[] = {shell, "-c", NULL, NULL, NULL};
	struct buf text = {0};
	int status;

	command_kill(&text, id, grace_s);
	if (shell_arg) {
		argv[1] = shell_arg;
		argv[2] = "-c";
	}
	argv[shell_arg ? 3 : 2] = buf_cstr(&text);
	status = program_run(argv, NULL);
	buf_done(&text);
	return status;
}

static void ends_all(const char *id, unsigned grace_s)
{
	assert_int_equal(kill_with("sh", NULL, id, grace_s), 0);
	assert_int_equal(count_marked(id), 0);
	reap();
}

static void test_nobody_there(void **state)
{
	(void)state;
	assert_int_equal(kill_with("sh", NULL, new_id(), 5), 0);
}

static void test_a_tree(void **state)
{
	const char *id = new_id();

	(void)state;
	(void)start_marked(id,
			   "sleep 1000 & (sleep 1000 & sleep 1000 & wait) & sh -c 'sleep 1000; :' &"
			   "wait",
			   7);
	ends_all(id, 30);
}

/* Neither a session of its own nor the death of its parents hides a process. */
static void test_daemons(void **state)
{
	const char *id = new_id();

	(void)state;
	(void)start_marked(id, "setsid sh -c 'setsid sleep 1000 & exec sleep 1000' & exit 0", 2);
	reap();
	ends_all(id, 30);
}

static void test_term_comes_first(void **state)
{
	const char *id = new_id();
	char *mark = xasprintf("%s/term", dir);
	char *script = xasprintf("trap 'echo x >%s; exit' TERM; echo >%s.up; "
				 "while :; do sleep 0.05; done",
				 mark, mark);
	char *up = xasprintf("%s.up", mark);

	(void)state;
	(void)start_marked(id, script, 1);
	while (access(up, F_OK) != 0)
		(void)usleep(10000);
	ends_all(id, 30);
	assert_int_equal(access(mark, F_OK), 0);
	free(up);
	free(script);
	free(mark);
}

static void test_who_ignores_term_is_killed(void **state)
{
	const char *id = new_id();

	(void)state;
	(void)start_marked(id, "trap '' TERM; sh -c 'sleep 1000; :' & sleep 1000; :", 4);
	ends_all(id, 1);
}

static void test_without_grace(void **state)
{
	const char *id = new_id();

	(void)state;
	(void)start_marked(id, "trap '' TERM; sleep 1000; :", 2);
	ends_all(id, 0);
}

static void test_a_stopped_process(void **state)
{
	const char *id = new_id();
	pid_t pid;

	(void)state;
	pid = start_marked(id, "exec sleep 1000", 1);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	ends_all(id, 0);
}

/* Each generation begins the next and ends: the process that was seen may not be the one that is
 * there when the signal comes. With shorter lives it depends on how busy the computer is whether
 * one is ever met. */
static void test_one_that_runs_away(void **state)
{
	const char *id = new_id();
	char *path = xasprintf("%s/chase", dir), *marker = xasprintf("MUSTER_RUN=%s", id);
	const char *argv[] = {"env", marker, path, NULL};
	FILE *file = fopen(path, "we");

	(void)state;
	assert_non_null(file);
	assert_true(fputs("#!/bin/sh\ntrap '' TERM\nsleep 0.3\n\"$0\" &\nexit 0\n", file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0700), 0);
	(void)program_start(argv, -1);
	await_marked(id, 1);
	ends_all(id, 0);
	free(marker);
	free(path);
}

static void test_others_are_left_alone(void **state)
{
	char *id = xstrdup(new_id()), *other = xstrdup(new_id());
	/* It halts itself, as what it waited for would outlive it. */
	const char *named[] = {"sh", "-c", "kill -STOP $$; : $0", NULL, NULL};
	pid_t stranger, with_name;

	(void)state;
	named[3] = xasprintf("MUSTER_RUN=%s", id); /* in its arguments, not in its environment */
	with_name = program_start(named, -1);
	stranger = start_marked(other, "exec sleep 1000", 1);
	(void)start_marked(id, "exec sleep 1000", 1);
	assert_int_equal(kill_with("sh", NULL, id, 5), 0);
	assert_int_equal(count_marked(id), 0);
	await_marked(other, 1);
	assert_int_equal(waitpid(with_name, NULL, WNOHANG), 0);
	assert_int_equal(kill(with_name, SIGKILL), 0);
	assert_int_equal(program_wait(with_name), 128 + SIGKILL);
	ends_all(other, 0);
	assert_int_equal(waitpid(stranger, NULL, WNOHANG), -1); /* reaped with it */
	free(id);
	free(other);
	free((char *)(uintptr_t)named[3]);
}

/* The text goes through the login shell of the target, whatever that is. */
static void test_through_every_shell(void **state)
{
	static const char *const shells[][2] = {
		{"dash", NULL}, {"bash", NULL}, {"zsh", NULL}, {"fish", NULL},	  {"ksh93", NULL},
		{"mksh", NULL}, {"tcsh", NULL}, {"csh", NULL}, {"busybox", "sh"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(shells); i++) {
		const char *id = new_id();

		if (!program_find(shells[i][0]))
			continue;
		(void)start_marked(id, "sleep 1000 & wait", 2);
		if (kill_with(shells[i][0], shells[i][1], id, 10) != 0 || count_marked(id))
			fail_msg("%s does not end it", shells[i][0]);
		reap();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody_there),
		cmocka_unit_test(test_a_tree),
		cmocka_unit_test(test_daemons),
		cmocka_unit_test(test_term_comes_first),
		cmocka_unit_test(test_who_ignores_term_is_killed),
		cmocka_unit_test(test_without_grace),
		cmocka_unit_test(test_a_stopped_process),
		cmocka_unit_test(test_one_that_runs_away),
		cmocka_unit_test(test_others_are_left_alone),
		cmocka_unit_test(test_through_every_shell),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
