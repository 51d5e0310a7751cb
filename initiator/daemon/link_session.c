/* A child whose host is one of a session: whether its command can begin there, with what, and what
 * it leaves. */
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "link_private.h"
#include "session_job.h"

static struct session_host *link_session_host(const struct link *link)
{
	return session_host_of(run_daemon(link->run)->sessions, run_open(link->run),
			       child_index(link->child));
}

static void link_on_refused(evutil_socket_t fd, short what, void *arg)
{
	struct link *link = arg;
	struct outcome outcome;

	(void)fd;
	(void)what;
	/* It may have been connected in the meantime. */
	if (session_host_takes(link_session_host(link), &outcome) && !link->live->stopping) {
		link_begin(link);
		return;
	}
	if (link->live->stopping)
		outcome = (struct outcome){.cause = CAUSE_STOPPED, .exit_code = -1};
	link_end(link, &outcome);
}

bool link_session_begin(struct link *link)
{
	const struct job_open_msg *open = run_open(link->run);
	struct session_host *host = open->session_count ? link_session_host(link) : NULL;
	struct timeval now = {0};
	struct outcome outcome;

	if (!open->session_count)
		return true;
	link->live->in_session = host;
	if (host)
		session_host_use(host);
	/* One that runs already asks nobody. */
	if ((link->past && link->past->asked) || session_host_takes(host, &outcome))
		return true;
	link->live->refused =
		evtimer_new(loop_base(run_daemon(link->run)->loop), link_on_refused, link);
	if (!link->live->refused || event_add(link->live->refused, &now) != 0)
		abort();
	return false;
}

bool link_session_keeps(const struct job_open_msg *open)
{
	return open->session_count && open->shell && !open->background &&
	       open->durable != JOB_DURABLE_ALWAYS;
}

void link_session_on_left(struct link *link, const struct task_session_msg *m)
{
	const struct job_open_msg *open = run_open(link->run);
	bool first = link->live && !link->live->left;
	struct session_host *host =
		first && link_session_keeps(open) ? link_session_host(link) : NULL;

	/* Once: the store is not to be kept busy by an agent that goes on. */
	if (first)
		link->live->left = true;
	if (host && !session_host_leave(host, m, open->env, open->env_count))
		link_warn(link, "its environment is too large to be kept for the next command of "
				"the session");
}

void link_session_end(struct link *link)
{
	struct session_host *host;

	if (link->live->refused)
		event_free(link->live->refused);
	link->live->refused = NULL;
	if (!link->live->in_session)
		return;
	link->live->in_session = false;
	host = link_session_host(link);
	if (host)
		session_host_release(host);
}

void link_session_open(struct link *link, struct task_open_msg *m)
{
	const struct job_open_msg *open = run_open(link->run);
	struct session_host *host = open->session_count ? link_session_host(link) : NULL;
	size_t count;
	char *const *env;
	char **all;

	if (!host)
		return;
	if (!m->directory)
		m->directory = (char *)(uintptr_t)session_host_directory(host); /* only read */
	m->session = link_session_keeps(open) && !m->durable;
	/* In front: what is this command's own comes later, and wins. */
	env = session_host_env(host, &count);
	all = xcalloc(count + m->env_count, sizeof *all);
	for (size_t i = 0; i < count; i++)
		all[i] = xstrdup(env[i]);
	memcpy(all + count, m->env, m->env_count * sizeof *all);
	free(m->env);
	m->env = all;
	m->env_count += count;
}
