/* daemon/results*.c: memory as a cache over the store. */
#include "results_store_rig.h"

/* --- the cache ------------------------------------------------------------------------------ */

static void test_over_the_share(void **state)
{
	struct fixture *f = *state;
	struct results_rows rows;
	uint64_t from = 1, first;
	size_t count;

	f->budget.share = 1u << 20;
	for (int i = 0; i < 200; i++) {
		add_frame(f->results, 60000);
		assert_true(results_used(f->results) <= f->budget.share + 100000);
	}
	assert_false(f->held);
	/* A reader at the front finds much in memory, */
	assert_true(results_is_ready(f->results, ALL, &from));
	/* and all else comes back. */
	for (;;) {
		while (!results_is_ready(f->results, ALL, &from)) {
			assert_int_equal(results_peek(f->results, ALL, from, &rows, &first), 0);
			rig_answer(&f->store, 0);
		}
		count = results_peek(f->results, ALL, from, &rows, &first);
		if (!count)
			break;
		assert_int_equal(first, from);
		assert_true(results_used(f->results) <= f->budget.share + 100000);
		from = first + count;
		results_ack(f->results, ALL, from - 1);
	}
	assert_int_equal(from, 201);
	assert_true(f->loaded > 0);
	assert_int_equal(rig_kept(&f->store), 0);
	answer_all(f);
}

/* While one chunk is looked at the next is read. */
static void test_read_ahead(void **state)
{
	struct fixture *f = *state;
	struct results_rows rows;
	uint64_t from = 1, first;

	for (int i = 0; i < 20; i++)
		add_frame(f->results, 1000);
	drop_all(f);
	assert_false(results_is_ready(f->results, ALL, &from));
	answer_all(f);
	assert_int_equal(f->loaded, 1);
	assert_int_equal(results_peek(f->results, ALL, 1, &rows, &first), 1);
	for (from = 2; from <= 4; from++)
		assert_true(results_is_ready(f->results, ALL, &from));
	from = 15;
	assert_false(results_is_ready(f->results, ALL, &from));
	answer_all(f);
	assert_int_equal(f->loaded, 2);
}

/* The memory is that of all: who has no store gets what others could have from the disk. */
static void test_budget_is_shared(void **state)
{
	struct fixture *f = *state, alone = {0};

	f->budget.limit = 1u << 20;
	for (int i = 0; i < 15; i++)
		add_frame(f->results, 60000);
	alone.results = results_new(
		&(struct results_spec){.budget = &f->budget, .hold = on_hold, .arg = &alone});
	for (int i = 0; i < 10; i++)
		add_frame(alone.results, 60000);
	assert_false(alone.held);
	assert_true(f->budget.used < f->budget.limit);
	while (!alone.held && results_last_seq(alone.results) < 100)
		add_frame(alone.results, 60000);
	assert_true(alone.held);
	/* All of ours has gone to the disk by then, and can still be read. */
	assert_true(results_used(f->results) < 3000);
	for (uint64_t from = 1; from <= 15; from++) {
		struct results_rows rows;
		uint64_t first;

		while (!results_is_ready(f->results, ALL, &from))
			rig_answer(&f->store, 0);
		assert_int_equal(results_peek(f->results, ALL, from, &rows, &first), 1);
		assert_int_equal(first, from);
	}
	results_free(alone.results);
}

static void test_many_readers(void **state)
{
	struct fixture *f = *state;
	struct results *many[200];
	size_t ready = 0;

	for (uint64_t i = 0; i < 200; i++) {
		many[i] = make(f, f, 100 + i);
		add_frame(many[i], 100);
	}
	drop_all(f);
	for (size_t i = 0; i < 200; i++) {
		uint64_t from = 1;

		assert_false(results_is_ready(many[i], ALL, &from));
	}
	answer_all(f);
	assert_int_equal(f->loaded, 200);
	assert_true(f->store.most_reads > 1 && f->store.most_reads <= 32);
	for (size_t i = 0; i < 200; i++) {
		uint64_t from = 1;

		ready += results_is_ready(many[i], ALL, &from);
	}
	assert_int_equal(ready, 200);
	for (size_t i = 0; i < 200; i++)
		results_free(many[i]);
}

/* Results go while they are read, or wait for their turn: the others are read all the same. */
static void test_free_while_reading(void **state)
{
	struct fixture *f = *state;
	struct results *many[100];

	for (uint64_t i = 0; i < 100; i++) {
		many[i] = make(f, f, 100 + i);
		add_frame(many[i], 100);
	}
	drop_all(f);
	for (size_t i = 0; i < 100; i++) {
		uint64_t from = 1;

		assert_false(results_is_ready(many[i], ALL, &from));
	}
	for (size_t i = 0; i < 100; i += 2)
		results_free(many[i]);
	answer_all(f);
	assert_int_equal(f->loaded, 50);
	for (size_t i = 1; i < 100; i += 2)
		results_free(many[i]);
}

/* A chunk goes, by another reader, while one waits for it: who waits is told. */
static void test_ack_while_reading(void **state)
{
	struct fixture *f = *state;
	uint64_t from = 1;

	add_frame(f->results, 100);
	add_frame(f->results, 100);
	drop_all(f);
	assert_false(results_is_ready(f->results, ALL, &from));
	results_ack(f->results, ALL, 1);
	assert_true(f->store.frames[0].released);
	answer_all(f);
	assert_int_equal(f->loaded, 1);
	assert_false(results_is_ready(f->results, ALL, &from));
	answer_all(f);
	assert_true(results_is_ready(f->results, ALL, &from));
}

/* However small the memory is, two readers at different places come to their ends. */
static void test_no_memory_at_all(void **state)
{
	struct fixture *f = *state;
	uint64_t at[2] = {1, 20}, end[2] = {41, 41};
	struct results_rows rows;
	uint64_t first;
	int rounds = 0;

	f->budget.limit = f->budget.share = 0;
	for (int i = 0; i < 40; i++)
		add_frame(f->results, 1000);
	while (at[0] < end[0] || at[1] < end[1]) {
		assert_true(rounds++ < 1000);
		for (size_t i = 0; i < 2; i++)
			if (at[i] < end[i] && results_is_ready(f->results, ALL, &at[i]))
				at[i] += results_peek(f->results, ALL, at[i], &rows, &first);
		if (f->store.read_count)
			rig_answer(&f->store, 0);
	}
	answer_all(f);
}

/* --- memory --------------------------------------------------------------------------------- */

/* 100 records each at rest, in two frames: what stays in memory once the rows are dropped. */
static void test_memory_at_rest(void **state)
{
	struct fixture *f = *state;
	struct results **many = xcalloc(2000, sizeof(struct results *));

	for (uint64_t i = 0; i < 2000; i++) {
		many[i] = make(f, f, 100 + i);
		for (int k = 0; k < 100; k++) {
			add(many[i], STREAM_OUTPUT, "a short line");
			if (k % 50 == 49)
				results_flush(many[i], 1);
		}
		results_close(many[i]);
	}
	drop_all(f);
	assert_true(f->budget.used / 2000 < 200);
	for (size_t i = 0; i < 2000; i++)
		results_free(many[i]);
	free(many);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_over_the_share),     TEST(test_read_ahead),
		TEST(test_budget_is_shared),   TEST(test_many_readers),
		TEST(test_free_while_reading), TEST(test_ack_while_reading),
		TEST(test_no_memory_at_all),   TEST(test_memory_at_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
