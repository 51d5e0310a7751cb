/* The inside of a session, for session.c (its life), session_conn.c (its connections),
 * session_keep.c (what the store has of it), session_cmd.c and session_job.c. */
#ifndef MUSTER_SESSION_PRIVATE_H
#define MUSTER_SESSION_PRIVATE_H

#include "daemon_private.h"
#include "outcome.h"
#include "passphrases.h"
#include "remote.h"
#include "secret_login.h"
#include "session.h"

enum session_state {
	SESSION_DISCONNECTED,
	SESSION_OPENING,
	SESSION_OPENED,
	SESSION_BROKEN,
	SESSION_STATE_COUNT
};

struct session_host {
	struct session *session;
	struct remote_task *task; /* holds its connection; NULL: it has none */
	enum session_state state; /* written by session_host_enter alone */
	enum cause cause;	  /* of BROKEN */
	char *text;		  /* what is to be said of it; NULL: nothing */
	size_t commands;	  /* that run on it */
	uint64_t idle_since_ns;	  /* since none does */
	char *directory;	  /* what the last command has left; NULL: nothing has been left */
	char **env;
	size_t env_count;
};

struct session {
	struct sessions *all;
	struct session *next;
	uint64_t id;
	struct job_open_msg open;    /* its settings; name is its name */
	struct plan_request targets; /* its hosts */
	struct session_host *hosts;  /* as many */
	size_t in_state[SESSION_STATE_COUNT];
	size_t commands; /* that run on any */
	struct event *idle;
	struct secret_login *login; /* NULL: no password */
	/* While it is opening. */
	struct plan_work *planning;
	struct plan *plan;
	struct locked *password; /* for become */
	struct passphrases *asking;
	uint64_t asks;	  /* number of the client that may be asked; 0: none */
	size_t at;	  /* hosts before it have been begun */
	size_t under_way; /* begun, and not settled */
	struct event *advance;
};

struct sessions {
	struct daemon *daemon;
	struct session *first; /* in order of id */
	struct session_watch *watches;
};

/* --- session.c ------------------------------------------------------------------------------ */

/* The only one that writes the state. text: taken over; NULL: nothing to say. */
void session_host_enter(struct session_host *host, enum session_state state, enum cause cause,
			char *text);
/* Begins to count the time without a command, or stops to. */
void session_set_idle(struct session *session);
void sessions_tell(struct sessions *sessions);
/* Takes open and targets over. In order of id. */
struct session *session_new(struct sessions *sessions, uint64_t id, struct job_open_msg *open,
			    struct plan_request *targets);

/* --- session_conn.c ------------------------------------------------------------------------- */

void session_let_go(struct session_host *host);
/* It has none to look for any more: what that needed is not needed. */
void session_settle(struct session *session);
void session_on_advance(evutil_socket_t fd, short what, void *arg);

/* --- session_keep.c ------------------------------------------------------------------------- */

void session_keep(const struct session *session);
void session_keep_left(const struct session_host *host);
void session_keep_none(const struct session *session); /* takes all of it away */
/* Takes over what is left; NULL, NULL, 0: nothing. */
void session_host_set_left(struct session_host *host, char *directory, char **env, size_t count);

#endif
