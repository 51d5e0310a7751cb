/* Files that somebody tells of, who may be hostile: what is written, and what never is. */
#include "sink_rig.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#include "buf.h"
#include "fd.h"

static void has(const struct scene *s, const char *name, const void *data, size_t len)
{
	char *path = in_root(s, name);
	struct buf got = {0};
	struct stat st;

	assert_int_equal(fd_read_file(&got, path, LARGE * 2), 0);
	assert_int_equal(got.len, len);
	assert_memory_equal(len ? got.data : (const uint8_t *)"", len ? data : "", len);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(st.st_mtim.tv_sec, 1234567890);
	buf_done(&got);
	free(path);
}

/* --- files ---------------------------------------------------------------------------------- */

static void files_come_whole(void **state)
{
	struct scene *s = *state;
	uint8_t nothing[CONTENT_SIZE];

	whole(s, 1, "a", "hello", 5);
	has(s, "a", "hello", 5);
	hash_of("", 0, nothing);
	assert_int_equal(entry(s, 2, FILE_PLAIN, "b", 0, NULL), 0);
	assert_int_equal(bytes(s, 2, NULL, 0, true, nothing), 0);
	sink_flush(s->sink);
	has(s, "b", "", 0);
	assert_int_equal(entry(s, 3, FILE_PLAIN, "a", 5, NULL), 0);
	assert_int_equal(s->told, SINK_SAME);
	assert_int_equal(temps(s), 0);
}

static void a_file_is_not_there_before_it_is_whole(void **state)
{
	struct scene *s = *state;
	char *path = in_root(s, "a");
	uint8_t hash[CONTENT_SIZE];

	hash_of("abcdef", 6, hash);
	assert_int_equal(entry(s, 1, FILE_PLAIN, "a", 6, NULL), 0);
	assert_int_equal(bytes(s, 1, "abc", 3, false, NULL), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(temps(s), 1);
	assert_int_equal(bytes(s, 1, "def", 3, true, hash), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(sink_unsynced(s->sink), 1);
	sink_end(s->sink);
	has(s, "a", "abcdef", 6);
	free(path);
}

static void damage_is_asked_for_again_once(void **state)
{
	struct scene *s = *state;
	uint8_t hash[CONTENT_SIZE], wrong[CONTENT_SIZE];

	hash_of("good", 4, hash);
	hash_of("evil", 4, wrong);
	assert_int_equal(entry(s, 1, FILE_PLAIN, "a", 4, NULL), 0);
	assert_int_equal(bytes(s, 1, "bad!", 4, true, hash), 0);
	assert_int_equal(s->told, SINK_WANT);
	assert_int_equal(s->told_offset, 0);
	assert_int_equal(bytes(s, 1, "good", 4, true, hash), 0);
	sink_flush(s->sink);
	has(s, "a", "good", 4);
	assert_int_equal(entry(s, 2, FILE_PLAIN, "b", 4, NULL), 0);
	assert_int_equal(bytes(s, 2, "good", 4, true, wrong), 0);
	assert_int_equal(bytes(s, 2, "good", 4, true, wrong), 0);
	assert_int_equal(s->told, SINK_FAILED);
	assert_string_equal(s->text, "it came damaged, twice");
	assert_int_equal(temps(s), 0);
}

static void longer_than_told_is_refused(void **state)
{
	struct scene *s = *state;

	assert_int_equal(entry(s, 1, FILE_PLAIN, "a", 4, NULL), 0);
	assert_int_equal(bytes(s, 1, "12345", 5, false, NULL), 0);
	assert_int_equal(s->told, SINK_FAILED);
	assert_int_equal(temps(s), 0);
	/* What crosses that on its way means nothing. */
	assert_int_equal(bytes(s, 1, "6", 1, false, NULL), 0);
	assert_int_equal(s->count, 2);
}

static void no_space_leaves_the_old_file(void **state)
{
	struct scene *s = *state;
	struct rlimit old, small;
	char *data = xcalloc(1, 20000);

	whole(s, 1, "a", "old", 3);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 4096;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(entry(s, 2, FILE_PLAIN, "a", 20000, NULL), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(bytes(s, 2, data, 20000, false, NULL), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(s->told, SINK_FAILED);
	assert_string_equal(s->text, strerror(EFBIG));
	has(s, "a", "old", 3);
	assert_int_equal(temps(s), 0);
	free(data);
}

static void the_sum_is_bounded(void **state)
{
	struct scene *s = *state;

	sink_free(s->sink);
	scene_sink(s, NULL, false, 10);
	whole(s, 1, "a", "123456", 6);
	assert_int_equal(entry(s, 2, FILE_PLAIN, "b", 5, NULL), 0);
	assert_int_equal(s->told, SINK_FAILED);
	assert_int_equal(entry(s, 3, FILE_PLAIN, "c", INT64_MAX, NULL), 0);
	assert_int_equal(s->told, SINK_FAILED);
	whole(s, 4, "d", "1234", 4);
}

/* --- going on ------------------------------------------------------------------------------- */

static void a_large_file_goes_on(void **state)
{
	struct scene *s = *state;
	char *data = xmalloc(LARGE);
	uint8_t hash[CONTENT_SIZE];

	for (size_t i = 0; i < LARGE; i++)
		data[i] = (char)(i * 7 + i / 1000);
	hash_of(data, LARGE, hash);
	assert_int_equal(entry(s, 1, FILE_PLAIN, "big", LARGE, NULL), 0);
	assert_int_equal(s->told_offset, 0);
	assert_int_equal(bytes(s, 1, data, SINK_LARGE + 10, false, NULL), 0);
	again(s);
	assert_int_equal(temps(s), 1);
	assert_int_equal(entry(s, 1, FILE_PLAIN, "big", LARGE, NULL), 0);
	assert_int_equal(s->told, SINK_WANT);
	assert_int_equal(s->told_offset, SINK_LARGE + 10);
	assert_int_equal(bytes(s, 1, data + SINK_LARGE + 10, LARGE - SINK_LARGE - 10, true, hash),
			 0);
	assert_int_equal(s->told, SINK_WRITTEN);
	has(s, "big", data, LARGE);
	assert_int_equal(temps(s), 0);
	free(data);
}

static void what_went_on_from_damage_comes_anew(void **state)
{
	struct scene *s = *state;
	char *data = xcalloc(1, LARGE), *command;
	uint8_t hash[CONTENT_SIZE];

	hash_of(data, LARGE, hash);
	assert_int_equal(entry(s, 1, FILE_PLAIN, "big", LARGE, NULL), 0);
	assert_int_equal(bytes(s, 1, data, SINK_LARGE + 10, false, NULL), 0);
	again(s);
	command = xasprintf("printf x | dd of=$(echo %s/.muster-copy-*) bs=1 seek=5 conv=notrunc "
			    "2>/dev/null",
			    s->root);
	assert_int_equal(system(command), 0);
	assert_int_equal(entry(s, 1, FILE_PLAIN, "big", LARGE, NULL), 0);
	assert_int_equal(bytes(s, 1, data + SINK_LARGE + 10, LARGE - SINK_LARGE - 10, true, hash),
			 0);
	assert_int_equal(s->told, SINK_WANT);
	assert_int_equal(s->told_offset, 0);
	assert_int_equal(bytes(s, 1, data, LARGE, true, hash), 0);
	has(s, "big", data, LARGE);
	free(command);
	free(data);
}

static void small_files_leave_nothing(void **state)
{
	struct scene *s = *state;

	assert_int_equal(entry(s, 1, FILE_PLAIN, "a", 100, NULL), 0);
	assert_int_equal(bytes(s, 1, "abc", 3, false, NULL), 0);
	assert_int_equal(temps(s), 1);
	again(s);
	assert_int_equal(temps(s), 0);
}

static void two_at_once_do_not_share(void **state)
{
	struct scene *s = *state;
	struct sink *first = s->sink;
	char *data = xcalloc(1, LARGE);
	uint8_t hash[CONTENT_SIZE];

	hash_of(data, LARGE, hash);
	assert_int_equal(entry(s, 1, FILE_PLAIN, "big", LARGE, NULL), 0);
	assert_int_equal(bytes(s, 1, data, SINK_LARGE, false, NULL), 0);
	scene_sink(s, NULL, false, 0);
	assert_int_equal(entry(s, 1, FILE_PLAIN, "big", LARGE, NULL), 0);
	assert_int_equal(s->told_offset, 0);
	assert_int_equal(bytes(s, 1, data, LARGE, true, hash), 0);
	assert_int_equal(s->told, SINK_WRITTEN);
	has(s, "big", data, LARGE);
	sink_free(first);
	free(data);
}

/* --- folders and links ---------------------------------------------------------------------- */

static void folders_and_links(void **state)
{
	struct scene *s = *state;
	char *path = in_root(s, "d"), *link = in_root(s, "d/l"), to[16] = "";
	struct stat st;

	assert_int_equal(entry(s, 1, FILE_FOLDER, "d", 0, NULL), 0);
	assert_int_equal(s->told, SINK_WRITTEN);
	whole(s, 2, "d/f", "x", 1);
	assert_int_equal(entry(s, 3, FILE_LINK, "d/l", 0, "/else/where"), 0);
	assert_int_equal(s->told, SINK_WRITTEN);
	assert_int_equal(readlink(link, to, sizeof to - 1), 11);
	assert_int_equal(entry(s, 4, FILE_LINK, "d/l", 0, "/else/where"), 0);
	assert_int_equal(s->told, SINK_SAME);
	assert_int_equal(entry(s, 5, FILE_LINK, "d/f", 0, "l"), 0);
	assert_int_equal(s->told, SINK_WRITTEN);
	assert_int_equal(entry(s, 6, FILE_LINK, "d", 0, "l"), 0);
	assert_int_equal(s->told, SINK_FAILED);
	assert_int_equal(entry(s, 7, FILE_FOLDER, "d/f", 0, NULL), 0);
	assert_int_equal(s->told, SINK_FAILED);
	assert_int_equal(entry(s, 8, FILE_PLAIN, "d", 5, NULL), 0);
	assert_int_equal(s->told, SINK_FAILED);
	assert_int_equal(entry(s, 9, FILE_PLAIN, "none/f", 5, NULL), 0);
	assert_int_equal(s->told, SINK_FAILED);
	sink_end(s->sink);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(st.st_mtim.tv_sec, 1234567890);
	assert_int_equal(st.st_mtim.tv_nsec, 123456789);
	assert_int_equal(chmod(path, 0700), 0);
	free(path);
	free(link);
}

static void the_first_part_may_be_another(void **state)
{
	struct scene *s = *state;

	sink_free(s->sink);
	scene_sink(s, "new", false, 0);
	assert_int_equal(entry(s, 1, FILE_FOLDER, "old", 0, NULL), 0);
	whole(s, 2, "old/f", "x", 1);
	has(s, "new/f", "x", 1);
}

/* --- hostile -------------------------------------------------------------------------------- */

static void no_name_leads_out(void **state)
{
	static const char *const bad[] = {
		"..", "../x", "a/../x", "a/..",	 "/etc/x", "/",	    "a//b",
		"a/", ".",    "./a",	"a/./b", "",	   "a/../", "../../../../tmp/x"};
	struct scene *s = *state;
	char *longer = xcalloc(1, 400);

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(entry(s, i + 1, FILE_PLAIN, bad[i], 1, NULL), ERR_PROTO);
		assert_int_equal(entry(s, i + 1, FILE_FOLDER, bad[i], 0, NULL), ERR_PROTO);
		assert_int_equal(entry(s, i + 1, FILE_LINK, bad[i], 0, "x"), ERR_PROTO);
	}
	(void)memset(longer, 'a', 300);
	assert_int_equal(entry(s, 50, FILE_PLAIN, longer, 1, NULL), ERR_PROTO);
	assert_int_equal(s->count, 0);
	assert_int_equal(names(s->root, ""), 0);
	assert_int_equal(names(s->folder, ""), 1);
	free(longer);
}

/* A link is made as it is, and never gone through: neither to a folder, nor as the last part. */
static void no_way_through_a_link(void **state)
{
	struct scene *s = *state;
	char *out = xasprintf("%s/out", s->folder), *file = xasprintf("%s/out/f", s->folder);
	struct buf got = {0};
	int fd;

	assert_int_equal(mkdir(out, 0700), 0);
	fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "mine", 4), 4);
	fd_close(&fd);
	assert_int_equal(entry(s, 1, FILE_LINK, "way", 0, out), 0);
	assert_int_equal(entry(s, 2, FILE_LINK, "up", 0, ".."), 0);
	assert_int_equal(entry(s, 3, FILE_LINK, "f", 0, file), 0);
	assert_int_equal(s->told, SINK_WRITTEN);
	assert_int_equal(entry(s, 4, FILE_PLAIN, "way/new", 4, NULL), 0);
	assert_int_equal(s->told, SINK_FAILED);
	assert_int_equal(entry(s, 5, FILE_FOLDER, "way/dir", 0, NULL), 0);
	assert_int_equal(s->told, SINK_FAILED);
	assert_int_equal(entry(s, 6, FILE_FOLDER, "way", 0, NULL), 0);
	assert_int_equal(s->told, SINK_FAILED);
	assert_int_equal(entry(s, 7, FILE_PLAIN, "up/x", 4, NULL), 0);
	assert_int_equal(s->told, SINK_FAILED);
	whole(s, 8, "f", "his!", 4);
	has(s, "f", "his!", 4);
	assert_int_equal(fd_read_file(&got, file, 100), 0);
	assert_int_equal(got.len, 4);
	assert_memory_equal(got.data, "mine", 4);
	assert_int_equal(names(out, ""), 1);
	buf_done(&got);
	free(out);
	free(file);
}

/* The folder that is at hand becomes a link between two names: it is the folder that counts. */
static void a_folder_that_becomes_a_link(void **state)
{
	struct scene *s = *state;
	char *dir = in_root(s, "d"), *out = xasprintf("%s/out", s->folder);

	assert_int_equal(mkdir(out, 0700), 0);
	assert_int_equal(entry(s, 1, FILE_FOLDER, "d", 0, NULL), 0);
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(symlink(out, dir), 0);
	assert_int_equal(entry(s, 2, FILE_PLAIN, "d/f", 1, NULL), 0);
	assert_int_equal(s->told, SINK_FAILED);
	sink_end(s->sink);
	assert_int_equal(names(out, ""), 0);
	free(dir);
	free(out);
}

static void what_no_sender_says(void **state)
{
	struct scene *s = *state;
	uint8_t hash[CONTENT_SIZE] = {0};

	assert_int_equal(bytes(s, 1, "x", 1, false, NULL), ERR_PROTO);
	assert_int_equal(entry(s, 2, FILE_PLAIN, "a", 5, NULL), 0);
	assert_int_equal(entry(s, 2, FILE_PLAIN, "b", 5, NULL), ERR_PROTO);
	assert_int_equal(entry(s, 1, FILE_PLAIN, "b", 5, NULL), ERR_PROTO);
	assert_int_equal(bytes(s, 2, "x", 1, true, NULL), ERR_PROTO);
	assert_int_equal(bytes(s, 3, "x", 1, true, hash), ERR_PROTO);
	assert_int_equal(entry(s, 3, FILE_LINK, "l", 0, NULL), ERR_PROTO);
	assert_int_equal(entry(s, 3, FILE_LINK, "l", 0, ""), ERR_PROTO);
	assert_int_equal(entry(s, 3, FILE_PLAIN, "c", UINT64_MAX, NULL), ERR_PROTO);
	sink_free(s->sink);
	scene_sink(s, NULL, true, 0);
	assert_int_equal(entry(s, 1, FILE_PLAIN, "c", 5, NULL), ERR_PROTO);
}

static void not_more_at_once(void **state)
{
	struct scene *s = *state;
	char name[32];

	for (uint64_t i = 1; i <= SINK_PENDING_MAX; i++) {
		(void)snprintf(name, sizeof name, "f%u", (unsigned)i);
		assert_int_equal(entry(s, i, FILE_PLAIN, name, 5, NULL), 0);
	}
	assert_int_equal(entry(s, SINK_PENDING_MAX + 1, FILE_PLAIN, "one-more", 5, NULL),
			 ERR_LIMIT);
	for (uint64_t i = 1; i <= SINK_OPEN_MAX; i++)
		assert_int_equal(bytes(s, i, "x", 1, false, NULL), 0);
	assert_int_equal(bytes(s, SINK_OPEN_MAX + 1, "x", 1, false, NULL), ERR_LIMIT);
}

/* --- where it goes -------------------------------------------------------------------------- */

static void destinations(void **state)
{
	struct scene *s = *state;
	char *slash = xasprintf("%s/", s->root), *new = in_root(s, "new"),
	     *deep = in_root(s, "no/new"), *folder = in_root(s, "new/"), *as = NULL;
	struct errmsg msg;
	int root = -1;

	assert_int_equal(sink_root(slash, true, &root, &as, &msg), 0);
	assert_null(as);
	fd_close(&root);
	assert_int_equal(sink_root(new, false, &root, &as, &msg), 0);
	assert_string_equal(as, "new");
	free(as);
	fd_close(&root);
	assert_true(sink_root(new, true, &root, &as, &msg) < 0);
	assert_true(sink_root(deep, false, &root, &as, &msg) < 0);
	assert_non_null(strstr(msg.text, "/no'"));
	assert_true(sink_root(folder, false, &root, &as, &msg) < 0);
	assert_null(as);
	free(slash);
	free(new);
	free(deep);
	free(folder);
}

/* As of /tmp: who copies a folder of that name there must not open it to all. */
static void a_folder_keeps_what_is_not_copied(void **state)
{
	struct scene *s = *state;
	char *path = in_root(s, "tmp");
	struct stat st;

	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(chmod(path, 01777), 0);
	assert_int_equal(entry(s, 1, FILE_FOLDER, "tmp", 0, NULL), 0);
	assert_int_equal(s->told, SINK_SAME);
	sink_end(s->sink);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 01640);
	free(path);
}

static void a_tree_without_end_is_ended(void **state)
{
	struct scene *s = *state;

	assert_int_equal(entry(s, SINK_ENTRIES_MAX, FILE_FOLDER, "last", 0, NULL), 0);
	assert_int_equal(entry(s, SINK_ENTRIES_MAX + 1u, FILE_FOLDER, "more", 0, NULL), ERR_LIMIT);
	assert_int_equal(names(s->root, "more"), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(files_come_whole),
		TEST(a_file_is_not_there_before_it_is_whole),
		TEST(damage_is_asked_for_again_once),
		TEST(longer_than_told_is_refused),
		TEST(no_space_leaves_the_old_file),
		TEST(the_sum_is_bounded),
		TEST(a_large_file_goes_on),
		TEST(what_went_on_from_damage_comes_anew),
		TEST(small_files_leave_nothing),
		TEST(two_at_once_do_not_share),
		TEST(folders_and_links),
		TEST(the_first_part_may_be_another),
		TEST(no_name_leads_out),
		TEST(no_way_through_a_link),
		TEST(a_folder_that_becomes_a_link),
		TEST(what_no_sender_says),
		TEST(not_more_at_once),
		TEST(a_folder_keeps_what_is_not_copied),
		TEST(a_tree_without_end_is_ended),
		TEST(destinations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
