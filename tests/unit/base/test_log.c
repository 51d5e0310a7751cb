#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "fd.h"
#include "log.h"

struct capture {
	int fd;
	struct buf text;
};

static int set_up(void **state)
{
	struct capture *c = calloc(1, sizeof *c);

	if (!c)
		return -1;
	c->fd = memfd_create("log", MFD_CLOEXEC);
	*state = c;
	return c->fd < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	struct capture *c = *state;

	log_open(STDERR_FILENO, LOG_WARN, false);
	fd_close(&c->fd);
	buf_done(&c->text);
	free(c);
	return 0;
}

static const char *captured(struct capture *c)
{
	ssize_t n = lseek(c->fd, 0, SEEK_END);

	assert_true(n >= 0);
	buf_clear(&c->text);
	assert_int_equal(pread(c->fd, buf_room(&c->text, (size_t)n), (size_t)n, 0), n);
	c->text.len = (size_t)n;
	return buf_cstr(&c->text);
}

static void only_what_the_level_lets_through(void **state)
{
	struct capture *c = *state;

	log_open(c->fd, LOG_WARN, false);
	log_error("e%d", 1);
	log_warn("w");
	log_info("i");
	log_debug("d");
	assert_string_equal(captured(c), "muster: e1\nmuster: w\n");
	assert_true(log_on(LOG_WARN));
	assert_false(log_on(LOG_INFO));
}

static void debug_arguments_are_not_evaluated_in_vain(void **state)
{
	struct capture *c = *state;
	int calls = 0;

	log_open(c->fd, LOG_INFO, false);
	log_debug("%d", ++calls);
	assert_int_equal(calls, 0);
	log_open(c->fd, LOG_DEBUG, false);
	log_debug("%d", ++calls);
	assert_int_equal(calls, 1);
	assert_string_equal(captured(c), "muster: 1\n");
}

static void dated_lines_have_time_and_level(void **state)
{
	struct capture *c = *state;
	regex_t re;

	log_open(c->fd, LOG_DEBUG, true);
	log_info("hello");
	assert_int_equal(regcomp(&re,
				 "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"
				 "\\.[0-9]{6}Z info: hello\n$",
				 REG_EXTENDED | REG_NOSUB),
			 0);
	assert_int_equal(regexec(&re, captured(c), 0, NULL, 0), 0);
	regfree(&re);
}

static void a_long_line_is_cut_and_still_one_line(void **state)
{
	struct capture *c = *state;
	char text[5000];
	const char *got;

	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	log_open(c->fd, LOG_ERROR, false);
	log_error("%s", text);
	got = captured(c);
	assert_in_range(strlen(got), 1000, 1024);
	assert_ptr_equal(strchr(got, '\n'), got + strlen(got) - 1);
	assert_int_equal(strspn(got + 8, "x"), strlen(got) - 9);
}

static void every_length_around_the_cut(void **state)
{
	struct capture *c = *state;
	size_t want = 0;
	const char *got;

	log_open(c->fd, LOG_ERROR, false);
	for (int n = 1000; n < 1030; n++)
		log_error("%*s", n, "<");
	got = captured(c);
	for (const char *p = got; *p; p = strchr(p, '\n') + 1) {
		assert_memory_equal(p, "muster: ", 8);
		want++;
	}
	assert_int_equal(want, 30);
}

static void names_of_levels(void **state)
{
	(void)state;
	assert_int_equal(log_level_parse("error"), LOG_ERROR);
	assert_int_equal(log_level_parse("warn"), LOG_WARN);
	assert_int_equal(log_level_parse("info"), LOG_INFO);
	assert_int_equal(log_level_parse("debug"), LOG_DEBUG);
	assert_int_equal(log_level_parse("Debug"), -1);
	assert_int_equal(log_level_parse(""), -1);
}

static void errno_is_kept_even_if_nothing_can_be_written(void **state)
{
	(void)state;
	log_open(-1, LOG_DEBUG, true);
	errno = ENOENT;
	log_error("lost");
	assert_int_equal(errno, ENOENT);
}

static void *write_lines(void *arg)
{
	for (int i = 0; i < 500; i++)
		log_error("%s %s %s", (char *)arg, (char *)arg, (char *)arg);
	return NULL;
}

static void lines_of_threads_do_not_mix(void **state)
{
	struct capture *c = *state;
	char names[4][8] = {"aaaaaaa", "bbbbbbb", "ccccccc", "ddddddd"};
	pthread_t threads[4];
	size_t lines = 0;

	/* As the daemon opens its log. */
	assert_int_equal(fcntl(c->fd, F_SETFL, O_APPEND), 0);
	log_open(c->fd, LOG_ERROR, false);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_lines, names[i]), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	for (const char *p = captured(c); *p; p = strchr(p, '\n') + 1) {
		assert_memory_equal(p, "muster: ", 8);
		assert_int_equal(strcspn(p, "\n"), 8 + 3 * 7 + 2);
		assert_memory_equal(p + 8, p + 16, 7);
		assert_memory_equal(p + 8, p + 24, 7);
		lines++;
	}
	assert_int_equal(lines, 2000);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_what_the_level_lets_through),
		TEST(debug_arguments_are_not_evaluated_in_vain),
		TEST(dated_lines_have_time_and_level),
		TEST(a_long_line_is_cut_and_still_one_line),
		TEST(every_length_around_the_cut),
		TEST(names_of_levels),
		TEST(errno_is_kept_even_if_nothing_can_be_written),
		TEST(lines_of_threads_do_not_mix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
