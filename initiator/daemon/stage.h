/*
 * Files that another computer's daemon copies to hosts by way of this one (docs/protocol.md, 6.17):
 * they come once, into a directory of our own, and the copies to the hosts read them there. Each
 * stage has a key; it is removed when no client and no job has it any more, or, half full, a while
 * after its client was lost, so that this one may come again and go on.
 */
#ifndef MUSTER_STAGE_H
#define MUSTER_STAGE_H

#include "client.h"
#include "control_msg.h"
#include "copy_plan.h"

struct stages;

/* Requests of a client: COPY_OPEN, and what follows it. */
int stage_on_open(struct client *client, const struct frame *frame, struct errmsg *msg);
int stage_on_entry(struct client *client, const struct frame *frame, struct errmsg *msg);
int stage_on_data(struct client *client, const struct frame *frame, struct errmsg *msg);
int stage_on_end(struct client *client, const struct frame *frame, struct errmsg *msg);

/* Whether the files of a job are there, where it needs them: 0, or ERR_ORDER with msg. */
int stage_check(struct client *client, const struct job_open_msg *open, struct errmsg *msg);
/* What such a job copies, which the caller frees; NULL: it is no such job. */
struct copy_plan *stage_take(struct client *client, const struct job_open_msg *open);

/* Behind all clients and jobs, before the threads of copies. Removes what is there. NULL is fine.
 */
void stages_free(struct stages *stages);

#endif
