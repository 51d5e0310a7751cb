/*
 * Hosts with an agent: one SSH connection to each, on which the agent runs, and the tasks on it. A
 * connection stays for a while when its last task has ended, and the next one for the same host
 * (same user, port, configuration, and user to become) costs no handshake.
 */
#ifndef MUSTER_REMOTE_H
#define MUSTER_REMOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent_msg.h"
#include "control_msg.h"
#include "frame.h"
#include "message.h"
#include "outcome.h"
#include "plan.h"
#include "track.h"

struct lines;
struct remotes;
struct remote_task;
struct locked;
struct secret_login;

/* linger_ms: how long an idle connection stays; 0: not at all. keepalive_ms: one on which commands
 * run is asked for a sign of life after such a silence, and lost after three times that; 0: the
 * default. */
struct remotes *remotes_new(struct ssh_engine *engine, struct lines *lines, uint64_t linger_ms,
			    uint64_t keepalive_ms);
/* After the last task was freed. NULL is fine. */
void remotes_free(struct remotes *remotes);

struct remote_events {
	/* The agent can be spoken to, under this number. can: AGENT_CAN_*; note: what it says of
	 * durable runs, or NULL. Once; may come from inside of remote_start's caller's loop only.
	 */
	void (*open)(void *arg, uint64_t task, uint64_t can, const char *note);
	/* A frame of this task. 0, or ERR_* with msg: the agent is let go of. Comes in bursts. */
	int (*frame)(void *arg, const struct frame *frame, struct errmsg *msg);
	void (*burst_end)(void *arg);
	/* The connection has ended, or did not come about. The last event; the task is gone. */
	void (*lost)(void *arg, enum cause cause, const char *text);
	/* No agent can run there, and nothing was started. The last event; gone as above. */
	void (*no_agent)(void *arg, const char *why);
};

struct remote_spec {
	/* Its plan is held as long as the connection stays. NULL: this computer. */
	const struct plan_target *target;
	const struct job_open_msg *job; /* agent, become, timeouts; borrowed during the call */
	struct locked *password;	/* for become; NULL: none. Borrowed during the call */
	struct secret_login *login;	/* to log in; NULL: nothing. The same */
};

/* No event comes before remote_task_begin. events are borrowed. */
struct remote_task *remote_start(struct remotes *remotes, const struct remote_spec *spec,
				 const struct remote_events *events, void *arg);

/* Lets events come; open does at once if there is a connection already. */
void remote_task_begin(struct remote_task *task);

/* A message for its agent. body is taken over. Before open and after the end: dropped. */
void remote_task_send(struct remote_task *task, enum message_type type, struct buf *body);

/* The same, a whole frame, which is emptied. */
void remote_task_send_frame(struct remote_task *task, struct buf *frame);

/* Name and version of its agent: "muster-agent 0.1.0". NULL: it has not said, or is not there.
 * Borrowed until the next event. */
const char *remote_task_program(const struct remote_task *task);

/* Lets go of it without an event. shun: its agent is given no other task. NULL is fine. */
void remote_task_leave(struct remote_task *task, enum track_leave how, bool shun);

#endif
