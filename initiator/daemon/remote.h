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
#include "feed.h"
#include "outcome.h"
#include "plan.h"
#include "record.h"
#include "schemas.h"

struct remotes;
struct remote_task;

/* linger_ms: how long an idle connection stays; 0: not at all. */
struct remotes *remotes_new(struct ssh_engine *engine, uint64_t linger_ms);
/* After the last task was freed. NULL is fine. */
void remotes_free(struct remotes *remotes);

/* Connections on which an agent runs or is being started. */
size_t remotes_count(const struct remotes *remotes);

struct remote_events {
	void (*running)(void *arg);
	/* Its time is that of its arrival, its schema the number in schemas. Comes in bursts. */
	void (*record)(void *arg, const struct record *record);
	void (*burst_end)(void *arg);
	void (*suspended)(void *arg, bool suspended);
	/* The last event, but for no_agent; the task is gone when it returns. */
	void (*end)(void *arg, const struct outcome *outcome);
	/* No agent can run there, and nothing was started. The last event; gone as above. */
	void (*no_agent)(void *arg, const char *why);
};

struct remote_spec {
	/* Its plan is held as long as the connection stays. NULL: this computer. */
	const struct plan_target *target;
	const struct job_open_msg *job; /* agent, become, timeouts; borrowed during the call */
	const char *password;		/* for become; NULL: none. Borrowed during the call */
	const struct task_open_msg
		*open;		 /* task and credit are filled in here. Borrowed likewise */
	struct feed *feed;	 /* NULL: no input; borrowed until the end of the task */
	struct schemas *schemas; /* borrowed likewise */
	uint64_t credit;	 /* bytes of records that may be on their way */
};

/* No event comes before it returns. events are borrowed. */
struct remote_task *remote_start(struct remotes *remotes, const struct remote_spec *spec,
				 const struct remote_events *events, void *arg);

/* TERM to all that the command has started, then KILL: the end STOPPED follows, at the latest
 * within the grace and some seconds. Before it has begun: at once, from the loop. */
void remote_task_stop(struct remote_task *task);
void remote_task_suspend(struct remote_task *task, bool suspend);

/* Lets no more records come than are on their way, or goes on. */
void remote_task_hold(struct remote_task *task, bool hold);

/* There is more in its feed. */
void remote_task_feed(struct remote_task *task);

/* Ends it at once, with KILL, without an event. NULL is fine. */
void remote_task_free(struct remote_task *task);

#endif
