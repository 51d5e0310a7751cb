/*
 * In what stages the children of a job come up: a canary alone, then batches with pauses between
 * them, until all have come up or too many have failed. A job without any of these has one batch.
 * Knows indexes and counts only; who drives it (job_roll.c) tells it what has become of a stage.
 * The phases are one table with one driver. docs/rollouts.md has it for people.
 */
#ifndef MUSTER_ROLLING_H
#define MUSTER_ROLLING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Named for what is awaited. */
enum rolling_phase {
	ROLLING_CANARY, /* the end of the canary */
	ROLLING_HELD,	/* somebody who releases the others: the canary has failed */
	ROLLING_BATCH,	/* the end of a batch */
	ROLLING_PAUSE,	/* the time of the next batch */
	ROLLING_OVER,	/* the end of what runs: too many have failed, and no other comes up */
	ROLLING_PHASE_COUNT
};

enum rolling_event {
	ROLLING_EV_DONE,    /* all of the stage have ended; of a canary: well */
	ROLLING_EV_SPOILT,  /* all of the canary have ended, one of them not well */
	ROLLING_EV_TIME,    /* the pause is over */
	ROLLING_EV_RELEASE, /* somebody lets the others go in spite of the canary */
	ROLLING_EV_LIMIT,   /* more have failed than may */
	ROLLING_EV_COUNT
};

/* What the driver's caller has to do. */
enum rolling_action {
	ROLLING_DO_HOLD,    /* suspend the job as a whole */
	ROLLING_DO_WAIT,    /* nothing before rolling.until_ns */
	ROLLING_DO_OPEN,    /* let the next batch, which begin and end tell, come up */
	ROLLING_DO_GIVE_UP, /* end who has not come up */
	ROLLING_ACTION_COUNT
};

struct rolling_row {
	enum rolling_phase phase;
	enum rolling_event event;
	enum rolling_phase next;
	enum rolling_action action;
	const char *reason; /* for people: why the table says so */
};

/* What is asked for. */
struct rolling_spec {
	size_t batch;	       /* so many at a time; 0: all */
	size_t canary;	       /* the first so many run alone; 0: none do */
	uint64_t pause_ns;     /* behind the canary and each batch */
	size_t failures;       /* with so many failed ones no other comes up; 0: any number may */
	bool fail_fast;	       /* and those that run are stopped, too */
	uint64_t reachable_ns; /* for so long a child waits for its host; 0: it does not */
};

struct rolling {
	struct rolling_spec spec; /* batch: 1 to count; canary: up to count */
	enum rolling_phase phase; /* written by rolling_step and rolling_restore alone */
	size_t count;
	size_t begin, end; /* the stage; nobody from end on may come up */
	size_t again;	   /* so many may still be tried again beside the stage */
	uint64_t until_ns; /* of PAUSE */
};

const char *rolling_phase_name(enum rolling_phase phase);
const char *rolling_event_name(enum rolling_event event);
const char *rolling_action_name(enum rolling_action action);

/* The row for a pair, or NULL if the pair is illegal. All rows. */
const struct rolling_row *rolling_find(enum rolling_phase phase, enum rolling_event event);
const struct rolling_row *rolling_rows(size_t *ret_count);

/* The first stage of count children. spec NULL: none of it is asked for. */
void rolling_init(struct rolling *r, const struct rolling_spec *spec, size_t count);

/* The driver. now: nanoseconds of the same clock as until_ns. An illegal pair aborts. */
enum rolling_action rolling_step(struct rolling *r, enum rolling_event event, uint64_t now);

/* How many may run at once in this stage. */
size_t rolling_size(const struct rolling *r);
/* Somebody has yet to come up in a later stage. */
bool rolling_has_more(const struct rolling *r);
/* The number of the batch, from 1, and of how many. 0: the canary. */
size_t rolling_number(const struct rolling *r);
size_t rolling_total(const struct rolling *r);

/* What is known of the children after a restart. */
struct rolling_past {
	bool begun;	   /* somebody behind the canary has come up; */
	size_t last;	   /* the last one that has */
	bool canary_ended; /* all of the canary have */
	bool canary_bad;   /* and one of them not well */
};

/* The stage that they were in, as if nothing of it had ended. Where all of it has, the driver is
 * to be told at once: a pause counts from the time that it is told. */
void rolling_restore(struct rolling *r, const struct rolling_past *past);

#endif
