#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "alloc.h"
#include "clock.h"
#include "log.h"
#include "relay_private.h"

#define RELAY_COMMAND "muster relay"
/* From its start to HELLO: a daemon that starts reads its store first. */
#define RELAY_HELLO_MS 60000u
/* After all of it was asked to stop, beyond the grace. */
#define RELAY_STOP_MS 60000u

uint64_t relay_now_ms(void)
{
	return clock_mono_ns() / 1000000u;
}

struct run *relay_run(const struct relay *relay)
{
	return relays_run(relay->relays);
}

/* --- members ---------------------------------------------------------------------------------- */

void member_insert(struct relay_member **list, struct relay_member *m)
{
	m->next = *list;
	m->prev = list;
	if (m->next)
		m->next->prev = &m->next;
	*list = m;
}

void member_remove(struct relay_member *m)
{
	if (!m->prev)
		return;
	*m->prev = m->next;
	if (m->next)
		m->next->prev = m->prev;
	m->prev = NULL;
	m->next = NULL;
}

bool relay_takes(const struct relay *relay)
{
	return !relay->dead && !relay->members;
}

void relay_add(struct relay *relay, struct relay_member *m)
{
	member_insert(&relay->to_send, m);
	m->relay = relay;
	relay->live++;
}

static void relay_forget_dirty(struct relay *relay, struct relay_member *m)
{
	struct relay_member **at = &relay->dirty;

	if (!m->is_dirty)
		return;
	while (*at != m)
		at = &(*at)->dirty;
	*at = m->dirty;
	m->dirty = NULL;
	m->is_dirty = false;
}

/* What is held back has come all the same, and is less now. */
static void relay_uncount_held(struct relay *relay, struct relay_member *m)
{
	relay->held_bytes -= m->held_bytes;
	m->held_bytes = 0;
	if (!relay->line_held || relay->held_bytes > RELAY_HELD_MAX / 2)
		return;
	relay->line_held = false;
	relay->heard_ms = relay_now_ms();
	if (relay->line)
		line_hold(relay->line, false);
}

void relay_remove(struct relay *relay, struct relay_member *m)
{
	struct timeval now = {0};

	member_remove(m);
	relay_forget_dirty(relay, m);
	relay_uncount_held(relay, m);
	if (relay->members)
		relay->members[m->at] = NULL;
	relay->live--;
	if (m->stop && relay->members)
		relay->stopping--;
	if (relay->to_send == NULL && !relay->members && !relay->dead)
		(void)event_add(relay->asking, &now);
	m->relay = NULL;
	m->ask_stop = m->ask_hold = m->resuming = false;
	m->ask = MEMBER_ASK_NOTHING;
}

size_t relay_gateway(const struct relay *relay)
{
	return relay->gateway;
}

/* --- the end ------------------------------------------------------------------------------------
 */

static void relay_destroy(struct relay *relay)
{
	struct relay_member *m;

	while ((m = relay->to_send))
		relay_remove(relay, m);
	for (size_t i = 0; relay->members && i < relay->count; i++)
		if (relay->members[i])
			relay_remove(relay, relay->members[i]);
	line_free(relay->line);
	relay->line = NULL;
	event_free(relay->timer);
	event_free(relay->asking);
	relay_stage_free(relay->stage);
	relay->stage = NULL;
	relay_talk_free(relay->talk);
	free(relay->members);
	relay->freed = true;
	if (!relay->queued)
		free(relay);
}

void relay_free(struct relay *relay)
{
	relay->dead = true;
	relay_destroy(relay);
}

static void relay_free_deferred(void *arg)
{
	struct relay *relay = arg;

	relay->queued = false;
	if (relay->freed) {
		free(relay);
		return;
	}
	relays_on_over(relay->relays, relay);
	relay_destroy(relay);
}

/* Its line, or its talk, may be on the stack. */
void relay_free_later(struct relay *relay)
{
	relay->dead = true;
	(void)event_del(relay->timer);
	(void)event_del(relay->asking);
	relay->queued = true;
	loop_defer(run_daemon(relay_run(relay))->loop, relay_free_deferred, relay);
}

/* Returns the first member that goes to another gateway, NULL if none does. */
static struct relay_member *relay_lose(struct relay *relay, const char *why, size_t *ret_moved)
{
	struct relay_member *m, *first = NULL;
	size_t moved = 0;
	bool began;

	while ((m = relay->to_send))
		if (relays_on_lost(m, why, false) && moved++ == 0)
			first = m;
	for (size_t i = 0; relay->members && i < relay->count; i++) {
		m = relay->members[i];
		began = m &&
			(m->began || relay_talk_may_have_begun(relay->talk, i, relay->all_said));
		if (m && relays_on_lost(m, why, began) && moved++ == 0)
			first = m;
	}
	*ret_moved = moved;
	return first;
}

void relay_fail(struct relay *relay, const char *why)
{
	char text[LIMIT_OUTCOME_TEXT + 80];
	struct relay_member *first;
	size_t moved;
	bool again;

	if (relay->dead)
		return;
	relay_free_later(relay);
	log_warn("gateway %s: %s", relay->name, why);
	if (relay->lingers)
		return;
	again = relay->stage && relay->lost && relays_may_try_again(relay->relays, relay->gateway);
	if (!again)
		relays_on_failed(relay->relays, relay->gateway, why);
	first = relay_lose(relay, why, &moved);
	if (!first)
		return;
	if (again)
		(void)snprintf(text, sizeof text, "gateway %s: %s; it is tried again", relay->name,
			       why);
	else
		(void)snprintf(text, sizeof text, "gateway %s: %s; %zu host%s by another one",
			       relay->name, why, moved, moved == 1 ? " goes" : "s go");
	link_warn(first->link, text);
}

/* --- its life -----------------------------------------------------------------------------------
 */

/* Silence beyond what a client of the daemon there may keep: nothing begins there any more. */
static void relay_on_tick(struct relay *relay)
{
	uint64_t now = relay_now_ms(), grace = run_open(relay_run(relay))->stop_grace_ms;
	struct timeval tick = loop_ms(RELAY_TICK_MS);

	if (!relay->line_held && now - relay->heard_ms >= LIMIT_RELAY_SILENCE_MS) {
		relay_fail(relay, "it is silent");
	} else if (relay->stop_ms && now - relay->stop_ms > grace + RELAY_STOP_MS) {
		relay_fail(relay, "it does not stop what it runs");
	} else {
		relay_send_ping(relay);
		(void)event_add(relay->timer, &tick);
	}
}

static void relay_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct relay *relay = arg;

	(void)fd;
	(void)what;
	if (relay->members || relay->stage)
		relay_on_tick(relay);
	else
		relay_fail(relay, "the daemon there does not answer");
}

static void relay_on_asking(evutil_socket_t fd, short what, void *arg)
{
	struct relay *relay = arg;

	(void)fd;
	(void)what;
	/* Whoever was to go there was stopped meanwhile. */
	if (!relay->members && !relay->to_send)
		relay_free_later(relay);
	else if (!relay->dead)
		relay_send_asks(relay);
}

void relay_started(struct relay *relay)
{
	struct timeval tv = loop_ms(RELAY_HELLO_MS);

	relay->heard_ms = relay_now_ms();
	(void)event_add(relay->timer, &tv);
}

void relay_tick_soon(struct relay *relay)
{
	struct timeval tick = loop_ms(RELAY_TICK_MS);

	relay->heard_ms = relay_now_ms();
	(void)event_add(relay->timer, &tick);
}

struct relay *relay_new(struct relays *relays, size_t gateway, const struct plan_host *host,
			const struct plan_target *target)
{
	struct relay *relay = xcalloc(1, sizeof *relay);
	struct daemon *daemon = run_daemon(relays_run(relays));
	const struct job_open_msg *open = run_open(relays_run(relays));
	struct line_spec spec = {.conn = {.target = target,
					  .command = RELAY_COMMAND,
					  .connect_timeout_ms = open->connect_timeout_ms,
					  .stream = true},
				 .retries = open->retries};

	relay->relays = relays;
	relay->gateway = gateway;
	relay->name = host->host;
	relay->hostname = host->hostname;
	relay->talk = relay_talk_new(&relay_talk_ops, relay);
	relay->timer = evtimer_new(loop_base(daemon->loop), relay_on_timer, relay);
	relay->asking = evtimer_new(loop_base(daemon->loop), relay_on_asking, relay);
	if (!relay->timer || !relay->asking)
		abort();
	relay->line = line_start(daemon->lines, &spec, &relay_line_events, relay);
	return relay;
}

void relay_ask(struct relay *relay, struct relay_member *m)
{
	struct timeval now = {0};

	if (!m->hold)
		relay_uncount_held(relay, m);
	if (!m->is_dirty) {
		m->is_dirty = true;
		m->dirty = relay->dirty;
		relay->dirty = m;
	}
	(void)event_add(relay->asking, &now);
}

void relay_stop(struct relay *relay, struct relay_member *m)
{
	m->stop = true;
	m->ask_stop = true;
	relay->stopping++;
	relay_ask(relay, m);
}
