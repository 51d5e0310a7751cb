/* print_text says what the libc's vsnprintf says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "print.h"

#define ROOM 700

/* In rooms of all sizes, and in none. */
__attribute__((format(printf, 1, 2))) static void same(const char *fmt, ...)
{
	char ours[ROOM], theirs[ROOM];
	va_list ap, again;
	int expected;

	va_start(ap, fmt);
	va_copy(again, ap);
	expected = vsnprintf(theirs, sizeof theirs, fmt, again);
	va_end(again);
	assert_in_range(expected, 0, ROOM - 1);
	va_copy(again, ap);
	assert_int_equal(print_text(NULL, 0, fmt, again), expected);
	va_end(again);
	for (size_t size = 1; size <= (size_t)expected + 2; size++) {
		memset(ours, '#', sizeof ours);
		va_copy(again, ap);
		assert_int_equal(print_text(ours, size, fmt, again), expected);
		va_end(again);
		assert_int_equal(ours[strlen(ours) + 1], '#');
		assert_int_equal(strlen(ours),
				 size <= (size_t)expected ? size - 1 : (size_t)expected);
		assert_memory_equal(ours, theirs, strlen(ours));
	}
	va_end(ap);
}

static void plain_text(void **state)
{
	(void)state;
	same("%s", "");
	same("nothing to fill in");
	same("100%%");
	same("%%%s%%", "x");
	same("ä %s ö", "ü");
	same("%c%c", 'a', '\n');
	same("[%3c][%-3c]", 'a', 'b');
}

static void words(void **state)
{
	(void)state;
	same("%s", "word");
	same("%s %s", "two", "words");
	same("[%8s][%-8s][%2s]", "right", "left", "longer");
	same("[%*s][%*s]", 8, "right", -8, "left");
	same("[%.3s][%.9s][%.0s][%.s]", "cut", "whole", "none", "none");
	same("[%.*s][%.*s]", 2, "abc", -1, "all of it");
	same("[%8.2s][%-8.2s]", "abc", "def");
}

/* What a precision leaves out is not looked at. */
static void a_text_without_an_end(void **state)
{
	const char text[3] = {'a', 'b', 'c'};

	(void)state;
	same("%.*s", (int)sizeof text, text);
}

static void numbers(void **state)
{
	static const int values[] = {0, 1, -1, 9, 10, 255, -4096, INT_MAX, INT_MIN};

	(void)state;
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		int v = values[i];
		unsigned u = (unsigned)v;

		same("%d %i %u %x %X %o", v, v, u, u, u, u);
		same("[%5d][%-5d][%05d][%14d][%-14d][%014d]", v, v, v, v, v, v);
		same("[%.0d][%.3d][%8.3d][%-8.3d][%.12x]", v, v, v, v, u);
		same("[%*d][%0*u][%.*d][%-*x]", 6, v, 6, u, 4, v, -6, u);
	}
}

static void long_numbers(void **state)
{
	(void)state;
	same("%ld %lu %lx", LONG_MIN, ULONG_MAX, ULONG_MAX);
	same("%lld %llu %llo", LLONG_MIN, ULLONG_MAX, ULLONG_MAX);
	same("%zu %zd %zx", SIZE_MAX, (ssize_t)-1, SIZE_MAX);
	same("%jd %ju", INTMAX_MIN, UINTMAX_MAX);
	same("%td", (ptrdiff_t)-5);
	/* One after another: each takes what is its own. */
	same("%d %lld %s %u %zu %c", -1, LLONG_MIN, "text", 7u, SIZE_MAX, 'x');
}

static void a_width_beyond_the_room(void **state)
{
	(void)state;
	same("%300d|%-100s|%0200u", 1, "a", 2u);
}

__attribute__((format(printf, 1, 2))) static int length(const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = print_text(NULL, 0, fmt, ap);
	va_end(ap);
	return n;
}

static void too_long_for_an_int(void **state)
{
	volatile int wide = INT_MAX; /* the compiler sees it otherwise */

	(void)state;
	assert_int_equal(length("%*s", INT_MAX, "x"), INT_MAX);
	errno = 0;
	assert_int_equal(length("%*s%s", wide, "x", "y"), -1);
	assert_int_equal(errno, EOVERFLOW);
	assert_int_equal(length("%*d", INT_MAX, -1), INT_MAX);
	assert_int_equal(length("%.*d", INT_MAX, 1), INT_MAX);
}

static void what_it_does_not_know_ends_the_program(void **state)
{
	static const char *const unknown[] = {"%f", "%g", "%n", "%", "%99999999999d", "%y"};

	(void)state;
	for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
		pid_t pid = fork();
		int status;

		assert_true(pid >= 0);
		if (!pid) {
			(void)signal(SIGABRT, SIG_DFL);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			(void)length(unknown[i], 1);
#pragma GCC diagnostic pop
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGABRT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_text),
		cmocka_unit_test(words),
		cmocka_unit_test(a_text_without_an_end),
		cmocka_unit_test(numbers),
		cmocka_unit_test(long_numbers),
		cmocka_unit_test(a_width_beyond_the_room),
		cmocka_unit_test(too_long_for_an_int),
		cmocka_unit_test(what_it_does_not_know_ends_the_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
