/* The requests of the control socket: one table, one function each. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent_msg.h"
#include "alloc.h"
#include "client.h"
#include "clock.h"
#include "control_msg.h"
#include "copy_pass.h"
#include "daemon_private.h"
#include "doing.h"
#include "limits.h"
#include "question.h"
#include "reader.h"
#include "registry.h"
#include "reply.h"
#include "run.h"
#include "session.h"
#include "session_cmd.h"
#include "stage.h"
#include "submit.h"

static int control_hello(struct client *client, const struct frame *frame, struct errmsg *msg)
{
	struct hello_msg hello, reply = {.version_min = CONTROL_VERSION,
					 .version_max = CONTROL_VERSION,
					 .pid = (uint64_t)getpid()};
	struct buf body = {0};
	int rc = hello_get(&hello, frame->body, frame->len, msg);

	if (rc)
		return rc;
	if (hello.version_min > CONTROL_VERSION || hello.version_max < CONTROL_VERSION)
		rc = err_set(msg, ERR_VERSION,
			     "the daemon speaks protocol version %u, %s %llu to %llu: "
			     "muster daemon stop, then try again",
			     CONTROL_VERSION, hello.program ? hello.program : "the client",
			     (unsigned long long)hello.version_min,
			     (unsigned long long)hello.version_max);
	hello_done(&hello);
	if (rc)
		return rc;
	reply.program = xasprintf("muster %s", client_daemon(client)->options.version);
	hello_put(&body, &reply);
	client_send(client, MSG_HELLO, &body);
	free(reply.program);
	client_set_state(client, CLIENT_IDLE);
	return 0;
}

static int control_job_stop(struct client *client, const struct frame *frame, struct errmsg *msg)
{
	struct job_stop_msg m;
	struct run *run;
	int rc = job_stop_get(&m, frame->body, frame->len, msg);

	if (rc)
		return rc;
	run = registry_find(client_daemon(client)->registry, m.job);
	if (!run || job_id(run_job(run)) != m.job)
		return err_set(msg, ERR_NOTFOUND, "there is no job %llu",
			       (unsigned long long)m.job);
	run_stop(run);
	reader_on_stop(client, run);
	return 0;
}

static int control_job_children(struct client *client, const struct frame *frame,
				struct errmsg *msg)
{
	struct job_children_msg m;
	int rc = job_children_get(&m, frame->body, frame->len, msg);

	if (rc)
		return rc;
	/* One that crossed with JOB_END says nothing any more. */
	if (client_state(client) == CLIENT_READING)
		rc = reader_on_children(client, &m, msg);
	job_children_done(&m);
	return rc;
}

/* Who may not be silent for long says so, and wants to hear the same. */
static int control_ping(struct client *client, const struct frame *frame, struct errmsg *msg)
{
	struct buf body = {0};
	struct ping_msg m;
	int rc = ping_get(&m, frame->body, frame->len, msg);

	if (rc)
		return rc;
	ping_put(&body, &m);
	client_send(client, MSG_PING, &body);
	ping_done(&m);
	return 0;
}

/* Unfinished jobs, and those whose plan is still being made. */
static size_t control_live(const struct daemon *daemon)
{
	return registry_live(daemon->registry) + daemon->opening;
}

static void control_status_store(const struct daemon *d, struct status_reply_msg *m)
{
	static const char *const states[] = {
		[STORE_WELL] = "well", [STORE_FULL] = "full", [STORE_FAILED] = "failed"};
	const char *note;

	if (!d->store)
		return;
	note = d->trouble == STORE_WELL ? store_note(d->store) : d->trouble_text;
	m->store_path = xstrdup(d->options.store_path);
	m->store_state = xstrdup(states[d->trouble]);
	m->store_bytes = store_size(d->store);
	m->store_pending = store_pending(d->store);
	m->store_note = note ? xstrdup(note) : NULL;
}

static int control_status(struct client *client, const struct frame *frame, struct errmsg *msg)
{
	struct daemon *d = client_daemon(client);
	struct status_reply_msg m = {.pid = (uint64_t)getpid(),
				     .jobs = control_live(d),
				     .sessions = lines_in_use(d->lines),
				     .clients = d->client_count,
				     .started_ns = d->started_ns,
				     .fd_limit = d->fd_limit,
				     .named_sessions = sessions_count(d->sessions),
				     .io_threads = lines_threads(d->lines)};
	struct buf body = {0};

	(void)frame;
	(void)msg;
	m.version = xstrdup(d->options.version);
	m.socket = xstrdup(d->options.socket_path ? d->options.socket_path : "");
	m.settings = d->options.settings ? xstrdup(d->options.settings) : NULL;
	control_status_store(d, &m);
	status_reply_put(&body, &m);
	client_send(client, MSG_STATUS_REPLY, &body);
	status_reply_done(&m);
	return 0;
}

static int control_shutdown(struct client *client, const struct frame *frame, struct errmsg *msg)
{
	struct daemon *d = client_daemon(client);
	struct shutdown_msg m;
	struct shutdown_reply_msg reply = {0};
	struct buf body = {0};
	int rc = shutdown_get(&m, frame->body, frame->len, msg);

	if (rc)
		return rc;
	/* What the store keeps goes on without a daemon. */
	reply.jobs = m.force ? 0 : registry_bound(d->registry) + d->opening;
	shutdown_reply_put(&body, &reply);
	client_send(client, MSG_SHUTDOWN_REPLY, &body);
	if (!reply.jobs)
		daemon_end(d);
	return 0;
}

static int control_get(struct client *client, const struct frame *frame, struct errmsg *msg)
{
	struct registry *registry = client_daemon(client)->registry;
	struct get_end_msg end = {0};
	struct select_result selected;
	struct buf body = {0};
	struct get_msg m;
	int rc = get_get(&m, frame->body, frame->len, msg);

	if (rc)
		return rc;
	rc = registry_select(registry, &m.filter, &selected, msg);
	get_done(&m);
	if (rc)
		return rc;
	for (size_t i = 0; i < selected.missing_count; i++)
		reply_problem(client, 2, selected.missing[i]);
	for (size_t i = 0; i < selected.note_count; i++)
		reply_problem(client, 0, selected.notes[i]);
	for (size_t i = 0; i < selected.count; i++)
		reply_item(client, &selected.items[i]);
	select_done(&selected);
	get_end_put(&body, &end);
	client_send(client, MSG_GET_END, &body);
	return 0;
}

static int control_do(struct client *client, const struct frame *frame, struct errmsg *msg)
{
	struct doing_msg m;
	int rc = doing_get(&m, frame->body, frame->len, msg);

	return rc ? rc : doing_start(client, &m, msg);
}

static int control_receive(struct client *client, const struct frame *frame, struct errmsg *msg)
{
	struct receive_msg m;
	int rc = receive_get(&m, frame->body, frame->len, msg);

	return rc ? rc : reader_start(client, &m, msg);
}

static int control_received(struct client *client, const struct frame *frame, struct errmsg *msg)
{
	struct received_msg m;
	int rc = received_get(&m, frame->body, frame->len, msg);

	if (rc == 0 && !client_has_read(client))
		rc = err_set(msg, ERR_PROTO, "RECEIVED without a RECEIVE");
	/* One that crossed with RECEIVE_END says nothing new. */
	if (rc || client_state(client) == CLIENT_IDLE)
		return rc;
	return reader_on_received(client, &m, msg);
}

#define IN(state) (1u << CLIENT_##state)

static const struct {
	uint8_t type;
	uint8_t states; /* bit per client_state */
	client_request_fn *fn;
} control_requests[] = {
	{MSG_HELLO, IN(GREETING), control_hello},
	{MSG_JOB_OPEN, IN(IDLE), submit_on_open},
	{MSG_JOB_TARGETS, IN(FILLING), submit_on_targets},
	{MSG_JOB_SECRET, IN(FILLING), submit_on_secret},
	{MSG_JOB_ANSWER, IN(IDLE) | IN(RUNNING) | IN(READING) | IN(WAITING), question_on_answer},
	{MSG_JOB_STDIN, IN(IDLE) | IN(FILLING) | IN(RUNNING) | IN(READING), submit_on_stdin},
	{MSG_JOB_RUN, IN(FILLING), submit_on_run},
	{MSG_JOB_STOP, IN(IDLE) | IN(RUNNING) | IN(READING), control_job_stop},
	{MSG_JOB_CHILDREN, IN(IDLE) | IN(READING), control_job_children},
	{MSG_PING, IN(IDLE) | IN(FILLING) | IN(RUNNING) | IN(READING) | IN(WAITING) | IN(STAGING),
	 control_ping},
	{MSG_COPY_OPEN, IN(IDLE), stage_on_open},
	{MSG_COPY_ENTRY, IN(STAGING), stage_on_entry},
	{MSG_COPY_DATA, IN(STAGING), stage_on_data},
	{MSG_COPY_END, IN(STAGING), stage_on_end},
	{MSG_COPY_ANSWER, IN(IDLE) | IN(READING), copy_pass_on_answer},
	{MSG_COPY_CREDIT, IN(IDLE) | IN(READING), copy_pass_on_answer},
	{MSG_GET, IN(IDLE), control_get},
	{MSG_DO, IN(IDLE), control_do},
	{MSG_RECEIVE, IN(IDLE), control_receive},
	{MSG_RECEIVED, IN(IDLE) | IN(READING), control_received},
	{MSG_SESSION_GET, IN(IDLE), session_cmd_get},
	{MSG_SESSION_DO, IN(IDLE), session_cmd_do},
	{MSG_STATUS, IN(IDLE), control_status},
	{MSG_SHUTDOWN, IN(IDLE), control_shutdown},
};

client_request_fn *client_find_request(enum client_state state, uint8_t type)
{
	for (size_t i = 0; i < ARRAY_LEN(control_requests); i++)
		if (control_requests[i].type == type &&
		    (control_requests[i].states & 1u << state) != 0)
			return control_requests[i].fn;
	return NULL;
}
