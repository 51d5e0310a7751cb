/* The marks that a store leaves in its segments: what it then takes for damage, and what not. */
#include "store_rig.h"

#include "message.h"

#define KIB   1024u
#define CHILD 20u /* frames that the process that dies has told as durable */

static struct buf file_bytes(const char *path)
{
	struct buf data = {0};
	int fd = open(path, O_RDONLY);
	ssize_t n;

	assert_true(fd >= 0);
	while ((n = read(fd, buf_room(&data, 65536), 65536)) > 0)
		data.len += (size_t)n;
	assert_int_equal(n, 0);
	(void)close(fd);
	return data;
}

/* The value of the last mark of a segment; UINT64_MAX: there is none. Each says at most where it
 * stands, and the end of an entry. */
static uint64_t last_mark(const char *path, uint64_t *ret_at)
{
	struct buf data = file_bytes(path);
	uint64_t ends[4096] = {0}, last = UINT64_MAX;
	size_t count = 1;

	for (size_t at = 0; at < data.len;) {
		struct frame frame;
		int64_t used = frame_parse(data.data + at, data.len - at, &frame, NULL);

		/* What is being written now. */
		if (used <= 0)
			break;
		if (frame.type == MSG_STORE_MARK) {
			bool known = false;

			last = entry_get_synced(frame.body);
			for (size_t i = 0; i < count; i++)
				known = known || ends[i] == last;
			assert_true(known && last <= at);
			*ret_at = at;
		}
		at += (size_t)used;
		assert_true(count < ARRAY_LEN(ends));
		ends[count++] = at;
	}
	buf_done(&data);
	return last;
}

/* Nothing comes for a while: then a mark says that all is durable. */
static void await_mark(struct rig *rig, struct store_place place)
{
	char *path = rig_segment(rig, place.segment);
	uint64_t at, synced;

	for (;;) {
		synced = last_mark(path, &at);
		if (synced != UINT64_MAX && synced >= place.at + place.len)
			break;
		(void)usleep(1000);
	}
	free(path);
}

/* What a process leaves that is killed, with so many frames told as durable and, at last, three
 * more of one group; idle: and nothing to do for a while. */
static void leave(struct rig *rig, bool idle, struct store_place *places)
{
	int ends[2], status;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		rig->options.loop = rig->loop = loop_new();
		rig->watchdog = evtimer_new(loop_base(rig->loop), rig_on_late, NULL);
		(void)alarm(RIG_PATIENCE_MS / 1000);
		rig_open(rig);
		rig_put_job(rig, 1, 1);
		for (uint64_t i = 0; i < CHILD + 3; i++) {
			places[i] = rig_append(rig, 2, 1 + i, 1, KIB);
			if (i < CHILD || i == CHILD + 2)
				rig_durable(rig);
		}
		if (idle)
			await_mark(rig, places[CHILD + 2]);
		if (write(ends[1], places, (CHILD + 3) * sizeof *places) < 0)
			_exit(1);
		_exit(0);
	}
	(void)close(ends[1]);
	assert_int_equal(read(ends[0], places, (CHILD + 3) * sizeof *places),
			 (CHILD + 3) * sizeof *places);
	(void)close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void spoil(struct rig *rig, struct store_place place)
{
	char *path = rig_segment(rig, place.segment);
	static const uint8_t zeros[KIB];

	rig_overwrite(path, place.at, zeros, place.len < KIB ? place.len : KIB);
	free(path);
}

/* As if the power was cut while the last group was written. */
static void test_hole_in_the_last_group(void **state)
{
	struct rig *rig = *state;
	struct store_place places[CHILD + 3];
	char *path = rig_segment(rig, 1);
	uint64_t at = 0, synced;
	size_t hole = CHILD;

	leave(rig, false, places);
	synced = last_mark(path, &at);
	/* The one that comes when nothing more does. */
	if (synced > places[CHILD + 2].at) {
		assert_int_equal(truncate(path, (off_t)at), 0);
		synced = last_mark(path, &at);
	}
	/* It may have been more than one group, if we had to wait for the processor. */
	while (places[hole].at < synced)
		hole++;
	spoil(rig, places[hole]);
	rig_open(rig);
	assert_int_equal(rig->frames, hole);
	assert_int_equal(store_damage(rig->store).segments, 0);
	assert_null(store_note(rig->store));
	/* What was cut off is not there any more, whatever comes in its place. */
	for (uint64_t i = 0; i < 3; i++)
		(void)rig_append(rig, 2, 100 + i, 1, 300);
	rig_reopen(rig);
	assert_int_equal(rig->frames, hole + 3);
	for (size_t i = 0; i < rig->frames; i++)
		assert_int_equal(rig->frame[i].first, i < hole ? 1 + i : 100 + i - hole);
	assert_int_equal(store_damage(rig->store).segments, 0);
	free(path);
}

/* A group before it: it was synced, as the next says. */
static void test_damage_in_an_older_group(void **state)
{
	struct rig *rig = *state;
	struct store_place places[CHILD + 3];

	leave(rig, false, places);
	spoil(rig, places[CHILD - 1]);
	rig_open(rig);
	assert_int_equal(rig->frames, CHILD + 2);
	assert_int_equal(store_damage(rig->store).segments, 1);
	assert_int_equal(rig->frame[CHILD - 1].first, CHILD + 1);
}

/* The last of all, and it was told as durable long ago. */
static void test_damage_at_the_end(void **state)
{
	struct rig *rig = *state;
	struct store_place places[CHILD + 3];

	leave(rig, true, places);
	spoil(rig, places[CHILD + 2]);
	rig_open(rig);
	assert_int_equal(rig->frames, CHILD + 2);
	assert_int_equal(store_damage(rig->store).segments, 1);
	assert_int_equal(store_damage(rig->store).bytes, places[CHILD + 2].len);
}

/* A daemon that ended well leaves no doubt. */
static void test_damage_at_the_end_of_a_closed_one(void **state)
{
	struct rig *rig = *state;
	struct store_place place;

	rig_open(rig);
	rig_put_job(rig, 1, 1);
	place = rig_append(rig, 2, 1, 1, KIB);
	rig_close(rig);
	spoil(rig, place);
	rig_open(rig);
	assert_int_equal(rig->frames, 0);
	assert_int_equal(store_damage(rig->store).segments, 1);
}

/* How far a mark is from what it says was synced, at most. */
static uint64_t farthest_mark(const char *path)
{
	struct buf data = file_bytes(path);
	uint64_t farthest = 0;
	int64_t used;

	for (size_t at = 0; at < data.len; at += (size_t)used) {
		struct frame frame;

		used = frame_parse(data.data + at, data.len - at, &frame, NULL);
		assert_true(used > 0);
		if (frame.type == MSG_STORE_MARK && at - entry_get_synced(frame.body) > farthest)
			farthest = at - entry_get_synced(frame.body);
	}
	buf_done(&data);
	return farthest;
}

/* More than one batch at once: the later ones know no more than the first. */
static void test_group_of_many_batches(void **state)
{
	struct rig *rig = *state;
	char *path = rig_segment(rig, 1);

	rig_open(rig);
	rig_put_job(rig, 1, 1);
	rig_durable(rig);
	/* The first group has rows, and waits. */
	writer_hold_db(rig->store->writer);
	store_update_child(rig->store, &(struct store_child){.id = 2, .step = 4});
	for (uint64_t i = 0; i < 40; i++)
		(void)rig_append(rig, 2, 1 + i, 1, 100 * KIB);
	writer_release_db(rig->store->writer);
	rig_durable(rig);
	rig_close(rig);
	assert_true(farthest_mark(path) > 1000 * KIB);
	free(path);
}

/* A segment that is full in the middle of a group, with more behind it. */
static void test_segment_sealed_in_a_group(void **state)
{
	struct rig *rig = *state;
	struct store_place last = {0};
	char *path;
	uint64_t at = 0;

	rig->options.segment_size = 64 * KIB;
	rig_open(rig);
	rig_put_job(rig, 1, 1);
	for (uint64_t i = 0; i < 400; i++) {
		last = rig_append(rig, 2, 1 + i, 1, KIB);
		if (i % 23 == 0)
			rig_durable(rig);
	}
	rig_durable(rig);
	assert_true(last.segment > 5);
	for (uint32_t segment = 1; segment < last.segment; segment++) {
		path = rig_segment(rig, segment);
		(void)last_mark(path, &at);
		free(path);
	}
	spoil(rig, (struct store_place){.segment = last.segment - 1, .at = 10 * KIB, .len = 8});
	rig_reopen(rig);
	assert_int_equal(rig->frames, 399);
	assert_int_equal(store_damage(rig->store).segments, 1);
}

/* One mark is enough, and it is no reason for another. */
static void test_idle_store_grows_no_more(void **state)
{
	struct rig *rig = *state;
	struct store_place place;
	char *path = rig_segment(rig, 1);
	int64_t size;

	rig_open(rig);
	rig_put_job(rig, 1, 1);
	place = rig_append(rig, 2, 1, 1, KIB);
	rig_durable(rig);
	await_mark(rig, place);
	size = rig_size(path);
	assert_int_equal(size, place.at + place.len + ENTRY_SYNCED_SIZE);
	assert_int_equal(store_pending(rig->store), 0);
	/* Rows alone; and then, closed, it has its mark. */
	store_update_child(rig->store, &(struct store_child){.id = 2, .step = 4});
	rig_durable(rig);
	rig_close(rig);
	assert_int_equal(rig_size(path), size);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)
		TEST(test_hole_in_the_last_group),   TEST(test_damage_in_an_older_group),
		TEST(test_damage_at_the_end),	     TEST(test_damage_at_the_end_of_a_closed_one),
		TEST(test_group_of_many_batches),    TEST(test_segment_sealed_in_a_group),
		TEST(test_idle_store_grows_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
