/* What a job says of the way to its hosts, as its plan wants it. */
#ifndef MUSTER_PLAN_SETTINGS_H
#define MUSTER_PLAN_SETTINGS_H

#include "control_msg.h"
#include "plan.h"

/* Sets everything of request but its hosts, and frees what was there. */
void plan_settings_take(struct plan_request *request, const struct job_open_msg *open);

/* How often a host is tried (line.h, retries): what the job says outweighs ConnectionAttempts. */
uint64_t plan_settings_retries(const struct job_open_msg *open, const struct plan_target *target);

#endif
