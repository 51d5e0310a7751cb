/* Who goes by whom: from a topology, or gateways that a user names, to the parts of a job. */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "limits.h"
#include "routes.h"
#include "routes_private.h"

/* Gateways that are named in all parts together: a part has one to go by, and some to fall back on.
 */
#define ROUTES_NAMES_MAX 4096u

/* Gateways that stand for one another, and the targets behind them. */
struct routes_group {
	const char **gateways;
	size_t gateway_count;
	uint64_t *targets;
	size_t count, size;
};

/* What is to be split. */
struct routes_groups {
	struct routes_group *rows;
	size_t count;
	size_t *of; /* for each line of the topology: 1 + the group of those on its left */
};

static void routes_group_add(struct routes_group *group, uint64_t target)
{
	if (group->count == group->size) {
		group->size = group->size ? 2 * group->size : 64;
		group->targets = xrealloc(group->targets, group->size, sizeof *group->targets);
	}
	group->targets[group->count++] = target;
}

static void routes_groups_done(struct routes_groups *groups)
{
	for (size_t i = 0; i < groups->count; i++) {
		free(groups->rows[i].gateways);
		free(groups->rows[i].targets);
	}
	free(groups->rows);
	free(groups->of);
}

void routes_plan_done(struct routes_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		for (size_t k = 0; k < plan->parts[i].gateway_count; k++)
			free(plan->parts[i].gateways[k]);
		free(plan->parts[i].gateways);
		free(plan->parts[i].targets);
	}
	free(plan->parts);
	*plan = (struct routes_plan){0};
}

/* --- gateways for groups --------------------------------------------------------------------- */

static size_t routes_runs(const uint64_t *targets, size_t count)
{
	size_t runs = count > 0;

	for (size_t i = 1; i < count; i++)
		runs += targets[i] != targets[i - 1] + 1;
	return runs;
}

/* The parts of a group: as many as it has gateways, if there are so many targets. */
static size_t routes_parts_of(const struct routes_group *group)
{
	return group->count < group->gateway_count ? group->count : group->gateway_count;
}

/* The k-th part: its share of the targets, its own gateway, and those that follow it. */
static void routes_add_part(struct routes_plan *plan, const struct routes_group *group, size_t k,
			    size_t names)
{
	size_t parts = routes_parts_of(group);
	size_t from = group->count * k / parts, to = group->count * (k + 1) / parts;
	struct routes_part *part = &plan->parts[plan->count++];

	part->target_count = to - from;
	part->targets = xcalloc(to - from, sizeof *part->targets);
	memcpy(part->targets, group->targets + from, (to - from) * sizeof *part->targets);
	part->gateway_count = group->gateway_count < names ? group->gateway_count : names;
	part->gateways = xcalloc(part->gateway_count, sizeof *part->gateways);
	for (size_t i = 0; i < part->gateway_count; i++)
		part->gateways[i] = xstrdup(group->gateways[(k + i) % group->gateway_count]);
}

static int routes_check_runs(const struct routes_plan *plan, struct errmsg *msg)
{
	for (size_t i = 0; i < plan->count; i++)
		if (routes_runs(plan->parts[i].targets, plan->parts[i].target_count) >
		    ROUTES_RUNS_MAX)
			return err_set(msg, ERR_LIMIT,
				       "the hosts behind gateway %s stand among others more than "
				       "%u times; name them one behind the other, or run fewer "
				       "with --shard",
				       plan->parts[i].gateways[0], ROUTES_RUNS_MAX);
	return 0;
}

static int routes_split(struct routes_plan *plan, const struct routes_groups *groups,
			struct errmsg *msg)
{
	size_t parts = 0, names;
	int rc;

	for (size_t i = 0; i < groups->count; i++)
		parts += routes_parts_of(&groups->rows[i]);
	if (parts > LIMIT_GATEWAYS)
		return err_set(msg, ERR_LIMIT,
			       "these hosts need %zu gateways at once, and one job has at most %u; "
			       "name fewer hosts, or run them in portions with --shard",
			       parts, LIMIT_GATEWAYS);
	if (!parts)
		return 0;
	names = ROUTES_NAMES_MAX / parts;
	if (names > LIMIT_GATEWAYS)
		names = LIMIT_GATEWAYS;
	plan->parts = xcalloc(parts, sizeof *plan->parts);
	for (size_t i = 0; i < groups->count; i++)
		for (size_t k = 0; k < routes_parts_of(&groups->rows[i]); k++)
			routes_add_part(plan, &groups->rows[i], k, names);
	rc = routes_check_runs(plan, msg);
	if (rc)
		routes_plan_done(plan);
	return rc;
}

/* --- by a topology --------------------------------------------------------------------------- */

/* The first of the names that the topology knows; one that reaches others outweighs one that does
 * not. */
static size_t routes_here(const struct routes *routes, const char *hostname)
{
	size_t best = ROUTE_NONE, count = routes->here ? hostlist_count(routes->here) : 2;
	char *name = xstrdup(hostname);

	for (size_t i = 0; i < count; i++) {
		size_t node;

		if (!routes->here && i == 1)
			name[strcspn(name, ".")] = '\0';
		node = routes_node(routes,
				   routes->here ? hostlist_at(routes->here, i)->name : name);
		if (node == ROUTE_NONE)
			continue;
		if (best == ROUTE_NONE || (routes->nodes[best].left == ROUTE_NONE &&
					   routes->nodes[node].left != ROUTE_NONE))
			best = node;
	}
	free(name);
	return best;
}

static int routes_fail_here(const struct routes *routes, const char *hostname, struct errmsg *msg)
{
	const char *name = routes->here ? hostlist_at(routes->here, 0)->name : hostname;
	char shown[EXPR_QUOTE_SIZE];

	(void)expr_quote(shown, name, strlen(name));
	return err_set(
		msg, ERR_NOTFOUND,
		"%s: this computer, %s, is in no line; add the line '%s: GATEWAYS', or under "
		"[here] the line 'name: NAME' with what it is called here",
		routes->file, shown, shown);
}

/* A target whose way does not come from here. */
static int routes_fail_way(const struct routes *routes, size_t here, size_t row, const char *target,
			   struct errmsg *msg)
{
	size_t top = row;
	const char *gateway;

	while (routes->rows[top].parent != ROUTE_NONE)
		top = routes->rows[top].parent;
	gateway = hostlist_at(routes->rows[top].from, 0)->name;
	return err_set(msg, ERR_NOTFOUND,
		       "%s:%zu: %s is reached by way of %s, and no line leads there from this "
		       "computer (%s); write one, leave the host out, or use --topology none",
		       routes->file, routes->rows[row].left.line, target, gateway,
		       hostlist_at(routes->names, here)->name);
}

/* The line whose left side is the first gateway on the way from line top to the targets of row (top
 * itself: they need none), and how many there are. ROUTE_NONE: there is no way. */
static size_t routes_first_hop(const struct routes *routes, size_t top, size_t row,
			       size_t *ret_hops)
{
	size_t hop = row;

	*ret_hops = 0;
	for (; row != top; row = routes->rows[row].parent, (*ret_hops)++) {
		if (row == ROUTE_NONE)
			return ROUTE_NONE;
		hop = row;
	}
	return hop;
}

static struct routes_group *routes_group_of(struct routes_groups *groups,
					    const struct routes *routes, size_t hop)
{
	const struct hostlist *from = routes->rows[hop].from;
	struct routes_group *group;

	if (groups->of[hop])
		return &groups->rows[groups->of[hop] - 1];
	groups->rows = xrealloc(groups->rows, groups->count + 1, sizeof *groups->rows);
	group = &groups->rows[groups->count++];
	groups->of[hop] = groups->count;
	*group = (struct routes_group){.gateway_count = hostlist_count(from)};
	if (group->gateway_count > LIMIT_GATEWAYS)
		group->gateway_count = LIMIT_GATEWAYS;
	group->gateways = xcalloc(group->gateway_count, sizeof(char *));
	for (size_t i = 0; i < group->gateway_count; i++)
		group->gateways[i] =
			routes->nodes[routes_node(routes, hostlist_at(from, i)->name)].label;
	return group;
}

/* What is known of the ways from here, for each line of the topology. */
struct routes_ways {
	const struct routes *routes;
	size_t here, top;
	size_t *hops; /* 1 + how many gateways; 0: not looked at */
	size_t *first;
};

static int routes_put_target(struct routes_ways *ways, struct routes_groups *groups, size_t row,
			     size_t index, const char *target, struct errmsg *msg)
{
	const struct routes *routes = ways->routes;

	if (!ways->hops[row]) {
		ways->first[row] = routes_first_hop(routes, ways->top, row, &ways->hops[row]);
		ways->hops[row]++;
	}
	if (ways->first[row] == ROUTE_NONE)
		return routes_fail_way(routes, ways->here, row, target, msg);
	if (ways->hops[row] - 1 > LIMIT_HOPS)
		return err_set(msg, ERR_LIMIT,
			       "%s:%zu: %s lies behind more than %u gateways; let fewer stand in "
			       "between",
			       routes->file, routes->rows[row].left.line, target, LIMIT_HOPS);
	if (ways->first[row] != ways->top)
		routes_group_add(routes_group_of(groups, routes, ways->first[row]), index);
	return 0;
}

/* Fills groups, and the most hops. */
static int routes_gather(struct routes_groups *groups, struct routes_ways *ways, size_t *ret_hops,
			 const char *const *targets, size_t count, struct errmsg *msg)
{
	const struct routes *routes = ways->routes;
	size_t most = 0;

	for (size_t i = 0; i < count; i++) {
		size_t node = routes_node(routes, targets[i]);
		size_t row = node == ROUTE_NONE ? ROUTE_NONE : routes->nodes[node].right;
		int rc;

		/* What no line reaches is outside of the topology, as for ClusterShell. */
		if (row == ROUTE_NONE || node == ways->here)
			continue;
		rc = routes_put_target(ways, groups, row, i, targets[i], msg);
		if (rc)
			return rc;
		if (ways->hops[row] - 1 > most)
			most = ways->hops[row] - 1;
	}
	*ret_hops = most;
	return 0;
}

int routes_find(struct routes_plan *ret, const struct routes *routes, const char *hostname,
		const char *const *targets, size_t count, struct errmsg *msg)
{
	struct routes_groups groups = {.of = xcalloc(routes->count, sizeof(size_t))};
	struct routes_ways ways = {.routes = routes, .here = routes_here(routes, hostname)};
	struct routes_plan plan = {0};
	int rc;

	if (ways.here == ROUTE_NONE) {
		routes_groups_done(&groups);
		return routes_fail_here(routes, hostname, msg);
	}
	ways.top = routes->nodes[ways.here].left;
	ways.hops = xcalloc(routes->count, sizeof *ways.hops);
	ways.first = xcalloc(routes->count, sizeof *ways.first);
	/* A leaf reaches nobody by others. */
	rc = ways.top == ROUTE_NONE
		     ? 0
		     : routes_gather(&groups, &ways, &plan.hops, targets, count, msg);
	if (rc == 0)
		rc = routes_split(&plan, &groups, msg);
	if (rc == 0)
		*ret = plan;
	routes_groups_done(&groups);
	free(ways.hops);
	free(ways.first);
	return rc;
}

/* --- by gateways that are named -------------------------------------------------------------- */

int routes_via(struct routes_plan *ret, const struct hostlist *gateways, const char *const *targets,
	       size_t count, struct errmsg *msg)
{
	struct routes_group group = {.gateway_count = hostlist_count(gateways)};
	struct routes_groups groups = {.rows = &group, .count = 1};
	struct hostlist *names = hostlist_new();
	struct routes_plan plan = {0};
	int rc = 0;

	if (group.gateway_count > LIMIT_GATEWAYS)
		rc = err_set(msg, ERR_LIMIT, "%zu gateways, and one job has at most %u; name fewer",
			     group.gateway_count, LIMIT_GATEWAYS);
	group.gateways = xcalloc(group.gateway_count, sizeof(char *));
	for (size_t i = 0; i < group.gateway_count; i++) {
		const struct host *host = hostlist_at(gateways, i);
		struct host_text text = {.name = host->name, .name_len = strlen(host->name)};

		group.gateways[i] = host->label;
		hostlist_put(names, &text);
	}
	for (size_t i = 0; rc == 0 && group.gateway_count && i < count; i++)
		if (routes_index(names, targets[i]) == ROUTE_NONE)
			routes_group_add(&group, i);
	if (rc == 0)
		rc = routes_split(&plan, &groups, msg);
	plan.hops = plan.count > 0;
	if (rc == 0)
		*ret = plan;
	hostlist_free(names);
	free(group.gateways);
	free(group.targets);
	return rc;
}
