/* What has happened so far, as a line of JSON. */
#ifndef MUSTER_SIMFLEET_COUNTS_H
#define MUSTER_SIMFLEET_COUNTS_H

#include <stddef.h>
#include <stdint.h>

struct sim_counts {
	uint64_t connections; /* accepted, in all */
	uint64_t strangers;   /* not from or for an address of a host: closed */
	uint64_t shut;	      /* by maxstartups and down-first */
	uint64_t exchanges;   /* key exchanges done */
	uint64_t logins;
	uint64_t denied; /* logins that were refused */
	uint64_t channels;
	uint64_t agents;
	uint64_t commands; /* begun, with an agent or without */
	uint64_t ended;	   /* of these */
	size_t now;	   /* connections that are open */
	size_t peak;
	size_t starting; /* of these, not logged in yet */
	size_t peak_starting;
};

/* To stdout, at once. */
void sim_counts_print(const struct sim_counts *counts);

#endif
