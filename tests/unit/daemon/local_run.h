/* A loop with local commands, and waiting for what they do. For test_local.c, test_local_stop.c. */
#ifndef MUSTER_TEST_LOCAL_RUN_H
#define MUSTER_TEST_LOCAL_RUN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc.h"
#include "buf.h"
#include "clock.h"
#include "local.h"
#include "local_scan.h"
#include "loop.h"

#define SELF	"/proc/self/exe"
#define GIVE_UP 100 /* seconds: then a condition will not come true any more */
#define LOOK_MS 5

/* One command and what was told of it. */
struct run {
	struct local *local;
	struct local_spec spec;
	struct buf out;
	struct buf err;
	size_t bursts;
	unsigned running;
	unsigned suspended; /* how often */
	unsigned resumed;
	unsigned ended;
	struct local_result result;
	void (*on_data)(struct run *run);
	void (*on_running)(struct run *run);
	bool discard; /* count the bytes, do not keep them */
	uint64_t bytes;
	uint64_t sum;
};

static struct loop *run_loop;

static inline void run_on_running(void *arg)
{
	struct run *run = arg;

	run->running++;
	if (run->on_running)
		run->on_running(run);
}

static inline void run_on_data(void *arg, bool is_error, const void *data, size_t len)
{
	struct run *run = arg;

	assert_true(len > 0);
	assert_int_equal(run->running, 1);
	assert_int_equal(run->ended, 0);
	run->bytes += len;
	for (size_t i = 0; run->discard && i < len; i++)
		run->sum = run->sum * 31 + ((const uint8_t *)data)[i];
	if (!run->discard)
		buf_add(is_error ? &run->err : &run->out, data, len);
	if (run->on_data)
		run->on_data(run);
}

static inline void run_on_burst_end(void *arg)
{
	struct run *run = arg;

	run->bursts++;
}

static inline void run_on_suspended(void *arg, bool suspended)
{
	struct run *run = arg;

	if (suspended)
		run->suspended++;
	else
		run->resumed++;
}

static inline void run_on_end(void *arg, const struct local_result *result)
{
	struct run *run = arg;

	run->ended++;
	run->result = *result;
	/* As the daemon may do when the last records are stored. */
	local_hold(run->local, true);
	local_stop(run->local);
	run->local = NULL;
}

static const struct local_events run_events = {
	.running = run_on_running,
	.data = run_on_data,
	.burst_end = run_on_burst_end,
	.suspended = run_on_suspended,
	.end = run_on_end,
};

/* The mark of a run by its name here: others may run the same tests at the same time. */
static inline char *run_mark(const char *name)
{
	static pid_t self_pid;

	if (!self_pid)
		self_pid = getpid();
	return xasprintf("%d-%s", (int)self_pid, name ? name : "test");
}

/* Everything else in spec may have been set before. */
static inline void run_start(struct run *run, const char *const *argv)
{
	struct local_spec spec = run->spec;
	char *mark = run_mark(spec.run_id);

	spec.argv = argv;
	spec.run_id = mark;
	spec.directory = spec.directory ? spec.directory : "/";
	run->local = local_start(run_loop, &spec, &run_events, run);
	free(mark);
}

static inline void run_start_sh(struct run *run, const char *script)
{
	run_start(run, (const char *[]){"sh", "-c", script, NULL});
}

static inline void run_on_look(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

/* Runs the loop until the condition is true. */
static inline void await(bool (*is_true)(const void *arg), const void *arg)
{
	uint64_t until = clock_mono_ns() + GIVE_UP * 1000000000ull;
	struct event *look = event_new(loop_base(run_loop), -1, EV_PERSIST, run_on_look, NULL);
	struct timeval tv = loop_ms(LOOK_MS);

	assert_non_null(look);
	(void)event_add(look, &tv);
	while (!is_true(arg)) {
		if (clock_mono_ns() > until)
			fail_msg("waited for %d s", GIVE_UP);
		(void)event_base_loop(loop_base(run_loop), EVLOOP_ONCE);
	}
	event_free(look);
}

static inline bool run_has_ended(const void *arg)
{
	return ((const struct run *)arg)->ended > 0;
}

/* A whole line on standard output. */
static inline bool run_has_line(const void *arg)
{
	const struct run *run = arg;

	return run->out.len && memchr(run->out.data, '\n', run->out.len);
}

static inline void run_wait(struct run *run)
{
	await(run_has_ended, run);
	assert_int_equal(run->ended, 1);
	assert_null(run->local);
}

static inline void run_sh(struct run *run, const char *script)
{
	run_start_sh(run, script);
	run_wait(run);
}

static inline void run_done(struct run *run)
{
	buf_done(&run->out);
	buf_done(&run->err);
	*run = (struct run){0};
}

static inline void assert_out(struct run *run, const char *wanted)
{
	assert_string_equal(buf_cstr(&run->out), wanted);
}

static inline void assert_err(struct run *run, const char *wanted)
{
	assert_string_equal(buf_cstr(&run->err), wanted);
}

static inline void assert_end(const struct run *run, enum local_end end, int exit_code,
			      const char *signal_name, const char *text)
{
	assert_int_equal(run->ended, 1);
	assert_int_equal(run->result.end, end);
	assert_int_equal(run->result.exit_code, exit_code);
	assert_string_equal(run->result.signal, signal_name);
	assert_string_equal(run->result.text, text);
}

/* True if it runs, or is stopped; false for a zombie. */
static inline bool is_alive(pid_t pid)
{
	struct local_stat stat;

	return local_scan_stat(pid, &stat) && stat.state != 'Z' && stat.state != 'X';
}

static inline void count_one(void *arg, pid_t pid)
{
	(void)pid;
	++*(size_t *)arg;
}

/* Living processes that bear the mark of a run, found as a program of its own would. */
static inline size_t marked(const char *name)
{
	struct local_scan scan;
	size_t count = 0;
	char *mark = run_mark(name);

	local_scan_init(&scan, mark);
	free(mark);
	assert_int_equal(local_scan_begin(&scan, false), 0);
	assert_true(local_scan_step(&scan, SIZE_MAX, count_one, &count));
	local_scan_done(&scan);
	return count;
}

static inline size_t open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t count = 0;

	while (readdir(dir))
		count++;
	(void)closedir(dir);
	return count;
}

/* Nobody is left to be waited for. */
static inline bool no_children(const void *arg)
{
	siginfo_t info;

	(void)arg;
	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD;
}

/* Descriptors from before a test: what it leaves open is seen by run_teardown. */
static size_t run_files;

static inline int run_setup(void **state)
{
	(void)state;
	run_files = open_files();
	run_loop = loop_new();
	return 0;
}

static inline int run_teardown(void **state)
{
	(void)state;
	assert_true(no_children(NULL));
	loop_free(run_loop);
	assert_int_equal(open_files(), run_files);
	return 0;
}

#define RUN_TEST(fn) cmocka_unit_test_setup_teardown(fn, run_setup, run_teardown)

#endif
