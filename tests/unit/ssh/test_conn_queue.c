/* Bytes that wait to be sent: in order, at any size of what goes in and out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "conn_queue.h"

#define TOTAL (3u << 20)

static uint8_t byte_at(size_t i)
{
	return (uint8_t)(i * 7 + i / 251);
}

static void test_empty(void **state)
{
	struct conn_queue queue = {0};
	size_t len = 7;

	(void)state;
	assert_null(conn_queue_front(&queue, &len));
	assert_int_equal(len, 0);
	conn_queue_add(&queue, "", 0);
	conn_queue_take(&queue, 0);
	assert_null(conn_queue_front(&queue, &len));
	assert_int_equal(queue.len, 0);
	conn_queue_done(&queue);
	conn_queue_done(&queue);
}

/* Sizes that end inside, at and behind the ends of pieces. */
static void test_order(void **state)
{
	static const size_t in[] = {1, 4095, 4096, 4097, 65516, 65517, 300000, 17};
	static const size_t out[] = {5, 4096, 1, 70000, 65516};
	struct conn_queue queue = {0};
	uint8_t *text = xmalloc(TOTAL);
	size_t added = 0, taken = 0, len;

	(void)state;
	for (size_t i = 0; i < TOTAL; i++)
		text[i] = byte_at(i);
	for (size_t i = 0; taken < TOTAL; i++) {
		size_t n = in[i % ARRAY_LEN(in)], most = out[i % ARRAY_LEN(out)];
		const void *front;

		if (n > TOTAL - added)
			n = TOTAL - added;
		conn_queue_add(&queue, text + added, n);
		added += n;
		assert_int_equal(queue.len, added - taken);
		front = conn_queue_front(&queue, &len);
		assert_non_null(front);
		assert_in_range(len, 1, queue.len);
		if (len > most)
			len = most;
		assert_memory_equal(front, text + taken, len);
		conn_queue_take(&queue, len);
		taken += len;
	}
	assert_int_equal(queue.len, 0);
	assert_null(queue.first);
	assert_null(queue.last);
	free(text);
}

/* What has been taken is freed: there is no piece left of a long queue, and the next is small. */
static void test_it_is_empty_after_a_flood(void **state)
{
	struct conn_queue queue = {0};
	uint8_t *text = xcalloc(1, TOTAL);
	size_t len, pieces = 0;

	(void)state;
	conn_queue_add(&queue, text, TOTAL);
	while (conn_queue_front(&queue, &len)) {
		conn_queue_take(&queue, len);
		pieces++;
	}
	assert_in_range(pieces, TOTAL / (65u << 10), TOTAL / (60u << 10));
	conn_queue_add(&queue, "again", 5);
	assert_memory_equal(conn_queue_front(&queue, &len), "again", 5);
	conn_queue_done(&queue);
	assert_int_equal(queue.len, 0);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_it_is_empty_after_a_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
