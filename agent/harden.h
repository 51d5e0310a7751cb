/* What a process of ours does so that its memory, which may hold what is secret, stays its own. */
#ifndef MUSTER_HARDEN_H
#define MUSTER_HARDEN_H

#include <stddef.h>

#include "spawn.h"

/* No core files, and no other process of the user may look into it. */
void harden_process(void);

/* Closes all descriptors from 3 on but these (-1: none): after a fork there are those of others. */
void harden_close_others(const int *kept, size_t count);

/* The limits that commands get back; raises ours. */
void harden_limits(struct spawn_limits *ret_before);

#endif
