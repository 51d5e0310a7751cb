/* A TCP connection to the first address that answers. Our own, since libssh's blocks and tries
 * one address only. */
#ifndef MUSTER_DIAL_H
#define MUSTER_DIAL_H

#include "engine.h"
#include "resolve.h"

struct dial;

/*
 * Called once, from the loop; the handle is then gone. fd: connected, non-blocking, close-on-exec,
 * with TCP_NODELAY, keepalive and TCP_USER_TIMEOUT set; the callee owns it. -1: error is the
 * errno of the last address.
 */
typedef void dial_fn(void *arg, int fd, int error);

/*
 * Tries the addresses in turn; each gets an equal share of timeout_ms. Too many open files is
 * waited out. Never calls fn before it returns.
 */
struct dial *dial_start(struct ssh_engine *engine, const struct resolve_result *to,
			uint64_t timeout_ms, dial_fn *fn, void *arg);
void dial_cancel(struct dial *dial); /* fn will not be called. NULL is fine. */

/* Asks the kernel to acknowledge at once, tcp(7): a handshake is a chain of short round trips, and
 * a delayed acknowledgement costs each of them 40 ms. Not permanent: call it at each step. */
void dial_quickack(int fd);

#endif
