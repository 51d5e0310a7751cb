/* The inside of a connection by the OpenSSH client, for client_conn.c, client_io.c and
 * client_kill.c. */
#ifndef MUSTER_CLIENT_PRIVATE_H
#define MUSTER_CLIENT_PRIVATE_H

#include <event2/event.h>

#include "buf.h"
#include "client_argv.h"
#include "client_conn.h"
#include "client_proc.h"
#include "client_words.h"
#include "conn_queue.h"

enum client_state {
	CLIENT_STARTING, /* the process is started from the loop */
	CLIENT_LOGIN,	 /* until the mark has come, or output where there is none */
	CLIENT_RUNNING,
	CLIENT_KILLING, /* the command is being ended by another client */
	CLIENT_OVER,
	CLIENT_STATE_COUNT
};

/* Another client to the same host, which ends, halts or goes on with what the command has started
 * (command.h). What it says is not looked at. */
struct client_side {
	struct client_conn *conn;
	struct client_proc proc;
	struct event *exit;
	void (*done)(struct client_conn *conn, int status); /* exit status, or -1 */
};

struct client_conn {
	struct ssh_engine *engine;
	const struct conn_events *events;
	void *arg;
	struct conn_spec spec;
	struct conn_result result;
	enum client_state state;
	char *program; /* the path of ssh */

	struct event *kick; /* goes on from the loop, never from inside a caller */
	struct event *deadline;
	uint64_t login_deadline_ns; /* by the engine's patience, which is held until the login is
				       over */
	bool patient;

	struct client_proc proc;
	struct event *readable, *writable, *errors, *exit;
	bool ended; /* the process has, with */
	int status;
	bool held;

	/* What comes before the mark. */
	char mark[CLIENT_MARK_SIZE];
	struct buf early;	    /* of its output */
	uint64_t noise;		    /* all that it has said before, on stderr */
	char said[CLIENT_SAID_MAX]; /* the last of its stderr, of this state; ends in NUL */
	size_t said_len;
	struct buf early_errors;
	bool errors_marked; /* the mark has come there, too: what follows is the command's */
	bool got_data;	    /* since the last end of a burst */

	/* Its input. */
	struct conn_queue input;
	bool input_above; /* the event writable is owed */
	bool input_ended; /* nothing is given any more */
	bool finishing;

	/* Stopping, suspending. */
	bool stopping;
	bool timed_out; /* the run timeout has begun it */
	struct client_side kill, signal;
	uint64_t kill_again_ms;
	bool kill_waits; /* for the time to look again */
	bool suspend_asked, suspend, signalling, suspended;
};

/* Beyond the connect timeout: authentication, session and command, as the steps of a connection
 * over libssh together (conn_steps.c). */
#define CLIENT_LOGIN_MS 40000u

/* The connect timeout, of the job or of its own. */
uint64_t client_connect_ms(const struct client_conn *c);

/* Another ssh to the same host; returns as client_proc_start. mark NULL: the command alone. */
int client_spawn_ssh(struct client_conn *c, struct client_proc *proc, const char *command,
		     const char *mark);

/* (Re-)arms the deadline; 0: none. */
void client_set_deadline(struct client_conn *c, uint64_t ms);

/* The command has begun. May be called again. */
void client_begin(struct client_conn *c);

/* Something has changed that the state is to look at; from an event, and the last thing there: the
 * connection may be gone when it returns. */
void client_advance(struct client_conn *c);

/* Gives the end event by the result, and frees it. */
void client_conclude(struct client_conn *c);

/* client_io.c: what the loop watches for the process that has been started; and lets go of. */
void client_io_start(struct client_conn *c);
void client_io_done(struct client_conn *c);
/* Reads what is left of a process that has ended; nothing while it is held. True: that was all. */
bool client_io_drain(struct client_conn *c);
/* Adjusts what is watched to held. */
void client_io_watch(struct client_conn *c);
/* What came before the mark is given as what the command has said: there was no mark. */
void client_io_without_mark(struct client_conn *c);

/* Nothing is read: only what the command says is held back, as the login has a deadline. */
bool client_is_held(const struct client_conn *c);

/* client_kill.c. */
void client_kill_begin(struct client_conn *c);
void client_kill_again(struct client_conn *c); /* the pause between two looks is over */
void client_signal_advance(struct client_conn *c);
void client_side_end(struct client_side *side, struct ssh_engine *engine);

#endif
