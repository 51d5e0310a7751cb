#include "link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "command.h"
#include "conn.h"
#include "daemon_private.h"
#include "local.h"
#include "splitter.h"

struct link {
	struct run *run;
	struct child *child;
	struct results *results;
	struct link_live *live; /* NULL: the command has ended */
	bool discard;
	bool held;
};

/* What is needed only while the command runs. */
struct link_live {
	struct conn *conn;   /* either this */
	struct local *local; /* or this */
	char *command;
	char run_id[UUID_TEXT_SIZE];
	struct splitter streams[2]; /* output, error */
};

static const enum cause link_conn_causes[] = {
	[CONN_END_EXITED] = CAUSE_EXITED,
	[CONN_END_SIGNALLED] = CAUSE_SIGNALLED,
	[CONN_END_UNREACHABLE] = CAUSE_UNREACHABLE,
	[CONN_END_HOST_KEY] = CAUSE_HOST_KEY,
	[CONN_END_AUTH] = CAUSE_AUTH,
	[CONN_END_REFUSED] = CAUSE_REFUSED,
	[CONN_END_TIMEOUT] = CAUSE_TIMEOUT,
	[CONN_END_STOPPED] = CAUSE_STOPPED,
	[CONN_END_LOST] = CAUSE_LINK_LOST,
};

static const enum cause link_local_causes[] = {
	[LOCAL_END_EXITED] = CAUSE_EXITED,   [LOCAL_END_SIGNALLED] = CAUSE_SIGNALLED,
	[LOCAL_END_REFUSED] = CAUSE_REFUSED, [LOCAL_END_TIMEOUT] = CAUSE_TIMEOUT,
	[LOCAL_END_STOPPED] = CAUSE_STOPPED,
};

/* --- what the transports tell --------------------------------------------------------------- */

static void link_on_record(void *arg, const struct record *record)
{
	struct link *link = arg;

	if (!link->discard)
		results_add(link->results, record);
}

static void link_on_running(void *arg)
{
	struct link *link = arg;

	child_on_running(link->child, clock_wall_ns());
}

static void link_on_data(void *arg, bool is_error, const void *data, size_t len)
{
	struct link *link = arg;

	splitter_add(&link->live->streams[is_error], is_error ? STREAM_ERROR : STREAM_OUTPUT,
		     clock_wall_ns(), data, len, link_on_record, link);
}

static void link_on_burst_end(void *arg)
{
	struct link *link = arg;

	run_on_results(link->run, link->child);
}

static void link_on_suspended(void *arg, bool suspended)
{
	struct link *link = arg;

	if (suspended)
		child_on_suspended(link->child, clock_wall_ns());
	else
		child_on_resumed(link->child, clock_wall_ns());
}

static void link_set_held(struct link *link, bool held)
{
	if (link->held == held)
		return;
	link->held = held;
	run_on_held(link->run, link->child, held);
}

static void link_end(struct link *link, const struct outcome *outcome)
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

static void link_on_conn_end(void *arg, const struct conn_result *result)
{
	struct outcome outcome = {.cause = link_conn_causes[result->end],
				  .exit_code = result->exit_code,
				  .began = result->began};

	memcpy(outcome.signal, result->signal, sizeof outcome.signal);
	(void)snprintf(outcome.text, sizeof outcome.text, "%s", result->text);
	link_end(arg, &outcome);
}

static void link_on_local_end(void *arg, const struct local_result *result)
{
	struct outcome outcome = {.cause = link_local_causes[result->end],
				  .exit_code = result->exit_code,
				  .began = result->began};

	memcpy(outcome.signal, result->signal, sizeof outcome.signal);
	(void)snprintf(outcome.text, sizeof outcome.text, "%s", result->text);
	link_end(arg, &outcome);
}

static const struct conn_events link_conn_events = {
	.running = link_on_running,
	.data = link_on_data,
	.burst_end = link_on_burst_end,
	.suspended = link_on_suspended,
	.end = link_on_conn_end,
};

static const struct local_events link_local_events = {
	.running = link_on_running,
	.data = link_on_data,
	.burst_end = link_on_burst_end,
	.suspended = link_on_suspended,
	.end = link_on_local_end,
};

static void link_on_hold(void *arg, bool hold)
{
	struct link *link = arg;

	link_set_held(link, hold);
	if (!link->live)
		return;
	if (link->live->conn)
		conn_hold(link->live->conn, hold);
	else
		local_hold(link->live->local, hold);
}

/* --- starting ------------------------------------------------------------------------------- */

/*
 * The command as argv, borrowed from open and *script (which the caller frees): sh for a script
 * text; an initialization script and the command in one sh, so that what the first sets holds for
 * the second.
 */
static void link_argv(const struct job_open_msg *open, const char **argv, char **script)
{
	size_t n = 0;

	*script = NULL;
	if (open->shell || open->init_script) {
		const char *init = open->init_script ? open->init_script : "";

		*script = open->shell ? xasprintf("%s\n%s", init, open->argv[0])
				      : xasprintf("%s\nexec \"$@\"", init);
		argv[n++] = "sh";
		argv[n++] = "-c";
		argv[n++] = open->shell && !open->init_script ? open->argv[0] : *script;
		argv[n++] = "sh";
	}
	for (size_t i = 0; !open->shell && i < open->argc; i++)
		argv[n++] = open->argv[i];
	argv[n] = NULL;
}

/* argv with room for the words of sh and the end. */
static const char **link_argv_new(const struct job_open_msg *open, char **script)
{
	const char **argv = xcalloc(open->argc + 5, sizeof(char *));

	link_argv(open, argv, script);
	return argv;
}

static size_t link_argc(const char *const *argv)
{
	size_t n = 0;

	while (argv[n])
		n++;
	return n;
}

int link_check(const struct job_open_msg *open, struct errmsg *msg)
{
	static const char id[] = "00000000-0000-4000-8000-000000000000";
	struct buf text = {0};
	const char **argv;
	char *script;
	int rc;

	if (!open->argc || (open->shell && open->argc != 1))
		return err_set(msg, ERR_SYNTAX, "there is no command to run");
	argv = link_argv_new(open, &script);
	rc = command_exec(&text, id, argv, link_argc(argv), msg);
	buf_done(&text);
	free(script);
	free(argv);
	/* Not the peer's fault against the protocol: the connection goes on. */
	return rc == ERR_LIMIT ? ERR_RANGE : rc;
}

static void link_start_local(struct link *link, const char *const *argv)
{
	const struct job_open_msg *open = run_open(link->run);
	struct local_spec spec = {.argv = argv,
				  .directory = open->directory ? open->directory : open->home,
				  .run_id = link->live->run_id,
				  .home = open->home,
				  .path = open->path,
				  .run_timeout_ms = open->run_timeout_ms,
				  .stop_grace_ms = open->stop_grace_ms};

	link->live->local =
		local_start(run_daemon(link->run)->loop, &spec, &link_local_events, link);
}

static void link_start_conn(struct link *link, const char *const *argv)
{
	const struct job_open_msg *open = run_open(link->run);
	struct conn_spec spec = {.target = run_target(link->run, child_index(link->child)),
				 .run_id = link->live->run_id,
				 .connect_timeout_ms = open->connect_timeout_ms,
				 .run_timeout_ms = open->run_timeout_ms,
				 .stop_grace_ms = open->stop_grace_ms};
	struct buf text = {0};

	/* Its length was checked when the job was opened. */
	(void)command_exec(&text, link->live->run_id, argv, link_argc(argv), NULL);
	link->live->command = buf_take_str(&text);
	spec.command = link->live->command;
	link->live->conn =
		conn_start(run_daemon(link->run)->engine, &spec, &link_conn_events, link);
}

struct link *link_start(struct run *run, struct child *child)
{
	struct link *link = xcalloc(1, sizeof *link);
	const char **argv;
	char *script;

	link->run = run;
	link->child = child;
	link->results = results_new(&run_daemon(run)->budget, link_on_hold, link);
	link->live = xcalloc(1, sizeof *link->live);
	(void)child_instance_id(child, link->live->run_id);
	argv = link_argv_new(run_open(run), &script);
	if (run_open(run)->local)
		link_start_local(link, argv);
	else
		link_start_conn(link, argv);
	free(script);
	free(argv);
	return link;
}

void link_stop(struct link *link)
{
	if (link->live && link->live->conn)
		conn_stop(link->live->conn);
	else if (link->live)
		local_stop(link->live->local);
}

void link_suspend(struct link *link, bool suspend)
{
	if (link->live && link->live->conn)
		conn_suspend(link->live->conn, suspend);
	else if (link->live)
		local_suspend(link->live->local, suspend);
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
		conn_free(link->live->conn);
		local_free(link->live->local);
		buf_done(&link->live->streams[0].partial);
		buf_done(&link->live->streams[1].partial);
		free(link->live->command);
		free(link->live);
	}
	results_free(link->results);
	free(link);
}
