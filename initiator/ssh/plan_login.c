/* Which keys a target is offered, in ssh's order: configured files, the agent's, default files. */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "plan_private.h"

#define PLAN_AGENT_TIMEOUT_MS 3000u

static const struct key_file *plan_key_get(struct plan *plan, const char *path)
{
	size_t stop = plan->key_count > PLAN_LOOKBACK ? plan->key_count - PLAN_LOOKBACK : 0;
	struct key_file *file;

	for (size_t i = plan->key_count; i > stop; i--)
		if (strcmp(plan->keys[i - 1]->path, path) == 0)
			return plan->keys[i - 1];
	file = xmalloc(sizeof *file);
	key_file_load(file, path);
	plan->keys = xrealloc(plan->keys, plan->key_count + 1, sizeof(struct key_file *));
	plan->keys[plan->key_count++] = file;
	return file;
}

/* The agent that a target uses: IdentityAgent, else the caller's. NULL: none. */
static const struct plan_agent *plan_agent_get(struct plan *plan, const struct ssh_options *options)
{
	const char *path =
		options->identity_agent ? options->identity_agent : plan->request.agent_socket;
	size_t n = plan->agent_count, stop = n > PLAN_LOOKBACK ? n - PLAN_LOOKBACK : 0;
	struct plan_agent *agent;

	if (!path || !*path || strcmp(path, "none") == 0)
		return NULL;
	for (size_t i = n; i > stop; i--)
		if (strcmp(plan->agents[i - 1]->path, path) == 0)
			return plan->agents[i - 1];
	agent = xcalloc(1, sizeof *agent);
	agent->path = xstrdup(path);
	(void)agent_list_load(&agent->list, path, PLAN_AGENT_TIMEOUT_MS, &agent->fault);
	plan->agents = xrealloc(plan->agents, n + 1, sizeof(struct plan_agent *));
	plan->agents[plan->agent_count++] = agent;
	return agent;
}

static bool plan_same_blob(const struct key_file *file, const struct agent_identity *id)
{
	return file->blob && file->blob_len == id->len &&
	       memcmp(file->blob, id->blob, id->len) == 0;
}

static void plan_fault_add(struct buf *fault, const char *text)
{
	if (fault->len)
		buf_add_str(fault, "; ");
	buf_add_str(fault, text);
}

/* True if the agent can stand in for a file that we cannot use. */
static bool plan_agent_holds(const struct plan_agent *agent, const struct key_file *file)
{
	for (size_t i = 0; agent && i < agent->list.count; i++)
		if (plan_same_blob(file, &agent->list.at[i]))
			return true;
	return false;
}

static bool plan_agent_offers(const struct agent_identity *id, const struct key_file *const *all,
			      size_t count, const struct ssh_options *options)
{
	for (size_t i = 0; i < count; i++)
		if (plan_same_blob(all[i], id))
			return !all[i]->key; /* a key that we have ourselves needs no agent */
	return !options->identities_only;
}

static struct plan_login *plan_login_make(struct plan *plan, const struct ssh_options *options)
{
	const struct plan_agent *agent = plan_agent_get(plan, options);
	struct plan_login *login = xcalloc(1, sizeof *login);
	size_t count = options->identity_count;
	const struct key_file **all = xcalloc(count, sizeof(struct key_file *));
	struct buf fault = {0};

	login->files = xcalloc(count, sizeof(struct key_file *));
	for (size_t i = 0; i < count; i++) {
		const struct key_file *file = plan_key_get(plan, options->identity_files[i]);

		all[i] = file;
		if (file->key)
			login->files[login->file_count++] = file;
		else if (!(file->missing && options->identities_default) &&
			 !plan_agent_holds(agent, file))
			plan_fault_add(&fault, file->fault.text);
	}
	if (!options->identities_default)
		login->explicit_count = login->file_count;
	/* Told only if no key is accepted: a stale SSH_AUTH_SOCK is common, and mostly harmless. */
	if (agent && agent->fault.text[0])
		plan_fault_add(&fault, agent->fault.text);
	if (agent) {
		login->agent_path = agent->path;
		login->agent = xcalloc(agent->list.count, sizeof(struct agent_identity *));
		for (size_t i = 0; i < agent->list.count; i++)
			if (plan_agent_offers(&agent->list.at[i], all, count, options))
				login->agent[login->agent_count++] = &agent->list.at[i];
	}
	if (fault.len)
		login->fault = buf_take_str(&fault);
	buf_done(&fault);
	free(all);
	return login;
}

static char *plan_login_name(const struct ssh_options *options)
{
	struct buf name = {0};

	buf_addf(&name, "%d %d %s", options->identities_only, options->identities_default,
		 options->identity_agent ? options->identity_agent : "");
	for (size_t i = 0; i < options->identity_count; i++)
		buf_addf(&name, "\n%s", options->identity_files[i]);
	return buf_take_str(&name);
}

const struct plan_login *plan_login_get(struct plan *plan, const struct ssh_options *options)
{
	size_t n = plan->login_count, stop = n > PLAN_LOOKBACK ? n - PLAN_LOOKBACK : 0;
	char *name = plan_login_name(options);

	for (size_t i = n; i > stop; i--)
		if (strcmp(plan->login_names[i - 1], name) == 0) {
			free(name);
			return plan->logins[i - 1];
		}
	plan->logins = xrealloc(plan->logins, n + 1, sizeof(struct plan_login *));
	plan->login_names = xrealloc(plan->login_names, n + 1, sizeof(char *));
	plan->logins[n] = plan_login_make(plan, options);
	plan->login_names[n] = name;
	plan->login_count++;
	return plan->logins[n];
}

void plan_login_free_all(struct plan *plan)
{
	for (size_t i = 0; i < plan->login_count; i++) {
		free(plan->logins[i]->files);
		free(plan->logins[i]->agent);
		free(plan->logins[i]->fault);
		free(plan->logins[i]);
		free(plan->login_names[i]);
	}
	for (size_t i = 0; i < plan->key_count; i++) {
		key_file_done(plan->keys[i]);
		free(plan->keys[i]);
	}
	for (size_t i = 0; i < plan->agent_count; i++) {
		free(plan->agents[i]->path);
		agent_list_done(&plan->agents[i]->list);
		free(plan->agents[i]);
	}
	free(plan->agents);
	free(plan->logins);
	free(plan->login_names);
	free(plan->keys);
}
