/* The chunks of a child: an array, the front of which goes as it is read. */
#include <stdlib.h>
#include <string.h>

#include "results_private.h"

#define INDEX_SHRINK_MIN 16u /* a smaller array is not worth it */

/* Moves all to the front of an array of another size. */
static void index_set_size(struct results *r, uint32_t size)
{
	if (r->head && r->count)
		memmove(r->chunks, results_chunk(r, 0), r->count * sizeof *r->chunks);
	r->head = 0;
	if (size == r->size)
		return;
	r->chunks = chunk_resize(&r->meter, r->chunks, r->size * sizeof *r->chunks,
				 size * sizeof *r->chunks);
	r->size = size;
}

struct chunk *results_push(struct results *r)
{
	/* Where more than half is behind us, moving the rest is paid for by what was read. */
	if (r->head + r->count == r->size) {
		if (r->size >= UINT32_MAX / 4)
			abort();
		index_set_size(r, r->head > r->count ? r->size : r->size ? r->size * 2 : 1);
	}
	r->count++;
	*results_chunk(r, r->count - 1) = (struct chunk){0};
	return results_chunk(r, r->count - 1);
}

size_t results_index(const struct results *r, uint64_t seq)
{
	size_t lo = 0, hi = r->count;

	if (!hi || chunk_last(results_chunk(r, 0)) >= seq)
		return 0;
	/* lo ends too early, hi does not. */
	while (lo + 1 < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (chunk_last(results_chunk(r, mid)) < seq)
			lo = mid;
		else
			hi = mid;
	}
	return hi;
}

struct results_stream *results_need_stream(struct results *r, size_t stream)
{
	struct results_stream *st = results_stream(r, stream);
	size_t size = sizeof *r->streams;

	if (st)
		return st;
	r->streams = chunk_resize(&r->meter, r->streams, r->stream_count * size,
				  (r->stream_count + 1u) * size);
	r->ids[r->stream_count] = (uint8_t)stream;
	r->slots[stream] = ++r->stream_count;
	st = results_stream(r, stream);
	*st = (struct results_stream){.read = r->read, .last = r->read};
	return st;
}

void results_marks(const struct results *r, uint64_t ret[STREAM_COUNT])
{
	for (size_t s = 0; s < STREAM_COUNT; s++) {
		const struct results_stream *st = results_stream(r, s);

		ret[s] = st ? st->read : r->read;
	}
}

void results_set_place(struct results *r, struct chunk *c, struct store_place place)
{
	c->place = (struct chunk_place){place.segment, place.at, place.len};
	r->disk->bytes += place.len;
	r->disk->job_low = place.job_low;
	r->disk->job_high = place.job_high;
}

struct store_place results_place(const struct results *r, const struct chunk *c)
{
	return (struct store_place){.segment = c->place.segment,
				    .at = c->place.at,
				    .len = c->place.len,
				    .job_low = r->disk->job_low,
				    .job_high = r->disk->job_high};
}

void results_chunk_gone(struct results *r, struct chunk *c)
{
	bool stored = chunk_is_stored(c);

	r->unread -= c->unread;
	c->unread = 0;
	if (stored && c->rows)
		results_uncached(r);
	chunk_drop(c, &r->meter);
	if (stored) {
		r->disk->bytes -= c->place.len;
		store_release(r->disk->store, results_place(r, c));
	}
	c->place = (struct chunk_place){0};
	memset(c->streams, 0, sizeof c->streams);
	r->gone++;
	if (c == results_chunk(r, r->count - 1))
		r->is_open = false;
}

static void index_compact(struct results *r)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < r->count; i++)
		if (!chunk_is_gone(results_chunk(r, i)))
			*results_chunk(r, kept++) = *results_chunk(r, i);
	r->count = kept;
	r->gone = 0;
}

void results_tidy(struct results *r)
{
	uint32_t size = r->size;

	while (r->gone && chunk_is_gone(results_chunk(r, 0))) {
		r->head++;
		r->count--;
		r->gone--;
	}
	if (r->gone >= INDEX_SHRINK_MIN && r->gone > r->count / 2)
		index_compact(r);
	if (!r->count) {
		/* All is read: that needs one mark. */
		r->read = r->last_seq;
		index_set_size(r, 0);
		(void)chunk_resize(&r->meter, r->streams, r->stream_count * sizeof *r->streams, 0);
		r->streams = NULL;
		r->stream_count = 0;
		memset(r->slots, 0, sizeof r->slots);
		return;
	}
	while (size >= INDEX_SHRINK_MIN && r->count < size / 4)
		size /= 2;
	if (size != r->size)
		index_set_size(r, size);
}

void results_index_free(struct results *r)
{
	for (size_t i = 0; i < r->count; i++)
		chunk_drop(results_chunk(r, i), &r->meter);
	r->count = r->gone = 0;
	results_tidy(r);
}
