/* The requests that start a job: JOB_OPEN, JOB_TARGETS, JOB_RUN (docs/protocol.md, section 6). */
#ifndef MUSTER_SUBMIT_H
#define MUSTER_SUBMIT_H

#include "client.h"

int submit_open(struct client *client, const struct frame *frame, struct errmsg *msg);
int submit_targets(struct client *client, const struct frame *frame, struct errmsg *msg);
int submit_run(struct client *client, const struct frame *frame, struct errmsg *msg);

#endif
