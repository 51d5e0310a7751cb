/* The inside of the results of a child: results.c (its life), results_hold.c (holding back and
 * dropping), results_index.c (its chunks), results_read.c (reading), results_load.c (from the
 * store). */
#ifndef MUSTER_RESULTS_PRIVATE_H
#define MUSTER_RESULTS_PRIVATE_H

#include "results.h"
#include "results_chunk.h"
#include "store.h"

/* A stream of which there are unread records, or were not long ago. */
struct results_stream {
	uint64_t read; /* its records up to here are read */
	uint64_t last; /* it has none behind this: its last one, or the end of that one's chunk */
	uint64_t open; /* the first piece of a line that is not whole; 0: there is none */
};

/* What only a child with a store needs. */
struct results_disk {
	struct results *results;
	struct store *store;
	uint64_t child;
	void (*loaded)(void *arg);
	void (*marked)(void *arg);
	struct results_node cached; /* in its list while there is something to drop */
	struct results_load *load;  /* NULL: nothing is read */
	uint64_t bytes;		    /* of its chunks in the store */
	uint32_t job_low;	    /* of each place, as the store gave it */
	uint32_t job_high;
	uint32_t loaded_chunks; /* that stand in memory and in the store */
	bool dirty;		/* marked was not told what was read */
};

struct results {
	struct results_budget *budget;
	results_hold_fn *hold;
	void *arg;
	const void *reader;	   /* who has the lease */
	struct results_disk *disk; /* NULL: no store */
	struct chunk *chunks;	   /* in order of seq, some of them gone */
	struct results_stream *streams;
	uint64_t last_seq;
	uint64_t read;	 /* of streams that do not stand in streams: all up to here is read */
	uint64_t unread; /* the sum over the chunks */
	struct chunk_meter meter;
	struct results_node held_node; /* in caught or queued */
	uint32_t head;		       /* chunks before it are no more */
	uint32_t count;
	uint32_t size;
	uint32_t gone;		     /* of count */
	uint32_t nodes;		     /* msgpack objects in the typed values of the open chunk */
	uint8_t slots[STREAM_COUNT]; /* where a stream stands in streams, from 1; 0: nowhere */
	uint8_t ids[STREAM_COUNT];   /* which stream stands there */
	uint8_t stream_count;
	bool is_open; /* the last chunk: more may be added to it */
	bool over;    /* its share */
	bool caught;  /* adding while there was no room: stands in a list */
	bool held;    /* what hold was told */
	bool closed;
};

/* --- results_index.c ------------------------------------------------------------------------ */

static inline struct chunk *results_chunk(const struct results *r, size_t i)
{
	return &r->chunks[r->head + i];
}

static inline struct results_stream *results_stream(const struct results *r, size_t stream)
{
	return r->slots[stream] ? &r->streams[r->slots[stream] - 1] : NULL;
}

/* The same, made where it is not. */
struct results_stream *results_need_stream(struct results *r, size_t stream);

/* A chunk at the end, all zero. */
struct chunk *results_push(struct results *r);
/* The first chunk that does not end before seq; r->count: none. */
size_t results_index(const struct results *r, uint64_t seq);
/* Where a chunk stands in the store. */
void results_set_place(struct results *r, struct chunk *chunk, struct store_place place);
struct store_place results_place(const struct results *r, const struct chunk *chunk);
/* How far each stream is read, for chunk_*. */
void results_marks(const struct results *r, uint64_t ret[STREAM_COUNT]);

/* It has been read: lets go of it, in the store too. Numbers of chunks stay until results_tidy. */
void results_chunk_gone(struct results *r, struct chunk *chunk);
/* Lets go of what is not needed as chunks have gone. */
void results_tidy(struct results *r);
void results_index_free(struct results *r);

/* --- results_hold.c ------------------------------------------------------------------------- */

void results_tell(struct results *r);
void results_uncatch(struct results *r);
void results_look_for_room(struct results_budget *b);
/* It has grown: drops, or holds back. */
void results_has_grown(struct results *r);
/* A frame has gone to the store. */
void results_has_stored(struct results *r);

/* A chunk that is stored has come into memory, or goes out of it. */
void results_cached(struct results *r);
void results_uncached(struct results *r);
/* It is in use: others are dropped before it. */
void results_touch(struct results *r);
/* Drops what is too much for it and for all. */
void results_shrink(struct results *r);

/* --- results.c ------------------------------------------------------------------------------ */

/* A warning, stored by itself; also of a child that has ended. */
void results_warn(struct results *r, const char *text);

/* --- results_load.c ------------------------------------------------------------------------- */

/* Begins to read this chunk if nothing is being read; loaded is told in any case. */
void results_load(struct results *r, uint32_t streams, const struct chunk *chunk);
/* This chunk was looked at: reads a little ahead of it. */
void results_load_ahead(struct results *r, uint32_t streams, size_t index);
/* It must stay in memory until it is looked at. */
bool results_is_pinned(const struct results *r, const struct chunk *chunk);
void results_load_free(struct results *r);

#endif
