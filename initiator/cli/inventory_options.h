/* Which inventories there are for a command, and how they are read: options, environment,
 * muster.conf. */
#ifndef MUSTER_INVENTORY_OPTIONS_H
#define MUSTER_INVENTORY_OPTIONS_H

#include "cmd.h"
#include "groups.h"

struct inventory_options {
	struct groups_options groups;
	const char *given[1]; /* by the environment or muster.conf */
	char *cache_dir;
};

/* globals may be NULL. Fills *ret, which must stay where it is; freed by inventory_options_done. */
void inventory_options_fill(struct inventory_options *ret, const struct cmd_globals *globals);
void inventory_options_done(struct inventory_options *options);

#endif
