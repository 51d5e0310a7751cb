/* The request GET: jobs and their children as rows. */
#ifndef MUSTER_CONTROL_GET_H
#define MUSTER_CONTROL_GET_H

#include "client.h"

int control_get(struct client *client, const struct frame *frame, struct errmsg *msg);

#endif
