/* What a command does on a host: how long it takes, what it writes, how it ends. */
#ifndef MUSTER_SIMFLEET_RUN_H
#define MUSTER_SIMFLEET_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "simfleet_fleet.h"

struct sim_run {
	struct buf out, error;
	size_t out_sent, error_sent; /* kept by who sends it */
	bool flood;		     /* out has no end: sim_run_refill */
	uint64_t takes_ms;	     /* before it writes */
	int status;
	const char *signal; /* borrowed; NULL: status */
};

/* argv as an agent is given it: sleep, echo, true, false, exit and hostname do what they do
 * everywhere, and of sh -c the text is looked at; of all else the scenario says what it does. */
void sim_run_init(struct sim_run *run, const struct sim_fleet *fleet, size_t number,
		  char *const *argv, size_t argc);
/* The same for what a shell is to execute. */
void sim_run_init_text(struct sim_run *run, const struct sim_fleet *fleet, size_t number,
		       const char *text);
void sim_run_done(struct sim_run *run);

/* More of a flood, in place of what was sent. */
void sim_run_refill(struct sim_run *run);

#endif
