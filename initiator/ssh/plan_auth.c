/* What a target's login may use: methods, and algorithms. */
#include <stdlib.h>
#include <string.h>

#include "algorithms.h"
#include "alloc.h"
#include "plan_private.h"

/* ssh's order of those that are ours. */
#define AUTH_ORDER "publickey,keyboard-interactive,password"

static bool auth_is(const char *name, size_t len, const char *method)
{
	return strlen(method) == len && memcmp(name, method, len) == 0;
}

static void auth_add(struct plan_auth *auth, enum plan_method method)
{
	for (unsigned i = 0; i < auth->count; i++)
		if (auth->order[i] == method)
			return;
	auth->order[auth->count++] = (unsigned char)method;
}

void plan_fill_auth(struct plan_target *t, const struct ssh_options *o)
{
	const struct {
		const char *name;
		bool allowed;
	} methods[PLAN_METHOD_COUNT] = {
		[PLAN_PUBKEY] = {"publickey", o->pubkey_auth},
		[PLAN_PASSWORD] = {"password", o->password_auth},
		[PLAN_KEYBOARD] = {"keyboard-interactive", o->keyboard_auth},
	};
	const char *name = o->preferred ? o->preferred : AUTH_ORDER;
	struct plan_auth *auth = &t->auth;

	while (*name) {
		size_t len = strcspn(name, ",");

		for (unsigned m = 0; m < PLAN_METHOD_COUNT; m++)
			if (methods[m].allowed && auth_is(name, len, methods[m].name))
				auth_add(auth, (enum plan_method)m);
		name += len + (name[len] == ',');
	}
	for (unsigned i = 0; i < auth->count; i++) {
		auth->pubkey |= auth->order[i] == PLAN_PUBKEY;
		auth->password |= auth->order[i] == PLAN_PASSWORD;
		auth->keyboard |= auth->order[i] == PLAN_KEYBOARD;
	}
	auth->keyboard_named = auth->keyboard && o->preferred;
	auth->prompts = o->prompts;
}

/* Made once for each list that is written. */
static const struct plan_list *plan_list_get(struct plan *plan, enum algorithm_kind kind,
					     const char *list, const char *what)
{
	struct errmsg msg = {{0}};
	struct plan_list made = {0};
	size_t n;

	buf_clear(&plan->name);
	buf_addf(&plan->name, "%d%s", (int)kind, list);
	n = plan_index_find(&plan->list_names, buf_cstr(&plan->name));
	if (n == PLAN_INDEX_NONE) {
		if (algorithms_assemble(kind, list, what, &made.list, &msg) != 0)
			made.fault = xasprintf("ssh_config: %s", msg.text);
		n = plan_index_add(&plan->list_names, xstrdup(buf_cstr(&plan->name)));
		plan->lists = xrealloc(plan->lists, n + 1, sizeof *plan->lists);
		plan->lists[n] = made;
	}
	return &plan->lists[n];
}

void plan_fill_lists(struct plan *plan, struct plan_target *t, const struct ssh_options *o)
{
	const struct {
		enum algorithm_kind kind;
		const char *list, *what;
		const char **ret;
	} rows[] = {
		{ALGORITHM_KEX, o->kex, "KexAlgorithms", &t->kex},
		{ALGORITHM_CIPHER, o->ciphers, "Ciphers", &t->ciphers},
		{ALGORITHM_MAC, o->macs, "MACs", &t->macs},
		{ALGORITHM_PUBKEY, o->pubkey_algs, "PubkeyAcceptedAlgorithms", &t->pubkey_algs},
		{ALGORITHM_HOST_KEY, o->host_key_algs, "HostKeyAlgorithms", &t->hostkey_list},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct plan_list *made;

		if (!rows[i].list)
			continue;
		made = plan_list_get(plan, rows[i].kind, rows[i].list, rows[i].what);
		*rows[i].ret = made->list;
		if (made->fault)
			plan_fail(t, "%s", made->fault);
	}
}

void plan_lists_free(struct plan *plan)
{
	for (size_t i = 0; i < plan->list_names.count; i++) {
		free(plan->lists[i].list);
		free(plan->lists[i].fault);
	}
	free(plan->lists);
	plan_index_done(&plan->list_names);
}
