/* daemon/results.c: what it takes of memory, and that this is what it counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "limits.h"
#include "results.h"

#define ALL UINT32_MAX

static void on_hold(void *arg, bool hold)
{
	(void)arg;
	(void)hold;
}

static struct results *make(struct results_budget *budget)
{
	return results_new(&(struct results_spec){.budget = budget, .hold = on_hold});
}

static void add(struct results *results, enum record_stream stream, const char *value)
{
	results_add(results, &(struct record){.stream = stream,
					      .time_ns = 1,
					      .value = (const uint8_t *)value,
					      .len = strlen(value)});
}

static size_t heap(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

/* Not under a sanitizer, which has an allocator of its own. */
static void need_heap(void)
{
	size_t before = heap();
	void *volatile p = xmalloc(3000);
	bool known = heap() > before;

	free(p);
	if (!known)
		skip();
}

static void test_memory_at_rest(void **state)
{
	struct results_budget budget = {.limit = SIZE_MAX, .share = SIZE_MAX};
	struct results *many[100];
	size_t before;

	(void)state;
	need_heap();
	before = heap();
	for (size_t i = 0; i < 100; i++)
		many[i] = make(&budget);
	assert_true((heap() - before) / 100 < 200);
	for (size_t i = 0; i < 100; i++)
		add(many[i], STREAM_OUTPUT, "a short line");
	assert_true((heap() - before) / 100 < 600);
	/* What is counted is what is taken: malloc's own part is estimated. */
	assert_true(budget.used <= heap() - before);
	for (size_t i = 0; i < 100; i++) {
		results_ack(many[i], ALL, 1);
		results_close(many[i]);
	}
	assert_true((heap() - before) / 100 < 200);
	for (size_t i = 0; i < 100; i++)
		results_free(many[i]);
	assert_true(heap() < before + 10000);
}

static void test_memory_is_counted(void **state)
{
	struct results_budget budget = {.limit = SIZE_MAX, .share = SIZE_MAX};
	struct results *results;
	size_t before, real;

	(void)state;
	need_heap();
	results = make(&budget);
	before = heap();
	for (unsigned i = 0; i < 200000; i++)
		add(results, i % 3 ? STREAM_OUTPUT : STREAM_ERROR, "a short line");
	real = heap() - before;
	assert_true(results_used(results) > real - real / 10);
	assert_true(results_used(results) < real + real / 10);
	/* Most of it is given back although something is left: the last chunk, whole. */
	results_ack(results, ALL, 199990);
	assert_true(results_used(results) < 2 * LIMIT_RECORDS_BATCH);
	/* malloc(3) keeps some freed pieces in a cache, and calls them used. */
	assert_true(heap() < before + 2 * LIMIT_RECORDS_BATCH + 50000);
	results_free(results);
	assert_int_equal(budget.used, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory_at_rest),
		cmocka_unit_test(test_memory_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
