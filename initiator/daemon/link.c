#include "link.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "link_private.h"
#include "relays.h"

/* --- what the transports tell --------------------------------------------------------------- */

void link_on_record(void *arg, const struct record *record)
{
	struct link *link = arg;

	if (!link->discard)
		results_add(link->results, record);
}

void link_on_running(void *arg)
{
	struct link *link = arg;

	/* A copy that is taken up again after a restart. */
	if (child_state(link->child) == JOB_STATE_DISCONNECTED)
		child_on_reconnected(link->child, clock_wall_ns());
	else
		child_on_running(link->child, clock_wall_ns());
}

void link_on_data(void *arg, bool is_error, const void *data, size_t len)
{
	struct link *link = arg;

	/* What a login shell says by itself is not what a check is about. */
	if (run_open(link->run)->builtin == JOB_CHECK)
		return;
	splitter_add(&link->live->streams[is_error], is_error ? STREAM_ERROR : STREAM_OUTPUT,
		     clock_wall_ns(), data, len, link_on_record, link);
}

void link_on_burst_end(void *arg)
{
	struct link *link = arg;

	link_flush(link);
	run_on_results(link->run, link->child);
}

/* What has come is to be stored, and then acknowledged. */
void link_flush(struct link *link)
{
	if (link->track)
		link_agent_flush(link);
	else
		results_flush(link->results, 0);
}

void link_on_suspended(void *arg, bool suspended)
{
	struct link *link = arg;

	if (suspended)
		child_on_suspended(link->child, clock_wall_ns());
	else
		child_on_resumed(link->child, clock_wall_ns());
}

void link_warn(struct link *link, const char *text)
{
	struct record record = {.stream = STREAM_WARNING,
				.time_ns = clock_wall_ns(),
				.value = (const uint8_t *)text,
				.len = strlen(text)};

	link_on_record(link, &record);
	run_on_results(link->run, link->child);
}

static void link_on_loaded(void *arg)
{
	struct link *link = arg;

	run_on_results(link->run, link->child);
}

/* More of its records were read. */
static void link_on_marked(void *arg)
{
	struct link *link = arg;

	run_keep_read(link->run, link->child);
}

static void link_set_held(struct link *link, bool held)
{
	if (link->held == held)
		return;
	link->held = held;
	run_on_held(link->run, link->child, held);
}

void link_end(struct link *link, const struct outcome *outcome)
{
	bool awaits = run_awaits(link->run, link->child, outcome);
	struct link_live *live = link->live;
	uint64_t now = clock_wall_ns();

	if (run_open(link->run)->builtin == JOB_CHECK && !awaits && live->since_ns)
		link_check_report(link);
	splitter_end(&live->streams[0], STREAM_OUTPUT, now, link_on_record, link);
	splitter_end(&live->streams[1], STREAM_ERROR, now, link_on_record, link);
	/* Its end is not acknowledged before the store has that too. */
	if (link->track)
		link_agent_store(link);
	if (!awaits)
		results_close(link->results);
	link_session_end(link);
	free(live->note);
	free(live->program);
	free(live);
	link->live = NULL;
	link_set_held(link, false);
	run_on_results(link->run, link->child);
	if (awaits)
		run_await(link->run, link->child, outcome);
	else
		child_on_end(link->child, outcome, now);
}

static void link_on_hold(void *arg, bool hold)
{
	struct link *link = arg;

	link_set_held(link, hold);
	if (link->live && link->live->handle)
		link->live->transport->hold(link, hold);
}

/* --- its life ------------------------------------------------------------------------------- */

struct link *link_new(struct run *run, struct child *child)
{
	struct link *link = xcalloc(1, sizeof *link);
	struct results_spec spec = {.budget = &run_daemon(run)->budget,
				    .store = run_store(run),
				    .child = child_id(child),
				    .hold = link_on_hold,
				    .loaded = link_on_loaded,
				    .marked = link_on_marked,
				    .arg = link};

	link->run = run;
	link->child = child;
	link->results = results_new(&spec);
	return link;
}

struct link_past *link_past(struct link *link)
{
	if (!link->past)
		link->past = xcalloc(1, sizeof *link->past);
	return link->past;
}

static void link_forget_past(struct link *link)
{
	if (link->past) {
		free(link->past->schema_ids);
		keep_copy_past_done(&link->past->copy);
	}
	free(link->past);
	link->past = NULL;
}

static bool link_is_plain(const struct job_open_msg *open)
{
	return (open->agent == JOB_AGENT_NEVER && !open->local) ||
	       open->builtin == JOB_AGENT_LIST || open->builtin == JOB_AGENT_REMOVE;
}

static bool link_is_relayed(const struct link *link)
{
	return relays_has(run_relays(link->run), child_index(link->child));
}

void link_go(struct link *link)
{
	if (link_is_relayed(link))
		link_relay_start(link);
	else if (run_open(link->run)->builtin == JOB_COPY)
		link_copy_start(link);
	else if (run_open(link->run)->builtin == JOB_CHECK)
		link_check_start(link);
	else if (link_is_plain(run_open(link->run)))
		link_plain_start(link);
	else
		link_agent_start(link);
}

void link_begin(struct link *link)
{
	const struct job_open_msg *open = run_open(link->run);

	/* A copy may begin again: what it has done is there. */
	if (run_store(link->run) && open->builtin != JOB_COPY &&
	    (link_is_plain(open) || link_is_relayed(link) || !link_wants_durable(open)))
		link_once_begin(link);
	else
		link_go(link);
}

void link_start(struct link *link)
{
	link->live = xcalloc(1, sizeof *link->live);
	(void)child_instance_id(link->child, link->live->run_id);
	if (link_session_begin(link))
		link_tell_begin(link);
	link_forget_past(link);
}

void link_stop(struct link *link)
{
	if (!link->live)
		return;
	link->live->stopping = true;
	if (link->live->handle)
		link->live->transport->stop(link);
	else
		link_tell_stop(link);
}

void link_suspend(struct link *link, bool suspend)
{
	if (!link->live)
		return;
	link->live->suspend_asked = suspend;
	if (link->live->handle)
		link->live->transport->suspend(link, suspend);
}

void link_feed(struct link *link)
{
	if (link->live && link->live->handle && link->live->transport->feed)
		link->live->transport->feed(link);
}

void link_park(struct link *link)
{
	if (link->live && link->track)
		link_agent_park(link);
}

void link_wake(struct link *link)
{
	if (link->live && link->track)
		link_agent_wake(link);
	else if (link->live && link->live->handle && link->live->transport->wake)
		link->live->transport->wake(link);
}

bool link_is_durable(const struct link *link)
{
	if (link->live && run_open(link->run)->builtin == JOB_COPY)
		return run_store(link->run);
	return link->live && link->track && link_agent_is_durable(link);
}

bool link_is_started(const struct link *link)
{
	return link->live;
}

/* Of one without a track: why it is away; NULL: it is not. */
static const char *link_away(const struct link *link)
{
	const struct link_live *live = link->live;

	return live && live->handle && live->transport->trouble ? live->transport->trouble(link)
								: NULL;
}

bool link_is_looked_for(const struct link *link)
{
	return link->live &&
	       (link->track ? link_agent_is_looked_for(link) : link_away(link) != NULL);
}

bool link_is_waking(const struct link *link)
{
	return link->live && link->track && link_agent_is_waking(link);
}

const char *link_trouble(const struct link *link)
{
	const char *away = link_away(link);

	if (link->live && link->track)
		return link_agent_trouble(link);
	return away ? away : "";
}

struct results *link_results(struct link *link)
{
	return link->results;
}

void link_discard(struct link *link)
{
	link->discard = true;
	results_ack(link->results, UINT32_MAX, UINT64_MAX);
	link_on_hold(link, false);
}

void link_free(struct link *link, bool park)
{
	if (!link)
		return;
	link_agent_free(link, park);
	if (link->live) {
		if (link->live->handle && link->live->transport->free)
			link->live->transport->free(link);
		buf_done(&link->live->streams[0].partial);
		buf_done(&link->live->streams[1].partial);
		link_session_end(link);
		link_tell_leave(link);
		link_once_leave(link);
		free(link->live->note);
		free(link->live->program);
		free(link->live);
	}
	link_forget_past(link);
	results_free(link->results);
	free(link);
}
