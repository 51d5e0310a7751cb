/* The environment of a command, and where it begins. */
#ifndef MUSTER_ENV_H
#define MUSTER_ENV_H

#include <stdbool.h>

#include "agent_msg.h"

#define ENV_NOTES_FD   3 /* what MUSTER_FD says: fd3.h */
#define ENV_SESSION_FD 4 /* of a command of a session: left.h */

/* What a login has (from our own environment), ours, and last what the task brings: NULL at the
 * end. The caller frees it with env_free. */
char **env_new(const struct task_open_msg *open);
void env_free(char **env); /* NULL is fine */

/* The value of a name, or NULL. Borrowed. */
const char *env_find(char *const *env, const char *name);

/* True if an entry is the command's own doing: neither a login nor a shell by itself sets it so. */
bool env_is_left(const char *entry, char *const *login);

#endif
