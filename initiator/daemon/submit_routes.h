/* Further gateways for a job that came by one. */
#ifndef MUSTER_SUBMIT_ROUTES_H
#define MUSTER_SUBMIT_ROUTES_H

#include "control_msg.h"
#include "err.h"
#include "plan.h"

/*
 * Sets the routes of a job that has come by a gateway, which is this computer, and brings the
 * topology along: its targets may lie behind other gateways. Of any other job it does nothing.
 * Returns 0, or a negative ERR_* with msg.
 */
int submit_find_routes(struct job_open_msg *open, const struct plan_request *request,
		       struct errmsg *msg);

#endif
