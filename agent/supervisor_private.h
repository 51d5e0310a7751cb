/* The inside of a supervisor: its process (supervisor_main.c), for supervisor.c. */
#ifndef MUSTER_SUPERVISOR_PRIVATE_H
#define MUSTER_SUPERVISOR_PRIVATE_H

#include <signal.h>

#include "supervisor.h"

/* What the forked process does. fd: its end of the socket. */
_Noreturn void supervisor_main(int fd, const struct spawn *spawn, uint64_t grace_ms);

#endif
