#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc.h"
#include "spill.h"

static char dir[] = "/tmp/muster-spill-XXXXXX";

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	return setenv("TMPDIR", dir, 1);
}

static int tear_down(void **state)
{
	(void)state;
	return rmdir(dir); /* fails if a temporary file has stayed */
}

static void add(struct spill *spill, struct spill_line *line, const char *text, bool is_text)
{
	struct errmsg msg = {{0}};

	if (spill_add(spill, line, text, strlen(text), is_text, &msg) != 0)
		fail_msg("%s", msg.text);
}

static void holds(struct spill *spill, const struct spill_line *line, size_t index,
		  const char *text)
{
	struct buf out = {0};

	buf_add_str(&out, "from before");
	assert_int_equal(spill_read(spill, line, index, &out, NULL), 0);
	assert_string_equal(buf_cstr(&out), text);
	buf_done(&out);
}

static void test_nothing_costs_nothing(void **state)
{
	struct spill *spill = spill_new();
	struct spill_line line = {0};

	(void)state;
	spill_drop(spill, &line);
	spill_free(spill);
	spill_free(NULL);
}

static void test_lines_between_one_another(void **state)
{
	struct spill *spill = spill_new();
	struct spill_line a = {0}, b = {0};

	(void)state;
	add(spill, &a, "one", true);
	add(spill, &b, "eins", true);
	add(spill, &a, "", true);
	add(spill, &b, "zwei", false);
	add(spill, &a, "three", true);
	assert_int_equal(a.count, 3);
	assert_int_equal(b.count, 2);
	assert_true(a.is_text);
	assert_false(b.is_text);
	holds(spill, &a, 2, "three");
	holds(spill, &a, 0, "one");
	holds(spill, &a, 1, "");
	holds(spill, &b, 1, "zwei");
	holds(spill, &b, 0, "eins");
	spill_drop(spill, &a);
	assert_int_equal(a.count, 0);
	assert_null(a.pieces);
	holds(spill, &b, 0, "eins");
	spill_drop(spill, &b);
	spill_free(spill);
}

/* One piece that is no text makes the line none; the next line begins anew. */
static void test_text_is_forgotten_with_the_line(void **state)
{
	struct spill *spill = spill_new();
	struct spill_line line = {0};

	(void)state;
	add(spill, &line, "x", false);
	add(spill, &line, "x", true);
	assert_false(line.is_text);
	spill_drop(spill, &line);
	add(spill, &line, "y", true);
	assert_true(line.is_text);
	holds(spill, &line, 0, "y");
	spill_drop(spill, &line);
	spill_free(spill);
}

static void test_many_pieces(void **state)
{
	struct spill *spill = spill_new();
	struct spill_line line = {0};
	char text[16];

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		(void)snprintf(text, sizeof text, "%u", i);
		add(spill, &line, text, true);
	}
	assert_int_equal(line.count, 1000);
	for (unsigned i = 0; i < 1000; i++) {
		(void)snprintf(text, sizeof text, "%u", i);
		holds(spill, &line, i, text);
	}
	spill_drop(spill, &line);
	spill_free(spill);
}

/* The file has no name, so nobody else reads it and nothing is left when we are killed. */
static void test_the_file_has_no_name(void **state)
{
	struct spill *spill = spill_new();
	struct spill_line line = {0};
	struct stat st;

	(void)state;
	add(spill, &line, "secret", true);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(rmdir(dir), 0); /* it is empty */
	assert_int_equal(mkdir(dir, 0700), 0);
	spill_drop(spill, &line);
	spill_free(spill);
}

static void test_no_directory(void **state)
{
	struct spill *spill = spill_new();
	struct spill_line line = {0};
	struct errmsg msg = {{0}};

	(void)state;
	assert_int_equal(setenv("TMPDIR", "/nonexistent/dir", 1), 0);
	assert_int_equal(spill_add(spill, &line, "x", 1, true, &msg), ERR_SYS);
	assert_non_null(strstr(msg.text, "/nonexistent/dir"));
	assert_int_equal(line.count, 0);
	assert_int_equal(setenv("TMPDIR", dir, 1), 0);
	add(spill, &line, "x", true);
	holds(spill, &line, 0, "x");
	spill_drop(spill, &line);
	spill_free(spill);
}

/* A file size limit stands for a full disk. */
static void test_no_space(void **state)
{
	struct spill *spill = spill_new();
	struct spill_line line = {0};
	struct errmsg msg = {{0}};
	struct rlimit old, small;
	char piece[1000];
	int rc = 0;

	(void)state;
	memset(piece, 'x', sizeof piece);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 2500;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(spill_add(spill, &line, piece, sizeof piece, true, &msg), 0);
	rc = spill_add(spill, &line, piece, sizeof piece, true, &msg);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(rc, ERR_SYS);
	assert_non_null(strstr(msg.text, "temporary file"));
	assert_int_equal(line.count, 2);
	spill_drop(spill, &line);
	/* Emptied with its last line: there is room again. */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	rc = spill_add(spill, &line, piece, sizeof piece, true, &msg);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(rc, 0);
	spill_drop(spill, &line);
	spill_free(spill);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_costs_nothing),
		cmocka_unit_test(test_lines_between_one_another),
		cmocka_unit_test(test_text_is_forgotten_with_the_line),
		cmocka_unit_test(test_many_pieces),
		cmocka_unit_test(test_the_file_has_no_name),
		cmocka_unit_test(test_no_directory),
		cmocka_unit_test(test_no_space),
	};

	(void)signal(SIGXFSZ, SIG_IGN);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
