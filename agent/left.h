/*
 * What a command of a session leaves for the next one. Its shell ends with
 *
 *   { MUSTER_PWD=$(pwd -P) command -p cat /proc/self/environ && printf x; } >&4
 *
 * that is, entries of an environment with a NUL behind each, and an x if that was all of them.
 */
#ifndef MUSTER_LEFT_H
#define MUSTER_LEFT_H

#include <stddef.h>

#include "agent_msg.h"
#include "buf.h"

/* Appends TASK_SESSION, or nothing if said is not that. open: of the command. */
void left_put(struct buf *out, const struct task_open_msg *open, char *said, size_t len);

#endif
