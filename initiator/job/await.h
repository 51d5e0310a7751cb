/* Those who wait for a time each: a heap, in which the first is at hand. Knows indexes only. */
#ifndef MUSTER_AWAIT_H
#define MUSTER_AWAIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct await_entry {
	uint64_t at_ns;
	size_t index;
};

/* Zeroed: nobody waits. */
struct await {
	struct await_entry *heap;
	size_t count, room;
};

/* One index is to be in it once at most. O(log count), as await_drop. */
void await_add(struct await *a, uint64_t at_ns, size_t index);

/* The one whose time comes first, of several with the same time the one with the lowest index.
 * False: nobody waits. */
bool await_first(const struct await *a, struct await_entry *ret);

/* It waits no more. Nobody waits: aborts. */
void await_drop(struct await *a);

void await_done(struct await *a);

#endif
