#include "client.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "control_msg.h"
#include "daemon_private.h"
#include "limits.h"
#include "log.h"
#include "question.h"

/* More than a socket holds: somebody still sends. */
#define CLIENT_REST_MAX (1u << 20)
/* What is written at once. With libevent's 16 KiB both sides would wake for each piece of that. */
#define CLIENT_WRITE (512u << 10)

struct client {
	struct daemon *daemon;
	struct bufferevent *bev;
	struct event *greeting; /* deadline of the first message, or of the next */
	uint64_t expect_ms;	/* 0: it may be silent */
	enum client_state state;
	uint64_t seq_out;
	void *context;
	void (*drop)(void *context);
	void *held;
	void (*drop_held)(void *held);
	void (*on_room)(void *arg);
	void *on_room_arg;
	uint64_t put; /* bytes that were ever put into its output */
	struct client_wait *waits;
	struct client_wait **last_wait;
	uint64_t number;
	struct question *questions;
	uint64_t last_question;
	bool has_read; /* has been CLIENT_READING */
	bool closing;  /* ends when what was sent is gone */
	bool dead;     /* to be freed from the loop */
	bool queued;   /* client_free_deferred will come */
	bool freed;    /* it has nothing left to do but free the memory */
};

static void client_free_deferred(void *arg)
{
	struct client *client = arg;

	client->queued = false;
	if (client->freed)
		free(client);
	else
		client_free(client);
}

/* From inside its own callbacks a client is only marked. */
static void client_end(struct client *client)
{
	if (client->dead)
		return;
	client->dead = true;
	client->queued = true;
	(void)bufferevent_disable(client->bev, EV_READ | EV_WRITE);
	loop_defer(client->daemon->loop, client_free_deferred, client);
}

/* Ends it once the client has read the last message. */
static void client_close(struct client *client)
{
	client->closing = true;
	(void)bufferevent_disable(client->bev, EV_READ);
	if (evbuffer_get_length(bufferevent_get_output(client->bev)) == 0)
		client_end(client);
}

static void client_fail(struct client *client, int code, const struct errmsg *msg)
{
	log_debug("client: %s", msg->text);
	client_send_error(client, code, msg->text);
	client_close(client);
}

static int client_take(struct client *client, const struct frame *frame, struct errmsg *msg)
{
	const char *name = message_name(frame->type);
	client_request_fn *fn;

	fn = client_find_request(client->state, frame->type);
	if (!fn || !message_may_send(frame->type, MSG_FROM_C))
		return err_set(msg, ERR_PROTO, "message %s (%u) is not legal now",
			       name ? name : "?", frame->type);
	return fn(client, frame, msg);
}

static void client_on_read(struct bufferevent *bev, void *arg)
{
	struct client *client = arg;
	struct evbuffer *in = bufferevent_get_input(bev);

	if (client->expect_ms)
		client_expect(client, client->expect_ms);
	while (!client->dead && !client->closing) {
		size_t n = evbuffer_get_length(in);
		struct errmsg msg = {{0}};
		struct frame frame;
		int64_t used;
		int rc;

		if (n < FRAME_HEADER_SIZE)
			return;
		used = frame_parse(evbuffer_pullup(in, -1), n, &frame, &msg);
		if (used == 0)
			return;
		rc = used < 0 ? (int)used : client_take(client, &frame, &msg);
		if (rc == ERR_PROTO || rc == ERR_LIMIT || rc == ERR_VERSION)
			client_fail(client, rc, &msg);
		else if (rc < 0)
			client_send_error(client, rc, msg.text);
		/* libevent keeps the memory that it gives back as it was. */
		if (used > 0 && (frame.type == MSG_JOB_SECRET || frame.type == MSG_JOB_ANSWER))
			explicit_bzero((uint8_t *)(uintptr_t)frame.body, frame.len);
		if (used > 0)
			(void)evbuffer_drain(in, (size_t)used);
	}
}

void client_wait_sent(struct client *client, struct client_wait *wait)
{
	wait->client = client;
	wait->until = client->put;
	wait->next = NULL;
	wait->prev = client->last_wait;
	*client->last_wait = wait;
	client->last_wait = &wait->next;
}

void client_unwait(struct client_wait *wait)
{
	if (!wait->client)
		return;
	*wait->prev = wait->next;
	if (wait->next)
		wait->next->prev = wait->prev;
	else
		wait->client->last_wait = wait->prev;
	wait->client = NULL;
}

/* One that ends was not sent what came last. */
static void client_wake_waits(struct client *client)
{
	uint64_t left = evbuffer_get_length(bufferevent_get_output(client->bev));
	struct client_wait *w;

	while ((w = client->waits) && !client->dead && !client->closing &&
	       w->until + left <= client->put) {
		client_unwait(w);
		w->fn(w->arg);
		left = evbuffer_get_length(bufferevent_get_output(client->bev));
	}
}

static void client_on_write(struct bufferevent *bev, void *arg)
{
	struct client *client = arg;
	void (*on_room)(void *) = client->on_room;

	if (client->closing && evbuffer_get_length(bufferevent_get_output(bev)) == 0) {
		client_end(client);
		return;
	}
	client->on_room = NULL;
	if (on_room)
		on_room(client->on_room_arg);
	client_wake_waits(client);
	if (client->daemon->ending)
		daemon_consider_leaving(client->daemon);
}

/* What it said before it left still counts, RECEIVED above all: a write may fail before that has
 * been read. */
static void client_read_rest(struct client *client)
{
	struct evbuffer *in = bufferevent_get_input(client->bev);
	evutil_socket_t fd = bufferevent_getfd(client->bev);
	size_t left = CLIENT_REST_MAX;
	int n;

	/* Only the bufferevent may add to it otherwise. */
	(void)evbuffer_unfreeze(in, 0);
	while (!client->dead && !client->closing && (n = evbuffer_read(in, fd, (int)left)) > 0) {
		left -= (size_t)n;
		client_on_read(client->bev, client);
		if (!left)
			break;
	}
}

static void client_on_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	if (what & BEV_EVENT_WRITING)
		client_read_rest(arg);
	client_end(arg);
}

static void client_on_greeting_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	client_end(arg);
}

void client_expect(struct client *client, uint64_t ms)
{
	struct timeval tv = loop_ms(ms);

	client->expect_ms = ms;
	(void)event_add(client->greeting, &tv);
}

struct client *client_new(struct daemon *daemon, int fd)
{
	struct event_base *base = loop_base(daemon->loop);
	struct timeval tv = loop_ms(LIMIT_CLIENT_HELLO_MS);
	struct client *client = xcalloc(1, sizeof *client);

	client->daemon = daemon;
	client->number = ++daemon->last_client;
	client->last_wait = &client->waits;
	client->bev = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	client->greeting = evtimer_new(base, client_on_greeting_deadline, client);
	if (!client->bev || !client->greeting)
		abort();
	bufferevent_setcb(client->bev, client_on_read, client_on_write, client_on_event, client);
	(void)bufferevent_set_max_single_write(client->bev, CLIENT_WRITE);
	/* Output: tell when it is nearly gone. Input: never more than a frame and what follows. */
	bufferevent_setwatermark(client->bev, EV_WRITE, LIMIT_CLIENT_QUEUE_LO, 0);
	bufferevent_setwatermark(client->bev, EV_READ, 0, LIMIT_FRAME_BODY + 2 * FRAME_HEADER_SIZE);
	(void)bufferevent_enable(client->bev, EV_READ | EV_WRITE);
	(void)event_add(client->greeting, &tv);
	daemon_client_added(daemon, client);
	return client;
}

void client_free(struct client *client)
{
	struct daemon *daemon = client->daemon;

	client->dead = true;
	client_set_context(client, NULL, NULL);
	client_set_held(client, NULL, NULL);
	questions_end(&client->questions);
	while (client->waits)
		client_unwait(client->waits);
	event_free(client->greeting);
	/* The answer to SHUTDOWN, for instance: the loop has no other round. Only the bufferevent
	 * may take from it otherwise. */
	(void)evbuffer_unfreeze(bufferevent_get_output(client->bev), 1);
	(void)evbuffer_write(bufferevent_get_output(client->bev), bufferevent_getfd(client->bev));
	bufferevent_free(client->bev);
	daemon_client_removed(daemon, client);
	client->freed = true;
	if (!client->queued)
		free(client);
}

struct daemon *client_daemon(struct client *client)
{
	return client->daemon;
}

uint64_t client_number(const struct client *client)
{
	return client->number;
}

bool client_is_gone(const struct client *client)
{
	return client->dead || client->closing;
}

struct question **client_questions(struct client *client)
{
	return &client->questions;
}

uint64_t client_next_question(struct client *client)
{
	return ++client->last_question;
}

enum client_state client_state(const struct client *client)
{
	return client->state;
}

void client_set_state(struct client *client, enum client_state state)
{
	if (client->state == CLIENT_GREETING)
		(void)event_del(client->greeting);
	client->state = state;
	client->has_read = client->has_read || state == CLIENT_READING;
}

bool client_has_read(const struct client *client)
{
	return client->has_read;
}

void client_set_context(struct client *client, void *context, void (*drop)(void *context))
{
	void *old = client->context;
	void (*old_drop)(void *) = client->drop;

	client->context = context;
	client->drop = drop;
	if (old && old_drop)
		old_drop(old);
}

void *client_context(const struct client *client)
{
	return client->context;
}

void client_set_held(struct client *client, void *held, void (*drop)(void *held))
{
	void *old = client->held;
	void (*old_drop)(void *) = client->drop_held;

	client->held = held;
	client->drop_held = drop;
	if (old && old_drop)
		old_drop(old);
}

void *client_held(const struct client *client)
{
	return client->held;
}

static void client_sent(const void *data, size_t len, void *arg)
{
	(void)data;
	(void)len;
	free(arg);
}

void client_send(struct client *client, enum message_type type, struct buf *body)
{
	struct buf frame = {0};

	(void)frame_begin(&frame);
	buf_add(&frame, body->data, body->len);
	buf_done(body);
	client_send_frame(client, type, &frame);
}

static void client_put(struct client *client, struct buf *frames)
{
	struct evbuffer *out = bufferevent_get_output(client->bev);

	client->put += frames->len;
	if (evbuffer_add_reference(out, frames->data, frames->len, client_sent, frames->data) != 0)
		abort();
	*frames = (struct buf){0};
}

void client_send_frame(struct client *client, enum message_type type, struct buf *frame)
{
	if (client->dead || client->closing) {
		buf_done(frame);
		return;
	}
	if (frame_end(frame, 0, (uint8_t)type, 0, ++client->seq_out) != 0) {
		/* No message of ours is that large: it would be a mistake in this program. */
		log_error("a %s message is too large", message_name((uint8_t)type));
		abort();
	}
	client_put(client, frame);
}

void client_send_frames(struct client *client, struct buf *frames)
{
	if (client->dead || client->closing || !frames->len)
		buf_done(frames);
	else
		client_put(client, frames);
}

void client_send_error(struct client *client, int code, const char *text)
{
	struct error_msg m = {.code = code, .text = xstrdup(text)};
	struct buf body = {0};

	error_put(&body, &m);
	client_send(client, MSG_ERROR, &body);
	free(m.text);
}

bool client_is_busy(const struct client *client)
{
	if (client->dead)
		return false;
	return client->state == CLIENT_READING || client->state == CLIENT_WAITING ||
	       evbuffer_get_length(bufferevent_get_output(client->bev)) > 0;
}

bool client_is_full(const struct client *client)
{
	return evbuffer_get_length(bufferevent_get_output(client->bev)) > LIMIT_CLIENT_QUEUE;
}

void client_on_room(struct client *client, void (*on_room)(void *arg), void *arg)
{
	client->on_room = on_room;
	client->on_room_arg = arg;
}
