/*
 * An agent on this computer, for local jobs that need what an agent can: a child process, spoken to
 * over a socket pair. It is the one that is sent to hosts of the same architecture.
 */
#ifndef MUSTER_REMOTE_PIPE_H
#define MUSTER_REMOTE_PIPE_H

#include <stddef.h>

#include "engine.h"
#include "err.h"

struct remote_pipe;

struct remote_pipe_events {
	void (*data)(void *arg, const void *data, size_t len); /* in bursts */
	void (*burst_end)(void *arg);
	/* It has ended. Free it; not from inside this. */
	void (*end)(void *arg);
};

/* 0, or ERR_SYS or ERR_UNSUPPORTED with msg. events and arg are borrowed; none comes before it
 * returns. */
int remote_pipe_start(struct remote_pipe **ret, struct ssh_engine *engine,
		      const struct remote_pipe_events *events, void *arg, struct errmsg *msg);

/* Closes it: what was written still gets there, then the agent ends, and what it runs. NULL is
 * fine. */
void remote_pipe_free(struct remote_pipe *pipe);

void remote_pipe_write(struct remote_pipe *pipe, const void *data, size_t len);

#endif
