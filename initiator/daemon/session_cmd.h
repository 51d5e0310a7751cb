/* The requests about sessions (docs/protocol.md, 8.5 to 8.7). */
#ifndef MUSTER_SESSION_CMD_H
#define MUSTER_SESSION_CMD_H

#include "client.h"
#include "control_msg.h"
#include "plan.h"

struct locked;
struct secret_login;

/* JOB_RUN of a JOB_OPEN that asks for a session. open, targets and password are taken over. The
 * answer comes when each host has come or failed. 0, or ERR_* with msg. */
int session_cmd_new(struct client *client, struct job_open_msg *open, struct plan_request *targets,
		    struct locked *password, struct secret_login *login, struct errmsg *msg);

int session_cmd_get(struct client *client, const struct frame *frame, struct errmsg *msg);
int session_cmd_do(struct client *client, const struct frame *frame, struct errmsg *msg);

#endif
