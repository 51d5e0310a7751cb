#include "submit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "control_msg.h"
#include "daemon_private.h"
#include "feed.h"
#include "keep.h"
#include "limits.h"
#include "link.h"
#include "passphrases.h"
#include "plan_settings.h"
#include "prompter.h"
#include "reader.h"
#include "registry.h"
#include "relays.h"
#include "reply.h"
#include "run.h"
#include "secret_login.h"
#include "session_cmd.h"
#include "session_job.h"
#include "stage.h"
#include "submit_routes.h"

/* A job between JOB_OPEN and the end of its plan. */
struct submit {
	struct client *client;
	struct job_open_msg open;
	struct plan_request request;
	struct plan_work *plan;
	struct feed *feed;
	struct locked *password; /* for become */
	struct locked *login_password;
	struct secret_login *login; /* NULL: no password, and nobody is asked */
	struct passphrases *asking;
	struct relays *relays; /* gateways that run a part of it; NULL: none */
	uint64_t *ranks;       /* of the targets; NULL: their places */
	struct buf kept;       /* the request, as the store keeps it */
	struct run *run;       /* waits for the store */
};

static const char submit_ending[] = "the daemon is ending";

static void submit_free(void *arg)
{
	struct submit *s = arg;

	client_daemon(s->client)->opening--;
	/* The client has gone, and with it who would have started it. */
	if (s->run)
		registry_remove(client_daemon(s->client)->registry, s->run);
	plan_cancel(s->plan);
	job_open_done(&s->open);
	plan_request_done(&s->request);
	relays_free(s->relays);
	free(s->ranks);
	buf_done(&s->kept);
	feed_free(s->feed);
	locked_drop(s->password);
	secret_login_drop(s->login);
	locked_drop(s->login_password);
	passphrases_free(s->asking);
	free(s);
}

/* Whose files and keys: again if that has changed. */
static void submit_set_who(struct submit *s)
{
	plan_settings_take(&s->request, &s->open);
	s->request.note_keys = s->open.builtin == JOB_CHECK;
}

/* It comes from the daemon of another computer, whose files and keys are not here. */
static void submit_by_gateway(struct submit *s)
{
	const char *home = getenv("HOME");

	free(s->open.home);
	free(s->open.ssh_config);
	free(s->open.agent_socket);
	s->open.home = home ? xstrdup(home) : NULL;
	s->open.ssh_config = s->open.agent_socket = NULL;
	for (size_t i = 0; i < s->open.option_count; i++)
		free(s->open.options[i]);
	s->open.option_count = 0;
	client_expect(s->client, LIMIT_RELAY_LEASE_MS);
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
	if (s->open.hops)
		submit_by_gateway(s);
	submit_set_who(s);
	s->feed = s->open.stdin_follows ? feed_new() : NULL;
	client_set_context(client, s, submit_free);
	client_set_state(client, CLIENT_FILLING);
	return 0;
}

static void submit_add_rank(struct submit *s, size_t index, uint64_t rank)
{
	if (!s->open.whole)
		return;
	/* Grown by doubling: at 0, 1, 2, 4 ... targets. */
	if ((index & (index - 1)) == 0)
		s->ranks = xrealloc(s->ranks, index ? index * 2 : 1, sizeof *s->ranks);
	s->ranks[index] = rank;
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
		submit_add_rank(s, n + i, t->rank);
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
	if (s->password || s->login_password)
		rc = err_set(msg, ERR_PROTO, "a second JOB_SECRET");
	else if (m.password)
		s->password = locked_new(m.password, strlen(m.password));
	if (rc == 0 && m.login)
		s->login_password = locked_new(m.login, strlen(m.login));
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

static void submit_tell_accepted(struct client *client, const struct job *job)
{
	struct job_accepted_msg m = {
		.job = job_id(job), .first_child = job_id(job) + 1, .name = xstrdup(job_name(job))};
	struct buf body = {0};

	job_accepted_put(&body, &m);
	client_send(client, MSG_JOB_ACCEPTED, &body);
	job_accepted_done(&m);
}

/* It is in the store, or need not be. A background job is on its own; of the other the client is
 * told everything. */
static void submit_begin(struct client *client, struct run *run)
{
	bool background = run_open(run)->background;

	submit_tell_accepted(client, run_job(run));
	reply_warnings(client, run_warning(run));
	client_set_context(client, NULL, NULL); /* frees s */
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

static void submit_on_kept(void *arg, bool kept)
{
	struct submit *s = arg;
	struct run *run = s->run;
	char text[sizeof client_daemon(s->client)->trouble_text + 32];

	s->run = NULL;
	if (kept) {
		submit_begin(s->client, run);
		return;
	}
	registry_remove(client_daemon(s->client)->registry, run);
	(void)snprintf(text, sizeof text, "no job can be kept now: %s",
		       client_daemon(s->client)->trouble_text);
	submit_refuse(s, NULL, ERR_SYS, text);
}

/* The job exists from here on. */
static void submit_start(struct submit *s, struct plan *plan, const char *const *locations,
			 size_t count)
{
	struct run_spec spec = {.open = &s->open,
				.plan = plan,
				.feed = s->feed,
				.password = s->password,
				.login = s->login,
				.locations = locations,
				.count = count,
				.request = s->kept.len ? &s->kept : NULL,
				.relays = s->relays,
				.ranks = s->ranks};

	s->run = run_new(client_daemon(s->client), &spec);
	*run_copy(s->run) = stage_take(s->client, run_open(s->run));
	s->feed = NULL;
	s->password = NULL;
	s->login = NULL;
	s->relays = NULL;
	s->ranks = NULL;
	run_keep(s->run, submit_on_kept, s);
}

/* Nothing more is to be asked. */
static void submit_with_plan(void *arg, struct plan *plan)
{
	struct submit *s = arg;
	const char **locations, *longest = "";
	struct errmsg own;
	size_t count;
	int rc;

	s->asking = NULL;
	if (client_daemon(s->client)->ending) {
		submit_refuse(s, plan, ERR_CLOSED, submit_ending);
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

static bool submit_has_password(const struct submit *s)
{
	return secret_login_has_password(s->login);
}

static void submit_on_plan(void *arg, struct plan *plan, const struct errmsg *msg)
{
	struct submit *s = arg;

	s->plan = NULL;
	if (!plan)
		submit_refuse(s, plan, ERR_SYNTAX, msg->text);
	else if (!s->open.hops && !s->open.session_count &&
		 passphrases_wanted(plan, !submit_has_password(s)))
		s->asking = passphrases_ask(s->client, plan, !submit_has_password(s),
					    submit_with_plan, s);
	else
		submit_with_plan(s, plan);
}

/* Before the plan takes the hosts over. */
static void submit_make_kept(struct submit *s)
{
	if (run_is_to_be_kept(client_daemon(s->client), &s->open))
		keep_request(&s->kept, &s->open, &s->request);
}

static int submit_run_local(struct submit *s, struct errmsg *msg)
{
	static const char *const here[] = {"localhost"};
	int rc;

	if (s->request.count)
		return err_set(msg, ERR_PROTO, "a local job has no targets");
	rc = link_check_host(&s->open, here[0], 1, msg);
	client_set_state(s->client, CLIENT_RUNNING);
	submit_make_kept(s);
	if (rc)
		submit_refuse(s, NULL, rc, msg->text);
	else
		submit_start(s, NULL, here, 1);
	return 0;
}

/* What its users can say to the hosts. The client of a background job goes at once; that of a
 * daemon has no terminal; and the hosts of a session are connected already. */
static void submit_make_login(struct submit *s)
{
	bool asks = !s->open.hops && !s->open.background && !s->open.session_count;

	if (s->login_password || asks)
		s->login =
			secret_login_new(s->login_password, asks ? prompter_new(s->client) : NULL);
	s->login_password = NULL;
}

static void submit_run_remote(struct submit *s)
{
	client_set_state(s->client, CLIENT_RUNNING);
	submit_make_login(s);
	submit_make_kept(s);
	s->relays = relays_new(&s->open, s->request.hosts, s->request.count);
	s->plan = plan_start(client_daemon(s->client)->engine, &s->request, submit_on_plan, s);
}

/* Their hosts and settings are the job's. */
static int submit_run_on_sessions(struct submit *s, struct errmsg *msg)
{
	int rc;

	if (s->request.count)
		return err_set(msg, ERR_PROTO, "a job on sessions has no targets");
	rc = session_fill(client_daemon(s->client)->sessions, &s->open, &s->request, msg);
	if (rc == 0)
		rc = link_check(&s->open, msg);
	if (rc) {
		submit_refuse(s, NULL, rc, msg->text);
		return 0;
	}
	submit_set_who(s);
	submit_run_remote(s);
	return 0;
}

/* No job: a session. */
static void submit_session(struct submit *s, struct errmsg *msg)
{
	struct client *client = s->client;
	struct job_open_msg open = s->open;
	struct plan_request request = s->request;
	struct locked *password = s->password;
	struct secret_login *login;
	int rc;

	submit_make_login(s);
	login = s->login;
	s->open = (struct job_open_msg){0};
	s->request = (struct plan_request){0};
	s->password = NULL;
	s->login = NULL;
	rc = session_cmd_new(client, &open, &request, password, login, msg);
	if (rc)
		submit_refuse(s, NULL, rc, msg->text);
}

int submit_on_run(struct client *client, const struct frame *frame, struct errmsg *msg)
{
	struct submit *s = client_context(client);
	int rc = 0;

	(void)frame;
	if (client_daemon(client)->ending)
		rc = err_set(msg, ERR_CLOSED, "%s", submit_ending);
	else if (run_is_to_be_kept(client_daemon(client), &s->open) &&
		 client_daemon(client)->trouble != STORE_WELL)
		rc = err_set(msg, ERR_SYS, "no job can be kept now: %s",
			     client_daemon(client)->trouble_text);
	else if (s->open.background && s->feed && !feed_is_end(s->feed, UINT64_MAX))
		rc = err_set(msg, ERR_PROTO, "JOB_RUN of a background job before all of its input");
	else if (s->open.local)
		return submit_run_local(s, msg);
	else if (s->open.session_count)
		return submit_run_on_sessions(s, msg);
	else if (!s->request.count)
		rc = err_set(msg, ERR_PROTO, "JOB_RUN without targets");
	if (rc)
		return rc;
	rc = submit_find_routes(&s->open, &s->request, msg);
	if (rc == 0)
		rc = stage_check(client, &s->open, msg);
	if (rc == 0)
		rc = relays_check(&s->open, s->request.count, msg);
	if (rc) {
		submit_refuse(s, NULL, rc, msg->text);
		return 0;
	}
	if (s->open.builtin == JOB_SESSION)
		submit_session(s, msg);
	else
		submit_run_remote(s);
	return 0;
}
