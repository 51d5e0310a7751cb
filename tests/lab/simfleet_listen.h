/* The port on which all hosts listen, and the one on which none does. */
#ifndef MUSTER_SIMFLEET_LISTEN_H
#define MUSTER_SIMFLEET_LISTEN_H

#include <stdint.h>

#include "err.h"
#include "simfleet_fleet.h"

struct sim_listen;

/*
 * Listens on all loopback addresses. *port 0: one is chosen. *ret_refusing: a port that is taken,
 * so that nobody else gets it, but where nobody listens. Returns 0, or ERR_SYS with msg. Freed by
 * sim_listen_free.
 */
int sim_listen_new(struct sim_listen **ret, struct sim_fleet *fleet, uint16_t *port,
		   uint16_t *ret_refusing, struct errmsg *msg);
void sim_listen_free(struct sim_listen *listen);

#endif
