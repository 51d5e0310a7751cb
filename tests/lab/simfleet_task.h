/* A command of the scripted agent, and the frames that it sends. */
#ifndef MUSTER_SIMFLEET_TASK_H
#define MUSTER_SIMFLEET_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include "agent_msg.h"
#include "simfleet_channel.h"

struct sim_task;

/* Begins: TASK_RUNNING, and all that may be said at once. Returns NULL if it has ended by that. */
struct sim_task *sim_task_new(struct sim_channel *ch, const struct task_open_msg *open);
void sim_task_free(struct sim_task *task);
uint64_t sim_task_id(const struct sim_task *task);

/* What the initiator says. Each returns true if the task has ended: TASK_END is written, and the
 * caller frees it. */
bool sim_task_credit(struct sim_task *task, uint64_t bytes);
bool sim_task_signal(struct sim_task *task, uint64_t signal);
void sim_task_input(struct sim_task *task, size_t bytes);

/* Writes what it may; true if it has ended. */
bool sim_task_pump(struct sim_task *task);
/* True if pump would write. */
bool sim_task_has_more(const struct sim_task *task);

/* One that never begins. */
void sim_task_refuse(struct sim_channel *ch, uint64_t id, enum task_end_kind kind,
		     const char *text);

#endif
