/* sort_heap orders as qsort does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "sort.h"

#define COUNT_MAX 300

/* Of a size that is no power of two. */
struct element {
	uint8_t key;
	char text[6];
};

static size_t compared;

static int by_key(const void *a, const void *b)
{
	const struct element *x = a, *y = b;

	compared++;
	return x->key - y->key;
}

static struct element element(uint8_t key)
{
	struct element e = {.key = key};

	memset(e.text, key, sizeof e.text);
	return e;
}

static void check(struct element *list, size_t count)
{
	struct element expected[COUNT_MAX];

	memcpy(expected, list, count * sizeof *list);
	if (count)
		qsort(expected, count, sizeof *expected, by_key);
	sort_heap(list, count, sizeof *list, by_key);
	assert_memory_equal(list, expected, count * sizeof *list);
}

static void any_order_is_put_right(void **state)
{
	struct element list[COUNT_MAX + 1];
	uint32_t random = 1;

	(void)state;
	for (size_t count = 0; count <= COUNT_MAX; count++) {
		for (size_t i = 0; i < count; i++) {
			random = random * 1103515245 + 12345;
			/* With few keys many are equal. */
			list[i] = element((uint8_t)((random >> 16) % (count % 2 ? 250 : 5)));
		}
		list[count] = element(251);
		check(list, count);
		assert_int_equal(list[count].key, 251);
	}
}

static void no_order_is_slow(void **state)
{
	struct element list[200];

	(void)state;
	for (int way = 0; way < 3; way++) {
		for (size_t i = 0; i < 200; i++)
			list[i] = element(way == 2 ? 7 : (uint8_t)(way ? i : 199 - i));
		compared = 0;
		sort_heap(list, 200, sizeof list[0], by_key);
		/* 2 * n * log2(n), and some. */
		assert_in_range(compared, 1, 3500);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_order_is_put_right),
		cmocka_unit_test(no_order_is_slow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
