/* A connection of either kind: over libssh (conn.h), or by the OpenSSH client (client_conn.h). The
 * plan of its target says which. */
#ifndef MUSTER_CLIENT_WAY_H
#define MUSTER_CLIENT_WAY_H

#include <stdbool.h>

#include "client_conn.h"
#include "conn.h"

/* At most one of them; all zero: no connection. */
struct client_way {
	struct conn *conn;
	struct client_conn *client;
};

/* Whether there is one. */
bool client_way_is(const struct client_way *way);

/* Each as the function of conn.h that is called conn_ and the rest, and for one that is there but
 * for free. After the event end it is the caller's to forget it. */
void client_way_start(struct client_way *way, struct ssh_engine *engine,
		      const struct conn_spec *spec, const struct conn_events *events, void *arg);
void client_way_stop(struct client_way *way);
void client_way_suspend(struct client_way *way, bool suspend);
void client_way_hold(struct client_way *way, bool hold);
void client_way_write(struct client_way *way, const void *data, size_t len);
size_t client_way_queued(const struct client_way *way);
void client_way_finish(struct client_way *way);
void client_way_ask_writable(struct client_way *way);
const uint8_t *client_way_key(const struct client_way *way, size_t *ret_len);
void client_way_free(struct client_way *way);

#endif
