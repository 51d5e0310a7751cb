/* Directories of stages: what was in them goes, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "fd.h"
#include "stage_dir.h"
#include "walk.h"

#define KEY   "0f8fad5b-d9cb-469f-a165-70867728950e"
#define OTHER "7c9e6679-7425-40de-944b-e07fc1f90ae7"

struct scene {
	char folder[64];
	char *root;
};

static int setup(void **state)
{
	struct scene *s = xcalloc(1, sizeof *s);

	(void)strcpy(s->folder, "/tmp/test_stage.XXXXXX");
	assert_non_null(mkdtemp(s->folder));
	s->root = xasprintf("%s/copies", s->folder);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;

	assert_int_equal(rmdir(s->root), 0);
	assert_int_equal(rmdir(s->folder), 0);
	free(s->root);
	free(s);
	return 0;
}

static int stage_of(const struct scene *s, const char *key)
{
	struct errmsg msg;
	int fd = stage_dir_open(s->root, key, &msg);

	assert_true(fd >= 0);
	return fd;
}

static void put_file(int at, const char *name)
{
	int fd = openat(at, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	fd_close(&fd);
}

/* A folder in it, open, and that of before closed. */
static int put_folder(int at, const char *name)
{
	int fd;

	assert_int_equal(mkdirat(at, name, 0700), 0);
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	fd_close(&at);
	return fd;
}

static void in_stage(const struct scene *s, const char *key, int *ret_at)
{
	char *path = xasprintf("%s/%s", s->root, key);

	*ret_at = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(path);
}

static void test_all_of_it_goes(void **state)
{
	struct scene *s = *state;
	int fd = stage_of(s, KEY), at;

	in_stage(s, KEY, &at);
	for (unsigned i = 0; i < WALK_DEPTH; i++) {
		put_file(at, "a file");
		put_file(at, "z file");
		at = put_folder(at, "m");
	}
	fd_close(&at);
	stage_dir_remove(s->root, KEY, fd);
	in_stage(s, KEY, &at);
	assert_int_equal(at, -1);
}

static void test_modes_that_keep_out(void **state)
{
	struct scene *s = *state;
	int fd = stage_of(s, KEY), at;

	in_stage(s, KEY, &at);
	at = put_folder(at, "closed");
	put_file(at, "file");
	assert_int_equal(fchmod(at, 0), 0);
	fd_close(&at);
	stage_dir_remove(s->root, KEY, fd);
	in_stage(s, KEY, &at);
	assert_int_equal(at, -1);
}

static void test_links_are_not_followed(void **state)
{
	struct scene *s = *state;
	char *outside = xasprintf("%s/outside", s->folder), *file = xasprintf("%s/file", outside);
	int fd = stage_of(s, KEY), at;

	assert_int_equal(mkdir(outside, 0700), 0);
	at = open(outside, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	put_file(at, "file");
	fd_close(&at);
	in_stage(s, KEY, &at);
	assert_int_equal(symlinkat(outside, at, "link"), 0);
	fd_close(&at);
	stage_dir_remove(s->root, KEY, fd);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(rmdir(outside), 0);
	free(file);
	free(outside);
}

/* What a daemon that died has left goes with the next stage; what somebody has stays. */
static void test_stale_ones(void **state)
{
	struct scene *s = *state;
	int dead = stage_of(s, KEY), fd, at;

	fd_close(&dead);
	fd = stage_of(s, OTHER);
	in_stage(s, KEY, &at);
	assert_int_equal(at, -1);
	dead = stage_of(s, KEY);
	in_stage(s, OTHER, &at);
	assert_true(at >= 0);
	fd_close(&at);
	stage_dir_remove(s->root, KEY, dead);
	stage_dir_remove(s->root, OTHER, fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all_of_it_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_modes_that_keep_out, setup, teardown),
		cmocka_unit_test_setup_teardown(test_links_are_not_followed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stale_ones, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
