/* The inside of a connection, for the files conn*.c. */
#ifndef MUSTER_CONN_PRIVATE_H
#define MUSTER_CONN_PRIVATE_H

#include <libssh/callbacks.h>
#include <libssh/libssh.h>

#include "agent_proxy.h"
#include "conn.h"
#include "conn_queue.h"
#include "conn_side.h"
#include "dial.h"
#include "host_key.h"
#include "resolve.h"

enum conn_verdict {
	CONN_NEXT, /* the step is done */
	CONN_WAIT, /* call it again when something has happened */
	CONN_FAIL  /* conn->result says why */
};

/* How far the authentication is, but for keys. conn_auth.c's. */
struct conn_auth {
	size_t method;	     /* index in the target's order */
	unsigned partials;   /* methods that were taken, and more is wanted */
	unsigned rounds;     /* of questions */
	uint64_t waiting_ns; /* since when for others that try the password; 0: does not */
	bool none_done;	     /* it was asked what the server takes */
	bool keyboard_done;  /* since the last partial success */
	bool password_done;
	bool turn;	       /* secret_login_begin has said go */
	bool sent;	       /* the password, since then */
	bool said;	       /* a person has answered something, since the last attempt */
	bool again;	       /* it was sent in an earlier round of questions */
	bool refused;	       /* it was */
	unsigned at;	       /* question of the round that is to be answered next */
	struct prompt *prompt; /* a person is being asked that one; NULL: none is */
	uint64_t asked_ns;     /* since when */
};

struct conn {
	struct ssh_engine *engine;
	const struct conn_events *events;
	void *arg;
	struct conn_spec spec;
	struct conn_result result;

	size_t step;
	uint64_t connect_deadline_ns; /* for the steps that connect_timeout covers; 0: none. This
					 and the next by the engine's patience */
	uint64_t step_deadline_ns;    /* 0: none */
	bool patient;		      /* holds that: until the command runs */
	unsigned extended;	      /* so often a deadline waited for a helper thread of ours */
	struct event *deadline;
	struct event *kick; /* goes on from the loop, never from inside a caller */
	struct ssh_slot slot;

	/* Waiting for what is not libssh. */
	struct resolve *resolve;
	struct resolve_result addresses;
	struct dial *dial;
	struct conn_transport transport;
	struct event *transport_io; /* its descriptor, until it is libssh's */
	int fd;			    /* dialled; libssh owns it once there is a session */
	int dial_error;
	struct host_key *host_key;
	uint8_t *key_blob; /* of the server; NULL until it has shown it */
	size_t key_len;
	enum conn_verdict key_verdict;
	bool waited; /* the answer of resolver, dialler or key check has come */

	ssh_session session;
	struct event *io;
	short io_mask;
	int io_fd;
	ssh_event poll; /* drives the session while the command runs */

	/* Authentication. */
	size_t auth_next; /* index of the attempt with a key */
	struct conn_auth auth;
	struct agent_proxy *agent;
	struct work_task *signing; /* a helper thread has the session */
	int auth_rc;
	bool auth_answered;

	/* The command. */
	ssh_channel channel;
	struct ssh_channel_callbacks_struct callbacks;
	bool got_data;	   /* since the last end of a burst */
	size_t turn_bytes; /* that the present turn has read */
	bool exited;	   /* exit status or exit signal has come */
	uint64_t bytes_after_exit;
	uint64_t bytes_in_window; /* since the window was last opened wide */
	bool lingering;		  /* the deadline is that of what comes after the exit */
	bool closed;
	bool held;
	uint64_t run_deadline_ns; /* of the run timeout; 0: none */
	bool timed_out;		  /* the run timeout has begun the kill */

	/* Its input. */
	struct conn_queue input;
	bool input_above;    /* above CONN_QUEUE_LO: the event writable is owed */
	bool input_ended;    /* nothing is given any more */
	bool input_flushing; /* what was given may wait in libssh for the kernel to take it */
	bool finishing;	     /* the end follows when the queue is empty */

	/* Stopping. */
	bool stopping;
	bool kill_begun;
	struct conn_side kill;
	uint64_t kill_again_ns; /* when to look once more */
	uint64_t kill_again_ms;

	/* Suspending. */
	struct conn_side signal;
	bool suspend_asked; /* and not answered */
	bool suspend;	    /* what is asked for */
	bool signalling;    /* what is on its way */
	bool suspended;	    /* what holds */

	bool in_advance; /* no nested conn_advance */
	bool again;	 /* something happened inside: once more */
	bool ended;	 /* the end event was given; only helper threads are waited for */
};

/* One step of the way. */
struct conn_step {
	const char *name; /* for people: "timed out in NAME" */
	enum conn_verdict (*run)(struct conn *c);
	uint64_t deadline_ms;	 /* 0: none */
	bool by_connect_timeout; /* the user's connect timeout covers it */
};
extern const struct conn_step conn_steps[];
extern const size_t conn_step_count;

/* The steps that live in files of their own. */
enum conn_verdict conn_step_auth(struct conn *c);
enum conn_verdict conn_step_run(struct conn *c);

/* Gives back what the authentication holds. Again: no effect. */
void conn_auth_done(struct conn *c);

/* conn_auth_keyboard.c. Answers the questions that the server has asked. CONN_NEXT, CONN_WAIT (a
 * person is asked: then conn_auth_asked until that says something else), or CONN_FAIL. */
enum conn_verdict conn_auth_answer(struct conn *c);
enum conn_verdict conn_auth_asked(struct conn *c);

/* The time in which others try the password, or a person thinks, is none of the server's. */
void conn_auth_rest(struct conn *c);

/* conn_auth_why.c. Nothing is left to be tried. */
enum conn_verdict conn_auth_exhausted(struct conn *c);

/* Goes on from an event. May free the connection: nothing of it may be touched afterwards. */
void conn_advance(struct conn *c);

/* Frees what it holds, and the connection unless a helper thread has its session. */
void conn_destroy(struct conn *c);

/* Fills the result and returns CONN_FAIL. fmt NULL: no text. What is formatted is escaped. */
enum conn_verdict conn_fail(struct conn *c, enum conn_end end, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* What libssh says is wrong with the session, or what it means by it. Valid as long as that. */
const char *conn_why(const struct conn *c);

/* (Re-)arms the deadline of the present step; 0: none. */
void conn_set_deadline(struct conn *c, uint64_t ms);

/* What the present step may take from now on; 0: for ever. */
uint64_t conn_step_deadline_ms(const struct conn *c);

/* At least 1, as 0 would be no deadline. */
uint64_t conn_ms_until(uint64_t deadline_ns);

/* The session is no longer usable: its descriptor is closed, or it is in an error. */
bool conn_is_broken(const struct conn *c);

/* Nothing is read from the host. Only what its command writes is held back: the steps before have
 * deadlines, which a slow reader on our side must not make it miss. */
bool conn_is_held(const struct conn *c);

/* The loop lets go of the session's descriptor: before a helper thread has it. */
void conn_unwatch(struct conn *c);

/* Adjusts what the loop watches on the session's descriptor. */
void conn_watch(struct conn *c);

/* conn_way.c: the ways to a target that are not TCP. The first: what comes before a descriptor;
 * the second: the descriptor. */
enum conn_verdict conn_way_prepare(struct conn *c);
enum conn_verdict conn_way_dial(struct conn *c);
/* The reason that the way has for a failure replaces that of libssh, which knows of a closed
 * descriptor alone. */
void conn_way_explain(struct conn *c);

/* conn_kill.c: begins, goes on with, and judges the end that was asked for. */
void conn_kill_begin(struct conn *c);
void conn_kill_advance(struct conn *c);
bool conn_kill_is_over(const struct conn *c);
void conn_kill_expire(struct conn *c);

/* The same file: halts the processes, or lets them go on, when that is asked for. */
void conn_signal_advance(struct conn *c);

/* Calls conn_advance from the loop after ms. */
void conn_kick(struct conn *c, uint64_t ms);

/* The command has been started, as far as we know: tells once. */
void conn_note_began(struct conn *c);

/* The steps before this one have started nothing on the host: "start command". */
extern const size_t conn_step_exec_index;

/*
 * conn_input.c. Gives a piece of the queue to libssh if that can take it; true if it did. If it did
 * not, what is waited for is something that the loop watches.
 */
bool conn_input_pump(struct conn *c);

/* The event writable, if it is owed. Not from inside of a caller. */
void conn_input_tell(struct conn *c);

/* conn_run.c: the channel's callbacks, to be set before it is opened. */
void conn_run_prepare(struct conn *c);

/* What the step "run" does when its deadline has come: true if that ended the connection. */
bool conn_run_on_deadline(struct conn *c);

#endif
