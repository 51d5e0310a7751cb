#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "feed.h"
#include "limits.h"

static void test_every_reader_gets_all(void **state)
{
	struct feed *feed = feed_new();
	struct errmsg msg;
	uint8_t in[3000];
	uint64_t total = 0, at = 0;

	(void)state;
	/* Lengths that do not divide a piece. */
	for (size_t round = 0; round < 100; round++) {
		for (size_t i = 0; i < sizeof in; i++)
			in[i] = (uint8_t)((total + i) * 7);
		assert_int_equal(feed_add(feed, in, 1 + round * 29, &msg), 0);
		total += 1 + round * 29;
	}
	feed_end(feed);
	for (int reader = 0; reader < 2; reader++) {
		const void *data;
		size_t n;

		for (at = 0; (n = feed_peek(feed, at, &data)) > 0; at += n) {
			assert_false(feed_is_end(feed, at));
			assert_true(n <= LIMIT_STDIN_PIECE);
			for (size_t i = 0; i < n; i++)
				assert_int_equal(((const uint8_t *)data)[i],
						 (uint8_t)((at + i) * 7));
		}
		assert_int_equal(at, total);
		assert_true(feed_is_end(feed, at));
	}
	feed_free(feed);
}

static void test_nothing_so_far_is_no_end(void **state)
{
	struct feed *feed = feed_new();
	struct errmsg msg;
	const void *data;

	(void)state;
	assert_int_equal(feed_peek(feed, 0, &data), 0);
	assert_false(feed_is_end(feed, 0));
	assert_int_equal(feed_add(feed, "x", 1, &msg), 0);
	assert_int_equal(feed_peek(feed, 0, &data), 1);
	assert_int_equal(feed_peek(feed, 1, &data), 0);
	feed_end(feed);
	assert_true(feed_is_end(feed, 1));
	assert_int_equal(feed_add(feed, "y", 1, &msg), ERR_ORDER);
	feed_free(feed);
	feed_free(NULL);
}

static void test_it_is_bounded(void **state)
{
	struct feed *feed = feed_new();
	struct errmsg msg;
	size_t half = LIMIT_STDIN / 2;
	uint8_t *big = calloc(1, half);

	(void)state;
	assert_int_equal(feed_add(feed, big, half, &msg), 0);
	assert_int_equal(feed_add(feed, big, half, &msg), 0);
	assert_int_equal(feed_add(feed, "x", 1, &msg), ERR_LIMIT);
	assert_non_null(strstr(msg.text, "256 MiB"));
	free(big);
	feed_free(feed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_reader_gets_all),
		cmocka_unit_test(test_nothing_so_far_is_no_end),
		cmocka_unit_test(test_it_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
