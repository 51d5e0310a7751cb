/* daemon/results*.c: what comes back of the store after a restart, and what is damaged there. */
#include "results_store_rig.h"

/* --- coming back ---------------------------------------------------------------------------- */

static void test_restart(void **state)
{
	struct fixture *f = *state;

	add(f->results, STREAM_OUTPUT, "a");
	add(f->results, STREAM_ERROR, "b");
	add(f->results, STREAM_OUTPUT, "c");
	results_flush(f->results, 1);
	add(f->results, STREAM_OUTPUT, "d");
	results_flush(f->results, 2);
	results_ack(f->results, BIT(STREAM_OUTPUT), 1);
	results_mark(f->results);
	restart(f);
	assert_int_equal(results_last_seq(f->results), 4);
	/* Which one of the first two was read is only known when they are here. */
	assert_int_equal(results_unread(f->results), 4);
	assert_comes(f, ALL, 1, "2:b 3:c 4:d");
	assert_int_equal(results_unread(f->results), 3);
	add(f->results, STREAM_OUTPUT, "e");
	results_flush(f->results, 3);
	assert_comes(f, BIT(STREAM_OUTPUT), 1, "3:c 4:d 5:e");
	results_ack(f->results, ALL, 4);
	restart(f);
	assert_comes(f, ALL, 0, "5:e");
	assert_int_equal(rig_kept(&f->store), 1);
	answer_all(f);
}

/* All was read and is gone: its numbers do not come again. */
static void test_restart_of_nothing(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 10; i++)
		add_frame(f->results, 10);
	results_ack(f->results, ALL, 10);
	assert_int_equal(rig_kept(&f->store), 0);
	restart(f);
	assert_int_equal(results_last_seq(f->results), 10);
	assert_int_equal(results_unread(f->results), 0);
	assert_int_equal(results_used(f->results), 0);
	add(f->results, STREAM_ERROR, "x");
	results_flush(f->results, 0);
	assert_comes(f, ALL, 1, "11:x");
}

/* Frames whose release did not come through: they are read, and released now. */
static void test_restart_releases(void **state)
{
	struct fixture *f = *state;

	add_frame(f->results, 10);
	add_frame(f->results, 10);
	add_frame(f->results, 10);
	f->marks[STREAM_OUTPUT] = 2;
	restart(f);
	assert_true(f->store.frames[0].released && f->store.frames[1].released);
	assert_int_equal(results_unread(f->results), 1);
	answer_all(f);
}

static void test_restart_in_a_line(void **state)
{
	struct fixture *f = *state;

	add(f->results, STREAM_OUTPUT, "a");
	add_flags(f->results, STREAM_OUTPUT, RECORD_CONTINUES, "b");
	add(f->results, STREAM_ERROR, "c");
	results_flush(f->results, 1);
	restart(f);
	assert_comes(f, ALL, 1, "1:a,b 3:c");
	assert_int_equal(results_open_seq(f->results, ALL), 2);
	assert_true(results_open_seq(f->results, BIT(STREAM_ERROR)) == UINT64_MAX);
	add(f->results, STREAM_OUTPUT, "d");
	assert_true(results_open_seq(f->results, ALL) == UINT64_MAX);
	results_flush(f->results, 2);
}

/* What no frame of ours can be is passed over. */
static void test_restore_nonsense(void **state)
{
	struct fixture *f = *state;
	struct store_frame good = {.child = 9, .first = 5, .count = 2, .streams = {2}}, bad = good;

	results_restore(f->results, &good, rig_place(0));
	results_restore(f->results, &good, rig_place(0));
	bad.first = 6;
	results_restore(f->results, &bad, rig_place(0));
	bad = (struct store_frame){.child = 9, .first = 9, .count = 3, .streams = {2}};
	results_restore(f->results, &bad, rig_place(0));
	bad = (struct store_frame){
		.child = 9, .first = 9, .count = RECORDS_MAX + 1, .streams = {RECORDS_MAX + 1}};
	results_restore(f->results, &bad, rig_place(0));
	bad = (struct store_frame){.child = 9, .first = UINT64_MAX, .count = 1, .streams = {1}};
	results_restore(f->results, &bad, rig_place(0));
	bad = (struct store_frame){.child = 9, .first = 9};
	results_restore(f->results, &bad, rig_place(0));
	results_restore_read(f->results, f->marks);
	assert_int_equal(results_unread(f->results), 2);
	assert_int_equal(results_last_seq(f->results), 6);
}

/* Frames that the store has no more: it is said how many of their records nobody has read, where
 * they stood, until that is read. */
static void test_case_24_restart_with_a_hole(void **state)
{
	struct fixture *f = *state;

	add(f->results, STREAM_OUTPUT, "a");
	results_flush(f->results, 1);
	for (int i = 0; i < 9; i++)
		add(f->results, STREAM_OUTPUT, "b");
	results_flush(f->results, 2);
	add(f->results, STREAM_OUTPUT, "c");
	results_flush(f->results, 3);
	f->store.damage = (struct store_damage){.segments = 1, .bytes = 100};
	f->store.frames[1].released = true; /* and so not given again */
	for (int round = 0; round < 2; round++) {
		restart(f);
		assert_int_equal(results_last_seq(f->results), 11);
		assert_int_equal(results_unread(f->results), 3);
		assert_comes(f, ALL, 1,
			     "1:a 2:9 records are missing here: the store of this computer was "
			     "damaged 11:c");
		f->marks[STREAM_OUTPUT] = 0;
	}
	/* Some of it was read. */
	f->marks[STREAM_OUTPUT] = 4;
	restart(f);
	assert_comes(f, ALL, 1,
		     "2:6 records are missing here: the store of this computer was damaged 11:c");
	/* It was read that it is missing; or it was read before. */
	f->marks[STREAM_WARNING] = 2;
	restart(f);
	assert_comes(f, ALL, 1, "11:c");
	assert_int_equal(results_unread(f->results), 1);
	answer_all(f);
}

/* Without damage a hole is what was read, and has gone. */
static void test_restart_with_a_hole_of_no_damage(void **state)
{
	struct fixture *f = *state;

	add(f->results, STREAM_OUTPUT, "a");
	results_flush(f->results, 1);
	add(f->results, STREAM_OUTPUT, "b");
	results_flush(f->results, 2);
	f->store.frames[0].released = true;
	restart(f);
	assert_comes(f, ALL, 1, "2:b");
	answer_all(f);
}

/* --- damage --------------------------------------------------------------------------------- */

static void lose(struct fixture *f, int rc, const char *text)
{
	struct results_rows rows;
	struct record record = {0};
	uint64_t from = 2, first;

	add(f->results, STREAM_OUTPUT, "a");
	results_flush(f->results, 1);
	add(f->results, STREAM_OUTPUT, "b");
	add(f->results, STREAM_ERROR, "c");
	results_flush(f->results, 2);
	add(f->results, STREAM_OUTPUT, "d");
	results_close(f->results);
	drop_all(f);
	f->store.frames[1].broken = rc;
	while (!results_is_ready(f->results, ALL, &from))
		rig_answer(&f->store, 0);
	assert_int_equal(results_peek(f->results, ALL, from, &rows, &first), 1);
	assert_int_equal(first, 4);
	assert_int_equal(results_unread(f->results), 3);
	from = 5;
	while (!results_is_ready(f->results, BIT(STREAM_WARNING), &from))
		rig_answer(&f->store, 0);
	assert_int_equal(results_peek(f->results, BIT(STREAM_WARNING), from, &rows, &first), 1);
	assert_true(record_row_get(rows.data, rows.len, &record) > 0);
	assert_int_equal(record.len, strlen(text));
	assert_memory_equal(record.value, text, record.len);
	/* The warning is stored as everything is. */
	assert_int_equal(f->store.frames[f->store.count - 1].frame.streams[STREAM_WARNING], 1);
	answer_all(f);
}

static void test_damaged(void **state)
{
	struct fixture *f = *state;

	lose(f, ERR_PROTO,
	     "2 records, of those from 2 to 3, cannot be read from the store: they are damaged, "
	     "and lost");
	assert_true(f->store.frames[1].released);
}

static void test_unreadable(void **state)
{
	struct fixture *f = *state;

	lose(f, ERR_SYS,
	     "2 records, of those from 2 to 3, cannot be read from the store: reading has failed");
	assert_false(f->store.frames[1].released);
}

/* A frame that reads well and is not ours, or not what it was. */
static void test_wrong_frame(void **state)
{
	struct fixture *f = *state;
	uint64_t from = 1;

	for (int i = 0; i < 6; i++) {
		add(f->results, STREAM_OUTPUT, "a");
		add(f->results, STREAM_OUTPUT, "b");
		results_flush(f->results, 1);
	}
	drop_all(f);
	f->store.frames[0].frame.child++;
	f->store.frames[1].frame.first++;
	f->store.frames[2].frame.count++;
	f->store.frames[3].frame.len--;
	((uint8_t *)(uintptr_t)f->store.frames[4].frame.rows)[1] = STREAM_ERROR;
	while (!results_is_ready(f->results, BIT(STREAM_OUTPUT), &from))
		rig_answer(&f->store, 0);
	assert_comes(f, BIT(STREAM_OUTPUT), from, "11:a,b");
	assert_int_equal(results_unread(f->results), 2 + 5);
	answer_all(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_restart),
		TEST(test_restart_of_nothing),
		TEST(test_restart_releases),
		TEST(test_restart_in_a_line),
		TEST(test_restore_nonsense),
		TEST(test_damaged),
		TEST(test_case_24_restart_with_a_hole),
		TEST(test_restart_with_a_hole_of_no_damage),
		TEST(test_unreadable),
		TEST(test_wrong_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
