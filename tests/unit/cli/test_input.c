/* --stdin: pieces, room, limits, and what cannot be waited for. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc.h"
#include "buf.h"
#include "fd.h"
#include "input.h"
#include "limits.h"

struct fixture {
	struct loop *loop;
	struct input *input;
	int fd;
	struct buf got;
	size_t bytes;
	size_t pieces;
	size_t room; /* pieces that still fit; SIZE_MAX: any number */
	bool keep;   /* what comes */
	bool ended;
	char failed[256];
};

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof *f);

	*state = f;
	f->loop = loop_new();
	f->fd = -1;
	f->room = SIZE_MAX;
	f->keep = true;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	input_free(f->input);
	loop_free(f->loop);
	fd_close(&f->fd);
	buf_done(&f->got);
	free(f);
	return 0;
}

static void on_piece(void *arg, const void *data, size_t len, bool end)
{
	struct fixture *f = arg;

	assert_true(len <= LIMIT_STDIN_PIECE);
	assert_false(f->ended);
	assert_true(f->room > 0);
	if (f->room != SIZE_MAX)
		f->room--;
	f->pieces++;
	f->bytes += len;
	if (f->keep)
		buf_add(&f->got, data, len);
	f->ended = end;
	if (end || !f->room)
		loop_stop(f->loop);
}

static bool is_full(void *arg)
{
	return ((struct fixture *)arg)->room == 0;
}

static void on_failed(void *arg, const char *text)
{
	struct fixture *f = arg;

	assert_false(f->ended);
	(void)strncat(f->failed, text, sizeof f->failed - 1);
	loop_stop(f->loop);
}

static void begin(struct fixture *f, int fd)
{
	static const struct input_events events = {on_piece, is_full, on_failed};

	f->fd = fd;
	f->input = input_new(f->loop, fd, "NAME", &events, f);
}

static int file_of(const void *data, size_t len)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, data, len), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void a_file_comes_whole(void **state)
{
	static uint8_t data[3 * LIMIT_STDIN_PIECE + 7];
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)(i * 31);
	begin(f, file_of(data, sizeof data));
	loop_run(f->loop);
	assert_true(f->ended);
	assert_int_equal(f->got.len, sizeof data);
	assert_memory_equal(f->got.data, data, sizeof data);
}

static void nothing_is_an_end(void **state)
{
	struct fixture *f = *state;

	begin(f, open("/dev/null", O_RDONLY | O_CLOEXEC));
	loop_run(f->loop);
	assert_true(f->ended);
	assert_int_equal(f->pieces, 1);
	assert_int_equal(f->bytes, 0);
}

/* A writer who takes his time does not keep the loop. */
static void on_tick(void *arg)
{
	loop_stop(arg);
}

static void a_pipe_is_waited_for(void **state)
{
	struct fixture *f = *state;
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	begin(f, ends[0]);
	loop_defer(f->loop, on_tick, f->loop);
	loop_run(f->loop);
	assert_int_equal(f->pieces, 0);
	assert_int_equal(fd_write_all(ends[1], "abc", 3), 0);
	fd_close(&ends[1]);
	loop_run(f->loop);
	assert_true(f->ended);
	assert_string_equal(buf_cstr(&f->got), "abc");
}

static void it_waits_for_room(void **state)
{
	static uint8_t data[4 * LIMIT_STDIN_PIECE];
	struct fixture *f = *state;

	f->room = 2;
	begin(f, file_of(data, sizeof data));
	loop_run(f->loop);
	assert_int_equal(f->pieces, 2);
	/* Still no room: nothing happens. */
	input_room(f->input);
	loop_defer(f->loop, on_tick, f->loop);
	loop_run(f->loop);
	assert_int_equal(f->pieces, 2);
	f->room = SIZE_MAX;
	input_room(f->input);
	input_room(f->input);
	loop_run(f->loop);
	assert_true(f->ended);
	assert_int_equal(f->bytes, sizeof data);
}

static void more_than_the_limit_fails(void **state)
{
	struct fixture *f = *state;

	f->keep = false;
	begin(f, open("/dev/zero", O_RDONLY | O_CLOEXEC));
	loop_run(f->loop);
	assert_string_equal(f->failed, "--stdin: NAME: more than 256 MiB");
	assert_int_equal(f->bytes, LIMIT_STDIN);
	assert_false(f->ended);
	/* It was the last event. */
	input_room(f->input);
	loop_defer(f->loop, on_tick, f->loop);
	loop_run(f->loop);
	assert_int_equal(f->bytes, LIMIT_STDIN);
}

static void what_cannot_be_read_fails(void **state)
{
	struct fixture *f = *state;

	begin(f, open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	loop_run(f->loop);
	assert_non_null(strstr(f->failed, "--stdin: NAME: Is a directory"));
	assert_int_equal(f->pieces, 0);
}

static void opening(void **state)
{
	char path[] = "/tmp/test_input.XXXXXX";
	struct errmsg msg;
	int fd = mkstemp(path), got = -1;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, LIMIT_STDIN), 0);
	assert_int_equal(input_open(&got, path, &msg), 0);
	fd_close(&got);
	assert_int_equal(ftruncate(fd, (off_t)LIMIT_STDIN + 1), 0);
	assert_int_equal(input_open(&got, path, &msg), ERR_LIMIT);
	assert_non_null(strstr(msg.text, "longer than 256 MiB"));
	fd_close(&fd);
	(void)unlink(path);
	assert_int_equal(input_open(&got, path, &msg), ERR_SYS);
	assert_non_null(strstr(msg.text, path));
	assert_int_equal(input_open(&got, "/tmp", &msg), ERR_SYS);
	assert_non_null(strstr(msg.text, "directory"));
	assert_int_equal(got, -1);
	assert_int_equal(input_open(&got, "-", &msg), 0);
	assert_true(got > STDERR_FILENO);
	fd_close(&got);
}

#define INPUT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		INPUT_TEST(a_file_comes_whole),
		INPUT_TEST(nothing_is_an_end),
		INPUT_TEST(a_pipe_is_waited_for),
		INPUT_TEST(it_waits_for_room),
		INPUT_TEST(more_than_the_limit_fails),
		INPUT_TEST(what_cannot_be_read_fails),
		cmocka_unit_test(opening),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
