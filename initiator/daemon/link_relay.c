/* A child that the daemon of a gateway runs (relays.h). */
#include <stdlib.h>

#include "clock.h"
#include "link_private.h"
#include "relay.h"
#include "relay_pull.h"
#include "relays.h"

static void link_relay_stop(struct link *link)
{
	relays_stop(link->live->handle);
}

static void link_relay_suspend(struct link *link, bool suspend)
{
	relays_suspend(link->live->handle, suspend);
}

static void link_relay_hold(struct link *link, bool hold)
{
	relays_hold(link->live->handle, hold);
}

static void link_relay_feed(struct link *link)
{
	relays_feed(link->live->handle);
}

static void link_relay_free(struct link *link)
{
	relays_leave(link->live->handle);
}

/* A copy of before a restart: its gateway is asked again. */
static const char *link_relay_trouble(const struct link *link)
{
	return child_state(link->child) == JOB_STATE_DISCONNECTED ? "the daemon ended while it ran"
								  : NULL;
}

static const struct link_transport link_relay = {.stop = link_relay_stop,
						 .suspend = link_relay_suspend,
						 .hold = link_relay_hold,
						 .feed = link_relay_feed,
						 .free = link_relay_free,
						 .trouble = link_relay_trouble};

void link_relay_start(struct link *link)
{
	struct relay_member *m = relays_join(run_relays(link->run), link);

	link->live->transport = &link_relay;
	link->live->handle = m;
	if (link->held)
		relays_hold(m, true);
}

/* --- what the gateway tells ------------------------------------------------------------------ */

void link_relay_on_begun(struct relay_member *m)
{
	if (m->away && child_state(m->link->child) == JOB_STATE_DISCONNECTED)
		child_on_reconnected(m->link->child, clock_wall_ns());
	m->away = false;
	if (m->began)
		return;
	m->began = true;
	link_on_running(m->link);
}

void link_relay_on_away(struct relay_member *m)
{
	if (m->away || !m->began)
		return;
	m->away = true;
	child_on_disconnected(m->link->child, clock_wall_ns());
}

/* Running comes too when nothing has changed: as the answer to what could not be done. */
void link_relay_on_state(struct relay_member *m, bool suspended)
{
	enum job_state now = child_state(m->link->child);
	bool goes = now == JOB_STATE_SUSPENDED || now == JOB_STATE_SUSPENDING || m->resuming;

	if (suspended ? now == JOB_STATE_SUSPENDED : !goes)
		return;
	m->resuming = false;
	link_on_suspended(m->link, suspended);
}

/* The time, as the host and the child, is ours. */
void link_relay_on_record(struct relay_member *m, const struct record *record)
{
	struct record own = *record;

	/* The daemon there writes warnings of its own before a command begins. */
	if (own.stream != STREAM_WARNING)
		link_relay_on_begun(m);
	own.time_ns = clock_wall_ns();
	link_on_record(m->link, &own);
}

void link_relay_end(struct relay_member *m, const struct outcome *outcome)
{
	struct link *link = m->link;
	struct outcome own = *outcome;

	relay_pull_judge(m->pull, &own);
	link->live->handle = NULL;
	relays_leave(m);
	link_end(link, &own);
}
