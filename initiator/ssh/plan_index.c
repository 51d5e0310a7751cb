#include "plan_index.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"

#define INDEX_FIRST_SLOTS 16u

/* FNV-1a. The texts are the user's own. */
static uint64_t index_hash(const char *text)
{
	uint64_t hash = 14695981039346656037u;

	for (; *text; text++)
		hash = (hash ^ (uint8_t)*text) * 1099511628211u;
	return hash;
}

/* The slot of a text, or the free one where it belongs. */
static uint32_t *index_slot(const struct plan_index *x, const char *text)
{
	size_t at = index_hash(text) & (x->slot_count - 1);

	while (x->slots[at] && strcmp(x->texts[x->slots[at] - 1], text) != 0)
		at = (at + 1) & (x->slot_count - 1);
	return &x->slots[at];
}

static void index_grow(struct plan_index *x)
{
	free(x->slots);
	x->slot_count = x->slot_count ? x->slot_count * 2 : INDEX_FIRST_SLOTS;
	x->slots = xcalloc(x->slot_count, sizeof *x->slots);
	for (size_t i = 0; i < x->count; i++)
		*index_slot(x, x->texts[i]) = (uint32_t)i + 1;
}

size_t plan_index_find(struct plan_index *x, const char *text)
{
	uint32_t found;

	if (!x->count)
		return PLAN_INDEX_NONE;
	if (strcmp(x->texts[x->last], text) == 0)
		return x->last;
	found = *index_slot(x, text);
	if (!found)
		return PLAN_INDEX_NONE;
	x->last = found - 1;
	return x->last;
}

size_t plan_index_add(struct plan_index *x, char *text)
{
	if (x->count * 2 >= x->slot_count)
		index_grow(x);
	if (x->count == x->size) {
		x->size = x->size ? x->size * 2 : 4;
		x->texts = xrealloc(x->texts, x->size, sizeof *x->texts);
	}
	x->texts[x->count] = text;
	*index_slot(x, text) = (uint32_t)x->count + 1;
	x->last = x->count;
	return x->count++;
}

void plan_index_done(struct plan_index *x)
{
	for (size_t i = 0; i < x->count; i++)
		free(x->texts[i]);
	free(x->texts);
	free(x->slots);
	*x = (struct plan_index){0};
}
