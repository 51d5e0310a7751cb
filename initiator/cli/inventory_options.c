#include "inventory_options.h"

#include <stdio.h>
#include <stdlib.h>

#include "alloc.h"
#include "exit.h"

/* Long enough for some commands in a row, and short enough that nobody waits for a new host. */
#define INVENTORY_CACHE_MS 60000u

static void inventory_on_warning(void *ctx, const char *text)
{
	(void)ctx;
	(void)cmd_error(EXIT_OK, "warning: %s", text);
}

static char *inventory_cache_dir(void)
{
	const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

	if (base && *base == '/')
		return xasprintf("%s/muster", base);
	return home && *home == '/' ? xasprintf("%s/.cache/muster", home) : NULL;
}

void inventory_options_fill(struct inventory_options *ret, const struct cmd_globals *globals)
{
	const struct config *config = globals ? globals->config : NULL;
	const char *env = getenv("MUSTER_INVENTORY");

	*ret = (struct inventory_options){.cache_dir = inventory_cache_dir()};
	ret->groups.cache_dir = ret->cache_dir;
	ret->groups.cache_ms = INVENTORY_CACHE_MS;
	if (config)
		ret->groups.cache_ms =
			config_get(config, CONFIG_INVENTORY_CACHE, INVENTORY_CACHE_MS);
	ret->groups.refresh = globals && globals->refresh_inventory;
	if (!globals || !globals->quiet)
		ret->groups.warn = inventory_on_warning;
	if (globals && globals->inventories.count) {
		ret->groups.specs = globals->inventories.at;
		ret->groups.spec_count = globals->inventories.count;
		return;
	}
	ret->given[0] = env && *env ? env : config ? config_inventory(config) : NULL;
	ret->groups.specs = ret->given;
	ret->groups.spec_count = ret->given[0] ? 1 : 0;
}

void inventory_options_done(struct inventory_options *options)
{
	free(options->cache_dir);
}
