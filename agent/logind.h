/* What systemd-logind does to the processes of a user who logs out, logind.conf(5). */
#ifndef MUSTER_LOGIND_H
#define MUSTER_LOGIND_H

#include <stdbool.h>

/* True if it is configured to end them, ours included. */
bool logind_kills(void);

#endif
