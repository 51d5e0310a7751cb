/* One connection's hold of one run, by the rules of agent/durable.c and agent/durable_find.c around
 * the real struct attach. */
#ifndef MUSTER_SIM_HOLD_H
#define MUSTER_SIM_HOLD_H

#include "agent_msg.h"
#include "target.h"

struct hold;

/* The connection; borrowed. */
struct hold_host {
	struct host *host;
	struct duplex *net; /* side 1 */
	size_t high;	    /* bytes on their way from which on nothing more is sent */
};

/* NULL: that is answered with TASK_END already. open is changed. */
struct hold *hold_open(const struct hold_host *host, struct task_open_msg *open);
struct hold *hold_attach(const struct hold_host *host, const struct task_attach_msg *m);
void hold_free(struct hold *h);

uint64_t hold_task(const struct hold *h);
bool hold_is_over(const struct hold *h);
int hold_on_message(struct hold *h, const struct frame *frame, struct errmsg *msg);
void hold_on_room(struct hold *h);

/* Its disk dies in the middle of what comes next; whether it has. */
void hold_die(struct hold *h);
bool hold_is_dead(const struct hold *h);

#endif
