/* Disks that fill, fail and forget. */
#include "store_rig.h"

#include <sched.h>
#include <sys/mount.h>

#define KIB 1024u
#define MIB (1024u * KIB)

static void on_never(void *arg)
{
	(void)arg;
	fail_msg("what is not durable was told as durable");
}

/* --- no room -------------------------------------------------------------------------------- */

static void test_case_22_disk_full(void **state)
{
	struct rig *rig = *state;
	struct bad_disk *bad = bad_new(rig);
	struct store_place places[100];
	char *path = rig_segment(rig, 1);
	uint64_t before;

	rig_open(rig);
	rig_put_job(rig, 1, 1);
	places[0] = rig_append(rig, 2, 1, 1, 10 * KIB);
	rig_durable(rig);
	before = (uint64_t)rig_size(path);
	assert_int_equal(before, store_size(rig->store));

	bad_set_room(bad, 25 * KIB + 7);
	rig->done = false;
	for (uint64_t i = 1; i < 100; i++)
		places[i] = rig_append(rig, 2, 1 + i, 1, 10 * KIB);
	store_when_durable(rig->store, rig_on_done, rig);
	rig_await_trouble(rig, STORE_FULL);
	assert_false(rig->done);
	assert_non_null(strstr(rig->trouble_text, rig->path));
	assert_non_null(strstr(rig->trouble_text, "No space"));
	/* Nothing half is left behind, and all can be read. */
	assert_int_equal(rig_size(path), before);
	assert_true(store_pending(rig->store) > 99 * 10 * KIB);
	for (uint64_t i = 0; i < 100; i++)
		rig_expect(rig, places[i], 2, 1 + i);
	assert_false(rig->done && rig->troubles[STORE_WELL]);

	bad_set_room(bad, -1);
	rig_await_trouble(rig, STORE_WELL);
	rig_durable(rig);
	assert_int_equal(store_pending(rig->store), 0);
	assert_int_equal(rig->troubles[STORE_FULL], 1);
	assert_int_equal(rig->troubles[STORE_FAILED], 0);
	rig_reopen(rig);
	assert_int_equal(rig->frames, 100);
	for (uint64_t i = 0; i < 100; i++)
		assert_int_equal(rig->frame[i].first, 1 + i);
	rig_close(rig);
	bad_free(rig, bad);
	free(path);
}

/* Full, then killed: what was told is there, and what was not does no harm. */
static void test_case_22_disk_full_and_killed(void **state)
{
	struct rig *rig = *state;
	struct bad_disk *bad = bad_new(rig);
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		rig->options.loop = rig->loop = loop_new();
		rig->watchdog = evtimer_new(loop_base(rig->loop), rig_on_late, NULL);
		rig_open(rig);
		rig_put_job(rig, 1, 1);
		(void)rig_append(rig, 2, 1, 1, 10 * KIB);
		rig_durable(rig);
		bad_set_room(bad, 15 * KIB);
		for (uint64_t i = 1; i < 20; i++)
			(void)rig_append(rig, 2, 1 + i, 1, 10 * KIB);
		rig_await_trouble(rig, STORE_FULL);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	rig_open(rig);
	assert_int_equal(rig->frames, 1);
	assert_int_equal(store_damage(rig->store).segments, 0);
	rig_close(rig);
	bad_free(rig, bad);
}

/* Removing a job makes room though what waits to be written stands before it. */
static void test_case_22_removing_makes_room(void **state)
{
	struct rig *rig = *state;
	struct bad_disk *bad = bad_new(rig);
	struct store_place place;

	rig->options.segment_size = MIB;
	rig_open(rig);
	rig_put_job(rig, 1, 1);
	rig_put_job(rig, 10, 1);
	for (uint64_t i = 0; i < 50; i++)
		(void)rig_append(rig, 2, 1 + i, 1, 100 * KIB);
	rig_durable(rig);
	bad_set_room(bad, 50 * KIB);
	place = rig_append(rig, 11, 1, 1, 100 * KIB);
	rig_await_trouble(rig, STORE_FULL);
	store_remove_job(rig->store, 1);
	rig_await_trouble(rig, STORE_WELL);
	rig_durable(rig);
	rig_reopen(rig);
	assert_int_equal(rig->jobs, 1);
	assert_int_equal(rig->frames, 1);
	rig_expect(rig, place, 11, 1);
	rig_close(rig);
	bad_free(rig, bad);
}

/* Even the segment that is written to, with what waits for it. */
static void test_case_22_one_segment_is_all_there_is(void **state)
{
	struct rig *rig = *state;
	struct bad_disk *bad = bad_new(rig);
	struct store_place place;

	rig_open(rig);
	rig_put_job(rig, 1, 1);
	rig_durable(rig);
	bad_set_room(bad, 500 * KIB);
	for (uint64_t i = 0; i < 50; i++)
		(void)rig_append(rig, 2, 1 + i, 1, 100 * KIB);
	rig_await_trouble(rig, STORE_FULL);
	store_remove_job(rig->store, 1);
	rig_put_job(rig, 10, 1);
	place = rig_append(rig, 11, 1, 1, 100 * KIB);
	rig_await_trouble(rig, STORE_WELL);
	rig_durable(rig);
	assert_false(rig_has_segment(rig, 1));
	rig_expect(rig, place, 11, 1);
	rig_reopen(rig);
	assert_int_equal(rig->jobs, 1);
	assert_int_equal(rig->frames, 1);
	rig_expect(rig, place, 11, 1);
	rig_close(rig);
	bad_free(rig, bad);
}

static void test_size_limit(void **state)
{
	struct rig *rig = *state;
	struct store_place places[64];

	rig->options.size_limit = 4 * MIB;
	rig_open(rig);
	rig_put_job(rig, 1, 1);
	for (uint64_t i = 0; i < 64; i++) {
		places[i] = rig_append(rig, 2, 1 + i, 1, 100 * KIB);
		if (i == 30)
			rig_durable(rig);
	}
	rig_await_trouble(rig, STORE_FULL);
	assert_true(store_size(rig->store) <= 4 * MIB);
	assert_non_null(strstr(rig->trouble_text, "4 are allowed"));
	/* The reader has come so far. */
	store_update_child(rig->store, &(struct store_child){.id = 2, .read = {60}});
	for (uint64_t i = 0; i < 60; i++)
		store_release(rig->store, places[i]);
	rig_await_trouble(rig, STORE_WELL);
	rig_durable(rig);
	assert_true(store_size(rig->store) <= 4 * MIB);
	rig_reopen(rig);
	assert_int_equal(rig->child.read[0], 60);
	assert_int_equal(rig->frame[rig->frames - 1].first, 64);
	rig_expect(rig, rig->frame[rig->frames - 1].place, 2, 64);
}

/* A child that ended is not said to have, as long as its last output is not durable. */
static void test_case_22_rows_wait_for_their_frames(void **state)
{
	struct rig *rig = *state;
	struct bad_disk *bad = bad_new(rig);
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		rig->options.loop = rig->loop = loop_new();
		rig->watchdog = evtimer_new(loop_base(rig->loop), rig_on_late, NULL);
		rig_open(rig);
		rig_put_job(rig, 1, 1);
		rig_durable(rig);
		bad_set_room(bad, 0);
		(void)rig_append(rig, 2, 1, 1, 10);
		store_update_child(rig->store,
				   &(struct store_child){.id = 2, .step = 9, .read = {5}});
		rig_await_trouble(rig, STORE_FULL);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	rig_open(rig);
	assert_int_equal(rig->frames, 0);
	assert_int_equal(rig->child.step, 3);
	rig_close(rig);
	bad_free(rig, bad);
}

/* A real file system, of which another takes the room away. */
static void full_file_system(struct rig *rig)
{
	char *ballast = rig_file(rig, "ballast");
	uint8_t block[4096] = {1};
	int fd;

	rig->options.reserve = 1 * MIB;
	rig_open(rig);
	rig_put_job(rig, 1, 1);
	rig_durable(rig);
	fd = open(ballast, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	while (write(fd, block, sizeof block) == sizeof block)
		;
	(void)close(fd);
	(void)rig_append(rig, 2, 1, 1, 100 * KIB);
	rig_await_trouble(rig, STORE_FULL);
	assert_non_null(strstr(rig->trouble_text, "full"));
	assert_int_equal(unlink(ballast), 0);
	rig_await_trouble(rig, STORE_WELL);
	rig_durable(rig);
	rig_reopen(rig);
	assert_int_equal(rig->frames, 1);
	rig_expect(rig, rig->frame[0].place, 2, 1);
	/* And without a reserve to speak of: the rows, too, meet the end of the disk. */
	rig_close(rig);
	rig->options.reserve = 1;
	rig_open(rig);
	for (uint64_t i = 1; !rig->troubles[STORE_FULL] && i < 1000; i++) {
		(void)rig_append(rig, 2, 1 + i, 1, 100 * KIB);
		rig->done = false;
		store_when_durable(rig->store, rig_on_done, rig);
		while (!rig->done && !rig->troubles[STORE_FULL])
			rig_run(rig);
	}
	assert_int_equal(rig->troubles[STORE_FULL], 1);
	store_remove_job(rig->store, 1);
	rig_await_trouble(rig, STORE_WELL);
	rig_durable(rig);
	rig_close(rig);
	free(ballast);
}

static void test_case_22_full_file_system(void **state)
{
	struct rig *rig = *state;
	int status;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (unshare(CLONE_NEWNS) < 0 ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		    mkdir(rig->path, 0700) < 0 ||
		    mount("store", rig->path, "tmpfs", 0, "size=16m,mode=0700") < 0)
			_exit(77);
		rig->options.loop = rig->loop = loop_new();
		rig->watchdog = evtimer_new(loop_base(rig->loop), rig_on_late, NULL);
		full_file_system(rig);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

/* --- a disk that fails ---------------------------------------------------------------------- */

static void fail_with(struct rig *rig, int error)
{
	struct bad_disk *bad = bad_new(rig);
	struct store_place place;

	rig_open(rig);
	rig_put_job(rig, 1, 1);
	(void)rig_append(rig, 2, 1, 1, 10);
	rig_durable(rig);
	__atomic_store_n(&bad->sync_error, error, __ATOMIC_SEQ_CST);
	place = rig_append(rig, 2, 2, 1, 10);
	store_when_durable(rig->store, on_never, rig);
	rig_await_trouble(rig, STORE_FAILED);
	assert_non_null(strstr(rig->trouble_text, rig->path));
	/* Well again, as it seems: but what it has of what was written nobody knows. */
	__atomic_store_n(&bad->sync_error, 0, __ATOMIC_SEQ_CST);
	store_when_durable(rig->store, on_never, rig);
	assert_int_equal(rig_append(rig, 2, 3, 1, 10).segment, 0);
	store_update_child(rig->store, &(struct store_child){.id = 2, .step = 9});
	store_remove_job(rig->store, 1);
	rig_expect(rig, place, 2, 2);
	rig_close(rig);
	assert_int_equal(rig->troubles[STORE_WELL], 0);
	assert_int_equal(rig->troubles[STORE_FULL], 0);
	/* The next daemon goes by what it finds. */
	rig_open(rig);
	assert_int_equal(rig->jobs, 1);
	assert_int_equal(rig->child.step, 3);
	assert_true(rig->frames >= 1);
	rig_expect(rig, rig->frame[0].place, 2, 1);
	rig_close(rig);
	bad_free(rig, bad);
}

static void test_case_23_fsync_eio(void **state)
{
	fail_with(*state, EIO);
}

/* A sync that fails for want of room is not tried again either. */
static void test_case_23_fsync_enospc(void **state)
{
	fail_with(*state, ENOSPC);
}

/* --- a disk that forgets -------------------------------------------------------------------- */

#define FLIP_FRAMES 200u

/* 5 segments; the children are in all of them. */
static void flip_fill(struct rig *rig)
{
	rig->options.segment_size = MIB;
	rig_open(rig);
	rig_put_job(rig, 1, 2);
	for (uint64_t i = 0; i < FLIP_FRAMES; i++)
		(void)rig_append(rig, 2 + i % 2, 1 + i, 1, 20 * KIB);
	rig_close(rig);
}

static void flip(const char *path, uint64_t at, unsigned bit)
{
	int fd = open(path, O_RDWR);
	uint8_t byte;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
	byte = (uint8_t)(byte ^ 1u << bit);
	assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
	(void)close(fd);
}

/* One bit of any sealed segment costs the one entry that it is in, and is seen. */
static void test_case_24_bit_flip(void **state)
{
	struct rig *rig = *state;
	unsigned seed = 24;

	flip_fill(rig);
	for (int round = 0; round < 60; round++) {
		uint32_t segment = 1 + (uint32_t)rand_r(&seed) % 3;
		char *path = rig_segment(rig, segment), *copy = xasprintf("%s.damaged", path);
		uint64_t at = (uint64_t)rand_r(&seed) % (uint64_t)rig_size(path);
		unsigned bit = (unsigned)rand_r(&seed) % 8;
		uint64_t last = 0;

		flip(path, at, bit);
		rig_open(rig);
		assert_int_equal(store_damage(rig->store).segments, 1);
		assert_true(store_damage(rig->store).bytes >= 20);
		assert_true(rig->frames >= FLIP_FRAMES - 1);
		for (size_t i = 0; i < rig->frames; i++) {
			assert_true(rig->frame[i].first > last);
			last = rig->frame[i].first;
		}
		rig_expect(rig, rig->frame[0].place, rig->frame[0].child, rig->frame[0].first);
		rig_close(rig);
		assert_int_equal(rig_size(copy), rig_size(path));
		assert_int_equal(unlink(copy), 0);
		/* Once more, and it is as it was. */
		flip(path, at, bit);
		free(path);
		free(copy);
	}
	rig_open(rig);
	assert_int_equal(rig->frames, FLIP_FRAMES);
	assert_int_equal(store_damage(rig->store).segments, 0);
}

/* In the newest, too; what comes next is not put behind the damage. */
static void test_case_24_bit_flip_in_the_newest(void **state)
{
	struct rig *rig = *state;
	char *path = rig_segment(rig, 1);

	rig_open(rig);
	rig_put_job(rig, 1, 1);
	for (uint64_t i = 0; i < 20; i++)
		(void)rig_append(rig, 2, 1 + i, 1, KIB);
	rig_close(rig);
	flip(path, (uint64_t)rig_size(path) / 2, 3);
	rig_open(rig);
	assert_int_equal(rig->frames, 19);
	assert_int_equal(store_damage(rig->store).segments, 1);
	(void)rig_append(rig, 2, 21, 1, KIB);
	rig_reopen(rig);
	assert_int_equal(rig->frames, 20);
	assert_true(rig_has_segment(rig, 2));
	assert_int_equal(rig_count_names(rig, "frames", ".damaged"), 1);
	free(path);
}

/* Seen when it is read, too, if it happens while the store is open. */
static void test_case_24_bit_flip_while_it_is_open(void **state)
{
	struct rig *rig = *state;
	char *path = rig_segment(rig, 1);
	struct store_place place, other;

	rig_open(rig);
	rig_put_job(rig, 1, 1);
	place = rig_append(rig, 2, 1, 1, KIB);
	other = rig_append(rig, 2, 2, 1, KIB);
	rig_durable(rig);
	flip(path, place.at + 300, 3);
	assert_int_equal(rig_read(rig, place), ERR_PROTO);
	rig_expect(rig, other, 2, 2);
	assert_int_equal(truncate(path, other.at + 10), 0);
	assert_int_equal(rig_read(rig, other), ERR_PROTO);
	free(path);
}

/* At every place at which the newest can be torn. */
static void test_case_08_torn_tail(void **state)
{
	struct rig *rig = *state;
	char *path = rig_segment(rig, 1);
	struct store_place places[4];
	uint8_t *whole;
	size_t size;
	int fd;

	rig_open(rig);
	rig_put_job(rig, 1, 1);
	for (uint64_t i = 0; i < 4; i++)
		places[i] = rig_append(rig, 2, 1 + i, 1, 20);
	rig_close(rig);
	size = places[3].at + places[3].len;
	whole = xmalloc(size);
	fd = open(path, O_RDWR);
	assert_int_equal(pread(fd, whole, size, 0), size);
	for (size_t cut = places[0].at; cut <= size; cut++) {
		size_t count = 0;

		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, whole, cut, 0), cut);
		for (size_t i = 0; i < 4; i++)
			count += places[i].at + places[i].len <= cut;
		rig_open(rig);
		assert_int_equal(rig->frames, count);
		assert_int_equal(store_damage(rig->store).segments, 0);
		rig_close(rig);
	}
	(void)close(fd);
	free(whole);
	free(path);
}

/* A segment that is gone takes what was in it, and nothing else. */
static void test_segment_that_is_gone(void **state)
{
	struct rig *rig = *state;
	char *path = rig_segment(rig, 2);

	flip_fill(rig);
	assert_int_equal(unlink(path), 0);
	rig_open(rig);
	assert_true(rig->frames > 100 && rig->frames < FLIP_FRAMES);
	assert_int_equal(rig->frame[rig->frames - 1].first, FLIP_FRAMES);
	free(path);
}

/* Files that are none of ours are left alone. */
static void test_other_names(void **state)
{
	struct rig *rig = *state;
	static const char *const names[] = {"frames/1.seg", "frames/00000000.seg",
					    "frames/99999999999.seg", "frames/x",
					    "frames/0000001a.seg"};

	flip_fill(rig);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char *path = rig_file(rig, names[i]);
		int fd = open(path, O_WRONLY | O_CREAT, 0600);

		assert_true(fd >= 0);
		(void)close(fd);
		free(path);
	}
	rig_open(rig);
	assert_int_equal(rig->frames, FLIP_FRAMES);
	assert_int_equal(store_damage(rig->store).segments, 0);
	store_remove_job(rig->store, 1);
	rig_close(rig);
	assert_int_equal(rig_count_names(rig, "frames", "1a.seg"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)
		TEST(test_case_22_disk_full),
		TEST(test_case_22_disk_full_and_killed),
		TEST(test_case_22_removing_makes_room),
		TEST(test_case_22_one_segment_is_all_there_is),
		TEST(test_size_limit),
		TEST(test_case_22_rows_wait_for_their_frames),
		TEST(test_case_22_full_file_system),
		TEST(test_case_23_fsync_eio),
		TEST(test_case_23_fsync_enospc),
		TEST(test_case_24_bit_flip),
		TEST(test_case_24_bit_flip_in_the_newest),
		TEST(test_case_24_bit_flip_while_it_is_open),
		TEST(test_case_08_torn_tail),
		TEST(test_segment_that_is_gone),
		TEST(test_other_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
