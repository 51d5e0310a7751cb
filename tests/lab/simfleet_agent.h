/* The scripted agent: docs/protocol.md, sections 11 and 12, without a process. */
#ifndef MUSTER_SIMFLEET_AGENT_H
#define MUSTER_SIMFLEET_AGENT_H

#include "simfleet_channel.h"

/* Becomes the role of the channel, and greets. */
void sim_agent_begin(struct sim_channel *ch);

#endif
