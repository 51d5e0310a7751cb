/* A daemon that cannot work says why, to those who started it, and leaves. */
#ifndef MUSTER_REFUSE_H
#define MUSTER_REFUSE_H

#include "daemon.h"

/*
 * Everybody who waits at the sockets of options gets ERROR (docs/protocol.md, 5.2) with code and
 * text in place of a greeting. Whoever comes from now on finds no socket and starts another daemon.
 * The sockets are closed. Waits for the clients to have read it, for some seconds at most.
 */
void refuse_clients(const struct daemon_options *options, int code, const char *text);

#endif
