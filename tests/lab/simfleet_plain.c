#include "simfleet_plain.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "simfleet_run.h"

struct sim_plain {
	struct sim_run run;
	struct event *timer; /* while it takes its time; NULL: not */
};

static void sim_plain_free(struct sim_channel *ch)
{
	struct sim_plain *plain = ch->arg;

	if (plain->timer)
		event_free(plain->timer);
	sim_run_done(&plain->run);
	free(plain);
}

static void sim_plain_finish(struct sim_channel *ch, int status, const char *signal)
{
	ch->conn->fleet->counts.ended++;
	sim_channel_finish(ch, status, signal);
}

static void sim_plain_pump(struct sim_channel *ch)
{
	struct sim_plain *plain = ch->arg;
	struct sim_run *run = &plain->run;

	/* Something else is about to happen here. */
	if (plain->timer || ch->conn->manner->deed != SIM_ANSWER)
		return;
	if (run->flood)
		sim_run_refill(run);
	buf_add(sim_channel_out(ch, false), run->out.data, run->out.len);
	buf_add(sim_channel_out(ch, true), run->error.data, run->error.len);
	if (!run->flood)
		sim_plain_finish(ch, run->status, run->signal);
}

static bool sim_plain_has_more(const struct sim_channel *ch)
{
	const struct sim_plain *plain = ch->arg;

	return !plain->timer;
}

static void sim_plain_signal(struct sim_channel *ch, const char *signal)
{
	if (!ch->finishing)
		sim_plain_finish(ch, 0, strcmp(signal, "KILL") == 0 ? "KILL" : "TERM");
}

static const struct sim_role sim_plain_role = {
	.pump = sim_plain_pump,
	.has_more = sim_plain_has_more,
	.signal = sim_plain_signal,
	.free = sim_plain_free,
};

static void sim_plain_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct sim_channel *ch = arg;
	struct sim_plain *plain = ch->arg;

	(void)fd;
	(void)what;
	event_free(plain->timer);
	plain->timer = NULL;
	sim_conn_advance(ch->conn);
}

/* What muster executes to end what it has started: it looks for a mark in /proc. */
static bool sim_plain_is_kill(const char *command)
{
	return strstr(command, "/proc/self/environ") && strstr(command, "MUSTER_RUN");
}

static void sim_plain_kill(const struct sim_channel *self)
{
	for (struct sim_channel *ch = self->conn->channels; ch; ch = ch->next)
		if (ch != self && ch->role == &sim_plain_role)
			sim_plain_signal(ch, "TERM");
}

void sim_plain_begin(struct sim_channel *ch, const char *command)
{
	struct sim_conn *conn = ch->conn;
	struct sim_plain *plain = xcalloc(1, sizeof *plain);

	ch->role = &sim_plain_role;
	ch->arg = plain;
	if (sim_plain_is_kill(command)) {
		sim_plain_kill(ch);
		sim_channel_finish(ch, 0, NULL);
		return;
	}
	conn->fleet->counts.commands++;
	sim_conn_reach(conn, SIM_RUN);
	sim_run_init_text(&plain->run, conn->fleet, conn->number, command);
	if (plain->run.takes_ms) {
		struct timeval tv = {.tv_sec = (time_t)(plain->run.takes_ms / 1000),
				     .tv_usec = (suseconds_t)(plain->run.takes_ms % 1000 * 1000)};

		plain->timer = evtimer_new(conn->fleet->base, sim_plain_on_timer, ch);
		if (!plain->timer || event_add(plain->timer, &tv) != 0)
			abort();
	}
}
