/* What a process of ours does so that its memory, which may hold what is secret, stays its own. */
#ifndef MUSTER_HARDEN_H
#define MUSTER_HARDEN_H

#include "spawn.h"

/* No core files, and no other process of the user may look into it. */
void harden_process(void);

/* The limits that commands get back; raises ours. */
void harden_limits(struct spawn_limits *ret_before);

#endif
