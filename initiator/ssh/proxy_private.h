/* Between proxy_command.c and proxy_reap.c. */
#ifndef MUSTER_PROXY_PRIVATE_H
#define MUSTER_PROXY_PRIVATE_H

#include <sys/types.h>

#include "proxy_command.h"

/* From any thread: ends the process group of a child of ours that nobody has waited for. */
void proxies_take(struct proxies *proxies, pid_t pid);

/* Kills what is left of it, and waits. */
void proxy_kill(pid_t pid);

#endif
