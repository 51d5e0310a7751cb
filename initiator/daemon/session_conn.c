/* The connections of a session: so many at a time are looked for, and each is held by a task that
 * runs nothing. */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "plan_settings.h"
#include "session_private.h"

#define SESSION_THROTTLE 64u

static void session_advance(struct session *s)
{
	struct timeval now = {0};

	(void)event_add(s->advance, &now);
}

static void session_wipe(struct session *s)
{
	locked_drop(s->password);
	s->password = NULL;
}

void session_settle(struct session *s)
{
	plan_cancel(s->planning);
	s->planning = NULL;
	passphrases_free(s->asking);
	s->asking = NULL;
	s->asks = 0;
	plan_free(s->plan);
	s->plan = NULL;
	session_wipe(s);
	s->at = s->under_way = 0;
	(void)event_del(s->advance);
}

void session_let_go(struct session_host *host)
{
	remote_task_leave(host->task, TRACK_LEAVE_FREE, false);
	host->task = NULL;
}

/* --- what comes ----------------------------------------------------------------------------- */

/* Others may be on the stack: what follows from it comes from the loop. */
static void session_host_settle(struct session_host *host, enum session_state state,
				enum cause cause, char *text)
{
	struct session *s = host->session;

	if (host->state == SESSION_OPENING)
		s->under_way--;
	session_host_enter(host, state, cause, text);
	session_advance(s);
}

static void session_on_open(void *arg, uint64_t task, uint64_t can, const char *note)
{
	(void)task;
	(void)can;
	(void)note;
	session_host_settle(arg, SESSION_OPENED, CAUSE_NONE, NULL);
}

static int session_on_frame(void *arg, const struct frame *frame, struct errmsg *msg)
{
	(void)arg;
	return err_set(msg, ERR_PROTO, "%s of a task that was never opened",
		       message_name(frame->type));
}

static void session_on_burst_end(void *arg)
{
	(void)arg;
}

static void session_on_lost(void *arg, enum cause cause, const char *text)
{
	struct session_host *host = arg;

	host->task = NULL;
	session_host_settle(host, SESSION_BROKEN, cause, *text ? xstrdup(text) : NULL);
}

static void session_on_no_agent(void *arg, const char *why)
{
	session_on_lost(arg, CAUSE_NO_AGENT, why);
}

static const struct remote_events session_events = {
	.open = session_on_open,
	.frame = session_on_frame,
	.burst_end = session_on_burst_end,
	.lost = session_on_lost,
	.no_agent = session_on_no_agent,
};

/* --- connecting ----------------------------------------------------------------------------- */

static void session_begin_host(struct session *s, size_t index)
{
	struct session_host *host = &s->hosts[index];
	struct remote_spec spec = {.target = plan_target(s->plan, index),
				   .job = &s->open,
				   .password = s->password,
				   .login = s->login};

	s->under_way++;
	host->task = remote_start(s->all->daemon->remotes, &spec, &session_events, host);
	remote_task_begin(host->task);
}

void session_on_advance(evutil_socket_t fd, short what, void *arg)
{
	struct session *s = arg;
	size_t most = s->open.throttle ? s->open.throttle : SESSION_THROTTLE;

	(void)fd;
	(void)what;
	for (; s->plan && s->at < s->targets.count && s->under_way < most; s->at++)
		if (s->hosts[s->at].state == SESSION_OPENING && !s->hosts[s->at].task)
			session_begin_host(s, s->at);
	if (session_is_opening(s))
		return;
	session_settle(s);
	sessions_tell(s->all);
	daemon_consider_leaving(s->all->daemon);
}

static void session_with_plan(void *arg, struct plan *plan)
{
	struct session *s = arg;

	s->asking = NULL;
	s->plan = plan;
	session_advance(s);
}

static void session_on_plan(void *arg, struct plan *plan, const struct errmsg *msg)
{
	struct session *s = arg;
	struct client *client = daemon_find_client(s->all->daemon, s->asks);
	bool last_resort = !secret_login_has_password(s->login);

	s->planning = NULL;
	if (plan && client && passphrases_wanted(plan, last_resort)) {
		s->asking = passphrases_ask(client, plan, last_resort, session_with_plan, s);
		return;
	}
	s->plan = plan;
	for (size_t i = 0; !plan && i < s->targets.count; i++)
		if (s->hosts[i].state == SESSION_OPENING)
			session_host_enter(&s->hosts[i], SESSION_BROKEN, CAUSE_REFUSED,
					   xstrdup(msg->text));
	session_advance(s);
}

static char *session_copy(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

/* What was read of files and of ssh-agent for the last time may be another now. */
static void session_plan(struct session *s)
{
	struct plan_request request = {.count = s->targets.count};

	plan_settings_take(&request, &s->open);
	request.hosts = xcalloc(request.count, sizeof *request.hosts);
	for (size_t i = 0; i < request.count; i++) {
		const struct plan_host *h = &s->targets.hosts[i];

		request.hosts[i] = (struct plan_host){.host = xstrdup(h->host),
						      .hostname = xstrdup(h->hostname),
						      .user = session_copy(h->user),
						      .port = h->port};
	}
	s->planning = plan_start(s->all->daemon->engine, &request, session_on_plan, s);
}

void session_set_login(struct session *s, struct secret_login *login)
{
	secret_login_drop(s->login);
	s->login = login;
}

void session_asks(struct session *s, uint64_t client, struct prompts *prompts)
{
	if (session_is_opening(s)) {
		prompts_drop(prompts);
		return;
	}
	s->asks = client;
	session_set_login(s, secret_login_with(s->login, prompts));
}

void session_connect(struct session *s, struct locked *password)
{
	for (size_t i = 0; i < s->targets.count; i++)
		if (s->hosts[i].state != SESSION_OPENED && s->hosts[i].state != SESSION_OPENING)
			session_host_enter(&s->hosts[i], SESSION_OPENING, CAUSE_NONE, NULL);
	if (password)
		session_wipe(s);
	s->password = password ? password : s->password;
	s->at = 0;
	if (session_is_opening(s) && !s->planning && !s->asking && !s->plan)
		session_plan(s);
	else
		session_advance(s);
}
