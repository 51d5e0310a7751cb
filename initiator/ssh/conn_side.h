/*
 * A second channel beside that of the command: a short script of ours whose output nobody wants
 * and whose exit status says it all.
 */
#ifndef MUSTER_CONN_SIDE_H
#define MUSTER_CONN_SIDE_H

#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <stdbool.h>

enum conn_side_state {
	CONN_SIDE_NONE, /* not in use */
	CONN_SIDE_OPEN, /* the channel is being opened */
	CONN_SIDE_EXEC, /* the script is being started */
	CONN_SIDE_WAIT, /* it runs */
	CONN_SIDE_DONE, /* it has ended: status */
	CONN_SIDE_REFUSED
};

/* Embedded; all zero is not in use. Its address must not change. */
struct conn_side {
	enum conn_side_state state;
	ssh_channel channel;
	struct ssh_channel_callbacks_struct callbacks;
	char *command;
	int status; /* of the script; -1: none came */
	bool closed;
};

/* Begins; takes command over. A channel that was in use before is closed. */
void conn_side_begin(struct conn_side *side, ssh_session session, char *command);

/* The same command once more. */
void conn_side_again(struct conn_side *side, ssh_session session);

/* Goes on after the session has read something. Returns the state. */
enum conn_side_state conn_side_advance(struct conn_side *side);

/* True from conn_side_begin until DONE or REFUSED. */
bool conn_side_is_busy(const struct conn_side *side);

/* Before the session is freed. */
void conn_side_done(struct conn_side *side);

#endif
