/* Which keys a target is offered, in ssh's order: configured files, the agent's, default files. */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "plan_private.h"

#define PLAN_AGENT_TIMEOUT_MS 3000u

static const struct key_file *plan_key_get(struct plan *plan, const char *path)
{
	size_t n = plan_index_find(&plan->key_paths, path);

	if (n != PLAN_INDEX_NONE)
		return plan->keys[n];
	n = plan_index_add(&plan->key_paths, xstrdup(path));
	plan->keys = xrealloc(plan->keys, n + 1, sizeof(struct key_file *));
	plan->keys[n] = xmalloc(sizeof(struct key_file));
	key_file_load(plan->keys[n], path);
	return plan->keys[n];
}

/* The agent that a target uses: IdentityAgent, else the caller's. NULL: none. */
static const struct plan_agent *plan_agent_get(struct plan *plan, const struct ssh_options *options,
					       const char **ret_path)
{
	const char *path =
		options->identity_agent ? options->identity_agent : plan->request.agent_socket;
	struct plan_agent *agent;
	size_t n;

	if (!path || !*path || strcmp(path, "none") == 0)
		return NULL;
	n = plan_index_find(&plan->agent_paths, path);
	if (n == PLAN_INDEX_NONE) {
		agent = xcalloc(1, sizeof *agent);
		(void)agent_list_load(&agent->list, path, PLAN_AGENT_TIMEOUT_MS, &agent->fault);
		n = plan_index_add(&plan->agent_paths, xstrdup(path));
		plan->agents = xrealloc(plan->agents, n + 1, sizeof(struct plan_agent *));
		plan->agents[n] = agent;
	}
	*ret_path = plan->agent_paths.texts[n];
	return plan->agents[n];
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
	struct plan_login *login = xcalloc(1, sizeof *login);
	const struct plan_agent *agent = plan_agent_get(plan, options, &login->agent_path);
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

static const char *plan_login_name(struct plan *plan, const struct ssh_options *options)
{
	struct buf *name = &plan->name;

	buf_clear(name);
	buf_add_char(name, options->identities_only ? 'o' : '-');
	buf_add_char(name, options->identities_default ? 'd' : '-');
	if (options->identity_agent)
		buf_add_str(name, options->identity_agent);
	for (size_t i = 0; i < options->identity_count; i++) {
		buf_add_char(name, '\n');
		buf_add_str(name, options->identity_files[i]);
	}
	return buf_cstr(name);
}

const struct plan_login *plan_login_get(struct plan *plan, const struct ssh_options *options)
{
	size_t n = plan_index_find(&plan->login_names, plan_login_name(plan, options));

	if (n == PLAN_INDEX_NONE) {
		n = plan_index_add(&plan->login_names, xstrdup(buf_cstr(&plan->name)));
		plan->logins = xrealloc(plan->logins, n + 1, sizeof(struct plan_login *));
		plan->logins[n] = plan_login_make(plan, options);
	}
	return plan->logins[n];
}

void plan_login_free_all(struct plan *plan)
{
	for (size_t i = 0; i < plan->login_names.count; i++) {
		free(plan->logins[i]->files);
		free(plan->logins[i]->agent);
		free(plan->logins[i]->fault);
		free(plan->logins[i]);
	}
	for (size_t i = 0; i < plan->key_paths.count; i++) {
		key_file_done(plan->keys[i]);
		free(plan->keys[i]);
	}
	for (size_t i = 0; i < plan->agent_paths.count; i++) {
		agent_list_done(&plan->agents[i]->list);
		free(plan->agents[i]);
	}
	free(plan->agents);
	free(plan->logins);
	free(plan->keys);
	plan_index_done(&plan->login_names);
	plan_index_done(&plan->key_paths);
	plan_index_done(&plan->agent_paths);
}
