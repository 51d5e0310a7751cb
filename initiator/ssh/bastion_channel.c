/*
 * One connection through a bastion: between a channel of its session and a socket. Both directions
 * are bounded: what the socket does not take stays in the channel's window, and what the session
 * does not take stays in the socket.
 */
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "alloc.h"
#include "bastion_private.h"
#include "pacer.h"

/* At once, from a socket or to it. */
#define BASTION_PIECE (32u << 10)
/* Pieces of one look: enough to be cheap, few enough to be fair. */
#define BASTION_PIECES 4u
/* What one host may have on its way, where few go through the session: libssh's own 1.25 MiB are
 * too few for a distant one. */
#define BASTION_WINDOW	    (4u << 20)
#define BASTION_WINDOW_STEP (512u << 10)
#define BASTION_WINDOW_FEW  16u

/* --- what has happened ---------------------------------------------------------------------------
 */

static void bastion_channel_wake(struct bastion_channel *ch)
{
	bastion_queue_add(&ch->io->ready, &ch->ready);
	bastion_io_kick(ch->io);
}

/* Waits for the session: in turn, as others do. */
static void bastion_channel_hunger(struct bastion_channel *ch)
{
	(void)event_del(ch->readable);
	bastion_queue_add(&ch->io->hungry, &ch->hungry);
	bastion_io_kick(ch->io);
}

/* Waits for the host. libssh tells nobody that a window has grown: bastion_io_turn looks. */
static void bastion_channel_starve(struct bastion_channel *ch)
{
	(void)event_del(ch->readable);
	(void)event_add(ch->closed, NULL);
	bastion_queue_add(&ch->io->starved, &ch->starved);
}

void bastion_channel_taste(struct bastion_channel *ch)
{
	if (!ssh_channel_window_size(ch->ssh))
		return;
	bastion_queue_take(&ch->io->starved, &ch->starved);
	(void)event_del(ch->closed);
	bastion_channel_hunger(ch);
}

/* --- from the host to the socket -----------------------------------------------------------------
 */

/* How much of it the socket has taken. */
static size_t bastion_channel_send(struct bastion_channel *ch, const uint8_t *data, size_t len)
{
	size_t sent = 0;

	while (sent < len && !ch->gone) {
		ssize_t n = send(ch->ask->fd, data + sent, len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n > 0)
			sent += (size_t)n;
		else if (errno == EAGAIN)
			break;
		else if (errno != EINTR)
			ch->gone = true;
	}
	if (ch->gone) {
		bastion_channel_wake(ch);
		return len;
	}
	if (sent < len && !ch->blocked) {
		ch->blocked = true;
		(void)event_add(ch->writable, NULL);
	}
	return sent;
}

static void bastion_channel_carry(struct bastion_channel *ch)
{
	static const uint8_t open[] = {BASTION_OPEN};

	bastion_io_move(ch, BASTION_CARRIES);
	(void)bastion_channel_send(ch, open, sizeof open);
}

/* Inside of libssh. What is not taken stays there, and is offered again with the next packet only:
 * bastion_channel_drain asks for it. */
static int bastion_channel_on_data(ssh_session session, ssh_channel channel, void *data,
				   uint32_t len, int is_stderr, void *arg)
{
	struct bastion_channel *ch = arg;
	size_t sent = 0;

	(void)session;
	(void)channel;
	if (is_stderr || ch->state == BASTION_ORPHAN || ch->gone)
		return (int)len;
	/* It can come along with the confirmation. */
	if (ch->state == BASTION_OPENING)
		bastion_channel_carry(ch);
	if (!ch->blocked) {
		ch->in_window += len;
		if (ch->in_window > BASTION_WINDOW_STEP)
			bastion_channel_wake(ch);
		sent = bastion_channel_send(ch, data, len);
	}
	bastion_io_keep(ch, len - sent);
	return (int)sent;
}

/* The socket takes bytes again. */
static void bastion_channel_drain(struct bastion_channel *ch)
{
	for (unsigned i = 0; i < BASTION_PIECES; i++) {
		uint8_t *room;
		int n;

		if (ch->out.len) {
			buf_consume(&ch->out, bastion_channel_send(ch, ch->out.data, ch->out.len));
			if (ch->out.len || ch->gone)
				return;
		}
		/* A callback from inside of this must leave what it is offered: it stays blocked.
		 */
		room = buf_room(&ch->out, BASTION_PIECE);
		n = ssh_channel_read_nonblocking(ch->ssh, room, BASTION_PIECE, 0);
		if (n <= 0) {
			bastion_io_keep(ch, 0);
			ch->blocked = false;
			(void)event_del(ch->writable);
			bastion_channel_wake(ch);
			return;
		}
		ch->out.len += (size_t)n;
		ch->in_window += (unsigned)n;
		bastion_io_keep(ch, ch->kept > (size_t)n ? ch->kept - (size_t)n : 0);
	}
}

static void bastion_channel_on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct bastion_channel *ch = arg;

	(void)fd;
	(void)what;
	bastion_channel_drain(ch);
	bastion_io_kick(ch->io);
}

/* libssh takes the count of a read for the window that is wanted: its only way to a larger one. All
 * was taken, so that nothing is read by it. Not from inside of its callbacks. */
static void bastion_channel_open_window(struct bastion_channel *ch)
{
	void *space;

	if (ch->in_window <= BASTION_WINDOW_STEP)
		return;
	ch->in_window = 0;
	if (ch->blocked || ch->remote_eof || ch->remote_closed ||
	    ch->io->lists[BASTION_CARRIES].count > BASTION_WINDOW_FEW)
		return;
	ch->blocked = true;
	space = xmalloc(BASTION_WINDOW);
	for (int n; (n = ssh_channel_read(ch->ssh, space, BASTION_WINDOW, 0)) > 0;)
		buf_add(&ch->out, space, (size_t)n);
	free(space);
	bastion_io_keep(ch, 0);
	ch->blocked = false;
	if (ch->out.len) {
		size_t sent = bastion_channel_send(ch, ch->out.data, ch->out.len);

		buf_consume(&ch->out, sent);
	}
}

/* --- from the socket to the host -----------------------------------------------------------------
 */

/* True: all that was read is with libssh. */
static bool bastion_channel_give(struct bastion_channel *ch)
{
	uint32_t window = ssh_channel_window_size(ch->ssh);
	size_t len = ch->in.len < window ? ch->in.len : window;
	int n = len ? ssh_channel_write(ch->ssh, ch->in.data, (uint32_t)len) : 0;

	if (n < 0) {
		ch->gone = true; /* nobody takes it: the close follows, or the end of the session */
		return false;
	}
	ch->io->unflushed += (unsigned)n;
	buf_consume(&ch->in, (size_t)n);
	return !ch->in.len;
}

/* One piece. False: there was none, or no room for it. */
static bool bastion_channel_fetch(struct bastion_channel *ch)
{
	ssize_t n;

	if (ch->in.len)
		return bastion_channel_give(ch);
	n = recv(ch->ask->fd, buf_room(&ch->in, BASTION_PIECE), BASTION_PIECE, MSG_DONTWAIT);
	if (n > 0) {
		ch->in.len += (size_t)n;
		return bastion_channel_give(ch);
	}
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		ch->gone = true;
	return false;
}

void bastion_channel_feed(struct bastion_channel *ch)
{
	bastion_queue_take(&ch->io->hungry, &ch->hungry);
	for (unsigned i = 0; i < BASTION_PIECES && !ch->remote_closed; i++) {
		if (!bastion_io_has_room(ch->io)) {
			bastion_channel_hunger(ch);
			return;
		}
		if (!bastion_channel_fetch(ch))
			break;
	}
	if (ch->gone || ch->remote_closed) {
		bastion_channel_wake(ch);
	} else if (ch->in.len && ssh_channel_window_size(ch->ssh)) {
		bastion_channel_hunger(ch); /* the keys are being renewed */
	} else if (ch->in.len) {
		bastion_channel_starve(ch);
	} else {
		(void)event_add(ch->readable, NULL);
	}
	bastion_io_kick(ch->io);
}

static void bastion_channel_on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct bastion_channel *ch = arg;

	(void)fd;
	(void)what;
	if (ch->state == BASTION_CARRIES) {
		bastion_channel_feed(ch);
		return;
	}
	/* Nothing is said before it is open: it was closed. */
	(void)event_del(ch->readable);
	ch->gone = true;
	bastion_channel_wake(ch);
}

/* Who asked has gone while the host takes nothing: what is left is for nobody. */
static void bastion_channel_on_closed(evutil_socket_t fd, short what, void *arg)
{
	struct bastion_channel *ch = arg;

	(void)fd;
	(void)what;
	ch->gone = true;
	bastion_channel_wake(ch);
}

static void bastion_channel_on_eof(ssh_session session, ssh_channel channel, void *arg)
{
	struct bastion_channel *ch = arg;

	(void)session;
	(void)channel;
	ch->remote_eof = true;
	bastion_channel_wake(ch);
}

static void bastion_channel_on_close(ssh_session session, ssh_channel channel, void *arg)
{
	struct bastion_channel *ch = arg;

	(void)session;
	(void)channel;
	ch->remote_closed = true;
	bastion_channel_wake(ch);
}

/* --- its life ------------------------------------------------------------------------------------
 */

static struct event *bastion_channel_event(struct bastion_channel *ch, short what,
					   event_callback_fn fn)
{
	struct event *event = event_new(loop_base(ssh_engine_loop(shard_engine(ch->io->shard))),
					ch->ask->fd, what | EV_PERSIST, fn, ch);

	if (!event)
		abort();
	return event;
}

struct bastion_channel *bastion_channel_new(struct bastion_io *io, struct bastion_ask *ask)
{
	struct bastion_channel *ch = xcalloc(1, sizeof *ch);

	ch->io = io;
	ch->ready.ch = ch->hungry.ch = ch->starved.ch = ch;
	ch->ask = ask;
	ch->state = BASTION_STATES;
	ch->readable = bastion_channel_event(ch, EV_READ, bastion_channel_on_readable);
	ch->writable = bastion_channel_event(ch, EV_WRITE, bastion_channel_on_writable);
	ch->closed = bastion_channel_event(ch, EV_CLOSED, bastion_channel_on_closed);
	(void)event_add(ch->readable, NULL);
	bastion_io_move(ch, BASTION_WAITS);
	return ch;
}

int bastion_channel_ask(struct bastion_channel *ch)
{
	const struct plan_target *t = ch->ask->target;

	return ssh_channel_open_forward(ch->ssh, t->hostname, t->port, "127.0.0.1", 0);
}

void bastion_channel_open(struct bastion_channel *ch)
{
	static const uint8_t ready[] = {BASTION_READY};
	struct bastion_heard heard = {0};
	struct bastion_io *io = ch->io;

	bastion_io_move(ch, BASTION_OPENING);
	(void)bastion_channel_send(ch, ready, sizeof ready);
	ch->ssh = ssh_channel_new(io->session);
	if (!ch->ssh) {
		bastion_channel_refuse(ch, 4, "no memory for a channel");
		return;
	}
	ch->callbacks = (struct ssh_channel_callbacks_struct){
		.userdata = ch,
		.channel_data_function = bastion_channel_on_data,
		.channel_eof_function = bastion_channel_on_eof,
		.channel_close_function = bastion_channel_on_close,
	};
	ssh_callbacks_init(&ch->callbacks);
	(void)ssh_set_channel_callbacks(ch->ssh, &ch->callbacks);
	bastion_listen(&heard);
	(void)bastion_channel_ask(ch);
	bastion_unlisten();
	ch->number = heard.created;
	/* Which may be of this one already. */
	bastion_io_heard(io, &heard);
	bastion_heard_done(&heard);
	bastion_io_kick(io);
}

void bastion_channel_refuse(struct bastion_channel *ch, unsigned reason, const char *text)
{
	/* RFC 4254, section 5.1: 1 prohibited, 2 connect failed, 3 unknown type, 4 no resources. */
	static const char *const reasons[] = {"refuses the connection", "forbids the connection",
					      "cannot connect", "forwards no connections",
					      "has no resources"};
	struct conn_result result = {.end = CONN_END_UNREACHABLE, .exit_code = -1};
	const char *why = reason < ARRAY_LEN(reasons) ? reasons[reason] : reasons[0];

	result.trouble = PACER_FINAL;
	if (reason == 2)
		result.trouble = strstr(text, "refused") ? PACER_REFUSED : PACER_UNREACHABLE;
	if (strncmp(text, "Connection", strlen("Connection")) == 0)
		(void)snprintf(result.text, sizeof result.text, "bastion %.60s %s: c%.100s",
			       ch->io->spec.target->host, why, text + 1);
	else
		(void)snprintf(result.text, sizeof result.text, "bastion %.60s %s%s%.100s",
			       ch->io->spec.target->host, why, text[0] ? ": " : "", text);
	bastion_channel_free(ch, &result);
}

static void bastion_channel_free_events(struct bastion_channel *ch)
{
	struct event **const events[] = {&ch->readable, &ch->writable, &ch->closed};

	for (size_t i = 0; i < ARRAY_LEN(events); i++) {
		if (*events[i])
			event_free(*events[i]);
		*events[i] = NULL;
	}
}

static void bastion_channel_orphan(struct bastion_channel *ch)
{
	bastion_channel_free_events(ch);
	bastion_ask_free(ch->ask);
	ch->ask = NULL;
	ch->io->done++;
	bastion_io_move(ch, BASTION_ORPHAN);
}

static void bastion_channel_look_opening(struct bastion_channel *ch)
{
	if (ssh_channel_is_open(ch->ssh)) {
		if (ch->state == BASTION_ORPHAN) {
			bastion_channel_free(ch, NULL);
			return;
		}
		bastion_channel_carry(ch);
	} else if (ch->gone && ch->state == BASTION_OPENING) {
		/* To free a channel that is being opened is an error of libssh's. */
		bastion_channel_orphan(ch);
	}
}

void bastion_channel_look(struct bastion_channel *ch)
{
	bastion_queue_take(&ch->io->ready, &ch->ready);
	if (ch->state == BASTION_OPENING || ch->state == BASTION_ORPHAN) {
		bastion_channel_look_opening(ch);
		return;
	}
	if (!ch->gone && ch->state == BASTION_CARRIES) {
		if (!ch->blocked)
			bastion_channel_open_window(ch);
		/* What is left of the host's comes first. */
		if (!ch->blocked && !ch->remote_closed && ch->remote_eof)
			(void)shutdown(ch->ask->fd, SHUT_WR);
	}
	if (ch->gone || (ch->remote_closed && !ch->blocked))
		bastion_channel_free(ch, NULL);
}

void bastion_channel_free(struct bastion_channel *ch, const struct conn_result *result)
{
	bastion_queue_take(&ch->io->ready, &ch->ready);
	bastion_queue_take(&ch->io->hungry, &ch->hungry);
	bastion_queue_take(&ch->io->starved, &ch->starved);
	bastion_channel_free_events(ch);
	if (ch->ssh) {
		(void)ssh_remove_channel_callbacks(ch->ssh, &ch->callbacks);
		ssh_channel_free(ch->ssh);
		ch->io->unflushed++;
	}
	bastion_io_keep(ch, 0);
	if (ch->ask) {
		ch->io->done++;
		if (result)
			bastion_ask_fail(ch->ask, result);
		else
			bastion_ask_free(ch->ask);
	}
	bastion_io_move(ch, BASTION_STATES);
	buf_done(&ch->in);
	buf_done(&ch->out);
	bastion_io_kick(ch->io);
	free(ch);
}
