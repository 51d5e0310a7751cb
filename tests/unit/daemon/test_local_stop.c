/* daemon/local.c: ending, suspending and resuming all that a command has started. */
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>

#include "local_run.h"

#define NOBODY 65534

static char self[4096];

/* The processes whose numbers it has written, one a line. */
static size_t pids_of(const struct run *run, pid_t *ret, size_t max)
{
	const char *p = (const char *)run->out.data, *end = p + run->out.len;
	size_t n = 0;

	while (n < max && p < end) {
		ret[n++] = (pid_t)strtol(p, NULL, 10);
		p = memchr(p, '\n', (size_t)(end - p));
		if (!p)
			break;
		p++;
	}
	return n;
}

static char state_of(pid_t pid)
{
	struct local_stat stat;

	return local_scan_stat(pid, &stat) ? stat.state : 0;
}

struct lines {
	const struct run *run;
	size_t count;
};

static bool has_lines(const void *arg)
{
	const struct lines *lines = arg;
	size_t n = 0;

	assert_int_equal(lines->run->ended, 0);
	for (size_t i = 0; i < lines->run->out.len; i++)
		n += lines->run->out.data[i] == '\n';
	return n >= lines->count;
}

static void await_lines(const struct run *run, size_t count)
{
	struct lines lines = {run, count};

	await(has_lines, &lines);
}

/* --- stop ----------------------------------------------------------------------------------- */

static void test_stop(void **state)
{
	struct run run = {0};

	(void)state;
	run_start_sh(&run, "echo begun; sleep 1000; echo never");
	await(run_has_line, &run);
	local_stop(run.local);
	local_stop(run.local);
	assert_int_equal(run.ended, 0);
	run_wait(&run);
	assert_end(&run, LOCAL_END_STOPPED, -1, "", "");
	assert_true(run.result.began);
	assert_out(&run, "begun\n");
	run_done(&run);
}

static void test_stop_before_it_begins(void **state)
{
	struct run run = {0};

	(void)state;
	run_start_sh(&run, "echo never");
	local_stop(run.local);
	run_wait(&run);
	assert_end(&run, LOCAL_END_STOPPED, -1, "", "");
	assert_false(run.result.began);
	assert_int_equal(run.running, 0);
	assert_int_equal(run.bytes, 0);
	run_done(&run);
}

static void stop_now(struct run *run)
{
	local_stop(run->local);
}

static void test_stop_from_inside(void **state)
{
	struct run run = {.on_running = stop_now};

	(void)state;
	run_sh(&run, "sleep 1000");
	assert_end(&run, LOCAL_END_STOPPED, -1, "", "");
	run_done(&run);
	run.on_data = stop_now;
	run_sh(&run, "echo x; sleep 1000");
	assert_end(&run, LOCAL_END_STOPPED, -1, "", "");
	assert_out(&run, "x\n");
	run_done(&run);
}

/* A process group of its own, a session of its own, an environment of its own, and one that has
 * lost its parent. */
#define TREE                                                             \
	"sleep 1000 & echo $!; "                                         \
	"setsid sh -c 'echo $$; exec sleep 1000' & "                     \
	"env -i sleep 1000 & echo $!; "                                  \
	"(setsid sh -c 'echo $$; exec >/dev/null 2>&1; sleep 1000' &); " \
	"echo $$; wait"
#define TREE_SIZE 5

static bool is_asleep(const void *arg)
{
	return state_of(*(const pid_t *)arg) == 'S';
}

static void start_tree(struct run *run, pid_t *pids)
{
	run_start_sh(run, TREE);
	await_lines(run, TREE_SIZE);
	assert_int_equal(pids_of(run, pids, TREE_SIZE), TREE_SIZE);
	/* All of them have come to where they wait. */
	for (size_t i = 0; i < TREE_SIZE; i++)
		await(is_asleep, &pids[i]);
}

static bool is_gone(const void *arg)
{
	return !is_alive(*(const pid_t *)arg);
}

/* One that has been killed may still be on its way to being a zombie. */
static void await_tree_gone(const pid_t *pids)
{
	for (size_t i = 0; i < TREE_SIZE; i++)
		await(is_gone, &pids[i]);
}

static void test_stop_tree(void **state)
{
	struct run run = {.spec.run_id = "tree-1"}, other = {.spec.run_id = "tree-10"};
	pid_t pids[TREE_SIZE], others[TREE_SIZE];

	(void)state;
	start_tree(&run, pids);
	start_tree(&other, others);
	local_stop(run.local);
	run_wait(&run);
	assert_end(&run, LOCAL_END_STOPPED, -1, "", "");
	await_tree_gone(pids);
	assert_int_equal(marked("tree-1"), 0);
	/* Nobody else is hit, even if the mark begins in the same way. */
	for (size_t i = 0; i < TREE_SIZE; i++)
		assert_true(is_alive(others[i]));
	local_stop(other.local);
	run_wait(&other);
	await_tree_gone(others);
	run_done(&run);
	run_done(&other);
}

static void test_stop_who_ignores_term(void **state)
{
	struct run run = {.spec.stop_grace_ms = 200, .spec.run_id = "stubborn"};

	(void)state;
	run_start_sh(&run, "trap '' TERM; setsid sh -c 'echo; while :; do sleep 0.05; done' & "
			   "echo; while :; do sleep 0.05; done");
	await_lines(&run, 2);
	local_stop(run.local);
	run_wait(&run);
	assert_end(&run, LOCAL_END_STOPPED, -1, "", "");
	assert_int_equal(marked("stubborn"), 0);
	run_done(&run);
}

/* What `chase` in main does: it is always another process. */
static int chase(unsigned us)
{
	(void)setsid();
	if (write(STDOUT_FILENO, "\n", 1) < 0)
		return 1;
	for (;;) {
		pid_t pid = fork();

		if (pid != 0)
			_exit(pid < 0);
		(void)usleep(us);
	}
}

static void test_stop_fugitives(void **state)
{
	struct run run = {.spec.stop_grace_ms = 100, .spec.run_id = "fugitive"};

	(void)state;
	run_start(&run,
		  (const char *[]){"sh", "-c", "\"$0\" chase 1000 & \"$0\" chase 3000 & sleep 1000",
				   self, NULL});
	await_lines(&run, 2);
	local_stop(run.local);
	run_wait(&run);
	assert_end(&run, LOCAL_END_STOPPED, -1, "", "");
	assert_int_equal(marked("fugitive"), 0);
	run_done(&run);
}

/* What the handler of TERM starts may do its work. */
static void test_stop_lets_clean_up(void **state)
{
	struct run run = {.spec.stop_grace_ms = 60000};

	(void)state;
	run_start_sh(&run, "trap 'echo term; sh -c \"sleep 0.5; echo cleaned\"; exit 3' TERM; "
			   "echo; while :; do sleep 0.05; done");
	await(run_has_line, &run);
	local_stop(run.local);
	run_wait(&run);
	assert_end(&run, LOCAL_END_STOPPED, -1, "", "");
	assert_out(&run, "\nterm\ncleaned\n");
	run_done(&run);
}

/* Inside of the group, and outside of it. */
static void test_stop_term_once(void **state)
{
	struct run run = {.spec.stop_grace_ms = 600};

	(void)state;
	run_start_sh(&run, "trap 'echo TERM >&2' TERM; setsid sh -c 'trap \"echo term\" TERM; "
			   "echo; while :; do sleep 0.02; done' & "
			   "while :; do sleep 0.02; done");
	await(run_has_line, &run);
	local_stop(run.local);
	run_wait(&run);
	assert_end(&run, LOCAL_END_STOPPED, -1, "", "");
	assert_out(&run, "\nterm\n");
	assert_non_null(strstr(buf_cstr(&run.err), "TERM\n"));
	assert_null(strstr(strstr(buf_cstr(&run.err), "TERM\n") + 1, "TERM\n"));
	run_done(&run);
}

static void test_stop_success_is_success(void **state)
{
	struct run run = {0};

	(void)state;
	run_start_sh(&run, "trap 'exit 0' TERM; echo; while :; do sleep 0.05; done");
	await(run_has_line, &run);
	local_stop(run.local);
	run_wait(&run);
	assert_end(&run, LOCAL_END_EXITED, 0, "", "");
	run_done(&run);
}

static bool is_there(const void *path)
{
	return access(path, F_OK) == 0;
}

/* What it has written before comes, and its last words too, although nobody reads meanwhile. */
static void test_stop_while_held(void **state)
{
	struct run run = {.spec.stop_grace_ms = 60000};
	char ready[64];

	(void)state;
	(void)snprintf(ready, sizeof ready, "/tmp/muster-ready-%d", (int)getpid());
	run_start(&run, (const char *[]){"sh", "-c",
					 "trap 'head -c 200000 /dev/zero; exit 1' TERM; "
					 "head -c 60000 /dev/zero; : >\"$0\"; "
					 "while :; do sleep 0.05; done",
					 ready, NULL});
	local_hold(run.local, true);
	await(is_there, ready);
	assert_int_equal(run.bytes, 0);
	local_stop(run.local);
	run_wait(&run);
	(void)unlink(ready);
	assert_end(&run, LOCAL_END_STOPPED, -1, "", "");
	/* On stderr sh says that its sleep was terminated. */
	assert_int_equal(run.out.len, 60000 + 200000);
	run_done(&run);
}

static void hold_now(struct run *run)
{
	local_hold(run->local, true);
}

/* One that never ceases to write, and is not read, is ended too, and memory stays as it is. */
static void test_stop_flood_while_held(void **state)
{
	struct run run = {.spec.stop_grace_ms = 200, .on_data = hold_now};

	(void)state;
	run_start_sh(&run, "trap '' TERM; exec yes");
	await(run_has_line, &run);
	local_stop(run.local);
	run_wait(&run);
	assert_end(&run, LOCAL_END_STOPPED, -1, "", "");
	assert_true(run.bytes <= 4u << 20);
	run_done(&run);
}

static bool has_exited(const void *arg)
{
	siginfo_t info = {0};

	(void)arg;
	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid;
}

/* Its end is known already: what it has left behind is ended, and the end stays what it was. */
static void test_stop_who_stays_behind(void **state)
{
	static const struct {
		const char *script;
		enum local_end end;
		int exit_code;
	} cases[] = {{"sleep 1000 & exit 0", LOCAL_END_EXITED, 0},
		     {"sleep 1000 & exit 2", LOCAL_END_STOPPED, -1}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct run run = {.spec.run_id = "behind"};

		run_start_sh(&run, cases[i].script);
		local_hold(run.local, true); /* then it does not end although it has exited */
		await(has_exited, NULL);
		assert_int_equal(run.ended, 0);
		local_stop(run.local);
		run_wait(&run);
		assert_end(&run, cases[i].end, cases[i].exit_code, "", "");
		assert_int_equal(marked("behind"), 0);
		run_done(&run);
	}
}

static void test_stop_two_hundred(void **state)
{
	struct run *runs = xcalloc(200, sizeof *runs);

	(void)state;
	for (size_t i = 0; i < 200; i++)
		run_start_sh(&runs[i], "echo; sleep 1000");
	for (size_t i = 0; i < 200; i++)
		await(run_has_line, &runs[i]);
	for (size_t i = 0; i < 200; i++)
		local_stop(runs[i].local);
	for (size_t i = 0; i < 200; i++) {
		run_wait(&runs[i]);
		assert_end(&runs[i], LOCAL_END_STOPPED, -1, "", "");
		run_done(&runs[i]);
	}
	free(runs);
}

/*
 * As the daemon of an ordinary user is: not dumpable, which hides the environment of its children
 * until they call exec. In a process of its own; returns its exit status.
 */
static int stop_as_nobody(void)
{
	struct run run = {.spec.run_id = "nobody", .spec.stop_grace_ms = 60000};
	pid_t pids[TREE_SIZE];

	if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
			       setresuid(NOBODY, NOBODY, NOBODY) < 0))
		return 1;
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		return 2;
	run_loop = loop_new();
	start_tree(&run, pids);
	local_suspend(run.local, true);
	await_lines(&run, TREE_SIZE);
	local_suspend(run.local, false);
	local_stop(run.local);
	run_wait(&run);
	await_tree_gone(pids);
	return run.result.end == LOCAL_END_STOPPED ? 0 : 3;
}

static void test_stop_as_ordinary_user(void **state)
{
	pid_t pid = fork();
	int status = 0;

	(void)state;
	if (pid == 0)
		_exit(stop_as_nobody());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(marked("nobody"), 0);
}

/* --- timeout -------------------------------------------------------------------------------- */

static void test_timeout(void **state)
{
	struct run run = {.spec.run_timeout_ms = 100};

	(void)state;
	run_sh(&run, "echo begun; sleep 1000");
	assert_end(&run, LOCAL_END_TIMEOUT, -1, "", "run");
	assert_out(&run, "begun\n");
	run_done(&run);

	run.spec.run_timeout_ms = 600000;
	run_sh(&run, "exit 3");
	assert_end(&run, LOCAL_END_EXITED, 3, "", "");
	run_done(&run);
}

static void suspend_now(struct run *run)
{
	local_suspend(run->local, true);
}

static bool is_suspended(const void *arg)
{
	return ((const struct run *)arg)->suspended > 0;
}

static bool is_resumed(const void *arg)
{
	return ((const struct run *)arg)->resumed > 0;
}

/* Its clock stands still while it is suspended. */
static void test_timeout_while_suspended(void **state)
{
	struct run run = {.spec.run_timeout_ms = 200, .on_running = suspend_now}, other = {0};

	(void)state;
	run_start_sh(&run, "sleep 1000");
	await(is_suspended, &run);
	run_sh(&other, "sleep 0.5");
	assert_int_equal(run.ended, 0);
	local_suspend(run.local, false);
	run_wait(&run);
	assert_end(&run, LOCAL_END_TIMEOUT, -1, "", "run");
	run_done(&run);
	run_done(&other);
}

/* --- suspend and resume --------------------------------------------------------------------- */

static void test_suspend_tree(void **state)
{
	struct run run = {0};
	pid_t pids[TREE_SIZE];

	(void)state;
	start_tree(&run, pids);
	for (unsigned round = 1; round <= 3; round++) {
		local_suspend(run.local, true);
		local_suspend(run.local, true);
		run.suspended = 0;
		await(is_suspended, &run);
		for (size_t i = 0; i < TREE_SIZE; i++)
			assert_int_equal(state_of(pids[i]), 'T');
		local_suspend(run.local, false);
		run.resumed = 0;
		await(is_resumed, &run);
		for (size_t i = 0; i < TREE_SIZE; i++)
			assert_int_not_equal(state_of(pids[i]), 'T');
		assert_int_equal(run.suspended, 1);
	}
	local_suspend(run.local, true);
	await(is_suspended, &run);
	local_stop(run.local);
	local_suspend(run.local, false); /* no effect any more */
	run_wait(&run);
	assert_end(&run, LOCAL_END_STOPPED, -1, "", "");
	await_tree_gone(pids);
	run_done(&run);
}

/* Who is suspended can still be asked to end: it gets its TERM, not only KILL. */
static void test_stop_suspended(void **state)
{
	struct run run = {.spec.stop_grace_ms = 60000};

	(void)state;
	run_start_sh(&run, "trap 'echo term; exit 1' TERM; echo; while :; do sleep 0.05; done");
	await(run_has_line, &run);
	local_suspend(run.local, true);
	await(is_suspended, &run);
	local_stop(run.local);
	run_wait(&run);
	assert_out(&run, "\nterm\n");
	run_done(&run);
}

/* sh waits in the kernel for its child of vfork(2), in most of these rounds. */
static void test_suspend_busy(void **state)
{
	struct run run = {0};

	(void)state;
	run_start_sh(&run, "echo; while :; do /bin/true; done");
	await(run_has_line, &run);
	for (int round = 0; round < 50; round++) {
		run.suspended = run.resumed = 0;
		local_suspend(run.local, true);
		await(is_suspended, &run);
		local_suspend(run.local, false);
		await(is_resumed, &run);
	}
	run.out.len = 0;
	local_stop(run.local);
	run_wait(&run);
	run_done(&run);
}

/* Asked before it has begun, or taken back at once. */
static void test_suspend_early(void **state)
{
	struct run run = {0};

	(void)state;
	run_start_sh(&run, "sleep 1; echo x");
	local_suspend(run.local, true);
	await(is_suspended, &run);
	assert_int_equal(run.ended, 0);
	local_suspend(run.local, false);
	run_wait(&run);
	assert_end(&run, LOCAL_END_EXITED, 0, "", "");
	run_done(&run);

	run_start_sh(&run, "echo x");
	local_suspend(run.local, true);
	local_suspend(run.local, false);
	run_wait(&run);
	assert_end(&run, LOCAL_END_EXITED, 0, "", "");
	assert_int_equal(run.suspended, 0);
	run_done(&run);
}

/* Those who flee are caught sooner or later; nothing moves then. */
static void test_suspend_fugitives(void **state)
{
	struct run run = {.spec.run_id = "fugitive"}, other = {0};
	size_t count;

	(void)state;
	run_start(&run, (const char *[]){self, "chase", "2000", NULL});
	await(run_has_line, &run);
	/* Its leader has gone; hold keeps the command from ending for that. */
	local_hold(run.local, true);
	local_suspend(run.local, true);
	await(is_suspended, &run);
	count = marked("fugitive");
	assert_true(count > 0);
	run_sh(&other, "sleep 0.1");
	run_done(&other);
	assert_int_equal(marked("fugitive"), count);
	local_stop(run.local);
	run_wait(&run);
	assert_int_equal(marked("fugitive"), 0);
	run_done(&run);
}

/* --- free ----------------------------------------------------------------------------------- */

static bool is_unmarked(const void *run_id)
{
	return marked(run_id) == 0;
}

static void test_free_at_once(void **state)
{
	struct run run = {.spec.run_id = "freed"};
	pid_t pids[TREE_SIZE];

	(void)state;
	local_free(NULL);
	run_start_sh(&run, "echo never");
	local_free(run.local);
	assert_int_equal(run.running + run.ended, 0);
	run_done(&run);

	run.spec.run_id = "freed";
	start_tree(&run, pids);
	local_free(run.local);
	await(no_children, NULL);
	assert_int_equal(run.ended, 0);
	await_tree_gone(pids);
	run_done(&run);

	run.spec.run_id = "freed";
	run_start_sh(&run, "trap '' TERM; echo; while :; do sleep 0.05; done");
	await(run_has_line, &run);
	local_stop(run.local);
	(void)event_base_loop(loop_base(run_loop), EVLOOP_ONCE);
	local_free(run.local);
	await(no_children, NULL);
	await(is_unmarked, "freed");
	run_done(&run);
}

static int test_all(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(test_stop),
		RUN_TEST(test_stop_before_it_begins),
		RUN_TEST(test_stop_from_inside),
		RUN_TEST(test_stop_tree),
		RUN_TEST(test_stop_who_ignores_term),
		RUN_TEST(test_stop_fugitives),
		RUN_TEST(test_stop_lets_clean_up),
		RUN_TEST(test_stop_term_once),
		RUN_TEST(test_stop_success_is_success),
		RUN_TEST(test_stop_while_held),
		RUN_TEST(test_stop_flood_while_held),
		RUN_TEST(test_stop_who_stays_behind),
		RUN_TEST(test_stop_two_hundred),
		cmocka_unit_test(test_stop_as_ordinary_user),
		RUN_TEST(test_timeout),
		RUN_TEST(test_timeout_while_suspended),
		RUN_TEST(test_suspend_tree),
		RUN_TEST(test_stop_suspended),
		RUN_TEST(test_suspend_busy),
		RUN_TEST(test_suspend_early),
		RUN_TEST(test_suspend_fugitives),
		RUN_TEST(test_free_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "chase") == 0)
		return chase((unsigned)strtoul(argv[2], NULL, 10));
	if (readlink(SELF, self, sizeof self - 1) < 0)
		return 1;
	return test_all();
}
