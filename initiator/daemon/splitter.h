/*
 * The output of one child cut into records: a line each, without its newline. Pure.
 *
 * A line longer than LIMIT_RECORD_VALUE travels in pieces (RECORD_CONTINUES), cut between UTF-8
 * characters where that is possible, so no line is too long and memory stays bounded.
 */
#ifndef MUSTER_SPLITTER_H
#define MUSTER_SPLITTER_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "control_msg.h"

/* value is valid during the call. */
typedef void splitter_fn(void *arg, const struct record *record);

/* One for each stream. All zero is empty. */
struct splitter {
	struct buf partial; /* the beginning of a line, below LIMIT_RECORD_VALUE bytes */
	bool open;	    /* pieces of this line have been sent */
};

void splitter_add(struct splitter *s, uint64_t stream, uint64_t time_ns, const void *data,
		  size_t len, splitter_fn *fn, void *arg);

/* The stream has ended: what is left is a line without newline. Frees what s holds. */
void splitter_end(struct splitter *s, uint64_t stream, uint64_t time_ns, splitter_fn *fn,
		  void *arg);

#endif
