/*
 * The initiator: struct track for each run, with the connections, the log and the database around
 * it by the rules of initiator/daemon/link_agent.c, remote_*.c, run_keep.c and initiator/store. The
 * log is the real one (seglog, segscan, entry) on a simulated disk, the database a table of rows
 * that change all at once or not.
 */
#ifndef MUSTER_SIM_KEEPER_H
#define MUSTER_SIM_KEEPER_H

#include "err.h"
#include "seglog.h"
#include "store.h"
#include "target.h"
#include "track.h"

struct remote;
struct remote_task;
struct journal;

/* One life of the initiator. What survives it is its disk and the rows of the runs. */
struct keeper {
	struct world *w;
	struct simdisk *disk;
	struct simdisk_user *user;
	bool up, dying;
	bool cut_soon; /* the power, while something is written */
	struct slot cut;
	uint64_t generation;
	uint64_t epochs;
	struct journal *journal;
	struct remote *remotes;
	struct slot back;
};

void keeper_make(struct world *w);
void keeper_free(struct world *w);
void keeper_start(struct keeper *k);
/* Dies; it is back after that long. power: what was not synced is torn. */
void keeper_crash(struct keeper *k, bool power, uint64_t back_us);
/* The log has something that is not synced. */
void keeper_on_flying(struct keeper *k, uint64_t us);
/* In the middle of the next calls of its disk. */
void keeper_crash_late(struct keeper *k);
bool keeper_is_dying(struct keeper *k);
/* Ends as it should. */
void keeper_stop(struct keeper *k, uint64_t back_us);
bool keeper_is_dead(const struct keeper *k); /* and nobody has noticed */

/* --- the log and the database (journal.c) ------------------------------------------------------
 */

/* Opens what is there, and gives each run its items. */
struct journal *journal_open(struct keeper *k);
/* flush: what is queued is written first. */
void journal_close(struct journal *j, bool flush);
/* Records of a run, one frame; frees nothing. remote_seq as in store.h. */
void journal_add(struct journal *j, struct run *run, uint64_t remote_seq,
		 const struct record_batch *batch);
void journal_add_schema(struct journal *j, struct run *run, uint64_t remote_seq, uint64_t id);
void journal_put_row(struct journal *j, struct run *run, const struct row *row);
/* Calls fn(arg) when all that was queued so far is durable; cancelled by journal_forget. */
void journal_when_durable(struct journal *j, event_fn *fn, void *arg);
void journal_forget(struct journal *j, void *arg);
uint64_t journal_pending(const struct journal *j);
bool journal_has_failed(const struct journal *j);

/* What is found of a run when it is opened. */
struct found {
	uint64_t last_seq;
	uint64_t schemas[SCRIPT_SCHEMAS + 1];
	size_t schema_count;
};
void journal_found(const struct journal *j, const struct run *run, struct found *ret);

/* --- connections (remote.c) --------------------------------------------------------------------
 */

struct remote_task *remote_start(struct keeper *k, struct link *link);
/* True: it is open already. May call link_on_open. */
void remote_task_begin(struct remote_task *t);
void remote_task_send(struct remote_task *t, uint8_t type, struct buf *body);
void remote_task_leave(struct remote_task *t, enum track_leave how, bool shun);
void remotes_free(struct keeper *k);
/* A connection of the initiator, chosen by chance; NULL: there is none. */
struct duplex *remotes_pick(struct keeper *k);

/* --- a run (link.c) ----------------------------------------------------------------------------
 */

void link_start(struct keeper *k, struct run *run);
void link_free(struct link *link, bool drop);
struct run *link_run(const struct link *link);
void link_stop(struct link *link);
void link_suspend(struct link *link, bool suspend);
void link_hold(struct link *link, bool hold);
void link_park(struct link *link);
void link_wake(struct link *link);
bool link_is_parked(const struct link *link);
/* Nothing is held, suspended or let go of any more. */
void link_nurse(struct link *link);
void link_fed(struct link *link);
bool link_has_ended(const struct link *link);

/* From its connection. */
void link_on_open(struct link *link, uint64_t task, uint64_t can);
int link_on_frame(struct link *link, const struct frame *frame, struct errmsg *msg);
void link_on_burst_end(struct link *link);
void link_on_lost(struct link *link, enum cause cause, const char *text);

/* What a record of the reader is. */
bool item_get(struct run *run, const struct record *record, struct item *ret);
void items_add(struct run *run, const struct item *item);

#endif
