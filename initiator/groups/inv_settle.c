/* Which variable of which group holds for a host. */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "inv_private.h"

#define INV_CONFLICTS_MAX 20u
#define INV_WORK_MAX	  (UINT64_C(1) << 28) /* hosts that variables of groups are put to */

struct inv_level {
	const struct inv_group *group;
	const struct inv_vars *vars;
	uint32_t id;
	unsigned rank; /* 0: of the inventories; of files beside them: 1: of "all", 2: of others */
	uint32_t tier; /* of inv_begin_files */
	long priority;
};

static long inv_priority(const struct inv_group *group)
{
	const char *text = group->vars ? group->vars->at[INV_PRIORITY] : NULL;

	return text ? strtol(text, NULL, 10) : 1;
}

static int inv_compare(const void *a, const void *b)
{
	const struct inv_level *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	if (x->tier != y->tier)
		return x->tier < y->tier ? -1 : 1;
	if (x->group->depth != y->group->depth)
		return x->group->depth < y->group->depth ? -1 : 1;
	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	return strcmp(x->group->name, y->group->name);
}

static bool inv_equal_right(const struct inv_level *a, const struct inv_level *b)
{
	return a->rank == b->rank && a->tier == b->tier && a->group->depth == b->group->depth &&
	       a->priority == b->priority;
}

/* Those that set something, the weakest first. */
static struct inv_level *inv_levels(const struct inv *inv, uint32_t *ret_count)
{
	size_t size = (size_t)inv->group_count + inv->layer_count;
	struct inv_level *levels = xcalloc(size, sizeof *levels);
	uint32_t count = 0;

	for (uint32_t g = 0; g < inv->group_count; g++)
		if (inv->groups[g].vars)
			levels[count++] =
				(struct inv_level){.group = &inv->groups[g],
						   .vars = inv->groups[g].vars,
						   .id = g,
						   .priority = inv_priority(&inv->groups[g])};
	for (uint32_t i = 0; i < inv->layer_count; i++) {
		const struct inv_layer *layer = &inv->layers[i];
		const struct inv_group *group = &inv->groups[layer->group];

		if (layer->vars)
			levels[count++] =
				(struct inv_level){.group = group,
						   .vars = layer->vars,
						   .id = layer->group,
						   .rank = layer->group == INV_ALL ? 1 : 2,
						   .tier = layer->tier,
						   .priority = inv_priority(group)};
	}
	qsort(levels, count, sizeof *levels, inv_compare);
	*ret_count = count;
	return levels;
}

/* Levels come from the weakest to the strongest, so that each may replace what is there, unless
 * that is the host's own. */
static void inv_apply(struct inv_host *host, const struct inv_level *levels, uint32_t level)
{
	const struct inv_vars *from = levels[level].vars;
	struct inv_vars *to = host->vars;

	if (!to)
		to = host->vars = xcalloc(1, sizeof *to);
	for (size_t v = 0; v < INV_VAR_COUNT; v++) {
		uint32_t before = to->level[v];

		if (!from->at[v] || v == INV_PRIORITY || (to->at[v] && !before))
			continue;
		to->conflict[v] = 0;
		if (before && inv_equal_right(&levels[before - 1], &levels[level]) &&
		    strcmp(to->at[v], from->at[v]) != 0)
			to->conflict[v] = before;
		to->at[v] = from->at[v];
		to->level[v] = level + 1;
	}
}

/* Returns how much work it was. */
static uint64_t inv_apply_level(struct inv *inv, const struct inv_level *levels, uint32_t level,
				unsigned char *have)
{
	uint64_t work = (uint64_t)inv->host_count / 16 + inv->group_count / 2;
	const struct inv_group *at;
	struct inv_walk walk;
	uint32_t id = levels[level].id;

	if (id == INV_ALL || id == INV_REST) {
		for (uint32_t i = 0; i < inv->host_count; i++)
			if (id == INV_ALL || !inv->hosts[i].grouped)
				inv_apply(&inv->hosts[i], levels, level);
		return work + inv->host_count;
	}
	memset(have, 0, inv->host_count);
	inv_walk_begin(&walk, inv, id);
	while ((at = inv_walk_next(&walk, inv))) {
		work += at->hosts.count + at->children.count;
		for (uint32_t i = 0; i < at->hosts.count; i++)
			if (!have[at->hosts.at[i]]) {
				have[at->hosts.at[i]] = 1;
				inv_apply(&inv->hosts[at->hosts.at[i]], levels, level);
			}
	}
	return work;
}

static void inv_say_conflicts(const struct inv *inv, const struct inv_level *levels,
			      struct buf *out)
{
	uint64_t said[INV_CONFLICTS_MAX];
	size_t count = 0;

	for (uint32_t i = 0; i < inv->host_count && count < INV_CONFLICTS_MAX; i++)
		for (size_t v = 0; inv->hosts[i].vars && v < INV_VAR_COUNT; v++) {
			const struct inv_vars *vars = inv->hosts[i].vars;
			uint64_t pair = (uint64_t)vars->conflict[v] << 32 | vars->level[v];
			size_t k = 0;

			if (!vars->conflict[v] || count == INV_CONFLICTS_MAX)
				continue;
			while (k < count && said[k] != pair)
				k++;
			if (k < count)
				continue;
			said[count++] = pair;
			buf_addf(out,
				 "%s: %s is %s in group %s and %s in group %s, of equal rank: %s "
				 "holds\n",
				 inv->hosts[i].name, inv_var_name((enum inv_var)v),
				 levels[vars->conflict[v] - 1].vars->at[v],
				 levels[vars->conflict[v] - 1].group->name, vars->at[v],
				 levels[vars->level[v] - 1].group->name, vars->at[v]);
		}
}

int inv_settle(struct inv *inv, struct buf *ret_conflicts, struct errmsg *msg)
{
	uint32_t count;
	struct inv_level *levels;
	unsigned char *have;
	uint64_t work = 0;
	int rc = inv_depths(inv, msg);

	if (rc)
		return rc;
	levels = inv_levels(inv, &count);
	have = xcalloc((size_t)inv->host_count + 1, 1);
	for (uint32_t level = 0; rc == 0 && level < count; level++) {
		work += inv_apply_level(inv, levels, level, have);
		if (work > INV_WORK_MAX)
			rc = err_set(msg, ERR_LIMIT,
				     "too many variables of groups, for too many hosts");
	}
	if (rc == 0 && ret_conflicts)
		inv_say_conflicts(inv, levels, ret_conflicts);
	free(have);
	free(levels);
	return rc;
}
