/* The backlog of many children in order of time: a heap of them by their oldest record, so that a
 * record costs the logarithm of their number. */
#include <stdlib.h>

#include "alloc.h"
#include "reader_private.h"

static bool merge_before(const struct merge_entry *a, const struct merge_entry *b)
{
	/* At the same time in order of child, which is that of the sources. */
	return a->time != b->time ? a->time < b->time : a->source < b->source;
}

static void merge_sink(struct merge_entry *heap, size_t count, size_t at)
{
	for (;;) {
		size_t least = at, left = 2 * at + 1;
		struct merge_entry swap = heap[at];

		for (size_t i = left; i < left + 2 && i < count; i++)
			if (merge_before(&heap[i], &heap[least]))
				least = i;
		if (least == at)
			return;
		heap[at] = heap[least];
		heap[least] = swap;
		at = least;
	}
}

/* Asks one source after the other for its time. READER_NOTHING: all have told. */
static enum reader_went merge_build(struct reader *reader)
{
	if (!reader->merge)
		reader->merge = xcalloc(reader->source_count + 1, sizeof *reader->merge);
	for (; reader->at < reader->source_count; reader->at++) {
		struct source *s = &reader->sources[reader->at];
		uint64_t time;
		enum reader_went went = reader_oldest_time(reader, s, &time);

		if (went == READER_LOADING) {
			reader_load_ahead(reader, reader->at + 1);
			return READER_LOADING;
		}
		if (went == READER_WENT)
			reader->merge[reader->merge_count++] = (struct merge_entry){time, s};
	}
	for (size_t i = reader->merge_count / 2; i > 0; i--)
		merge_sink(reader->merge, reader->merge_count, i - 1);
	return READER_NOTHING;
}

/* The time of the second oldest source: it is a child of the root. */
static uint64_t merge_second(const struct reader *reader)
{
	uint64_t second = UINT64_MAX;

	for (size_t i = 1; i <= 2 && i < reader->merge_count; i++)
		if (reader->merge[i].time < second)
			second = reader->merge[i].time;
	return second;
}

/* Something of the top was sent, or it has nothing more: finds its new place. */
static enum reader_went merge_settle(struct reader *reader, bool has_more)
{
	struct merge_entry *top = &reader->merge[0];
	enum reader_went went = READER_NOTHING;

	if (has_more)
		went = reader_oldest_time(reader, top->source, &top->time);
	reader->merge_is_stale = went == READER_LOADING;
	if (went == READER_LOADING)
		return READER_LOADING;
	if (went == READER_NOTHING)
		*top = reader->merge[--reader->merge_count];
	merge_sink(reader->merge, reader->merge_count, 0);
	return READER_WENT;
}

enum reader_went reader_merge(struct reader *reader)
{
	enum reader_went went;

	if (reader->at < reader->source_count || !reader->merge) {
		went = merge_build(reader);
		if (went == READER_LOADING)
			return READER_LOADING;
	}
	if (!reader->merge_count)
		return READER_NOTHING;
	if (reader->merge_is_stale)
		return merge_settle(reader, true);
	went = reader_send(reader, reader->merge[0].source, merge_second(reader));
	if (went == READER_LOADING)
		return READER_LOADING;
	/* Nothing more of it, or only a line that is not whole: the others go on. */
	return merge_settle(reader, went == READER_WENT);
}
