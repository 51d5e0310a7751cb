/* Memory: who holds too much is held back, or what stands in the store too is dropped. */
#include "limits.h"
#include "results_private.h"

/* The newest chunks: who reads as it comes is about to ask for them. */
#define RESULTS_HOT 2u

/* --- holding back --------------------------------------------------------------------------- */

void results_tell(struct results *r)
{
	bool hold = r->over || r->caught;

	if (hold == r->held || r->closed)
		return;
	r->held = hold;
	r->hold(r->arg, hold);
}

static struct results_list *results_list_of(struct results *r)
{
	return r->disk ? &r->budget->queued : &r->budget->caught;
}

static void results_catch(struct results *r)
{
	if (r->caught || r->closed)
		return;
	r->caught = true;
	results_list_add(results_list_of(r), &r->held_node);
}

void results_uncatch(struct results *r)
{
	if (!r->caught)
		return;
	r->caught = false;
	results_list_remove(results_list_of(r), &r->held_node);
}

/* All that were caught go on together: who of them has anything to add is not known here, and one
 * that has nothing must not stand in the way of others. */
static void results_let_go(struct results_list *list)
{
	while (list->first) {
		struct results *r = RESULTS_OWNER(list->first, struct results, held_node);

		results_uncatch(r);
		results_tell(r);
	}
}

void results_look_for_room(struct results_budget *b)
{
	if (b->full && b->used < b->limit - b->limit / 8)
		b->full = false;
	if (!b->full)
		results_let_go(&b->caught);
}

/* --- the store's queue ---------------------------------------------------------------------- */

static void results_on_durable(void *arg, bool durable)
{
	struct results_budget *b = arg;
	struct store *store;

	/* Without a store that writes nobody goes on. */
	if (!durable || !b->queued.first)
		return;
	store = RESULTS_OWNER(b->queued.first, struct results, held_node)->disk->store;
	if (store_pending(store) < LIMIT_STORE_QUEUE / 2)
		results_let_go(&b->queued);
	else
		(void)results_wait(&b->waits, store, &b->room);
}

void results_has_stored(struct results *r)
{
	struct results_budget *b = r->budget;
	bool busy = store_pending(r->disk->store) >= LIMIT_STORE_QUEUE;

	if (b->stored_share && r->disk->bytes > b->stored_share)
		r->over = true;
	if (busy)
		results_catch(r);
	results_tell(r);
	if (!busy || b->room.ticket || !b->queued.first)
		return;
	b->room.fn = results_on_durable;
	b->room.arg = b;
	(void)results_wait(&b->waits, r->disk->store, &b->room);
}

/* --- dropping ------------------------------------------------------------------------------- */

void results_cached(struct results *r)
{
	if (!r->disk->loaded_chunks++)
		results_list_add(&r->budget->cached, &r->disk->cached);
}

void results_uncached(struct results *r)
{
	if (!--r->disk->loaded_chunks)
		results_list_remove(&r->budget->cached, &r->disk->cached);
}

void results_touch(struct results *r)
{
	if (!r->disk->loaded_chunks || r->budget->cached.last == &r->disk->cached)
		return;
	results_list_remove(&r->budget->cached, &r->disk->cached);
	results_list_add(&r->budget->cached, &r->disk->cached);
}

static bool results_is_droppable(const struct chunk *c)
{
	return c->rows && chunk_is_stored(c);
}

/* Drops chunks, the newest before those at the front, until neither the child nor all hold more
 * than this. All but the newest hot ones. */
static void results_drop(struct results *r, size_t own, size_t all, size_t hot)
{
	size_t i = r->count, stay = 0;

	for (; hot && i; hot--, i--)
		stay += results_is_droppable(results_chunk(r, i - 1));
	for (; i && r->disk->loaded_chunks > stay; i--) {
		struct chunk *c = results_chunk(r, i - 1);

		if (r->meter.used <= own && r->budget->used <= all)
			return;
		if (!results_is_droppable(c))
			continue;
		if (results_is_pinned(r, c)) {
			stay++;
			continue;
		}
		chunk_drop(c, &r->meter);
		results_uncached(r);
	}
}

/* Room for all: from who has been idle for longest. */
static void results_make_room(struct results_budget *b)
{
	size_t goal = b->limit - b->limit / 8;
	struct results_node *next;

	goal -= goal ? 1 : 0;
	for (struct results_node *n = b->cached.first; n && b->used > goal; n = next) {
		struct results_disk *disk = RESULTS_OWNER(n, struct results_disk, cached);

		next = n->next;
		results_drop(disk->results, SIZE_MAX, goal, 0);
	}
}

void results_shrink(struct results *r)
{
	struct results_budget *b = r->budget;

	/* More than was asked for, so that this is not done for each chunk. */
	if (r->meter.used > b->share)
		results_drop(r, b->share - b->share / 8, SIZE_MAX, RESULTS_HOT);
	if (b->used >= b->limit || b->full)
		results_make_room(b);
	results_look_for_room(b);
}

void results_has_grown(struct results *r)
{
	struct results_budget *b = r->budget;

	if ((b->used >= b->limit || b->full) && b->cached.first) {
		results_make_room(b);
		results_look_for_room(b);
	}
	b->full = b->full || b->used >= b->limit;
	if (r->disk)
		return;
	r->over = r->over || r->meter.used > b->share;
	if (b->full)
		results_catch(r);
	results_tell(r);
}
