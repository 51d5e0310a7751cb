/* Only for store*.c and their tests. */
#ifndef MUSTER_STORE_PRIVATE_H
#define MUSTER_STORE_PRIVATE_H

#include "db.h"
#include "disk.h"
#include "entry.h"
#include "ledger.h"
#include "recover.h"
#include "store.h"
#include "work.h"
#include "writer.h"

struct store_move;

struct store {
	struct store_options options;
	char *path; /* absolute */
	int dir, lock;
	struct disk *disk; /* of the segments */
	bool own_disk;
	struct db *db;
	struct writer *writer;
	struct work_pool *pool;
	struct ledger *ledger;
	struct recover found; /* until store_load */
	struct store_damage damage;
	struct store_read *reads;
	struct store_move *move; /* one at a time */
	bool rebuilt;		 /* the database is new, and the jobs are from the segments */
	char *note;
	uint64_t generation;
	uint64_t mark;
	uint64_t last_id;
	uint64_t seq;	       /* of the last entry */
	uint64_t segment_size; /* where one is full */
	uint32_t segment;      /* what comes next goes there */
	uint32_t at;
	bool unmarked; /* something came that no mark says is durable */
};

/* As store_open, with the segments on another disk, which must stay until store_close. NULL: that
 * of the directory. */
int store_open_on(struct store **ret, const struct store_options *options, struct disk *disk,
		  struct errmsg *msg);

/* --- store_log.c ---------------------------------------------------------------------------- */

/* Where an entry of len bytes goes, and what to append it to. */
struct store_slot {
	struct queue *queue;
	struct queue_batch *batch;
	struct buf *out;
	size_t begin;
	struct store_place place;
};

/* Locks the writer until store_log_end. False: it has failed, and nothing is to be done. */
bool store_log_begin(struct store *store, size_t len, uint64_t job, struct store_slot *slot);
void store_log_end(struct store *store, struct store_slot *slot);
/* All is durable, and nothing comes at the moment: a mark says so. */
void store_log_idle(struct store *store);
/* The next entry begins a new segment. */
void store_log_rotate(struct store *store);
void store_log_head(struct store *store);
void store_log_gone(struct store *store, uint64_t job, uint32_t until);
void store_log_op(struct store *store, struct rowop *op);
/* Unlinks what nobody needs any more. */
void store_log_sweep(struct store *store);

/* --- store_move.c --------------------------------------------------------------------------- */

/* Begins to move what little is needed of a segment, if there is such a one. */
void store_move(struct store *store);
void store_move_close(struct store *store);

/* --- store_read.c --------------------------------------------------------------------------- */

void store_read_close(struct store *store);

/* --- store_rebuild.c ------------------------------------------------------------------------ */

/* Makes the jobs again that the segments tell of, in the transaction that is open. */
int store_rebuild(struct store *store, size_t *ret_jobs, struct errmsg *msg);

#endif
