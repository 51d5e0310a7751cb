/* Between spool.c and spool_drop.c. */
#ifndef MUSTER_SPOOL_PRIVATE_H
#define MUSTER_SPOOL_PRIVATE_H

#include "spool.h"

struct spool_part {
	uint64_t number;
	uint64_t bytes;
	uint64_t last;	 /* seq */
	uint64_t record; /* the last one up to its end */
	bool condensed;	 /* only the first ones are */
};

struct spool {
	const struct disk *disk;
	struct spool_limits limits;
	struct spool_part *parts;
	size_t count;
	size_t room;
	int file; /* of the last part; -1: the next frame begins another */
	uint64_t bytes;
	uint64_t last;
	uint64_t acked;
	uint64_t last_record;
	bool ended;
};

/* Condenses the oldest segment that is not, with those before it. Returns 1; 0: there is none but
 * the last; ERR_SYS with errno. */
int spool_condense(struct spool *spool);

/* Removes n parts from the one at at on, with their files. */
void spool_forget(struct spool *spool, size_t at, size_t n);

#endif
