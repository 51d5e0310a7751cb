/* Plain SSH exec, where no agent can run or none is wanted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "boot.h"
#include "command.h"
#include "conn_cause.h"
#include "line.h"
#include "link_private.h"
#include "plan_settings.h"

/* Input that was given and has not gone to the network. */
#define LINK_INPUT_AHEAD (256u << 10)

static void link_plain_feed(struct link *link)
{
	struct link_live *live = link->live;
	struct line *line = live->handle;
	struct feed *feed = run_feed(link->run);

	while (feed && !live->feed_ended && line_queued(line) < LINK_INPUT_AHEAD) {
		const void *data = NULL;
		size_t n = feed_peek(feed, live->fed, &data);

		if (n)
			line_write(line, data, n);
		live->fed += n;
		if (feed_is_end(feed, live->fed)) {
			live->feed_ended = true;
			line_finish(line);
		}
		if (!n)
			return;
	}
}

static void link_on_writable(void *arg)
{
	link_plain_feed(arg);
}

static void link_on_conn_end(void *arg, const struct conn_result *result)
{
	struct link *link = arg;
	struct outcome outcome = {.cause = conn_cause(result->end),
				  .exit_code = result->exit_code,
				  .began = result->began};

	memcpy(outcome.signal, result->signal, sizeof outcome.signal);
	(void)snprintf(outcome.text, sizeof outcome.text, "%s", result->text);
	link_end(link, &outcome);
}

static const struct line_events link_line_events = {
	.running = link_on_running,
	.data = link_on_data,
	.burst_end = link_on_burst_end,
	.writable = link_on_writable,
	.suspended = link_on_suspended,
	.end = link_on_conn_end,
};

static void link_plain_stop(struct link *link)
{
	line_stop(link->live->handle);
}

static void link_plain_suspend(struct link *link, bool suspend)
{
	line_suspend(link->live->handle, suspend);
}

static void link_plain_hold(struct link *link, bool hold)
{
	line_hold(link->live->handle, hold);
}

static void link_plain_free(struct link *link)
{
	line_free(link->live->handle);
}

static const struct link_transport link_plain = {.stop = link_plain_stop,
						 .suspend = link_plain_suspend,
						 .hold = link_plain_hold,
						 .feed = link_plain_feed,
						 .free = link_plain_free};

static char *link_plain_text(struct link *link)
{
	const struct job_open_msg *open = run_open(link->run);
	struct link_command command;
	struct buf text = {0};

	if (open->builtin == JOB_AGENT_LIST)
		return xstrdup(boot_list_command());
	if (open->builtin == JOB_AGENT_REMOVE)
		return xstrdup(boot_remove_command());
	if (open->builtin == JOB_CHECK)
		return xstrdup("true");
	link_command_make(&command, open, child_location(link->child),
			  run_rank(link->run, link->child), run_whole(link->run), true);
	/* Its length was checked when the job was opened; what %h adds fits as well, or is told by
	 * the server. */
	(void)command_exec(&text, link->live->run_id, command.argv, command.argc, NULL);
	link_command_done(&command);
	return buf_take_str(&text);
}

void link_plain_start(struct link *link)
{
	const struct job_open_msg *open = run_open(link->run);
	struct link_live *live = link->live;
	struct line_spec spec = {
		.conn = {.target = run_target(link->run, child_index(link->child)),
			 .run_id = live->run_id,
			 .connect_timeout_ms = open->connect_timeout_ms,
			 .run_timeout_ms = open->run_timeout_ms,
			 .stop_grace_ms = open->stop_grace_ms,
			 .input = run_feed(link->run) != NULL,
			 .kex = open->kex,
			 .ciphers = open->ciphers,
			 .macs = open->macs,
			 .login = run_login(link->run)},
		.retries = plan_settings_retries(open,
						 run_target(link->run, child_index(link->child))),
	};
	char *command = link_plain_text(link);

	spec.conn.command = command;
	live->transport = &link_plain;
	live->handle = line_start(run_daemon(link->run)->lines, &spec, &link_line_events, link);
	free(command);
	link_plain_feed(link);
	if (link->held)
		line_hold(live->handle, true);
}
