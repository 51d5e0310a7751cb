/*
 * A reader: a client that is being given the results of some children (docs/protocol.md, 7.6 to
 * 7.9), or of the synchronous job that it has started.
 *
 * What was sent is gone only when the client has acknowledged it; a reader that goes away gives
 * the rest back. A client that does not read is sent no more than LIMIT_CLIENT_QUEUE: the results
 * then wait where they are, and hold their hosts back.
 */
#ifndef MUSTER_READER_H
#define MUSTER_READER_H

#include "client.h"
#include "control_msg.h"
#include "run.h"

struct reader;

/* Begins to answer RECEIVE; takes m over. The reader is then the client's context, and ends with
 * RECEIVE_END. Returns 0, or ERR_SYNTAX with msg for a filter that cannot be. */
int reader_start(struct client *client, struct receive_msg *m, struct errmsg *msg);

/*
 * The same for the job that the client has just started and waits for: every child, as it comes,
 * with each change of state, and JOB_END at the end. What was sent counts as read. If the client
 * goes away the job is stopped.
 */
void reader_start_live(struct client *client, struct run *run);

/* The synchronous job that the client reads now; NULL: none. */
struct run *reader_live_run(struct client *client);

/* RECEIVED: returns 0, or ERR_PROTO with msg for what was never sent. */
int reader_on_received(struct client *client, const struct received_msg *m, struct errmsg *msg);

/* JOB_STOP of this run, if it is the one that the client reads. */
void reader_on_stop(struct client *client, const struct run *run);

/* JOB_CHILDREN, for the synchronous job: returns 0, or ERR_ORDER with msg if another is read. */
int reader_on_children(struct client *client, const struct job_children_msg *m, struct errmsg *msg);

#endif
