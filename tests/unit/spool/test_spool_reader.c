/* The reading side of a spool: behind a writer in another process, and over damage. */
#include "spool_rig.h"

static const struct spool_limits small = {.cap = 50000, .segment = 2000};

static struct rig *begin(size_t frames)
{
	struct rig *r = rig_new(3, &small);

	while (frames--)
		assert_int_equal(rig_append(r, MSG_TASK_RECORDS, 2, 200), SPOOL_TAKEN);
	return r;
}

/* As after the death of the writer: another appends the end. */
static void bury(struct rig *r)
{
	spool_close(r->spool);
	rig_open(r);
	for (; r->last > spool_last(r->spool); r->last--)
		r->frames[r->last] = (struct rig_frame){0};
	if (!spool_has_end(r->spool))
		assert_int_equal(rig_append(r, MSG_TASK_END, 0, 0), SPOOL_TAKEN);
}

static void half_a_frame_is_not_there_yet(void **state)
{
	struct rig *r = rig_new(1, &small);
	struct buf bytes = {0}, half = {0};

	(void)state;
	rig_put_records(&bytes, 1, 1, 3, 100);
	rig_note(r, 1, MSG_TASK_RECORDS, &bytes, 3);
	for (size_t len = 0; len < bytes.len; len++) {
		buf_clear(&half);
		buf_add(&half, bytes.data, len);
		simdisk_put(r->on, "seg-00000001", half.data, half.len);
		rig_follow(r);
		assert_int_equal(rig_read(r), 0);
		assert_int_equal(rig_read(r), 0);
	}
	simdisk_put(r->on, "seg-00000001", bytes.data, bytes.len);
	rig_follow(r);
	assert_int_equal(rig_read(r), 1);
	assert_int_equal(rig_read(r), 0);
	buf_done(&bytes);
	buf_done(&half);
	rig_free(r);
}

/* What was a half once is another frame the next time: a writer that had no room. */
static void half_a_frame_may_become_another(void **state)
{
	struct rig *r = begin(1);

	(void)state;
	assert_int_equal(rig_read(r), 1);
	/* The second call is the append. */
	simdisk_user_fail(r->writer, 1, 1, ENOSPC);
	assert_int_equal(rig_append(r, MSG_TASK_RECORDS, 1, 400), SPOOL_DISK);
	assert_int_equal(rig_read(r), 0);
	assert_int_equal(rig_append(r, MSG_TASK_RECORDS, 1, 400), SPOOL_TAKEN);
	assert_int_equal(rig_read(r), 1);
	/* It cannot be cut off: the segment ends there, and nothing is missing. */
	simdisk_user_fail(r->writer, 1, 2, ENOSPC);
	assert_int_equal(rig_append(r, MSG_TASK_RECORDS, 1, 400), SPOOL_DISK);
	assert_int_equal(rig_read(r), 0);
	assert_int_equal(rig_append(r, MSG_TASK_RECORDS, 1, 400), SPOOL_TAKEN);
	assert_int_equal(simdisk_count(r->on), 2);
	assert_int_equal(rig_read(r), 1);
	assert_int_equal(rig_read(r), 0);
	assert_int_equal(r->gaps, 0);
	rig_free(r);
}

static void it_begins_anywhere(void **state)
{
	struct rig *r = begin(20);

	(void)state;
	for (uint64_t from = 0; from <= 21; from++) {
		r->got = from;
		r->got_record = 2 * from;
		rig_follow(r);
		assert_int_equal(rig_read_all(r), 0);
		assert_int_equal(r->got, from > 20 ? from : 20);
	}
	assert_int_equal(r->gaps, 0);
	rig_free(r);
}

/* Case 24. The rest of the segment is lost, and it is said how much that is. */
static void damage_becomes_a_gap(void **state)
{
	struct rig *r = begin(30);
	uint64_t first;

	(void)state;
	r->inexact = true;
	/* The second frame of the second segment. */
	assert_true(simdisk_flip_at(r->on, "seg-00000002", 600, 3));
	assert_int_equal(rig_append(r, MSG_TASK_END, 0, 0), SPOOL_TAKEN);
	assert_int_equal(rig_read_all(r), 0);
	assert_true(r->ended && r->gaps == 1);
	first = r->missing;
	assert_true(first > 0 && first < 10);
	assert_int_equal(r->got_record, r->record);
	rig_free(r);
}

static void a_lost_segment_becomes_a_gap(void **state)
{
	struct rig *r = begin(30);

	(void)state;
	r->inexact = true;
	assert_int_equal(r->disk->ops->unlink(r->disk->ctx, "seg-00000002"), 0);
	assert_int_equal(r->disk->ops->unlink(r->disk->ctx, "seg-00000003"), 0);
	assert_int_equal(rig_append(r, MSG_TASK_END, 0, 0), SPOOL_TAKEN);
	assert_int_equal(rig_read_all(r), 0);
	assert_true(r->ended && r->gaps == 1 && r->missing > 0);
	assert_int_equal(r->got_record, r->record);
	rig_free(r);
}

/* A schema stands between the damage and the records that say how many are missing. */
static void what_is_missing_is_known_behind_schemas(void **state)
{
	struct rig *r = begin(3);

	(void)state;
	r->inexact = true;
	while (simdisk_size(r->on, "seg-00000002") <= 0)
		assert_int_equal(rig_append(r, MSG_TASK_SCHEMA, 0, 0), SPOOL_TAKEN);
	assert_int_equal(rig_append(r, MSG_TASK_RECORDS, 2, 200), SPOOL_TAKEN);
	assert_true(simdisk_flip_at(r->on, "seg-00000001", 600, 3));
	assert_int_equal(rig_read_all(r), 0);
	assert_int_equal(r->gaps, 1);
	assert_int_equal(r->missing, 4);
	assert_int_equal(r->got_record, r->record);
	rig_free(r);
}

/* Nothing can be read until another segment begins; the damage is told meanwhile. */
static void damage_in_the_last_segment(void **state)
{
	struct rig *r = begin(3);

	(void)state;
	r->inexact = true;
	assert_true(simdisk_flip_at(r->on, "seg-00000001", 600, 3));
	assert_int_equal(rig_read_all(r), ERR_PROTO);
	assert_int_equal(rig_read_all(r), ERR_PROTO);
	assert_int_equal(r->got, 1);
	bury(r);
	assert_int_equal(rig_read_all(r), 0);
	assert_true(r->ended && r->gaps == 1);
	rig_free(r);
}

/* The end of the writer in the middle of a frame: that one is missing, and said to be. */
static void a_torn_tail_is_missing(void **state)
{
	struct rig *r = begin(3);

	(void)state;
	r->inexact = true;
	simdisk_put(r->on, "seg-00000001", simdisk_bytes(r->on, "seg-00000001"),
		    (size_t)simdisk_size(r->on, "seg-00000001") - 5);
	bury(r);
	/* As often as it is opened: the number is left out once. */
	bury(r);
	assert_int_equal(rig_read_all(r), 0);
	assert_true(r->ended && r->gaps == 1 && r->got == 4);
	rig_free(r);
}

static void errors_pass(void **state)
{
	struct rig *r = begin(20);

	(void)state;
	for (uint64_t calls = 0; calls < 60; calls++) {
		int rc = 1;

		r->got = r->got_record = 0;
		rig_follow(r);
		simdisk_user_fail(r->follower, calls, 1, calls % 2 ? EMFILE : ENOMEM);
		while (rc == 1)
			rc = rig_read(r);
		assert_true(rc == 0 || rc == ERR_SYS);
		simdisk_user_fail(r->follower, 0, 0, 0);
		/* The next time it goes well, from where it stood. */
		assert_int_equal(rig_read_all(r), 0);
		assert_int_equal(r->got, 20);
		assert_int_equal(r->gaps, 0);
	}
	rig_free(r);
}

/* Another writes what it wants: names that look like segments, and none of them is one. */
static void strange_names_are_not_looked_at(void **state)
{
	static const char *const names[] = {"seg-",	     "seg-1",
					    "seg-00000000",  "seg-0000001x",
					    "seg-000000001", "seg-99999999999999999999",
					    "segment",	     "seg--0000001"};
	struct rig *r = begin(2);

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		simdisk_put(r->on, names[i], "MS", 2);
	assert_int_equal(rig_append(r, MSG_TASK_END, 0, 0), SPOOL_TAKEN);
	assert_int_equal(rig_read_all(r), 0);
	assert_true(r->ended && !r->gaps);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(half_a_frame_is_not_there_yet),
		cmocka_unit_test(half_a_frame_may_become_another),
		cmocka_unit_test(it_begins_anywhere),
		cmocka_unit_test(damage_becomes_a_gap),
		cmocka_unit_test(a_lost_segment_becomes_a_gap),
		cmocka_unit_test(what_is_missing_is_known_behind_schemas),
		cmocka_unit_test(damage_in_the_last_segment),
		cmocka_unit_test(a_torn_tail_is_missing),
		cmocka_unit_test(errors_pass),
		cmocka_unit_test(strange_names_are_not_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
