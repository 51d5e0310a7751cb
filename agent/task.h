/*
 * One command: from TASK_OPEN to TASK_END, which comes once whatever happens. Its states are a
 * table in task.c; it is over when the command has been reaped and its output is at its end, in
 * either order.
 */
#ifndef MUSTER_TASK_H
#define MUSTER_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include "agent_msg.h"
#include "err.h"
#include "out.h"
#include "pollset.h"
#include "spawn.h"

struct task;

enum task_role {
	TASK_ROLE_NONE,
	TASK_ROLE_SUPERVISOR,
	TASK_ROLE_OUTPUT,
	TASK_ROLE_ERROR,
	TASK_ROLE_FD3,
	TASK_ROLE_INPUT
};

/*
 * Starts it. open is taken over (and emptied). out is borrowed. Never fails: what cannot be started
 * ends with TASK_REFUSED. Freed by task_free once task_is_over.
 */
struct task *task_new(struct task_open_msg *open, const struct spawn_limits *limits,
		      struct out *out);
/* Before the end of the task: its tree is ended without being waited for. NULL is fine. */
void task_free(struct task *task);

uint64_t task_id(const struct task *task);
bool task_is_over(const struct task *task);

/* A task that is refused without having been one. */
void task_refuse(struct out *out, uint64_t id, const char *text);

/* What it waits for. */
void task_poll(struct task *task, struct pollset *set);

/* Something has happened, or is due. */
void task_on_ready(struct task *task, enum task_role role);
void task_on_time(struct task *task);

/* From the initiator. task_input returns ERR_* with msg where it broke the protocol. */
int task_input(struct task *task, const struct task_stdin_msg *m, struct errmsg *msg);
void task_signal(struct task *task, enum task_signal signal);
void task_credit(struct task *task, uint64_t bytes);

#endif
