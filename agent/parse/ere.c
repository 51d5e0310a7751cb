#include "ere.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "ere_private.h"

static void ere_list_new(struct ere_list *list, const struct ere *e)
{
	list->places = xcalloc(e->count, sizeof *list->places);
	list->slots = xcalloc(e->count * e->slot_count, sizeof *list->slots);
}

static void ere_list_free(struct ere_list *list)
{
	free(list->places);
	free(list->slots);
}

int ere_new(struct ere **ret, const char *pattern, struct errmsg *msg)
{
	struct ere *e = xcalloc(1, sizeof *e);
	int rc = ere_build(e, pattern, msg);

	if (rc == 0 && e->count * e->slot_count > ERE_SLOTS_MAX)
		rc = err_set(msg, ERR_RANGE, "pattern: too large, with so many groups");
	if (rc < 0) {
		ere_free(e);
		return rc;
	}
	e->code = xrealloc(e->code, e->count, sizeof *e->code);
	ere_list_new(&e->now, e);
	ere_list_new(&e->next, e);
	e->seen = xcalloc(e->count, sizeof *e->seen);
	/* Each place is entered once in a step, and leaves at most two others to do. */
	e->todo = xcalloc(2 * e->count + 1, sizeof *e->todo);
	e->walk = xcalloc(e->slot_count, sizeof *e->walk);
	e->best = xcalloc(e->slot_count, sizeof *e->best);
	*ret = e;
	return 0;
}

void ere_free(struct ere *e)
{
	if (!e)
		return;
	free(e->code);
	free(e->sets);
	ere_list_free(&e->now);
	ere_list_free(&e->next);
	free(e->seen);
	free(e->todo);
	free(e->walk);
	free(e->best);
	free(e);
}

/* A place that takes a byte, or is the end, is a thread of its own. */
static void ere_list_add(struct ere *e, struct ere_list *list, size_t place)
{
	list->places[list->count++] = (uint16_t)place;
	memcpy(list->slots + place * e->slot_count, e->walk, e->slot_count * sizeof *e->walk);
}

/* What is to be done behind a place, the first on top. Returns the new height of the stack. */
static size_t ere_follow(struct ere *e, struct ere_list *list, size_t place, size_t n, uint32_t pos,
			 bool at_end)
{
	const struct ere_code *c = &e->code[place];

	switch ((enum ere_op)c->op) {
	case ERE_SPLIT:
		e->todo[n++].place = (uint16_t)((int)place + c->y);
		e->todo[n++].place = (uint16_t)((int)place + c->x);
		break;
	case ERE_JUMP:
		e->todo[n++].place = (uint16_t)((int)place + c->x);
		break;
	case ERE_SAVE:
		e->todo[n++] = (struct ere_todo){(uint16_t)e->count, c->arg, e->walk[c->arg]};
		e->walk[c->arg] = pos;
		e->todo[n++].place = (uint16_t)(place + 1);
		break;
	case ERE_BEGIN:
		if (pos == 0)
			e->todo[n++].place = (uint16_t)(place + 1);
		break;
	case ERE_END:
		if (at_end)
			e->todo[n++].place = (uint16_t)(place + 1);
		break;
	case ERE_BYTE:
	case ERE_ANY:
	case ERE_SET:
	case ERE_MATCH:
		ere_list_add(e, list, place);
		break;
	}
	return n;
}

/* Adds the place, or what can be reached from it without a byte; with the slots in walk. */
static void ere_enter(struct ere *e, struct ere_list *list, size_t place, uint32_t pos, bool at_end)
{
	size_t n = 0;

	e->todo[n++].place = (uint16_t)place;
	while (n) {
		struct ere_todo todo = e->todo[--n];

		if (todo.place == e->count) {
			e->walk[todo.slot] = todo.old;
		} else if (e->seen[todo.place] != e->step) {
			e->seen[todo.place] = e->step;
			n = ere_follow(e, list, todo.place, n, pos, at_end);
		}
	}
}

static bool ere_takes(const struct ere *e, const struct ere_code *c, uint8_t byte)
{
	if (c->op == ERE_SET)
		return e->sets[c->arg].bits[byte / 8] >> byte % 8 & 1;
	return c->op == ERE_ANY || (c->op == ERE_BYTE && c->arg == byte);
}

/* Leftmost, then longest. */
static bool ere_is_better(const struct ere *e, bool found, const uint32_t *slots)
{
	return !found || slots[0] < e->best[0] || (slots[0] == e->best[0] && slots[1] > e->best[1]);
}

/* All threads take the byte, if there is one. Returns whether there is a match up to here. */
static bool ere_step(struct ere *e, bool found, const uint8_t *byte, uint32_t pos, bool at_end)
{
	size_t bytes = e->slot_count * sizeof *e->walk;

	e->next.count = 0;
	e->step++;
	for (size_t i = 0; i < e->now.count; i++) {
		size_t place = e->now.places[i];
		const uint32_t *slots = e->now.slots + place * e->slot_count;

		if (found && slots[0] > e->best[0])
			continue;
		if (e->code[place].op == ERE_MATCH) {
			if (ere_is_better(e, found, slots))
				memcpy(e->best, slots, bytes);
			found = true;
		} else if (byte && ere_takes(e, &e->code[place], *byte)) {
			memcpy(e->walk, slots, bytes);
			ere_enter(e, &e->next, place + 1, pos + 1, at_end);
		}
	}
	return found;
}

/* A match may begin here too, if no better one did before. */
static void ere_begin(struct ere *e, uint32_t pos, size_t len)
{
	memset(e->walk, 0xff, e->slot_count * sizeof *e->walk);
	ere_enter(e, &e->now, 0, pos, pos == len);
}

bool ere_find(struct ere *e, const uint8_t *text, size_t len, struct ere_span *ret_spans,
	      size_t count)
{
	bool found = false;

	e->now.count = 0;
	e->step = 1;
	memset(e->seen, 0, e->count * sizeof *e->seen);
	for (uint32_t pos = 0; pos <= len; pos++) {
		struct ere_list list;

		if (!found)
			ere_begin(e, pos, len);
		else if (!e->now.count)
			break;
		found = ere_step(e, found, pos < len ? &text[pos] : NULL, pos, pos + 1 == len);
		list = e->now;
		e->now = e->next;
		e->next = list;
	}
	for (size_t i = 0; i < count && found; i++) {
		bool there = 2 * i + 1 < e->slot_count && e->best[2 * i + 1] != ERE_NONE;

		ret_spans[i].begin = there ? e->best[2 * i] : ERE_NONE;
		ret_spans[i].end = there ? e->best[2 * i + 1] : ERE_NONE;
	}
	return found;
}
