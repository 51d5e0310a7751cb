/* Which keys a target is offered, in ssh's order: configured files, the agent's, default files. */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "plan_private.h"

#define PLAN_AGENT_TIMEOUT_MS 3000u

static struct key_file *plan_key_get(struct plan *plan, const char *path)
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

/* What a login is made of, and what was made for it alone. */
struct plan_login_parts {
	const struct plan_agent *agent; /* NULL: none */
	struct key_file **files;	/* all that are configured */
	size_t file_count;
	const struct key_cert **certs; /* that can be read */
	size_t cert_count;
	bool defaults; /* no file was configured by name */
	bool only;     /* IdentitiesOnly */
	struct buf fault;
	struct key_file *joined; /* a key with its certificate */
	size_t joined_count;
	struct agent_identity *lent; /* a certificate of ours, with a key of the agent's */
	size_t lent_count;
};

static bool plan_same(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	return a && b && a_len == b_len && memcmp(a, b, a_len) == 0;
}

static bool plan_same_blob(const struct key_file *file, const struct agent_identity *id)
{
	return plan_same(file->blob, file->blob_len, id->blob, id->len);
}

static void plan_fault_add(struct buf *fault, const char *text)
{
	if (fault->len)
		buf_add_str(fault, "; ");
	buf_add_str(fault, text);
}

/* --- certificates ---------------------------------------------------------------------------- */

static const struct key_cert *plan_cert_get(struct plan *plan, const char *path)
{
	size_t n = plan_index_find(&plan->cert_paths, path);

	if (n != PLAN_INDEX_NONE)
		return plan->certs[n];
	n = plan_index_add(&plan->cert_paths, xstrdup(path));
	plan->certs = xrealloc(plan->certs, n + 1, sizeof(struct key_cert *));
	plan->certs[n] = xmalloc(sizeof(struct key_cert));
	key_cert_load(plan->certs[n], path);
	return plan->certs[n];
}

static void plan_cert_add(struct plan *plan, struct plan_login_parts *parts, const char *path,
			  bool by_name)
{
	const struct key_cert *cert = plan_cert_get(plan, path);
	struct errmsg msg;

	if (!cert->blob) {
		if (by_name || !cert->missing)
			plan_fault_add(&parts->fault, cert->fault.text);
		return;
	}
	for (size_t i = 0; i < parts->cert_count; i++)
		if (plan_same(parts->certs[i]->blob, parts->certs[i]->len, cert->blob, cert->len))
			return;
	/* The server decides, whose clock may be another; but it will not say why. */
	if (!key_cert_is_valid(cert, clock_wall_ns() / 1000000000u, &msg))
		plan_fault_add(&parts->fault, msg.text);
	parts->certs = xrealloc(parts->certs, parts->cert_count + 1, sizeof(struct key_cert *));
	parts->certs[parts->cert_count++] = cert;
}

/* As ssh: those that are configured, and the one beside each key. */
static void plan_certs_find(struct plan *plan, struct plan_login_parts *parts,
			    const struct ssh_options *options)
{
	for (size_t i = 0; i < options->certificate_count; i++)
		plan_cert_add(plan, parts, options->certificate_files[i], true);
	for (size_t i = 0; i < parts->file_count; i++) {
		char *path = xasprintf("%s-cert.pub", parts->files[i]->path);

		plan_cert_add(plan, parts, path, false);
		free(path);
	}
}

static bool plan_is_of(const struct key_cert *cert, const uint8_t *blob, size_t len)
{
	return plan_same(cert->plain, cert->plain_len, blob, len);
}

static void plan_join(struct plan_login_parts *parts)
{
	parts->joined = xcalloc(parts->cert_count, sizeof *parts->joined);
	for (size_t i = 0; i < parts->cert_count; i++)
		for (size_t k = 0; k < parts->file_count; k++) {
			const struct key_file *file = parts->files[k];
			struct key_file *both = &parts->joined[parts->joined_count];

			if (!file->key || !plan_is_of(parts->certs[i], file->blob, file->blob_len))
				continue;
			both->key = key_cert_join(parts->certs[i], file->key);
			both->path = both->key ? xstrdup(parts->certs[i]->path) : NULL;
			parts->joined_count += both->key != NULL;
			break;
		}
}

/* --- the agent ------------------------------------------------------------------------------- */

/* True if the agent can stand in for a file that we cannot use. */
static bool plan_agent_holds(const struct plan_agent *agent, const struct key_file *file)
{
	for (size_t i = 0; agent && i < agent->list.count; i++)
		if (plan_same_blob(file, &agent->list.at[i]))
			return true;
	return false;
}

static bool plan_agent_offers(const struct agent_identity *id, const struct plan_login_parts *p)
{
	for (size_t i = 0; i < p->file_count; i++)
		if (plan_same_blob(p->files[i], id))
			return !p->files[i]->key; /* a key that we have needs no agent */
	for (size_t i = 0; i < p->cert_count; i++)
		if (plan_same(p->certs[i]->blob, p->certs[i]->len, id->blob, id->len))
			return true;
	return !p->only;
}

static bool plan_has_cert(const struct agent_list *list, const struct key_cert *cert)
{
	for (size_t i = 0; i < list->count; i++)
		if (plan_same(cert->blob, cert->len, list->at[i].blob, list->at[i].len))
			return true;
	return false;
}

/* A certificate of ours whose key the agent has, and the certificate not. */
static void plan_lend(struct plan_login_parts *p)
{
	const struct agent_list *list = &p->agent->list;

	p->lent = xcalloc(p->cert_count, sizeof *p->lent);
	for (size_t i = 0; i < p->cert_count; i++)
		for (size_t k = 0; k < list->count && !plan_has_cert(list, p->certs[i]); k++) {
			const struct agent_identity *id = &list->at[k];

			if (!plan_is_of(p->certs[i], id->blob, id->len))
				continue;
			p->lent[p->lent_count++] =
				(struct agent_identity){.blob = p->certs[i]->blob,
							.len = p->certs[i]->len,
							.sign = id->blob,
							.sign_len = id->len};
			break;
		}
}

static bool plan_is_cert(const struct agent_identity *id)
{
	uint8_t *plain;
	size_t len;

	if (key_cert_plain(id->blob, id->len, &plain, &len) != 0)
		return false;
	free(plain);
	return true;
}

/* Certificates first, as ssh has them. */
static void plan_agent_fill(struct plan_login *login)
{
	struct plan_login_parts *p = login->parts;
	const struct agent_list *list;

	if (!p->agent)
		return;
	list = &p->agent->list;
	plan_lend(p);
	login->agent = xcalloc(list->count + p->lent_count, sizeof(struct agent_identity *));
	for (size_t i = 0; i < p->lent_count; i++)
		login->agent[login->agent_count++] = &p->lent[i];
	for (int certs = 1; certs >= 0; certs--)
		for (size_t i = 0; i < list->count; i++)
			if (plan_is_cert(&list->at[i]) == (certs != 0) &&
			    plan_agent_offers(&list->at[i], p))
				login->agent[login->agent_count++] = &list->at[i];
}

/* --- a login --------------------------------------------------------------------------------- */

static void plan_files_fill(struct plan_login *login, struct buf *fault)
{
	const struct plan_login_parts *p = login->parts;

	login->files = xcalloc(p->file_count + p->joined_count, sizeof(struct key_file *));
	for (size_t i = 0; i < p->joined_count; i++)
		login->files[login->file_count++] = &p->joined[i];
	login->explicit_count = login->file_count;
	for (size_t i = 0; i < p->file_count; i++) {
		const struct key_file *file = p->files[i];

		if (file->key)
			login->files[login->file_count++] = file;
		else if (!(file->missing && p->defaults) && !plan_agent_holds(p->agent, file))
			plan_fault_add(fault, file->fault.text);
	}
	if (!p->defaults)
		login->explicit_count = login->file_count;
}

static void plan_login_empty(struct plan_login *login)
{
	struct plan_login_parts *p = login->parts;

	for (size_t i = 0; i < p->joined_count; i++)
		key_file_done(&p->joined[i]);
	free(p->joined);
	free(p->lent);
	free(login->files);
	free(login->agent);
	free(login->fault);
	p->joined = NULL;
	p->lent = NULL;
	p->joined_count = p->lent_count = 0;
	*login = (struct plan_login){
		.parts = p, .agent_path = login->agent_path, .name = login->name};
}

void plan_login_settle(struct plan_login *login)
{
	struct plan_login_parts *p = login->parts;
	struct buf fault = {0};

	plan_login_empty(login);
	plan_join(p);
	plan_files_fill(login, &fault);
	plan_agent_fill(login);
	if (p->fault.len)
		plan_fault_add(&fault, buf_cstr(&p->fault));
	/* Told only if no key is accepted: a stale SSH_AUTH_SOCK is common, and mostly harmless. */
	if (p->agent && p->agent->fault.text[0])
		plan_fault_add(&fault, p->agent->fault.text);
	if (fault.len)
		login->fault = buf_take_str(&fault);
	buf_done(&fault);
}

/* Whose passphrase somebody may be asked for. */
static void plan_login_want(const struct plan_login *login)
{
	const struct plan_login_parts *p = login->parts;
	bool any = login->file_count || login->agent_count;

	for (size_t i = 0; i < p->file_count; i++) {
		struct key_file *file = p->files[i];

		if (!file->locked || plan_agent_holds(p->agent, file))
			continue;
		if (!p->defaults)
			file->wanted = true;
		else if (!any)
			file->last_resort = true;
	}
}

static struct plan_login *plan_login_make(struct plan *plan, const struct ssh_options *options)
{
	struct plan_login *login = xcalloc(1, sizeof *login);
	struct plan_login_parts *p = xcalloc(1, sizeof *p);

	login->parts = p;
	p->agent = plan_agent_get(plan, options, &login->agent_path);
	p->defaults = options->identities_default;
	p->only = options->identities_only;
	p->files = xcalloc(options->identity_count, sizeof(struct key_file *));
	for (; p->file_count < options->identity_count; p->file_count++)
		p->files[p->file_count] =
			plan_key_get(plan, options->identity_files[p->file_count]);
	plan_certs_find(plan, p, options);
	plan_login_settle(login);
	plan_login_want(login);
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
	for (size_t i = 0; i < options->certificate_count; i++) {
		buf_add_str(name, "\n\n");
		buf_add_str(name, options->certificate_files[i]);
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
		plan->logins[n]->name = plan->login_names.texts[n];
	}
	return plan->logins[n];
}

void plan_login_free_all(struct plan *plan)
{
	for (size_t i = 0; i < plan->login_names.count; i++) {
		plan_login_empty(plan->logins[i]);
		free(plan->logins[i]->parts->files);
		free(plan->logins[i]->parts->certs);
		buf_done(&plan->logins[i]->parts->fault);
		free(plan->logins[i]->parts);
		free(plan->logins[i]);
	}
	for (size_t i = 0; i < plan->cert_paths.count; i++) {
		key_cert_done(plan->certs[i]);
		free(plan->certs[i]);
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
	free(plan->certs);
	plan_index_done(&plan->cert_paths);
	plan_index_done(&plan->login_names);
	plan_index_done(&plan->key_paths);
	plan_index_done(&plan->agent_paths);
}
