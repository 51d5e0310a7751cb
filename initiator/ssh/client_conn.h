/*
 * A connection as conn.h has it, that the OpenSSH client makes: a process for each. What libssh
 * cannot (host certificates, GSSAPI, FIDO keys) is its business; ours is when it may begin, what it
 * carries, and what its end means.
 *
 * A command, and a stream, begins when it has said a mark on both streams (client_argv.h). Two
 * things differ, as the client keeps them to itself: the key of the server is not known, and a
 * command that was ended by a signal exits with what its shell makes of that, or with 255.
 */
#ifndef MUSTER_CLIENT_CONN_H
#define MUSTER_CLIENT_CONN_H

#include "conn.h"

struct client_conn;

/* Each as the function of conn.h that is called conn_ and the rest. */
struct client_conn *client_conn_start(struct ssh_engine *engine, const struct conn_spec *spec,
				      const struct conn_events *events, void *arg);
void client_conn_stop(struct client_conn *conn);
void client_conn_suspend(struct client_conn *conn, bool suspend);
void client_conn_hold(struct client_conn *conn, bool hold);
void client_conn_write(struct client_conn *conn, const void *data, size_t len);
size_t client_conn_queued(const struct client_conn *conn);
void client_conn_finish(struct client_conn *conn);
void client_conn_ask_writable(struct client_conn *conn);
void client_conn_free(struct client_conn *conn);

#endif
