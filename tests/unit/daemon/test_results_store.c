/* daemon/results*.c over a store: what goes there, and waiting for it. */
#include "results_store_rig.h"

/* --- storing -------------------------------------------------------------------------------- */

static void test_flush(void **state)
{
	struct fixture *f = *state;
	const struct store_frame *frame;

	results_flush(f->results, 1);
	assert_int_equal(f->store.count, 0);
	add(f->results, STREAM_OUTPUT, "a");
	add(f->results, STREAM_ERROR, "b");
	add(f->results, STREAM_OUTPUT, "c");
	assert_int_equal(f->store.count, 0);
	results_flush(f->results, 77);
	results_flush(f->results, 78);
	assert_int_equal(f->store.count, 1);
	frame = &f->store.frames[0].frame;
	assert_int_equal(frame->child, 9);
	assert_int_equal(frame->first, 1);
	assert_int_equal(frame->count, 3);
	assert_int_equal(frame->remote_seq, 77);
	assert_int_equal(frame->streams[STREAM_OUTPUT], 2);
	assert_int_equal(frame->streams[STREAM_ERROR], 1);
	add(f->results, STREAM_OUTPUT, "d");
	results_close(f->results);
	assert_int_equal(f->store.count, 2);
	assert_int_equal(f->store.frames[1].frame.first, 4);
	assert_comes(f, ALL, 1, "1:a 2:b 3:c 4:d");
	assert_true(results_is_stored(f->results));
}

/* What an agent sends in one frame is stored in one, with its number; it is read in pieces. */
static void test_large_frame(void **state)
{
	struct fixture *f = *state;
	struct results_rows rows;
	uint64_t first, from = 1;
	char line[101] = "";
	size_t count, bytes = 0;

	memset(line, 'y', 100);
	for (; bytes < LIMIT_RECORDS_BATCH; bytes += 100)
		add(f->results, STREAM_OUTPUT, line);
	results_flush(f->results, 5);
	assert_int_equal(f->store.count, 1);
	assert_true(f->store.frames[0].frame.len > LIMIT_RECORDS_BATCH);
	for (; (count = results_peek(f->results, ALL, from, &rows, &first)) > 0; from += count) {
		assert_int_equal(first, from);
		assert_true(rows.len <= LIMIT_RECORDS_BATCH);
		assert_int_equal(record_rows_skip(rows.data, rows.len, count), rows.len);
	}
	assert_int_equal(from, results_last_seq(f->results) + 1);
}

/* More than that is several, none too large for a frame. */
static void test_endless_frame(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 40; i++) {
		uint8_t *value = xcalloc(1, LIMIT_TYPED_VALUE);

		results_add(f->results,
			    &(struct record){.time_ns = 1,
					     .value = value,
					     .len = i % 3 ? LIMIT_RECORD_VALUE : LIMIT_TYPED_VALUE,
					     .is_typed = i % 3 == 0,
					     .nodes = LIMIT_TYPED_VALUE});
		free(value);
	}
	results_flush(f->results, 1);
	assert_true(f->store.count > 10);
	for (size_t i = 0; i < f->store.count; i++)
		assert_true(f->store.frames[i].frame.len < LIMIT_FRAME_BODY - 256);
}

/* What was read before it was stored is stored all the same: its number must be known. */
static void test_read_before_flush(void **state)
{
	struct fixture *f = *state;

	add(f->results, STREAM_OUTPUT, "a");
	results_ack(f->results, ALL, 1);
	assert_int_equal(results_unread(f->results), 0);
	results_flush(f->results, 3);
	assert_int_equal(f->store.count, 1);
	assert_int_equal(f->store.frames[0].frame.remote_seq, 3);
	assert_true(f->store.frames[0].released);
	assert_int_equal(results_used(f->results), 0);
	add(f->results, STREAM_OUTPUT, "b");
	assert_comes(f, ALL, 1, "2:b");
}

static void test_release(void **state)
{
	struct fixture *f = *state;

	add(f->results, STREAM_OUTPUT, "a");
	add(f->results, STREAM_ERROR, "b");
	results_flush(f->results, 1);
	add(f->results, STREAM_ERROR, "c");
	results_flush(f->results, 2);
	add(f->results, STREAM_OUTPUT, "d");
	results_flush(f->results, 3);
	results_ack(f->results, BIT(STREAM_ERROR), 3);
	assert_false(f->store.frames[0].released);
	assert_true(f->store.frames[1].released);
	/* The store was told what is read before it was told to let go. */
	assert_int_equal(f->marked, 1);
	assert_int_equal(f->kept_at_mark, 3);
	assert_int_equal(f->marks[STREAM_ERROR], 3);
	assert_int_equal(f->marks[STREAM_OUTPUT], 0);
	assert_comes(f, ALL, 1, "1:a 4:d");
	results_ack(f->results, ALL, 4);
	assert_int_equal(rig_kept(&f->store), 0);
	assert_int_equal(f->marks[STREAM_OUTPUT], 4);
	assert_int_equal(results_used(f->results), 0);
}

/* Within a chunk marked waits for somebody who needs it. */
static void test_mark(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 5; i++)
		add(f->results, STREAM_OUTPUT, "a");
	results_flush(f->results, 1);
	results_mark(f->results);
	assert_int_equal(f->marked, 0);
	results_ack(f->results, ALL, 2);
	assert_int_equal(f->marked, 0);
	results_mark(f->results);
	results_mark(f->results);
	assert_int_equal(f->marked, 1);
	assert_int_equal(f->marks[STREAM_OUTPUT], 2);
	/* Adding changes nothing of it. */
	add(f->results, STREAM_ERROR, "b");
	results_flush(f->results, 2);
	results_read(f->results, f->marks);
	assert_int_equal(f->marks[STREAM_OUTPUT], 2);
	assert_int_equal(f->marks[STREAM_ERROR], 0);
}

/* --- the store's queue ---------------------------------------------------------------------- */

static void test_held_by_the_queue(void **state)
{
	struct fixture *f = *state, other = {0};

	other.results = make(f, &other, 10);
	f->store.pending = LIMIT_STORE_QUEUE - 1;
	add_frame(f->results, 10);
	assert_false(f->held);
	f->store.pending = LIMIT_STORE_QUEUE;
	add(f->results, STREAM_OUTPUT, "more");
	assert_false(f->held);
	results_flush(f->results, 0);
	assert_true(f->held);
	assert_false(other.held);
	add_frame(other.results, 10);
	assert_true(other.held);
	assert_int_equal(f->store.wait_count, 1);
	/* Reading makes no room there. */
	results_ack(f->results, ALL, UINT64_MAX);
	assert_true(f->held);
	f->store.pending = LIMIT_STORE_QUEUE / 2;
	rig_sync(&f->store);
	assert_true(f->held);
	assert_int_equal(f->store.wait_count, 1);
	f->store.pending--;
	rig_sync(&f->store);
	assert_false(f->held);
	assert_false(other.held);
	assert_int_equal(f->store.wait_count, 0);
	results_free(other.results);
}

static void test_free_while_held(void **state)
{
	struct fixture *f = *state, gone = {0}, ended = {0};

	gone.results = make(f, &gone, 10);
	ended.results = make(f, &ended, 11);
	f->store.pending = LIMIT_STORE_QUEUE;
	add_frame(gone.results, 10);
	add_frame(ended.results, 10);
	assert_true(gone.held && ended.held);
	results_free(gone.results);
	results_close(ended.results);
	f->store.pending = 0;
	rig_sync(&f->store);
	assert_true(ended.held);
	add_frame(f->results, 10);
	assert_false(f->held);
	results_free(ended.results);
}

struct waiter {
	struct results_wait wait;
	unsigned told;
	bool durable;
};

static void on_durable(void *arg, bool durable)
{
	struct waiter *w = arg;

	w->told++;
	w->durable = durable;
}

static void test_waits(void **state)
{
	struct fixture *f = *state;
	struct results_waits *waits = &f->budget.waits;
	struct waiter w[4] = {0};

	for (size_t i = 0; i < 4; i++)
		w[i].wait = (struct results_wait){.fn = on_durable, .arg = &w[i]};
	assert_true(results_wait(waits, &f->store, &w[0].wait));
	assert_true(results_wait(waits, &f->store, &w[1].wait));
	results_unwait(waits, &w[0].wait);
	results_unwait(waits, &w[0].wait);
	rig_sync(&f->store);
	assert_int_equal(w[0].told, 0);
	assert_true(w[1].told == 1 && w[1].durable);
	/* Who came later is not told by an answer to who was before. */
	assert_true(results_wait(waits, &f->store, &w[0].wait));
	assert_true(results_wait(waits, &f->store, &w[2].wait));
	f->store.wait_count = 1;
	rig_sync(&f->store);
	assert_true(w[0].told == 1 && !w[2].told);
	assert_true(results_wait(waits, &f->store, &w[3].wait));
	results_waits_fail(waits);
	assert_true(w[2].told == 1 && !w[2].durable);
	assert_true(w[3].told == 1 && !w[3].durable);
	assert_false(results_wait(waits, &f->store, &w[1].wait));
	assert_int_equal(w[1].told, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_flush),
		TEST(test_large_frame),
		TEST(test_endless_frame),
		TEST(test_read_before_flush),
		TEST(test_release),
		TEST(test_mark),
		TEST(test_held_by_the_queue),
		TEST(test_free_while_held),
		TEST(test_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
