/*
 * daemon/results.c against a naive model: an array of all records of each child, each marked as
 * read or not. Random adds, peeks, acknowledgements, leases and removals, from fixed seeds; with a
 * store also reads that take their time, and restarts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "limits.h"
#include "results.h"
#include "results_rig.h"

#define SEEDS	 60
#define STEPS	 4000
#define CHILDREN 5
#define READERS	 3

struct model_record {
	uint64_t time_ns;
	uint32_t len;
	uint8_t stream;
	uint8_t fill;
	bool read;
};

struct model {
	struct results *results;
	struct model_record *records; /* seq is index + 1 */
	size_t count;
	size_t size;
	uint64_t unread;
	uint64_t id;
	uint64_t marks[STREAM_COUNT]; /* what the store was told */
	unsigned loaded;
	int reader; /* with the lease; -1: none */
	bool held;
	bool closed;
};

struct world {
	uint64_t seed;
	bool stored;
	struct store store;
	uint64_t last_id;
	struct results_budget budget;
	struct model children[CHILDREN];
	size_t streams; /* how many of them are in use */
	size_t max_len;
	uint8_t value[LIMIT_RECORD_VALUE];
	int readers[READERS];
};

static uint64_t roll(struct world *w, uint64_t below)
{
	w->seed ^= w->seed << 13;
	w->seed ^= w->seed >> 7;
	w->seed ^= w->seed << 17;
	return w->seed % below;
}

static void on_hold(void *arg, bool hold)
{
	struct model *m = arg;

	assert_int_not_equal(m->held, hold);
	assert_false(m->closed);
	m->held = hold;
}

static void on_loaded(void *arg)
{
	struct model *m = arg;

	m->loaded++;
}

static void on_marked(void *arg)
{
	struct model *m = arg;

	results_read(m->results, m->marks);
}

static void child_open(struct world *w, struct model *m)
{
	m->results = results_new(&(struct results_spec){.budget = &w->budget,
							.store = w->stored ? &w->store : NULL,
							.child = m->id,
							.hold = on_hold,
							.loaded = on_loaded,
							.marked = on_marked,
							.arg = m});
}

static void child_make(struct world *w, struct model *m)
{
	*m = (struct model){.reader = -1, .id = ++w->last_id};
	child_open(w, m);
}

static void child_drop(struct world *w, struct model *m)
{
	results_free(m->results);
	free(m->records);
	for (size_t i = 0; i < w->store.count; i++)
		if (w->store.frames[i].frame.child == m->id)
			w->store.frames[i].released = true;
}

/* What the store was not told is unread again. */
static void child_restart(struct world *w, struct model *m)
{
	results_free(m->results);
	m->reader = -1;
	m->closed = false;
	m->unread = 0;
	for (size_t i = 0; i < m->count; i++) {
		m->records[i].read = i < m->marks[m->records[i].stream];
		m->unread += !m->records[i].read;
	}
	child_open(w, m);
	rig_restore(&w->store, m->id, m->results, m->marks);
}

static void do_add(struct world *w, struct model *m)
{
	static const uint8_t fills[] = {'a', 'z', 0xff, 0};
	struct model_record r = {
		.time_ns = 1 + roll(w, roll(w, 2) ? 100 : UINT64_MAX),
		.len = (uint32_t)roll(w, roll(w, 100) ? 1 + w->max_len : 1 + LIMIT_RECORD_VALUE),
		.stream = (uint8_t)roll(w, w->streams),
		.fill = fills[roll(w, sizeof fills)]};

	if (m->count == m->size) {
		m->size = m->size ? m->size * 2 : 64;
		m->records = xrealloc(m->records, m->size, sizeof *m->records);
	}
	m->records[m->count++] = r;
	m->unread++;
	memset(w->value, r.fill, r.len);
	results_add(m->results, &(struct record){.stream = r.stream,
						 .flags = r.len % 3,
						 .time_ns = r.time_ns,
						 .value = w->value,
						 .len = r.len});
}

static bool is_wanted(const struct model *m, size_t i, uint32_t streams)
{
	return !m->records[i].read && streams >> m->records[i].stream & 1;
}

/* The index of the first unread record from seq from on; count: there is none. */
static size_t model_first(const struct model *m, uint32_t streams, uint64_t from)
{
	size_t i = from ? (size_t)(from - 1) : 0;

	while (i < m->count && !is_wanted(m, i, streams))
		i++;
	return i < m->count ? i : m->count;
}

static void assert_row(struct world *w, const struct model_record *r, const struct record *got)
{
	assert_int_equal(got->stream, r->stream);
	assert_int_equal(got->flags, r->len % 3);
	assert_true(got->time_ns == r->time_ns);
	assert_int_equal(got->len, r->len);
	memset(w->value, r->fill, r->len);
	assert_memory_equal(got->value, w->value, r->len);
}

/* Waits until the records are in memory. However little that may hold, it comes to an end. */
static uint64_t make_ready(struct world *w, struct model *m, uint32_t streams, uint64_t from)
{
	struct results_rows rows;
	uint64_t first;

	for (int i = 0; !results_is_ready(m->results, streams, &from); i++) {
		unsigned loaded = m->loaded;

		assert_true(w->stored && i < 200);
		assert_int_equal(results_peek(m->results, streams, from, &rows, &first), 0);
		while (m->loaded == loaded) {
			assert_true(w->store.read_count > 0);
			rig_answer(&w->store, roll(w, w->store.read_count));
		}
	}
	return from;
}

/* Returns the seq after the run, 0 if there is none. */
static uint64_t check_peek(struct world *w, struct model *m, uint32_t streams, uint64_t from)
{
	struct results_rows rows;
	struct record got;
	uint64_t first = 0, time_ns;
	size_t want = model_first(m, streams, from), at = 0, count;

	from = make_ready(w, m, streams, from);
	count = results_peek(m->results, streams, from, &rows, &first);
	time_ns = results_peek_time(m->results, streams, from);
	if (want == m->count) {
		assert_int_equal(count, 0);
		assert_int_equal(time_ns, 0);
		return 0;
	}
	assert_int_equal(first, want + 1);
	assert_true(time_ns == m->records[want].time_ns);
	assert_true(count > 0 && count <= RECORDS_MAX && want + count <= m->count);
	assert_true(count == 1 || rows.len <= LIMIT_RECORDS_BATCH);
	for (size_t i = want; i < want + count; i++) {
		size_t n = record_row_get(rows.data + at, rows.len - at, &got);

		assert_true(n > 0);
		at += n;
		assert_true(is_wanted(m, i, streams));
		assert_int_equal(m->records[i].stream, m->records[want].stream);
		assert_row(w, &m->records[i], &got);
	}
	assert_int_equal(at, rows.len);
	return want + count + 1;
}

static uint32_t some_streams(struct world *w)
{
	return roll(w, 2) ? UINT32_MAX : (uint32_t)roll(w, 1u << STREAM_COUNT);
}

/* A number around what there is, and now and then far off. */
static uint64_t some_seq(struct world *w, const struct model *m)
{
	switch (roll(w, 8)) {
	case 0:
		return 0;
	case 1:
		return UINT64_MAX - roll(w, 2);
	case 2:
		return m->count + roll(w, 3);
	default:
		return m->count ? 1 + roll(w, m->count) : 1;
	}
}

static void do_ack(struct world *w, struct model *m, uint32_t streams, uint64_t seq)
{
	(void)w;
	for (size_t i = 0; i < m->count && i < seq; i++) {
		if (!is_wanted(m, i, streams))
			continue;
		m->records[i].read = true;
		m->unread--;
	}
	results_ack(m->results, streams, seq);
}

/* As a reader does it: peek, write some of that, acknowledge as much. */
static void do_read(struct world *w, struct model *m)
{
	uint32_t streams = some_streams(w);
	uint64_t from = results_last_seq(m->results) ? model_first(m, streams, 0) + 1 : 1;
	uint64_t end = check_peek(w, m, streams, 0);

	if (end)
		do_ack(w, m, streams, roll(w, 2) ? end - 1 : from + roll(w, end - from));
}

static void do_lease(struct world *w, struct model *m)
{
	int reader = (int)roll(w, READERS);

	if (roll(w, 2)) {
		bool ok = m->reader < 0 || m->reader == reader;

		assert_int_equal(results_lease(m->results, &w->readers[reader]), ok);
		if (ok)
			m->reader = reader;
	} else {
		results_release(m->results, &w->readers[reader]);
		if (m->reader == reader)
			m->reader = -1;
	}
}

static void check_all(struct world *w)
{
	size_t used = 0;

	for (size_t i = 0; i < CHILDREN; i++) {
		struct model *m = &w->children[i];
		size_t own = results_used(m->results), values = 0;

		assert_int_equal(results_last_seq(m->results), m->count);
		used += own;
		if (w->stored) {
			assert_true(results_unread(m->results) >= m->unread);
			assert_false(m->held);
			continue;
		}
		assert_int_equal(results_unread(m->results), m->unread);
		for (size_t k = 0; k < m->count; k++)
			values += m->records[k].read ? 0 : m->records[k].len + 5u;
		assert_true(own >= values);
		assert_int_equal(own > 0, m->unread > 0);
		/* No deadlock: whoever holds nothing is free to add; nobody is held for nothing. */
		if (!m->closed && m->held) {
			assert_true(m->unread > 0);
			assert_true(own >= w->budget.share / 2 || w->budget.full);
		}
	}
	assert_int_equal(w->budget.used, used);
	if (used && used >= w->budget.limit && !w->stored)
		assert_true(w->budget.full);
}

static void step(struct world *w, uint64_t adds)
{
	struct model *m = &w->children[roll(w, CHILDREN)];
	uint64_t what = roll(w, 100);

	if (what < adds) {
		for (uint64_t i = 1 + roll(w, 30); i > 0 && !m->closed; i--)
			do_add(w, m);
		results_flush(m->results, 0);
		while (w->store.read_count && roll(w, 2))
			rig_answer(&w->store, roll(w, w->store.read_count));
	} else if (what < 80) {
		do_read(w, m);
	} else if (what < 88) {
		(void)check_peek(w, m, some_streams(w), some_seq(w, m));
	} else if (what < 92) {
		do_ack(w, m, some_streams(w), some_seq(w, m));
	} else if (what < 98) {
		do_lease(w, m);
	} else if (w->stored && roll(w, 2)) {
		child_restart(w, m);
	} else if (!roll(w, 4)) {
		results_close(m->results);
		m->closed = true;
	} else if (m->closed) {
		child_drop(w, m);
		child_make(w, m);
	}
}

/* What is left comes out once each, in order. */
static void drain(struct world *w, struct model *m)
{
	uint64_t from = 1, end;

	while ((end = check_peek(w, m, UINT32_MAX, from)) != 0) {
		do_ack(w, m, UINT32_MAX, end - 1);
		from = end;
	}
	assert_int_equal(m->unread, 0);
	assert_int_equal(results_unread(m->results), 0);
	assert_true(m->closed || !m->held);
}

static void run_seed(uint64_t seed, bool stored)
{
	static const size_t shares[] = {0, 2000, 100000, SIZE_MAX};
	static const size_t limits[] = {0, 5000, 300000, SIZE_MAX};
	static const size_t lengths[] = {0, 10, 40, 3000};
	struct world *w = xcalloc(1, sizeof *w);

	w->seed = seed * 0x9e3779b97f4a7c15u;
	w->stored = stored;
	w->budget.share = shares[roll(w, 4)];
	w->budget.limit = limits[roll(w, 4)];
	w->streams = 1 + roll(w, STREAM_COUNT);
	w->max_len = lengths[roll(w, 4)];
	for (size_t i = 0; i < CHILDREN; i++)
		child_make(w, &w->children[i]);
	for (int i = 0; i < STEPS; i++) {
		step(w, i / 500 % 2 ? 10 : 50);
		if (i % 50 == 0)
			check_all(w);
	}
	check_all(w);
	for (size_t i = 0; i < CHILDREN; i++)
		drain(w, &w->children[i]);
	check_all(w);
	assert_int_equal(w->budget.used, 0);
	assert_int_equal(rig_kept(&w->store), 0);
	for (size_t i = 0; i < CHILDREN; i++)
		child_drop(w, &w->children[i]);
	rig_done(&w->store);
	free(w);
}

static void test_random(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		run_seed(seed, false);
}

static void test_random_stored(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		run_seed(seed, true);
}

/* MUSTER_SEED=N test_results_random: that one alone. */
int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_random),
					   cmocka_unit_test(test_random_stored)};
	const char *seed = getenv("MUSTER_SEED");

	if (seed) {
		run_seed(strtoull(seed, NULL, 10), false);
		run_seed(strtoull(seed, NULL, 10), true);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
