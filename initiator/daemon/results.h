/*
 * The results of one child: records in the order in which they came, until they have been read.
 * Pure: no loop, no socket.
 *
 * Records are kept in chunks, as they travel in RECORDS. A reader takes a lease on the child, is
 * given chunks, and says up to which record it has written them (docs/protocol.md, 7.8); only then
 * are they gone. A lease that ends gives the rest back. Keeping readers need no lease.
 *
 * Memory is bounded: a share for each child and a budget for all. Over it the child is held back,
 * or what stands in the store too is dropped.
 */
#ifndef MUSTER_RESULTS_H
#define MUSTER_RESULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record.h"
#include "results_wait.h"

struct results;
struct store;
struct store_frame;
struct store_place;

#define RESULTS_PINS 32u

/*
 * For all children of a daemon together, of which those with a store have the same one. Embedded by
 * its owner, who sets limit and share, all else zero. Must outlive its children and the store.
 */
struct results_budget {
	size_t limit; /* bytes in memory, all children together */
	size_t share; /* bytes that one child may hold before it is held back, or dropped */
	/* Bytes of one child that stand in the store before it is held back; 0: no limit. */
	uint64_t stored_share;
	size_t used; /* what all hold now, in records and in what keeps them in order */
	bool full;   /* used has reached limit, and has not gone well below it since */
	struct results_list caught; /* who is held back for that, in order */
	struct results_list queued; /* who is held back as the store has too much to write */
	struct results_list cached; /* who holds what could be dropped; the last touched is last */
	struct results_list wanted; /* whose reads have to wait for others */
	size_t reading;		    /* reads that have begun */
	/* What was read last from the store, which is not dropped before it was looked at. */
	struct results *pins[RESULTS_PINS];
	size_t pin;
	struct results_waits waits; /* for the store */
	struct results_wait room;   /* of queued */
};

/* Encoded records: the elements of the array in RECORDS. */
struct results_rows {
	const uint8_t *data;
	size_t len;
};

/*
 * Told when a child is to be held back (it has added above its share, or while the budget is used
 * up) or may go on (below half of its share, and the budget has room again; always when it holds
 * nothing, so that what others hold can never stop it for good). With a store: while that has too
 * much to write, or too much of this child (again let go below half of that), and for nothing else.
 * Comes from inside of calls for this child or others of the budget, and from the loop; never after
 * the child's own results_close. It must not call results_* itself.
 */
typedef void results_hold_fn(void *arg, bool hold);

/*
 * With a store, what was added goes to its segment files too, and memory is a cache over them: what
 * does not fit is read from there when somebody wants it. The child is then held back only while
 * the store has LIMIT_STORE_QUEUE or more to write.
 */
struct results_spec {
	struct results_budget *budget;
	struct store *store; /* NULL: in memory only */
	uint64_t child;	     /* its id, for the store */
	results_hold_fn *hold;
	/* Records that were on the disk can be peeked at now, or cannot be read for good and are
	 * skipped (a warning record says so). From the loop. It must not free the results. */
	void (*loaded)(void *arg);
	/* results_read has changed: it is to be given to the store before this returns, for what
	 * was read is released next. Not with each results_ack: when a chunk has been read, and
	 * from results_mark. May call results_read, and nothing else. NULL: nobody wants to know.
	 */
	void (*marked)(void *arg);
	void *arg;
};

/* The budget and the store are borrowed. Freed by results_free. */
struct results *results_new(const struct results_spec *spec);
void results_free(struct results *results); /* NULL is fine. What is stored stays stored */

bool results_is_stored(const struct results *results);

/* All that was added since the last flush becomes one stored frame (several, if it is more than an
 * agent would send in one): remote_seq is the agent's number of what it holds, 0 for none. Without
 * a store: nothing. */
void results_flush(struct results *results, uint64_t remote_seq);

/*
 * After a restart, before anything else: the frames of the child in order, and then, always, how
 * far each stream was read (struct store_child). What was read by all of its streams is released.
 * Numbers go on behind all of these.
 */
void results_restore(struct results *results, const struct store_frame *frame,
		     struct store_place place);
void results_restore_read(struct results *results, const uint64_t read[STREAM_COUNT]);
/* How far each stream was read, for the store. */
void results_read(const struct results *results, uint64_t ret[STREAM_COUNT]);
/* Tells marked, if there is something that it was not told: before somebody waits until that is
 * durable. */
void results_mark(struct results *results);

/*
 * Whether results_peek of these can tell. If not, what is needed is being read, loaded tells when
 * to ask again, and results_peek says 0 meanwhile. *from moves to where the next ones may be: who
 * asks again must go on from there, or with little memory it would be the same chunks that are read
 * and dropped for ever.
 */
bool results_is_ready(struct results *results, uint32_t streams, uint64_t *from);

/* Adds a record (copied), with the next sequence number, from 1. May tell hold. */
void results_add(struct results *results, const struct record *record);

/* The child has ended, no record comes any more: flushes, and lets go of memory that was kept for
 * more. */
void results_close(struct results *results);

/* Records that are held and unread, whoever has a lease. Of a stored chunk that was read in one
 * stream and not in another, and is not in memory, perhaps a few too many, until it is read. */
uint64_t results_unread(const struct results *results);

/* The bytes in memory, which count for the budget. */
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
 * mask (bit per enum record_stream): at most LIMIT_RECORDS_BATCH bytes of them, or one record that
 * is longer, and RECORDS_MAX records; all of one stream, consecutive in seq. *ret_rows: as in
 * RECORDS, borrowed until the next call that changes results of the budget; *ret_first: the number
 * of the first. Returns how many records; 0: there are none so far, or not in memory
 * (results_is_ready).
 *
 * Constant time where from is at the front; elsewhere the logarithm of the number of chunks, and a
 * look at each chunk between that has nothing of these streams.
 */
size_t results_peek(struct results *results, uint32_t streams, uint64_t from,
		    struct results_rows *ret_rows, uint64_t *ret_first);

/* Where the first piece of a line stands that is not whole yet, in these streams; UINT64_MAX: all
 * lines are as whole as they will be. Who does not wait for the rest reads up to there. */
uint64_t results_open_seq(const struct results *results, uint32_t streams);

/* The time of the first such record, at least 1; 0: there is none. For merging children by time;
 * costs as little. */
uint64_t results_peek_time(struct results *results, uint32_t streams, uint64_t from);

/* The records of these streams up to and with seq are read: they are gone. May tell hold. */
void results_ack(struct results *results, uint32_t streams, uint64_t seq);

#endif
