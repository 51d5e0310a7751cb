/*
 * What the store keeps of a copy besides what it keeps of every job (keep.h): which of its files
 * were spoken of, how it ended, and how much it had done. By that the next daemon goes on with it,
 * and says nothing twice (docs/protocol.md, section 15).
 */
#ifndef MUSTER_KEEP_COPY_H
#define MUSTER_KEEP_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "copy_tally.h"
#include "err.h"
#include "outcome.h"
#include "store.h"

struct child;
struct job;

/* Values of the store that begin with this are how far copies have come. */
#define KEEP_COPY_VALUE "copy/"

/* A line about a file: what stands for it, and the number of its record among those of the child.
 * It holds only if the store has that record: the note is written first. */
struct keep_copy_said {
	uint64_t seq;
	uint64_t line;
};

/* What is known of the copy of one child from before a restart. All zero: nothing. */
struct keep_copy_past {
	struct copy_tally tally; /* files, bytes and moved alone: the others are counted anew */
	struct keep_copy_said *said;
	size_t said_count;
	uint64_t end_seq; /* the record that was its last; 0: it had not ended */
	struct outcome end;
	bool placed; /* it is known what the destination is */
	bool is_name;
};

/* Both in front of the record. */
void keep_copy_said(struct store *store, const struct child *child,
		    const struct keep_copy_said *said);
void keep_copy_end(struct store *store, const struct child *child, uint64_t seq,
		   const struct outcome *outcome);
/* Whether its destination is a new name: before anything is written there. */
void keep_copy_place(struct store *store, const struct child *child, bool is_name);
/* And back: 0, or ERR_* with msg. At most LIMIT_COPY_TROUBLES lines are taken. */
int keep_copy_said_get(struct keep_copy_past *past, const void *data, size_t len,
		       struct errmsg *msg);
int keep_copy_end_get(struct keep_copy_past *past, const void *data, size_t len,
		      struct errmsg *msg);
int keep_copy_place_get(struct keep_copy_past *past, const void *data, size_t len,
			struct errmsg *msg);
void keep_copy_past_done(struct keep_copy_past *past);

/* How much of it is done: in place of what was kept before. NULL: it has ended, and is forgotten.
 */
void keep_copy_tally(struct store *store, uint64_t child, const struct copy_tally *tally);
/* And back: which child it is of; 0, or ERR_* with msg. */
int keep_copy_tally_get(struct copy_tally *ret, uint64_t *ret_child, const char *name,
			const void *data, size_t len, struct errmsg *msg);

#endif
