/* What the store has of a session: its request, as of a job, and for each host what its last
 * command has left (docs/protocol.md, section 15). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent_msg.h"
#include "alloc.h"
#include "keep.h"
#include "log.h"
#include "session_private.h"

#define SESSION_NAME_SIZE 64u

static void session_value_name(char *out, const struct session *s, const struct session_host *host)
{
	int n = snprintf(out, SESSION_NAME_SIZE, SESSION_VALUE "%" PRIu64, s->id);

	if (host)
		(void)snprintf(out + n, SESSION_NAME_SIZE - (size_t)n, "/%zu",
			       (size_t)(host - s->hosts));
}

void session_keep(const struct session *s)
{
	struct store *store = s->all->daemon->store;
	char name[SESSION_NAME_SIZE];
	struct buf request = {0};

	if (!store)
		return;
	session_value_name(name, s, NULL);
	keep_request(&request, &s->open, &s->targets);
	store_put_value(store, name, request.data, request.len);
	buf_done(&request);
}

void session_keep_left(const struct session_host *host)
{
	struct store *store = host->session->all->daemon->store;
	struct task_session_msg m = {.task = 1,
				     .directory = host->directory,
				     .env = host->env,
				     .env_count = host->env_count};
	char name[SESSION_NAME_SIZE];
	struct buf body = {0};

	if (!store)
		return;
	session_value_name(name, host->session, host);
	task_session_put(&body, &m);
	store_put_value(store, name, body.data, body.len);
	buf_done(&body);
}

void session_keep_none(const struct session *s)
{
	struct store *store = s->all->daemon->store;
	char name[SESSION_NAME_SIZE];

	if (!store)
		return;
	for (size_t i = 0; i < s->targets.count; i++) {
		session_value_name(name, s, &s->hosts[i]);
		if (s->hosts[i].directory)
			store_put_value(store, name, NULL, 0);
	}
	session_value_name(name, s, NULL);
	store_put_value(store, name, NULL, 0);
}

void session_host_set_left(struct session_host *host, char *directory, char **env, size_t count)
{
	free(host->directory);
	for (size_t i = 0; i < host->env_count; i++)
		free(host->env[i]);
	free(host->env);
	host->directory = directory;
	host->env = env;
	host->env_count = count;
}

/* --- coming back ---------------------------------------------------------------------------- */

static int session_restore_left(struct session *s, uint64_t index, const void *data, size_t len,
				struct errmsg *msg)
{
	struct task_session_msg m;
	int rc;

	if (!s || index >= s->targets.count)
		return err_set(msg, ERR_PROTO, "it belongs to no host of a session");
	rc = task_session_get(&m, data, len, msg);
	if (rc)
		return rc;
	session_host_set_left(&s->hosts[index], m.directory ? m.directory : xstrdup("/"), m.env,
			      m.env_count);
	return 0;
}

static int session_restore_one(struct sessions *all, uint64_t id, const void *data, size_t len,
			       struct errmsg *msg)
{
	struct job_open_msg open;
	struct plan_request targets;
	int rc = keep_request_get(data, len, &open, &targets, msg);

	if (rc == 0 &&
	    (!open.name || !targets.count || open.builtin != JOB_SESSION || session_find(all, id)))
		rc = err_set(msg, ERR_PROTO, "it is no session");
	if (rc == 0) {
		(void)session_new(all, id, &open, &targets);
		return 0;
	}
	job_open_done(&open);
	plan_request_done(&targets);
	return rc;
}

void session_restore(struct sessions *all, const char *name, const void *data, size_t len)
{
	uint64_t id = 0, index = 0;
	struct errmsg msg;
	char rest;
	int rc, n = sscanf(name, SESSION_VALUE "%20" SCNu64 "/%20" SCNu64 "%c", &id, &index, &rest);

	if (n == 1)
		rc = session_restore_one(all, id, data, len, &msg);
	else if (n == 2)
		rc = session_restore_left(session_find(all, id), index, data, len, &msg);
	else
		rc = err_set(&msg, ERR_PROTO, "it has a name of another form");
	if (rc)
		log_warn("the store has a value %s that cannot be used: %s", name, msg.text);
}
