/* What an earlier copy has left half written: what of it is removed, and what never is. */
#include "sink_rig.h"

#include "fd.h"

/* --- what was left ------------------------------------------------------------------------- */

/* Begins a file, of which so much comes, and loses the sender. */
static void left(struct scene *s, uint64_t index, const char *name, uint64_t size, size_t len)
{
	char *data = xcalloc(1, len);

	assert_int_equal(entry(s, index, FILE_PLAIN, name, size, NULL), 0);
	assert_int_equal(bytes(s, index, data, len, false, NULL), 0);
	free(data);
	again(s);
}

/* The name of the one that was left, and a path to it. */
static char *left_name(const struct scene *s)
{
	DIR *dir = opendir(s->root);
	char *name = NULL;
	struct dirent *e;

	assert_non_null(dir);
	while ((e = readdir(dir)))
		if (strncmp(e->d_name, ".muster-copy-", 13) == 0)
			name = xstrdup(e->d_name);
	(void)closedir(dir);
	assert_non_null(name);
	return name;
}

static void make(const struct scene *s, const char *name)
{
	char *path = in_root(s, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	fd_close(&fd);
	free(path);
}

/* --- what goes ------------------------------------------------------------------------------ */

static void another_content_removes_the_old_part(void **state)
{
	struct scene *s = *state;

	left(s, 1, "big", LARGE, SINK_LARGE + 10);
	assert_int_equal(temps(s), 1);
	assert_int_equal(entry(s, 1, FILE_PLAIN, "big", LARGE + 1, NULL), 0);
	assert_int_equal(s->told, SINK_WANT);
	assert_int_equal(s->told_offset, 0);
	assert_int_equal(temps(s), 0);
}

static void the_same_content_goes_on(void **state)
{
	struct scene *s = *state;

	left(s, 1, "big", LARGE, SINK_LARGE + 10);
	assert_int_equal(entry(s, 1, FILE_PLAIN, "big", LARGE, NULL), 0);
	assert_int_equal(s->told_offset, SINK_LARGE + 10);
	assert_int_equal(temps(s), 1);
}

static void a_small_content_removes_it_too(void **state)
{
	struct scene *s = *state;

	left(s, 1, "big", LARGE, SINK_LARGE + 10);
	whole(s, 1, "big", "abc", 3);
	assert_int_equal(temps(s), 0);
}

static void what_is_there_needs_no_part(void **state)
{
	struct scene *s = *state;

	whole(s, 1, "big", "abc", 3);
	again(s);
	left(s, 1, "big", LARGE, SINK_LARGE + 10);
	assert_int_equal(temps(s), 1);
	assert_int_equal(entry(s, 1, FILE_PLAIN, "big", 3, NULL), 0);
	assert_int_equal(s->told, SINK_SAME);
	assert_int_equal(temps(s), 0);
}

static void in_folders_too(void **state)
{
	struct scene *s = *state;
	char *folder = in_root(s, "a");

	assert_int_equal(mkdir(folder, 0700), 0);
	left(s, 1, "a/big", LARGE, SINK_LARGE + 10);
	assert_int_equal(names(folder, ".muster-copy-"), 1);
	assert_int_equal(entry(s, 1, FILE_FOLDER, "a", 0, NULL), 0);
	assert_int_equal(s->told, SINK_SAME);
	/* The same name elsewhere is another file. */
	assert_int_equal(entry(s, 2, FILE_PLAIN, "big", LARGE + 1, NULL), 0);
	assert_int_equal(names(folder, ".muster-copy-"), 1);
	assert_int_equal(entry(s, 3, FILE_PLAIN, "a/big", LARGE + 1, NULL), 0);
	assert_int_equal(names(folder, ".muster-copy-"), 0);
	free(folder);
}

/* --- what stays ----------------------------------------------------------------------------- */

static void that_of_another_file_stays(void **state)
{
	struct scene *s = *state;

	left(s, 1, "big", LARGE, SINK_LARGE + 10);
	whole(s, 1, "other", "abc", 3);
	assert_int_equal(temps(s), 1);
}

static void what_is_being_written_stays(void **state)
{
	struct scene *s = *state;
	struct sink *first = s->sink;
	char *data = xcalloc(1, SINK_LARGE);

	assert_int_equal(entry(s, 1, FILE_PLAIN, "big", LARGE, NULL), 0);
	assert_int_equal(bytes(s, 1, data, SINK_LARGE, false, NULL), 0);
	scene_sink(s, NULL, false, 0);
	assert_int_equal(entry(s, 1, FILE_PLAIN, "big", LARGE + 1, NULL), 0);
	assert_int_equal(temps(s), 1);
	sink_free(first);
	assert_int_equal(temps(s), 1);
	free(data);
}

/* It may wait to be synced with others, by another sink that has closed it. */
static void a_small_one_stays_for_a_while(void **state)
{
	struct scene *s = *state;
	char *name;

	left(s, 1, "f", LARGE, SINK_LARGE + 10);
	name = left_name(s);
	name[strlen(name) - 1] = '1';
	make(s, name);
	whole(s, 1, "f", "abc", 3);
	assert_int_equal(temps(s), 1);
	free(name);
}

static void what_only_looks_like_it_stays(void **state)
{
	struct scene *s = *state;
	char *name, *longer, *path, *link, *hard;

	left(s, 1, "big", LARGE, SINK_LARGE + 10);
	name = left_name(s);
	longer = xasprintf("%s0", name);
	make(s, longer);
	name[strlen(name) - 1] = name[strlen(name) - 1] == '2' ? '4' : '2';
	link = in_root(s, name);
	assert_int_equal(symlink("/nowhere", link), 0);
	name[strlen(name) - 1] = 'g';
	make(s, name);
	name[strlen(name) - 1] = '6';
	make(s, name);
	path = in_root(s, name);
	hard = in_root(s, "hard");
	assert_int_equal(linkat(AT_FDCWD, path, AT_FDCWD, hard, 0), 0);
	assert_int_equal(temps(s), 5);
	whole(s, 1, "big", "abc", 3);
	/* The name of another length, the link, the digit that is none, and what has two names. */
	assert_int_equal(temps(s), 4);
	free(hard);
	free(path);
	free(link);
	free(longer);
	free(name);
}

static void that_of_others_stays(void **state)
{
	struct scene *s = *state;
	char *name, *path;

	if (geteuid() != 0) {
		(void)fprintf(stderr, "SKIPPED: only root can make what is another's\n");
		skip();
	}
	left(s, 1, "big", LARGE, SINK_LARGE + 10);
	name = left_name(s);
	path = in_root(s, name);
	assert_int_equal(chown(path, 1, 1), 0);
	whole(s, 1, "big", "abc", 3);
	assert_int_equal(temps(s), 1);
	free(path);
	free(name);
}

static void many_are_bounded(void **state)
{
	struct scene *s = *state;

	for (unsigned i = 0; i < 1500; i++) {
		char *name = xasprintf(".muster-copy-%032x", i);

		make(s, name);
		free(name);
	}
	whole(s, 1, "f", "abc", 3);
	assert_int_equal(temps(s), 1500);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(another_content_removes_the_old_part),
		TEST(the_same_content_goes_on),
		TEST(a_small_content_removes_it_too),
		TEST(what_is_there_needs_no_part),
		TEST(in_folders_too),
		TEST(that_of_another_file_stays),
		TEST(what_is_being_written_stays),
		TEST(a_small_one_stays_for_a_while),
		TEST(what_only_looks_like_it_stays),
		TEST(that_of_others_stays),
		TEST(many_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
