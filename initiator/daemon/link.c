#include "link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "command.h"
#include "conn.h"
#include "daemon_private.h"
#include "log.h"
#include "splitter.h"

struct link {
	struct run *run;
	struct child *child;
	struct conn *conn;
	char *command;
	char run_id[UUID_TEXT_SIZE];
	struct splitter streams[2]; /* output, error */
	struct record_batch batch;
	uint64_t next_seq;
};

static const enum cause link_causes[] = {
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

static void link_flush(struct link *link)
{
	if (link->batch.count)
		link->next_seq = run_send_records(link->run, child_id(link->child), link->next_seq,
						  &link->batch);
}

static void link_on_record(void *arg, const struct record *record)
{
	struct link *link = arg;

	if (record_batch_is_full(&link->batch))
		link_flush(link);
	record_batch_add(&link->batch, record);
}

static void link_on_running(void *arg)
{
	struct link *link = arg;

	child_on_running(link->child, clock_wall_ns());
}

static void link_on_data(void *arg, bool is_error, const void *data, size_t len)
{
	struct link *link = arg;

	splitter_add(&link->streams[is_error], is_error ? STREAM_ERROR : STREAM_OUTPUT,
		     clock_wall_ns(), data, len, link_on_record, link);
}

static void link_on_burst_end(void *arg)
{
	link_flush(arg);
}

static void link_on_end(void *arg, const struct conn_result *result)
{
	struct link *link = arg;
	uint64_t now = clock_wall_ns();
	struct outcome outcome = {.cause = link_causes[result->end],
				  .exit_code = result->exit_code,
				  .began = result->began};

	memcpy(outcome.signal, result->signal, sizeof outcome.signal);
	(void)snprintf(outcome.text, sizeof outcome.text, "%s", result->text);
	splitter_end(&link->streams[0], STREAM_OUTPUT, now, link_on_record, link);
	splitter_end(&link->streams[1], STREAM_ERROR, now, link_on_record, link);
	link_flush(link);
	link->conn = NULL;
	child_on_end(link->child, &outcome, now);
}

static const struct conn_events link_events = {
	.running = link_on_running,
	.data = link_on_data,
	.burst_end = link_on_burst_end,
	.end = link_on_end,
};

static int link_make_command(struct link *link, struct errmsg *msg)
{
	const struct job_open_msg *open = run_open(link->run);
	const char *shell[] = {"sh", "-c", open->argc ? open->argv[0] : ""};
	const char *const *argv = (const char *const *)open->argv;
	struct buf text = {0};
	int rc;

	if (open->shell)
		rc = command_exec(&text, link->run_id, shell, 3, msg);
	else
		rc = command_exec(&text, link->run_id, argv, open->argc, msg);
	link->command = buf_take_str(&text);
	return rc;
}

struct link *link_start(struct run *run, struct child *child)
{
	const struct job_open_msg *open = run_open(run);
	struct link *link = xcalloc(1, sizeof *link);
	struct conn_spec spec = {.target = run_target(run, child_index(child)),
				 .connect_timeout_ms = open->connect_timeout_ms,
				 .run_timeout_ms = open->run_timeout_ms,
				 .stop_grace_ms = open->stop_grace_ms};

	link->run = run;
	link->child = child;
	link->next_seq = 1;
	(void)child_instance_id(child, link->run_id);
	/* Its length was checked when the job was opened. */
	(void)link_make_command(link, NULL);
	spec.command = link->command;
	spec.run_id = link->run_id;
	link->conn = conn_start(run_daemon(run)->engine, &spec, &link_events, link);
	conn_hold(link->conn, run_is_held(run));
	return link;
}

void link_stop(struct link *link)
{
	if (link->conn)
		conn_stop(link->conn);
}

void link_hold(struct link *link, bool hold)
{
	if (link->conn)
		conn_hold(link->conn, hold);
}

void link_free(struct link *link)
{
	if (!link)
		return;
	conn_free(link->conn);
	buf_done(&link->streams[0].partial);
	buf_done(&link->streams[1].partial);
	record_batch_done(&link->batch);
	free(link->command);
	free(link);
}
