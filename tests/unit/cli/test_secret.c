/* What is typed at a prompt, on a terminal of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "buf.h"
#include "fd.h"
#include "secret.h"

#define ROUNDS 20
#define LIMIT  60000

/* The child: asks, and is content with this answer alone. */
static _Noreturn void ask(const char *want)
{
	struct errmsg msg;
	char *got = NULL;
	int rc = secret_ask_for(&got, "Password: ", false, LIMIT, &msg);

	_exit(rc == 0 && strcmp(got, want) == 0 ? 0 : 1);
}

/* Reads until the text comes. */
static void until(int tty, struct buf *shown, const char *text)
{
	while (!strstr(buf_cstr(shown), text)) {
		struct pollfd p = {.fd = tty, .events = POLLIN};
		ssize_t n;

		assert_int_equal(poll(&p, 1, LIMIT), 1);
		n = read(tty, buf_room(shown, 256), 256);
		assert_true(n > 0);
		shown->len += (size_t)n;
	}
}

static void answer(const char *typed, const char *want)
{
	struct buf shown = {0};
	struct termios mode;
	int tty, status;
	pid_t pid = forkpty(&tty, NULL, NULL, NULL);

	assert_true(pid >= 0);
	if (pid == 0)
		ask(want);
	until(tty, &shown, "Password: ");
	/* From the first moment at which somebody could type. */
	assert_int_equal(tcgetattr(tty, &mode), 0);
	assert_int_equal(mode.c_lflag & ECHO, 0);
	assert_int_equal(fd_write_all(tty, typed, strlen(typed)), 0);
	until(tty, &shown, "\n");
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_null(strstr(buf_cstr(&shown), want));
	fd_close(&tty);
	buf_done(&shown);
}

static void nothing_is_shown_or_lost(void **state)
{
	(void)state;
	for (int i = 0; i < ROUNDS; i++)
		answer("sesame\n", "sesame");
}

static void the_terminal_is_as_it_was(void **state)
{
	struct termios mode;
	int tty, status;
	struct buf shown = {0};
	pid_t pid = forkpty(&tty, NULL, NULL, NULL);

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		struct errmsg msg;
		char *got = NULL;

		/* The end of the terminal's input, and then a second question. */
		if (secret_ask_for(&got, "First: ", false, LIMIT, &msg) == 0)
			_exit(1);
		ask("sesame");
	}
	until(tty, &shown, "First: ");
	assert_int_equal(fd_write_all(tty, "\x04", 1), 0);
	until(tty, &shown, "Password: ");
	assert_int_equal(fd_write_all(tty, "sesame\n", 7), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	if (tcgetattr(tty, &mode) == 0)
		assert_int_equal(mode.c_lflag & ECHO, ECHO);
	fd_close(&tty);
	buf_done(&shown);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_shown_or_lost),
		cmocka_unit_test(the_terminal_is_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
