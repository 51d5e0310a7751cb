/* What an earlier copy has left half written: what of it is removed, and what never is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "buf.h"
#include "content.h"
#include "fd.h"
#include "sink.h"

#define LARGE (SINK_LARGE + 1000u)

/* A folder with the root of the sink in it, and what was told. */
struct scene {
	char folder[64];
	char *root;
	struct sink *sink;
	uint64_t told_index;
	enum sink_verdict told;
	uint64_t told_offset;
	char text[256];
	unsigned count;
};

static void on_tell(void *arg, uint64_t index, enum sink_verdict verdict, uint64_t offset,
		    const char *text)
{
	struct scene *s = arg;

	s->told_index = index;
	s->told = verdict;
	s->told_offset = offset;
	s->count++;
	(void)snprintf(s->text, sizeof s->text, "%s", text ? text : "");
}

static void scene_sink(struct scene *s, const char *as, bool checksum, uint64_t max_bytes)
{
	struct sink_spec spec = {.root = open(s->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
				 .as = as,
				 .checksum = checksum,
				 .max_bytes = max_bytes,
				 .tell = on_tell,
				 .arg = s};

	assert_true(spec.root >= 0);
	s->told = 0;
	s->count = 0;
	s->sink = sink_new(&spec);
}

static int setup(void **state)
{
	struct scene *s = xcalloc(1, sizeof *s);

	(void)strcpy(s->folder, "/tmp/test_sink.XXXXXX");
	assert_non_null(mkdtemp(s->folder));
	s->root = xasprintf("%s/root", s->folder);
	assert_int_equal(mkdir(s->root, 0700), 0);
	scene_sink(s, NULL, false, 0);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;
	char *command = xasprintf("rm -rf %s", s->folder);

	sink_free(s->sink);
	assert_int_equal(system(command), 0);
	free(command);
	free(s->root);
	free(s);
	return 0;
}

static void again(struct scene *s)
{
	sink_free(s->sink);
	scene_sink(s, NULL, false, 0);
}

/* --- what is told --------------------------------------------------------------------------- */

static int entry(struct scene *s, uint64_t index, enum file_kind kind, const char *name,
		 uint64_t size, const char *text)
{
	struct file_entry e = {.index = index,
			       .kind = kind,
			       .name = name,
			       .mode = 0640,
			       .mtime_ns = INT64_C(1234567890123456789),
			       .size = size,
			       .text = text};
	struct errmsg msg = {""};
	int rc = sink_entry(s->sink, &e, &msg);

	assert_int_equal(rc == 0, msg.text[0] == '\0');
	return rc;
}

static int bytes(struct scene *s, uint64_t index, const void *data, size_t len, bool end,
		 const uint8_t *hash)
{
	struct sink_piece piece = {
		.index = index, .data = data, .len = len, .end = end, .hash = hash};
	struct errmsg msg = {""};

	return sink_data(s->sink, &piece, &msg);
}

static void hash_of(const void *data, size_t len, uint8_t ret[CONTENT_SIZE])
{
	struct content *content = content_new();

	content_add(content, data, len);
	content_end(content, ret);
	content_free(content);
}

static void whole(struct scene *s, uint64_t index, const char *name, const void *data, size_t len)
{
	uint8_t hash[CONTENT_SIZE];

	hash_of(data, len, hash);
	assert_int_equal(entry(s, index, FILE_PLAIN, name, len, NULL), 0);
	assert_int_equal(s->told, SINK_WANT);
	assert_int_equal(bytes(s, index, data, len, true, hash), 0);
	sink_flush(s->sink);
	assert_int_equal(s->told, SINK_WRITTEN);
	assert_int_equal(s->told_index, index);
}

/* --- what there is -------------------------------------------------------------------------- */

static char *in_root(const struct scene *s, const char *name)
{
	return xasprintf("%s/%s", s->root, name);
}

/* How many names in the folder begin so; "": all. */
static unsigned names(const char *path, const char *front)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	unsigned n = 0;

	assert_non_null(dir);
	while ((e = readdir(dir)))
		n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
		     strncmp(e->d_name, front, strlen(front)) == 0;
	(void)closedir(dir);
	return n;
}

static unsigned temps(const struct scene *s)
{
	return names(s->root, ".muster-copy-");
}

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
