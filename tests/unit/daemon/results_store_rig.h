/* Results over the store of results_rig.h, for tests: a child, and what it has told. */
#ifndef MUSTER_RESULTS_STORE_RIG_H
#define MUSTER_RESULTS_STORE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "err.h"
#include "limits.h"
#include "results.h"
#include "results_rig.h"

#define ALL    UINT32_MAX
#define BIT(s) (1u << (s))

struct fixture {
	struct results_budget budget;
	struct store store;
	struct results *results;
	uint64_t marks[STREAM_COUNT]; /* as marked told */
	size_t kept_at_mark;	      /* frames that were there then */
	unsigned marked;
	unsigned loaded;
	bool held;
};

static inline void on_hold(void *arg, bool hold)
{
	struct fixture *f = arg;

	assert_int_not_equal(f->held, hold);
	f->held = hold;
}

static inline void on_loaded(void *arg)
{
	struct fixture *f = arg;

	f->loaded++;
}

static inline void on_marked(void *arg)
{
	struct fixture *f = arg;

	f->marked++;
	f->kept_at_mark = rig_kept(&f->store);
	results_read(f->results, f->marks);
}

static inline struct results *make(struct fixture *f, struct fixture *who, uint64_t child)
{
	return results_new(&(struct results_spec){.budget = &f->budget,
						  .store = &f->store,
						  .child = child,
						  .hold = on_hold,
						  .loaded = on_loaded,
						  .marked = on_marked,
						  .arg = who});
}

static inline int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof *f);

	f->budget.limit = f->budget.share = 64u << 20;
	f->results = make(f, f, 9);
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	results_free(f->results);
	assert_int_equal(f->budget.used, 0);
	assert_int_equal(f->budget.reading, 0);
	assert_null(f->budget.cached.first);
	assert_null(f->budget.wanted.first);
	assert_null(f->budget.queued.first);
	rig_done(&f->store);
	free(f);
	return 0;
}

static inline void add_flags(struct results *results, uint64_t stream, uint64_t flags,
			     const char *value)
{
	results_add(results, &(struct record){.stream = stream,
					      .flags = flags,
					      .time_ns = 1,
					      .value = (const uint8_t *)value,
					      .len = strlen(value)});
}

static inline void add(struct results *results, uint64_t stream, const char *value)
{
	add_flags(results, stream, 0, value);
}

/* A frame of one record of so many bytes. */
static inline void add_frame(struct results *results, size_t len)
{
	uint8_t *value = xcalloc(1, len + 1);

	memset(value, 'x', len);
	results_add(results, &(struct record){.time_ns = 1, .value = value, .len = len});
	results_flush(results, 0);
	free(value);
}

static inline void answer_all(struct fixture *f)
{
	while (f->store.read_count)
		rig_answer(&f->store, 0);
}

/* What comes, in order, from from on, as "FIRST:value,value FIRST:..."; reads what it must. */
static inline void assert_comes(struct fixture *f, uint32_t streams, uint64_t from,
				const char *wanted)
{
	struct results_rows rows;
	struct record record;
	char text[512] = "";
	size_t len = 0, count;
	uint64_t first;

	for (;; from = first + count) {
		size_t at = 0;

		while (!results_is_ready(f->results, streams, &from))
			rig_answer(&f->store, 0);
		count = results_peek(f->results, streams, from, &rows, &first);
		if (!count)
			break;
		len += (size_t)snprintf(text + len, sizeof text - len, "%s%u:", len ? " " : "",
					(unsigned)first);
		for (size_t i = 0; i < count; i++) {
			at += record_row_get(rows.data + at, rows.len - at, &record);
			len += (size_t)snprintf(text + len, sizeof text - len, "%s%.*s",
						i ? "," : "", (int)record.len,
						(const char *)record.value);
		}
	}
	assert_string_equal(text, wanted);
}

static inline void restart(struct fixture *f)
{
	results_free(f->results);
	f->results = make(f, f, 9);
	rig_restore(&f->store, 9, f->results, f->marks);
}

/* Nothing of what is stored stays in memory. */
static inline void drop_all(struct fixture *f)
{
	size_t limit = f->budget.limit;
	struct results *other = make(f, f, 1);

	f->budget.limit = 0;
	add_frame(other, 1);
	f->budget.limit = limit;
	results_ack(other, ALL, 1);
	results_free(other);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#endif
