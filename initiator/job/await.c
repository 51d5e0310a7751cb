#include "await.h"

#include <stdlib.h>

#include "alloc.h"

static bool await_before(const struct await_entry *a, const struct await_entry *b)
{
	return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->index < b->index;
}

void await_add(struct await *a, uint64_t at_ns, size_t index)
{
	struct await_entry own = {at_ns, index};
	size_t at = a->count++;

	if (at == a->room) {
		a->room = a->room ? a->room * 2 : 16;
		a->heap = xrealloc(a->heap, a->room, sizeof *a->heap);
	}
	for (; at && await_before(&own, &a->heap[(at - 1) / 2]); at = (at - 1) / 2)
		a->heap[at] = a->heap[(at - 1) / 2];
	a->heap[at] = own;
}

bool await_first(const struct await *a, struct await_entry *ret)
{
	if (!a->count)
		return false;
	*ret = a->heap[0];
	return true;
}

void await_drop(struct await *a)
{
	struct await_entry own;
	size_t at = 0;

	if (!a->count)
		abort();
	own = a->heap[--a->count];
	for (;;) {
		size_t child = 2 * at + 1;

		if (child + 1 < a->count && await_before(&a->heap[child + 1], &a->heap[child]))
			child++;
		if (child >= a->count || !await_before(&a->heap[child], &own))
			break;
		a->heap[at] = a->heap[child];
		at = child;
	}
	a->heap[at] = own;
}

void await_done(struct await *a)
{
	free(a->heap);
	*a = (struct await){0};
}
