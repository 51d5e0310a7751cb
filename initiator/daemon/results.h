/*
 * The results of one child: records in the order in which they came, until they have been read.
 * Pure: no loop, no socket.
 *
 * Records are kept in chunks, as they travel in RECORDS. A reader takes a lease on the child, is
 * given chunks, and says up to which record it has written them (docs/protocol.md, 7.8); only then
 * are they gone. A lease that ends gives the rest back. Keeping readers need no lease.
 *
 * Memory is bounded: a share for each child and a budget for all. Over it the child is held back.
 */
#ifndef MUSTER_RESULTS_H
#define MUSTER_RESULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record.h"

struct results;

/*
 * For all children of a daemon together. Embedded by its owner, who sets limit and share, all else
 * zero, and must outlive its children.
 */
struct results_budget {
	size_t limit; /* bytes in memory, all children together */
	size_t share; /* bytes that one child may hold before it is held back */
	size_t used;  /* what all hold now, in records and in what keeps them in order */
	bool full;    /* used has reached limit, and has not gone well below it since */
	struct results *first_caught; /* those that are held back for that, in order */
	struct results *last_caught;
};

/* Encoded records: the elements of the array in RECORDS. */
struct results_rows {
	const uint8_t *data;
	size_t len;
};

/*
 * Told when a child is to be held back (it has added above its share, or while the budget is used
 * up) or may go on (below half of its share, and the budget has room again; always when it holds
 * nothing, so that what others hold can never stop it for good). Comes from inside results_add and
 * results_ack, and from results_ack and results_free of other children of the budget; never after
 * the child's own results_close. It must not call results_* itself.
 */
typedef void results_hold_fn(void *arg, bool hold);

/* budget and arg are borrowed. Freed by results_free. */
struct results *results_new(struct results_budget *budget, results_hold_fn *hold, void *arg);
void results_free(struct results *results); /* NULL is fine */

/* Adds a record (copied), with the next sequence number, from 1. May tell hold. */
void results_add(struct results *results, const struct record *record);

/* The child has ended, no record comes any more: lets go of memory that was kept for more. */
void results_close(struct results *results);

/* Records that are stored and unread, whoever has a lease. */
uint64_t results_unread(const struct results *results);

/* The bytes of them that count for the budget. */
size_t results_used(const struct results *results);

/* The sequence number of the last record; 0: none came. */
uint64_t results_last_seq(const struct results *results);

/*
 * A lease: one reader at a time. Returns false if another has it; taking it again is no error.
 * results_release gives back what was not acknowledged; of one who has no lease it does nothing.
 */
bool results_lease(struct results *results, const void *reader);
void results_release(struct results *results, const void *reader);

/*
 * The first run of unread records with a sequence number of at least from, in the streams of the
 * mask (bit per enum record_stream): at most a chunk of them (LIMIT_RECORDS_BATCH bytes, or one
 * record that is longer; RECORDS_MAX records), all of one stream, consecutive in seq. *ret_rows: as
 * in RECORDS, borrowed until the next call that changes results; *ret_first: the number of the
 * first. Returns how many records; 0: there are none so far.
 *
 * Constant time where from is at the front; elsewhere the logarithm of the number of chunks.
 */
size_t results_peek(const struct results *results, uint32_t streams, uint64_t from,
		    struct results_rows *ret_rows, uint64_t *ret_first);

/* Where the first piece of a line stands that is not whole yet, in these streams; UINT64_MAX: all
 * lines are whole. Who does not wait for the rest reads up to there. */
uint64_t results_open_seq(const struct results *results, uint32_t streams);

/* The time of the first such record, at least 1; 0: there is none. For merging children by time;
 * costs as little. */
uint64_t results_peek_time(const struct results *results, uint32_t streams, uint64_t from);

/* The records of these streams up to and with seq are read: they are gone. May tell hold. */
void results_ack(struct results *results, uint32_t streams, uint64_t seq);

#endif
