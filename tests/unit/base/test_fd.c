#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "err.h"
#include "fd.h"

static char dir[] = "/tmp/test_fd.XXXXXX";

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	return rmdir(dir);
}

/* A path in the test's own directory; valid until the next call. */
static const char *path_of(const char *name)
{
	static char path[128];

	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	return path;
}

static void put_file(const char *path, const char *text, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, n), 0);
	fd_close(&fd);
}

static void close_forgets_and_keeps_errno(void **state)
{
	int p[2], fd = -1;

	(void)state;
	errno = EAGAIN;
	fd_close(&fd);
	assert_int_equal(fd, -1);
	assert_int_equal(pipe(p), 0);
	fd = p[0];
	errno = EAGAIN;
	fd_close(&p[0]);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(p[0], -1);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	fd = 1000000;
	errno = EAGAIN;
	fd_close(&fd);
	assert_int_equal(errno, EAGAIN);
	fd_close(&p[1]);
}

static void flags(void **state)
{
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	assert_int_equal(fd_nonblock(p[0]), 0);
	assert_true(fcntl(p[0], F_GETFL) & O_NONBLOCK);
	assert_int_equal(fd_cloexec(p[0]), 0);
	assert_true(fcntl(p[0], F_GETFD) & FD_CLOEXEC);
	fd_close(&p[0]);
	fd_close(&p[1]);
	assert_int_equal(fd_nonblock(-1), ERR_SYS);
	assert_int_equal(errno, EBADF);
	assert_int_equal(fd_cloexec(-1), ERR_SYS);
}

static void *read_to_end(void *arg)
{
	static size_t total;
	int *fd = arg;
	char part[1000];
	ssize_t n;

	total = 0;
	while ((n = read(*fd, part, sizeof part)) > 0)
		total += (size_t)n;
	return &total;
}

static void write_more_than_a_pipe_holds(bool nonblocking)
{
	size_t n = 1u << 20;
	char *data = calloc(1, n);
	void *total;
	pthread_t reader;
	int p[2];

	assert_non_null(data);
	assert_int_equal(pipe(p), 0);
	if (nonblocking)
		assert_int_equal(fd_nonblock(p[1]), 0);
	assert_int_equal(pthread_create(&reader, NULL, read_to_end, &p[0]), 0);
	assert_int_equal(fd_write_all(p[1], data, n), 0);
	fd_close(&p[1]);
	assert_int_equal(pthread_join(reader, &total), 0);
	assert_int_equal(*(size_t *)total, n);
	fd_close(&p[0]);
	free(data);
}

static void more_than_a_pipe_holds_is_written(void **state)
{
	(void)state;
	write_more_than_a_pipe_holds(false);
}

/* As when somebody who shares our stdout has set it so. */
static void a_full_pipe_that_does_not_block_is_waited_for(void **state)
{
	(void)state;
	write_more_than_a_pipe_holds(true);
}

static void reading_until_a_deadline(void **state)
{
	uint64_t far = clock_mono_ns() + UINT64_C(60000000000);
	struct buf b = {0};
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	assert_int_equal(fd_nonblock(p[0]), 0);
	assert_int_equal(fd_write_all(p[1], "abcdefg", 7), 0);
	assert_int_equal(fd_read_until(p[0], &b, 3, far), 0);
	assert_string_equal(buf_cstr(&b), "abc");
	assert_int_equal(fd_read_until(p[0], &b, 3, far), 0);
	assert_int_equal(b.len, 3);
	assert_int_equal(fd_read_until(p[0], &b, 6, far), 0);
	assert_string_equal(buf_cstr(&b), "abcdef");
	assert_int_equal(fd_read_until(p[0], &b, 8, clock_mono_ns() + 1), ERR_TIMEOUT);
	fd_close(&p[1]);
	assert_int_equal(fd_read_until(p[0], &b, 8, far), ERR_CLOSED);
	assert_string_equal(buf_cstr(&b), "abcdefg");
	fd_close(&p[0]);
	buf_done(&b);
}

static void a_failed_write_is_told(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, "x", 1), ERR_SYS);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(fd_write_all(fd, "", 0), 0);
	fd_close(&fd);
}

static void a_file_is_appended_whole(void **state)
{
	struct buf b = {0};
	size_t n = 200001;
	char *text = malloc(n);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < n; i++)
		text[i] = (char)(i % 251);
	put_file(path_of("f"), text, n);
	buf_add_str(&b, "head:");
	assert_int_equal(fd_read_file(&b, path_of("f"), n), 0);
	assert_int_equal(b.len, n + 5);
	assert_memory_equal(b.data, "head:", 5);
	assert_memory_equal(b.data + 5, text, n);
	buf_done(&b);
	free(text);
	assert_int_equal(unlink(path_of("f")), 0);
}

static void a_file_over_the_limit_leaves_nothing(void **state)
{
	struct buf b = {0};

	(void)state;
	put_file(path_of("f"), "0123456789", 10);
	buf_add_str(&b, "head:");
	assert_int_equal(fd_read_file(&b, path_of("f"), 9), ERR_LIMIT);
	assert_string_equal(buf_cstr(&b), "head:");
	assert_int_equal(fd_read_file(&b, path_of("f"), 10), 0);
	assert_string_equal(buf_cstr(&b), "head:0123456789");
	assert_int_equal(unlink(path_of("f")), 0);
	assert_int_equal(fd_read_file(&b, "/dev/zero", 1u << 20), ERR_LIMIT);
	assert_int_equal(b.len, 15);
	buf_done(&b);
}

static void what_cannot_be_read(void **state)
{
	struct buf b = {0};

	(void)state;
	assert_int_equal(fd_read_file(&b, path_of("none"), 10), ERR_SYS);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(fd_read_file(&b, dir, 10), ERR_SYS);
	assert_int_equal(errno, EISDIR);
	assert_int_equal(b.len, 0);
	buf_done(&b);
}

static void a_fifo_does_not_hang(void **state)
{
	struct buf b = {0};
	int fd;

	(void)state;
	assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
	assert_int_equal(fd_read_file(&b, path_of("fifo"), 10), 0);
	assert_int_equal(b.len, 0);
	/* With a writer that says nothing. */
	fd = open(path_of("fifo"), O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fd_read_file(&b, path_of("fifo"), 10), ERR_SYS);
	assert_int_equal(errno, EAGAIN);
	fd_close(&fd);
	assert_int_equal(unlink(path_of("fifo")), 0);
	buf_done(&b);
}

static void the_soft_limit_becomes_the_hard_one(void **state)
{
	struct rlimit before, lim;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	lim = before;
	lim.rlim_cur = 32;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &lim), 0);
	assert_int_equal(fd_limit_raise(), before.rlim_max);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &lim), 0);
	assert_int_equal(lim.rlim_cur, before.rlim_max);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(close_forgets_and_keeps_errno),
		cmocka_unit_test(flags),
		cmocka_unit_test(more_than_a_pipe_holds_is_written),
		cmocka_unit_test(a_full_pipe_that_does_not_block_is_waited_for),
		cmocka_unit_test(reading_until_a_deadline),
		cmocka_unit_test(a_failed_write_is_told),
		cmocka_unit_test(a_file_is_appended_whole),
		cmocka_unit_test(a_file_over_the_limit_leaves_nothing),
		cmocka_unit_test(what_cannot_be_read),
		cmocka_unit_test(a_fifo_does_not_hang),
		cmocka_unit_test(the_soft_limit_becomes_the_hard_one),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
