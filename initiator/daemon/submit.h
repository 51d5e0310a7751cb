/* The requests that start a job and give it what it needs (docs/protocol.md, section 6). */
#ifndef MUSTER_SUBMIT_H
#define MUSTER_SUBMIT_H

#include "client.h"

int submit_on_open(struct client *client, const struct frame *frame, struct errmsg *msg);
int submit_on_targets(struct client *client, const struct frame *frame, struct errmsg *msg);
int submit_on_secret(struct client *client, const struct frame *frame, struct errmsg *msg);
int submit_on_stdin(struct client *client, const struct frame *frame, struct errmsg *msg);
int submit_on_run(struct client *client, const struct frame *frame, struct errmsg *msg);

#endif
