/* The inside of the pacer, for the files pacer*.c. */
#ifndef MUSTER_PACER_PRIVATE_H
#define MUSTER_PACER_PRIVATE_H

#include <stdbool.h>

#include "pacer.h"

/* A limit that adapts. */
struct pacer_bound {
	size_t limit;
	size_t done;	 /* logins since it grew last */
	size_t ceiling;	 /* what was too much */
	bool was_cut;	 /* at cut_ns */
	uint64_t cut_ns; /* logins that were begun before say nothing new */
};

struct pacer_group {
	struct pacer_group *next; /* in its bucket */
	struct pacer_group *newer, *older;
	bool idle;     /* in the list of those that are kept though nobody asks */
	uint64_t hash; /* of the name */
	struct pacer_bound bound;
	size_t in_flight;
	struct pacer_ticket *first, **last; /* who waits, in order of asking */
	size_t heap_at;			    /* 1 + its index among those that are ready; 0: none */
	char name[];
};

/* Groups, by name; and those of which a ticket can be granted, in the order of asking. */
struct pacer_groups {
	struct pacer_group **buckets;
	size_t bucket_count; /* a power of 2 */
	size_t count;
	struct pacer_group **heap; /* by the number of the first who waits */
	size_t heap_count, heap_room;
	struct pacer_group *newest, *oldest; /* idle ones that have learnt something */
	size_t idle_count;
};

void pacer_groups_init(struct pacer_groups *groups);
void pacer_groups_done(struct pacer_groups *groups);
/* NULL: there is none. */
struct pacer_group *pacer_groups_find(const struct pacer_groups *groups, const char *name);
/* Finds it, or makes it with this limit. */
struct pacer_group *pacer_groups_get(struct pacer_groups *groups, const char *name, size_t limit);
/* Something of it has changed: who waits, in_flight or the limit. It is no longer there if nothing
 * is left to remember. */
void pacer_groups_update(struct pacer_groups *groups, struct pacer_group *group, uint64_t now);
/* Of which somebody has waited the longest and may go; NULL: of none. */
struct pacer_group *pacer_groups_first(const struct pacer_groups *groups);

#endif
