#include "session_job.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alloc.h"
#include "clock.h"
#include "fields.h"
#include "session_private.h"

/* --- opening -------------------------------------------------------------------------------- */

static struct session *session_by_name(const struct sessions *all, const char *name)
{
	struct session *s = all->first;
	char id[24];

	for (; s; s = s->next) {
		(void)snprintf(id, sizeof id, "%" PRIu64, s->id);
		if (strcmp(id, name) == 0 || strcasecmp(s->open.name, name) == 0)
			break;
	}
	return s;
}

static bool session_same(const char *a, const char *b)
{
	return !a || !b ? a == b : strcmp(a, b) == 0;
}

static bool session_same_env(const struct job_open_msg *a, const struct job_open_msg *b)
{
	if (a->env_count != b->env_count)
		return false;
	for (size_t i = 0; i < a->env_count; i++)
		if (strcmp(a->env[i], b->env[i]) != 0)
			return false;
	return true;
}

static bool session_same_options(const struct job_open_msg *a, const struct job_open_msg *b)
{
	if (a->option_count != b->option_count)
		return false;
	for (size_t i = 0; i < a->option_count; i++)
		if (strcmp(a->options[i], b->options[i]) != 0)
			return false;
	return true;
}

/* The setting in which they differ; NULL: none. */
static const char *session_difference(const struct job_open_msg *a, const struct job_open_msg *b)
{
	const struct {
		bool same;
		const char *what;
	} rows[] = {
		{session_same(a->ssh_config, b->ssh_config), "-F"},
		{session_same(a->agent_socket, b->agent_socket), "SSH_AUTH_SOCK"},
		{session_same(a->home, b->home), "HOME"},
		{a->agent == b->agent, "--agent"},
		{a->become == b->become && session_same(a->become_user, b->become_user),
		 "--become"},
		{session_same_env(a, b), "--env"},
		{session_same(a->directory, b->directory), "--working-directory"},
		{session_same(a->kex, b->kex), "--kex-algorithms"},
		{session_same(a->ciphers, b->ciphers), "--ciphers"},
		{session_same(a->macs, b->macs), "--macs"},
		{session_same_options(a, b), "-o"},
		{a->host_key == b->host_key, "--host-key"},
		{a->transport == b->transport, "--transport"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (!rows[i].same)
			return rows[i].what;
	return NULL;
}

static int session_is_usable(const struct session *s, struct errmsg *msg)
{
	const struct session_host *h = &s->hosts[0];

	if (s->in_state[SESSION_OPENED] || s->in_state[SESSION_OPENING])
		return 0;
	while (h->state != SESSION_BROKEN && h < s->hosts + s->targets.count - 1)
		h++;
	return err_set(msg, ERR_ORDER, "session %s is %s%s%s%s: muster session connect %s",
		       s->open.name, h->state == SESSION_BROKEN ? "Broken" : "Disconnected",
		       h->text ? " (" : "", h->text ? h->text : "", h->text ? ")" : "",
		       s->open.name);
}

static int session_find_all(const struct sessions *all, const struct job_open_msg *open,
			    struct session **ret, struct errmsg *msg)
{
	for (size_t i = 0; i < open->session_count; i++) {
		const char *what;
		int rc;

		ret[i] = session_by_name(all, open->sessions[i]);
		if (!ret[i])
			return err_set(msg, ERR_NOTFOUND,
				       "there is no session '%.64s': muster session get lists them",
				       open->sessions[i]);
		for (size_t k = 0; k < i; k++)
			if (ret[k] == ret[i])
				return err_set(msg, ERR_SYNTAX, "session %s is named twice",
					       ret[i]->open.name);
		rc = session_is_usable(ret[i], msg);
		if (rc)
			return rc;
		what = session_difference(&ret[0]->open, &ret[i]->open);
		if (what)
			return err_set(msg, ERR_SYNTAX,
				       "sessions %s and %s were made with different settings (%s): "
				       "no job can have both",
				       ret[0]->open.name, ret[i]->open.name, what);
	}
	return 0;
}

int session_check_env(char *const *env, size_t count, struct errmsg *msg)
{
	if (count <= SESSION_ENV_MAX && fields_total(env, count) <= SESSION_ENV_BYTES)
		return 0;
	return err_set(msg, ERR_RANGE,
		       "--env: more than %u variables, or %u bytes: of a session, and of a job on "
		       "one, half of what others may have",
		       SESSION_ENV_MAX, SESSION_ENV_BYTES);
}

static void session_take(char **field, const char *text)
{
	free(*field);
	*field = text ? xstrdup(text) : NULL;
}

static void session_take_options(struct job_open_msg *open, const struct job_open_msg *from)
{
	for (size_t i = 0; i < open->option_count; i++)
		free(open->options[i]);
	free(open->options);
	open->option_count = from->option_count;
	open->options = from->option_count ? xcalloc(from->option_count, sizeof(char *)) : NULL;
	for (size_t i = 0; i < from->option_count; i++)
		open->options[i] = xstrdup(from->options[i]);
	open->host_key = from->host_key;
	open->transport = from->transport;
}

static void session_fill_settings(struct job_open_msg *open, const struct job_open_msg *from)
{
	session_take(&open->ssh_config, from->ssh_config);
	session_take(&open->agent_socket, from->agent_socket);
	session_take(&open->home, from->home);
	open->agent = from->agent;
	if (!open->become) {
		open->become = from->become;
		session_take(&open->become_user, from->become_user);
	}
	if (!open->connect_timeout_ms)
		open->connect_timeout_ms = from->connect_timeout_ms;
	if (!open->start_timeout_ms)
		open->start_timeout_ms = from->start_timeout_ms;
	if (!open->retries)
		open->retries = from->retries;
	session_take(&open->kex, from->kex);
	session_take(&open->ciphers, from->ciphers);
	session_take(&open->macs, from->macs);
	session_take_options(open, from);
}

static void session_add_targets(struct plan_request *targets, const struct session *s)
{
	targets->hosts =
		xrealloc(targets->hosts, targets->count + s->targets.count, sizeof *targets->hosts);
	for (size_t i = 0; i < s->targets.count; i++) {
		const struct plan_host *h = &s->targets.hosts[i];

		targets->hosts[targets->count++] =
			(struct plan_host){.host = xstrdup(h->host),
					   .hostname = xstrdup(h->hostname),
					   .user = h->user ? xstrdup(h->user) : NULL,
					   .port = h->port};
	}
}

static int session_check_job(const struct job_open_msg *open, const struct session *s,
			     struct errmsg *msg)
{
	if (open->ssh_config && !session_same(open->ssh_config, s->open.ssh_config))
		return err_set(msg, ERR_SYNTAX, "-F: session %s was made with %s", s->open.name,
			       s->open.ssh_config ? s->open.ssh_config : "ssh's own configuration");
	return session_check_env(open->env, open->env_count, msg);
}

int session_fill(const struct sessions *all, struct job_open_msg *open,
		 struct plan_request *targets, struct errmsg *msg)
{
	struct session **list = xcalloc(open->session_count, sizeof(struct session *));
	size_t total = 0;
	int rc = session_find_all(all, open, list, msg);

	if (rc == 0)
		rc = session_check_job(open, list[0], msg);
	for (size_t i = 0; rc == 0 && i < open->session_count; i++) {
		total += list[i]->targets.count;
		if (total > LIMIT_HOSTS)
			rc = err_set(msg, ERR_RANGE, "more than %u hosts in one job", LIMIT_HOSTS);
	}
	for (size_t i = 0; rc == 0 && i < open->session_count; i++) {
		/* Which child is where is known as long as the job is. */
		free(open->sessions[i]);
		open->sessions[i] =
			xasprintf("%" PRIu64 ":%zu", list[i]->id, list[i]->targets.count);
		session_add_targets(targets, list[i]);
	}
	if (rc == 0)
		session_fill_settings(open, &list[0]->open);
	free(list);
	return rc;
}

/* --- running -------------------------------------------------------------------------------- */

struct session_host *session_host_of(const struct sessions *all, const struct job_open_msg *open,
				     size_t index)
{
	for (size_t i = 0; i < open->session_count; i++) {
		uint64_t id = 0;
		size_t count = 0;
		struct session *s;

		if (sscanf(open->sessions[i], "%20" SCNu64 ":%20zu", &id, &count) != 2)
			return NULL;
		if (index >= count) {
			index -= count;
			continue;
		}
		s = session_find(all, id);
		return s && index < s->targets.count ? &s->hosts[index] : NULL;
	}
	return NULL;
}

bool session_host_takes(const struct session_host *h, struct outcome *ret)
{
	*ret = (struct outcome){.cause = CAUSE_LINK_LOST, .exit_code = -1};
	if (h && (h->state == SESSION_OPENED || h->state == SESSION_OPENING))
		return true;
	if (!h)
		(void)snprintf(ret->text, sizeof ret->text, "its session was removed");
	else
		(void)snprintf(ret->text, sizeof ret->text, "session %.60s is %s here%s%.60s",
			       h->session->open.name,
			       h->state == SESSION_BROKEN ? "Broken" : "Disconnected",
			       h->text ? ": " : "", h->text ? h->text : "");
	return false;
}

void session_host_use(struct session_host *h)
{
	h->commands++;
	h->session->commands++;
	session_set_idle(h->session);
}

void session_host_release(struct session_host *h)
{
	h->commands--;
	h->session->commands--;
	h->idle_since_ns = clock_wall_ns();
	session_set_idle(h->session);
}

const char *session_host_directory(const struct session_host *h)
{
	return h->directory ? h->directory : h->session->open.directory;
}

char *const *session_host_env(const struct session_host *h, size_t *ret_count)
{
	const struct job_open_msg *open = &h->session->open;

	*ret_count = h->directory ? h->env_count : open->env_count;
	return h->directory ? h->env : open->env;
}

/* --- what is left --------------------------------------------------------------------------- */

static size_t session_name_len(const char *entry)
{
	return strcspn(entry, "=") + 1;
}

/* The last entry of that name, as later ones win. */
static const char *session_env_find(char *const *env, size_t count, const char *entry)
{
	while (count--)
		if (strncmp(env[count], entry, session_name_len(entry)) == 0)
			return env[count];
	return NULL;
}

bool session_host_leave(struct session_host *h, const struct task_session_msg *m, char *const *own,
			size_t own_count)
{
	size_t before_count, count = 0;
	char *const *before = session_host_env(h, &before_count);
	char **env;

	if (m->env_count > SESSION_ENV_MAX ||
	    fields_total(m->env, m->env_count) > SESSION_ENV_BYTES)
		return false;
	env = xcalloc(m->env_count, sizeof *env);
	for (size_t i = 0; i < m->env_count; i++) {
		const char *entry = m->env[i];
		const char *given = session_env_find(own, own_count, entry);

		/* As it was given to this one alone: for the next it is what it was before. */
		if (given && strcmp(given, entry) == 0)
			entry = session_env_find(before, before_count, entry);
		if (entry)
			env[count++] = xstrdup(entry);
	}
	/* What stands there in place of the command's own may be longer. */
	if (fields_total(env, count) <= SESSION_ENV_BYTES) {
		session_host_set_left(h, xstrdup(m->directory ? m->directory : "/"), env, count);
		session_keep_left(h);
		return true;
	}
	for (size_t i = 0; i < count; i++)
		free(env[i]);
	free(env);
	return false;
}
