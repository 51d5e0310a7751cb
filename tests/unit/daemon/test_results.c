/* daemon/results.c: order, leases, streams, and holding children back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "limits.h"
#include "results.h"

#define ALL   UINT32_MAX
#define PLAIN (1u << 20) /* a limit that is not in the way */

/* A child with what was told of holding. */
struct fixture {
	struct results_budget budget;
	struct results *results;
	bool held;
	unsigned told;
};

static void on_hold(void *arg, bool hold)
{
	struct fixture *f = arg;

	assert_int_not_equal(f->held, hold);
	f->held = hold;
	f->told++;
}

static struct results *make(struct results_budget *budget, struct fixture *f)
{
	return results_new(&(struct results_spec){.budget = budget, .hold = on_hold, .arg = f});
}

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof *f);

	f->budget.limit = PLAIN;
	f->budget.share = PLAIN;
	f->results = make(&f->budget, f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	results_free(f->results);
	assert_int_equal(f->budget.used, 0);
	free(f);
	return 0;
}

static void add_at(struct results *results, enum record_stream stream, uint64_t time_ns,
		   const char *value)
{
	results_add(results, &(struct record){.stream = stream,
					      .time_ns = time_ns,
					      .value = (const uint8_t *)value,
					      .len = strlen(value)});
}

static void add(struct results *results, enum record_stream stream, const char *value)
{
	add_at(results, stream, 1, value);
}

static void add_size(struct results *results, size_t len)
{
	uint8_t *value = xmalloc(len + 1);

	memset(value, 'x', len);
	results_add(results, &(struct record){.time_ns = 1, .value = value, .len = len});
	free(value);
}

/* The run that peek gives is "FIRST:value,value". */
static void assert_peek(struct results *results, uint32_t streams, uint64_t from,
			const char *wanted)
{
	struct results_rows rows;
	struct record record;
	char text[256] = "";
	uint64_t first;
	size_t count = results_peek(results, streams, from, &rows, &first), len = 0, at = 0;

	if (count)
		len = (size_t)snprintf(text, sizeof text, "%u:", (unsigned)first);
	for (size_t i = 0; i < count; i++) {
		at += record_row_get(rows.data + at, rows.len - at, &record);
		len += (size_t)snprintf(text + len, sizeof text - len, "%s%.*s", i ? "," : "",
					(int)record.len, (const char *)record.value);
	}
	assert_string_equal(text, wanted);
	if (count)
		assert_int_equal(at, rows.len);
}

static void test_empty(void **state)
{
	struct fixture *f = *state;

	assert_peek(f->results, ALL, 0, "");
	assert_int_equal(results_unread(f->results), 0);
	assert_int_equal(results_last_seq(f->results), 0);
	assert_int_equal(results_peek_time(f->results, ALL, 0), 0);
	results_ack(f->results, ALL, UINT64_MAX);
	results_close(f->results);
	assert_peek(f->results, ALL, 0, "");
	assert_int_equal(f->told, 0);
	results_free(NULL);
}

static void test_runs(void **state)
{
	struct fixture *f = *state;

	add(f->results, STREAM_OUTPUT, "a");
	add(f->results, STREAM_OUTPUT, "b");
	add(f->results, STREAM_ERROR, "c");
	add(f->results, STREAM_OUTPUT, "d");
	assert_int_equal(results_unread(f->results), 4);
	assert_int_equal(results_last_seq(f->results), 4);
	assert_peek(f->results, ALL, 0, "1:a,b");
	assert_peek(f->results, ALL, 1, "1:a,b");
	assert_peek(f->results, ALL, 2, "2:b");
	assert_peek(f->results, ALL, 3, "3:c");
	assert_peek(f->results, ALL, 4, "4:d");
	assert_peek(f->results, ALL, 5, "");
	assert_peek(f->results, ALL, UINT64_MAX, "");
	assert_peek(f->results, 0, 0, "");
	assert_peek(f->results, 1u << STREAM_OUTPUT, 3, "4:d");
	assert_peek(f->results, 1u << STREAM_ERROR, 0, "3:c");
	assert_peek(f->results, 1u << STREAM_ERROR, 4, "");
	assert_peek(f->results, 1u << STREAM_PROGRESS, 0, "");
}

static void test_ack_in_the_middle(void **state)
{
	struct fixture *f = *state;

	for (const char *p = "a\0b\0c\0d\0"; *p; p += 2)
		add(f->results, STREAM_OUTPUT, p);
	results_ack(f->results, ALL, 2);
	assert_int_equal(results_unread(f->results), 2);
	assert_peek(f->results, ALL, 0, "3:c,d");
	results_ack(f->results, ALL, 1);
	assert_peek(f->results, ALL, 0, "3:c,d");
	add(f->results, STREAM_OUTPUT, "e");
	assert_peek(f->results, ALL, 4, "4:d,e");
	results_ack(f->results, ALL, 5);
	assert_int_equal(results_unread(f->results), 0);
	assert_int_equal(results_used(f->results), 0);
	add(f->results, STREAM_OUTPUT, "f");
	assert_peek(f->results, ALL, 0, "6:f");
}

static void test_ack_of_one_stream(void **state)
{
	struct fixture *f = *state;

	add(f->results, STREAM_OUTPUT, "a");
	add(f->results, STREAM_ERROR, "b");
	add(f->results, STREAM_WARNING, "c");
	add(f->results, STREAM_OUTPUT, "d");
	results_ack(f->results, 1u << STREAM_OUTPUT | 1u << STREAM_WARNING, 3);
	assert_int_equal(results_unread(f->results), 2);
	assert_peek(f->results, ALL, 0, "2:b");
	assert_peek(f->results, ALL, 3, "4:d");
	results_ack(f->results, 1u << STREAM_ERROR, UINT64_MAX);
	assert_peek(f->results, ALL, 0, "4:d");
	assert_int_equal(results_last_seq(f->results), 4);
}

static void test_times(void **state)
{
	struct fixture *f = *state;

	add_at(f->results, STREAM_OUTPUT, 70, "a");
	add_at(f->results, STREAM_OUTPUT, 80, "b");
	add_at(f->results, STREAM_ERROR, 75, "c");
	add_at(f->results, STREAM_ERROR, 0, "d");
	assert_int_equal(results_peek_time(f->results, ALL, 0), 70);
	assert_int_equal(results_peek_time(f->results, ALL, 2), 80);
	assert_int_equal(results_peek_time(f->results, 1u << STREAM_ERROR, 0), 75);
	assert_int_equal(results_peek_time(f->results, ALL, 4), 1);
	assert_int_equal(results_peek_time(f->results, ALL, 5), 0);
	results_ack(f->results, ALL, 1);
	assert_int_equal(results_peek_time(f->results, ALL, 0), 80);
}

static void test_leases(void **state)
{
	struct fixture *f = *state;
	int one, two;

	add(f->results, STREAM_OUTPUT, "a");
	assert_true(results_lease(f->results, &one));
	assert_true(results_lease(f->results, &one));
	assert_false(results_lease(f->results, &two));
	results_release(f->results, &two);
	assert_false(results_lease(f->results, &two));
	results_release(f->results, &one);
	assert_peek(f->results, ALL, 0, "1:a");
	assert_true(results_lease(f->results, &two));
	assert_false(results_lease(f->results, &one));
}

/* No run is larger than what fits into a message, whatever the records are. */
static void test_chunk_limits(void **state)
{
	static const size_t sizes[] = {0, 1, 20, 1000, LIMIT_RECORD_VALUE - 20, LIMIT_RECORD_VALUE};
	struct fixture *f = *state;
	struct results_rows rows;
	uint64_t from = 1, first;

	f->budget.limit = f->budget.share = SIZE_MAX;
	for (size_t k = 0; k < ARRAY_LEN(sizes); k++)
		for (size_t i = 0; i < (sizes[k] < 1000 ? 20000 : 5); i++)
			add_size(f->results, sizes[k]);
	while (from <= results_last_seq(f->results)) {
		size_t count = results_peek(f->results, ALL, from, &rows, &first);

		assert_int_equal(first, from);
		assert_true(count > 0 && count <= RECORDS_MAX);
		assert_true(count == 1 || rows.len <= LIMIT_RECORDS_BATCH);
		assert_int_equal(record_rows_skip(rows.data, rows.len, count), rows.len);
		from += count;
	}
	assert_int_equal(results_unread(f->results), from - 1);
	results_ack(f->results, ALL, from - 1);
	assert_int_equal(results_used(f->results), 0);
}

/* Typed values of many small objects: what a message may have of them counts, not only bytes. */
static void test_chunk_objects(void **state)
{
	struct fixture *f = *state;
	uint8_t value[3 + 10000] = {0xdc, 10000 >> 8, 10000 & 0xff};
	struct record record = {.value = value,
				.len = sizeof value,
				.is_typed = true,
				.nodes = 10001,
				.time_ns = 1};
	struct results_rows rows;
	uint64_t from = 1, first;
	size_t count;

	memset(value + 3, 0xc0, sizeof value - 3);
	for (int i = 0; i < 20; i++)
		results_add(f->results, &record);
	for (; (count = results_peek(f->results, ALL, from, &rows, &first)) > 0; from += count)
		assert_true(4 + count * (4 + record.nodes) <= LIMIT_MSG_NODES);
	assert_int_equal(from, 21);
}

/* Every record of a large chunk is where it should be, by peek from it and by ack before it. */
static void test_inside_a_chunk(void **state)
{
	struct fixture *f = *state;
	struct results_rows rows;
	struct record record;
	uint64_t first;
	char value[32];

	for (unsigned i = 1; i <= 1000; i++) {
		(void)snprintf(value, sizeof value, "%0*u", (int)(i % 17), i);
		add_at(f->results, STREAM_OUTPUT, 5000 + i, value);
	}
	for (unsigned i = 1; i <= 1000; i++) {
		assert_int_equal(results_peek_time(f->results, ALL, i), 5000 + i);
		assert_int_equal(results_peek(f->results, ALL, i, &rows, &first), 1001 - i);
		assert_int_equal(first, i);
		assert_true(record_row_get(rows.data, rows.len, &record) > 0);
		(void)snprintf(value, sizeof value, "%0*u", (int)(i % 17), i);
		assert_int_equal(record.len, strlen(value));
		assert_memory_equal(record.value, value, record.len);
		if (i % 3 == 0)
			results_ack(f->results, ALL, i - 1);
	}
}

static void test_share(void **state)
{
	struct fixture *f = *state;
	size_t count = 0;

	f->budget.share = 300000;
	while (!f->held) {
		add_size(f->results, 1000);
		count++;
	}
	assert_true(results_used(f->results) > f->budget.share);
	assert_true(count > 200);
	/* What was under way still comes. */
	add_size(f->results, 1000);
	assert_int_equal(f->told, 1);
	for (uint64_t seq = 1; f->held; seq++) {
		assert_true(results_used(f->results) >= f->budget.share / 2);
		results_ack(f->results, ALL, seq);
		if (f->held && results_used(f->results) < f->budget.share)
			add(f->results, STREAM_OUTPUT, "x");
	}
	assert_true(results_used(f->results) < f->budget.share / 2);
	assert_true(results_unread(f->results) > 0);
	assert_int_equal(f->told, 2);
}

/* Below any share: one record each time, and it goes on when that was read. */
static void test_tiny_share(void **state)
{
	struct fixture *f = *state;

	f->budget.share = 0;
	for (uint64_t seq = 1; seq < 10; seq++) {
		add(f->results, STREAM_OUTPUT, "x");
		assert_true(f->held);
		results_ack(f->results, ALL, seq);
		assert_false(f->held);
	}
}

static void test_budget(void **state)
{
	struct fixture *f = *state, others[3] = {0};
	struct fixture *full = &others[0], *waits = &others[1], *idle = &others[2];
	uint64_t seq = 0;

	f->budget.share = SIZE_MAX;
	for (size_t i = 0; i < 3; i++)
		others[i].results = make(&f->budget, &others[i]);
	add(waits->results, STREAM_OUTPUT, "has something");
	while (!full->held)
		add_size(full->results, 1000);
	assert_true(f->budget.used >= f->budget.limit);
	/* Who does not add is not held; who adds is. */
	assert_false(waits->held);
	add(waits->results, STREAM_OUTPUT, "and more");
	assert_true(waits->held);
	/* One that holds nothing adds, is held, is read, and goes on: nobody can starve it. */
	for (uint64_t i = 1; i < 5; i++) {
		assert_false(idle->held);
		add(idle->results, STREAM_OUTPUT, "x");
		assert_true(idle->held);
		results_ack(idle->results, ALL, i);
		assert_false(idle->held);
	}
	/* There is room only well below the limit, and then for all. */
	while (waits->held) {
		assert_true(full->held);
		assert_true(f->budget.used >= f->budget.limit - f->budget.limit / 8);
		results_ack(full->results, ALL, ++seq);
	}
	assert_false(full->held);
	assert_true(f->budget.used < f->budget.limit - f->budget.limit / 8);
	assert_true(results_unread(full->results) > 500);
	assert_int_equal(waits->told, 2);
	for (size_t i = 0; i < 3; i++)
		results_free(others[i].results);
}

/* Room comes also of a job that is removed; those that have ended or are gone are not told. */
static void test_free_makes_room(void **state)
{
	struct fixture *f = *state, full = {0}, waits = {0}, ended = {0}, gone = {0};

	full.results = make(&f->budget, &full);
	waits.results = make(&f->budget, &waits);
	ended.results = make(&f->budget, &ended);
	gone.results = make(&f->budget, &gone);
	while (!full.held)
		add_size(full.results, 1000);
	add(gone.results, STREAM_OUTPUT, "x");
	add(ended.results, STREAM_OUTPUT, "x");
	add(waits.results, STREAM_OUTPUT, "x");
	assert_true(waits.held && ended.held && gone.held);
	results_close(ended.results);
	results_free(gone.results);
	assert_true(waits.held);
	results_free(full.results);
	assert_false(waits.held);
	assert_int_equal(full.told, 1);
	assert_int_equal(gone.told, 1);
	results_ack(ended.results, ALL, UINT64_MAX);
	assert_int_equal(ended.told, 1);
	results_free(waits.results);
	results_free(ended.results);
}

static void test_share_and_budget(void **state)
{
	struct fixture *f = *state, other = {0};

	other.results = make(&f->budget, &other);
	f->budget.share = 10000;
	while (!f->held)
		add_size(f->results, 1000);
	f->budget.limit = f->budget.used;
	add(other.results, STREAM_OUTPUT, "x");
	add(f->results, STREAM_OUTPUT, "x");
	/* The budget's room is not enough while it is above its share, */
	f->budget.limit = 2 * PLAIN;
	results_ack(other.results, ALL, 1);
	assert_false(other.held);
	assert_true(f->held);
	/* and nothing is told twice. */
	results_ack(f->results, ALL, UINT64_MAX);
	assert_false(f->held);
	assert_int_equal(f->told, 2);
	results_free(other.results);
}

static void test_close_gives_back(void **state)
{
	struct fixture *f = *state;
	size_t before;

	for (int i = 0; i < 10; i++)
		add_size(f->results, 1000);
	before = results_used(f->results);
	results_close(f->results);
	assert_true(results_used(f->results) < before);
	assert_true(results_used(f->results) >= 10000);
	assert_int_equal(results_unread(f->results), 10);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_empty),
		TEST(test_runs),
		TEST(test_ack_in_the_middle),
		TEST(test_ack_of_one_stream),
		TEST(test_times),
		TEST(test_leases),
		TEST(test_chunk_limits),
		TEST(test_chunk_objects),
		TEST(test_inside_a_chunk),
		TEST(test_share),
		TEST(test_tiny_share),
		TEST(test_budget),
		TEST(test_free_makes_room),
		TEST(test_share_and_budget),
		TEST(test_close_gives_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
