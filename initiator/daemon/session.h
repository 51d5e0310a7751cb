/*
 * Sessions: named sets of hosts with settings. A session holds a connection to the agent of each
 * of its hosts, which jobs then use, many at a time; and it remembers what the last command there
 * has left to the next one: its directory and environment. session_cmd.h is how clients come to it,
 * session_job.h how jobs do.
 *
 * A connection that is lost is not looked for again: the host is Broken until somebody asks. The
 * store keeps all but connections and passwords.
 */
#ifndef MUSTER_SESSION_H
#define MUSTER_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control_msg.h"
#include "err.h"
#include "plan.h"

struct daemon;
struct locked;
struct prompts;
struct secret_login;
struct session;
struct sessions;

struct sessions *sessions_new(struct daemon *daemon);
void sessions_free(struct sessions *sessions); /* before the remotes. NULL is fine */

size_t sessions_count(const struct sessions *sessions);
/* A connection is held, or looked for: no time to be idle. */
bool sessions_are_open(const struct sessions *sessions);

/* By id; NULL: none. */
struct session *session_find(const struct sessions *sessions, uint64_t id);

/*
 * Makes one, Disconnected, of a JOB_OPEN with its targets; open and targets are taken over and
 * empty afterwards, also on failure: ERR_EXISTS, ERR_SYNTAX (the name), ERR_RANGE, with msg.
 */
int session_make(struct sessions *sessions, struct job_open_msg *open, struct plan_request *targets,
		 struct session **ret, struct errmsg *msg);

/* Connects to those of its hosts that are not connected. password: for become, needed until all
 * have come or failed; taken over; NULL: none. */
void session_connect(struct session *session, struct locked *password);
/* The password of its users on the hosts, for as long as it is there; taken over; NULL: none. */
void session_set_login(struct session *session, struct secret_login *login);
/* When it connects now: the user of this client (its number) may be asked for passphrases, and by
 * prompts, which are taken over, for what servers want to know. While it is connecting for another
 * one already: no effect. */
void session_asks(struct session *session, uint64_t client, struct prompts *prompts);
/* Lets go of all connections. Jobs that run on them keep them until they end. why: for people;
 * NULL: as was asked. */
void session_disconnect(struct session *session, const char *why);
/* The same, and it is gone, from the store too. */
void session_remove(struct session *session);

/* It looks for connections. */
bool session_is_opening(const struct session *session);

/* A value of the store whose name begins with SESSION_VALUE: it comes back Disconnected. */
#define SESSION_VALUE "session/"
void session_restore(struct sessions *sessions, const char *name, const void *data, size_t len);

/* Who waits for hosts to come: fn(arg) is called whenever a session has no more of them to wait
 * for, or is gone. From anywhere. */
struct session_watch {
	struct session_watch *next;
	struct session_watch **prev; /* NULL: watches nothing */
	void (*fn)(void *arg);
	void *arg;
};
void session_watch(struct sessions *sessions, struct session_watch *watch);
void session_unwatch(struct session_watch *watch); /* again: no effect */

#endif
