/* A process of this computer. */
#include <stdio.h>
#include <string.h>

#include "link_private.h"
#include "local.h"

static const enum cause link_local_causes[] = {
	[LOCAL_END_EXITED] = CAUSE_EXITED,   [LOCAL_END_SIGNALLED] = CAUSE_SIGNALLED,
	[LOCAL_END_REFUSED] = CAUSE_REFUSED, [LOCAL_END_TIMEOUT] = CAUSE_TIMEOUT,
	[LOCAL_END_STOPPED] = CAUSE_STOPPED,
};

static void link_on_local_end(void *arg, const struct local_result *result)
{
	struct outcome outcome = {.cause = link_local_causes[result->end],
				  .exit_code = result->exit_code,
				  .began = result->began};

	memcpy(outcome.signal, result->signal, sizeof outcome.signal);
	(void)snprintf(outcome.text, sizeof outcome.text, "%s", result->text);
	link_end(arg, &outcome);
}

static const struct local_events link_local_events = {
	.running = link_on_running,
	.data = link_on_data,
	.burst_end = link_on_burst_end,
	.suspended = link_on_suspended,
	.end = link_on_local_end,
};

static void link_local_stop(struct link *link)
{
	local_stop(link->live->handle);
}

static void link_local_suspend(struct link *link, bool suspend)
{
	local_suspend(link->live->handle, suspend);
}

static void link_local_hold(struct link *link, bool hold)
{
	local_hold(link->live->handle, hold);
}

static void link_local_free(struct link *link)
{
	local_free(link->live->handle);
}

static const struct link_transport link_local = {.stop = link_local_stop,
						 .suspend = link_local_suspend,
						 .hold = link_local_hold,
						 .free = link_local_free};

void link_local_start(struct link *link)
{
	const struct job_open_msg *open = run_open(link->run);
	struct link_command command;
	struct local_spec spec = {.directory = open->directory ? open->directory : open->home,
				  .run_id = link->live->run_id,
				  .home = open->home,
				  .path = open->path,
				  .run_timeout_ms = open->run_timeout_ms,
				  .stop_grace_ms = open->stop_grace_ms};

	link_command_make(&command, open, child_location(link->child), 0, 1, true);
	spec.argv = command.argv;
	link->live->transport = &link_local;
	link->live->handle =
		local_start(run_daemon(link->run)->loop, &spec, &link_local_events, link);
	link_command_done(&command);
}
