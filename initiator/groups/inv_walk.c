/* What is in a group, directly and by way of other groups. */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "inv_private.h"

void inv_walk_begin(struct inv_walk *walk, const struct inv *inv, uint32_t group)
{
	walk->stack = xcalloc(inv->group_count, sizeof *walk->stack);
	walk->seen = xcalloc(inv->group_count, 1);
	walk->stack[0] = group;
	walk->seen[group] = 1;
	walk->depth = 1;
}

const struct inv_group *inv_walk_next(struct inv_walk *walk, const struct inv *inv)
{
	const struct inv_group *group;

	if (!walk->depth) {
		free(walk->stack);
		free(walk->seen);
		return NULL;
	}
	group = &inv->groups[walk->stack[--walk->depth]];
	/* Each group is on the stack once, so that it cannot overflow. */
	for (uint32_t i = group->children.count; i-- > 0;) {
		uint32_t child = group->children.at[i];

		if (!walk->seen[child]) {
			walk->seen[child] = 1;
			walk->stack[walk->depth++] = child;
		}
	}
	return group;
}

static void inv_put_host(const struct inv *inv, uint32_t host, struct buf *out)
{
	const char *name = inv->hosts[host].name;
	bool v6 = strchr(name, ':') != NULL;

	if (v6)
		buf_add_char(out, '[');
	buf_add_str(out, name);
	buf_add_str(out, v6 ? "]\n" : "\n");
}

void inv_members(const struct inv *inv, uint32_t group, struct buf *out)
{
	const struct inv_group *at;
	struct inv_walk walk;
	unsigned char *have;

	if (group == INV_ALL || group == INV_REST) {
		for (uint32_t i = 0; i < inv->host_count; i++)
			if (group == INV_ALL || !inv->hosts[i].grouped)
				inv_put_host(inv, i, out);
		return;
	}
	have = xcalloc(inv->host_count + 1, 1);
	inv_walk_begin(&walk, inv, group);
	while ((at = inv_walk_next(&walk, inv)))
		for (uint32_t i = 0; i < at->hosts.count; i++)
			if (!have[at->hosts.at[i]]) {
				have[at->hosts.at[i]] = 1;
				inv_put_host(inv, at->hosts.at[i], out);
			}
	free(have);
}

void inv_list(const struct inv *inv, struct buf *out)
{
	for (uint32_t i = 0; i < inv->group_count; i++) {
		const char *name = inv->groups[i].name;

		if (!strpbrk(name, ",!&^@[]:*? \t\r"))
			buf_addf(out, "%s\n", name);
	}
}

void inv_reverse(const struct inv *inv, uint32_t host, struct buf *out)
{
	for (uint32_t group = 0; group < inv->group_count; group++) {
		const struct inv_group *at;
		struct inv_walk walk;
		bool found = group == INV_ALL || (group == INV_REST && !inv->hosts[host].grouped);

		inv_walk_begin(&walk, inv, group);
		while ((at = inv_walk_next(&walk, inv)))
			for (uint32_t i = 0; i < at->hosts.count && !found; i++)
				found = at->hosts.at[i] == host;
		if (found)
			buf_addf(out, "%s\n", inv->groups[group].name);
	}
}

/* Of the groups that inv_depths has left over, each is in one that is left over, too: whatever is
 * followed upwards comes round in the end. */
static int inv_say_loop(const struct inv *inv, const uint32_t *parents, struct errmsg *msg)
{
	uint32_t *up = xcalloc(inv->group_count, sizeof *up);
	uint32_t at = 0, first;
	struct buf chain = {0};
	int rc;

	for (uint32_t g = 0; g < inv->group_count; g++)
		for (uint32_t i = 0; parents[g] && i < inv->groups[g].children.count; i++)
			up[inv->groups[g].children.at[i]] = g;
	while (!parents[at])
		at++;
	for (uint32_t i = 0; i < inv->group_count; i++) /* far enough to be in the loop */
		at = up[at];
	first = at;
	buf_add_str(&chain, inv->groups[first].name);
	do {
		at = up[at];
		buf_addf(&chain, " in %s", inv->groups[at].name);
	} while (at != first && chain.len < ERRMSG_MAX);
	rc = err_set(msg, ERR_SYNTAX, "groups in a loop: %s", buf_cstr(&chain));
	buf_done(&chain);
	free(up);
	return rc;
}

/* Top groups first; a group follows when all that it is in are done. */
int inv_depths(struct inv *inv, struct errmsg *msg)
{
	uint32_t *parents = xcalloc(inv->group_count, sizeof *parents);
	uint32_t *queue = xcalloc(inv->group_count, sizeof *queue);
	uint32_t tail = 0, head = 0;
	int rc = 0;

	for (uint32_t g = 0; g < inv->group_count; g++) {
		inv->groups[g].depth = g != INV_ALL; /* all others are in "all" */
		for (uint32_t i = 0; i < inv->groups[g].children.count; i++)
			parents[inv->groups[g].children.at[i]]++;
	}
	for (uint32_t g = 0; g < inv->group_count; g++)
		if (!parents[g])
			queue[tail++] = g;
	while (head < tail) {
		const struct inv_group *group = &inv->groups[queue[head++]];

		for (uint32_t i = 0; i < group->children.count; i++) {
			struct inv_group *child = &inv->groups[group->children.at[i]];

			if (child->depth < group->depth + 1)
				child->depth = group->depth + 1;
			if (!--parents[group->children.at[i]])
				queue[tail++] = group->children.at[i];
		}
	}
	if (tail < inv->group_count)
		rc = inv_say_loop(inv, parents, msg);
	free(parents);
	free(queue);
	return rc;
}
