/* The agent on the target (remote.h), and the way back to plain exec where there can be none. */
#include <stdio.h>
#include <stdlib.h>

#include "alloc.h"
#include "link_private.h"
#include "remote.h"

/* Records that one child may have on their way: enough for a long path, little enough for many. */
#define LINK_CREDIT_MAX (8u << 20)
#define LINK_CREDIT_MIN (256u << 10)
/* From this computer nothing is long on its way. */
#define LINK_CREDIT_LOCAL (1u << 20)

static void link_on_remote_end(void *arg, const struct outcome *outcome)
{
	link_end(arg, outcome);
}

static void link_on_no_agent(void *arg, const char *why)
{
	struct link *link = arg;
	const struct job_open_msg *open = run_open(link->run);
	struct outcome outcome = {.cause = CAUSE_NO_AGENT, .exit_code = -1};
	const char *what = NULL;
	bool can = link_plain_can(open, &what);
	char *text;

	link->live->handle = NULL;
	if (open->agent != JOB_AGENT_AUTO || open->local || !can || link->live->stopping) {
		(void)snprintf(outcome.text, sizeof outcome.text, "%s%s%s%s",
			       can ? "" : "it is needed for ", can ? "" : what, can ? "" : ": ",
			       why);
		link_end(link, &outcome);
		return;
	}
	text = xasprintf("no agent: %s; the command runs without it, by plain exec", why);
	link_warn(link, text);
	free(text);
	link_plain_start(link);
	if (link->live && link->live->suspend_asked)
		link->live->transport->suspend(link, true);
}

static const struct remote_events link_remote_events = {
	.running = link_on_running,
	.record = link_on_record,
	.burst_end = link_on_burst_end,
	.suspended = link_on_suspended,
	.end = link_on_remote_end,
	.no_agent = link_on_no_agent,
};

static void link_agent_stop(struct link *link)
{
	remote_task_stop(link->live->handle);
}

static void link_agent_suspend(struct link *link, bool suspend)
{
	remote_task_suspend(link->live->handle, suspend);
}

static void link_agent_hold(struct link *link, bool hold)
{
	remote_task_hold(link->live->handle, hold);
}

static void link_agent_feed(struct link *link)
{
	remote_task_feed(link->live->handle);
}

static void link_agent_free(struct link *link)
{
	remote_task_free(link->live->handle);
}

static const struct link_transport link_agent = {.stop = link_agent_stop,
						 .suspend = link_agent_suspend,
						 .hold = link_agent_hold,
						 .feed = link_agent_feed,
						 .free = link_agent_free};

/* A quarter of what all results may take, in equal parts for those that run at once. */
static uint64_t link_credit(struct link *link)
{
	const struct job_counts *counts = job_counts(child_job(link->child));
	uint64_t credit =
		run_daemon(link->run)->budget.limit / 4 / (counts->started ? counts->started : 1);

	if (run_open(link->run)->local && credit > LINK_CREDIT_LOCAL)
		return LINK_CREDIT_LOCAL;
	if (credit > LINK_CREDIT_MAX)
		return LINK_CREDIT_MAX;
	return credit < LINK_CREDIT_MIN ? LINK_CREDIT_MIN : credit;
}

void link_agent_start(struct link *link)
{
	static const char *const push[] = {"true", NULL};
	const struct job_open_msg *open = run_open(link->run);
	struct daemon *daemon = run_daemon(link->run);
	const char *host = child_location(link->child);
	size_t index = child_index(link->child), count = job_child_count(child_job(link->child));
	struct link_command command;
	struct task_open_msg m = {.instance = link->live->run_id,
				  .directory = open->directory || !open->local ? open->directory
									       : open->home,
				  .script = open->script,
				  .script_len = open->script_len,
				  .script_name = open->script_name,
				  .pty = open->pty,
				  .nice = open->nice,
				  .parse = open->parse,
				  .parse_argument = open->parse_argument,
				  .run_timeout_ms = open->run_timeout_ms,
				  .idle_timeout_ms = open->idle_timeout_ms,
				  .grace_ms = open->stop_grace_ms,
				  .output_limit = open->output_limit};
	struct remote_spec spec = {.target = open->local ? NULL : run_target(link->run, index),
				   .job = open,
				   .password = run_password(link->run),
				   .open = &m,
				   .feed = run_feed(link->run),
				   .schemas = run_schemas(link->run),
				   .credit = link_credit(link)};

	link_command_make(&command, open, host, index, count, false);
	m.argv = (char **)(uintptr_t)command.argv;
	m.argc = command.argc;
	if (open->builtin == JOB_AGENT_PUSH) {
		m.argv = (char **)(uintptr_t)push;
		m.argc = 1;
	}
	m.env = link_environment(open, host, index, count, &m.env_count);
	link->live->transport = &link_agent;
	link->live->handle = remote_start(daemon->remotes, &spec, &link_remote_events, link);
	for (size_t i = 0; i < m.env_count; i++)
		free(m.env[i]);
	free(m.env);
	link_command_done(&command);
}
