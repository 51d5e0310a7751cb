/* Trees that are read while somebody else, who owns them, exchanges what is in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "fd.h"
#include "walk.h"

/* tree/a/file, and a secret beside the tree. */
struct scene {
	char folder[64];
	char *tree;
	char *secret;
};

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
	fd_close(&fd);
}

static char *in_tree(const struct scene *s, const char *name)
{
	return xasprintf("%s/%s", s->tree, name);
}

static int setup(void **state)
{
	struct scene *s = xcalloc(1, sizeof *s);
	char *path;

	(void)strcpy(s->folder, "/tmp/test_walk.XXXXXX");
	assert_non_null(mkdtemp(s->folder));
	s->tree = xasprintf("%s/tree", s->folder);
	s->secret = xasprintf("%s/secret", s->folder);
	write_file(s->secret, "secret");
	assert_int_equal(mkdir(s->tree, 0700), 0);
	path = in_tree(s, "a");
	assert_int_equal(mkdir(path, 0700), 0);
	free(path);
	path = in_tree(s, "a/file");
	write_file(path, "public");
	free(path);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;
	char *command = xasprintf("rm -rf %s", s->folder);

	assert_int_equal(system(command), 0);
	free(command);
	free(s->tree);
	free(s->secret);
	free(s);
	return 0;
}

static void next(struct walk *walk, enum file_kind kind, const char *name, struct file_entry *ret,
		 const char **ret_path)
{
	assert_true(walk_next(walk, ret, ret_path));
	assert_string_equal(ret->name, name);
	assert_int_equal(ret->kind, kind);
}

/* A walk through the tree that has just told of the first folder in it. */
static struct walk *at_folder(const struct scene *s, struct file_entry *ret, const char **ret_path)
{
	const char *const paths[] = {s->tree};
	struct walk *walk = walk_new(paths, 1, true);

	next(walk, FILE_FOLDER, "tree", ret, ret_path);
	next(walk, FILE_FOLDER, "tree/a", ret, ret_path);
	return walk;
}

/* And of the file in that. */
static struct walk *at_file(const struct scene *s, struct file_entry *ret, const char **ret_path)
{
	struct walk *walk = at_folder(s, ret, ret_path);

	next(walk, FILE_PLAIN, "tree/a/file", ret, ret_path);
	return walk;
}

/* Moves the name in the tree away, and a link to what was said comes in its place. */
static void exchange(const struct scene *s, const char *name, const char *to)
{
	char *path = in_tree(s, name), *away = xasprintf("%s/away", s->folder);

	assert_int_equal(rename(path, away), 0);
	assert_int_equal(symlink(to, path), 0);
	free(path);
	free(away);
}

static int opened(const char *path, size_t top)
{
	struct stat st;
	int fd = walk_open(path, top, &st), error = errno;

	if (fd < 0)
		return error;
	fd_close(&fd);
	return 0;
}

static void names_as_they_are(void **state)
{
	const struct scene *s = *state;
	const char *const paths[] = {s->tree, s->secret};
	struct walk *walk = walk_new(paths, 2, true);
	struct file_entry e;
	const char *path;

	next(walk, FILE_FOLDER, "tree", &e, &path);
	assert_int_equal(walk_top(walk), strlen(s->tree));
	next(walk, FILE_FOLDER, "tree/a", &e, &path);
	next(walk, FILE_PLAIN, "tree/a/file", &e, &path);
	assert_int_equal(e.size, 6);
	assert_int_equal(walk_top(walk), strlen(s->tree));
	assert_int_equal(opened(path, walk_top(walk)), 0);
	next(walk, FILE_PLAIN, "secret", &e, &path);
	assert_int_equal(opened(path, walk_top(walk)), 0);
	assert_false(walk_next(walk, &e, &path));
	walk_free(walk);
}

static void a_file_becomes_a_link(void **state)
{
	const struct scene *s = *state;
	struct file_entry e;
	const char *path;
	struct walk *walk = at_file(s, &e, &path);

	exchange(s, "a/file", s->secret);
	assert_int_equal(opened(path, walk_top(walk)), ELOOP);
	walk_free(walk);
}

/* The last name is an honest one, but not the way to it. */
static void a_folder_on_the_way_becomes_a_link(void **state)
{
	const struct scene *s = *state;
	struct file_entry e;
	const char *path;
	struct walk *walk = at_file(s, &e, &path);
	char *file;

	file = xasprintf("%s/file", s->folder);
	write_file(file, "secret");
	exchange(s, "a", s->folder);
	assert_int_equal(opened(path, walk_top(walk)), ENOTDIR);
	walk_free(walk);
	free(file);
}

/* What is told after the exchange is of the folder that was entered, or nothing. */
static void a_folder_becomes_a_link_while_it_is_walked(void **state)
{
	const struct scene *s = *state;
	struct file_entry e;
	const char *path;
	struct walk *walk = at_folder(s, &e, &path);

	exchange(s, "a", s->folder);
	next(walk, FILE_TROUBLE, "tree/a", &e, &path);
	assert_false(walk_next(walk, &e, &path));
	walk_free(walk);
}

static void what_is_named_may_be_a_link(void **state)
{
	const struct scene *s = *state;
	char *link = xasprintf("%s/link", s->folder);
	char *slash = xasprintf("%s/", link); /* as people write it */
	const char *const paths[] = {slash};
	struct walk *walk = walk_new(paths, 1, true);
	struct file_entry e;
	const char *path;

	assert_int_equal(symlink("tree", link), 0);
	next(walk, FILE_FOLDER, "link", &e, &path);
	next(walk, FILE_FOLDER, "link/a", &e, &path);
	next(walk, FILE_PLAIN, "link/a/file", &e, &path);
	assert_int_equal(opened(path, walk_top(walk)), 0);
	walk_free(walk);
	assert_int_equal(opened(link, strlen(link)), EINVAL); /* no plain file */
	free(slash);
	free(link);
}

static void what_could_hang_is_not_opened(void **state)
{
	const struct scene *s = *state;
	char *path = in_tree(s, "a/pipe");

	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(opened(path, strlen(path)), EINVAL);
	assert_int_equal(opened(path, strlen(s->tree)), EINVAL);
	free(path);
}

/* Deeper than a path may be long: one trouble, and an end. */
static void a_tree_without_end(void **state)
{
	const struct scene *s = *state;
	const char *const paths[] = {s->tree};
	struct walk *walk;
	struct file_entry e;
	char name[201];
	const char *path;
	unsigned folders = 0, troubles = 0;
	int at = open(s->tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	memset(name, 'x', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	for (unsigned i = 0; i < 60; i++) {
		int deeper;

		assert_int_equal(mkdirat(at, name, 0700), 0);
		deeper = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(deeper >= 0);
		fd_close(&at);
		at = deeper;
	}
	fd_close(&at);
	walk = walk_new(paths, 1, true);
	while (walk_next(walk, &e, &path)) {
		folders += e.kind == FILE_FOLDER;
		troubles += e.kind == FILE_TROUBLE;
	}
	walk_free(walk);
	assert_int_equal(troubles, 1);
	assert_in_range(folders, PATH_MAX / 202 - 2, PATH_MAX / 200 + 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(names_as_they_are),
		TEST(a_file_becomes_a_link),
		TEST(a_folder_on_the_way_becomes_a_link),
		TEST(a_folder_becomes_a_link_while_it_is_walked),
		TEST(what_is_named_may_be_a_link),
		TEST(what_could_hang_is_not_opened),
		TEST(a_tree_without_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
