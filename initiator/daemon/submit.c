#include "submit.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "control_msg.h"
#include "daemon_private.h"
#include "feed.h"
#include "limits.h"
#include "link.h"
#include "reader.h"
#include "reply.h"
#include "run.h"

/* A job between JOB_OPEN and the end of its plan. */
struct submit {
	struct client *client;
	struct job_open_msg open;
	struct plan_request request;
	struct plan_work *plan;
	struct feed *feed;
	char *password;
};

static const char submit_ending[] = "the daemon is ending";

static void submit_free(void *arg)
{
	struct submit *s = arg;

	client_daemon(s->client)->opening--;
	plan_cancel(s->plan);
	job_open_done(&s->open);
	plan_request_done(&s->request);
	feed_free(s->feed);
	if (s->password)
		explicit_bzero(s->password, strlen(s->password));
	free(s->password);
	free(s);
}

int submit_on_open(struct client *client, const struct frame *frame, struct errmsg *msg)
{
	struct submit *s = xcalloc(1, sizeof *s);
	int rc = job_open_get(&s->open, frame->body, frame->len, msg);

	s->client = client;
	client_daemon(client)->opening++;
	if (rc == 0)
		rc = link_check(&s->open, msg);
	if (rc) {
		submit_free(s);
		return rc;
	}
	s->request.config_path = s->open.ssh_config ? xstrdup(s->open.ssh_config) : NULL;
	s->request.agent_socket = s->open.agent_socket ? xstrdup(s->open.agent_socket) : NULL;
	s->request.home = xstrdup(s->open.home ? s->open.home : "/");
	s->feed = s->open.stdin_follows ? feed_new() : NULL;
	client_set_context(client, s, submit_free);
	client_set_state(client, CLIENT_FILLING);
	return 0;
}

int submit_on_targets(struct client *client, const struct frame *frame, struct errmsg *msg)
{
	struct submit *s = client_context(client);
	struct job_targets_msg m;
	int rc = job_targets_get(&m, frame->body, frame->len, msg);
	size_t n = s->request.count;

	if (rc)
		return rc;
	if (n + m.count > LIMIT_HOSTS) {
		job_targets_done(&m);
		return err_set(msg, ERR_LIMIT, "more than %u hosts in one job", LIMIT_HOSTS);
	}
	s->request.hosts = xrealloc(s->request.hosts, n + m.count, sizeof *s->request.hosts);
	for (size_t i = 0; i < m.count; i++) {
		struct job_target *t = &m.targets[i];

		s->request.hosts[n + i] = (struct plan_host){.host = t->host,
							     .hostname = t->hostname,
							     .user = t->user,
							     .port = (uint16_t)t->port};
		*t = (struct job_target){0};
	}
	s->request.count += m.count;
	job_targets_done(&m);
	return 0;
}

int submit_on_secret(struct client *client, const struct frame *frame, struct errmsg *msg)
{
	struct submit *s = client_context(client);
	struct job_secret_msg m;
	int rc = job_secret_get(&m, frame->body, frame->len, msg);

	if (rc)
		return rc;
	if (s->password)
		rc = err_set(msg, ERR_PROTO, "a second JOB_SECRET");
	else
		s->password = xstrdup(m.password);
	job_secret_done(&m);
	return rc;
}

/* Before JOB_RUN; while the plan is made; of a synchronous job also while it runs. What comes when
 * it has ended in the meantime is nobody's. */
int submit_on_stdin(struct client *client, const struct frame *frame, struct errmsg *msg)
{
	enum client_state state = client_state(client);
	struct submit *s = client_context(client);
	struct job_stdin_msg m;
	struct run *run;
	int rc = job_stdin_get(&m, frame->body, frame->len, msg);

	if (rc)
		return rc;
	if (state == CLIENT_READING) {
		run = reader_live_run(client);
		rc = run ? run_add_input(run, m.data, m.len, m.end, msg) : 0;
	} else if (state != CLIENT_IDLE) {
		if (!s->feed)
			rc = err_set(msg, ERR_PROTO, "JOB_STDIN for a job without input");
		else
			rc = feed_add(s->feed, m.data, m.len, msg);
		if (rc == 0 && m.end)
			feed_end(s->feed);
	}
	job_stdin_done(&m);
	return rc;
}

static void submit_warn(struct client *client, const char *text)
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

static void submit_tell_accepted(struct client *client, const struct job *job)
{
	struct job_accepted_msg m = {
		.job = job_id(job), .first_child = job_id(job) + 1, .name = xstrdup(job_name(job))};
	struct buf body = {0};

	job_accepted_put(&body, &m);
	client_send(client, MSG_JOB_ACCEPTED, &body);
	job_accepted_done(&m);
}

/* The job exists from here on. A background one is on its own; of the other the client is told
 * everything. Frees s. */
static void submit_start(struct submit *s, struct plan *plan, const char *const *locations,
			 size_t count)
{
	struct client *client = s->client;
	bool background = s->open.background;
	struct run_spec spec = {.open = &s->open,
				.plan = plan,
				.feed = s->feed,
				.password = s->password,
				.locations = locations,
				.count = count};
	struct run *run = run_new(client_daemon(client), &spec);

	s->feed = NULL;
	s->password = NULL;
	submit_tell_accepted(client, run_job(run));
	if (plan && plan_warning(plan))
		submit_warn(client, plan_warning(plan));
	client_set_context(client, NULL, NULL);
	if (background) {
		run_start(run);
		reply_job(client, run_job(run));
		client_set_state(client, CLIENT_IDLE);
	} else {
		reader_start_live(client, run);
		run_start(run);
	}
}

/* There will be no job. */
static void submit_refuse(struct submit *s, struct plan *plan, int code, const char *text)
{
	struct client *client = s->client;

	plan_free(plan);
	client_send_error(client, code, text);
	client_set_state(client, CLIENT_IDLE);
	client_set_context(client, NULL, NULL);
}

static void submit_on_plan(void *arg, struct plan *plan, const struct errmsg *msg)
{
	struct submit *s = arg;
	const char **locations, *longest = "";
	struct errmsg own;
	size_t count;
	int rc;

	s->plan = NULL;
	if (client_daemon(s->client)->ending) {
		submit_refuse(s, plan, ERR_CLOSED, submit_ending);
		return;
	}
	if (!plan) {
		submit_refuse(s, plan, ERR_SYNTAX, msg->text);
		return;
	}
	count = plan_count(plan);
	locations = xcalloc(count, sizeof(char *));
	for (size_t i = 0; i < count; i++) {
		locations[i] = plan_target(plan, i)->host;
		if (strlen(locations[i]) > strlen(longest))
			longest = locations[i];
	}
	rc = link_check_host(&s->open, longest, count, &own);
	if (rc)
		submit_refuse(s, plan, rc, own.text);
	else
		submit_start(s, plan, locations, count);
	free(locations);
}

static int submit_run_local(struct submit *s, struct errmsg *msg)
{
	static const char *const here[] = {"localhost"};
	int rc;

	if (s->request.count)
		return err_set(msg, ERR_PROTO, "a local job has no targets");
	rc = link_check_host(&s->open, here[0], 1, msg);
	if (rc)
		submit_refuse(s, NULL, rc, msg->text);
	else
		submit_start(s, NULL, here, 1);
	return 0;
}

int submit_on_run(struct client *client, const struct frame *frame, struct errmsg *msg)
{
	struct submit *s = client_context(client);
	int rc = 0;

	(void)frame;
	if (client_daemon(client)->ending)
		rc = err_set(msg, ERR_CLOSED, "%s", submit_ending);
	else if (s->open.background && s->feed && !feed_is_end(s->feed, UINT64_MAX))
		rc = err_set(msg, ERR_PROTO, "JOB_RUN of a background job before all of its input");
	else if (s->open.local)
		return submit_run_local(s, msg);
	else if (!s->request.count)
		rc = err_set(msg, ERR_PROTO, "JOB_RUN without targets");
	if (rc)
		return rc;
	client_set_state(client, CLIENT_RUNNING);
	s->plan = plan_start(client_daemon(client)->engine, &s->request, submit_on_plan, s);
	return 0;
}
