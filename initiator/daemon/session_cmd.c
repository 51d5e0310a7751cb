#include "session_cmd.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "link.h"
#include "prompter.h"
#include "registry.h"
#include "reply.h"
#include "secret_login.h"
#include "session_pick.h"
#include "session_private.h"

/* What a client waits for. Also while it is being made. */
struct session_cmd {
	struct client *client;
	struct session_pick pick;
	uint64_t verb; /* 0: a session is being made */
	struct session_watch watch;
	struct run_watcher *watchers; /* of the jobs among them */
	struct event *wake;
};

static struct sessions *session_cmd_all(const struct session_cmd *c)
{
	return client_daemon(c->client)->sessions;
}

static struct run *session_cmd_run(const struct session_cmd *c, size_t i)
{
	return registry_find(client_daemon(c->client)->registry, c->pick.jobs[i]);
}

/* --- rows ----------------------------------------------------------------------------------- */

static void session_send_row(struct client *client, struct session_row_msg *m)
{
	struct buf body = {0};

	session_row_put(&body, m);
	client_send(client, MSG_SESSION_ROW, &body);
}

static void session_reply_host(struct client *client, const struct session *s,
			       const struct session_host *h, const char *label)
{
	static const char *const states[] = {
		[SESSION_DISCONNECTED] = "Disconnected",
		[SESSION_OPENING] = "Opening",
		[SESSION_OPENED] = "Opened",
		[SESSION_BROKEN] = "Broken",
	};
	static char available[] = "Available", busy[] = "Busy", none[] = "None";
	bool open = h->state == SESSION_OPENED;
	struct outcome o = {.cause = h->cause, .exit_code = -1};
	struct session_row_msg m = {.id = s->id,
				    .name = s->open.name,
				    .host = (char *)(uintptr_t)label,
				    .state = (char *)(uintptr_t)states[h->state],
				    .availability = !open	  ? none
						    : h->commands ? busy
								  : available,
				    .commands = h->commands,
				    .idle_since_ns = open && !h->commands ? h->idle_since_ns : 0,
				    .idle_timeout_ms = s->open.session_idle_ms};

	if (h->state == SESSION_BROKEN) {
		m.text = xasprintf("%s%s%s", cause_name(h->cause), h->text ? ": " : "",
				   h->text ? h->text : "");
		m.exit_status = (uint64_t)outcome_exit_status(&o);
	} else if (h->text) {
		m.text = xstrdup(h->text);
	}
	session_send_row(client, &m);
	free(m.text);
}

/* A job that was started to be let go of: each host that its command runs on. */
static void session_reply_child(struct client *client, const struct child *child)
{
	static char opened[] = "Opened", opening[] = "Opening", gone[] = "Disconnected",
		    busy[] = "Busy", none[] = "None";
	const struct job *job = child_job(child);
	enum job_state state = child_state(child);
	const struct link *link = child_link(child);
	const char *trouble = link ? link_trouble(link) : "";
	struct session_row_msg m = {.id = job_id(job),
				    .name = (char *)(uintptr_t)job_name(job),
				    .host = (char *)(uintptr_t)child_location(child),
				    .state = state == JOB_STATE_DISCONNECTED  ? gone
					     : state == JOB_STATE_NOT_STARTED ? opening
									      : opened,
				    .commands = state != JOB_STATE_NOT_STARTED,
				    .is_job = true};

	if (job_state_is_finished(state))
		return;
	m.availability = m.state == opened ? busy : none;
	m.text = *trouble ? (char *)(uintptr_t)trouble : NULL;
	session_send_row(client, &m);
}

static void session_reply_pick(struct client *client, const struct session_pick *pick)
{
	struct daemon *daemon = client_daemon(client);

	for (size_t i = 0; i < pick->session_count; i++) {
		struct session *s = session_find(daemon->sessions, pick->sessions[i]);

		for (size_t k = 0; s && k < s->targets.count; k++)
			session_reply_host(client, s, &s->hosts[k], s->targets.hosts[k].host);
	}
	for (size_t i = 0; i < pick->job_count; i++) {
		struct run *run = registry_find(daemon->registry, pick->jobs[i]);

		for (size_t k = 0; run && k < job_child_count(run_job(run)); k++)
			session_reply_child(client, job_child(run_job(run), k));
	}
}

static void session_reply_missing(struct client *client, const struct session_pick *pick)
{
	for (size_t i = 0; i < pick->missing_count; i++) {
		char *text = xasprintf("there is no session '%.64s'", pick->missing[i]);

		reply_problem(client, 2, text);
		free(text);
	}
}

static void session_reply_end(struct client *client)
{
	struct get_end_msg end = {0};
	struct buf body = {0};

	get_end_put(&body, &end);
	client_send(client, MSG_GET_END, &body);
}

int session_cmd_get(struct client *client, const struct frame *frame, struct errmsg *msg)
{
	struct session_get_msg m;
	struct session_pick pick;
	int rc = session_get_get(&m, frame->body, frame->len, msg);

	if (rc)
		return rc;
	rc = session_pick(&pick, client_daemon(client), m.names, m.name_count, msg);
	session_get_done(&m);
	if (rc)
		return rc;
	session_reply_missing(client, &pick);
	session_reply_pick(client, &pick);
	session_reply_end(client);
	session_pick_done(&pick);
	return 0;
}

/* --- waiting -------------------------------------------------------------------------------- */

static void session_cmd_free(void *arg)
{
	struct session_cmd *c = arg;

	session_unwatch(&c->watch);
	for (size_t i = 0; i < c->pick.job_count; i++)
		run_unwatch(&c->watchers[i]);
	free(c->watchers);
	event_free(c->wake);
	session_pick_done(&c->pick);
	free(c);
}

static void session_cmd_wake(void *arg)
{
	struct session_cmd *c = arg;
	struct timeval now = {0};

	(void)event_add(c->wake, &now);
}

static void session_cmd_on_child(void *arg, struct child *child)
{
	(void)child;
	session_cmd_wake(arg);
}

static void session_cmd_on_job(void *arg, struct job *job)
{
	(void)job;
	session_cmd_wake(arg);
}

static void session_cmd_on_gone(void *arg, struct run *run)
{
	(void)run;
	session_cmd_wake(arg);
}

static bool session_cmd_is_done(const struct session_cmd *c)
{
	for (size_t i = 0; i < c->pick.session_count; i++) {
		struct session *s = session_find(session_cmd_all(c), c->pick.sessions[i]);

		if (s && session_is_opening(s))
			return false;
	}
	for (size_t i = 0; i < c->pick.job_count; i++) {
		struct run *run = session_cmd_run(c, i);

		if (run && run_is_waking(run))
			return false;
	}
	return true;
}

/* One that came to nothing is not kept: there is nothing that could be connected to again. */
static void session_cmd_settle_new(const struct session_cmd *c)
{
	struct session *s = session_find(session_cmd_all(c), c->pick.sessions[0]);
	char *text;

	if (!s || s->in_state[SESSION_BROKEN] < s->targets.count)
		return;
	text = xasprintf("session %s was not made: no host could be connected to", s->open.name);
	reply_problem(c->client, 4, text);
	free(text);
	session_remove(s);
}

static void session_cmd_on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct session_cmd *c = arg;
	struct client *client = c->client;

	(void)fd;
	(void)what;
	if (!session_cmd_is_done(c))
		return;
	session_reply_pick(client, &c->pick);
	if (!c->verb)
		session_cmd_settle_new(c);
	session_reply_end(client);
	client_set_state(client, CLIENT_IDLE);
	client_set_context(client, NULL, NULL); /* frees c */
}

/* Takes pick over. */
static void session_cmd_wait(struct client *client, struct session_pick *pick, uint64_t verb)
{
	struct session_cmd *c = xcalloc(1, sizeof *c);

	c->client = client;
	c->pick = *pick;
	*pick = (struct session_pick){0};
	c->verb = verb;
	c->watch = (struct session_watch){.fn = session_cmd_wake, .arg = c};
	c->wake = evtimer_new(loop_base(client_daemon(client)->loop), session_cmd_on_wake, c);
	if (!c->wake)
		abort();
	session_watch(session_cmd_all(c), &c->watch);
	c->watchers = xcalloc(c->pick.job_count, sizeof *c->watchers);
	for (size_t i = 0; i < c->pick.job_count; i++) {
		c->watchers[i] = (struct run_watcher){.child = session_cmd_on_child,
						      .job = session_cmd_on_job,
						      .gone = session_cmd_on_gone,
						      .arg = c};
		run_watch(session_cmd_run(c, i), &c->watchers[i]);
	}
	client_set_context(client, c, session_cmd_free);
	client_set_state(client, CLIENT_WAITING);
	session_cmd_wake(c);
}

int session_cmd_new(struct client *client, struct job_open_msg *open, struct plan_request *targets,
		    struct locked *password, struct secret_login *login, struct errmsg *msg)
{
	struct session_pick pick = {0};
	struct session *s;
	int rc = session_make(client_daemon(client)->sessions, open, targets, &s, msg);

	if (rc) {
		locked_drop(password);
		secret_login_drop(login);
		return rc;
	}
	session_set_login(s, login);
	session_asks(s, client_number(client), prompter_new(client));
	session_connect(s, password);
	session_pick_add(&pick, s->id);
	session_cmd_wait(client, &pick, 0);
	return 0;
}

/* --- doing ---------------------------------------------------------------------------------- */

static void session_do_sessions(struct client *client, const struct session_pick *pick,
				uint64_t verb)
{
	for (size_t i = 0; i < pick->session_count; i++) {
		struct session *s =
			session_find(client_daemon(client)->sessions, pick->sessions[i]);

		if (verb == SESSION_CONNECT) {
			session_asks(s, client_number(client), prompter_new(client));
			session_connect(s, NULL);
		} else if (verb == SESSION_DISCONNECT)
			session_disconnect(s, NULL);
		else
			session_remove(s);
	}
}

static void session_do_jobs(struct client *client, const struct session_pick *pick, uint64_t verb)
{
	for (size_t i = 0; i < pick->job_count; i++) {
		struct run *run = registry_find(client_daemon(client)->registry, pick->jobs[i]);
		char text[120];

		(void)snprintf(text, sizeof text,
			       "%" PRIu64 " is a job, not a session: muster stop %" PRIu64
			       ", then muster remove %" PRIu64,
			       pick->jobs[i], pick->jobs[i], pick->jobs[i]);
		if (verb == SESSION_CONNECT)
			run_wake(run);
		else if (verb == SESSION_DISCONNECT)
			run_let_go_of_hosts(run);
		else
			reply_problem(client, 2, text);
	}
}

int session_cmd_do(struct client *client, const struct frame *frame, struct errmsg *msg)
{
	struct session_do_msg m;
	struct session_pick pick;
	uint64_t verb;
	int rc = session_do_get(&m, frame->body, frame->len, msg);

	if (rc)
		return rc;
	verb = m.verb;
	rc = session_pick(&pick, client_daemon(client), m.names, m.name_count, msg);
	session_do_done(&m);
	if (rc)
		return rc;
	session_reply_missing(client, &pick);
	if (client_daemon(client)->ending)
		rc = err_set(msg, ERR_CLOSED, "the daemon is ending");
	if (rc == 0) {
		session_do_sessions(client, &pick, verb);
		session_do_jobs(client, &pick, verb);
		if (verb == SESSION_REMOVE)
			session_reply_end(client);
		else
			session_cmd_wait(client, &pick, verb);
	}
	session_pick_done(&pick);
	return rc;
}
