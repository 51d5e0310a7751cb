/*
 * The stored records of one child and one stream: chunks in order of seq. Only for results.c.
 *
 * Rows that are consecutive in seq stand in one chunk, as they travel in RECORDS. Those that were
 * read go with their chunk, once all of it is.
 */
#ifndef MUSTER_RESULTS_QUEUE_H
#define MUSTER_RESULTS_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record.h"

/* Every byte is counted twice. */
struct queue_meter {
	size_t used; /* by the child */
	size_t *all; /* by all of the budget; borrowed */
};

struct chunk {
	uint8_t *data;
	uint16_t *marks; /* where some of the rows begin */
	uint64_t first;	 /* seq of row 0, read or not */
	uint32_t len;
	uint32_t size;
	uint16_t rows;
	uint16_t taken; /* of its rows, those that were read */
};

/* Never empty but between queue_new and the first queue_add. */
struct queue {
	struct chunk *chunks;
	uint64_t open; /* the first piece of a line that is not whole; 0: there is none */
	size_t head;   /* those before it are gone */
	size_t count;
	size_t size;
};

struct queue *queue_new(struct queue_meter *meter);
void queue_free(struct queue *queue, struct queue_meter *meter);

/* Adds a record; its seq is larger than any before. */
void queue_add(struct queue *queue, struct queue_meter *meter, uint64_t seq,
	       const struct record *record);

/* No record with the next seq will follow: gives back what was kept for it. */
void queue_trim(struct queue *queue, struct queue_meter *meter);

/* Takes what has a seq of at most seq. Returns how many records. *ret_empty: free the queue. */
uint64_t queue_take(struct queue *queue, struct queue_meter *meter, uint64_t seq, bool *ret_empty);

/* The first chunk that has an unread record with a seq of at least from, or NULL; *ret_row: that
 * record's. Borrowed until the queue changes. */
const struct chunk *queue_find(const struct queue *queue, uint64_t from, size_t *ret_row);

/* Where a row begins in its data. */
size_t chunk_row_at(const struct chunk *chunk, size_t row);

#endif
