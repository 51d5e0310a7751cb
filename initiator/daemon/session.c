#include "session.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alloc.h"
#include "clock.h"
#include "registry.h"
#include "session_job.h"
#include "session_private.h"

/* --- all of them ---------------------------------------------------------------------------- */

struct sessions *sessions_new(struct daemon *daemon)
{
	struct sessions *all = xcalloc(1, sizeof *all);

	all->daemon = daemon;
	return all;
}

size_t sessions_count(const struct sessions *all)
{
	size_t n = 0;

	for (const struct session *s = all->first; s; s = s->next)
		n++;
	return n;
}

bool sessions_are_open(const struct sessions *all)
{
	for (const struct session *s = all->first; s; s = s->next)
		if (s->in_state[SESSION_OPENED] || s->in_state[SESSION_OPENING])
			return true;
	return false;
}

struct session *session_find(const struct sessions *all, uint64_t id)
{
	struct session *s = all->first;

	while (s && s->id != id)
		s = s->next;
	return s;
}

void session_watch(struct sessions *all, struct session_watch *watch)
{
	watch->next = all->watches;
	watch->prev = &all->watches;
	if (all->watches)
		all->watches->prev = &watch->next;
	all->watches = watch;
}

void session_unwatch(struct session_watch *watch)
{
	if (!watch->prev)
		return;
	*watch->prev = watch->next;
	if (watch->next)
		watch->next->prev = watch->prev;
	watch->prev = NULL;
}

void sessions_tell(struct sessions *all)
{
	for (struct session_watch *w = all->watches, *next; w; w = next) {
		next = w->next;
		w->fn(w->arg);
	}
}

/* --- states --------------------------------------------------------------------------------- */

void session_host_enter(struct session_host *host, enum session_state state, enum cause cause,
			char *text)
{
	struct session *s = host->session;

	s->in_state[host->state]--;
	host->state = state;
	s->in_state[state]++;
	host->cause = cause;
	free(host->text);
	host->text = text;
	if (state == SESSION_OPENED)
		host->idle_since_ns = clock_wall_ns();
	session_set_idle(s);
}

void session_set_idle(struct session *s)
{
	bool idle = !s->commands && s->in_state[SESSION_OPENED] && s->open.session_idle_ms;
	struct timeval tv = loop_ms(s->open.session_idle_ms);

	if (!idle)
		(void)event_del(s->idle);
	else if (!event_pending(s->idle, EV_TIMEOUT, NULL))
		(void)event_add(s->idle, &tv);
}

static void session_on_idle(evutil_socket_t fd, short what, void *arg)
{
	struct session *s = arg;

	(void)fd;
	(void)what;
	session_disconnect(s, "no command for the time of its idle timeout");
	daemon_consider_leaving(s->all->daemon);
}

bool session_is_opening(const struct session *s)
{
	return s->in_state[SESSION_OPENING] > 0;
}

/* --- its life ------------------------------------------------------------------------------- */

struct session *session_new(struct sessions *all, uint64_t id, struct job_open_msg *open,
			    struct plan_request *targets)
{
	struct event_base *base = loop_base(all->daemon->loop);
	struct session *s = xcalloc(1, sizeof *s), **at = &all->first;

	s->all = all;
	s->id = id;
	s->open = *open;
	s->targets = *targets;
	*open = (struct job_open_msg){0};
	*targets = (struct plan_request){0};
	s->hosts = xcalloc(s->targets.count, sizeof *s->hosts);
	for (size_t i = 0; i < s->targets.count; i++)
		s->hosts[i].session = s;
	s->in_state[SESSION_DISCONNECTED] = s->targets.count;
	s->idle = evtimer_new(base, session_on_idle, s);
	s->advance = evtimer_new(base, session_on_advance, s);
	if (!s->idle || !s->advance)
		abort();
	while (*at && (*at)->id < id)
		at = &(*at)->next;
	s->next = *at;
	*at = s;
	return s;
}

static void session_free(struct session *s)
{
	struct session **at = &s->all->first;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	session_settle(s);
	session_set_login(s, NULL);
	event_free(s->idle);
	event_free(s->advance);
	for (size_t i = 0; i < s->targets.count; i++) {
		session_host_set_left(&s->hosts[i], NULL, NULL, 0);
		free(s->hosts[i].text);
	}
	free(s->hosts);
	plan_request_done(&s->targets);
	job_open_done(&s->open);
	free(s);
}

void sessions_free(struct sessions *all)
{
	if (!all)
		return;
	while (all->first) {
		session_disconnect(all->first, NULL);
		session_free(all->first);
	}
	free(all);
}

/* A name must not be taken for an id, a wildcard, or several names. */
static bool session_is_name(const char *name)
{
	static const char wrong[] = "*?[]:,/";

	if (!name[strspn(name, "0123456789")] || *name == '-')
		return false;
	for (; *name; name++)
		if ((unsigned char)*name <= ' ' || *name == 0x7f || strchr(wrong, *name))
			return false;
	return true;
}

static int session_check(const struct sessions *all, const struct job_open_msg *open,
			 struct errmsg *msg)
{
	int rc = session_check_env(open->env, open->env_count, msg);

	if (rc || !open->name)
		return rc;
	if (!session_is_name(open->name))
		return err_set(msg, ERR_SYNTAX,
			       "'%.64s' is no name of a session: digits alone, a '-' in front, "
			       "blanks, and * ? [ ] : , / are not taken",
			       open->name);
	for (const struct session *s = all->first; s; s = s->next)
		if (strcasecmp(s->open.name, open->name) == 0)
			return err_set(msg, ERR_EXISTS,
				       "there is a session %s already: muster session remove %s",
				       s->open.name, s->open.name);
	return 0;
}

int session_make(struct sessions *all, struct job_open_msg *open, struct plan_request *targets,
		 struct session **ret, struct errmsg *msg)
{
	int rc = session_check(all, open, msg);
	uint64_t id;

	if (rc) {
		job_open_done(open);
		plan_request_done(targets);
		return rc;
	}
	id = registry_take_ids(all->daemon->registry, 0);
	if (!open->name)
		open->name = xasprintf("Session%llu", (unsigned long long)id);
	*ret = session_new(all, id, open, targets);
	session_keep(*ret);
	return 0;
}

void session_disconnect(struct session *s, const char *why)
{
	for (size_t i = 0; i < s->targets.count; i++) {
		struct session_host *host = &s->hosts[i];

		session_let_go(host);
		session_host_enter(host, SESSION_DISCONNECTED, CAUSE_NONE,
				   why ? xstrdup(why) : NULL);
	}
	session_settle(s);
	sessions_tell(s->all);
}

void session_remove(struct session *s)
{
	struct sessions *all = s->all;

	session_disconnect(s, NULL);
	session_keep_none(s);
	session_free(s);
	sessions_tell(all);
}
