/* The progress line with what a command says of its progress. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "board.h"
#include "capture.h"

static const char *const labels[] = {"web1", "web2"};

struct fixture {
	struct capture capture;
	struct loop *loop;
	struct out *out;
	struct board *board;
	struct event *look;
	const char *awaited;
	struct buf seen;
};

/* Until the line has been drawn as awaited; a hang is ended by the time limit of the test. */
static void on_look(evutil_socket_t fd, short what, void *arg)
{
	struct fixture *f = arg;

	(void)fd;
	(void)what;
	capture_read(&f->capture, 1, &f->seen);
	if (strstr(buf_cstr(&f->seen), f->awaited))
		loop_stop(f->loop);
}

static int set_up(void **state)
{
	static const struct out_events events = {0};
	const struct timeval often = loop_ms(5);
	struct fixture *f = xcalloc(1, sizeof *f);

	*state = f;
	f->loop = loop_new();
	capture_begin(&f->capture);
	f->out = out_new(f->loop, &events, f);
	f->board = board_new(f->loop, f->out, labels, 2, true, false);
	f->look = event_new(loop_base(f->loop), -1, EV_PERSIST, on_look, f);
	assert_int_equal(event_add(f->look, &often), 0);
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	event_free(f->look);
	board_free(f->board);
	out_free(f->out);
	loop_free(f->loop);
	buf_done(&f->seen);
	capture_end(&f->capture);
	free(f);
	return 0;
}

static void await(struct fixture *f, const char *text)
{
	f->awaited = text;
	loop_run(f->loop);
}

static void a_note_stands_behind_the_counts(void **state)
{
	struct fixture *f = *state;

	board_note(f->board, 1, "45% copying\033[2J");
	await(f, "0 failed  web2: 45% copying\\x1b[2J");
	/* Of a child that there is not. */
	board_note(f->board, 2, "nobody");
	board_note(f->board, 0, "46%");
	await(f, "0 failed  web1: 46%");
}

static void a_long_note_has_half_of_the_line(void **state)
{
	struct fixture *f = *state;
	char note[4096];

	memset(note, 'x', sizeof note - 1);
	note[sizeof note - 1] = '\0';
	board_note(f->board, 0, note);
	/* 79 columns: 39 of the note, two blanks. */
	await(f, "0 failed  web1: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r");
}

static void an_ended_child_says_nothing_more(void **state)
{
	struct child_state_msg ended = {.finished = true, .cause = "exited", .exit_code = 0};
	struct fixture *f = *state;

	board_note(f->board, 0, "half");
	board_child(f->board, 1, &ended);
	await(f, "1/2 done, 0 running, 0 failed");
	await(f, "  web1: half");
	board_child(f->board, 0, &ended);
	await(f, "2/2 done, 0 running, 0 failed");
	/* The line that follows is drawn behind that one. */
	await(f, "2/2 done, 0 running, 0 failed");
	assert_null(strstr(strstr(buf_cstr(&f->seen), "2/2 done"), "half"));
}

static void a_child_that_is_disconnected(void **state)
{
	struct child_state_msg running = {.state = "Running", .begin_ns = 1, .exit_code = -1};
	struct child_state_msg lost = {.state = "Disconnected", .begin_ns = 1, .exit_code = -1};
	struct child_state_msg ended = {
		.state = "Completed", .finished = true, .cause = "exited", .exit_code = 0};
	struct fixture *f = *state;

	board_child(f->board, 0, &running);
	board_child(f->board, 1, &running);
	await(f, "0/2 done, 2 running, 0 failed");
	board_child(f->board, 1, &lost);
	board_child(f->board, 1, &lost);
	await(f, "0/2 done, 1 running, 1 disconnected, 0 failed");
	board_child(f->board, 1, &running);
	board_child(f->board, 0, &lost);
	await(f, "0/2 done, 1 running, 1 disconnected, 0 failed");
	board_child(f->board, 0, &ended);
	await(f, "1/2 done, 1 running, 0 failed");
}

#define BOARD_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOARD_TEST(a_note_stands_behind_the_counts),
		BOARD_TEST(a_long_note_has_half_of_the_line),
		BOARD_TEST(an_ended_child_says_nothing_more),
		BOARD_TEST(a_child_that_is_disconnected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
