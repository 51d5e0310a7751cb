/*
 * From the store into memory. Of a child one chunk at a time is read, and of all children not too
 * many: the others wait for their turn. What somebody has asked for stays until it was looked at,
 * however little memory there is, or nobody would ever get anywhere.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "alloc.h"
#include "log.h"
#include "results_private.h"

#define RESULTS_READS 32u /* at once */
#define RESULTS_AHEAD 4u  /* chunks behind the one that is looked at */

_Static_assert(RESULTS_PINS >= RESULTS_READS, "what is asked for together stays together");

struct results_load {
	struct results *results;
	struct store_read *read; /* NULL: nothing is read, or its turn has not come */
	struct results_node wanted;
	uint64_t first;	  /* of the chunk that is read, or is to be; 0: none */
	uint64_t next;	  /* of the chunk that somebody needs after that; 0: none */
	uint64_t pinned;  /* of the chunk that stays; 0: none */
	uint64_t at;	  /* of the chunk that was looked at, or asked for */
	uint32_t streams; /* of those who ask */
	uint32_t pin;	  /* its place in the budget's pins */
	bool needed;	  /* not read ahead: somebody waits for this very chunk */
	bool asked;	  /* somebody waits until something was read */
};

static struct results_load *load_need(struct results *r)
{
	if (!r->disk->load) {
		r->disk->load = xcalloc(1, sizeof *r->disk->load);
		r->disk->load->results = r;
	}
	return r->disk->load;
}

static void load_consider_freeing(struct results *r)
{
	struct results_load *load = r->disk->load;

	if (!load || load->first || load->pinned)
		return;
	free(load);
	r->disk->load = NULL;
}

/* --- pins ----------------------------------------------------------------------------------- */

bool results_is_pinned(const struct results *r, const struct chunk *c)
{
	return r->disk->load && r->disk->load->pinned == c->first;
}

static void load_unpin(struct results_load *load)
{
	if (!load->pinned)
		return;
	load->results->budget->pins[load->pin] = NULL;
	load->pinned = 0;
}

static void load_pin(struct results_load *load, const struct chunk *c)
{
	struct results_budget *b = load->results->budget;
	struct results *oldest = b->pins[b->pin];

	if (load->pinned) {
		load->pinned = c->first;
		return;
	}
	if (oldest) {
		load_unpin(oldest->disk->load);
		load_consider_freeing(oldest);
	}
	load->pinned = c->first;
	load->pin = (uint32_t)b->pin;
	b->pins[b->pin] = load->results;
	b->pin = (b->pin + 1) % RESULTS_PINS;
}

/* --- reading -------------------------------------------------------------------------------- */

static void load_on_read(void *arg, int rc, const struct store_frame *frame);

/* The chunk, if it is still to be read; otherwise NULL. */
static struct chunk *load_chunk(const struct results_load *load, uint64_t first)
{
	struct results *r = load->results;
	size_t i = results_index(r, first);
	struct chunk *c = i < r->count ? results_chunk(r, i) : NULL;

	return c && c->first == first && !c->rows && chunk_is_stored(c) ? c : NULL;
}

static void load_begin(struct results_load *load, const struct chunk *c)
{
	load->results->budget->reading++;
	load->read = store_read(load->results->disk->store, results_place(load->results, c),
				load_on_read, load);
}

static void load_start(struct results_load *load, uint32_t streams, const struct chunk *c)
{
	struct results_budget *b = load->results->budget;

	load->first = c->first;
	load->streams = streams;
	if (b->reading < RESULTS_READS)
		load_begin(load, c);
	else
		results_list_add(&b->wanted, &load->wanted);
}

void results_load(struct results *r, uint32_t streams, const struct chunk *c)
{
	struct results_load *load = load_need(r);

	load->asked = true;
	/* If another one is being read, who asks is told then too, and asks again. */
	if (load->first && load->first != c->first) {
		load->next = c->first;
		return;
	}
	load->needed = true;
	load->at = c->first;
	if (!load->first)
		load_start(load, streams, c);
}

/* Nothing is being read: is there room to read on, so that nobody has to wait for it? */
static void load_more(struct results *r, uint32_t streams, size_t index)
{
	const struct results_budget *b = r->budget;

	if (b->full || b->reading >= RESULTS_READS / 2 || b->used >= b->limit - b->limit / 4 ||
	    r->meter.used >= b->share - b->share / 4)
		return;
	for (size_t i = index + 1; i <= index + RESULTS_AHEAD && i < r->count; i++) {
		const struct chunk *c = results_chunk(r, i);

		for (size_t s = 0; s < STREAM_COUNT && !c->rows && c->unread; s++) {
			struct results_load *load;

			if (!c->streams[s] || !(streams >> s & 1))
				continue;
			load = load_need(r);
			load->at = results_chunk(r, index)->first;
			load_start(load, streams, c);
			return;
		}
	}
}

void results_load_ahead(struct results *r, uint32_t streams, size_t index)
{
	struct results_load *load = r->disk->load;
	const struct chunk *c = results_chunk(r, index);

	if (load && load->pinned == c->first)
		load_unpin(load);
	if (load && load->first)
		load->at = c->first;
	else if (r->disk->loaded_chunks + r->is_open < r->count - r->gone)
		load_more(r, streams, index);
	load_consider_freeing(r);
}

/* Nothing is being read: what is needed comes first. */
static void load_go_on(struct results_load *load)
{
	struct results *r = load->results;
	struct chunk *c = load->next ? load_chunk(load, load->next) : NULL;
	size_t at = results_index(r, load->at);

	load->next = 0;
	if (c) {
		load->needed = true;
		load->at = c->first;
		load_start(load, load->streams, c);
	} else if (at < r->count) {
		load_more(r, load->streams, at);
	}
}

/* Whose turn has come. */
static void load_pump(struct results_budget *b)
{
	while (b->wanted.first && b->reading < RESULTS_READS) {
		struct results_load *load =
			RESULTS_OWNER(b->wanted.first, struct results_load, wanted);
		struct results *r = load->results;
		const struct chunk *c = load_chunk(load, load->first);
		bool asked = load->asked;

		results_list_remove(&b->wanted, &load->wanted);
		if (c) {
			load_begin(load, c);
			continue;
		}
		load->first = 0;
		load->asked = load->needed = false;
		load_go_on(load);
		load_consider_freeing(r);
		if (asked)
			r->disk->loaded(r->arg);
	}
}

void results_load_free(struct results *r)
{
	struct results_budget *b = r->budget;
	struct results_load *load = r->disk->load;

	if (!load)
		return;
	if (load->read) {
		store_read_cancel(load->read);
		b->reading--;
	} else if (load->first) {
		results_list_remove(&b->wanted, &load->wanted);
	}
	load_unpin(load);
	free(load);
	r->disk->load = NULL;
	load_pump(b);
}

/* --- what was read -------------------------------------------------------------------------- */

/* After a restart it is only known now where a line is not whole. */
static void load_open_lines(struct results *r, const struct chunk *c)
{
	uint64_t open[STREAM_COUNT];
	bool is_end = false;

	for (size_t s = 0; s < STREAM_COUNT; s++)
		is_end = is_end || (c->streams[s] && results_stream(r, s)->last <= chunk_last(c));
	if (!is_end)
		return;
	chunk_open_lines(c, open);
	for (size_t s = 0; s < STREAM_COUNT; s++) {
		struct results_stream *st = results_stream(r, s);

		if (c->streams[s] && !st->open && st->last <= chunk_last(c))
			st->open = open[s];
	}
}

/* Returns false if there is nothing unread in it: it has gone. */
static bool load_take(struct results *r, struct chunk *c)
{
	uint64_t read[STREAM_COUNT];
	size_t unread;

	results_cached(r);
	results_touch(r);
	load_open_lines(r, c);
	results_marks(r, read);
	unread = chunk_unread(c, read);
	r->unread -= c->unread - unread;
	c->unread = (uint16_t)unread;
	if (unread)
		return true;
	results_mark(r);
	results_chunk_gone(r, c);
	results_tidy(r);
	return false;
}

static void load_lose(struct results *r, struct chunk *c, int rc)
{
	char text[160];

	(void)snprintf(text, sizeof text,
		       "%u records, of those from %" PRIu64 " to %" PRIu64
		       ", cannot be read from the store: %s",
		       c->unread, c->first, chunk_last(c),
		       rc == ERR_PROTO ? "they are damaged, and lost" : "reading has failed");
	log_warn("child %" PRIu64 ": %s", r->disk->child, text);
	/* What may be whole is not thrown away. */
	if (rc != ERR_PROTO)
		c->place = (struct chunk_place){0};
	results_chunk_gone(r, c);
	results_tidy(r);
	results_warn(r, text);
}

static bool load_is_it(const struct results *r, const struct chunk *c,
		       const struct store_frame *frame)
{
	return frame->child == r->disk->child && frame->first == c->first &&
	       frame->count == c->count;
}

static void load_on_read(void *arg, int rc, const struct store_frame *frame)
{
	struct results_load *load = arg;
	struct results *r = load->results;
	struct chunk *c = load_chunk(load, load->first);
	bool asked = load->asked, needed = load->needed;

	r->budget->reading--;
	load->read = NULL;
	load->first = 0;
	load->asked = load->needed = false;
	if (c && !rc &&
	    (!load_is_it(r, c, frame) || !chunk_load(c, &r->meter, frame->rows, frame->len)))
		rc = ERR_PROTO;
	if (c && rc)
		load_lose(r, c, rc);
	else if (c && load_take(r, c) && needed)
		load_pin(load, c);
	results_shrink(r);
	load_pump(r->budget);
	load_go_on(load);
	load_consider_freeing(r);
	if (asked)
		r->disk->loaded(r->arg);
}
