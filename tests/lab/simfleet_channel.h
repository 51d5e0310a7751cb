/*
 * A channel of a connection: what is to be executed comes, and a command without an agent, the
 * scripted agent, or a real one answers. What it writes waits here until SSH takes it.
 */
#ifndef MUSTER_SIMFLEET_CHANNEL_H
#define MUSTER_SIMFLEET_CHANNEL_H

#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "simfleet_conn.h"

struct sim_channel;

/* Who answers. Each may be NULL. */
struct sim_role {
	void (*feed)(struct sim_channel *ch, const void *data, size_t len);
	/* Nothing more will come. */
	void (*end)(struct sim_channel *ch);
	/* The queue is empty: more may be written. */
	void (*pump)(struct sim_channel *ch);
	/* True if pump would write more. */
	bool (*has_more)(const struct sim_channel *ch);
	void (*signal)(struct sim_channel *ch, const char *signal);
	void (*free)(struct sim_channel *ch);
};

struct sim_queue {
	struct buf buf;
	size_t sent;
};

struct sim_channel {
	struct sim_conn *conn;
	struct sim_channel *next, **prev;
	ssh_channel channel;
	struct ssh_channel_callbacks_struct callbacks;
	char *command;	/* to be begun, when the answer to the request is out */
	bool subsystem; /* command is one */
	bool ended;	/* nothing more will come */
	bool closed;	/* by both, or by the client */
	bool finishing; /* status or signal follow the queue */
	bool finished;
	int status;
	const char *signal;	   /* static, or the scenario's; NULL: status */
	struct sim_queue queue[2]; /* output, errors */
	const struct sim_role *role;
	void *arg; /* of the role */
};

/* Returns SSH's channel, or NULL. */
ssh_channel sim_channel_new(struct sim_conn *conn);
void sim_channel_free(struct sim_channel *ch);

/* Outside of SSH's callbacks. ch may be gone when it returns. */
void sim_channel_advance(struct sim_channel *ch);
bool sim_channel_wants_write(const struct sim_channel *ch);

/* What the role calls. The queue is sent by sim_channel_advance. */
struct buf *sim_channel_out(struct sim_channel *ch, bool is_error);
/* The exit status, or the signal that has ended it. */
void sim_channel_finish(struct sim_channel *ch, int status, const char *signal);

#endif
