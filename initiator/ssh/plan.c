#include "plan.h"

#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "client_told.h"
#include "host_key.h"
#include "plan_private.h"

/* HMACs that may be made for one plan to learn the key types of hosts: a second at most. */
#define PLAN_HMACS 1000000u

struct plan_work {
	struct plan_cache *cache; /* of the loop, and for it alone */
	struct plan_lent lent;
	struct plan_request request;
	struct plan *plan;
	struct errmsg msg;
	plan_fn *fn;
	void *arg;
	struct work_task *task;
};

void plan_request_done(struct plan_request *request)
{
	for (size_t i = 0; i < request->count; i++) {
		free(request->hosts[i].host);
		free(request->hosts[i].hostname);
		free(request->hosts[i].user);
	}
	free(request->hosts);
	free(request->config_path);
	free(request->agent_socket);
	free(request->home);
	for (size_t i = 0; i < request->option_count; i++)
		free(request->options[i]);
	free(request->options);
	*request = (struct plan_request){0};
}

void plan_target_done(struct plan_target *t)
{
	free(t->hostname);
	free(t->user);
	free(t->key_name);
	free(t->hostkey_algs);
	free(t->fault);
	free(t->proxy_command);
	host_key_note_free(atomic_load(&t->note));
}

void plan_hold(struct plan *plan)
{
	atomic_fetch_add(&plan->holds, 1);
}

void plan_free(struct plan *plan)
{
	if (!plan || atomic_fetch_sub(&plan->holds, 1))
		return;
	for (size_t i = 0; i < plan->count; i++)
		plan_target_done(&plan->targets[i]);
	free(plan->targets);
	plan_login_free_all(plan);
	plan_trust_free_all(plan);
	plan_lists_free(plan);
	plan_jumps_free(plan);
	plan_index_done(&plan->texts);
	ssh_exec_free(plan->exec);
	ssh_config_free(plan->options);
	ssh_config_free(plan->config);
	plan_request_done(&plan->request);
	buf_done(&plan->warning);
	buf_done(&plan->name);
	free(plan->local_user);
	free(plan);
}

/* "ssh-rsa" in known_hosts stands for the two signature algorithms that are still safe. */
static void plan_alg_add(struct buf *out, const char *type, size_t len)
{
	static const char rsa[] = "ssh-rsa";

	if (out->len)
		buf_add_char(out, ',');
	if (len == sizeof rsa - 1 && memcmp(type, rsa, len) == 0)
		buf_add_str(out, "rsa-sha2-512,rsa-sha2-256");
	else
		buf_add(out, type, len);
}

/* Of a list with commas; for each type that is safe and cheap, in that order, then for the rest. */
static void plan_algs_add(struct buf *out, const char *types)
{
	static const char *const best[] = {"ssh-ed25519", "ecdsa-sha2-nistp256",
					   "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"};

	for (size_t i = 0; i <= ARRAY_LEN(best); i++)
		for (const char *p = types, *next; *p; p = next) {
			size_t n = strcspn(p, ","), rank = 0;

			next = p + n + (p[n] == ',');
			while (rank < ARRAY_LEN(best) &&
			       (strlen(best[rank]) != n || memcmp(best[rank], p, n) != 0))
				rank++;
			if (rank == i)
				plan_alg_add(out, p, n);
		}
}

static bool plan_list_has(const char *list, const char *name, size_t len)
{
	for (; *list; list += *list == ',') {
		size_t n = strcspn(list, ",");

		if (n == len && memcmp(list, name, n) == 0)
			return true;
		list += n;
	}
	return false;
}

/* What known_hosts has for this host, as OpenSSH orders it, not as the file has it, where an RSA
 * key often comes first. */
static void plan_known_algs(struct plan_target *t, struct buf *ret)
{
	struct buf types = {0};

	known_hosts_types(t->trust->files, t->trust->count, t->key_name, t->port, t->key_alias,
			  PLAN_HMACS / t->plan->count, &types);
	if (types.len)
		plan_algs_add(ret, buf_cstr(&types));
	buf_done(&types);
	t->hostkey_known = ret->len != 0;
}

/* HostKeyAlgorithms: known comes first where the list only adds to ours or takes from it, as far as
 * it is in there. */
static char *plan_list_algs(const struct plan_target *t, const struct ssh_options *o,
			    const char *known)
{
	bool ordered = *o->host_key_algs != '+' && *o->host_key_algs != '-';
	struct buf out = {0};

	for (; !ordered && *known; known += *known == ',') {
		size_t n = strcspn(known, ",");

		if (plan_list_has(t->hostkey_list, known, n))
			buf_addf(&out, "%.*s,", (int)n, known);
		known += n;
	}
	buf_add_str(&out, t->hostkey_list);
	return buf_take_str(&out);
}

/*
 * The order of host key algorithms: types that known_hosts has for this host first, so that a
 * server with several keys shows one that we can judge. Takes known over. libssh drops repeated
 * names.
 */
static void plan_fill_hostkeys(struct plan_target *t, const struct ssh_options *o,
			       struct buf *known)
{
	if (t->hostkey_list) {
		t->hostkey_algs = plan_list_algs(t, o, buf_cstr(known));
	} else if (known->len) {
		buf_add_str(known, "," PLAN_HOSTKEY_ALGS);
		t->hostkey_algs = buf_take_str(known);
	}
	buf_done(known);
}

void plan_fail(struct plan_target *t, const char *fmt, ...)
{
	char text[ERRMSG_MAX];
	va_list ap;

	if (t->fault)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	t->fault = xstrdup(text);
}

const char *plan_text(struct plan *plan, const char *text)
{
	size_t n = plan_index_find(&plan->texts, text);

	if (n == PLAN_INDEX_NONE)
		n = plan_index_add(&plan->texts, xstrdup(text));
	return plan->texts.texts[n];
}

static bool plan_accepts_new(const struct plan *plan, const struct ssh_options *o)
{
	if (plan->request.host_key == PLAN_HOST_KEY_CONFIG)
		return o->strict == SSH_STRICT_ACCEPT_NEW;
	return plan->request.host_key == PLAN_HOST_KEY_NEW;
}

void plan_fill(struct plan *plan, struct plan_target *t, const struct ssh_options *o)
{
	const char *fault = NULL;
	struct buf known = {0};

	t->hostname = xstrdup(o->hostname);
	t->user = xstrdup(o->user);
	t->port = o->port;
	t->key_alias = o->host_key_alias != NULL;
	t->key_name = xstrdup(t->key_alias ? o->host_key_alias : o->hostname);
	t->accept_new = plan_accepts_new(plan, o);
	t->note_keys = plan->request.note_keys;
	t->hash_known_hosts = o->hash_known_hosts;
	t->connect_timeout_ms = o->connect_timeout_s * 1000;
	t->attempts = o->attempts;
	t->alive_interval_s = o->alive_interval_s;
	t->alive_count = o->alive_count;
	t->family = (unsigned char)o->family;
	plan_fill_auth(t, o);
	t->login = plan_login_get(plan, o);
	t->trust = plan_trust_get(plan, o, &fault);
	if (fault)
		plan_fail(t, "%s", fault);
	else
		plan_known_algs(t, &known);
	plan_fill_way(plan, t, o);
	plan_fill_hostkeys(t, o, &known);
}

static void plan_add(struct plan *plan, size_t i)
{
	const struct plan_host *h = &plan->request.hosts[i];
	struct plan_target *t = &plan->targets[i];
	struct ssh_options options = {0};
	struct errmsg msg = {{0}};
	struct ssh_query query = {.config = plan->config,
				  .options = plan->options,
				  .host = h->hostname,
				  .user = h->user,
				  .port = h->port,
				  .local_user = plan->local_user,
				  .exec = plan->exec};

	t->plan = plan;
	t->host = h->host;
	if (ssh_config_ask(&query, &options, &msg) != 0) {
		plan_fail(t, "%s", msg.text);
		return;
	}
	plan_fill(plan, t, &options);
	ssh_options_done(&options);
}

static char *plan_user_name(void)
{
	struct passwd pw, *found = NULL;
	char space[4096];

	if (getpwuid_r(getuid(), &pw, space, sizeof space, &found) == 0 && found)
		return xstrdup(found->pw_name);
	return xasprintf("%u", (unsigned)getuid());
}

static int plan_read_config(struct plan *plan, struct errmsg *msg)
{
	const struct plan_request *r = &plan->request;

	if (plan->lent)
		plan->config = plan_lent_config(plan->lent, r->config_path, r->home);
	return plan->config ? 0 : ssh_config_load(&plan->config, r->config_path, r->home, msg);
}

static void plan_warn_ignored(struct plan *plan)
{
	const char *file = ssh_config_ignored(plan->config);
	const char *options = ssh_config_ignored(plan->options);

	if (file || options)
		buf_addf(&plan->warning, "ssh_config: not applied: %s%s%s\n",
			 options ? options : "", options && file ? ", " : "", file ? file : "");
}

int plan_make(struct plan **ret, struct plan_request *request, const struct plan_lent *lent,
	      struct errmsg *msg)
{
	struct plan *plan = xcalloc(1, sizeof *plan);
	int rc;

	plan->request = *request;
	*request = (struct plan_request){0};
	plan->lent = lent;
	rc = ssh_config_options(&plan->options, plan->request.options, plan->request.option_count,
				plan->request.home, msg);
	if (rc == 0)
		rc = plan_read_config(plan, msg);
	if (rc) {
		plan_free(plan);
		return rc;
	}
	plan_warn_ignored(plan);
	plan->exec = ssh_exec_new();
	plan->local_user = plan_user_name();
	plan->count = plan->request.count;
	plan->targets = xcalloc(plan->count, sizeof *plan->targets);
	for (size_t i = 0; i < plan->count; i++)
		plan_add(plan, i);
	if (plan->request.transport != PLAN_BY_OPENSSH)
		client_told_hosts(&plan->warning, plan->targets, plan->count);
	(void)buf_cstr(&plan->warning);
	plan->lent = NULL;
	ssh_exec_free(plan->exec);
	plan->exec = NULL;
	*ret = plan;
	return 0;
}

int plan_build(struct plan **ret, struct plan_request *request, struct errmsg *msg)
{
	return plan_make(ret, request, NULL, msg);
}

static void plan_run(void *arg)
{
	struct plan_work *work = arg;

	(void)plan_make(&work->plan, &work->request, &work->lent, &work->msg);
	plan_lent_done(&work->lent);
}

static void plan_done(void *arg, bool cancelled)
{
	struct plan_work *work = arg;

	if (work->plan)
		plan_cache_keep(work->cache, work->plan);
	if (cancelled)
		plan_free(work->plan);
	else
		work->fn(work->arg, work->plan, &work->msg);
	plan_request_done(&work->request);
	plan_lent_done(&work->lent);
	free(work);
}

struct plan_work *plan_start(struct ssh_engine *engine, struct plan_request *request, plan_fn *fn,
			     void *arg)
{
	struct plan_work *work = xcalloc(1, sizeof *work);

	work->cache = ssh_engine_plans(engine);
	plan_cache_lend(work->cache, &work->lent);
	work->request = *request;
	*request = (struct plan_request){0};
	work->fn = fn;
	work->arg = arg;
	work->task = work_submit(ssh_engine_files(engine), plan_run, plan_done, work);
	return work;
}

void plan_cancel(struct plan_work *work)
{
	if (work)
		work_cancel(work->task);
}

size_t plan_count(const struct plan *plan)
{
	return plan->count;
}

const struct plan_target *plan_target(const struct plan *plan, size_t index)
{
	return &plan->targets[index];
}

const char *plan_warning(const struct plan *plan)
{
	return plan->warning.len ? (const char *)plan->warning.data : NULL;
}
