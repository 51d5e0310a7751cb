/*
 * What the command of a run does, and what came of it: the truth that the checker compares with
 * what the initiator's reader has.
 */
#ifndef MUSTER_SIM_SCRIPT_H
#define MUSTER_SIM_SCRIPT_H

#include "buf.h"
#include "record.h"
#include "spool.h"
#include "world.h"

#define SCRIPT_SCHEMAS 2u

struct script {
	uint64_t seed;
	uint64_t records; /* in all */
	uint64_t batch;	  /* at most so many in a frame */
	uint64_t bytes;	  /* of a record at most */
	uint64_t pause_us;
	uint64_t schemas;
	uint64_t input; /* bytes of stdin that it reads before it ends */
	int64_t exit_code;
	bool signalled;
	uint64_t window; /* credit */
	struct spool_limits limits;
	bool drop;
	bool detached;
	uint64_t reconnect_ms; /* 0: the default */
	uint64_t run_timeout_ms;
};

void script_draw(struct script *s, struct world *w);

/* Record number n, from 1, as the command says it; value is in room, which is overwritten. The
 * schema is that of the command. */
void script_record(const struct script *s, uint64_t n, struct buf *room, struct record *ret);
uint64_t script_schema(const struct script *s, uint64_t n); /* of record n; 0: none */
uint8_t script_input(const struct script *s, uint64_t at);

/* Which record this is: its number, if its bytes are those of it; 0: they are of none. */
uint64_t script_find(const struct script *s, const struct record *record);

#endif
