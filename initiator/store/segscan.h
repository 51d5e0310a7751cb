/*
 * Reading a segment file from its begin to its end: which entries stand in it, and which bytes
 * cannot be read. Pure over struct disk; any thread.
 */
#ifndef MUSTER_STORE_SEGSCAN_H
#define MUSTER_STORE_SEGSCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "disk.h"

/* What the largest segment may have; bytes behind it are not looked at. */
#define SEGSCAN_MAX (1u << 30)

struct segscan_entry {
	uint64_t seq;
	uint64_t owner; /* id of a job or child; 0: none */
	uint32_t segment;
	uint32_t at;
	uint32_t len; /* the whole frame */
	uint8_t type; /* MSG_STORE_* */
};

/* Bytes that are no entry, and stand in front of one. */
struct segscan_gap {
	uint32_t at;
	uint32_t len;
};

struct segscan {
	struct segscan_entry *entries; /* in order of at */
	size_t count;
	struct segscan_gap *gaps; /* likewise */
	size_t gap_count;
	uint64_t size;	 /* of the file */
	uint64_t end;	 /* behind the last entry; 0: none */
	uint64_t damage; /* bytes before end that are no entry: all gaps */
	uint64_t synced; /* so far it was durable, as the entries of it tell */
	uint64_t mark; /* of the store, as it was known or as this segment tells it; 0: not known */
	uint64_t max_seq;
	uint64_t max_generation;
	uint64_t max_id; /* that was used or reserved */
};

/* mark: 0 if it is not known. Returns 0, or -errno if the file cannot be read at all; a part that
 * cannot be read is damage. segscan_done frees what ret has, also after a failure. */
int segscan(struct segscan *ret, const struct disk *disk, const char *name, uint32_t segment,
	    uint64_t mark);
void segscan_done(struct segscan *scan);

/*
 * Of the newest segment: forgets what is behind the first damage that was not synced. That is no
 * damage but a write that a power cut took a part of, in any order; an entry behind it can be well
 * while others before it are lost, which nobody would miss then. The file is the caller's to cut.
 */
void segscan_settle(struct segscan *scan);

#endif
