#include "sort.h"

static void sort_swap(char *a, char *b, size_t size)
{
	while (size--) {
		char c = *a;

		*a++ = *b;
		*b++ = c;
	}
}

/* The element at root goes down until none of its children is greater. */
static void sort_sift(char *base, size_t root, size_t count, size_t size, sort_compare *compare)
{
	size_t child;

	/* Written so that it cannot overflow: root * 2 + 1 < count. */
	while (root < count / 2) {
		child = root * 2 + 1;
		if (child + 1 < count &&
		    compare(base + child * size, base + (child + 1) * size) < 0)
			child++;
		if (compare(base + root * size, base + child * size) >= 0)
			return;
		sort_swap(base + root * size, base + child * size, size);
		root = child;
	}
}

void sort_heap(void *base, size_t count, size_t size, sort_compare *compare)
{
	for (size_t root = count / 2; root-- > 0;)
		sort_sift(base, root, count, size, compare);
	for (size_t last = count; last-- > 1;) {
		sort_swap(base, (char *)base + last * size, size);
		sort_sift(base, 0, last, size, compare);
	}
}
