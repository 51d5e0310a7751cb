/* The requests of the control socket: one table, one function each. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "client.h"
#include "clock.h"
#include "command.h"
#include "control_get.h"
#include "control_msg.h"
#include "daemon_private.h"
#include "limits.h"
#include "registry.h"
#include "run.h"

/* A job between JOB_OPEN and the end of its plan. */
struct opening {
	struct client *client;
	struct job_open_msg open;
	struct plan_request request;
	struct plan_work *plan;
};

static const char control_ending[] = "the daemon is ending";

static void opening_free(void *arg)
{
	struct opening *o = arg;

	client_daemon(o->client)->opening--;
	plan_cancel(o->plan);
	job_open_done(&o->open);
	plan_request_done(&o->request);
	free(o);
}

static void control_drop_run(void *arg)
{
	run_detach(arg);
}

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

/* The command must fit with the marker and all its quotes: found out now, not for each host. */
static int control_check_command(const struct job_open_msg *open, struct errmsg *msg)
{
	static const char id[] = "00000000-0000-4000-8000-000000000000";
	const char *shell[] = {"sh", "-c", open->argc ? open->argv[0] : ""};
	struct buf text = {0};
	int rc;

	if (!open->argc || (open->shell && open->argc != 1))
		return err_set(msg, ERR_SYNTAX, "there is no command to run");
	rc = command_exec(&text, id, open->shell ? shell : (const char *const *)open->argv,
			  open->shell ? 3 : open->argc, msg);
	buf_done(&text);
	/* Not the peer's fault against the protocol: the connection goes on. */
	return rc == ERR_LIMIT ? ERR_RANGE : rc;
}

static int control_job_open(struct client *client, const struct frame *frame, struct errmsg *msg)
{
	struct opening *o = xcalloc(1, sizeof *o);
	int rc = job_open_get(&o->open, frame->body, frame->len, msg);

	o->client = client;
	client_daemon(client)->opening++;
	if (rc == 0)
		rc = control_check_command(&o->open, msg);
	if (rc) {
		opening_free(o);
		return rc;
	}
	o->request.config_path = o->open.ssh_config ? xstrdup(o->open.ssh_config) : NULL;
	o->request.agent_socket = o->open.agent_socket ? xstrdup(o->open.agent_socket) : NULL;
	o->request.home = xstrdup(o->open.home ? o->open.home : "/");
	client_set_context(client, o, opening_free);
	client_set_state(client, CLIENT_FILLING);
	return 0;
}

static int control_job_targets(struct client *client, const struct frame *frame, struct errmsg *msg)
{
	struct opening *o = client_context(client);
	struct job_targets_msg m;
	int rc = job_targets_get(&m, frame->body, frame->len, msg);
	size_t n = o->request.count;

	if (rc)
		return rc;
	if (n + m.count > LIMIT_HOSTS) {
		job_targets_done(&m);
		return err_set(msg, ERR_LIMIT, "more than %u hosts in one job", LIMIT_HOSTS);
	}
	o->request.hosts = xrealloc(o->request.hosts, n + m.count, sizeof *o->request.hosts);
	for (size_t i = 0; i < m.count; i++) {
		struct job_target *t = &m.targets[i];

		o->request.hosts[n + i] = (struct plan_host){.host = t->host,
							     .hostname = t->hostname,
							     .user = t->user,
							     .port = (uint16_t)t->port};
		*t = (struct job_target){0};
	}
	o->request.count += m.count;
	job_targets_done(&m);
	return 0;
}

static void control_warn(struct client *client, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");
		struct warning_msg m = {.text = xstrndup(text, n)};
		struct buf body = {0};

		warning_put(&body, &m);
		client_send(client, MSG_WARNING, &body);
		warning_done(&m);
		text += n + (text[n] == '\n');
	}
}

static void control_accept(struct client *client, struct opening *o, struct plan *plan,
			   size_t count)
{
	const char **locations = xcalloc(count, sizeof(char *));
	struct job_accepted_msg m;
	struct buf body = {0};
	struct run *run;

	for (size_t i = 0; i < count; i++)
		locations[i] = plan_target(plan, i)->host;
	run = run_new(client_daemon(client), client, &o->open, plan, locations, count);
	free(locations);
	m = (struct job_accepted_msg){.job = job_id(run_job(run)),
				      .first_child = job_id(run_job(run)) + 1,
				      .name = xstrdup(job_name(run_job(run)))};
	job_accepted_put(&body, &m);
	client_send(client, MSG_JOB_ACCEPTED, &body);
	job_accepted_done(&m);
	if (plan_warning(plan))
		control_warn(client, plan_warning(plan));
	client_set_context(client, run, control_drop_run);
	run_start(run);
}

static void control_on_plan(void *arg, struct plan *plan, const struct errmsg *msg)
{
	struct opening *o = arg;
	struct client *client = o->client;
	bool ending = client_daemon(client)->ending;

	o->plan = NULL;
	if (plan && !ending) {
		control_accept(client, o, plan, plan_count(plan));
		return;
	}
	plan_free(plan);
	if (ending)
		client_send_error(client, ERR_CLOSED, control_ending);
	else
		client_send_error(client, ERR_SYNTAX, msg->text);
	client_set_context(client, NULL, NULL);
	client_set_state(client, CLIENT_IDLE);
}

static int control_job_run(struct client *client, const struct frame *frame, struct errmsg *msg)
{
	struct opening *o = client_context(client);

	(void)frame;
	if (!o->request.count)
		return err_set(msg, ERR_PROTO, "JOB_RUN without targets");
	if (client_daemon(client)->ending)
		return err_set(msg, ERR_CLOSED, "%s", control_ending);
	client_set_state(client, CLIENT_RUNNING);
	o->plan = plan_start(client_daemon(client)->engine, &o->request, control_on_plan, o);
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
	return 0;
}

static size_t control_live(const struct daemon *d)
{
	return registry_live(d->registry) + d->opening;
}

static int control_status(struct client *client, const struct frame *frame, struct errmsg *msg)
{
	struct daemon *d = client_daemon(client);
	struct status_reply_msg m = {.pid = (uint64_t)getpid(),
				     .jobs = control_live(d),
				     .sessions = ssh_engine_in_use(d->engine),
				     .clients = d->client_count,
				     .started_ns = d->started_ns,
				     .fd_limit = d->fd_limit};
	struct buf body = {0};

	(void)frame;
	(void)msg;
	m.version = xstrdup(d->options.version);
	m.socket = xstrdup(d->options.socket_path ? d->options.socket_path : "");
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
	reply.jobs = m.force ? 0 : control_live(d);
	shutdown_reply_put(&body, &reply);
	client_send(client, MSG_SHUTDOWN_REPLY, &body);
	if (!reply.jobs)
		daemon_end(d);
	return 0;
}

static const struct {
	uint8_t type;
	uint8_t states; /* bit per client_state */
	client_request_fn *fn;
} control_requests[] = {
	{MSG_HELLO, 1u << CLIENT_GREETING, control_hello},
	{MSG_JOB_OPEN, 1u << CLIENT_IDLE, control_job_open},
	{MSG_JOB_TARGETS, 1u << CLIENT_FILLING, control_job_targets},
	{MSG_JOB_RUN, 1u << CLIENT_FILLING, control_job_run},
	{MSG_JOB_STOP, 1u << CLIENT_IDLE | 1u << CLIENT_RUNNING, control_job_stop},
	{MSG_GET, 1u << CLIENT_IDLE | 1u << CLIENT_RUNNING, control_get},
	{MSG_STATUS, 1u << CLIENT_IDLE | 1u << CLIENT_RUNNING, control_status},
	{MSG_SHUTDOWN, 1u << CLIENT_IDLE, control_shutdown},
};

client_request_fn *client_find_request(enum client_state state, uint8_t type)
{
	for (size_t i = 0; i < ARRAY_LEN(control_requests); i++)
		if (control_requests[i].type == type &&
		    (control_requests[i].states & 1u << state) != 0)
			return control_requests[i].fn;
	return NULL;
}
