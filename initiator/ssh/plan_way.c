/* How a target is reached, and whether libssh can do it. */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "plan_private.h"

static bool way_is_preferred(const struct ssh_options *o, const char *method)
{
	const char *at = o->preferred;

	while (at && *at) {
		size_t len = strcspn(at, ",");

		if (len == strlen(method) && memcmp(at, method, len) == 0)
			return true;
		at += len + (at[len] == ',');
	}
	return !o->preferred;
}

/* A method of ssh's is allowed, and none of ours. */
static const char *way_of_auth(const struct plan_target *t, const struct ssh_options *o)
{
	if (t->auth.count)
		return NULL;
	if (o->gssapi_auth && way_is_preferred(o, "gssapi-with-mic"))
		return "GSSAPIAuthentication is the only way to log in that ssh_config leaves";
	if (o->hostbased_auth && way_is_preferred(o, "hostbased"))
		return "HostbasedAuthentication is the only way to log in that ssh_config leaves";
	return NULL;
}

/* The type stands in front of the key, behind its length (RFC 4253, section 6.6). */
static bool way_is_token_key(const struct key_file *file)
{
	return !file->key && file->blob && file->blob_len > 7 &&
	       memcmp(file->blob + 4, "sk-", 3) == 0;
}

static bool way_agent_has(const struct plan_login *login, const struct key_file *file)
{
	for (size_t i = 0; i < login->agent_count; i++)
		if (login->agent[i]->len == file->blob_len &&
		    memcmp(login->agent[i]->blob, file->blob, file->blob_len) == 0)
			return true;
	return false;
}

/* A FIDO key that is named (or is all there is), and that no ssh-agent can use for us. */
static const char *way_of_keys(struct plan *plan, const struct plan_target *t,
			       const struct ssh_options *o)
{
	const struct plan_login *login = t->login;

	if (!t->auth.pubkey || (o->identities_default && (login->file_count || login->agent_count)))
		return NULL;
	for (size_t i = 0; i < o->identity_count; i++) {
		size_t n = plan_index_find(&plan->key_paths, o->identity_files[i]);
		char *text;
		const char *why;

		if (n == PLAN_INDEX_NONE || !way_is_token_key(plan->keys[n]) ||
		    way_agent_has(login, plan->keys[n]))
			continue;
		text = xasprintf("%s is a FIDO key that ssh-agent does not hold",
				 o->identity_files[i]);
		why = plan_text(plan, text);
		free(text);
		return why;
	}
	return NULL;
}

/* Only host certificates are asked for, or only their authority is known. */
static const char *way_of_host_keys(const struct plan_target *t, const struct ssh_options *o)
{
	const char *at = o->host_key_algs;
	bool certs = at && !strchr("+-^", *at);

	for (; certs && *at;) {
		size_t len = strcspn(at, ",");
		const char *cert = strstr(at, "-cert-v");

		certs = cert && cert < at + len;
		at += len + (at[len] == ',');
	}
	if (certs)
		return "HostKeyAlgorithms asks for host certificates alone";
	if (!t->hostkey_known && t->trust &&
	    known_hosts_have_ca(t->trust->files, t->trust->count, t->key_name, t->port,
				t->key_alias))
		return "known_hosts has only a certificate authority for it";
	return NULL;
}

static const char *way_of_special(struct plan *plan, const struct ssh_options *o)
{
	char *text;
	const char *why;

	if (o->proxy_command && o->proxy_fdpass)
		return "ProxyUseFdpass hands over a descriptor";
	if (!o->special)
		return NULL;
	text = xasprintf("ssh_config has %s for it", o->special);
	why = plan_text(plan, text);
	free(text);
	return why;
}

/* What libssh cannot; NULL: nothing. */
static const char *way_why(struct plan *plan, const struct plan_target *t,
			   const struct ssh_options *o)
{
	const char *why = way_of_special(plan, o);

	if (!why)
		why = way_of_host_keys(t, o);
	if (!why)
		why = way_of_auth(t, o);
	return why ? why : way_of_keys(plan, t, o);
}

static void way_by_openssh(struct plan_target *t, const char *why)
{
	if (t->plan->request.transport == PLAN_BY_LIBSSH) {
		plan_fail(t,
			  "%s, which takes the OpenSSH client, and --transport libssh forbids it",
			  why);
		return;
	}
	t->way = PLAN_OPENSSH;
	t->openssh_why = why;
}

static void way_by_jump(struct plan *plan, struct plan_target *t, const char *jump)
{
	const char *fault = NULL;

	t->jump = plan_jump_get(plan, jump, &fault);
	if (!t->jump) {
		plan_fail(t, "%s", fault);
		return;
	}
	t->way = PLAN_JUMP;
	for (const struct plan_target *b = t->jump; b; b = b->jump)
		if (b->way == PLAN_OPENSSH) {
			t->jump = NULL;
			way_by_openssh(t, b->openssh_why);
			return;
		}
}

void plan_fill_way(struct plan *plan, struct plan_target *t, const struct ssh_options *o)
{
	const char *why = plan->request.transport == PLAN_BY_OPENSSH ? "--transport ssh"
								     : way_why(plan, t, o);

	if (o->refuse)
		plan_fail(t, "RefuseConnection: %s", o->refuse);
	t->proxy_command = o->proxy_command ? xstrdup(o->proxy_command) : NULL;
	if (why)
		way_by_openssh(t, why);
	else if (o->proxy_jump)
		way_by_jump(plan, t, o->proxy_jump);
	else if (o->proxy_command)
		t->way = PLAN_COMMAND;
	/* The OpenSSH client judges its lists by itself. */
	if (t->way != PLAN_OPENSSH)
		plan_fill_lists(plan, t, o);
}
