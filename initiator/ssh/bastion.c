/* Which bastions there are, and who goes through which. On the main loop. */
#include "bastion.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "bastion_fsm.h"
#include "bastion_private.h"
#include "host_key.h"
#include "log.h"
#include "pacer.h"

#define BASTIONS_LINGER_MS 60000u
#define BASTIONS_OPENING   64u
#define BASTIONS_CHANNELS  4096u
#define BASTIONS_MEMORY	   (256u << 20)
/* A login that has failed is not tried again for the same job: an account may be locked after a few
 * of them. What may pass is tried again, once for all who wait. */
#define BASTIONS_FAILED_MS     60000u
#define BASTIONS_FAILED_NOW_MS 1000u
/* The same with a password, which is asked for anew, and the job with it, after a wrong one. */
#define BASTIONS_REFUSED_MS 600000u

/* One session, or the memory of one that could not be made. */
struct bastion {
	struct bastions *bastions;
	struct bastion *next;
	enum bastion_state state; /* bastion_on's */
	char *key;
	const struct plan_target *target;
	struct plan *plan; /* of that, and held */
	struct bastion_io *io;
	struct ssh_slot slot;
	size_t users;
	struct buf host_key;
	struct conn_result result; /* of a failed login */
	struct event *timer;
};

struct bastions {
	struct loop *loop;
	struct shards *shards;
	struct ssh_engine *engine;
	struct bastions_options options;
	struct proxies *proxies;
	struct bastion *first;
	size_t count;
	size_t users;
	bool closing;
};

struct loop *bastions_loop(const struct bastions *bastions)
{
	return bastions->loop;
}

size_t bastions_count(const struct bastions *bastions)
{
	return bastions->count;
}

size_t bastions_users(const struct bastions *bastions)
{
	return bastions->users;
}

/* --- one of them ---------------------------------------------------------------------------------
 */

/* What an event brings along. */
struct bastion_with {
	struct bastion_ask *ask;   /* of JOIN */
	struct bastion_note *note; /* of what the thread has told */
};

static void bastion_on(struct bastion *b, enum bastion_event event,
		       const struct bastion_with *with);

static void bastion_set_timer(struct bastion *b, uint64_t ms)
{
	struct timeval tv = loop_ms(ms);

	if (evtimer_add(b->timer, &tv) != 0)
		abort();
}

static void bastion_on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	bastion_on(arg, BASTION_EV_TIMER, NULL);
}

static void bastion_no_slot(void *arg)
{
	(void)arg;
}

static struct bastion *bastion_new(struct bastions *bastions, const struct bastion_ask *ask,
				   char *key)
{
	struct bastion *b = xcalloc(1, sizeof *b);
	struct bastion_io *io = xcalloc(1, sizeof *io);

	b->bastions = bastions;
	b->key = key;
	b->io = io;
	b->target = ask->target->jump;
	b->plan = ask->plan;
	plan_hold(b->plan);
	b->timer = evtimer_new(loop_base(bastions->loop), bastion_on_timer, b);
	if (!b->timer)
		abort();
	/* Who waits for it may hold all the slots there are. */
	b->slot.granted = bastion_no_slot;
	ssh_slot_take(bastions->engine, &b->slot);
	io->bastion = b;
	io->opening_max = bastions->options.opening;
	io->kept_max = bastions->options.memory;
	io->spec = (struct conn_spec){.target = b->target,
				      .login = secret_login_hold(ask->login),
				      .connect_timeout_ms = ask->connect_timeout_ms,
				      .stream = true,
				      .forwarder = true,
				      .bastions = bastions,
				      .proxies = bastions->proxies};
	io->shard = shards_pick(bastions->shards);
	shard_call(io->shard, bastion_io_on_start, io);
	b->next = bastions->first;
	bastions->first = b;
	bastions->count++;
	log_debug("bastion %s: a session for all who go through it", b->target->host);
	return b;
}

static void bastion_free(struct bastion *b)
{
	struct bastion **at = &b->bastions->first;

	while (*at != b)
		at = &(*at)->next;
	*at = b->next;
	b->bastions->count--;
	shard_leave(b->io->shard);
	ssh_slot_release(b->bastions->engine, &b->slot);
	event_free(b->timer);
	plan_free(b->plan);
	secret_login_drop(b->io->spec.login);
	buf_done(&b->host_key);
	free(b->key);
	free(b->io);
	free(b);
}

/* --- what it does --------------------------------------------------------------------------------
 */

static void bastion_do_nothing(struct bastion *b, const struct bastion_with *with)
{
	(void)b;
	(void)with;
}

static void bastion_do_carry(struct bastion *b, const struct bastion_with *with)
{
	(void)event_del(b->timer);
	b->users++;
	b->bastions->users++;
	with->ask->io = b->io;
	shard_call(b->io->shard, bastion_io_on_ask, with->ask);
}

static void bastion_do_refuse(struct bastion *b, const struct bastion_with *with)
{
	bastion_ask_fail(with->ask, &b->result);
}

static void bastion_do_keep_key(struct bastion *b, const struct bastion_with *with)
{
	b->host_key = with->note->key;
	with->note->key = (struct buf){0};
}

static void bastion_do_linger(struct bastion *b, const struct bastion_with *with)
{
	(void)with;
	bastion_set_timer(b, b->bastions->options.linger_ms);
}

static void bastion_do_remember(struct bastion *b, const struct bastion_with *with)
{
	uint64_t ms = BASTIONS_FAILED_NOW_MS;

	b->result = with->note->result;
	if (b->result.trouble == PACER_FINAL)
		ms = b->result.end == CONN_END_AUTH && secret_login_has_password(b->io->spec.login)
			     ? BASTIONS_REFUSED_MS
			     : BASTIONS_FAILED_MS;
	/* It has no descriptor any more. */
	ssh_slot_release(b->bastions->engine, &b->slot);
	bastion_set_timer(b, ms);
}

static void bastion_do_close(struct bastion *b, const struct bastion_with *with)
{
	(void)with;
	(void)event_del(b->timer);
	shard_call(b->io->shard, bastion_io_on_close, b->io);
}

static void bastion_do_free(struct bastion *b, const struct bastion_with *with)
{
	(void)with;
	b->bastions->users -= b->users;
	bastion_free(b);
}

static void (*const bastion_actions[BASTION_ACTION_COUNT])(struct bastion *,
							   const struct bastion_with *) = {
	[BASTION_DO_NOTHING] = bastion_do_nothing, [BASTION_DO_CARRY] = bastion_do_carry,
	[BASTION_DO_REFUSE] = bastion_do_refuse,   [BASTION_DO_KEEP_KEY] = bastion_do_keep_key,
	[BASTION_DO_LINGER] = bastion_do_linger,   [BASTION_DO_REMEMBER] = bastion_do_remember,
	[BASTION_DO_CLOSE] = bastion_do_close,	   [BASTION_DO_FREE] = bastion_do_free,
};

/* The driver. After BASTION_EV_GONE there is no bastion any more. */
static void bastion_on(struct bastion *b, enum bastion_event event, const struct bastion_with *with)
{
	const struct bastion_row *row = bastion_fsm_find(b->state, event);

	if (!row) {
		log_error("bastion %s: no %s when %s", b->target->host, bastion_event_name(event),
			  bastion_state_name(b->state));
		abort();
	}
	b->state = row->next;
	bastion_actions[row->action](b, with);
}

static void bastion_rest(struct bastion *b)
{
	if (!b->users)
		bastion_on(b, BASTION_EV_IDLE, NULL);
}

/* --- which one
 * ------------------------------------------------------------------------------------ */

/* It can take one more, and this one trusts the key that it has shown. */
static bool bastion_suits(struct bastion *b, const struct bastion_ask *ask)
{
	const struct plan_target *jump = ask->target->jump;
	bool full = b->users >= b->bastions->options.channels;

	switch (b->state) {
	case BASTION_LOGIN:
		/* Its own configuration judges the key, and its own password is tried. */
		return b->plan == ask->plan && b->io->spec.login == ask->login && !full;
	case BASTION_THERE:
		if (full)
			return false;
		if (b->target == jump || host_key_is_known(jump, b->host_key.data, b->host_key.len))
			return true;
		bastion_on(b, BASTION_EV_RETIRE, NULL);
		bastion_rest(b);
		return false;
	case BASTION_FAILED:
		return b->plan == ask->plan && b->io->spec.login == ask->login;
	case BASTION_RETIRED:
	case BASTION_GOING:
	case BASTION_GONE:
	case BASTION_STATE_COUNT:
		break;
	}
	return false;
}

static struct bastion *bastions_find(struct bastions *bastions, const struct bastion_ask *ask)
{
	const struct plan_target *jump = ask->target->jump;
	struct bastion *b;
	char *key;

	/* All of a job name it by the same pointer. */
	for (b = bastions->first; b; b = b->next)
		if (b->target == jump && bastion_suits(b, ask))
			return b;
	key = bastion_key(jump);
	for (b = bastions->first; b; b = b->next)
		if (strcmp(b->key, key) == 0 && bastion_suits(b, ask))
			break;
	if (b)
		free(key);
	return b ? b : bastion_new(bastions, ask, key);
}

void bastions_on_ask(void *arg)
{
	struct bastion_ask *ask = arg;
	struct bastions *bastions = ask->bastions;
	struct conn_result result = {.end = CONN_END_STOPPED, .exit_code = -1};
	struct bastion *b;

	if (bastions->closing) {
		bastion_ask_fail(ask, &result);
		return;
	}
	b = bastions_find(bastions, ask);
	bastion_on(b, BASTION_EV_JOIN, &(struct bastion_with){.ask = ask});
}

/* --- what the session tells
 * ----------------------------------------------------------------------- */

static void bastion_on_ready(struct bastion *b, struct bastion_note *note)
{
	bastion_on(b, BASTION_EV_READY, &(struct bastion_with){.note = note});
	bastion_rest(b);
}

static void bastion_on_done(struct bastion *b, struct bastion_note *note)
{
	b->users -= note->number;
	b->bastions->users -= note->number;
	bastion_rest(b);
}

static void bastion_on_end(struct bastion *b, struct bastion_note *note)
{
	if (b->state != BASTION_GOING)
		log_info("%s", note->result.text);
	bastion_on(b, BASTION_EV_ENDED, &(struct bastion_with){.note = note});
}

static void bastion_on_gone(struct bastion *b, struct bastion_note *note)
{
	bastion_on(b, BASTION_EV_GONE, &(struct bastion_with){.note = note});
}

static void (*const bastion_notes[BASTION_NOTE_COUNT])(struct bastion *, struct bastion_note *) = {
	[BASTION_NOTE_READY] = bastion_on_ready,
	[BASTION_NOTE_DONE] = bastion_on_done,
	[BASTION_NOTE_END] = bastion_on_end,
	[BASTION_NOTE_GONE] = bastion_on_gone,
};

void bastion_on_note(void *arg)
{
	struct bastion_note *note = arg;

	bastion_notes[note->kind](note->bastion, note);
	buf_done(&note->key);
	free(note);
}

/* --- all of them
 * ---------------------------------------------------------------------------------- */

struct bastions *bastions_new(struct loop *loop, struct shards *shards, struct ssh_engine *engine,
			      const struct bastions_options *options)
{
	struct bastions *bastions = xcalloc(1, sizeof *bastions);

	bastions->loop = loop;
	bastions->shards = shards;
	bastions->engine = engine;
	if (options)
		bastions->options = *options;
	if (!bastions->options.linger_ms)
		bastions->options.linger_ms = BASTIONS_LINGER_MS;
	if (!bastions->options.opening)
		bastions->options.opening = BASTIONS_OPENING;
	if (!bastions->options.channels)
		bastions->options.channels = BASTIONS_CHANNELS;
	if (!bastions->options.memory)
		bastions->options.memory = BASTIONS_MEMORY;
	bastions->proxies = bastions->options.proxies;
	return bastions;
}

void bastions_limit(struct bastions *bastions, size_t opening, size_t channels, size_t memory)
{
	if (opening)
		bastions->options.opening = opening;
	if (channels)
		bastions->options.channels = channels;
	if (memory)
		bastions->options.memory = memory;
}

void bastions_close(struct bastions *bastions)
{
	bastions->closing = true;
	for (struct bastion *b = bastions->first; b; b = b->next)
		bastion_on(b, BASTION_EV_CLOSE, NULL);
}

void bastions_free(struct bastions *bastions)
{
	if (!bastions)
		return;
	while (bastions->first)
		bastion_free(bastions->first);
	free(bastions);
}
