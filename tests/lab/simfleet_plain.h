/* A command that a host executes without an agent. */
#ifndef MUSTER_SIMFLEET_PLAIN_H
#define MUSTER_SIMFLEET_PLAIN_H

#include "simfleet_channel.h"

/* Becomes the role of the channel. */
void sim_plain_begin(struct sim_channel *ch, const char *command);

#endif
