/*
 * Who starts next: the children of a job wait in target order, and as many as the throttle says
 * hold a slot at once. Knows indexes only. O(1) for each call.
 */
#ifndef MUSTER_FANOUT_H
#define MUSTER_FANOUT_H

#include <stdbool.h>
#include <stddef.h>

struct fanout {
	size_t next;  /* the first that has not come up yet */
	size_t end;   /* nobody from here on comes up; at first there is nobody there */
	size_t limit; /* slots */
	size_t used;  /* of them; above limit for a while after it was lowered */
};

/* limit: at least 1. */
void fanout_init(struct fanout *f, size_t count, size_t limit);

/* Live: who holds a slot keeps it, even above the new limit. */
void fanout_set_limit(struct fanout *f, size_t limit);

/*
 * True if a slot is free and somebody has not come up yet: that is *ret_index, who comes up only
 * once. It takes no slot: the caller does with fanout_take, or asks for the next if this one has
 * been stopped while it waited.
 */
bool fanout_next(struct fanout *f, size_t *ret_index);

/* Live: more of them may come up, or fewer, but for those that have. */
void fanout_set_end(struct fanout *f, size_t end);

bool fanout_is_free(const struct fanout *f); /* a slot is */

void fanout_take(struct fanout *f);
void fanout_release(struct fanout *f);

#endif
