#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc.h"
#include "disk_posix.h"

struct scene {
	char path[64];
	struct disk *disk;
	char names[256];
};

static int set_up(void **state)
{
	struct scene *s = xcalloc(1, sizeof *s);
	int dir;

	(void)snprintf(s->path, sizeof s->path, "/tmp/muster-disk-XXXXXX");
	assert_non_null(mkdtemp(s->path));
	dir = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir >= 0);
	s->disk = disk_posix_new(dir);
	*state = s;
	return 0;
}

static void remove_one(void *arg, const char *name)
{
	struct scene *s = arg;
	char *path = xasprintf("%s/%s", s->path, name);

	if (unlink(path) < 0)
		(void)rmdir(path);
	free(path);
}

static int tear_down(void **state)
{
	struct scene *s = *state;

	(void)s->disk->ops->list(s->disk->ctx, remove_one, s);
	assert_int_equal(rmdir(s->path), 0);
	disk_posix_free(s->disk);
	disk_posix_free(NULL);
	free(s);
	return 0;
}

static void on_name(void *arg, const char *name)
{
	struct scene *s = arg;

	(void)strncat(s->names, name, sizeof s->names - strlen(s->names) - 1);
	(void)strncat(s->names, " ", sizeof s->names - strlen(s->names) - 1);
}

static int open_file(struct scene *s, const char *name, enum disk_mode mode)
{
	return s->disk->ops->open(s->disk->ctx, name, mode);
}

static void test_a_file(void **state)
{
	struct scene *s = *state;
	const struct disk_ops *ops = s->disk->ops;
	void *ctx = s->disk->ctx;
	char *path = xasprintf("%s/a", s->path), got[8];
	struct stat st;
	int file;

	assert_int_equal(open_file(s, "a", DISK_READ), -ENOENT);
	assert_int_equal(open_file(s, "a", DISK_APPEND), -ENOENT);
	file = open_file(s, "a", DISK_CREATE);
	assert_true(file >= 0);
	assert_int_equal(open_file(s, "a", DISK_CREATE), -EEXIST);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(ops->append(ctx, file, "abc", 3), 3);
	assert_int_equal(ops->append(ctx, file, "defg", 4), 4);
	assert_int_equal(ops->append(ctx, file, "", 0), 0);
	assert_int_equal(ops->sync(ctx, file), 0);
	assert_int_equal(ops->sync_names(ctx), 0);
	assert_int_equal(ops->size(ctx, file), 7);
	assert_int_equal(ops->read(ctx, file, 2, got, 8), 5);
	assert_memory_equal(got, "cdefg", 5);
	assert_int_equal(ops->read(ctx, file, 7, got, 8), 0);
	assert_int_equal(ops->truncate(ctx, file, 4), 0);
	ops->close(ctx, file);

	file = open_file(s, "a", DISK_APPEND);
	assert_int_equal(ops->append(ctx, file, "x", 1), 1);
	assert_int_equal(ops->read(ctx, file, 0, got, 8), 5);
	assert_memory_equal(got, "abcdx", 5);
	ops->close(ctx, file);

	file = open_file(s, "a", DISK_READ);
	assert_int_equal(ops->append(ctx, file, "x", 1), -EBADF);
	ops->close(ctx, file);
	assert_int_equal(ops->read(ctx, file, 0, got, 8), -EBADF);
	assert_int_equal(ops->size(ctx, file), -EBADF);
	assert_int_equal(ops->sync(ctx, file), -EBADF);
	assert_int_equal(ops->truncate(ctx, file, 0), -EBADF);
	free(path);
}

static void test_names(void **state)
{
	struct scene *s = *state;
	const struct disk_ops *ops = s->disk->ops;
	void *ctx = s->disk->ctx;

	assert_int_equal(ops->list(ctx, on_name, s), 0);
	assert_string_equal(s->names, "");
	ops->close(ctx, open_file(s, ".a", DISK_CREATE));
	ops->close(ctx, open_file(s, "b", DISK_CREATE));
	assert_int_equal(ops->rename(ctx, ".a", "b"), 0);
	assert_int_equal(ops->rename(ctx, ".a", "b"), -ENOENT);
	assert_int_equal(ops->list(ctx, on_name, s), 0);
	assert_string_equal(s->names, "b ");
	/* As often as one likes. */
	assert_int_equal(ops->list(ctx, on_name, s), 0);
	assert_string_equal(s->names, "b b ");
	assert_int_equal(ops->unlink(ctx, "b"), 0);
	assert_int_equal(ops->unlink(ctx, "b"), -ENOENT);
	assert_true(ops->room(ctx) > 0);
}

/* Whatever else has one of our names is not followed, and does not make us wait. */
static void test_what_is_no_file(void **state)
{
	struct scene *s = *state;
	char *link = xasprintf("%s/link", s->path), *fifo = xasprintf("%s/fifo", s->path);
	char *dir = xasprintf("%s/dir", s->path);

	assert_int_equal(symlink("/etc/passwd", link), 0);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(open_file(s, "link", DISK_READ), -ELOOP);
	assert_int_equal(open_file(s, "link", DISK_APPEND), -ELOOP);
	assert_int_equal(open_file(s, "link", DISK_CREATE), -EEXIST);
	assert_true(open_file(s, "fifo", DISK_READ) < 0);
	assert_true(open_file(s, "fifo", DISK_APPEND) < 0);
	assert_true(open_file(s, "dir", DISK_READ) < 0);
	assert_true(open_file(s, "dir", DISK_APPEND) < 0);
	free(link);
	free(fifo);
	free(dir);
}

/* A device that is always full, in place of a disk that is. */
static void test_full(void **state)
{
	struct scene *s = *state;
	int file = open("/dev/full", O_WRONLY | O_CLOEXEC);

	assert_true(file >= 0);
	assert_int_equal(s->disk->ops->append(s->disk->ctx, file, "abc", 3), -ENOSPC);
	(void)close(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(test_a_file),
		TEST(test_names),
		TEST(test_what_is_no_file),
		TEST(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
