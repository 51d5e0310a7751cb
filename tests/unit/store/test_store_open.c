/* What must be refused, and what must be survived, when a store is opened. */
#include "store_rig.h"

#include <sys/file.h>

#include "clock.h"
#include "guard.h"

#define AT_VERSION 60u /* of a database, as SQLite writes it */

static void write_file(const char *path, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	(void)close(fd);
}

/* Two jobs with output, closed. */
static void fill(struct rig *rig)
{
	rig_open(rig);
	rig_put_job(rig, 1, 2);
	rig_put_job(rig, 10, 1);
	(void)rig_append(rig, 2, 1, 5, 1000);
	store_put_note(rig->store, 1, 1, 2, 1, "note", 4);
	(void)rig_append(rig, 11, 1, 5, 1000);
	store_put_value(rig->store, "session", "blob", 4);
	store_update_child(rig->store, &(struct store_child){.id = 2, .step = 8});
	rig_close(rig);
}

/* Refused with this code, and a text that has all of it. */
static void expect_refused(struct rig *rig, int code, const char *text)
{
	int r = rig_try(rig);

	if (r != code || !strstr(rig->msg.text, text) || !strstr(rig->msg.text, "store"))
		fail_msg("%d instead of %d: %s", r, code, rig->msg.text);
	assert_null(rig->store);
}

static void test_two_daemons_on_one_store(void **state)
{
	struct rig *rig = *state;
	struct store *first;
	char text[64];

	rig_open(rig);
	first = rig->store;
	(void)snprintf(text, sizeof text, "pid %ld", (long)getpid());
	expect_refused(rig, ERR_EXISTS, text);
	expect_refused(rig, ERR_EXISTS, rig->path);
	rig->store = first;
	rig_reopen(rig);
}

/* A process that was killed holds nothing. */
static void test_the_lock_of_the_dead_is_free(void **state)
{
	struct rig *rig = *state;
	char *lock = rig_file(rig, "lock");
	int ready[2], status;
	char byte;
	pid_t pid;

	fill(rig);
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int fd = open(lock, O_RDWR);

		if (flock(fd, LOCK_EX) == 0 && write(ready[1], "x", 1) == 1)
			(void)pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	expect_refused(rig, ERR_EXISTS, "another daemon");
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	rig_open(rig);
	(void)close(ready[0]);
	(void)close(ready[1]);
	free(lock);
}

/* A daemon that has said that it leaves is waited for, for longer than one that may be dying. */
static void test_the_lock_of_who_leaves_is_waited_for(void **state)
{
	struct rig *rig = *state;
	int ready[2], status;
	char byte;
	pid_t pid;

	fill(rig);
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct errmsg msg;
		int dir = open(rig->path, O_RDONLY | O_DIRECTORY), lock = -1;

		if (guard_lock(&lock, dir, rig->path, &msg) == 0) {
			uint64_t end_ns = clock_mono_ns() + 1000000000u;

			guard_leaving(lock);
			(void)!write(ready[1], "x", 1);
			while (clock_mono_ns() < end_ns)
				guard_leaving(lock); /* it may say so again */
		}
		_exit(lock < 0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	rig_open(rig);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	(void)close(ready[0]);
	(void)close(ready[1]);
}

static void test_directory_that_others_can_read(void **state)
{
	struct rig *rig = *state;

	fill(rig);
	assert_int_equal(chmod(rig->path, 0750), 0);
	expect_refused(rig, ERR_DENIED, "0750");
	assert_int_equal(chmod(rig->path, 0700), 0);
	rig_open(rig);
}

static void test_file_that_others_can_read(void **state)
{
	struct rig *rig = *state;
	char *path = rig_segment(rig, 1);

	fill(rig);
	assert_int_equal(chmod(path, 0640), 0);
	expect_refused(rig, ERR_DENIED, "00000001.seg");
	free(path);
}

static void test_file_that_is_a_link(void **state)
{
	struct rig *rig = *state;
	char *path = rig_file(rig, "jobs.db"), *elsewhere = xasprintf("%s/elsewhere", rig->base);

	fill(rig);
	assert_int_equal(rename(path, elsewhere), 0);
	assert_int_equal(symlink(elsewhere, path), 0);
	expect_refused(rig, ERR_DENIED, "jobs.db");
	free(path);
	free(elsewhere);
}

static void test_directory_that_is_a_link(void **state)
{
	struct rig *rig = *state;
	char *elsewhere = xasprintf("%s/elsewhere", rig->base);

	fill(rig);
	assert_int_equal(rename(rig->path, elsewhere), 0);
	assert_int_equal(symlink(elsewhere, rig->path), 0);
	assert_true(rig_try(rig) < 0);
	free(elsewhere);
}

static void test_file_of_somebody_else(void **state)
{
	struct rig *rig = *state;
	char *path = rig_file(rig, "jobs.db");

	if (geteuid() != 0) {
		free(path);
		skip();
	}
	fill(rig);
	assert_int_equal(chown(path, 12345, (gid_t)-1), 0);
	expect_refused(rig, ERR_DENIED, "uid 12345");
	assert_int_equal(chown(path, 0, (gid_t)-1), 0);
	assert_int_equal(chown(rig->path, 12345, (gid_t)-1), 0);
	expect_refused(rig, ERR_DENIED, "uid 12345");
	free(path);
}

/* Root may write everywhere: in a process that is somebody else. */
static void test_directory_that_cannot_be_written(void **state)
{
	struct rig *rig = *state;
	int status;
	pid_t pid;

	assert_int_equal(mkdir(rig->path, 0500), 0);
	assert_int_equal(chmod(rig->base, 0755), 0);
	if (geteuid() == 0)
		assert_int_equal(chown(rig->path, 12345, (gid_t)-1), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int r;

		if (geteuid() == 0 && seteuid(12345) < 0)
			_exit(2);
		r = rig_try(rig);
		_exit(r == ERR_DENIED && strstr(rig->msg.text, rig->path) &&
				      strstr(rig->msg.text, "denied")
			      ? 0
			      : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_no_parent_directory(void **state)
{
	struct rig *rig = *state;
	char *path = xasprintf("%s/no/store", rig->base);

	rig->options.path = path;
	assert_int_equal(rig_try(rig), ERR_SYS);
	assert_non_null(strstr(rig->msg.text, path));
	free(path);
}

/* --- versions ------------------------------------------------------------------------------- */

static void read_whole(const char *path, struct buf *out)
{
	int fd = open(path, O_RDONLY);
	int64_t size = rig_size(path);

	assert_true(fd >= 0 && size >= 0);
	assert_int_equal(read(fd, buf_room(out, (size_t)size), (size_t)size), size);
	out->len = (size_t)size;
	(void)close(fd);
}

static void test_newer_version_is_not_touched(void **state)
{
	struct rig *rig = *state;
	char *path = rig_file(rig, "jobs.db"), *lock = rig_file(rig, "lock");
	uint8_t version[4] = {0, 0, 0, DB_VERSION + 1};
	struct buf before = {0}, after = {0};
	struct stat then, now;

	fill(rig);
	rig_overwrite(path, AT_VERSION, version, sizeof version);
	write_file(lock, "1\n", 2);
	read_whole(path, &before);
	assert_int_equal(stat(rig->path, &then), 0);
	expect_refused(rig, ERR_VERSION, "newer");
	read_whole(path, &after);
	assert_int_equal(before.len, after.len);
	assert_memory_equal(before.data, after.data, before.len);
	assert_int_equal(stat(rig->path, &now), 0);
	assert_memory_equal(&then.st_mtim, &now.st_mtim, sizeof now.st_mtim);
	assert_int_equal(rig_size(lock), 2);
	version[3] = DB_VERSION;
	rig_overwrite(path, AT_VERSION, version, sizeof version);
	rig_open(rig);
	assert_int_equal(rig->jobs, 2);
	assert_null(store_note(rig->store));
	buf_done(&before);
	buf_done(&after);
	free(path);
	free(lock);
}

/* --- a damaged database --------------------------------------------------------------------- */

static void expect_rebuilt(struct rig *rig, uint64_t generation)
{
	rig_open(rig);
	assert_int_equal(rig->jobs, 2);
	assert_int_equal(rig->children, 3);
	assert_int_equal(rig->job[0].uuid[0], 1);
	assert_int_equal(rig->job[1].id, 10);
	assert_int_equal(rig->job[1].spec_len, 4);
	assert_int_equal(rig->child.uuid[0], 11);
	assert_int_equal(rig->child.step, 0);
	assert_int_equal(rig->frames, 2);
	assert_int_equal(rig->notes, 1);
	assert_int_equal(rig->values, 0);
	rig_expect(rig, rig->frame[0].place, 2, 1);
	rig_expect(rig, rig->frame[1].place, 11, 1);
	assert_non_null(store_note(rig->store));
	assert_non_null(strstr(store_note(rig->store), "2 jobs"));
	assert_true(store_generation(rig->store) > generation);
	assert_true(rig->last_id >= 11);
	rig_reopen(rig);
	assert_int_equal(rig->jobs, 2);
	assert_null(store_note(rig->store));
}

static void test_database_that_is_none(void **state)
{
	struct rig *rig = *state;
	char *path = rig_file(rig, "jobs.db");

	fill(rig);
	write_file(path, "this is no database", 19);
	expect_rebuilt(rig, 1);
	assert_int_equal(rig_count_names(rig, ".", "jobs.db.damaged-"), 1);
	free(path);
}

static void test_database_that_is_gone(void **state)
{
	struct rig *rig = *state;
	char *path = rig_file(rig, "jobs.db");

	fill(rig);
	assert_int_equal(unlink(path), 0);
	expect_rebuilt(rig, 1);
	free(path);
}

static void test_database_that_is_empty(void **state)
{
	struct rig *rig = *state;
	char *path = rig_file(rig, "jobs.db");

	fill(rig);
	write_file(path, "", 0);
	expect_rebuilt(rig, 1);
	free(path);
}

static void test_database_that_is_cut(void **state)
{
	struct rig *rig = *state;
	char *path = rig_file(rig, "jobs.db");

	fill(rig);
	assert_int_equal(truncate(path, rig_size(path) / 2 + 100), 0);
	expect_rebuilt(rig, 1);
	assert_true(rig_count_names(rig, ".", "jobs.db.damaged-") > 0);
	free(path);
}

/* Every page of it, in turn, is full of bytes that mean nothing. Nothing crashes; and whether that
 * is seen or not, the jobs are there. */
static void test_database_with_damaged_pages(void **state)
{
	struct rig *rig = *state;
	char *path = rig_file(rig, "jobs.db");
	uint8_t page[4096];
	int64_t size;

	memset(page, 0xa5, sizeof page);
	fill(rig);
	size = rig_size(path);
	assert_true(size > 2 * (int64_t)sizeof page);
	for (int64_t at = 0; at < size; at += (int64_t)sizeof page) {
		rig_overwrite(path, (uint64_t)at, page, sizeof page);
		rig_open(rig);
		assert_int_equal(rig->jobs, 2);
		assert_int_equal(rig->children, 3);
		rig_close(rig);
		assert_true(rig_size(path) >= size);
	}
	assert_true(rig_count_names(rig, ".", "jobs.db.damaged-") > 1);
	free(path);
}

/* Killed between the two: there is a new database, and nothing in it. */
static void test_killed_while_it_is_made_again(void **state)
{
	struct rig *rig = *state;
	char *path = rig_file(rig, "jobs.db"), *aside = rig_file(rig, "jobs.db.damaged-once");

	fill(rig);
	assert_int_equal(rename(path, aside), 0);
	expect_rebuilt(rig, 1);
	free(path);
	free(aside);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)
		TEST(test_two_daemons_on_one_store),
		TEST(test_the_lock_of_the_dead_is_free),
		TEST(test_the_lock_of_who_leaves_is_waited_for),
		TEST(test_directory_that_others_can_read),
		TEST(test_file_that_others_can_read),
		TEST(test_file_that_is_a_link),
		TEST(test_directory_that_is_a_link),
		TEST(test_file_of_somebody_else),
		TEST(test_directory_that_cannot_be_written),
		TEST(test_no_parent_directory),
		TEST(test_newer_version_is_not_touched),
		TEST(test_database_that_is_none),
		TEST(test_database_that_is_gone),
		TEST(test_database_that_is_empty),
		TEST(test_database_that_is_cut),
		TEST(test_database_with_damaged_pages),
		TEST(test_killed_while_it_is_made_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
