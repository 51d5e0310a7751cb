/* daemon/local.c: starting commands, their surroundings, their output, how they end. */
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "local_run.h"

#define FLOOD_BYTES (100u << 20)

/* --- how it ends ---------------------------------------------------------------------------- */

static void test_exit_codes(void **state)
{
	struct run run = {0};

	(void)state;
	run_sh(&run, "exit 0");
	assert_end(&run, LOCAL_END_EXITED, 0, "", "");
	assert_true(run.result.began);
	run_done(&run);
	run_sh(&run, "exit 7");
	assert_end(&run, LOCAL_END_EXITED, 7, "", "");
	run_done(&run);
	run_sh(&run, "exit 255");
	assert_end(&run, LOCAL_END_EXITED, 255, "", "");
	run_done(&run);
}

static void test_signals(void **state)
{
	struct run run = {0};

	(void)state;
	run_sh(&run, "kill -KILL $$");
	assert_end(&run, LOCAL_END_SIGNALLED, -1, "KILL", "");
	run_done(&run);
	run_sh(&run, "kill -TERM $$");
	assert_end(&run, LOCAL_END_SIGNALLED, -1, "TERM", "");
	run_done(&run);
	run_sh(&run, "kill -40 $$");
	assert_int_equal(run.result.end, LOCAL_END_SIGNALLED);
	assert_int_equal(strncmp(run.result.signal, "RTMIN+", 6), 0);
	run_done(&run);
}

static void test_no_event_before_return(void **state)
{
	struct run run = {0};

	(void)state;
	run.spec.directory = "/nowhere at all";
	run_start_sh(&run, "true");
	assert_int_equal(run.running + run.ended, 0);
	run_wait(&run);
	run_done(&run);
}

static void test_missing_directory(void **state)
{
	struct run run = {0};
	char *longest = xcalloc(1, 3000);

	(void)state;
	run.spec.directory = "/nowhere\33[1m/at all";
	run_sh(&run, "echo never");
	assert_end(&run, LOCAL_END_REFUSED, -1, "",
		   "working directory /nowhere\\x1b[1m/at all: No such file or directory");
	assert_false(run.result.began);
	assert_int_equal(run.running, 0);
	assert_int_equal(run.bytes, 0);
	run_done(&run);

	run.spec.directory = "/etc/passwd";
	run_sh(&run, "echo never");
	assert_end(&run, LOCAL_END_REFUSED, -1, "",
		   "working directory /etc/passwd: Not a directory");
	run_done(&run);

	memset(longest, 'd', 2999);
	longest[0] = '/';
	run.spec.directory = longest;
	run_sh(&run, "echo never");
	assert_int_equal(run.result.end, LOCAL_END_REFUSED);
	assert_non_null(strstr(run.result.text, ": File name too long"));
	run_done(&run);
	free(longest);
}

static void test_cannot_be_executed(void **state)
{
	struct run run = {0};

	(void)state;
	run_start(&run, (const char *[]){"no-such-command", "x", NULL});
	run_wait(&run);
	assert_end(&run, LOCAL_END_EXITED, 127, "", "");
	assert_err(&run, "no-such-command: not found\n");
	assert_true(run.result.began);
	run_done(&run);

	run_start(&run, (const char *[]){"/etc/passwd", NULL});
	run_wait(&run);
	assert_end(&run, LOCAL_END_EXITED, 126, "", "");
	assert_err(&run, "/etc/passwd: Permission denied\n");
	run_done(&run);

	run_start(&run, (const char *[]){"", NULL});
	run_wait(&run);
	assert_end(&run, LOCAL_END_EXITED, 127, "", "");
	run_done(&run);
}

static void test_no_descriptors(void **state)
{
	struct run run = {0};
	struct rlimit before, low;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	low = before;
	low.rlim_cur = open_files() - 2; /* the one with which they are counted, . and .. */
	run_start_sh(&run, "true");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	run_wait(&run);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_end(&run, LOCAL_END_REFUSED, -1, "", "cannot start a process: Too many open files");
	assert_false(run.result.began);
	run_done(&run);
}

/* --- what surrounds it ---------------------------------------------------------------------- */

static void test_arguments(void **state)
{
	struct run run = {0};

	(void)state;
	run_start(&run, (const char *[]){"printf", "[%s]", "a b", "", "$HOME", "'\"\n", NULL});
	run_wait(&run);
	assert_out(&run, "[a b][][$HOME]['\"\n]");
	run_done(&run);
}

static void test_environment(void **state)
{
	struct run run = {0};
	char *mark, *wanted;

	(void)state;
	(void)setenv("LANG", "C.UTF-8", 1);
	(void)setenv("USER", "somebody", 1);
	(void)setenv("LOGNAME", "somebody", 1);
	(void)setenv("SHELL", "/bin/some-sh", 1);
	(void)setenv("TERM", "xterm", 1);
	(void)setenv("SECRET", "x", 1);
	(void)unsetenv("LC_ALL");
	run.spec.home = "/some home";
	run.spec.path = "/bin:/usr/bin";
	run_start(&run, (const char *[]){"env", NULL});
	run_wait(&run);
	mark = run_mark(NULL);
	wanted = xasprintf("PATH=/bin:/usr/bin\nHOME=/some home\nUSER=somebody\nLOGNAME=somebody\n"
			   "SHELL=/bin/some-sh\nLANG=C.UTF-8\nMUSTER_RUN=%s\n",
			   mark);
	assert_out(&run, wanted);
	free(mark);
	free(wanted);
	run_done(&run);

	/* What the daemon does not have comes from the user database. */
	(void)unsetenv("USER");
	(void)unsetenv("LOGNAME");
	(void)unsetenv("SHELL");
	run_sh(&run, "test \"$USER\" = \"$(id -un)\" && test \"$LOGNAME\" = \"$USER\" && "
		     "test -x \"$SHELL\" && test \"$PATH\" && test \"$HOME\"");
	assert_end(&run, LOCAL_END_EXITED, 0, "", "");
	run_done(&run);
}

/* The command is looked for in the PATH that it is given. */
static void test_path(void **state)
{
	struct run run = {0};
	char dir[] = "/tmp/muster-local-XXXXXX", *file;
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	file = xasprintf("%s/only-here", dir);
	f = fopen(file, "we");
	assert_non_null(f);
	fputs("echo \"$PWD\" $1\n", f); /* no #!: sh runs it, as execvp(3) says */
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(file, 0755), 0);
	run.spec.path = dir;
	run.spec.directory = "/usr";
	run_start(&run, (const char *[]){"only-here", "argument", NULL});
	run_wait(&run);
	assert_out(&run, "/usr argument\n");
	run_done(&run);
	(void)unlink(file);
	(void)rmdir(dir);
	free(file);
}

static void test_directory(void **state)
{
	struct run run = {0};
	char dir[] = "/tmp/muster it's a \"dir\" XXXXXX";

	(void)state;
	assert_non_null(mkdtemp(dir));
	run.spec.directory = dir;
	run_sh(&run, "pwd");
	assert_int_equal(strncmp(buf_cstr(&run.out), dir, strlen(dir)), 0);
	run_done(&run);
	(void)rmdir(dir);
}

static void test_descriptors(void **state)
{
	struct run run = {0};
	int open_one = open("/dev/null", O_RDONLY), high = fcntl(open_one, F_DUPFD, 500);

	(void)state;
	assert_true(open_one >= 0 && high >= 0);
	run_sh(&run, "readlink /proc/$$/fd/0; cat; i=3; while [ $i -lt 600 ]; do "
		     "[ -e /proc/$$/fd/$i ] && echo $i is open; i=$((i+1)); done; ulimit -n");
	assert_out(&run, "/dev/null\n1024\n");
	assert_end(&run, LOCAL_END_EXITED, 0, "", "");
	run_done(&run);
	(void)close(open_one);
	(void)close(high);
}

/* Our own standard descriptors closed: the pipes then have their numbers. */
static void test_without_standard_descriptors(void **state)
{
	struct run run = {0};
	int saved[3];

	(void)state;
	for (int i = 0; i < 3; i++) {
		saved[i] = fcntl(i, F_DUPFD_CLOEXEC, 100);
		(void)close(i);
	}
	run_start_sh(&run, "echo out; echo err >&2; cat");
	run_wait(&run);
	for (int i = 0; i < 3; i++) {
		(void)dup2(saved[i], i);
		(void)close(saved[i]);
	}
	assert_out(&run, "out\n");
	assert_err(&run, "err\n");
	assert_end(&run, LOCAL_END_EXITED, 0, "", "");
	run_done(&run);
}

static void test_signal_dispositions(void **state)
{
	struct run run = {0};
	sigset_t usr1;

	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)sigemptyset(&usr1);
	(void)sigaddset(&usr1, SIGUSR1);
	(void)sigprocmask(SIG_BLOCK, &usr1, NULL);
	run_start(&run,
		  (const char *[]){"grep", "-E", "^Sig(Blk|Ign):", "/proc/self/status", NULL});
	run_wait(&run);
	(void)sigprocmask(SIG_UNBLOCK, &usr1, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)signal(SIGHUP, SIG_DFL);
	assert_out(&run, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
	run_done(&run);
}

static void test_own_session(void **state)
{
	struct run run = {0};
	int pid, group, session;

	(void)state;
	run_sh(&run, "cut -d' ' -f1,5,6 /proc/$$/stat");
	assert_int_equal(sscanf(buf_cstr(&run.out), "%d %d %d", &pid, &group, &session), 3);
	assert_int_equal(pid, group);
	assert_int_equal(pid, session);
	assert_int_not_equal(session, getsid(0));
	run_done(&run);
}

/* --- output --------------------------------------------------------------------------------- */

static void test_streams(void **state)
{
	struct run run = {0};

	(void)state;
	run_sh(&run, "for i in 1 2 3; do echo out $i; echo err $i >&2; done; printf 'a\\0b\\377'");
	assert_int_equal(run.out.len, 3 * 6 + 4);
	assert_memory_equal(run.out.data, "out 1\nout 2\nout 3\na\0b\377", run.out.len);
	assert_err(&run, "err 1\nerr 2\nerr 3\n");
	assert_int_equal(run.running, 1);
	assert_true(run.bursts > 0);
	run_done(&run);
}

static void test_closes_its_output(void **state)
{
	struct run run = {0};

	(void)state;
	run_sh(&run, "exec >&- 2>&-; exit 3");
	assert_end(&run, LOCAL_END_EXITED, 3, "", "");
	run_done(&run);
}

/* As `flood` below writes it. */
static uint64_t flood_next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static uint64_t flood_sum(size_t bytes)
{
	uint64_t seed = 1, sum = 0;

	for (size_t i = 0; i < bytes; i += 8) {
		uint64_t v = flood_next(&seed);

		for (int k = 0; k < 8; k++)
			sum = sum * 31 + (uint8_t)(v >> 8 * k);
	}
	return sum;
}

static int flood(size_t bytes)
{
	uint64_t seed = 1, block[512];

	for (size_t i = 0; i < bytes; i += sizeof block) {
		const uint8_t *p = (const uint8_t *)block;
		size_t left = sizeof block;

		for (size_t k = 0; k < ARRAY_LEN(block); k++)
			block[k] = flood_next(&seed);
		while (left) {
			ssize_t n = write(STDOUT_FILENO, p, left);

			if (n < 0)
				return 1;
			p += n;
			left -= (size_t)n;
		}
	}
	return 0;
}

static void start_flood(struct run *run, const char *bytes)
{
	char *self = xcalloc(1, 4096);

	assert_true(readlink(SELF, self, 4095) > 0);
	run->discard = true;
	run_start(run, (const char *[]){self, "flood", bytes, NULL});
	free(self);
}

static void test_hundred_megabytes(void **state)
{
	struct run run = {0};

	(void)state;
	start_flood(&run, "104857600");
	run_wait(&run);
	assert_end(&run, LOCAL_END_EXITED, 0, "", "");
	assert_int_equal(run.bytes, FLOOD_BYTES);
	assert_true(run.sum == flood_sum(FLOOD_BYTES));
	run_done(&run);
}

static void hold_now(struct run *run)
{
	local_hold(run->local, true);
	local_hold(run->local, true);
}

static bool has_some(const void *arg)
{
	return ((const struct run *)arg)->bytes > 0;
}

static void test_hold(void **state)
{
	struct run run = {.on_data = hold_now}, other = {0};
	uint64_t before;

	(void)state;
	start_flood(&run, "4194304");
	await(has_some, &run);
	before = run.bytes;
	/* Held from inside of the event: the rest of the burst is not read either. */
	assert_true(before <= 16384);
	/* Others go on meanwhile. */
	run_sh(&other, "for i in 1 2 3 4 5 6 7 8 9; do /bin/true; done; echo done");
	assert_out(&other, "done\n");
	assert_int_equal(run.bytes, before);
	assert_int_equal(run.ended, 0);
	run.on_data = NULL;
	local_hold(run.local, false);
	run_wait(&run);
	assert_int_equal(run.bytes, 4194304);
	assert_true(run.sum == flood_sum(4194304));
	run_done(&run);
	run_done(&other);
}

/* Held before it begins, and still when it has ended: what is in the pipe waits. */
static void test_hold_over_the_end(void **state)
{
	struct run run = {0}, other = {0};

	(void)state;
	run_start_sh(&run, "echo here; exit 4");
	local_hold(run.local, true);
	run_sh(&other, "sleep 2.5"); /* longer than one lingers */
	assert_int_equal(run.ended, 0);
	assert_int_equal(run.bytes, 0);
	local_hold(run.local, false);
	run_wait(&run);
	assert_out(&run, "here\n");
	assert_end(&run, LOCAL_END_EXITED, 4, "", "");
	run_done(&run);
	run_done(&other);
}

static void hold_a_little(struct run *run);

static void hold_off(void *arg)
{
	struct run *run = arg;

	if (run->local)
		local_hold(run->local, false);
}

static void hold_a_little(struct run *run)
{
	local_hold(run->local, true);
	loop_defer(run_loop, hold_off, run);
}

static void test_hold_all_the_time(void **state)
{
	struct run run = {.on_data = hold_a_little};

	(void)state;
	start_flood(&run, "8388608");
	run_wait(&run);
	assert_int_equal(run.bytes, 8388608);
	assert_true(run.sum == flood_sum(8388608));
	run_done(&run);
}

/* A flood does not keep the others from being read. */
static void test_fairness(void **state)
{
	struct run run = {.discard = true}, others[5] = {0};

	(void)state;
	run_start(&run, (const char *[]){"yes", NULL});
	await(has_some, &run);
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		run_sh(&others[i], "echo served");
		assert_out(&others[i], "served\n");
		run_done(&others[i]);
	}
	local_free(run.local);
	await(no_children, NULL);
	run_done(&run);
}

static void test_leaves_somebody_behind(void **state)
{
	struct run run = {0};
	int pid;

	(void)state;
	run_sh(&run, "sleep 1000 & echo $!; exit 5");
	assert_end(&run, LOCAL_END_EXITED, 5, "",
		   "it left processes behind that hold its output open");
	assert_int_equal(sscanf(buf_cstr(&run.out), "%d", &pid), 1);
	assert_true(is_alive(pid));
	(void)kill(pid, SIGKILL);
	run_done(&run);

	/* Whoever does not hold the output open is none of our business. */
	run_sh(&run, "sleep 1000 >/dev/null 2>&1 & echo $!");
	assert_end(&run, LOCAL_END_EXITED, 0, "", "");
	assert_int_equal(sscanf(buf_cstr(&run.out), "%d", &pid), 1);
	assert_true(is_alive(pid));
	(void)kill(pid, SIGKILL);
	run_done(&run);

	/* What they still write before they end is waited for. */
	run_sh(&run, "(sleep 0.3; echo late) & exit 0");
	assert_end(&run, LOCAL_END_EXITED, 0, "", "");
	assert_out(&run, "late\n");
	run_done(&run);
}

/* --- many ----------------------------------------------------------------------------------- */

static bool all_ended(const void *arg)
{
	const struct run *runs = arg;

	for (size_t i = 0; i < 200; i++)
		if (!runs[i].ended)
			return false;
	return true;
}

static void test_two_hundred(void **state)
{
	struct run *runs = xcalloc(200, sizeof *runs);
	char script[64];

	(void)state;
	for (int i = 0; i < 200; i++) {
		(void)snprintf(script, sizeof script, "echo %d; exit %d", i, i);
		run_start_sh(&runs[i], script);
	}
	await(all_ended, runs);
	for (int i = 0; i < 200; i++) {
		(void)snprintf(script, sizeof script, "%d\n", i);
		assert_out(&runs[i], script);
		assert_end(&runs[i], LOCAL_END_EXITED, i, "", "");
		run_done(&runs[i]);
	}
	free(runs);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(test_exit_codes),
		RUN_TEST(test_signals),
		RUN_TEST(test_no_event_before_return),
		RUN_TEST(test_missing_directory),
		RUN_TEST(test_cannot_be_executed),
		RUN_TEST(test_no_descriptors),
		RUN_TEST(test_arguments),
		RUN_TEST(test_environment),
		RUN_TEST(test_path),
		RUN_TEST(test_directory),
		RUN_TEST(test_descriptors),
		RUN_TEST(test_without_standard_descriptors),
		RUN_TEST(test_signal_dispositions),
		RUN_TEST(test_own_session),
		RUN_TEST(test_streams),
		RUN_TEST(test_closes_its_output),
		RUN_TEST(test_hundred_megabytes),
		RUN_TEST(test_hold),
		RUN_TEST(test_hold_over_the_end),
		RUN_TEST(test_hold_all_the_time),
		RUN_TEST(test_fairness),
		RUN_TEST(test_leaves_somebody_behind),
		RUN_TEST(test_two_hundred),
	};

	if (argc == 3 && strcmp(argv[1], "flood") == 0)
		return flood(strtoul(argv[2], NULL, 10));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
