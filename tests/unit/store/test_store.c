/* What is put is there again, what is removed is not, and segments come and go. */
#include "store_rig.h"

#define KIB 1024u
#define MIB (1024u * KIB)

static void test_round_trip(void **state)
{
	struct rig *rig = *state;
	struct store_place a, b;
	struct store_child child = {.id = 2,
				    .uuid = {9},
				    .step = 5,
				    .cause = 6,
				    .flags = UINT64_MAX,
				    .exit_code = -1,
				    .signal = "TERM",
				    .text = "why",
				    .begin_ns = 11,
				    .end_ns = 12,
				    .read = {1, 2, 3, 4, 5, 6, UINT64_MAX}};

	rig_open(rig);
	assert_int_equal(store_generation(rig->store), 1);
	assert_null(store_note(rig->store));
	rig_put_job(rig, 1, 2);
	store_put_value(rig->store, "gone", "x", 1);
	store_put_value(rig->store, "session", "old", 3);
	store_put_value(rig->store, "session", "blob", 4);
	store_put_value(rig->store, "gone", NULL, 0);
	a = rig_append(rig, 2, 1, 10, 100);
	store_put_note(rig->store, 1, 7, 2, 3, "note", 4);
	b = rig_append(rig, 3, 1, 1, 0);
	store_update_child(rig->store, &(struct store_child){.id = 3, .step = 4});
	store_update_child(rig->store, &child);
	store_update_job(rig->store,
			 &(struct store_job){.id = 1, .begin_ns = 20, .end_ns = 21, .wish = 22});
	rig_durable(rig);
	assert_int_equal(store_pending(rig->store), 0);

	rig_reopen(rig);
	assert_int_equal(store_generation(rig->store), 2);
	assert_int_equal(rig->jobs, 1);
	assert_int_equal(rig->job[0].id, 1);
	assert_int_equal(rig->job[0].uuid[1], 1);
	assert_int_equal(rig->job[0].begin_ns, 20);
	assert_int_equal(rig->job[0].end_ns, 21);
	assert_int_equal(rig->job[0].wish, 22);
	assert_int_equal(rig->job[0].spec_len, 4);
	assert_int_equal(rig->children, 2);
	assert_int_equal(rig->child.step, 4);
	assert_null(rig->child.signal);
	assert_string_equal(rig->value, "session=blob");
	assert_int_equal(rig->values, 1);
	assert_string_equal(rig->order, "jvfnf");
	assert_int_equal(rig->note_bytes, 4);
	assert_int_equal(rig->note_sum, 7 + 'e');
	assert_int_equal(rig->frame[0].count, 10);
	assert_memory_equal(&rig->frame[0].place, &a, sizeof a);
	assert_memory_equal(&rig->frame[1].place, &b, sizeof b);
	rig_expect(rig, a, 2, 1);
	rig_expect(rig, b, 3, 1);
	assert_true(rig->last_id >= 3);
}

static void test_child_comes_back_whole(void **state)
{
	struct rig *rig = *state;
	struct store_child child = {.id = 2,
				    .uuid = {9, 8},
				    .step = 5,
				    .cause = 6,
				    .flags = UINT64_MAX,
				    .exit_code = -1,
				    .signal = "TERM",
				    .text = "why",
				    .begin_ns = 11,
				    .end_ns = 12,
				    .read = {1, 2, 3, 4, 5, 6, UINT64_MAX}};

	rig_open(rig);
	rig_put_job(rig, 1, 1);
	store_update_child(rig->store, &child);
	rig_reopen(rig);
	assert_non_null(rig->child.signal);
	assert_non_null(rig->child.text);
	child.signal = rig->child.signal;
	child.text = rig->child.text;
	assert_memory_equal(child.uuid, rig->child.uuid, sizeof child.uuid);
	assert_memory_equal(child.read, rig->child.read, sizeof child.read);
	assert_int_equal(rig->child.flags, UINT64_MAX);
	assert_int_equal(rig->child.exit_code, -1);
	assert_int_equal(rig->child.cause, 6);
	assert_int_equal(rig->child.begin_ns, 11);
	assert_int_equal(rig->child.end_ns, 12);
}

/* Without a wait for anything to be durable. */
static void test_read_before_it_is_durable(void **state)
{
	struct rig *rig = *state;
	struct store_place places[64];

	rig_open(rig);
	rig_put_job(rig, 1, 1);
	for (uint64_t i = 0; i < 64; i++)
		places[i] = rig_append(rig, 2, 1 + i, 1, 64 * KIB);
	for (uint64_t i = 64; i--;)
		rig_expect(rig, places[i], 2, 1 + i);
	rig_durable(rig);
	for (uint64_t i = 0; i < 64; i++)
		rig_expect(rig, places[i], 2, 1 + i);
}

static void on_never(void *arg, int rc, const struct store_frame *frame)
{
	(void)arg;
	(void)rc;
	(void)frame;
	fail_msg("what was cancelled came");
}

static void test_read_cancel(void **state)
{
	struct rig *rig = *state;
	struct store_place place;

	rig_open(rig);
	rig_put_job(rig, 1, 1);
	place = rig_append(rig, 2, 1, 1, 10);
	for (int i = 0; i < 20; i++)
		store_read_cancel(store_read(rig->store, place, on_never, rig));
	rig_expect(rig, place, 2, 1);
	/* And what is not there, and what is closed meanwhile. */
	place.segment = 4711;
	assert_int_equal(rig_read(rig, place), ERR_NOTFOUND);
	(void)store_read(rig->store, place, on_never, rig);
	rig_close(rig);
}

static void test_closing_writes_all(void **state)
{
	struct rig *rig = *state;

	rig_open(rig);
	rig_put_job(rig, 1, 1);
	for (uint64_t i = 0; i < 100; i++)
		(void)rig_append(rig, 2, 1 + i, 1, 10 * KIB);
	rig_reopen(rig);
	assert_int_equal(rig->frames, 100);
	for (uint64_t i = 0; i < 100; i++)
		assert_int_equal(rig->frame[i].first, 1 + i);
}

static void test_waits_come_in_order_and_not_after_closing(void **state)
{
	struct rig *rig = *state;

	rig_open(rig);
	rig_durable(rig);
	rig_durable(rig);
	rig->done = false;
	store_when_durable(rig->store, rig_on_done, rig);
	rig_close(rig);
	assert_false(rig->done);
}

static void test_ids_are_reserved(void **state)
{
	struct rig *rig = *state;

	rig_open(rig);
	assert_int_equal(rig->last_id, 0);
	store_reserve_ids(rig->store, 1000);
	store_reserve_ids(rig->store, 500);
	rig_reopen(rig);
	assert_int_equal(rig->last_id, 1000);
	rig_put_job(rig, 2000, 5);
	rig_reopen(rig);
	assert_int_equal(rig->last_id, 2005);
	store_remove_job(rig->store, 2000);
	rig_reopen(rig);
	assert_int_equal(rig->last_id, 2005);
}

/* 100,000 children and a long text: more than one entry can hold. */
static void test_a_job_larger_than_a_frame(void **state)
{
	struct rig *rig = *state;
	uint64_t count = 100000;
	struct store_child *children = xcalloc(count, sizeof *children);
	char *spec = xcalloc(1, 3 * MIB);
	char *db;

	for (uint64_t i = 0; i < count; i++) {
		children[i].id = 2 + i;
		children[i].uuid[3] = (uint8_t)i;
	}
	spec[3 * MIB - 1] = 'x';
	rig_open(rig);
	store_put_job(rig->store,
		      &(struct store_job){
			      .id = 1, .child_count = count, .spec = spec, .spec_len = 3 * MIB},
		      children);
	rig_reopen(rig);
	assert_int_equal(rig->children, count);
	assert_int_equal(rig->job[0].spec_len, 3 * MIB);
	/* From the log alone. */
	rig_close(rig);
	db = rig_file(rig, "jobs.db");
	assert_int_equal(unlink(db), 0);
	rig_open(rig);
	assert_int_equal(rig->children, count);
	assert_int_equal(rig->job[0].spec_len, 3 * MIB);
	assert_int_equal(rig->child.uuid[3], (uint8_t)(count - 1));
	assert_non_null(store_note(rig->store));
	free(db);
	free(spec);
	free(children);
}

/* --- segments ------------------------------------------------------------------------------- */

static void test_released_segments_go(void **state)
{
	struct rig *rig = *state;
	struct store_place places[40];

	rig->options.segment_size = MIB;
	rig_open(rig);
	rig_put_job(rig, 1, 1);
	rig_durable(rig);
	for (uint64_t i = 0; i < 40; i++)
		places[i] = rig_append(rig, 2, 1 + i, 1, 100 * KIB);
	rig_durable(rig);
	assert_true(rig_has_segment(rig, 1) && rig_has_segment(rig, 2) && rig_has_segment(rig, 3));
	assert_true(store_size(rig->store) > 3 * MIB);
	for (uint64_t i = 39; i--;)
		store_release(rig->store, places[i]);
	rig_durable(rig);
	/* The first has the job. It is moved, if it is worth it. */
	assert_false(rig_has_segment(rig, 2));
	assert_false(rig_has_segment(rig, 3));
	rig_expect(rig, places[39], 2, 40);
	assert_true(store_size(rig->store) < 3 * MIB);
	rig_reopen(rig);
	assert_int_equal(rig->jobs, 1);
	assert_int_equal(rig->frame[rig->frames - 1].first, 40);
}

static void test_releasing_twice_keeps_others(void **state)
{
	struct rig *rig = *state;
	struct store_place a, b;

	rig->options.segment_size = MIB;
	rig_open(rig);
	rig_put_job(rig, 1, 2);
	a = rig_append(rig, 2, 1, 1, 10);
	b = rig_append(rig, 3, 1, 1, 10);
	for (uint64_t i = 0; i < 20; i++)
		(void)rig_append(rig, 3, 2 + i, 1, 100 * KIB);
	store_release(rig->store, a);
	store_release(rig->store, (struct store_place){0});
	rig_durable(rig);
	rig_expect(rig, b, 3, 1);
}

static void test_removed_jobs_go(void **state)
{
	struct rig *rig = *state;
	struct store_place kept;

	rig->options.segment_size = MIB;
	rig_open(rig);
	rig_put_job(rig, 1, 1);
	for (uint64_t i = 0; i < 30; i++)
		(void)rig_append(rig, 2, 1 + i, 1, 100 * KIB);
	store_put_note(rig->store, 1, 0, 0, 0, "note", 4);
	rig_put_job(rig, 10, 1);
	kept = rig_append(rig, 11, 1, 1, 10);
	rig_durable(rig);
	assert_true(rig_has_segment(rig, 1));
	store_remove_job(rig->store, 1);
	/* What comes late, from those that have not heard of it. */
	store_release(rig->store, rig_append(rig, 2, 99, 1, 10));
	store_update_child(rig->store, &(struct store_child){.id = 2, .step = 9});
	rig_durable(rig);
	assert_false(rig_has_segment(rig, 1));
	assert_false(rig_has_segment(rig, 2));
	rig_expect(rig, kept, 11, 1);
	rig_reopen(rig);
	assert_int_equal(rig->jobs, 1);
	assert_int_equal(rig->job[0].id, 10);
	assert_int_equal(rig->frames, 1);
	assert_int_equal(rig->notes, 0);
}

static void on_loaded_frame(void *arg, const struct store_frame *frame, struct store_place place)
{
	struct rig *rig = arg;

	rig->frames++;
	if (frame->first != 2)
		store_release(rig->store, place);
}

/* As the daemon does: what was read is released as it comes. Others in the same segment stay. */
static void test_releasing_while_loading(void **state)
{
	struct rig *rig = *state;
	static const struct store_loader loader = {.frame = on_loaded_frame};
	struct store_place second = {0};

	rig->options.segment_size = MIB;
	rig_open(rig);
	rig_put_job(rig, 1, 1);
	for (uint64_t i = 0; i < 40; i++) {
		struct store_place place = rig_append(rig, 2, 1 + i, 1, 100 * KIB);

		if (i == 1)
			second = place;
	}
	rig_close(rig);
	assert_int_equal(rig_try(rig), 0);
	rig->frames = 0;
	assert_int_equal(store_load(rig->store, &loader, rig, &rig->last_id, &rig->msg), 0);
	assert_int_equal(rig->frames, 40);
	rig_durable(rig);
	assert_true(rig_has_segment(rig, 1));
	assert_false(rig_has_segment(rig, 2));
	rig_expect(rig, second, 2, 2);
}

/* A note keeps a segment; it is moved to another, and keeps its order. */
static void test_sparse_segments_are_moved(void **state)
{
	struct rig *rig = *state;
	struct store_place place = {0};

	rig->options.segment_size = MIB;
	rig_open(rig);
	rig_put_job(rig, 1, 1);
	store_put_note(rig->store, 1, 1, 0, 0, "first", 5);
	for (uint64_t i = 0; i < 30; i++) {
		struct store_place last = place;

		place = rig_append(rig, 2, 1 + i, 1, 100 * KIB);
		store_release(rig->store, last);
	}
	store_put_note(rig->store, 1, 2, 0, 0, "last", 4);
	while (rig_has_segment(rig, 1))
		rig_durable(rig);
	rig_expect(rig, place, 2, 30);
	rig_reopen(rig);
	assert_int_equal(rig->jobs, 1);
	assert_int_equal(rig->notes, 2);
	/* The note that was first in time comes first, wherever it stands. */
	assert_memory_equal(rig->order, "jn", 2);
	assert_int_equal(rig->note_bytes, 9);
	store_remove_job(rig->store, 1);
	rig_reopen(rig);
	assert_int_equal(rig->jobs, 0);
	assert_int_equal(rig->notes, 0);
}

/* A job that was removed does not come back with the database lost, though a segment has it. */
static void test_removed_jobs_stay_away(void **state)
{
	struct rig *rig = *state;
	char *db = rig_file(rig, "jobs.db");
	struct store_place place = {0};

	rig->options.segment_size = MIB;
	rig_open(rig);
	rig_put_job(rig, 1, 1);
	rig_put_job(rig, 10, 1);
	/* This keeps the first segment. */
	(void)rig_append(rig, 11, 1, 1, 100 * KIB);
	for (uint64_t i = 0; i < 30; i++) {
		store_release(rig->store, place);
		place = rig_append(rig, 11, 2 + i, 1, 100 * KIB);
		if (i == 5)
			store_remove_job(rig->store, 1);
	}
	rig_durable(rig);
	assert_true(rig_has_segment(rig, 1));
	for (int round = 0; round < 3; round++) {
		rig_close(rig);
		assert_int_equal(unlink(db), 0);
		rig_open(rig);
		assert_int_equal(rig->jobs, 1);
		assert_int_equal(rig->job[0].id, 10);
	}
	free(db);
}

static void test_many_restarts(void **state)
{
	struct rig *rig = *state;

	for (uint64_t i = 0; i < 30; i++) {
		rig_open(rig);
		assert_int_equal(rig->frames, i ? i : 0);
		assert_int_equal(store_generation(rig->store), i + 1);
		if (!i)
			rig_put_job(rig, 1, 1);
		(void)rig_append(rig, 2, 1 + i, 1, 10);
		rig_close(rig);
	}
	assert_int_equal(rig_count_names(rig, "frames", ".seg"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)
		TEST(test_round_trip),
		TEST(test_child_comes_back_whole),
		TEST(test_read_before_it_is_durable),
		TEST(test_read_cancel),
		TEST(test_closing_writes_all),
		TEST(test_waits_come_in_order_and_not_after_closing),
		TEST(test_ids_are_reserved),
		TEST(test_a_job_larger_than_a_frame),
		TEST(test_released_segments_go),
		TEST(test_releasing_twice_keeps_others),
		TEST(test_removed_jobs_go),
		TEST(test_releasing_while_loading),
		TEST(test_sparse_segments_are_moved),
		TEST(test_removed_jobs_stay_away),
		TEST(test_many_restarts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
