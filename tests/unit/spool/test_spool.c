/* The writing side of a spool, case by case. */
#include "spool_rig.h"

#define SMALL 1000u /* about the length of a frame in these tests */

static const struct spool_limits block = {.cap = 20 * SMALL, .segment = 5 * SMALL};
static const struct spool_limits drop = {.cap = 20 * SMALL, .segment = 5 * SMALL, .drop = true};

static enum spool_room append_small(struct rig *r)
{
	return rig_append(r, MSG_TASK_RECORDS, 3, 300);
}

static void what_is_appended_is_read(void **state)
{
	struct rig *r = rig_new(1, &block);

	(void)state;
	assert_int_equal(spool_last(r->spool), 0);
	assert_int_equal(rig_read(r), 0);
	assert_int_equal(rig_append(r, MSG_TASK_SCHEMA, 0, 0), SPOOL_TAKEN);
	for (int i = 0; i < 15; i++)
		assert_int_equal(append_small(r), SPOOL_TAKEN);
	assert_int_equal(rig_append(r, MSG_TASK_END, 0, 0), SPOOL_TAKEN);
	assert_true(spool_has_end(r->spool));
	assert_int_equal(spool_last(r->spool), 17);
	assert_int_equal(spool_last_record(r->spool), 45);
	assert_int_equal(spool_reader_last(r->disk), 17);
	assert_int_equal(rig_read_all(r), 0);
	assert_true(r->ended && r->got == 17 && !r->gaps);
	assert_true(simdisk_count(r->on) > 2);
	/* Behind the end there is nothing. */
	assert_int_equal(append_small(r), SPOOL_BROKEN);
	assert_int_equal(errno, EINVAL);
	rig_free(r);
}

static void only_numbered_frames_in_order_are_taken(void **state)
{
	struct rig *r = rig_new(1, &block);
	struct buf bytes = {0};

	(void)state;
	assert_int_equal(append_small(r), SPOOL_TAKEN);
	rig_put_records(&bytes, 1, 4, 1, 10);
	assert_int_equal(spool_append(r->spool, bytes.data, bytes.len), SPOOL_BROKEN);
	buf_clear(&bytes);
	rig_put_records(&bytes, 2, 4, 1, 10);
	assert_int_equal(spool_append(r->spool, bytes.data, bytes.len - 1), SPOOL_BROKEN);
	bytes.data[bytes.len - 1] ^= 1;
	assert_int_equal(spool_append(r->spool, bytes.data, bytes.len), SPOOL_BROKEN);
	buf_clear(&bytes);
	(void)frame_begin(&bytes);
	task_running_put(&bytes, &(struct task_running_msg){1, 5});
	rig_frame_end(&bytes, MSG_TASK_RUNNING, 2);
	assert_int_equal(spool_append(r->spool, bytes.data, bytes.len), SPOOL_BROKEN);
	assert_int_equal(rig_read_all(r), 0);
	assert_int_equal(r->got, 1);
	buf_done(&bytes);
	rig_free(r);
}

static void a_full_one_waits_for_acknowledgement(void **state)
{
	struct rig *r = rig_new(1, &block);
	uint64_t full;

	(void)state;
	while (append_small(r) == SPOOL_TAKEN)
		assert_true(spool_bytes(r->spool) <= block.cap);
	full = r->last;
	assert_true(full >= 15);
	assert_int_equal(append_small(r), SPOOL_CAP);
	/* One frame frees no segment; all frames of it do. */
	spool_ack(r->spool, 1);
	assert_int_equal(append_small(r), SPOOL_CAP);
	spool_ack(r->spool, 6);
	assert_int_equal(spool_acked(r->spool), 6);
	assert_int_equal(append_small(r), SPOOL_TAKEN);
	/* The end needs no room below the cap. */
	while (append_small(r) == SPOOL_TAKEN)
		;
	assert_int_equal(rig_append(r, MSG_TASK_END, 0, 0), SPOOL_TAKEN);
	r->got = 6;
	r->got_record = 18;
	rig_follow(r);
	assert_int_equal(rig_read_all(r), 0);
	assert_true(r->ended && !r->gaps);
	rig_free(r);
}

static void acknowledged_segments_go_but_the_last(void **state)
{
	struct rig *r = rig_new(1, &block);

	(void)state;
	while (append_small(r) == SPOOL_TAKEN)
		;
	spool_ack(r->spool, UINT64_MAX);
	assert_int_equal(spool_acked(r->spool), r->last);
	assert_int_equal(simdisk_count(r->on), 1);
	assert_int_equal((uint64_t)simdisk_used(r->on), spool_bytes(r->spool));
	/* Numbers go on after it was opened again. */
	spool_close(r->spool);
	rig_open(r);
	assert_int_equal(spool_last(r->spool), r->last);
	assert_int_equal(spool_last_record(r->spool), r->record);
	assert_true(spool_acked(r->spool) > 0 && spool_acked(r->spool) < r->last);
	assert_int_equal(append_small(r), SPOOL_TAKEN);
	rig_free(r);
}

/* The last segment is full of what was acknowledged: another begins, and it goes. */
static void what_was_acknowledged_never_fills_it(void **state)
{
	struct spool_limits limits = {.cap = 4 * SMALL, .segment = 100 * SMALL};
	struct rig *r = rig_new(1, &limits);

	(void)state;
	for (int i = 0; i < 50; i++) {
		if (append_small(r) != SPOOL_TAKEN) {
			spool_ack(r->spool, r->last);
			assert_int_equal(append_small(r), SPOOL_TAKEN);
		}
		assert_true(spool_bytes(r->spool) <= limits.cap);
		assert_int_equal(rig_read_all(r), 0);
	}
	assert_int_equal(r->got, 50);
	rig_free(r);
}

static void a_frame_above_the_cap_goes_alone(void **state)
{
	struct spool_limits limits = {.cap = 2 * SMALL};
	struct rig *r = rig_new(1, &limits);

	(void)state;
	assert_int_equal(rig_append(r, MSG_TASK_RECORDS, 1, 50000), SPOOL_TAKEN);
	assert_int_equal(rig_append(r, MSG_TASK_RECORDS, 1, 50000), SPOOL_CAP);
	assert_int_equal(rig_read_all(r), 0);
	spool_ack(r->spool, 1);
	assert_int_equal(rig_append(r, MSG_TASK_RECORDS, 1, 50000), SPOOL_TAKEN);
	assert_int_equal(rig_read_all(r), 0);
	assert_int_equal(r->got, 2);
	rig_free(r);
}

/* Case 20. */
static void a_full_disk_is_told_and_goes_over(void **state)
{
	struct spool_limits limits = {
		.cap = 100 * SMALL, .segment = 5 * SMALL, .reserve = 3 * SMALL};
	struct rig *r = rig_new(1, &limits);

	(void)state;
	simdisk_limit(r->on, 10 * SMALL);
	while (append_small(r) == SPOOL_TAKEN)
		;
	assert_int_equal(append_small(r), SPOOL_DISK);
	assert_int_equal(errno, ENOSPC);
	assert_true(simdisk_used(r->on) <= 7 * SMALL);
	simdisk_limit(r->on, 20 * SMALL);
	assert_int_equal(append_small(r), SPOOL_TAKEN);
	/* The end may use the reserve, but not what is not there. */
	simdisk_limit(r->on, simdisk_used(r->on) + 10);
	assert_int_equal(rig_append(r, MSG_TASK_END, 0, 0), SPOOL_DISK);
	assert_false(spool_has_end(r->spool));
	simdisk_limit(r->on, simdisk_used(r->on) + 200);
	assert_int_equal(rig_append(r, MSG_TASK_END, 0, 0), SPOOL_TAKEN);
	assert_int_equal(rig_read_all(r), 0);
	assert_true(r->ended && !r->gaps);
	rig_free(r);
}

/* Case 21. */
static void dropping_says_exactly_what_is_missing(void **state)
{
	struct rig *r = rig_new(1, &drop);
	uint64_t records = 0;

	(void)state;
	for (int i = 0; i < 300; i++) {
		uint8_t type = i % 97 == 5 ? MSG_TASK_SCHEMA : MSG_TASK_RECORDS;

		assert_int_equal(rig_append(r, type, 1 + (size_t)i % 5, 200), SPOOL_TAKEN);
		assert_true(spool_bytes(r->spool) <= drop.cap);
	}
	assert_int_equal(rig_append(r, MSG_TASK_END, 0, 0), SPOOL_TAKEN);
	assert_true(simdisk_count(r->on) <= 5);
	assert_int_equal(rig_read_all(r), 0);
	assert_true(r->ended && r->gaps > 0 && r->gaps < 6);
	/* The reader has looked at each gap; together they and what was read are all. */
	for (uint64_t seq = 1; seq <= r->last; seq++)
		records += r->frames[seq].records;
	assert_int_equal(r->got_record, records);
	assert_true(r->missing > 0 && r->missing < records);
	rig_free(r);
}

/* Who reads while it is dropped gets each frame, or a gap for it. */
static void dropping_under_a_reader(void **state)
{
	struct rig *r = rig_new(7, &drop);

	(void)state;
	for (int i = 0; i < 1000; i++) {
		uint8_t type = i % 50 == 5 ? MSG_TASK_SCHEMA : MSG_TASK_RECORDS;

		assert_int_equal(rig_append(r, type, 2, 100 + (size_t)i % 300), SPOOL_TAKEN);
		for (uint64_t n = simdisk_roll(r->on, 3); n; n--)
			(void)rig_read(r);
		if (i % 40 == 0)
			spool_ack(r->spool,
				  r->got - (r->got ? simdisk_roll(r->on, r->got) / 2 : 0));
	}
	assert_int_equal(rig_append(r, MSG_TASK_END, 0, 0), SPOOL_TAKEN);
	assert_int_equal(rig_read_all(r), 0);
	assert_true(r->ended && r->got_record == r->record);
	rig_free(r);
}

static void limits_have_defaults(void **state)
{
	struct spool_limits none = {0}, small = {.cap = 3000};
	struct rig *r = rig_new(1, &none);

	(void)state;
	for (int i = 0; i < 200; i++)
		assert_int_equal(rig_append(r, MSG_TASK_RECORDS, 1, 60000), SPOOL_TAKEN);
	/* 12 MB in segments of 4 MiB. */
	assert_int_equal(simdisk_count(r->on), 3);
	for (int i = 0; i < 5; i++)
		for (int k = 0; k < 200 && rig_append(r, MSG_TASK_RECORDS, 1, 60000) == 0; k++)
			;
	assert_true(spool_bytes(r->spool) <= 64 << 20 && spool_bytes(r->spool) > 63 << 20);
	rig_free(r);
	/* Two segments at least fit below a small cap, so that something can go. */
	r = rig_new(1, &small);
	for (int i = 0; i < 40; i++) {
		enum spool_room room = rig_append(r, MSG_TASK_RECORDS, 1, 500);

		if (room == SPOOL_CAP)
			spool_ack(r->spool, r->last - 1);
		assert_true(room == SPOOL_TAKEN || rig_append(r, MSG_TASK_RECORDS, 1, 500) == 0);
	}
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_appended_is_read),
		cmocka_unit_test(only_numbered_frames_in_order_are_taken),
		cmocka_unit_test(a_full_one_waits_for_acknowledgement),
		cmocka_unit_test(acknowledged_segments_go_but_the_last),
		cmocka_unit_test(what_was_acknowledged_never_fills_it),
		cmocka_unit_test(a_frame_above_the_cap_goes_alone),
		cmocka_unit_test(a_full_disk_is_told_and_goes_over),
		cmocka_unit_test(dropping_says_exactly_what_is_missing),
		cmocka_unit_test(dropping_under_a_reader),
		cmocka_unit_test(limits_have_defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
