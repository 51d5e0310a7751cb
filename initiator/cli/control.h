/* The CLI's end of the control socket: frames to the daemon and back (docs/protocol.md). */
#ifndef MUSTER_CONTROL_H
#define MUSTER_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "loop.h"
#include "message.h"
#include "paths.h"

struct control;

struct control_events {
	/* A message other than HELLO; body is valid during the call. */
	void (*message)(void *arg, uint8_t type, const void *body, size_t len);
	/* The daemon has gone, or broke the protocol (why). Comes once, as the last event. */
	void (*closed)(void *arg, const char *why);
	/* All messages that had come were delivered, or the rest is held: what was made of them
	 * should not wait for more. May be NULL. */
	void (*pause)(void *arg);
};

enum control_mode {
	CONTROL_CONNECT,    /* the one that is running */
	CONTROL_IF_RUNNING, /* the same; that there is none is fine for the caller */
	CONTROL_START,	    /* started if there is none */
	CONTROL_EPHEMERAL   /* one of our own */
};

/*
 * Reaches the daemon (starting one, by mode) and exchanges HELLO, waiting for at most some seconds;
 * a daemon that was just leaving is tried again. Returns 0, ERR_NOTFOUND (mode CONNECT and nobody
 * there), or another ERR_* with msg. *ret is freed by control_free.
 */
int control_open(struct control **ret, struct loop *loop, const struct paths *paths,
		 enum control_mode mode, const struct control_events *events, void *arg,
		 struct errmsg *msg);
void control_free(struct control *control); /* NULL is fine. Not from inside an event. */

/* Sends a message; the body is taken and is empty afterwards. No copy of a JOB_SECRET or
 * JOB_ANSWER stays in memory once it is sent. */
void control_send(struct control *control, enum message_type type, struct buf *body);

/* More than CONTROL_QUEUE bytes wait to be sent: what can wait should. */
#define CONTROL_QUEUE (1u << 20)
bool control_is_full(const struct control *control);

/* From now on fn is told, from the loop, when little waits to be sent; more than once. fn NULL:
 * nobody. */
void control_on_room(struct control *control, void (*fn)(void *arg), void *arg);

/* As if the daemon had closed the connection: the closed event comes, with why, and nothing is
 * sent any more. */
void control_drop(struct control *control, const char *why);

/* Writes out what was sent, when the loop will not run again. Waits at most a second. */
void control_flush(struct control *control);

/* Stops delivering messages, or goes on: when our own output is not being read. */
void control_hold(struct control *control, bool hold);

/* The process id that the daemon has told. */
uint64_t control_daemon_pid(const struct control *control);

#endif
