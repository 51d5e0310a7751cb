/* The target's half of the bootstrap (initiator/boot/boot.h, docs/protocol.md section 13), without
 * a shell: what the text would print where the agent is cached, must be sent, or cannot be. */
#ifndef MUSTER_SIMFLEET_BOOT_H
#define MUSTER_SIMFLEET_BOOT_H

#include <stdbool.h>

#include "simfleet_channel.h"

/* True if this text starts an agent. */
bool sim_boot_is(const char *command);

/* Says that the agent is about to run. */
void sim_boot_answer(struct sim_channel *ch, const char *command);

/* Where it must be sent first, or cannot be: takes part in the talk, then hands on to the agent. */
void sim_boot_begin(struct sim_channel *ch, const char *command);

#endif
