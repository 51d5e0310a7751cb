/* One connection's hold of one durable run: finds or starts its runner, or sees that there is none
 * any more, and lets struct attach talk through it. */
#ifndef MUSTER_DURABLE_H
#define MUSTER_DURABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "agent_msg.h"
#include "err.h"
#include "frame.h"
#include "out.h"
#include "pollset.h"
#include "spawn.h"
#include "spooldir.h"

struct durable;

/* What all of a connection share; borrowed. */
struct durable_host {
	struct out *out; /* to the initiator */
	struct spooldir *dirs;
	struct spawn_limits *limits;
};

/* TASK_OPEN and TASK_ATTACH. NULL: that is answered with TASK_END already. open is changed. */
struct durable *durable_open(const struct durable_host *host, struct task_open_msg *open);
struct durable *durable_attach(const struct durable_host *host, const struct task_attach_msg *m);

/* The run goes on. NULL is fine. */
void durable_free(struct durable *d);

uint64_t durable_task(const struct durable *d);

/* Nothing more comes of it on this connection. */
bool durable_is_over(const struct durable *d);

/* A message of this task. 0, or ERR_* with msg. */
int durable_on_message(struct durable *d, const struct frame *frame, struct errmsg *msg);

/* As of a task; role is given back by the loop. */
void durable_poll(struct durable *d, struct pollset *set, int role);
int durable_on_ready(struct durable *d, struct errmsg *msg);
void durable_on_time(struct durable *d);

#endif
