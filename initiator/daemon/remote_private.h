/* The inside of a host with an agent, for remote.c (which connection), remote_conn.c (the
 * connection, the bootstrap, the talk), remote_alive.c and remote_task.c (a task on it). */
#ifndef MUSTER_REMOTE_PRIVATE_H
#define MUSTER_REMOTE_PRIVATE_H

#include "buf.h"
#include "line.h"
#include "loop.h"
#include "message.h"
#include "peer.h"
#include "remote.h"
#include "remote_io.h"
#include "remote_pipe.h"
#include "secret_login.h"

enum remote_state {
	REMOTE_CONNECTING, /* nothing runs there */
	REMOTE_BOOTING,	   /* the bootstrap talks */
	REMOTE_GREETING,   /* the agent runs, and has not said HELLO */
	REMOTE_OPEN,
	REMOTE_GONE /* waits for the loop to free it */
};

struct remote {
	struct remotes *pool;
	struct remote *next;	  /* of the same bucket of the pool */
	struct remote *next_idle; /* the pool's idle ones, the longest idle first */
	struct remote *prev_idle;
	bool idle;
	bool pooled;
	uint64_t hash;
	char *key;
	enum remote_state state;
	const struct plan_target *target; /* NULL: this computer */
	struct line *line;		  /* either this */
	struct remote_order *order;	  /* the line's */
	struct remote_pipe *pipe;	  /* or this */
	struct peer *peer;		  /* of the pipe; that of a line is with it (remote_io.c) */
	struct errmsg fault;		  /* why there is no pipe */
	struct locked *password;	  /* until the agent runs */
	struct secret_login *login;	  /* the same */
	struct event *timer;		  /* of the greeting of a pipe; then the lingering */
	struct remote_task *tasks;
	uint64_t last_task;
	uint64_t can;	   /* AGENT_CAN_* of its agent */
	char *program;	   /* of the agent, with its version; NULL: it has not said */
	char *note;	   /* what that says of durable runs; NULL: nothing */
	uint64_t heard_ms; /* monotonic: when something came */
	uint64_t pings;
	uint64_t pinged_ms;
	bool pinged;	/* since something came; at pinged_ms */
	bool listening; /* line_listen has not answered */
	bool shunned;	/* its agent did not answer: no task is given to it any more */
	bool finishing; /* nothing more is written; ends as soon as the agent has */
	bool queued;	/* remote_free_deferred will come */
	bool freed;	/* it has nothing left to do but free the memory */
};

struct remote_task {
	struct remote *remote;
	struct remote_task *next;
	const struct remote_events *events; /* NULL: nobody's; its end is waited for */
	void *arg;
	uint64_t id;
	struct event *timer; /* of an orphan: its end must come */
	bool open;	     /* open was told */
	bool burst;	     /* a frame has come since the last end of a burst */
};

/* remote_conn.c */
struct remote *remote_new(struct remotes *pool, const struct remote_spec *spec, char *key);
void remote_send(struct remote *r, enum message_type type, struct buf *body);
void remote_send_frame(struct remote *r, struct buf *frame); /* as it is; emptied */
/* Ends the connection; every task ends by this. Frees r from the loop. */
void remote_close(struct remote *r, enum cause cause, const char *text);
void remote_destroy(struct remote *r);
/* The last task has ended. */
void remote_became_idle(struct remote *r);

/* remote_alive.c. Something has come. */
void remote_heard(struct remote *r);
void remote_on_listened(void *remote, bool silent);
/* Asks for a sign of life, or gives it up, if it has been silent. */
void remote_check(struct remote *r, uint64_t now_ms, uint64_t keepalive_ms);

/* remote_task.c */
struct remote_task *task_new(struct remote *r, const struct remote_events *events, void *arg);
void task_open(struct remote_task *t);
int task_message(struct remote *r, const struct frame *frame, struct errmsg *msg);
/* Takes it out and tells its end. */
void task_lost(struct remote_task *t, enum cause cause, const char *text);
void task_no_agent(struct remote_task *t, const char *why);
void task_end_burst(struct remote *r);
void task_drop(struct remote_task *t);

/* remote.c: the pool. remotes_forget: no task is given to it any more. */
void remotes_forget(struct remote *r);
void remotes_set_idle(struct remote *r, bool idle);
struct ssh_engine *remotes_engine(struct remotes *pool);
struct lines *remotes_lines(struct remotes *pool);
/* How long an idle connection may stay now; 0: not at all. */
uint64_t remotes_linger_ms(const struct remotes *pool);

#endif
