#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <errno.h>

#include "alloc.h"
#include "capture.h"
#include "out.h"

struct fixture {
	struct capture capture;
	struct loop *loop;
	struct out *out;
	int rooms;
	int failures;
	int error;
};

static void on_room(void *arg)
{
	struct fixture *f = arg;

	f->rooms++;
	loop_stop(f->loop);
}

static void on_failed(void *arg, int error)
{
	struct fixture *f = arg;

	f->failures++;
	f->error = error;
	loop_stop(f->loop);
}

static void open_out(struct fixture *f)
{
	static const struct out_events events = {on_room, on_failed};

	f->out = out_new(f->loop, &events, f);
}

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof *f);

	*state = f;
	f->loop = loop_new();
	capture_begin(&f->capture);
	return 0;
}

/* stdout becomes a pipe, whose reading end is returned. */
static int open_pipe(void)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	capture_stdout(ends[1]);
	return ends[0];
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	out_free(f->out);
	loop_free(f->loop);
	capture_end(&f->capture);
	free(f);
	return 0;
}

static void add(struct fixture *f, int fd, const char *text)
{
	struct buf b = {0};

	buf_add_str(&b, text);
	out_add(f->out, fd, &b);
	assert_int_equal(b.len, 0);
}

static void wrote(struct fixture *f, int which, const char *text)
{
	struct buf b = {0};

	capture_read(&f->capture, which, &b);
	assert_string_equal(buf_cstr(&b), text);
	buf_done(&b);
}

static void test_each_to_its_place(void **state)
{
	struct fixture *f = *state;

	open_out(f);
	add(f, 1, "a");
	add(f, 2, "b");
	add(f, 1, "");
	add(f, 1, "c");
	add(f, 2, "d");
	assert_int_equal(out_close(f->out), 0);
	assert_int_equal(out_close(f->out), 0);
	wrote(f, 0, "ac");
	wrote(f, 1, "bd");
}

/* Both are the same file, as on a terminal: the order is that of adding. */
static void test_order_over_both(void **state)
{
	struct fixture *f = *state;

	assert_true(dup2(STDOUT_FILENO, STDERR_FILENO) >= 0);
	open_out(f);
	for (int i = 0; i < 50; i++) {
		add(f, 1, "a");
		add(f, 2, "b");
	}
	assert_int_equal(out_close(f->out), 0);
	wrote(f, 0,
	      "abababababababababababababababababababababababab"
	      "abababababababababababababababababababababababababab");
}

/* Nobody reads the pipe: it fills, out_is_full says so; who reads makes room. */
static void test_full_and_room(void **state)
{
	struct fixture *f = *state;
	struct buf big = {0};
	int end = open_pipe();
	ssize_t n;
	size_t total = 0;

	open_out(f);
	assert_false(out_is_full(f->out));
	memset(buf_room(&big, OUT_QUEUE), 'x', OUT_QUEUE);
	big.len = OUT_QUEUE;
	out_add(f->out, 1, &big);
	assert_false(out_is_full(f->out));
	add(f, 1, "y");
	assert_true(out_is_full(f->out));
	assert_int_equal(f->rooms, 0);
	while (total < OUT_QUEUE + 1) {
		n = read(end, buf_room(&big, 65536), 65536);
		assert_true(n > 0);
		total += (size_t)n;
	}
	buf_done(&big);
	loop_run(f->loop); /* until on_room */
	assert_int_equal(f->rooms, 1);
	assert_false(out_is_full(f->out));
	fd_close(&end);
}

static void test_a_reader_that_went_away(void **state)
{
	struct fixture *f = *state;
	int end = open_pipe();

	fd_close(&end);
	open_out(f);
	add(f, 1, "lost");
	loop_run(f->loop); /* until on_failed */
	assert_int_equal(f->error, EPIPE);
	add(f, 1, "lost, too");
	add(f, 2, "heard");
	assert_int_equal(out_close(f->out), EPIPE);
	assert_int_equal(f->failures, 1);
	wrote(f, 1, "heard");
}

static void test_a_full_disk(void **state)
{
	struct fixture *f = *state;

	capture_stdout(open("/dev/full", O_WRONLY | O_CLOEXEC));
	open_out(f);
	add(f, 1, "x");
	assert_int_equal(out_close(f->out), ENOSPC);
}

/* More than a pipe takes, so that its writer hangs. */
static void add_much(struct fixture *f)
{
	struct buf much = {0};

	memset(buf_room(&much, OUT_QUEUE), 'x', OUT_QUEUE);
	much.len = OUT_QUEUE;
	out_add(f->out, 1, &much);
}

static void await_stderr(struct fixture *f, size_t len)
{
	struct buf b = {0};

	do
		capture_read(&f->capture, 1, &b);
	while (b.len < len);
	buf_done(&b);
}

/* What muster has to say is heard although nobody reads the results. */
static void test_neither_waits_for_the_other(void **state)
{
	struct fixture *f = *state;

	(void)open_pipe(); /* stays open: the thread that is left hangs there to the end */
	open_out(f);
	add_much(f);
	add(f, 2, "heard");
	await_stderr(f, 5);
	assert_int_equal(out_leave(f->out, 50), 0);
	wrote(f, 1, "heard");
}

static void test_leaving_what_nobody_reads(void **state)
{
	struct fixture *f = *state;

	(void)open_pipe(); /* as above */
	open_out(f);
	add_much(f);
	add_much(f);
	add(f, 1, "more");
	assert_int_equal(out_leave(f->out, 50), 0);
	assert_int_equal(out_leave(f->out, 50), 0);
	assert_int_equal(f->failures, 0);
}

static void test_leaving_when_all_is_written(void **state)
{
	struct fixture *f = *state;

	open_out(f);
	add(f, 1, "all");
	assert_int_equal(out_leave(f->out, 60000), 0);
	wrote(f, 0, "all");
}

/* The thread tells of failure and room while nobody runs the loop any more. */
static void test_freed_before_the_events_came(void **state)
{
	struct fixture *f = *state;
	int end = open_pipe();

	fd_close(&end);
	open_out(f);
	add_much(f);
	add(f, 1, "more");
	while (out_is_full(f->out))
		;
	out_free(f->out);
	f->out = NULL;
	loop_free(f->loop);
	f->loop = NULL;
	assert_int_equal(f->failures, 0);
	assert_int_equal(f->rooms, 0);
}

#define OUT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OUT_TEST(test_each_to_its_place),
		OUT_TEST(test_order_over_both),
		OUT_TEST(test_full_and_room),
		OUT_TEST(test_a_reader_that_went_away),
		OUT_TEST(test_a_full_disk),
		OUT_TEST(test_neither_waits_for_the_other),
		OUT_TEST(test_leaving_what_nobody_reads),
		OUT_TEST(test_leaving_when_all_is_written),
		OUT_TEST(test_freed_before_the_events_came),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
