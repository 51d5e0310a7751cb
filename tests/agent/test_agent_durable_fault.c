/* The numbered faults of durable runs: what is lost, torn, full or doubled on the way. */
#include "durable_rig.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "fd.h"

static struct rig rig, other;

/* Numbers from 1 on, a little slowly; exit status 42. */
#define COUNT(n)                  \
	"i=0; while [ $i -lt " #n \
	" ]; do i=$((i+1)); echo $i; [ $((i % 50)) = 0 ] && sleep 0.01; done; exit 42"

/* Every number from 1 to n, once and in order. */
static void assert_counted(struct run *run, int n)
{
	const char *at = buf_cstr(&run->text);
	char *end;

	for (int i = 1; i <= n; i++) {
		if (strtol(at, &end, 10) != i || *end != '\n')
			fail_msg("where %d should be: %.40s", i, at);
		at = end + 1;
	}
	assert_string_equal(at, "");
}

static void finish(struct run *run)
{
	struct rig_task *t = run_attach(&rig, run);

	rig_wait_end(&rig, t);
	run_take(run, t);
	assert_counted(run, (int)run->records);
	assert_int_equal(run->end.kind, TASK_EXITED);
	assert_int_equal(run->end.exit_code, 42);
	run_settle(&rig, run, t);
	assert_int_equal(rig_done(&rig), 0);
	run_done(run);
}

static bool has_records(struct rig *r, void *arg)
{
	(void)r;
	return ((struct rig_task *)arg)->count > 0;
}

static bool has_news(struct rig *r, void *arg)
{
	const struct rig_task *t = arg;

	(void)r;
	return t->order.last > t->at.last;
}

static void touch(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	fd_close(&fd);
}

/* The script of a command that counts until the file is there, which the caller frees, too; exit
 * status 42. */
static char *endless(char **ret_file)
{
	*ret_file = xasprintf("%s/enough", durable_state());
	return xasprintf("i=0; while [ ! -e %s ]; do i=$((i+1)); echo $i;"
			 " [ $((i %% 50)) = 0 ] && sleep 0.01; done; exit 42",
			 *ret_file);
}

/* --- the connection -------------------------------------------------------------------------- */

static void test_case_01_reset_in_the_middle_of_a_frame(void **state)
{
	char *file, *script = endless(&file);
	struct rig_task *t;
	struct run run;
	uint8_t part[30];

	(void)state;
	run_init(&run, script);
	for (int i = 0; i < 5; i++) {
		rig_start(&rig);
		t = i ? run_attach(&rig, &run) : run_open(&rig, &run);
		rig_wait(&rig, has_records, t);
		run_take(&run, t);
		/* Some of what comes next is read, and then nothing any more. */
		assert_true(read(rig.out, part, sizeof part) > 0);
		(void)rig_done(&rig);
	}
	touch(file);
	rig_start(&rig);
	finish(&run);
	free(script);
	free(file);
}

static void test_case_03_the_newer_of_two_connections_has_it(void **state)
{
	char *file, *script = endless(&file);
	struct rig_task *t, *newer;
	struct run run;

	(void)state;
	run_init(&run, script);
	rig_start(&other);
	t = run_open(&other, &run);
	rig_wait(&other, has_records, t);
	run_take(&run, t);
	/* The other one is there, but nobody listens to it. */
	rig_start(&rig);
	newer = run_attach(&rig, &run);
	rig_wait(&rig, has_records, newer);
	/* A third one that is late, with an epoch of before. */
	t = rig_attach(&other, run.instance, 1, 1, 1);
	rig_wait_detached(&other, t);
	rig_wait_detached(&other, &other.tasks[0]);
	assert_int_equal(rig_done(&other), 0);
	touch(file);
	rig_wait_end(&rig, newer);
	run_take(&run, newer);
	assert_counted(&run, (int)run.records);
	assert_int_equal(rig_done(&rig), 0);
	run_done(&run);
	free(script);
	free(file);
}

static size_t count_lines(const char *path)
{
	struct buf text = {0};
	size_t n = 0;

	if (fd_read_file(&text, path, 1 << 20) == 0)
		for (size_t i = 0; i < text.len; i++)
			n += text.data[i] == '\n';
	buf_done(&text);
	return n;
}

static void test_case_04_drop_between_open_and_answer(void **state)
{
	char *file = xasprintf("%s/ran", durable_state());
	char *script = xasprintf("echo ran >>%s; echo done", file);

	(void)state;
	for (size_t i = 0; i < 30; i++) {
		struct rig_task *t;
		struct run run;

		run_init(&run, script);
		rig_start(&rig);
		(void)run_open(&rig, &run);
		(void)poll(NULL, 0, (int)(i / 3)); /* the moment is what varies */
		rig_kill(&rig);
		rig_start(&rig);
		t = run_open(&rig, &run);
		rig_wait_end(&rig, t);
		run_take(&run, t);
		assert_int_equal(run.end.kind, TASK_EXITED);
		assert_string_equal(buf_cstr(&run.text), "done\n");
		assert_int_equal(count_lines(file), i + 1);
		run_settle(&rig, &run, t);
		assert_int_equal(rig_done(&rig), 0);
		run_done(&run);
	}
	free(script);
	free(file);
}

static void test_case_05_drop_between_end_and_acknowledgement(void **state)
{
	struct rig_task *t;
	struct run run;
	uint64_t end;

	(void)state;
	run_init(&run, "echo out; exit 7");
	rig_start(&rig);
	t = run_open(&rig, &run);
	rig_wait_end(&rig, t);
	run_take(&run, t);
	end = run.last;
	rig_kill(&rig);
	/* It was not stored: it comes again, alone. */
	run.last = end - 1;
	rig_start(&rig);
	t = run_attach(&rig, &run);
	rig_wait_end(&rig, t);
	assert_int_equal(t->order.last, end);
	assert_int_equal(t->end.exit_code, 7);
	assert_int_equal(t->count, 0);
	rig_kill(&rig);
	/* It was stored: nothing comes, and it can be acknowledged. */
	run.last = end;
	rig_start(&rig);
	t = run_attach(&rig, &run);
	rig_wait_attached(&rig, t);
	assert_int_equal(t->at.last, end);
	run_settle(&rig, &run, t);
	assert_false(t->ended);
	assert_int_equal(rig_done(&rig), 0);
	run_done(&run);
}

static void test_case_06_acknowledgement_lost(void **state)
{
	struct rig_task *t;
	struct run run;
	struct buf first = {0};

	(void)state;
	run_init(&run, COUNT(500));
	rig_start(&rig);
	t = run_open(&rig, &run);
	rig_wait_end(&rig, t);
	buf_add_str(&first, rig_text(t, STREAM_OUTPUT));
	rig_kill(&rig);
	/* Nothing was acknowledged: everything comes again, the same. */
	rig_start(&rig);
	t = run_attach(&rig, &run);
	rig_wait_end(&rig, t);
	assert_string_equal(rig_text(t, STREAM_OUTPUT), buf_cstr(&first));
	buf_done(&first);
	run_take(&run, t);
	run_settle(&rig, &run, t);
	assert_int_equal(rig_done(&rig), 0);
	run_done(&run);
}

static bool is_dead(const void *arg)
{
	const pid_t *pid = arg;

	(void)waitpid(*pid, NULL, WNOHANG); /* it may be ours by now */
	return kill(*pid, 0) < 0;
}

static void test_case_10_runner_killed(void **state)
{
	struct rig_task *t;
	struct run run;
	pid_t runner;

	(void)state;
	run_init(&run, "setsid sleep 1000 & echo up; sleep 1000");
	rig_start(&rig);
	t = run_open(&rig, &run);
	rig_wait_output(&rig, t, "up\n");
	runner = run_runner(t);
	assert_int_equal(kill(runner, SIGKILL), 0);
	rig_wait_end(&rig, t);
	assert_int_equal(t->end.kind, TASK_LOST);
	assert_string_equal(t->end.text, "what watched over it died");
	assert_true(t->end.began);
	run_take(&run, t);
	rig_wait_gone(&rig, strchr(run.env[0], '=') + 1);
	rig_kill(&rig);
	/* It is told again, and not run again. */
	rig_start(&rig);
	t = run_open(&rig, &run);
	rig_wait_end(&rig, t);
	assert_int_equal(t->end.kind, TASK_LOST);
	assert_string_equal(rig_text(t, STREAM_OUTPUT), "up\n");
	assert_int_equal(t->order.last, run.last);
	run_settle(&rig, &run, t);
	assert_int_equal(rig_done(&rig), 0);
	run_done(&run);
}

/* Nobody is there when it dies, and what ends its tree dies first. */
static void test_case_10_runner_and_supervisor_killed_unseen(void **state)
{
	struct rig_task *t;
	struct run run;
	pid_t runner, command;

	(void)state;
	run_init(&run, "echo up; exec sleep 1000");
	rig_start(&rig);
	t = run_open(&rig, &run);
	rig_wait_output(&rig, t, "up\n");
	runner = run_runner(t);
	command = (pid_t)t->pid;
	run_take(&run, t);
	rig_kill(&rig);
	assert_int_equal(kill(runner, SIGSTOP), 0);
	assert_int_equal(kill(run_parent(command), SIGKILL), 0);
	assert_int_equal(kill(runner, SIGKILL), 0);
	wait_until(is_dead, &runner);
	rig_wait_marked(&rig, strchr(run.env[0], '=') + 1, 1);
	rig_start(&rig);
	t = run_attach(&rig, &run);
	rig_wait_end(&rig, t);
	assert_int_equal(t->end.kind, TASK_LOST);
	assert_int_equal(t->order.last, run.last + 1);
	rig_wait_gone(&rig, strchr(run.env[0], '=') + 1);
	assert_int_equal(rig_done(&rig), 0);
	run_done(&run);
}

static void test_case_11_agent_killed_again_and_again(void **state)
{
	char *file = xasprintf("%s/enough", durable_state());
	char *script =
		xasprintf("i=0; while [ ! -e %s ]; do i=$((i+1)); echo $i; sleep 0.001; done;"
			  " exit 42",
			  file);
	struct rig_task *t;
	struct run run;

	(void)state;
	/* It goes on until it is told to end. */
	run_init(&run, script);
	for (int i = 0; i < 25; i++) {
		rig_start(&rig);
		t = i ? run_attach(&rig, &run) : run_open(&rig, &run);
		rig_wait(&rig, has_records, t);
		assert_false(t->ended);
		run_take(&run, t);
		if (i % 3 == 0)
			rig_ack(&rig, t, run.last);
		rig_kill(&rig);
	}
	touch(file);
	rig_start(&rig);
	t = run_attach(&rig, &run);
	rig_wait_end(&rig, t);
	run_take(&run, t);
	assert_counted(&run, (int)run.records);
	assert_int_equal(run.end.exit_code, 42);
	assert_int_equal(rig_done(&rig), 0);
	run_done(&run);
	free(script);
	free(file);
}

struct growing {
	const char *file;
	size_t lines;
};

static bool has_grown(const void *arg)
{
	const struct growing *g = arg;

	return count_lines(g->file) >= g->lines;
}

static void test_case_12_agent_stopped(void **state)
{
	char *file = xasprintf("%s/beat", durable_state());
	char *script =
		xasprintf("while [ ! -e %s.end ]; do echo beat >>%s; echo b; sleep 0.01; done;"
			  " exit 42",
			  file, file);
	struct growing grown = {.file = file};
	struct rig_task *t, *newer;
	struct run run;

	(void)state;
	run_init(&run, script);
	rig_start(&other);
	t = run_open(&other, &run);
	rig_wait(&other, has_records, t);
	assert_int_equal(kill(other.pid, SIGSTOP), 0);
	run_take(&run, t);
	grown.lines = count_lines(file) + 50;
	wait_until(has_grown, &grown);
	/* Another one takes over from what cannot answer. */
	rig_start(&rig);
	newer = run_attach(&rig, &run);
	rig_wait(&rig, has_records, newer);
	assert_int_equal(kill(other.pid, SIGCONT), 0);
	rig_wait_detached(&other, t);
	assert_int_equal(rig_done(&other), 0);
	touch(strcat(strcpy(script, file), ".end"));
	rig_wait_end(&rig, newer);
	run_take(&run, newer);
	assert_int_equal(run.records, count_lines(file));
	assert_int_equal(run.end.exit_code, 42);
	assert_int_equal(rig_done(&rig), 0);
	run_done(&run);
	free(script);
	free(file);
}

/* --- the disk -------------------------------------------------------------------------------- */

static bool is_stalled(struct rig *r, void *arg)
{
	(void)r;
	return ((struct rig_task *)arg)->stalled;
}

static bool is_well(struct rig *r, void *arg)
{
	(void)r;
	return !((struct rig_task *)arg)->stalled;
}

static void test_case_20_disk_full(void **state)
{
	char *ballast = xasprintf("%s/ballast", durable_state());
	struct rig_task *t;
	struct run run;
	int fd;

	(void)state;
	if (mount("tmpfs", durable_state(), "tmpfs", 0, "size=32m,mode=0700") < 0) {
		print_message("SKIPPED: cannot mount a file system: it needs root\n");
		free(ballast);
		skip();
	}
	fd = open(ballast, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_int_equal(posix_fallocate(fd, 0, 26 << 20), 0);
	fd_close(&fd);
	run_init(&run, "head -c 12000000 /dev/zero | tr '\\0' x; exit 42");
	run.open.parse = PARSE_RAW;
	rig_start(&rig);
	t = run_open(&rig, &run);
	rig_wait(&rig, is_stalled, t);
	assert_false(t->ended);
	assert_int_equal(unlink(ballast), 0);
	rig_wait(&rig, is_well, t);
	rig_wait_end(&rig, t);
	assert_int_equal(t->end.exit_code, 42);
	assert_int_equal(t->streams[STREAM_OUTPUT].len, 12000000);
	assert_int_equal(t->gaps, 0);
	run_take(&run, t);
	run_settle(&rig, &run, t);
	assert_int_equal(rig_done(&rig), 0);
	run_done(&run);
	assert_int_equal(umount2(durable_state(), MNT_DETACH), 0);
	free(ballast);
}

static bool has_file(const void *arg)
{
	return access(arg, F_OK) == 0;
}

static void test_case_21_drop_counts_exactly(void **state)
{
	char *file = xasprintf("%s/through", durable_state());
	char *script = xasprintf("seq 200000; : >%s; exit 42", file);
	struct rig_task *t;
	struct run run;

	(void)state;
	run_init(&run, script);
	run.open.spool_limit = 256 << 10;
	run.open.spool_drop = true;
	rig_start(&rig);
	t = run_open(&rig, &run);
	rig_wait_attached(&rig, t);
	run_take(&run, t);
	rig_kill(&rig);
	/* Nobody is there, and it does not wait. */
	wait_until(has_file, file);
	rig_start(&rig);
	t = run_attach(&rig, &run);
	rig_wait_end(&rig, t);
	run_take(&run, t);
	assert_true(run.gap_records > 0);
	if (run.next_record != 200001)
		print_error("ended with kind %d, exit %d: %s\n", (int)run.end.kind,
			    (int)run.end.exit_code, run.end_text);
	assert_int_equal(run.records + run.gap_records, 200000);
	assert_int_equal(run.next_record, 200001);
	assert_non_null(strstr(buf_cstr(&run.text), "\n199999\n200000\n"));
	assert_int_equal(run.end.exit_code, 42);
	assert_int_equal(rig_done(&rig), 0);
	run_done(&run);
	free(script);
	free(file);
}

/* Whoever blocks waits until it is acknowledged. */
static void test_case_21_block_waits(void **state)
{
	struct rig_task *t;
	struct run run;

	(void)state;
	run_init(&run, "seq 200000; exit 42");
	run.open.spool_limit = 256 << 10;
	rig_start(&rig);
	t = run_open(&rig, &run);
	while (!t->ended) {
		t->at.last = t->order.last;
		rig_wait(&rig, has_news, t);
		rig_ack(&rig, t, t->order.last);
	}
	run_take(&run, t);
	assert_counted(&run, 200000);
	assert_int_equal(run.end.exit_code, 42);
	assert_int_equal(rig_done(&rig), 0);
	run_done(&run);
}

static void test_case_24_bit_flip_in_the_spool(void **state)
{
	char *path;
	struct rig_task *t;
	struct run run;
	struct stat st;
	uint8_t byte;
	int fd;

	(void)state;
	run_init(&run, COUNT(2000));
	rig_start(&rig);
	t = run_open(&rig, &run);
	rig_wait_end(&rig, t);
	rig_kill(&rig);
	path = durable_path(&run, "seg-00000001");
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(pread(fd, &byte, 1, st.st_size / 2), 1);
	byte ^= 0x10;
	assert_int_equal(pwrite(fd, &byte, 1, st.st_size / 2), 1);
	fd_close(&fd);
	free(path);
	/* What is missing is said to be, and the run has an end. */
	rig_start(&rig);
	t = run_attach(&rig, &run);
	rig_wait_end(&rig, t);
	run_take(&run, t);
	assert_true(run.records > 0);
	assert_true(run.records < 2000);
	if (run.end.kind == TASK_EXITED)
		assert_true(t->gaps > 0);
	else
		assert_int_equal(run.end.kind, TASK_LOST);
	assert_int_equal(rig_done(&rig), 0);
	run_done(&run);
}

/* --- what is left ---------------------------------------------------------------------------- */

/* In a process with mounts of its own; its exit status: 0, or 77 where that is not allowed. */
static void with_own_mounts(int (*fn)(const char *file))
{
	char *file = xasprintf("%s/mounted", durable_state());
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (unshare(CLONE_NEWNS) < 0 ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
			_exit(77);
		_exit(fn(file));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	free(file);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		print_message("SKIPPED: no mounts of its own: it needs root\n");
		skip();
	}
	assert_int_equal(status, 0);
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644), rc;

	rc = fd < 0 ? -1 : fd_write_all(fd, text, strlen(text));
	fd_close(&fd);
	return rc;
}

/* Another computer with the same files: only its machine id differs. */
static int on_another_machine(const char *file)
{
	struct rig_task *t;
	struct run run;

	run_init(&run, COUNT(100));
	rig_start(&rig);
	t = run_open(&rig, &run);
	rig_wait_end(&rig, t);
	if (write_file(file, "0123456789abcdef0123456789abcdef\n") < 0 ||
	    mount(file, "/etc/machine-id", NULL, MS_BIND, NULL) < 0)
		return 1;
	rig_start(&other);
	t = run_attach(&other, &run);
	rig_wait_end(&other, t);
	return t->end.kind == TASK_GONE ? 0 : 1;
}

static void test_case_57_another_machine_id(void **state)
{
	(void)state;
	with_own_mounts(on_another_machine);
}

/* Whoever is not root is told, before anything is begun. */
static int where_logins_end(const char *file)
{
	char *conf = xasprintf("%s/systemd/logind.conf", file), *dir;
	struct rig_task *t;
	struct run run;

	dir = xasprintf("%s/systemd", file);
	if (mkdir(file, 0755) < 0 || mkdir(dir, 0755) < 0 ||
	    write_file(conf, "[Login]\n#KillUserProcesses=no\nKillUserProcesses = yes\n") < 0 ||
	    chown(durable_state(), 65534, 65534) < 0 || access("/etc/systemd", F_OK) < 0)
		return 77;
	if (mount(dir, "/etc/systemd", NULL, MS_BIND, NULL) < 0 || setgid(65534) < 0 ||
	    setuid(65534) < 0)
		return 1;
	rig_start(&rig);
	if (!(rig.capabilities & AGENT_CAN_DURABLE) ||
	    !strstr(rig.durable_note, "KillUserProcesses=yes"))
		return 2;
	run_init(&run, "exit 42");
	t = run_open(&rig, &run);
	rig_wait_end(&rig, t);
	return t->end.exit_code == 42 ? 0 : 3;
}

static void test_case_58_logins_that_end_what_they_began(void **state)
{
	(void)state;
	with_own_mounts(where_logins_end);
}

/* As if nothing had happened to it for so many hours. */
static void make_old(const struct run *run, int hours)
{
	time_t then = time(NULL) - hours * 3600;
	struct timespec times[2] = {{.tv_sec = then}, {.tv_sec = then}};
	char *path = durable_path(run, "");
	DIR *dir = opendir(path);
	const struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, "..") != 0)
			(void)utimensat(dirfd(dir), entry->d_name, times, AT_SYMLINK_NOFOLLOW);
	assert_int_equal(futimens(dirfd(dir), times), 0);
	(void)closedir(dir);
	free(path);
}

/* An agent that comes and goes, as they clean up when they begin. */
static void clean_up(void)
{
	rig_start(&other);
	assert_int_equal(rig_done(&other), 0);
}

/* Its runner may be about to go, and has the lock for another moment. */
static bool is_forgotten(const void *arg)
{
	clean_up();
	return !durable_has(arg, "");
}

static void test_case_59_age_of_a_live_spool(void **state)
{
	struct rig_task *t;
	struct run run;

	(void)state;
	run_init(&run, "echo up; read -r line; echo $line; exit 42");
	run.open.stdin_follows = true;
	rig_start(&rig);
	t = run_open(&rig, &run);
	rig_wait_output(&rig, t, "up\n");
	run_take(&run, t);
	rig_kill(&rig);
	make_old(&run, 24 * 365);
	clean_up();
	assert_true(durable_has(&run, "spec"));
	rig_start(&rig);
	t = run_attach(&rig, &run);
	rig_wait_attached(&rig, t);
	rig_stdin(&rig, t, "on\n", 3, true);
	rig_wait_end(&rig, t);
	run_take(&run, t);
	assert_string_equal(buf_cstr(&run.text), "up\non\n");
	rig_kill(&rig);
	/* It has ended, and nobody wants to know: a week. */
	make_old(&run, 24 * 7 - 1);
	clean_up();
	assert_true(durable_has(&run, "spec"));
	make_old(&run, 24 * 7 + 1);
	wait_until(is_forgotten, &run);
	run_done(&run);
}

static void test_case_60_open_again_after_the_end(void **state)
{
	char *file = xasprintf("%s/ran", durable_state());
	char *script = xasprintf("echo ran >>%s; echo out; exit 9", file);
	struct rig_task *t;
	struct run run;

	(void)state;
	run_init(&run, script);
	rig_start(&rig);
	t = run_open(&rig, &run);
	rig_wait_end(&rig, t);
	run_take(&run, t);
	run_settle(&rig, &run, t);
	for (int i = 0; i < 2; i++) {
		t = i ? run_attach(&rig, &run) : run_open(&rig, &run);
		rig_wait_attached(&rig, t);
		assert_true(t->at.resumed);
		assert_int_equal(t->at.last, run.last);
		if (i == 0) {
			rig_wait_end(&rig, t);
			assert_int_equal(t->end.exit_code, 9);
			assert_int_equal(t->gaps, 1);
		}
	}
	assert_int_equal(count_lines(file), 1);
	assert_int_equal(rig_done(&rig), 0);
	/* A day later it is forgotten. */
	make_old(&run, 23);
	clean_up();
	assert_true(durable_has(&run, "done"));
	make_old(&run, 25);
	wait_until(is_forgotten, &run);
	run_done(&run);
	free(script);
	free(file);
}

/* Where the place is somebody's link, it is not followed. */
static void a_link_in_place_of_the_directory(void **state)
{
	char *link = xasprintf("%s/muster", durable_state());
	char *target = xasprintf("%s/elsewhere", durable_state());

	(void)state;
	assert_int_equal(mkdir(target, 0700), 0);
	assert_int_equal(symlink(target, link), 0);
	clean_up();
	assert_int_equal(rmdir(target), 0); /* it is empty */
	/* The other place, if nobody needs it. */
	assert_true(system("rmdir /var/tmp/muster-$(id -u)/* /var/tmp/muster-$(id -u) 2>&1") >= 0);
	free(link);
	free(target);
}

int main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, durable_begin, durable_end)
	static const struct CMUnitTest tests[] = {
		TEST(test_case_01_reset_in_the_middle_of_a_frame),
		TEST(test_case_03_the_newer_of_two_connections_has_it),
		TEST(test_case_04_drop_between_open_and_answer),
		TEST(test_case_05_drop_between_end_and_acknowledgement),
		TEST(test_case_06_acknowledgement_lost),
		TEST(test_case_10_runner_killed),
		TEST(test_case_10_runner_and_supervisor_killed_unseen),
		TEST(test_case_11_agent_killed_again_and_again),
		TEST(test_case_12_agent_stopped),
		TEST(test_case_20_disk_full),
		TEST(test_case_21_drop_counts_exactly),
		TEST(test_case_21_block_waits),
		TEST(test_case_24_bit_flip_in_the_spool),
		TEST(test_case_57_another_machine_id),
		TEST(test_case_58_logins_that_end_what_they_began),
		TEST(test_case_59_age_of_a_live_spool),
		TEST(test_case_60_open_again_after_the_end),
		TEST(a_link_in_place_of_the_directory),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
