/*
 * Hosts: their disks, the runs that are there, and the processes: agents (one for a connection)
 * and runners (one for a run that goes on). The spool and struct attach are the real ones; the
 * rules of a run's directory are those of agent/durable_find.c, agent/runner.c and
 * agent/spooldir.c.
 */
#ifndef MUSTER_SIM_TARGET_H
#define MUSTER_SIM_TARGET_H

#include "duplex.h"
#include "feed.h"
#include "frame.h"
#include "outcome.h"
#include "script.h"
#include "simdisk.h"

#define SIM_HOSTS     8u
#define SIM_RUNS      4u /* of one host */
#define RUN_USERS     32u
#define RUN_INPUT_MAX (256u << 10)

struct agent;
struct runner;
struct link;

struct host {
	struct world *w;
	size_t index;
	bool up;
	bool deaf;     /* nobody can connect to it */
	uint64_t boot; /* which one it is */
	struct agent *agents;
	struct slot back;
};

/* What is committed of a run in the initiator's database. */
struct row {
	bool asked;
	bool begun;
	bool stopping;
	bool ended;
	struct outcome outcome;
};

/* One record of a run as the reader has it, or what stands in its place. */
struct item {
	uint64_t record; /* 0: it is a gap */
	uint64_t lost;	 /* records of the gap */
	bool known;	 /* that is how many; otherwise at least */
};

struct run {
	struct world *w;
	struct host *host;
	size_t index;
	char uuid[40];
	struct script script;
	struct feed *feed; /* the initiator's; NULL: no input */
	/* On the host. */
	struct simdisk *disk; /* its directory */
	bool made;
	struct simdisk_user *users[RUN_USERS];
	bool used[RUN_USERS];
	struct runner *runner; /* alive, and so with the lock */
	/* What came of it there. */
	unsigned starts;
	uint64_t produced; /* records of the command that may be in the spool */
	uint64_t spooled;  /* that are in it for certain */
	bool end_produced;
	bool end_spooled;
	enum task_end_kind_sim {
		RUN_END_NONE,
		RUN_END_EXITED,
		RUN_END_SIGNALLED,
		RUN_END_STOPPED,
		RUN_END_TIMEOUT
	} end;
	bool runner_died;
	bool power_cut;	    /* since it began: what was not acknowledged may be lost */
	bool damaged;	    /* a bit was flipped */
	bool settled;	    /* a tombstone was written, or should have been */
	uint64_t acked_seq; /* the highest TASK_ACK that came to an agent */
	/* On the initiator, across its lives. */
	struct row row;
	unsigned ends; /* rows that were committed with an end */
	bool stop_asked;
	bool crashed_open;  /* the initiator died between TASK_OPEN and that row */
	uint64_t sent_ack;  /* the highest TASK_ACK that left */
	struct link *link;  /* NULL: none, or the initiator is down */
	struct item *items; /* of the reader: what is in the log when it is read again */
	size_t item_count;
	size_t item_room;
};

/* --- hosts ---------------------------------------------------------------------------------- */

void hosts_make(struct world *w);
void hosts_free(struct world *w);
/* All processes die. power: and what was not synced is torn. It is back after that long. */
void host_down(struct host *host, bool power, uint64_t back_us);
void host_full(struct host *host, bool full);

/* --- the directory of a run ------------------------------------------------------------------ */

/* A process's access to it; given back closes what is open. */
struct simdisk_user *run_user(struct run *run);
void run_user_done(struct run *run, struct simdisk_user *user);
bool run_has(const struct run *run, const char *name);
int run_write(const struct disk *disk, const char *name, const void *data, size_t len);
/* Only spec and done stay. */
void run_empty(const struct disk *disk);

/* --- processes -------------------------------------------------------------------------------- */

/* side 1 of net. */
void agent_start(struct host *host, struct duplex *net);
/* late: in the middle of the next calls of its disk. */
void agent_kill(struct agent *agent, bool late);
size_t agents_dying(struct host *host);
struct run *run_find(struct host *host, const char *uuid);

void runner_start(struct run *run);
void runner_kill(struct runner *runner, bool late);
/* One of the next calls of its disk fails. */
void runner_fail(struct runner *runner);
bool runner_is_dying(struct runner *runner); /* and is now dead: it is gone */
/* A connection of an agent, side 1; closed if it does not listen so far. */
bool runner_accept(struct runner *runner, struct duplex *ctl);

/* Builds a frame into out. */
void sim_frame(struct buf *out, uint8_t type, uint64_t seq, const struct buf *body);

#endif
