/* The environment of a command, and where it begins. */
#ifndef MUSTER_ENV_H
#define MUSTER_ENV_H

#include "agent_msg.h"

#define ENV_NOTES_FD 3 /* what MUSTER_FD says: fd3.h */

/* What a login has (from our own environment), ours, and last what the task brings: NULL at the
 * end. The caller frees it with env_free. */
char **env_new(const struct task_open_msg *open);
void env_free(char **env); /* NULL is fine */

/* The value of a name, or NULL. Borrowed. */
const char *env_find(char *const *env, const char *name);

#endif
