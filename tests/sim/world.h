/*
 * The world of the simulator: one clock, one queue of events, one source of chance, and a log of
 * what happens. No thread, no real time: a seed is a whole history.
 */
#ifndef MUSTER_SIM_WORLD_H
#define MUSTER_SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MS  1000u /* times are in microseconds */
#define SEC 1000000u

/* What can go wrong, or is asked for at a bad moment: each is counted. */
#define SIM_FAULTS(X)                                    \
	X(DROP, "connections dropped")                   \
	X(HALF_OPEN, "half-open connections")            \
	X(SILENCE, "silent connections")                 \
	X(REFUSE, "connections refused")                 \
	X(ATTACH_KILL, "attach processes killed")        \
	X(RUNNER_KILL, "runners killed")                 \
	X(REBOOT, "hosts restarted")                     \
	X(POWER, "hosts without power")                  \
	X(HOST_FULL, "disks of hosts full")              \
	X(HOST_SYNC, "failed calls on hosts")            \
	X(FLIP, "bits flipped in spools")                \
	X(CRASH, "initiators killed")                    \
	X(CRASH_POWER, "initiators without power")       \
	X(CLEAN_STOP, "initiators stopped")              \
	X(FULL, "disks of initiators full")              \
	X(SYNC, "failed syncs of initiators")            \
	X(STOP, "stops")                                 \
	X(SUSPEND, "suspends and resumes")               \
	X(PARK, "detaches")                              \
	X(HOLD, "slow readers")                          \
	X(CLOCK, "steps of the wall clock")              \
	X(REOPENED, "starts asked for again")            \
	X(GAP, "gaps told")                              \
	X(LOST, "runs lost")                             \
	X(GIVEN_UP, "runs given up: no answer")          \
	X(UNTOLD, "runs given up: not reached")          \
	X(EVICTED, "connections evicted by a newer one") \
	X(TOMBSTONE, "tombstones read")

enum fault {
#define X(name, text) FAULT_##name,
	SIM_FAULTS(X)
#undef X
		FAULT_COUNT
};

const char *fault_name(enum fault fault);

/* Ways to be wrong on purpose: the checker has to find them. */
enum sabotage {
	SABOTAGE_NONE,
	SABOTAGE_ACK_EARLY,    /* acknowledges before the log is synced */
	SABOTAGE_APPEND_TWICE, /* the runner appends a batch again */
	SABOTAGE_DROP_FRAME,   /* the runner forgets a batch */
	SABOTAGE_START_TWICE,  /* "started" is not looked at */
	SABOTAGE_SKIP_DAMAGE,  /* what follows a hole in the log's tail is believed */
	SABOTAGE_COUNT
};

const char *sabotage_name(enum sabotage sabotage);

struct event;
typedef void event_fn(void *arg);

struct world {
	uint64_t seed;
	uint64_t chance;
	uint64_t now_us;
	uint64_t wall_ns; /* of the wall clock at now_us 0; steps */
	bool verbose;
	bool calm; /* no more faults; what is broken is mended */
	enum sabotage sabotage;
	uint64_t *counts; /* by enum fault */
	bool failed;
	char why[320];
	/* The queue. */
	struct event *heap;
	size_t count;
	size_t room;
	uint64_t order;
	/* Who lives in it (target.h, initiator.h). */
	struct host *hosts;
	size_t host_count;
	struct run *runs;
	size_t run_count;
	struct keeper *keeper;
	size_t dying; /* processes that are to die in the middle of what they do */
};

void world_init(struct world *w, uint64_t seed);
void world_done(struct world *w);

uint64_t world_roll(struct world *w, uint64_t below); /* below > 0 */
bool world_chance(struct world *w, unsigned percent);
uint64_t world_between(struct world *w, uint64_t from, uint64_t to); /* both included */

/* An event after so long. slot: its place in whoever waits for it, so that it can be taken back;
 * what was set there before is. It is empty again when fn is called. */
struct slot {
	uint64_t id; /* 0: nothing is set */
};
void world_set(struct world *w, struct slot *slot, uint64_t us, event_fn *fn, void *arg);
void world_cancel(struct world *w, struct slot *slot);

/* The next event. False: there is none, or none before until_us. */
bool world_step(struct world *w, uint64_t until_us);

/* Something that must not be. The first is kept. */
void world_fail(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void world_trace(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void world_count(struct world *w, enum fault fault);

uint64_t mix(uint64_t z); /* splitmix64's last step */

#endif
