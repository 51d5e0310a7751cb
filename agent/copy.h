/*
 * A copy: a task that takes files, or gives them (docs/protocol.md, section 16). All that touches
 * files is done by a process of its own, which may wait for a disk without anybody else having to;
 * here its messages are handed on. It ends with the connection.
 */
#ifndef MUSTER_COPY_H
#define MUSTER_COPY_H

#include <stdbool.h>
#include <stdint.h>

#include "agent_msg.h"
#include "err.h"
#include "frame.h"
#include "out.h"
#include "pollset.h"

struct copy;

/* frame: its COPY_OPEN. Never fails: what cannot be started ends with TASK_REFUSED. out is
 * borrowed.
 */
struct copy *copy_new(uint64_t task, const struct frame *frame, struct out *out);
/* Before its end: the process goes, and what it has not finished with it. NULL is fine. */
void copy_free(struct copy *copy);

uint64_t copy_task(const struct copy *copy);
bool copy_is_over(const struct copy *copy);

/* What it waits for: as role and role + 1. */
void copy_poll(struct copy *copy, struct pollset *set, int role);
void copy_on_ready(struct copy *copy, bool writable);

/* From the initiator: a message of a copy. Returns ERR_LIMIT with msg where more came than may. */
int copy_message(struct copy *copy, const struct frame *frame, struct errmsg *msg);
void copy_signal(struct copy *copy, enum task_signal signal);

#endif
