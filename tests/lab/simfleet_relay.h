/* Between a client and a session of libssh: gives on to the client no faster than so many bytes a
 * second, or no more than so many in all. */
#ifndef MUSTER_SIMFLEET_RELAY_H
#define MUSTER_SIMFLEET_RELAY_H

#include <event2/event.h>

#include "simfleet_scenario.h"

struct sim_relay;

/* Takes *fd, the client, over, and puts in its place what the session is to use: when that is
 * closed, so is the client. NULL: it could not, *fd is as it was. */
struct sim_relay *sim_relay_new(struct event_base *base, const struct sim_manner *manner, int *fd);
void sim_relay_free(struct sim_relay *relay); /* NULL is fine */

#endif
