/*
 * One command, or one stream to a program of ours, on one host over SSH: a host goes in, output and
 * one end come out.
 *
 * The way there is a list of steps (conn_steps.c), read downwards; each has a deadline and an end
 * of its own when it fails. Nothing here blocks the loop.
 */
#ifndef MUSTER_CONN_H
#define MUSTER_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine.h"
#include "limits.h"
#include "plan.h"
#include "secret_login.h"

struct conn;

enum conn_end {
	CONN_END_EXITED,
	CONN_END_SIGNALLED,
	CONN_END_UNREACHABLE, /* no address, no connection, no SSH there */
	CONN_END_HOST_KEY,    /* not known, changed, revoked */
	CONN_END_AUTH,
	CONN_END_REFUSED, /* the server does not let us run a command */
	CONN_END_TIMEOUT, /* of the step that text names */
	CONN_END_STOPPED,
	CONN_END_LOST /* the connection, while the command ran */
};

struct conn_result {
	enum conn_end end;
	bool began;		       /* the command had been started */
	uint8_t trouble;	       /* enum pacer_end: whether another attempt is worth it */
	int exit_code;		       /* of EXITED, else -1 */
	char signal[16];	       /* of SIGNALLED, without "SIG" */
	char text[LIMIT_OUTCOME_TEXT]; /* what else there is to say; harmless on a terminal */
};

struct conn_spec {
	const struct plan_target *target; /* borrowed until the end */
	const char *command;		  /* exec text (command.h); borrowed until the end */
	const char *run_id;		  /* the marker in it; borrowed until the end */
	uint64_t connect_timeout_ms; /* resolve to key exchange together; 0: the target's, else each
					step's own */
	uint64_t run_timeout_ms;     /* of the command; 0: none */
	uint64_t stop_grace_ms;	     /* between TERM and KILL; 0: the default */
	/*
	 * A byte stream to a program that is ours, and not a command of the user: what is written
	 * with conn_write goes to its input, which stays open until conn_finish; conn_stop closes
	 * the connection at once (no signals, no marker: run_id may be NULL); run_timeout_ms is not
	 * looked at. Every end keeps its meaning. It may be idle for hours and has no timer then; a
	 * peer that is dead is found within 45 s (dial.h).
	 */
	bool stream;
	const char *subsystem; /* of a stream: start this subsystem; command is then NULL */
	bool input;	       /* of a command: it has an input, as above; otherwise at its end */
	/* Algorithms to offer, best first, with commas (algorithms.h); borrowed until the end;
	 * NULL: ours. */
	const char *kex, *ciphers, *macs;
	/* The password of the user there; held until the end by who starts it. NULL: none. */
	struct secret_login *login;
	struct bastions *bastions; /* for targets behind one (bastion.h); NULL: there are none */
	struct proxies *proxies;   /* waits for what a ProxyCommand leaves behind; may be NULL */
	/* Ends (EXITED) as soon as it is logged in, and inside of the event running conn_take gives
	 * the session away. There is no command. */
	bool forwarder;
};

struct conn_events {
	/* The server has started the command. */
	void (*running)(void *arg);
	/* Bytes of its output; len > 0. Comes in bursts: burst_end follows each burst. */
	void (*data)(void *arg, bool is_error, const void *data, size_t len);
	void (*burst_end)(void *arg);
	/* See conn_write. May be NULL. */
	void (*writable)(void *arg);
	/* The processes are halted, or go on: the answer to conn_suspend. The state that holds,
	 * also where the target did not do as it was asked. */
	void (*suspended)(void *arg, bool suspended);
	/* The last event; the connection is gone when it returns. */
	void (*end)(void *arg, const struct conn_result *result);
};

/* True if this is the text of a TIMEOUT with which no command can have begun: the host did not
 * answer, or did not let us in in time. */
bool conn_is_before_login(const char *step);

/* Starts. events must outlive the connection. No event comes before it returns. */
struct conn *conn_start(struct ssh_engine *engine, const struct conn_spec *spec,
			const struct conn_events *events, void *arg);

/*
 * Asks for the end: at once if the command has not been started; otherwise TERM to everything that
 * the command has started, then KILL, then the end STOPPED, within the grace and some seconds.
 * Again: no effect.
 */
void conn_stop(struct conn *conn);

/* Halts everything that the command has started (SIGSTOP), or lets it go on (SIGCONT). Before the
 * command runs: as soon as it does. Not of a stream. */
void conn_suspend(struct conn *conn, bool suspend);

/* Stops reading from the host (back-pressure) or goes on. What has been read still comes, and a
 * few KiB for each 64 KiB of input that is written meanwhile: input goes on. */
void conn_hold(struct conn *conn, bool hold);

/*
 * Bytes for the input of the program (stream or input), copied; also before it has begun, and from
 * inside of events. No event comes before it returns. Memory is the caller's concern: conn_queued
 * says how much has not been given to SSH yet, and the event writable comes when it has fallen
 * below CONN_QUEUE_LO after having been above it. After conn_stop, and when the program is gone,
 * bytes are dropped. Not after conn_finish.
 */
#define CONN_QUEUE_LO (64u << 10)
void conn_write(struct conn *conn, const void *data, size_t len);
size_t conn_queued(const struct conn *conn);
/* The input ends behind what was written. */
void conn_finish(struct conn *conn);

/* The event writable comes as soon as the queue is below CONN_QUEUE_LO, from the loop, also if it
 * was never above. */
void conn_ask_writable(struct conn *conn);

/* The key that the server has proven to hold (RFC 4253 section 6.6); NULL before that. Borrowed. */
const uint8_t *conn_key(const struct conn *conn, size_t *ret_len);

/* What a session stands on, if that is not TCP; each is NULL then. */
struct conn_transport {
	struct bastion_tie *tie;     /* a connection through a bastion (bastion.h) */
	struct proxy_command *proxy; /* a program (proxy_command.h) */
};
/* The session of a forwarder, which is the caller's from now on, and what it stands on. */
struct ssh_session_struct *conn_take(struct conn *conn, struct conn_transport *ret);
void conn_transport_done(struct conn_transport *transport);
/* Why it has failed, as far as that is known better there than by libssh. False: it is not. */
bool conn_transport_why(const struct conn_transport *transport, struct conn_result *ret);

/* Ends it at once without an event. NULL is fine. Not from inside an event of this connection. */
void conn_free(struct conn *conn);

#endif
