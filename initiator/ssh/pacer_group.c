/* Groups of the pacer: found by name, and ordered by who waits the longest. */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "pacer_private.h"

#define GROUP_BUCKETS 64u
/* What was learnt of a bastion outlives the pause before all that it has dropped come again. */
#define GROUP_IDLE_MAX 256u
#define GROUP_IDLE_NS  UINT64_C(120000000000)

void pacer_groups_init(struct pacer_groups *g)
{
	*g = (struct pacer_groups){.bucket_count = GROUP_BUCKETS};
	g->buckets = xcalloc(g->bucket_count, sizeof(struct pacer_group *));
}

void pacer_groups_done(struct pacer_groups *g)
{
	for (size_t i = 0; i < g->bucket_count; i++) {
		for (struct pacer_group *at = g->buckets[i], *next; at; at = next) {
			next = at->next;
			free(at);
		}
	}
	free(g->buckets);
	free(g->heap);
}

/* --- by name --------------------------------------------------------------------------------- */

static uint64_t group_hash(const char *name)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * UINT64_C(1099511628211);
	return hash;
}

static struct pacer_group **group_bucket(const struct pacer_groups *g, uint64_t hash)
{
	return &g->buckets[(hash ^ hash >> 32) & (g->bucket_count - 1)];
}

static struct pacer_group *group_find(const struct pacer_groups *g, const char *name, uint64_t hash)
{
	struct pacer_group *at = *group_bucket(g, hash);

	while (at && (at->hash != hash || strcmp(at->name, name) != 0))
		at = at->next;
	return at;
}

struct pacer_group *pacer_groups_find(const struct pacer_groups *g, const char *name)
{
	return group_find(g, name, group_hash(name));
}

static void group_resize(struct pacer_groups *g, size_t count)
{
	struct pacer_groups old = *g;

	g->bucket_count = count;
	g->buckets = xcalloc(count, sizeof(struct pacer_group *));
	for (size_t i = 0; i < old.bucket_count; i++) {
		for (struct pacer_group *at = old.buckets[i], *next; at; at = next) {
			struct pacer_group **bucket = group_bucket(g, at->hash);

			next = at->next;
			at->next = *bucket;
			*bucket = at;
		}
	}
	free(old.buckets);
}

struct pacer_group *pacer_groups_get(struct pacer_groups *g, const char *name, size_t limit)
{
	uint64_t hash = group_hash(name);
	struct pacer_group *group = group_find(g, name, hash), **bucket;
	size_t size = strlen(name) + 1;

	if (group)
		return group;
	if (g->count >= g->bucket_count)
		group_resize(g, g->bucket_count * 2);
	group = xcalloc(1, sizeof *group + size);
	memcpy(group->name, name, size);
	group->hash = hash;
	group->bound.limit = limit;
	group->last = &group->first;
	bucket = group_bucket(g, hash);
	group->next = *bucket;
	*bucket = group;
	g->count++;
	return group;
}

static void group_remove(struct pacer_groups *g, struct pacer_group *group)
{
	struct pacer_group **at = group_bucket(g, group->hash);

	while (*at != group)
		at = &(*at)->next;
	*at = group->next;
	free(group);
	g->count--;
	if (g->bucket_count > GROUP_BUCKETS && g->count < g->bucket_count / 8)
		group_resize(g, g->bucket_count / 4 < GROUP_BUCKETS ? GROUP_BUCKETS
								    : g->bucket_count / 4);
}

/* --- idle ------------------------------------------------------------------------------------ */

static void group_wake(struct pacer_groups *g, struct pacer_group *group)
{
	if (!group->idle)
		return;
	*(group->newer ? &group->newer->older : &g->newest) = group->older;
	*(group->older ? &group->older->newer : &g->oldest) = group->newer;
	group->newer = group->older = NULL;
	group->idle = false;
	g->idle_count--;
}

static void group_rest(struct pacer_groups *g, struct pacer_group *group, uint64_t now)
{
	/* What the cut was for may have gone. */
	group->bound.cut_ns = now;
	group->idle = true;
	group->older = g->newest;
	*(g->newest ? &g->newest->newer : &g->oldest) = group;
	g->newest = group;
	g->idle_count++;
}

static void group_expire(struct pacer_groups *g, uint64_t now)
{
	while (g->oldest &&
	       (g->idle_count > GROUP_IDLE_MAX || now - g->oldest->bound.cut_ns > GROUP_IDLE_NS)) {
		struct pacer_group *group = g->oldest;

		group_wake(g, group);
		group_remove(g, group);
	}
}

/* --- ready: a heap --------------------------------------------------------------------------- */

static void heap_put(struct pacer_groups *g, size_t at, struct pacer_group *group)
{
	g->heap[at] = group;
	group->heap_at = at + 1;
}

static uint64_t heap_key(const struct pacer_groups *g, size_t at)
{
	return g->heap[at]->first->asked;
}

/* Puts the group, which stands at this place or is to, where it belongs. */
static void heap_settle(struct pacer_groups *g, size_t at, struct pacer_group *group)
{
	uint64_t key = group->first->asked;
	size_t child;

	while (at && heap_key(g, (at - 1) / 2) > key) {
		heap_put(g, at, g->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	while ((child = 2 * at + 1) < g->heap_count) {
		if (child + 1 < g->heap_count && heap_key(g, child + 1) < heap_key(g, child))
			child++;
		if (heap_key(g, child) >= key)
			break;
		heap_put(g, at, g->heap[child]);
		at = child;
	}
	heap_put(g, at, group);
}

static void heap_insert(struct pacer_groups *g, struct pacer_group *group)
{
	if (g->heap_count == g->heap_room) {
		g->heap_room = g->heap_room ? g->heap_room * 2 : GROUP_BUCKETS;
		g->heap = xrealloc(g->heap, g->heap_room, sizeof(struct pacer_group *));
	}
	g->heap[g->heap_count] = group;
	heap_settle(g, g->heap_count++, group);
}

static void heap_remove(struct pacer_groups *g, struct pacer_group *group)
{
	size_t at = group->heap_at - 1;
	struct pacer_group *last = g->heap[--g->heap_count];

	group->heap_at = 0;
	if (last != group)
		heap_settle(g, at, last);
}

struct pacer_group *pacer_groups_first(const struct pacer_groups *g)
{
	return g->heap_count ? g->heap[0] : NULL;
}

void pacer_groups_update(struct pacer_groups *g, struct pacer_group *group, uint64_t now)
{
	bool ready = group->first && group->in_flight < group->bound.limit;

	if (group->heap_at && !group->first)
		heap_remove(g, group);
	else if (group->heap_at && ready)
		heap_settle(g, group->heap_at - 1, group);
	else if (group->heap_at)
		heap_remove(g, group);
	else if (ready)
		heap_insert(g, group);
	if (group->first || group->in_flight) {
		group_wake(g, group);
	} else if (!group->bound.was_cut) {
		group_remove(g, group);
	} else if (!group->idle) {
		group_rest(g, group, now);
		group_expire(g, now);
	}
}
