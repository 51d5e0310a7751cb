/* DO: wait for jobs, stop, remove, suspend or resume them (docs/protocol.md, 7.5). */
#ifndef MUSTER_DOING_H
#define MUSTER_DOING_H

#include "client.h"
#include "control_msg.h"

/* Begins to answer; takes m over. It is then the client's context, and ends with GET_END. Returns
 * 0, or ERR_SYNTAX with msg for a filter that cannot be. */
int doing_start(struct client *client, struct doing_msg *m, struct errmsg *msg);

#endif
