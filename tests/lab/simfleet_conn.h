/*
 * One connection to a host: libssh's server side, driven by the loop, up to where the scenario
 * says that something goes wrong.
 */
#ifndef MUSTER_SIMFLEET_CONN_H
#define MUSTER_SIMFLEET_CONN_H

#include <event2/event_struct.h>
#include <libssh/callbacks.h>
#include <libssh/libssh.h>

#include "simfleet_fleet.h"

struct sim_channel;
struct sim_relay;

enum sim_state {
	SIM_EXCHANGING, /* keys */
	SIM_SERVING,
	SIM_SINKING, /* says nothing more, and throws away what comes */
	SIM_DEAF,    /* does not even read it */
	SIM_GONE     /* to be freed */
};

struct sim_conn {
	struct sim_fleet *fleet;
	struct sim_conn *next, **prev;
	size_t number;
	const struct sim_manner *manner;
	enum sim_state state;
	enum sim_stage reached;
	bool starting; /* counts as not logged in */
	bool started;  /* a channel runs something */
	bool busy;     /* inside of sim_conn_advance */
	int fd;	       /* the session's, if there is one */
	ssh_session session;
	ssh_event poll;
	struct event io;
	short io_mask;	     /* 0: not added */
	struct event *timer; /* a delay, or a look whether the other end is still there */
	struct sim_channel *channels;
	struct sim_relay *relay; /* between the client and the session */
	struct ssh_server_callbacks_struct callbacks;
};

/* Takes fd over. It frees itself when it has ended. */
void sim_conn_new(struct sim_fleet *fleet, size_t number, int fd);

/* Something may be possible now: from an event that is not the connection's own. conn may be gone
 * when it returns. */
void sim_conn_advance(struct sim_conn *conn);

/* A step has been reached; what the scenario has for it happens when the callers are through. */
void sim_conn_reach(struct sim_conn *conn, enum sim_stage stage);

/* Ends all connections. */
void sim_conn_free_all(struct sim_fleet *fleet);

#endif
