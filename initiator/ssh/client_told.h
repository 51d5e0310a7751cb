/* Which hosts the OpenSSH client is for, and why: said once, when that was not asked for. */
#ifndef MUSTER_CLIENT_TOLD_H
#define MUSTER_CLIENT_TOLD_H

#include <stddef.h>

#include "buf.h"
#include "plan.h"

/* Appends a line for each reason (plan_target.openssh_why), "12 hosts by the OpenSSH client: WHY";
 * of more reasons than a person reads, one for the rest. */
void client_told_hosts(struct buf *out, const struct plan_target *targets, size_t count);

#endif
