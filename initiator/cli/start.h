/* Reaching the daemon, and starting it when there is none. */
#ifndef MUSTER_START_H
#define MUSTER_START_H

#include <stdint.h>

#include "err.h"
#include "paths.h"

/*
 * Connects to the daemon's socket; with start set, starts a daemon if nobody listens there. Of
 * several callers at once one starts it: under the lock, the caller itself binds and listens, so
 * whoever connects from then on waits in the queue. Returns a connected socket (close-on-exec);
 * ERR_NOTFOUND (nobody listens, and start is not set), ERR_SYS or ERR_DENIED with msg.
 */
int start_connect(const struct paths *paths, int start, struct errmsg *msg);

/* Starts a daemon of our own that ends when the returned socket is closed. Errors as above. */
int start_ephemeral(struct errmsg *msg);

/* Binds and listens at the daemon's socket for a daemon in the foreground. The same errors, and
 * ERR_EXISTS when one is running. */
int start_listen(const struct paths *paths, struct errmsg *msg);

#endif
