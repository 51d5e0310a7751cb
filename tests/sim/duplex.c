#include "duplex.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"

struct chunk {
	struct chunk *next;
	uint64_t us;
	size_t len; /* 0: the end */
	size_t cap; /* so much was counted as pending */
	uint8_t data[];
};

/* What one side has written. */
struct half {
	struct duplex *duplex;
	struct chunk *first, **last;
	uint64_t last_us;
	size_t pending;
	struct slot slot;
	bool ended;  /* the end is in it: nothing follows */
	bool silent; /* what is written is swallowed */
};

struct duplex {
	struct world *w;
	uint64_t latency_us;
	bool pieces;
	bool open[2];
	struct duplex_port port[2];
	struct half half[2]; /* by who writes */
	unsigned busy;
};

struct duplex *duplex_new(struct world *w, uint64_t latency_us, bool pieces)
{
	struct duplex *d = xcalloc(1, sizeof *d);

	d->w = w;
	d->latency_us = latency_us;
	d->pieces = pieces;
	for (unsigned i = 0; i < 2; i++) {
		d->open[i] = true;
		d->half[i].duplex = d;
		d->half[i].last = &d->half[i].first;
	}
	return d;
}

void duplex_listen(struct duplex *d, unsigned side, const struct duplex_port *port)
{
	d->port[side] = *port;
}

static void half_drop(struct half *h)
{
	while (h->first) {
		struct chunk *chunk = h->first;

		h->first = chunk->next;
		free(chunk);
	}
	h->last = &h->first;
	h->pending = 0;
	world_cancel(h->duplex->w, &h->slot);
}

static void duplex_consider(struct duplex *d)
{
	if (d->busy || d->open[0] || d->open[1])
		return;
	half_drop(&d->half[0]);
	half_drop(&d->half[1]);
	free(d);
}

/* --- coming --------------------------------------------------------------------------------- */

static void half_on_time(void *arg);

static void half_arm(struct half *h)
{
	struct world *w = h->duplex->w;

	if (h->first && !h->slot.id)
		world_set(w, &h->slot, h->first->us > w->now_us ? h->first->us - w->now_us : 0,
			  half_on_time, h);
}

/* The first chunk. The duplex is held meanwhile. */
static void half_deliver(struct half *h)
{
	struct duplex *d = h->duplex;
	unsigned from = h == &d->half[1], to = !from;
	struct chunk *chunk = h->first;

	h->first = chunk->next;
	if (!h->first)
		h->last = &h->first;
	h->pending -= chunk->cap;
	if (!d->open[to])
		;
	else if (chunk->len)
		d->port[to].data(d->port[to].arg, chunk->data, chunk->len);
	else
		d->port[to].eof(d->port[to].arg);
	if (chunk->len && d->open[from] && d->port[from].room)
		d->port[from].room(d->port[from].arg);
	free(chunk);
}

static void half_on_time(void *arg)
{
	struct half *h = arg;
	struct duplex *d = h->duplex;

	d->busy++;
	/* It may have been drained. */
	if (h->first && h->first->us <= d->w->now_us)
		half_deliver(h);
	half_arm(h);
	d->busy--;
	duplex_consider(d);
}

void duplex_drain(struct duplex *d, unsigned side)
{
	struct half *h = &d->half[side];

	d->busy++;
	while (h->first && h->first->len)
		half_deliver(h);
	d->busy--;
	duplex_consider(d);
}

/* --- going ---------------------------------------------------------------------------------- */

static void half_add(struct half *h, const uint8_t *data, size_t len, uint64_t us)
{
	struct chunk *chunk = xcalloc(1, sizeof *chunk + len);

	us += h->duplex->w->now_us;
	if (us < h->last_us)
		us = h->last_us;
	h->last_us = us;
	chunk->us = us;
	chunk->len = chunk->cap = len;
	if (len)
		memcpy(chunk->data, data, len);
	*h->last = chunk;
	h->last = &chunk->next;
	h->pending += len;
	half_arm(h);
}

static void half_end(struct half *h, uint64_t us)
{
	if (h->ended)
		return;
	h->ended = true;
	half_add(h, NULL, 0, us);
}

void duplex_write(struct duplex *d, unsigned side, const void *data, size_t len)
{
	struct half *h = &d->half[side];
	const uint8_t *p = data;

	if (h->ended || h->silent)
		return;
	while (len) {
		size_t n = d->pieces && world_chance(d->w, 20) ? 1 + world_roll(d->w, len) : len;

		half_add(h, p, n, world_between(d->w, d->latency_us / 2, d->latency_us));
		p += n;
		len -= n;
	}
}

void duplex_close(struct duplex *d, unsigned side)
{
	if (!d->half[side].silent)
		half_end(&d->half[side], d->latency_us);
	d->open[side] = false;
	duplex_consider(d);
}

/* Bytes under way from the end on, as if they had never been written. */
static void half_cut(struct half *h)
{
	uint64_t keep = world_roll(h->duplex->w, h->pending + 1);
	struct chunk **at = &h->first;

	while (*at) {
		struct chunk *chunk = *at;

		if (chunk->len && keep) {
			chunk->len = chunk->len < keep ? chunk->len : (size_t)keep;
			keep -= chunk->len;
			at = &chunk->next;
			continue;
		}
		*at = chunk->next;
		h->pending -= chunk->cap;
		free(chunk);
	}
	h->last = at;
	if (!h->first)
		world_cancel(h->duplex->w, &h->slot);
}

void duplex_reset(struct duplex *d, unsigned side)
{
	if (!d->half[side].ended && world_chance(d->w, 50))
		half_cut(&d->half[side]);
	duplex_close(d, side);
}

size_t duplex_pending(const struct duplex *d, unsigned side)
{
	return d->half[side].pending;
}

/* --- faults --------------------------------------------------------------------------------- */

void duplex_cut(struct duplex *d, const uint64_t told_us[2])
{
	for (unsigned side = 0; side < 2; side++) {
		struct half *h = &d->half[side];

		if (h->ended)
			continue;
		half_cut(h);
		/* What is left of it may come late: behind what a new connection brings. */
		if (world_chance(d->w, 50))
			for (struct chunk *c = h->first; c; c = c->next)
				c->us += told_us[!side] / 2;
		world_cancel(d->w, &h->slot);
		half_arm(h);
		if (h->first)
			h->last_us += told_us[!side] / 2;
		half_end(h, told_us[!side]);
	}
}

void duplex_silence(struct duplex *d, uint64_t told_us)
{
	for (unsigned side = 0; side < 2; side++) {
		half_drop(&d->half[side]);
		d->half[side].silent = true;
	}
	d->half[0].ended = false;
	half_end(&d->half[0], told_us);
}
