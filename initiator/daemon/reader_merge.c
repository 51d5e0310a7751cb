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

static void merge_build(struct reader *reader)
{
	reader->merge = xcalloc(reader->source_count, sizeof *reader->merge);
	for (size_t i = 0; i < reader->source_count; i++) {
		struct source *s = &reader->sources[i];
		uint64_t time = reader_oldest_time(reader, s);

		if (time)
			reader->merge[reader->merge_count++] = (struct merge_entry){time, s};
	}
	for (size_t i = reader->merge_count / 2; i > 0; i--)
		merge_sink(reader->merge, reader->merge_count, i - 1);
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

bool reader_merge(struct reader *reader)
{
	struct merge_entry *top;
	uint64_t time = 0;

	if (!reader->merge)
		merge_build(reader);
	if (!reader->merge_count)
		return false;
	top = &reader->merge[0];
	if (reader_send(reader, top->source, merge_second(reader)))
		time = reader_oldest_time(reader, top->source);
	/* Nothing more of it, or only a line that is not whole: the others go on. */
	if (time)
		top->time = time;
	else
		*top = reader->merge[--reader->merge_count];
	merge_sink(reader->merge, reader->merge_count, 0);
	return true;
}
