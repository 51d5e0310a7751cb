/*
 * One client on the control socket: frames in, frames out, in the order that docs/protocol.md
 * allows. What it sends is not trusted; what it does not read is bounded by holding its job back.
 */
#ifndef MUSTER_CLIENT_H
#define MUSTER_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "frame.h"
#include "message.h"

struct daemon;
struct client;
struct question;

/* What a client awaits, and so what it may be sent. */
enum client_state {
	CLIENT_GREETING, /* its HELLO */
	CLIENT_IDLE,	 /* a request */
	CLIENT_FILLING,	 /* the targets of the job that it has opened */
	CLIENT_RUNNING,	 /* the plan of its job: nothing may come but JOB_STOP */
	CLIENT_READING,	 /* records on their way to it: RECEIVED and JOB_STOP may come */
	CLIENT_WAITING,	 /* jobs that it waits for */
	CLIENT_STAGING,	 /* files that it copies to other hosts by way of this computer */
	CLIENT_STATE_COUNT
};

/* A request: called in the state that the table of control_cmds.c allows. Returns 0, or a negative
 * ERR_* with msg, which is sent as ERROR; ERR_PROTO, ERR_LIMIT and ERR_VERSION end the client. */
typedef int client_request_fn(struct client *client, const struct frame *frame, struct errmsg *msg);

/* The handler of a message in a state, or NULL if it is not legal there (control_cmds.c). */
client_request_fn *client_find_request(enum client_state state, uint8_t type);

/* Takes over a connected socket. Lives until it is closed by either side. */
struct client *client_new(struct daemon *daemon, int fd);

/* Ends it now and stops its job. Not from inside its own requests. */
void client_free(struct client *client);

struct daemon *client_daemon(struct client *client);
enum client_state client_state(const struct client *client);
void client_set_state(struct client *client, enum client_state state);

/* Whether it has ever been CLIENT_READING. */
bool client_has_read(const struct client *client);

/* From now on it has to say something each ms milliseconds, or it is let go; not while it is
 * CLIENT_GREETING. */
void client_expect(struct client *client, uint64_t ms);

/* No other client of this daemon has had it. Never 0. */
uint64_t client_number(const struct client *client);
/* It is on its way out: nothing reaches it any more. */
bool client_is_gone(const struct client *client);

/* For question.c: what its user is asked, and a number for the next question. */
struct question **client_questions(struct client *client);
uint64_t client_next_question(struct client *client);

/* What a request keeps between messages; freed by drop when it is replaced or the client ends. */
void client_set_context(struct client *client, void *context, void (*drop)(void *context));
void *client_context(const struct client *client);
/* The same for what it keeps from one request to another. */
void client_set_held(struct client *client, void *held, void (*drop)(void *held));
void *client_held(const struct client *client);

/* Sends a frame: the body is taken from body, which is empty afterwards. */
void client_send(struct client *client, enum message_type type, struct buf *body);
/* The same for a body that was appended to a buffer after frame_begin: without a copy. */
void client_send_frame(struct client *client, enum message_type type, struct buf *frame);
/* Whole frames, taken over: what somebody else has put together. */
void client_send_frames(struct client *client, struct buf *frames);
void client_send_error(struct client *client, int code, const char *text);

/* It is being answered, or has not read all that was sent. */
bool client_is_busy(const struct client *client);

/* More waits to be read by the client than LIMIT_CLIENT_QUEUE: hold back what fills it. on_room is
 * called once there is room again. */
bool client_is_full(const struct client *client);
void client_on_room(struct client *client, void (*on_room)(void *arg), void *arg);

/* Who waits until something is with the socket, from where it arrives even if this process dies. */
struct client_wait {
	struct client *client; /* NULL: does not wait */
	struct client_wait *next;
	struct client_wait **prev;
	uint64_t until;
	void (*fn)(void *arg);
	void *arg;
};

/* fn and arg are set. Behind client_send: calls fn, from the loop, when that has gone there. Not if
 * the client ends before. */
void client_wait_sent(struct client *client, struct client_wait *wait);
void client_unwait(struct client_wait *wait); /* again: no effect */

#endif
