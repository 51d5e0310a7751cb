/* The session of a bastion, on its I/O thread. */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "bastion_private.h"
#include "fd.h"
#include "pacer.h"

/* Turns of one wake-up: enough to be cheap, few enough to be fair. */
#define BASTION_TURNS 16u
/* What libssh may hold that the kernel has not taken. */
#define BASTION_UNFLUSHED (256u << 10)
/* Channels that are being opened, and those of them that nobody wants any more. */
#define BASTION_OPENING_MAX 1024u
/* A refusal that was not heard of is looked for so often. */
#define BASTION_LOOK_MS 2000u

static void bastion_io_turn(struct bastion_io *io);

/* --- what is told --------------------------------------------------------------------------------
 */

static struct bastion_note *bastion_io_note(struct bastion_io *io, enum bastion_note_kind kind)
{
	struct bastion_note *note = xcalloc(1, sizeof *note);

	note->bastion = io->bastion;
	note->kind = kind;
	return note;
}

static void bastion_io_tell_done(struct bastion_io *io)
{
	struct bastion_note *note;

	if (!io->done)
		return;
	note = bastion_io_note(io, BASTION_NOTE_DONE);
	note->number = io->done;
	io->done = 0;
	shard_tell(io->shard, bastion_on_note, note);
}

/* --- lists ---------------------------------------------------------------------------------------
 */

void bastion_io_move(struct bastion_channel *ch, enum bastion_channel_state state)
{
	struct bastion_io *io = ch->io;
	struct bastion_list *list;

	if (ch->prev) {
		list = &io->lists[ch->state];
		*ch->prev = ch->next;
		if (ch->next)
			ch->next->prev = ch->prev;
		else
			list->last = ch->prev;
		list->count--;
		ch->prev = NULL;
	}
	ch->state = state;
	if (state == BASTION_STATES)
		return;
	list = &io->lists[state];
	ch->next = NULL;
	ch->prev = list->last;
	*list->last = ch;
	list->last = &ch->next;
	list->count++;
}

/* --- its descriptor ------------------------------------------------------------------------------
 */

static void bastion_io_on_event(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	bastion_io_turn(arg);
}

static void bastion_io_unwatch(struct bastion_io *io)
{
	if (io->event)
		event_free(io->event);
	io->event = NULL;
	io->event_mask = 0;
}

static struct event_base *bastion_io_base(const struct bastion_io *io)
{
	return loop_base(ssh_engine_loop(shard_engine(io->shard)));
}

static void bastion_io_watch(struct bastion_io *io)
{
	int fd = ssh_get_fd(io->session);
	short mask = EV_READ;

	if (io->full) {
		bastion_io_unwatch(io);
		return;
	}
	if ((ssh_get_poll_flags(io->session) & SSH_WRITE_PENDING) ||
	    (io->hungry.first && io->unflushed >= BASTION_UNFLUSHED))
		mask |= EV_WRITE;
	if (io->event && io->event_fd == fd && io->event_mask == mask)
		return;
	bastion_io_unwatch(io);
	io->event_fd = fd;
	io->event_mask = mask;
	io->event = event_new(bastion_io_base(io), fd, mask | EV_PERSIST, bastion_io_on_event, io);
	if (!io->event || event_add(io->event, NULL) != 0)
		abort();
}

void bastion_io_kick(struct bastion_io *io)
{
	if (!io->over && io->again)
		event_active(io->again, EV_TIMEOUT, 0);
}

void bastion_io_keep(struct bastion_channel *ch, size_t kept)
{
	struct bastion_io *io = ch->io;

	io->kept = io->kept - ch->kept + kept;
	ch->kept = kept;
	if (io->kept >= io->kept_max) {
		io->full = true;
	} else if (io->full && io->kept <= io->kept_max / 4 * 3) {
		io->full = false;
		bastion_io_kick(io);
	}
}

bool bastion_io_has_room(struct bastion_io *io)
{
	if (io->full)
		return false;
	if (io->unflushed < BASTION_UNFLUSHED)
		return true;
	if (ssh_blocking_flush(io->session, 0) == SSH_AGAIN)
		return false;
	io->unflushed = 0;
	return true;
}

/* --- its end -------------------------------------------------------------------------------------
 */

static void bastion_io_free_channels(struct bastion_io *io, const struct conn_result *result)
{
	for (size_t i = 0; i < BASTION_STATES; i++)
		while (io->lists[i].first)
			bastion_channel_free(io->lists[i].first, result);
}

static void bastion_io_free_session(struct bastion_io *io)
{
	bastion_io_unwatch(io);
	if (io->poll) {
		(void)ssh_event_remove_session(io->poll, io->session);
		ssh_event_free(io->poll);
	}
	io->poll = NULL;
	/* Without ssh_disconnect: it writes, and the peer may not read any more. */
	ssh_free(io->session);
	io->session = NULL;
	conn_transport_done(&io->transport);
}

/* All connections through it are lost. */
static void bastion_io_end(struct bastion_io *io, const struct conn_result *result)
{
	struct bastion_note *note;

	if (io->over)
		return;
	io->over = true;
	io->result = *result;
	bastion_name_result(io->spec.target, &io->result);
	bastion_io_free_channels(io, &io->result);
	bastion_io_free_session(io);
	if (io->again)
		event_free(io->again);
	if (io->look)
		event_free(io->look);
	io->again = io->look = NULL;
	bastion_io_tell_done(io);
	note = bastion_io_note(io, BASTION_NOTE_END);
	note->result = io->result;
	shard_tell(io->shard, bastion_on_note, note);
}

static bool bastion_io_is_broken(const struct bastion_io *io)
{
	return ssh_get_fd(io->session) < 0 ||
	       (ssh_get_status(io->session) & (SSH_CLOSED | SSH_CLOSED_ERROR)) != 0;
}

static void bastion_io_lose(struct bastion_io *io)
{
	struct conn_result result = {
		.end = CONN_END_LOST, .exit_code = -1, .trouble = PACER_DROPPED};
	const char *why = ssh_get_error(io->session);

	if (!conn_transport_why(&io->transport, &result))
		(void)snprintf(result.text, sizeof result.text, "connection lost%s%.120s",
			       *why ? ": " : "", why);
	result.end = CONN_END_LOST;
	bastion_io_end(io, &result);
}

/* --- while it is there ---------------------------------------------------------------------------
 */

static struct bastion_channel *bastion_io_find(struct bastion_io *io, unsigned number)
{
	static const enum bastion_channel_state states[] = {BASTION_OPENING, BASTION_ORPHAN};

	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		for (struct bastion_channel *ch = io->lists[states[i]].first; ch; ch = ch->next)
			if (ch->number == number)
				return ch;
	return NULL;
}

void bastion_io_heard(struct bastion_io *io, const struct bastion_heard *heard)
{
	for (size_t i = 0; i < heard->count; i++) {
		const struct bastion_refusal *r = &heard->refused[i];
		struct bastion_channel *ch = bastion_io_find(io, r->channel);

		if (ch)
			bastion_channel_refuse(ch, r->reason, r->text);
	}
}

static size_t bastion_io_opening(const struct bastion_io *io)
{
	return io->lists[BASTION_OPENING].count + io->lists[BASTION_ORPHAN].count;
}

static int bastion_io_poll(struct bastion_io *io)
{
	struct bastion_heard heard = {0};
	int seen;

	if (!bastion_io_opening(io))
		return ssh_event_dopoll(io->poll, 0);
	bastion_listen(&heard);
	seen = ssh_event_dopoll(io->poll, 0);
	bastion_unlisten();
	bastion_io_heard(io, &heard);
	bastion_heard_done(&heard);
	return seen;
}

static void bastion_io_look_at(struct bastion_io *io, enum bastion_channel_state state)
{
	struct bastion_channel *next;

	for (struct bastion_channel *ch = io->lists[state].first; ch; ch = next) {
		next = ch->next;
		bastion_channel_look(ch);
	}
}

static void bastion_io_open_more(struct bastion_io *io)
{
	struct timeval tv = loop_ms(BASTION_LOOK_MS);

	while (io->lists[BASTION_WAITS].first && !io->full &&
	       io->lists[BASTION_OPENING].count < io->opening_max &&
	       bastion_io_opening(io) < BASTION_OPENING_MAX)
		bastion_channel_open(io->lists[BASTION_WAITS].first);
	if (bastion_io_opening(io) && !evtimer_pending(io->look, NULL))
		(void)evtimer_add(io->look, &tv);
}

static void bastion_io_serve(struct bastion_io *io)
{
	struct bastion_place *until;

	/* Each frees at most itself. */
	bastion_io_look_at(io, BASTION_ORPHAN);
	bastion_io_look_at(io, BASTION_OPENING);
	while (io->ready.first)
		bastion_channel_look(io->ready.first->ch);
	/* Once around: who is still hungry goes to the end. */
	until = NULL;
	while (io->hungry.first && io->hungry.first != until && bastion_io_has_room(io)) {
		struct bastion_place *place = io->hungry.first;

		bastion_channel_feed(place->ch);
		if (!until && place->of)
			until = place;
	}
	bastion_io_open_more(io);
}

/* A window grows inside of any call of libssh's, which tells nobody. */
static void bastion_io_taste(struct bastion_io *io)
{
	struct bastion_place *next;

	for (struct bastion_place *place = io->starved.first; place; place = next) {
		next = place->next;
		bastion_channel_taste(place->ch);
	}
}

static void bastion_io_turn(struct bastion_io *io)
{
	int seen = SSH_OK;

	for (unsigned i = 0; i < BASTION_TURNS && seen == SSH_OK && !io->full; i++) {
		seen = bastion_io_poll(io);
		if (bastion_io_is_broken(io)) {
			bastion_io_lose(io);
			return;
		}
		bastion_io_serve(io);
	}
	/* Who has gone lets go of what was kept. */
	while (io->full && io->ready.first)
		bastion_channel_look(io->ready.first->ch);
	bastion_io_taste(io);
	bastion_io_watch(io);
	bastion_io_tell_done(io);
}

static void bastion_io_on_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	bastion_io_turn(arg);
}

/* What bastion_watch.c has not understood. */
static void bastion_io_on_look(evutil_socket_t fd, short what, void *arg)
{
	struct bastion_io *io = arg;
	struct bastion_channel *next;
	static const enum bastion_channel_state states[] = {BASTION_OPENING, BASTION_ORPHAN};

	(void)fd;
	(void)what;
	for (size_t i = 0; i < ARRAY_LEN(states) && !io->full; i++)
		for (struct bastion_channel *ch = io->lists[states[i]].first; ch; ch = next) {
			next = ch->next;
			if (bastion_channel_ask(ch) == SSH_ERROR && !bastion_io_is_broken(io))
				bastion_channel_refuse(ch, 0, "");
		}
	bastion_io_turn(io);
}

/* --- its login -----------------------------------------------------------------------------------
 */

static void bastion_io_on_running(void *arg)
{
	struct bastion_io *io = arg;
	struct bastion_note *note = bastion_io_note(io, BASTION_NOTE_READY);
	size_t len;
	const uint8_t *blob = conn_key(io->conn, &len);

	if (blob)
		buf_add(&note->key, blob, len);
	shard_tell(io->shard, bastion_on_note, note);
	io->session = conn_take(io->conn, &io->transport);
}

static void bastion_io_on_end(void *arg, const struct conn_result *result)
{
	struct bastion_io *io = arg;

	io->conn = NULL;
	if (!io->session) {
		bastion_io_end(io, result);
		return;
	}
	io->poll = ssh_event_new();
	if (!io->poll)
		abort();
	(void)ssh_event_add_session(io->poll, io->session);
	io->again = event_new(bastion_io_base(io), -1, 0, bastion_io_on_again, io);
	io->look = evtimer_new(bastion_io_base(io), bastion_io_on_look, io);
	if (!io->again || !io->look)
		abort();
	bastion_io_kick(io);
}

static void bastion_io_on_data(void *arg, bool is_error, const void *data, size_t len)
{
	(void)arg;
	(void)is_error;
	(void)data;
	(void)len;
}

static void bastion_io_on_burst_end(void *arg)
{
	(void)arg;
}

static const struct conn_events bastion_io_events = {
	.running = bastion_io_on_running,
	.data = bastion_io_on_data,
	.burst_end = bastion_io_on_burst_end,
	.end = bastion_io_on_end,
};

/* --- what is asked -------------------------------------------------------------------------------
 */

void bastion_io_on_start(void *arg)
{
	struct bastion_io *io = arg;

	for (size_t i = 0; i < BASTION_STATES; i++)
		io->lists[i].last = &io->lists[i].first;
	bastion_queue_init(&io->ready);
	bastion_queue_init(&io->hungry);
	bastion_queue_init(&io->starved);
	io->conn = conn_start(shard_engine(io->shard), &io->spec, &bastion_io_events, io);
}

void bastion_io_on_ask(void *arg)
{
	struct bastion_ask *ask = arg;
	struct bastion_io *io = ask->io;

	if (io->over) {
		bastion_ask_fail(ask, &io->result);
		io->done++;
		bastion_io_tell_done(io);
		return;
	}
	(void)bastion_channel_new(io, ask);
	bastion_io_kick(io);
}

void bastion_io_on_close(void *arg)
{
	struct bastion_io *io = arg;
	struct conn_result result = {.end = CONN_END_LOST, .exit_code = -1};

	(void)snprintf(result.text, sizeof result.text, "the session was closed");
	conn_free(io->conn);
	io->conn = NULL;
	bastion_io_end(io, &result);
	shard_tell(io->shard, bastion_on_note, bastion_io_note(io, BASTION_NOTE_GONE));
}
