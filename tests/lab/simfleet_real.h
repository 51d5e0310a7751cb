/* A real agent, as a child process behind the channel. */
#ifndef MUSTER_SIMFLEET_REAL_H
#define MUSTER_SIMFLEET_REAL_H

#include "simfleet_channel.h"

/* Becomes the role of the channel. */
void sim_real_begin(struct sim_channel *ch);

#endif
