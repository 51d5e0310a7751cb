/* What jobs take from sessions: hosts and settings when they are opened, and at each host what the
 * last command there has left. */
#ifndef MUSTER_SESSION_JOB_H
#define MUSTER_SESSION_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent_msg.h"
#include "control_msg.h"
#include "outcome.h"
#include "plan.h"
#include "session.h"

/*
 * Fills in the hosts and settings of the sessions that open names; its sessions are from then on as
 * the functions below want them. ERR_NOTFOUND, ERR_ORDER (not connected), ERR_SYNTAX (they do not
 * go together), ERR_RANGE, with msg.
 */
int session_fill(const struct sessions *sessions, struct job_open_msg *open,
		 struct plan_request *targets, struct errmsg *msg);

/* A child of such a job: the index-th of its hosts. */
struct session_host;
struct session_host *session_host_of(const struct sessions *sessions,
				     const struct job_open_msg *open, size_t index);

/* Whether a command can begin there; if not, *ret says why. host NULL: its session was removed. */
bool session_host_takes(const struct session_host *host, struct outcome *ret);

/* A command begins and ends to use it. */
void session_host_use(struct session_host *host);
void session_host_release(struct session_host *host);

/* What its next command begins with: NULL: the home. Borrowed. */
const char *session_host_directory(const struct session_host *host);
char *const *session_host_env(const struct session_host *host, size_t *ret_count);

/* What a command has left, but for what is the command's own: own, as it was given to it. False if
 * that is too much to be kept. */
bool session_host_leave(struct session_host *host, const struct task_session_msg *m,
			char *const *own, size_t own_count);

/* What a job on a session may bring of environment, and a session keep. The rest of what fits is
 * muster's own. */
#define SESSION_ENV_MAX	  (LIMIT_ENV / 2 - 16)
#define SESSION_ENV_BYTES (LIMIT_COMMAND / 2 - 2048)

/* The environment of a session that is made is within that. 0, or ERR_RANGE with msg. */
int session_check_env(char *const *env, size_t count, struct errmsg *msg);

#endif
