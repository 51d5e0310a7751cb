/* Records in, bytes out: long lines, several children at once, and a reader who is slow. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc.h"
#include "capture.h"
#include "limits.h"
#include "view.h"

#define JOB   7u
#define FIRST 8u /* the id of child "a"; "b" and "c" follow */

static const char *const labels[] = {"a", "b", "c"};

struct fixture {
	struct capture capture;
	struct loop *loop;
	struct out *out;
	struct board *board;
	struct view *view;
	struct record_batch batch;
	uint64_t seq[ARRAY_LEN(labels)];
	int pipe; /* its reading end; -1: stdout is a file */
	struct buf piped;
};

static void on_room(void *arg)
{
	struct fixture *f = arg;
	struct errmsg msg = {{0}};

	if (view_go_on(f->view, &msg) != 0)
		fail_msg("%s", msg.text);
	if (!view_is_busy(f->view))
		loop_stop(f->loop);
}

static void on_failed(void *arg, int error)
{
	(void)arg;
	fail_msg("stdout failed: %s", strerror(error));
}

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof *f);

	*state = f;
	f->pipe = -1;
	f->loop = loop_new();
	capture_begin(&f->capture);
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	view_free(f->view);
	board_free(f->board);
	fd_close(&f->pipe); /* so that the writing thread ends */
	out_free(f->out);
	loop_free(f->loop);
	record_batch_done(&f->batch);
	buf_done(&f->piped);
	capture_end(&f->capture);
	free(f);
	return 0;
}

static void open_view(struct fixture *f, const char *format, bool labelled, bool escape)
{
	static const struct out_events events = {on_room, on_failed};
	struct render_style style = {.labels = labelled, .escape = escape};
	struct view_options options = {.format = format_find(format),
				       .out_style = style,
				       .err_style = style,
				       .split = strcmp(format, "text") == 0};

	f->out = out_new(f->loop, &events, f);
	f->board = board_new(f->loop, f->out, labels, ARRAY_LEN(labels), false, false);
	f->view = view_new(&options, f->out, f->board);
	for (size_t i = 0; i < ARRAY_LEN(labels); i++)
		view_add_source(f->view, FIRST + i, JOB, labels[i]);
}

static void put_bytes(struct fixture *f, uint64_t stream, uint64_t flags, const void *data,
		      size_t len)
{
	struct record r = {.stream = stream, .flags = flags, .value = data, .len = len};

	r.time_ns = UINT64_C(1000000000000000000);
	record_batch_add(&f->batch, &r);
}

static void put(struct fixture *f, uint64_t stream, uint64_t flags, const char *text)
{
	put_bytes(f, stream, flags, text, strlen(text));
}

/* Hands what was put to the view, as one message of a child. */
static int send_to(struct fixture *f, size_t child, struct errmsg *msg)
{
	struct buf body = {0};
	int rc;

	records_put(&body, FIRST + child, f->seq[child] + 1, &f->batch);
	f->seq[child] += f->batch.count;
	record_batch_clear(&f->batch);
	rc = view_records(f->view, body.data, body.len, msg);
	buf_done(&body);
	return rc;
}

static void send_ok(struct fixture *f, size_t child)
{
	struct errmsg msg = {{0}};

	if (send_to(f, child, &msg) != 0)
		fail_msg("%s", msg.text);
}

static void shows(struct fixture *f, const char *out, const char *err)
{
	struct buf b = {0};

	assert_int_equal(out_close(f->out), 0);
	capture_read(&f->capture, 0, &b);
	assert_string_equal(buf_cstr(&b), out);
	capture_read(&f->capture, 1, &b);
	assert_string_equal(buf_cstr(&b), err);
	buf_done(&b);
}

/* --- lines ---------------------------------------------------------------------------------- */

static void test_lines_and_streams(void **state)
{
	struct fixture *f = *state;

	open_view(f, "text", true, false);
	put(f, STREAM_OUTPUT, 0, "one");
	put(f, STREAM_ERROR, 0, "wrong");
	put(f, STREAM_OUTPUT, 0, "");
	send_ok(f, 0);
	put(f, STREAM_OUTPUT, RECORD_NO_EOL, "two");
	send_ok(f, 1);
	shows(f, "a: one\na: \nb: two\n", "a: wrong\n");
}

static void test_exact_bytes_without_labels(void **state)
{
	static const char bytes[] = "\0\xff\x1b[31m\r";
	struct fixture *f = *state;
	struct buf b = {0};

	open_view(f, "text", false, false);
	put_bytes(f, STREAM_OUTPUT, 0, bytes, sizeof bytes);
	put(f, STREAM_OUTPUT, RECORD_NO_EOL, "end");
	send_ok(f, 0);
	assert_int_equal(out_close(f->out), 0);
	capture_read(&f->capture, 0, &b);
	assert_int_equal(b.len, sizeof bytes + 4);
	assert_memory_equal(b.data, bytes, sizeof bytes);
	assert_memory_equal(b.data + sizeof bytes, "\nend", 4);
	buf_done(&b);
}

static void test_jsonl_is_one_stream(void **state)
{
	struct fixture *f = *state;

	open_view(f, "jsonl", true, false);
	put(f, STREAM_OUTPUT, 0, "one");
	put(f, STREAM_ERROR, 0, "\"\n");
	send_ok(f, 1);
	shows(f,
	      "{\"host\":\"b\",\"job\":7,\"child\":9,\"stream\":\"output\",\"seq\":1,"
	      "\"time\":\"2001-09-09T01:46:40.000000Z\",\"value\":\"one\"}\n"
	      "{\"host\":\"b\",\"job\":7,\"child\":9,\"stream\":\"error\",\"seq\":2,"
	      "\"time\":\"2001-09-09T01:46:40.000000Z\",\"value\":\"\\\"\\n\"}\n",
	      "");
}

/* --- long lines ----------------------------------------------------------------------------- */

static void test_pieces_become_one_line(void **state)
{
	struct fixture *f = *state;

	open_view(f, "text", true, false);
	put(f, STREAM_OUTPUT, RECORD_CONTINUES, "one ");
	put(f, STREAM_OUTPUT, RECORD_CONTINUES, "two ");
	send_ok(f, 0);
	put(f, STREAM_OUTPUT, 0, "three");
	put(f, STREAM_OUTPUT, 0, "next");
	send_ok(f, 0);
	assert_false(view_is_busy(f->view));
	shows(f, "a: one two three\na: next\n", "");
}

static void test_nobody_writes_into_a_line(void **state)
{
	struct fixture *f = *state;

	open_view(f, "text", true, false);
	put(f, STREAM_OUTPUT, RECORD_CONTINUES, "A1 ");
	send_ok(f, 0);
	put(f, STREAM_OUTPUT, RECORD_CONTINUES, "B1 ");
	send_ok(f, 1);
	put(f, STREAM_OUTPUT, 0, "c");
	send_ok(f, 2);
	put(f, STREAM_OUTPUT, RECORD_CONTINUES, "A2 ");
	send_ok(f, 0);
	put(f, STREAM_OUTPUT, 0, "B2");
	send_ok(f, 1);
	put(f, STREAM_OUTPUT, 0, "A3");
	send_ok(f, 0);
	shows(f, "c: c\nb: B1 B2\na: A1 A2 A3\n", "");
}

/* The two streams of a child can both be in the middle of a line. */
static void test_long_lines_of_both_streams(void **state)
{
	struct fixture *f = *state;

	open_view(f, "text", true, false);
	put(f, STREAM_OUTPUT, RECORD_CONTINUES, "O1 ");
	put(f, STREAM_ERROR, RECORD_CONTINUES, "E1 ");
	put(f, STREAM_OUTPUT, RECORD_CONTINUES, "O2 ");
	put(f, STREAM_ERROR, 0, "E2");
	put(f, STREAM_OUTPUT, RECORD_NO_EOL, "O3");
	put(f, STREAM_ERROR, 0, "E3");
	send_ok(f, 0);
	shows(f, "a: O1 O2 O3\n", "a: E1 E2\na: E3\n");
}

static void test_a_character_over_two_pieces(void **state)
{
	struct fixture *f = *state;

	open_view(f, "text", true, true);
	put(f, STREAM_OUTPUT, RECORD_CONTINUES, "caf\xc3");
	put(f, STREAM_OUTPUT, RECORD_CONTINUES, "\xa9 \x1b[2");
	put(f, STREAM_OUTPUT, 0, "J \xe2");
	send_ok(f, 0);
	shows(f, "a: caf\xc3\xa9 \\x1b[2J \\xe2\n", "");
}

/* One piece that is no text makes bytes of the whole line, and of that line alone. */
static void test_bytes_in_one_piece(void **state)
{
	struct fixture *f = *state;

	open_view(f, "jsonl", true, false);
	put(f, STREAM_OUTPUT, RECORD_CONTINUES, "abcd");
	put(f, STREAM_OUTPUT, RECORD_CONTINUES, "\xff");
	put(f, STREAM_OUTPUT, 0, "ef");
	put(f, STREAM_OUTPUT, RECORD_CONTINUES, "x");
	put(f, STREAM_OUTPUT, 0, "y");
	send_ok(f, 0);
	shows(f,
	      "{\"host\":\"a\",\"job\":7,\"child\":8,\"stream\":\"output\",\"seq\":3,"
	      "\"time\":\"2001-09-09T01:46:40.000000Z\",\"value\":{\"$bytes\":\"YWJjZP9lZg==\"}}\n"
	      "{\"host\":\"a\",\"job\":7,\"child\":8,\"stream\":\"output\",\"seq\":5,"
	      "\"time\":\"2001-09-09T01:46:40.000000Z\",\"value\":\"xy\"}\n",
	      "");
}

static void test_a_line_that_never_ends_leaks_nothing(void **state)
{
	struct fixture *f = *state;

	open_view(f, "text", true, false);
	put(f, STREAM_OUTPUT, RECORD_CONTINUES, "and then");
	send_ok(f, 0);
	shows(f, "", "");
}

/* --- a slow reader -------------------------------------------------------------------------- */

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct fixture *f = arg;
	ssize_t n = read(fd, buf_room(&f->piped, 65536), 65536);

	(void)what;
	assert_true(n > 0);
	f->piped.len += (size_t)n;
}

/* stdout becomes a pipe that nobody reads for now. */
static void open_pipe(struct fixture *f)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	f->pipe = ends[0];
	capture_stdout(ends[1]);
}

/* Reads until the view has handed all on, then what is on its way. */
static void read_all(struct fixture *f, size_t expected)
{
	struct event *reader =
		event_new(loop_base(f->loop), f->pipe, EV_READ | EV_PERSIST, on_readable, f);

	assert_non_null(reader);
	assert_int_equal(event_add(reader, NULL), 0);
	loop_run(f->loop);
	event_free(reader);
	assert_false(view_is_busy(f->view));
	while (f->piped.len < expected)
		on_readable(f->pipe, EV_READ, f);
}

static void put_pieces(struct fixture *f, uint64_t stream, size_t count, int letter)
{
	static char piece[LIMIT_RECORD_VALUE];

	memset(piece, letter, sizeof piece);
	for (size_t i = 0; i < count; i++) {
		put_bytes(f, stream, RECORD_CONTINUES, piece, sizeof piece);
		send_ok(f, 0);
		assert_false(view_is_busy(f->view));
	}
}

static const uint8_t *check_long(const uint8_t *at, size_t pieces, int letter)
{
	assert_memory_equal(at, "a: ", 3);
	at += 3;
	for (size_t i = 0; i < pieces * LIMIT_RECORD_VALUE; i++)
		if (*at++ != letter)
			fail_msg("byte %zu of the line of '%c' is another", i, letter);
	return at;
}

static const uint8_t *check_text(const uint8_t *at, const char *text)
{
	assert_memory_equal(at, text, strlen(text));
	return at + strlen(text);
}

#define PIECES (3 * OUT_QUEUE / LIMIT_RECORD_VALUE)

/* The end of a long line does not fit: the rest of its message waits behind it, in order. */
static void test_a_long_line_waits_for_its_reader(void **state)
{
	struct fixture *f = *state;
	const char *rest = "end\na: after 1\na: after 2\n";
	size_t size = 3 + PIECES * LIMIT_RECORD_VALUE + strlen(rest);

	open_pipe(f);
	open_view(f, "text", true, false);
	put_pieces(f, STREAM_OUTPUT, PIECES, 'x');
	put(f, STREAM_OUTPUT, 0, "end");
	put(f, STREAM_OUTPUT, 0, "after 1");
	put(f, STREAM_ERROR, 0, "wrong");
	put(f, STREAM_OUTPUT, 0, "after 2");
	send_ok(f, 0);
	assert_true(view_is_busy(f->view));
	/* More than the queue takes at once is not in memory, but in the file. */
	assert_true(out_is_full(f->out));
	read_all(f, size);
	assert_int_equal(f->piped.len, size);
	(void)check_text(check_long(f->piped.data, PIECES, 'x'), rest);
	assert_int_equal(out_close(f->out), 0);
	capture_read(&f->capture, 1, &f->piped);
	assert_string_equal(buf_cstr(&f->piped), "a: wrong\n");
}

/* The rest of a message that waits can hold the end of a second long line. */
static void test_two_long_lines_in_one_message(void **state)
{
	struct fixture *f = *state;
	size_t size = 2 * (3 + PIECES * LIMIT_RECORD_VALUE) + strlen("1\n"
								     "a: between\n"
								     "2\n"
								     "a: after\n");
	const uint8_t *at;

	/* Both on the pipe, so that the order shows. */
	open_pipe(f);
	assert_true(dup2(STDOUT_FILENO, STDERR_FILENO) >= 0);
	open_view(f, "text", true, false);
	put_pieces(f, STREAM_OUTPUT, PIECES, 'o');
	put_pieces(f, STREAM_ERROR, PIECES, 'e');
	put(f, STREAM_OUTPUT, 0, "1");
	put(f, STREAM_OUTPUT, 0, "between");
	put(f, STREAM_ERROR, 0, "2");
	put(f, STREAM_OUTPUT, 0, "after");
	send_ok(f, 0);
	assert_true(view_is_busy(f->view));
	read_all(f, size);
	assert_int_equal(f->piped.len, size);
	at = check_long(f->piped.data, PIECES, 'o');
	at = check_text(at, "1\na: between\n");
	at = check_long(at, PIECES, 'e');
	(void)check_text(at, "2\na: after\n");
}

/* --- faults --------------------------------------------------------------------------------- */

static void test_unknown_children(void **state)
{
	static const uint64_t children[] = {0, FIRST - 1, FIRST + ARRAY_LEN(labels), UINT64_MAX};
	struct fixture *f = *state;

	open_view(f, "text", true, false);
	for (size_t i = 0; i < ARRAY_LEN(children); i++) {
		struct errmsg msg = {{0}};
		struct buf body = {0};

		put(f, STREAM_OUTPUT, 0, "x");
		records_put(&body, children[i], 1, &f->batch);
		record_batch_clear(&f->batch);
		assert_int_equal(view_records(f->view, body.data, body.len, &msg), ERR_PROTO);
		assert_non_null(strstr(msg.text, "unknown child"));
		buf_done(&body);
	}
	shows(f, "", "");
}

static void test_a_body_that_is_none(void **state)
{
	struct fixture *f = *state;
	struct errmsg msg = {{0}};

	open_view(f, "text", true, false);
	assert_int_equal(view_records(f->view, "\xc1", 1, &msg), ERR_PROTO);
	assert_true(msg.text[0] != '\0');
	assert_false(view_is_busy(f->view));
}

static void test_no_place_for_a_long_line(void **state)
{
	struct fixture *f = *state;
	struct errmsg msg = {{0}};

	open_view(f, "text", true, false);
	assert_int_equal(setenv("TMPDIR", "/nonexistent", 1), 0);
	put(f, STREAM_OUTPUT, RECORD_CONTINUES, "long");
	assert_int_equal(send_to(f, 0, &msg), ERR_SYS);
	assert_int_equal(unsetenv("TMPDIR"), 0);
	assert_non_null(strstr(msg.text, "/nonexistent"));
	/* Lines that fit need no file. */
	put(f, STREAM_OUTPUT, 0, "short");
	send_ok(f, 1);
	shows(f, "b: short\n", "");
}

#define VIEW_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		VIEW_TEST(test_lines_and_streams),
		VIEW_TEST(test_exact_bytes_without_labels),
		VIEW_TEST(test_jsonl_is_one_stream),
		VIEW_TEST(test_pieces_become_one_line),
		VIEW_TEST(test_nobody_writes_into_a_line),
		VIEW_TEST(test_long_lines_of_both_streams),
		VIEW_TEST(test_a_character_over_two_pieces),
		VIEW_TEST(test_bytes_in_one_piece),
		VIEW_TEST(test_a_line_that_never_ends_leaks_nothing),
		VIEW_TEST(test_a_long_line_waits_for_its_reader),
		VIEW_TEST(test_two_long_lines_in_one_message),
		VIEW_TEST(test_unknown_children),
		VIEW_TEST(test_a_body_that_is_none),
		VIEW_TEST(test_no_place_for_a_long_line),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
