/*
 * Who needs which segment: frames of records until they are released or their job goes, and items
 * (notes, and the job itself) until the job goes. Pure: says what can be unlinked, and what is
 * worth being moved so that it can. For one thread.
 */
#ifndef MUSTER_STORE_LEDGER_H
#define MUSTER_STORE_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store.h"

struct ledger;

struct ledger *ledger_new(void);
void ledger_free(struct ledger *ledger); /* NULL is fine */

/* There is this segment, and it has at least this size. */
void ledger_grow(struct ledger *ledger, uint32_t segment, uint64_t size);
/* It grows no more. */
void ledger_seal(struct ledger *ledger, uint32_t segment);

/* The job has the children job + 1 ... job + count. Nothing if there is one already. */
void ledger_add_job(struct ledger *ledger, uint64_t job, uint64_t count);
/* The job that has this id or a child of this id; 0: none. */
uint64_t ledger_job_of(const struct ledger *ledger, uint64_t id);
/* All of it is not needed any more. The number of the newest segment with an item of it; 0: none.
 */
uint32_t ledger_remove_job(struct ledger *ledger, uint64_t job);

/* A frame of records, of a child of that job. What belongs to no job is not needed. */
void ledger_add_frame(struct ledger *ledger, uint64_t job, struct store_place place);
void ledger_release(struct ledger *ledger, uint64_t job, struct store_place place);
void ledger_add_item(struct ledger *ledger, uint64_t job, struct store_place place);

/* The news that a job is gone: needed as long as there is a segment up to until, which could bring
 * the job back. */
void ledger_add_gone(struct ledger *ledger, uint32_t until, struct store_place place);

/* A sealed segment that nobody needs, and which is forgotten by this. False: there is none. */
struct ledger_dead {
	uint32_t segment;
	bool moved; /* some of it stands elsewhere now, and must be durable there first */
	uint64_t size;
};
bool ledger_take_dead(struct ledger *ledger, struct ledger_dead *ret);

/* A sealed segment of which only a small part is needed, and that by items alone; 0: none. It is
 * not given again. below: only segments of smaller numbers. */
uint32_t ledger_take_sparse(struct ledger *ledger, uint32_t below);
/* What of it is needed now. Returns how many; *ret is freed by the caller. */
size_t ledger_items(const struct ledger *ledger, uint32_t segment, struct store_place **ret);
/* Whether it is needed still. */
bool ledger_has_item(struct ledger *ledger, struct store_place place);
/* An item that is needed stands at another place now. */
void ledger_move(struct ledger *ledger, struct store_place from, struct store_place to);

/* How many there are that are not forgotten. */
size_t ledger_segments(const struct ledger *ledger);

#endif
