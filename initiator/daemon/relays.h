/*
 * The children of a job that gateways run: which gateway may run which, and where each one is now.
 * A gateway's part is one job of its own daemon, in which it is told of everything (relay.h). A
 * gateway that is lost gives the children whose command has certainly not begun to the next one of
 * their route; the others end with the cause gateway.
 */
#ifndef MUSTER_RELAYS_H
#define MUSTER_RELAYS_H

#include <stdbool.h>
#include <stddef.h>

#include "control_msg.h"
#include "plan.h"

struct link;
struct relays;
struct relay_member; /* a child that runs by a gateway and has not ended */
struct run;

/* Whether the routes of a job of count targets can be gone: 0, or ERR_SYNTAX, ERR_RANGE with msg.
 */
int relays_check(const struct job_open_msg *open, size_t count, struct errmsg *msg);

/* NULL if there are no routes, which all of these take. What they need of hosts is copied;
 * relays_check was content. Freed by relays_free, when no link has a member any more. */
struct relays *relays_new(const struct job_open_msg *open, const struct plan_host *hosts,
			  size_t count);
void relays_attach(struct relays *relays, struct run *run); /* before relays_join */
void relays_free(struct relays *relays);

/* Whether the child with this index goes by a gateway; and the same of all, NULL for none. */
bool relays_has(const struct relays *relays, size_t index);
const bool *relays_unslotted(const struct relays *relays);

/* The child is to run. It ends by link_end, from the loop, and is no member any more then. */
struct relay_member *relays_join(struct relays *relays, struct link *link);
/* It is freed with its link, without an end. */
void relays_leave(struct relay_member *m);
void relays_stop(struct relay_member *m);
void relays_suspend(struct relay_member *m, bool suspend);
void relays_hold(struct relay_member *m, bool hold);
void relays_feed(struct relay_member *m); /* there is more input */

#endif
