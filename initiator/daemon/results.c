/* The life of the results of a child: what is added, and where it goes. */
#include "results.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "limits.h"
#include "log.h"
#include "results_private.h"

/* An agent sends what it has once it is a batch, so with the last record that comes to more. What
 * it has sent together must be stored together: with its number, or not at all. */
#define RESULTS_FRAME_SIZE (2 * LIMIT_RECORDS_BATCH)

_Static_assert(RESULTS_FRAME_SIZE + LIMIT_TYPED_VALUE + 4096 < LIMIT_FRAME_BODY,
	       "what is stored together fits into a frame");

struct results *results_new(const struct results_spec *spec)
{
	struct results *r = xcalloc(1, sizeof *r);

	r->budget = spec->budget;
	r->meter.all = &spec->budget->used;
	r->hold = spec->hold;
	r->arg = spec->arg;
	if (!spec->store)
		return r;
	r->disk = xcalloc(1, sizeof *r->disk);
	*r->disk = (struct results_disk){.results = r,
					 .store = spec->store,
					 .child = spec->child,
					 .loaded = spec->loaded,
					 .marked = spec->marked};
	return r;
}

void results_free(struct results *r)
{
	struct results_budget *b;

	if (!r)
		return;
	b = r->budget;
	r->closed = true;
	results_uncatch(r);
	if (r->disk) {
		results_load_free(r);
		if (r->disk->loaded_chunks)
			results_list_remove(&b->cached, &r->disk->cached);
		free(r->disk);
	}
	results_index_free(r);
	free(r);
	results_look_for_room(b);
}

bool results_is_stored(const struct results *r)
{
	return r->disk;
}

/* --- storing -------------------------------------------------------------------------------- */

/* No more is added to the last chunk. */
static void results_close_chunk(struct results *r)
{
	if (!r->is_open)
		return;
	r->is_open = false;
	r->nodes = 0;
	chunk_trim(results_chunk(r, r->count - 1), &r->meter);
}

void results_flush(struct results *r, uint64_t remote_seq)
{
	struct store_frame frame = {.remote_seq = remote_seq};
	struct chunk *c;

	if (!r->disk || !r->is_open)
		return;
	results_close_chunk(r);
	c = results_chunk(r, r->count - 1);
	frame.child = r->disk->child;
	frame.first = c->first;
	frame.count = c->count;
	for (size_t s = 0; s < STREAM_COUNT; s++)
		frame.streams[s] = c->streams[s];
	frame.rows = c->rows->data;
	frame.len = c->rows->len;
	results_set_place(r, c, store_append(r->disk->store, &frame));
	results_cached(r);
	results_touch(r);
	if (!c->unread) {
		results_chunk_gone(r, c);
		results_tidy(r);
	}
	results_shrink(r);
	results_has_stored(r);
}

/* --- adding --------------------------------------------------------------------------------- */

/* The chunk that a record of so many bytes goes to. */
static struct chunk *results_open_chunk(struct results *r, size_t len)
{
	size_t max = r->disk ? RESULTS_FRAME_SIZE : LIMIT_RECORDS_BATCH;
	struct chunk *c;

	if (r->is_open) {
		c = results_chunk(r, r->count - 1);
		/* In memory the record must fit; in a frame the one that is too much goes too. */
		len = r->disk ? 0 : len + RECORD_HEAD_MAX + RECORD_TAIL_MAX;
		if (!chunk_is_full(c, r->nodes) && c->rows->len + len <= max)
			return c;
		if (r->disk)
			results_flush(r, 0);
		else
			results_close_chunk(r);
	}
	c = results_push(r);
	c->first = r->last_seq + 1;
	r->is_open = true;
	return c;
}

/* Also of a child that is closed. */
static void results_put(struct results *r, const struct record *record)
{
	struct chunk *c = results_open_chunk(r, record->len);
	struct results_stream *st;

	st = results_stream(r, (size_t)record->stream);
	if (!st)
		st = results_need_stream(r, (size_t)record->stream);
	if (st->last <= st->read)
		st->open = 0;
	st->last = ++r->last_seq;
	if (!(record->flags & RECORD_CONTINUES))
		st->open = 0;
	else if (!st->open)
		st->open = r->last_seq;
	chunk_add(c, &r->meter, record);
	r->nodes += record->is_typed ? record->nodes : 0;
	r->unread++;
	results_has_grown(r);
}

void results_add(struct results *r, const struct record *record)
{
	if (r->closed || record->stream >= STREAM_COUNT ||
	    record->len > (record->is_typed ? LIMIT_TYPED_VALUE : LIMIT_RECORD_VALUE))
		abort();
	results_put(r, record);
}

void results_warn(struct results *r, const char *text)
{
	struct record record = {.stream = STREAM_WARNING,
				.time_ns = clock_wall_ns(),
				.value = (const uint8_t *)text,
				.len = strlen(text),
				.is_text = true};
	bool was_open = r->is_open;

	results_put(r, &record);
	/* What is being collected from an agent must not be torn apart. */
	if (!was_open)
		results_flush(r, 0);
}

void results_close(struct results *r)
{
	results_flush(r, 0);
	results_close_chunk(r);
	r->closed = true;
	results_uncatch(r);
}

uint64_t results_unread(const struct results *r)
{
	return r->unread;
}

size_t results_used(const struct results *r)
{
	return r->meter.used;
}

uint64_t results_last_seq(const struct results *r)
{
	return r->last_seq;
}

/* --- after a restart ------------------------------------------------------------------------ */

/* Frames are not there: they have gone as they were read, or are lost. A chunk with nothing in it
 * until more is known. */
static void results_push_hole(struct results *r)
{
	results_need_stream(r, STREAM_WARNING)->last = r->last_seq + 1;
	results_push(r)->first = r->last_seq + 1;
}

void results_restore(struct results *r, const struct store_frame *frame, struct store_place place)
{
	uint64_t sum = 0, last;
	struct chunk *c;

	for (size_t s = 0; s < STREAM_COUNT; s++)
		sum += frame->streams[s];
	/* What no chunk of ours can be, or is here already. */
	if (!r->disk || !frame->count || frame->count > RECORDS_MAX || sum != frame->count ||
	    frame->first <= r->last_seq || frame->first > UINT64_MAX - RECORDS_MAX)
		return;
	last = frame->first + frame->count - 1;
	if (frame->first > r->last_seq + 1 && store_damage(r->disk->store).segments)
		results_push_hole(r);
	c = results_push(r);
	c->first = frame->first;
	c->count = (uint16_t)frame->count;
	c->unread = c->count;
	results_set_place(r, c, place);
	for (size_t s = 0; s < STREAM_COUNT; s++) {
		c->streams[s] = (uint16_t)frame->streams[s];
		if (c->streams[s])
			results_need_stream(r, s)->last = last;
	}
	r->unread += c->unread;
	r->last_seq = last;
}

/* Says what is missing in a hole, if that is not what was read, and has gone. */
static void results_fill_hole(struct results *r, struct chunk *hole, uint64_t next_first,
			      uint64_t read, uint64_t warnings_read)
{
	uint64_t begin = read >= hole->first ? read + 1 : hole->first;
	struct record record = {
		.stream = STREAM_WARNING, .time_ns = clock_wall_ns(), .is_text = true};
	char text[120];

	if (begin >= next_first || warnings_read >= hole->first) {
		results_chunk_gone(r, hole);
		return;
	}
	(void)snprintf(text, sizeof text,
		       "%" PRIu64
		       " records are missing here: the store of this computer was damaged",
		       next_first - begin);
	log_warn("child %" PRIu64 ": %s", r->disk->child, text);
	record.value = (const uint8_t *)text;
	record.len = strlen(text);
	chunk_add(hole, &r->meter, &record);
	chunk_trim(hole, &r->meter);
	r->unread++;
}

void results_restore_read(struct results *r, const uint64_t read[STREAM_COUNT])
{
	uint64_t marks[STREAM_COUNT], most = 0;

	for (size_t s = 0; s < STREAM_COUNT; s++) {
		struct results_stream *st = results_stream(r, s);

		most = read[s] > most ? read[s] : most;
		if (st && st->read < read[s])
			st->read = read[s];
		/* Their frames may be gone, and their numbers must not come again. */
		if (r->last_seq < read[s])
			r->last_seq = read[s];
	}
	r->read = r->last_seq;
	results_marks(r, marks);
	for (size_t i = 0; i < r->count; i++) {
		struct chunk *c = results_chunk(r, i);
		size_t left;

		if (!c->count) {
			results_fill_hole(r, c, c[1].first, most, marks[STREAM_WARNING]);
			continue;
		}
		left = chunk_unread_most(c, marks);
		r->unread -= c->unread - left;
		c->unread = (uint16_t)left;
		if (!left)
			results_chunk_gone(r, c);
	}
	results_tidy(r);
}
