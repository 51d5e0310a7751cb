/* Lines that are not whole: who does not wait for the rest reads up to them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "results.h"

#define ALL UINT32_MAX

static void hold(void *arg, bool on)
{
	(void)arg;
	(void)on;
}

static void add(struct results *r, uint64_t stream, uint64_t flags)
{
	struct record record = {.stream = stream,
				.flags = flags,
				.time_ns = 1,
				.value = (const uint8_t *)"x",
				.len = 1,
				.is_text = true};

	results_add(r, &record);
}

static void a_line_in_pieces(void **state)
{
	struct results_budget budget = {.limit = 1 << 20, .share = 1 << 20};
	struct results *r = results_new(&(struct results_spec){.budget = &budget, .hold = hold});

	(void)state;
	assert_true(results_open_seq(r, ALL) == UINT64_MAX);
	add(r, STREAM_OUTPUT, 0);		 /* 1 */
	add(r, STREAM_OUTPUT, RECORD_CONTINUES); /* 2 */
	add(r, STREAM_OUTPUT, RECORD_CONTINUES); /* 3 */
	assert_int_equal(results_open_seq(r, ALL), 2);
	assert_true(results_open_seq(r, 1u << STREAM_ERROR) == UINT64_MAX);
	add(r, STREAM_OUTPUT, 0); /* 4: the end of it */
	assert_true(results_open_seq(r, ALL) == UINT64_MAX);
	results_free(r);
}

static void two_streams_in_pieces(void **state)
{
	struct results_budget budget = {.limit = 1 << 20, .share = 1 << 20};
	struct results *r = results_new(&(struct results_spec){.budget = &budget, .hold = hold});

	(void)state;
	add(r, STREAM_ERROR, RECORD_CONTINUES);	 /* 1 */
	add(r, STREAM_OUTPUT, RECORD_CONTINUES); /* 2 */
	assert_int_equal(results_open_seq(r, ALL), 1);
	add(r, STREAM_ERROR, 0); /* 3 */
	assert_int_equal(results_open_seq(r, ALL), 2);
	add(r, STREAM_OUTPUT, RECORD_NO_EOL); /* 4 */
	assert_true(results_open_seq(r, ALL) == UINT64_MAX);
	results_free(r);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_in_pieces),
		cmocka_unit_test(two_streams_in_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
