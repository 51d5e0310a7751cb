#include "world.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "alloc.h"

struct event {
	uint64_t us;
	uint64_t order; /* of those at the same time; its id too */
	event_fn *fn;
	void *arg;
	struct slot *slot;
};

static const char *const fault_names[FAULT_COUNT] = {
#define X(name, text) [FAULT_##name] = (text),
	SIM_FAULTS(X)
#undef X
};

static const char *const sabotage_names[SABOTAGE_COUNT] = {
	[SABOTAGE_NONE] = "none",
	[SABOTAGE_ACK_EARLY] = "ack-early",
	[SABOTAGE_APPEND_TWICE] = "append-twice",
	[SABOTAGE_DROP_FRAME] = "drop-frame",
	[SABOTAGE_START_TWICE] = "start-twice",
	[SABOTAGE_SKIP_DAMAGE] = "skip-damage",
};

const char *fault_name(enum fault fault)
{
	return fault_names[fault];
}

const char *sabotage_name(enum sabotage sabotage)
{
	return sabotage_names[sabotage];
}

/* --- chance --------------------------------------------------------------------------------- */

uint64_t mix(uint64_t z)
{
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

uint64_t world_roll(struct world *w, uint64_t below)
{
	return mix(w->chance += 0x9e3779b97f4a7c15u) % below;
}

bool world_chance(struct world *w, unsigned percent)
{
	return world_roll(w, 100) < percent;
}

uint64_t world_between(struct world *w, uint64_t from, uint64_t to)
{
	return from + world_roll(w, to - from + 1);
}

/* --- the queue ------------------------------------------------------------------------------ */

static bool event_before(const struct event *a, const struct event *b)
{
	return a->us != b->us ? a->us < b->us : a->order < b->order;
}

static void heap_swap(struct world *w, size_t a, size_t b)
{
	struct event event = w->heap[a];

	w->heap[a] = w->heap[b];
	w->heap[b] = event;
}

static void heap_sink(struct world *w, size_t i)
{
	for (;;) {
		size_t least = i;

		for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < w->count; child++)
			if (event_before(&w->heap[child], &w->heap[least]))
				least = child;
		if (least == i)
			return;
		heap_swap(w, i, least);
		i = least;
	}
}

void world_set(struct world *w, struct slot *slot, uint64_t us, event_fn *fn, void *arg)
{
	size_t i = w->count;

	world_cancel(w, slot);
	if (w->count == w->room) {
		w->room = w->room ? w->room * 2 : 64;
		w->heap = xrealloc(w->heap, w->room, sizeof *w->heap);
	}
	w->heap[w->count++] = (struct event){w->now_us + us, ++w->order, fn, arg, slot};
	slot->id = w->order;
	for (; i && event_before(&w->heap[i], &w->heap[(i - 1) / 2]); i = (i - 1) / 2)
		heap_swap(w, i, (i - 1) / 2);
}

/* Only a few are set at a time. */
void world_cancel(struct world *w, struct slot *slot)
{
	for (size_t i = 0; slot->id && i < w->count; i++) {
		if (w->heap[i].order != slot->id)
			continue;
		w->heap[i].fn = NULL;
		w->heap[i].slot = NULL;
		slot->id = 0;
	}
}

bool world_step(struct world *w, uint64_t until_us)
{
	while (w->count) {
		struct event event = w->heap[0];

		if (event.fn && event.us > until_us)
			return false;
		w->heap[0] = w->heap[--w->count];
		heap_sink(w, 0);
		if (!event.fn)
			continue;
		w->now_us = event.us;
		event.slot->id = 0;
		event.fn(event.arg);
		return true;
	}
	return false;
}

/* --- the rest ------------------------------------------------------------------------------- */

void world_init(struct world *w, uint64_t seed)
{
	w->seed = seed;
	w->chance = mix(seed + 1);
	/* So that a difference of 0 is never taken for "not set". */
	w->now_us = 5 * SEC;
	w->wall_ns = 1700000000000000000u;
}

void world_done(struct world *w)
{
	free(w->heap);
	w->heap = NULL;
}

__attribute__((format(printf, 2, 0))) static void world_say(const struct world *w, const char *fmt,
							    va_list ap)
{
	(void)printf("%10.3f  ", (double)w->now_us / SEC);
	(void)vprintf(fmt, ap);
	(void)putchar('\n');
}

void world_fail(struct world *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (!w->failed)
		(void)vsnprintf(w->why, sizeof w->why, fmt, ap);
	w->failed = true;
	va_end(ap);
	world_trace(w, "FAILED: %s", w->why);
}

void world_trace(struct world *w, const char *fmt, ...)
{
	va_list ap;

	if (!w->verbose)
		return;
	va_start(ap, fmt);
	world_say(w, fmt, ap);
	va_end(ap);
}

void world_count(struct world *w, enum fault fault)
{
	w->counts[fault]++;
}
