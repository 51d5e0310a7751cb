/* The signals that a command takes while its job runs. */
#ifndef MUSTER_INTERRUPTS_H
#define MUSTER_INTERRUPTS_H

#include <stdbool.h>
#include <stdint.h>

#include "loop.h"

/* From the loop. */
struct interrupts_events {
	void (*interrupt)(void *arg, bool again); /* SIGINT; again: the second within 1 s */
	void (*terminate)(void *arg);		  /* SIGTERM, SIGHUP */
	void (*resize)(void *arg);		  /* the terminal has another width */
};

/* Embedded. */
struct interrupts {
	const struct interrupts_events *events;
	void *arg;
	uint64_t last_ns; /* when the last SIGINT came; 0: none did */
	struct event *signals[4];
};

void interrupts_watch(struct interrupts *interrupts, struct loop *loop,
		      const struct interrupts_events *events, void *arg);
/* From now on they end us. */
void interrupts_unwatch(struct interrupts *interrupts);

#endif
