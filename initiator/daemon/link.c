#include "link.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "link_private.h"

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

	child_on_running(link->child, clock_wall_ns());
}

void link_on_data(void *arg, bool is_error, const void *data, size_t len)
{
	struct link *link = arg;

	splitter_add(&link->live->streams[is_error], is_error ? STREAM_ERROR : STREAM_OUTPUT,
		     clock_wall_ns(), data, len, link_on_record, link);
}

void link_on_burst_end(void *arg)
{
	struct link *link = arg;

	run_on_results(link->run, link->child);
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

static void link_set_held(struct link *link, bool held)
{
	if (link->held == held)
		return;
	link->held = held;
	run_on_held(link->run, link->child, held);
}

void link_end(struct link *link, const struct outcome *outcome)
{
	struct link_live *live = link->live;
	uint64_t now = clock_wall_ns();

	splitter_end(&live->streams[0], STREAM_OUTPUT, now, link_on_record, link);
	splitter_end(&live->streams[1], STREAM_ERROR, now, link_on_record, link);
	results_close(link->results);
	free(live->command);
	free(live);
	link->live = NULL;
	link_set_held(link, false);
	run_on_results(link->run, link->child);
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

struct link *link_start(struct run *run, struct child *child)
{
	const struct job_open_msg *open = run_open(run);
	struct link *link = xcalloc(1, sizeof *link);

	link->run = run;
	link->child = child;
	link->results = results_new(&run_daemon(run)->budget, link_on_hold, link);
	link->live = xcalloc(1, sizeof *link->live);
	(void)child_instance_id(child, link->live->run_id);
	if ((open->agent == JOB_AGENT_NEVER && !open->local) || open->builtin == JOB_AGENT_LIST ||
	    open->builtin == JOB_AGENT_REMOVE)
		link_plain_start(link);
	else
		link_agent_start(link);
	return link;
}

void link_stop(struct link *link)
{
	if (!link->live)
		return;
	link->live->stopping = true;
	if (link->live->handle)
		link->live->transport->stop(link);
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

void link_free(struct link *link)
{
	if (!link)
		return;
	if (link->live) {
		if (link->live->handle)
			link->live->transport->free(link);
		buf_done(&link->live->streams[0].partial);
		buf_done(&link->live->streams[1].partial);
		free(link->live->command);
		free(link->live);
	}
	results_free(link->results);
	free(link);
}
