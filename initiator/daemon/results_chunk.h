/*
 * A chunk: records of one child, of any streams, consecutive in seq, encoded as they travel in
 * RECORDS. Its rows stand in memory, or in the store, or in both. Only for results*.c.
 */
#ifndef MUSTER_RESULTS_CHUNK_H
#define MUSTER_RESULTS_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record.h"

/* Every byte is counted twice. */
struct chunk_meter {
	size_t used; /* by the child */
	size_t *all; /* by all of the budget; borrowed */
};

/* Where a row begins: at each change of stream, and every so many rows, so that no row is far from
 * one. That of row 0 has none where all rows are near it. */
struct chunk_mark {
	uint32_t at;
	uint16_t row;
	uint8_t stream; /* of this row and those up to the next mark */
};

struct chunk_rows {
	struct chunk_mark *marks; /* NULL: only row 0 */
	uint32_t len;
	uint32_t size;
	uint16_t mark_count; /* that of row 0 too */
	uint16_t mark_near;  /* the last one that was looked for: the next is not far */
	uint8_t stream;	     /* of row 0 */
	uint8_t last_stream; /* of the last row */
	uint8_t data[];
};

/* A store_place but for what is the same for all chunks of a child. */
struct chunk_place {
	uint32_t segment;
	uint32_t at;
	uint32_t len;
};

struct chunk {
	uint64_t first; /* seq of row 0 */
	struct chunk_rows *rows;
	struct chunk_place place; /* all zero: not stored, so far or at all */
	uint16_t count;
	uint16_t unread; /* of them; if rows are not here perhaps fewer, but none only if 0 */
	uint16_t streams[STREAM_COUNT]; /* how many of each. All 0: it has gone */
};

_Static_assert(sizeof(struct chunk) <= 48, "there may be a million of them");

/* realloc(3), and free(3) for a new size of 0, with what malloc(3) adds, about. */
void *chunk_resize(struct chunk_meter *meter, void *old, size_t old_size, size_t size);

/* Adds a record at the end. Of a chunk whose rows are here, or that has none so far. */
void chunk_add(struct chunk *chunk, struct chunk_meter *meter, const struct record *record);
/* Whether it is enough for one message, nodes being the msgpack objects in its typed values. Its
 * bytes are not looked at. */
bool chunk_is_full(const struct chunk *chunk, size_t nodes);

/* No more is added: gives back what it has in hand, if that is much. */
void chunk_trim(struct chunk *chunk, struct chunk_meter *meter);
/* Its rows are here no more. */
void chunk_drop(struct chunk *chunk, struct chunk_meter *meter);
/* They are again, from the store (copied). False: they are not what they should be. */
bool chunk_load(struct chunk *chunk, struct chunk_meter *meter, const void *rows, size_t len);

static inline uint64_t chunk_last(const struct chunk *c)
{
	return c->first + c->count - 1;
}

static inline bool chunk_is_stored(const struct chunk *c)
{
	return c->place.len || c->place.segment || c->place.at;
}

bool chunk_is_gone(const struct chunk *chunk);

/* --- questions about what is in it. from and read are by stream --------------------------------
 */

/* Whether there may be a record of any stream s with a seq of at least from[s]. */
bool chunk_may_have(const struct chunk *chunk, const uint64_t from[STREAM_COUNT]);

/* A run: rows of one stream. */
struct chunk_run {
	size_t mark; /* the last one that is not behind it */
	size_t row;
	size_t at; /* in the data */
};

/* The first such record. Its rows must be here, for this and what follows. */
bool chunk_find(const struct chunk *chunk, const uint64_t from[STREAM_COUNT],
		struct chunk_run *ret);
/* How many follow it in its stream, itself too, without another between: as many as may travel
 * together. *ret_len: their bytes. */
size_t chunk_run_count(const struct chunk *chunk, const struct chunk_run *run, size_t *ret_len);

/* How many of a stream have a seq above after and of at most upto. */
size_t chunk_count(const struct chunk *chunk, size_t stream, uint64_t after, uint64_t upto);

/* How many are unread at most, if of each stream those up to read[stream] are read; without looking
 * at the rows. Exact if its streams were read equally far. */
size_t chunk_unread_most(const struct chunk *chunk, const uint64_t read[STREAM_COUNT]);
/* The same, exact: its rows must be here. */
size_t chunk_unread(const struct chunk *chunk, const uint64_t read[STREAM_COUNT]);

/* Of each stream the seq of the first piece here of a line that goes on after this chunk; 0: none.
 * Its rows must be here. */
void chunk_open_lines(const struct chunk *chunk, uint64_t ret[STREAM_COUNT]);

#endif
