/*
 * A job over a fake transport, beside a model of it that is written down apart: a child is what was
 * done to it and reported of it, and its state follows. After each event, and inside each callback,
 * the two must agree.
 */
#ifndef MUSTER_TEST_WORLD_H
#define MUSTER_TEST_WORLD_H

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "job.h"

enum { CHILDREN_MAX = 24 };

/* Whether the command goes on. */
enum pace { PACE_GOES, PACE_HALTING, PACE_STANDS, PACE_WAKING };

enum owed { OWED_NOTHING, OWED_SUSPEND, OWED_RESUME };

/* What the test knows of a child. */
struct model {
	bool started;  /* transport->start was called */
	bool running;  /* child_on_running was reported */
	bool stopping; /* a stop was asked for */
	bool stop_sent;
	bool ended;
	bool lost; /* the link */
	bool blocked;
	bool unread;
	enum pace pace;
	enum owed owed;		  /* by job_suspend and job_resume */
	unsigned suspends_wanted; /* calls of the transport that must have come, and have */
	unsigned suspends, resumes_wanted, resumes;
	enum cause cause;     /* that it ended with */
	enum job_state state; /* that it must have */
	enum job_state via;   /* one that it passes through within a call; else the same */
	enum job_state told;  /* that the observer was told last */
	uint64_t begin, end;
};

struct world {
	uint64_t seed, random, now;
	struct job *job;
	size_t count, throttle;
	bool live, stop_asked, held;
	size_t next_start; /* nobody before it may start any more */
	enum job_state told;
	unsigned finish_calls;
	struct model model[CHILDREN_MAX];
};

#define CHECK(w, cond)                                                                  \
	do {                                                                            \
		if (!(cond))                                                            \
			fail_msg("MUSTER_TEST_SEED=%" PRIu64 ": %s", (w)->seed, #cond); \
	} while (0)

/* Makes the job of this seed. Its end is the caller's: job_free. */
void world_init(struct world *w, uint64_t seed);

/* A number below n, the next of the seed. */
size_t pick(struct world *w, size_t n);

bool is_finished(enum job_state state);
bool holds_slot(const struct model *m);

/* Sets m->state from the rest. via: a state that is also told on the way, or m->state afterwards.
 */
void model_settle(struct model *m);

/* Everything that can be seen from outside. */
void check_all(struct world *w);

#endif
