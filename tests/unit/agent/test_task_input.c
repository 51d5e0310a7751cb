/* Input on its way to a command. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "fd.h"
#include "input.h"

static struct input in;
static int reader;

static int begin(void **state)
{
	int ends[2];

	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	reader = ends[0];
	input_init(&in, ends[1], false);
	return 0;
}

static int end(void **state)
{
	(void)state;
	fd_close(&reader);
	input_done(&in);
	return 0;
}

static void it_arrives_and_ends(void **state)
{
	char got[8];

	(void)state;
	assert_false(input_wants(&in));
	assert_int_equal(input_add(&in, "abc", 3, true, NULL), 0);
	assert_true(input_wants(&in));
	input_write(&in);
	assert_int_equal(read(reader, got, sizeof got), 3);
	assert_int_equal(read(reader, got, sizeof got), 0);
	assert_true(input_has_news(&in));
	assert_int_equal(in.taken, 3);
	assert_false(input_has_news(&in));
	assert_false(input_wants(&in));
	assert_int_equal(input_add(&in, "x", 1, false, NULL), ERR_ORDER);
}

static void what_is_kept_is_bounded(void **state)
{
	static char piece[64 << 10];
	struct errmsg msg;
	int rc = 0, pieces = 0;

	(void)state;
	while (rc == 0 && pieces++ < 100)
		rc = input_add(&in, piece, sizeof piece, false, &msg);
	assert_int_equal(rc, ERR_LIMIT);
	assert_int_equal(pieces, INPUT_ROOM / sizeof piece + 1);
	assert_non_null(strstr(msg.text, "TASK_STDIN"));
}

static void it_moves_on_when_room_comes(void **state)
{
	static char piece[INPUT_ROOM];
	uint64_t read_bytes = 0;

	(void)state;
	assert_int_equal(input_add(&in, piece, sizeof piece, true, NULL), 0);
	for (;;) {
		ssize_t n;

		input_write(&in);
		n = read(reader, piece, sizeof piece);
		if (n == 0)
			break;
		assert_true(n > 0);
		read_bytes += (uint64_t)n;
	}
	assert_int_equal(read_bytes, INPUT_ROOM);
	assert_int_equal(in.taken, INPUT_ROOM);
}

static void without_a_reader_all_is_taken(void **state)
{
	(void)state;
	fd_close(&reader);
	assert_int_equal(input_add(&in, "abc", 3, false, NULL), 0);
	input_write(&in);
	assert_int_equal(in.taken, 3);
	assert_int_equal(input_add(&in, "de", 2, true, NULL), 0);
	input_write(&in);
	assert_int_equal(in.taken, 5);
	assert_false(input_wants(&in));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_arrives_and_ends),
		TEST(what_is_kept_is_bounded),
		TEST(it_moves_on_when_room_comes),
		TEST(without_a_reader_all_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
