/* All hosts together, and what their connections share. One thread, one loop. */
#ifndef MUSTER_SIMFLEET_FLEET_H
#define MUSTER_SIMFLEET_FLEET_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "record.h"
#include "simfleet_counts.h"
#include "simfleet_keys.h"
#include "simfleet_scenario.h"

struct sim_conn;

/* What is remembered of a host. */
struct sim_host {
	uint32_t starting; /* connections that have not logged in */
	uint32_t shut;	   /* by down-first */
};

struct sim_fleet {
	struct event_base *base;
	struct sim_scenario scenario;
	struct sim_keys keys;
	struct sim_host *hosts; /* by number - 1 */
	struct sim_conn *conns;
	struct sim_counts counts;
	const char *agent;	   /* program, for hosts that are real */
	bool by_address;	   /* names are addresses */
	struct record_batch batch; /* of whoever makes records just now */
};

/* As people name it: sim7, or its address. */
void sim_fleet_name(const struct sim_fleet *fleet, size_t number, char *out, size_t size);

#endif
