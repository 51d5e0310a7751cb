/*
 * What the segment files hold, after whatever has happened to them: all are read and checked, a
 * torn tail of the newest is cut, what is damaged is copied aside and counted. Pure over struct
 * disk.
 */
#ifndef MUSTER_STORE_RECOVER_H
#define MUSTER_STORE_RECOVER_H

#include <stddef.h>
#include <stdint.h>

#include "disk.h"
#include "err.h"
#include "segscan.h"
#include "store.h"

struct recover {
	uint32_t *numbers; /* of the segments, growing */
	struct segscan *scans;
	size_t count;
	struct store_damage damage;
	uint64_t mark; /* 0: nothing tells it */
	uint64_t max_seq;
	uint64_t max_generation;
	uint64_t max_id;
	uint64_t size; /* bytes of all of them */
	/* Where to go on: the newest, if it is fit to be appended to. 0: make a new one, above the
	 * last of numbers. */
	uint32_t segment;
	uint64_t segment_size;
};

/* mark: 0 if it is not known. Returns 0 or ERR_SYS. recover_done frees, also after a failure. */
int recover(struct recover *ret, const struct disk *disk, uint64_t mark, struct errmsg *msg);
void recover_done(struct recover *recover);

/* All entries of all segments in the order in which they were made, each once: one that was moved,
 * at its newest place. The caller frees the list. */
size_t recover_entries(const struct recover *recover, struct segscan_entry **ret);

#endif
