/* What the files of an inventory in memory share. */
#ifndef MUSTER_INV_PRIVATE_H
#define MUSTER_INV_PRIVATE_H

#include "arena.h"
#include "inv.h"
#include "names.h"

struct inv_ids {
	uint32_t *at;
	uint32_t count, size;
};

struct inv_vars {
	const char *at[INV_VAR_COUNT];	  /* NULL: not set */
	uint32_t level[INV_VAR_COUNT];	  /* of a host: the place of the group that it is from, from
					     1; 0: its own */
	uint32_t conflict[INV_VAR_COUNT]; /* another group with as much right, from 1 */
};

struct inv_host {
	const char *name;
	struct inv_vars *vars; /* NULL: none */
	bool grouped;
};

struct inv_group {
	const char *name;
	struct inv_vars *vars; /* NULL: none */
	struct inv_ids hosts, children;
	uint32_t depth;
};

/* What the files beside an inventory say of a group. */
struct inv_layer {
	uint32_t group, tier;
	struct inv_vars *vars; /* NULL: none */
};

struct inv {
	struct arena texts;
	struct names host_names, group_names;
	struct inv_host *hosts;
	struct inv_group *groups;
	uint32_t host_count, host_size, group_count, group_size;
	struct inv_layer *layers; /* in the order in which they were read */
	uint32_t layer_count, layer_size;
	uint32_t tier; /* of inv_begin_files */
	size_t links;
	uint64_t work;	    /* LIMIT_GROUP_WORK */
	size_t value_bytes; /* of all variables */
};

/* A walk over a group and all that is below it. */
struct inv_walk {
	uint32_t *stack;
	size_t depth;
	unsigned char *seen; /* groups that were on the stack */
};

void inv_walk_begin(struct inv_walk *walk, const struct inv *inv, uint32_t group);
/* The next group, its children after itself; NULL: that was all, and the walk is over. */
const struct inv_group *inv_walk_next(struct inv_walk *walk, const struct inv *inv);

/* Sets the depth of each group, 0 for those at the top: one more than that of the deepest group
 * that it is in. ERR_SYNTAX with msg for a loop. */
int inv_depths(struct inv *inv, struct errmsg *msg);

#endif
