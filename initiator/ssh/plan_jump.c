/*
 * Bastions. "ProxyJump a,b" leads to b, and to that by a: the last hop is looked up in ssh_config
 * by its name, and what stands in front of it outweighs a ProxyJump that it has itself, as with ssh
 * -J. Options of the command line are for the targets alone, as ssh has it.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "limits.h"
#include "plan_private.h"

struct jump_hop {
	char *host;
	char *user;    /* NULL: by configuration */
	uint16_t port; /* 0: by configuration */
	char *before;  /* the hops in front of it; NULL: none are given */
};

static void hop_done(struct jump_hop *hop)
{
	free(hop->host);
	free(hop->user);
	free(hop->before);
	*hop = (struct jump_hop){0};
}

static bool hop_port(const char *text, uint16_t *ret)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (!isdigit((unsigned char)*text) || *end || strlen(text) > 5 || !n || n > UINT16_MAX)
		return false;
	*ret = (uint16_t)n;
	return true;
}

/* "host", "host:port", "[address]:port"; an address with colons needs the brackets. */
static bool hop_host(const char *text, struct jump_hop *ret)
{
	const char *end = *text == '[' ? strchr(++text, ']') : text + strcspn(text, ":");
	const char *rest = end;

	if (!end || end == text || (size_t)(end - text) > LIMIT_HOST_NAME)
		return false;
	if (*end == ']')
		rest++;
	if (*rest && (*rest != ':' || !hop_port(rest + 1, &ret->port)))
		return false;
	ret->host = xstrndup(text, (size_t)(end - text));
	return *text != '-';
}

/* [user@]host[:port] or ssh://[user@]host[:port], the last of several with commas. */
static bool hop_parse(const char *jump, struct jump_hop *ret)
{
	static const char scheme[] = "ssh://";
	const char *comma = strrchr(jump, ',');
	const char *last = comma ? comma + 1 : jump, *at;
	char *one;
	bool good;

	last += strspn(last, " \t");
	last += strncmp(last, scheme, sizeof scheme - 1) == 0 ? sizeof scheme - 1 : 0;
	one = xstrdup(last);
	for (size_t n = strlen(one); n && strchr(" \t/", one[n - 1]); n--)
		one[n - 1] = '\0';
	at = strrchr(one, '@');
	ret->user = at && at > one ? xstrndup(one, (size_t)(at - one)) : NULL;
	ret->before = comma ? xstrndup(jump, (size_t)(comma - jump)) : NULL;
	good = at != one && (!ret->user || *ret->user != '-') && hop_host(at ? at + 1 : one, ret) &&
	       (!ret->before || *ret->before);
	free(one);
	return good;
}

/* The bastion of one hop, without what is in front of it: *ret_next is that, for the caller. */
static void bastion_fill(struct plan *plan, struct plan_bastion *b, struct jump_hop *hop,
			 char **ret_next)
{
	struct plan_target *t = &b->target;
	struct ssh_options options = {0};
	struct errmsg msg = {{0}};
	struct ssh_query query = {.config = plan->config,
				  .host = b->host,
				  .user = hop->user,
				  .port = hop->port,
				  .local_user = plan->local_user,
				  .exec = plan->exec};

	if (ssh_config_ask(&query, &options, &msg) != 0) {
		plan_fail(t, "%s", msg.text);
		return;
	}
	if (hop->before) {
		free(options.proxy_jump);
		free(options.proxy_command);
		options.proxy_jump = options.proxy_command = NULL;
	}
	*ret_next = options.proxy_jump;
	options.proxy_jump = NULL;
	if (hop->before) {
		*ret_next = hop->before;
		hop->before = NULL;
	}
	plan_fill(plan, t, &options);
	ssh_options_done(&options);
}

static struct plan_bastion *bastion_add(struct plan *plan, const char *jump, char **ret_next)
{
	struct plan_bastion *b = xcalloc(1, sizeof *b);
	struct jump_hop hop = {0};
	size_t n = plan_index_add(&plan->bastion_names, xstrdup(jump));

	plan->bastions = xrealloc(plan->bastions, n + 1, sizeof(struct plan_bastion *));
	plan->bastions[n] = b;
	b->target.plan = plan;
	if (hop_parse(jump, &hop)) {
		b->target.host = b->host = hop.host;
		hop.host = NULL;
		bastion_fill(plan, b, &hop, ret_next);
	} else {
		b->target.host = b->host = xstrdup(jump);
		plan_fail(&b->target, "ProxyJump %.200s: no [user@]host[:port], with commas", jump);
	}
	hop_done(&hop);
	return b;
}

static size_t bastion_depth(const struct plan_target *t)
{
	size_t n = 0;

	for (; t; t = t->jump)
		n++;
	return n;
}

/* The way to jump, made as far as it is not there yet. Ends at a bastion that is there, or that
 * needs none, or with a fault. */
struct jump_walk {
	struct plan_bastion *made[LIMIT_JUMPS];
	size_t count;
	const char *first;
};

static bool walk_has(const struct jump_walk *w, const struct plan_bastion *b)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->made[i] == b)
			return true;
	return false;
}

/* Ties the last one that was made to the next, which is there. */
static void walk_tie(struct jump_walk *w, struct plan_bastion *next)
{
	struct plan_target *last = &w->made[w->count - 1]->target;

	if (walk_has(w, next)) {
		plan_fail(last, "ProxyJump %.200s goes round in a circle, by %.200s", w->first,
			  next->host);
	} else if (next->target.fault) {
		plan_fail(last, "%s", next->target.fault);
	} else if (w->count + bastion_depth(&next->target) > LIMIT_JUMPS) {
		plan_fail(last, "ProxyJump %.200s: more than %u bastions in a row", w->first,
			  LIMIT_JUMPS);
	} else if (last->way == PLAN_DIRECT) {
		last->way = PLAN_JUMP;
		last->jump = &next->target;
	}
}

/* What stops one stops those that go by it. */
static void walk_end(struct jump_walk *w)
{
	for (size_t i = w->count; i-- > 1;) {
		struct plan_target *t = &w->made[i - 1]->target;
		const char *fault = w->made[i]->target.fault;

		if (!fault)
			continue;
		t->jump = NULL;
		plan_fail(t, "%s", fault);
	}
}

static void walk_make(struct plan *plan, struct jump_walk *w)
{
	char *jump = xstrdup(w->first);

	while (jump) {
		size_t n = plan_index_find(&plan->bastion_names, jump);
		struct plan_bastion *b = n == PLAN_INDEX_NONE ? NULL : plan->bastions[n];
		char *next = NULL;

		if (b || w->count == LIMIT_JUMPS) {
			if (b)
				walk_tie(w, b);
			else
				plan_fail(&w->made[w->count - 1]->target,
					  "ProxyJump %.200s: more than %u bastions in a row",
					  w->first, LIMIT_JUMPS);
			free(jump);
			break;
		}
		b = bastion_add(plan, jump, &next);
		if (w->count)
			walk_tie(w, b);
		w->made[w->count++] = b;
		free(jump);
		jump = next;
	}
	walk_end(w);
}

const struct plan_target *plan_jump_get(struct plan *plan, const char *jump, const char **ret_fault)
{
	struct jump_walk w = {.first = jump};
	size_t n = plan_index_find(&plan->bastion_names, jump);
	const struct plan_target *t;

	if (n == PLAN_INDEX_NONE) {
		walk_make(plan, &w);
		n = plan_index_find(&plan->bastion_names, jump);
	}
	t = &plan->bastions[n]->target;
	*ret_fault = t->fault;
	return t->fault ? NULL : t;
}

void plan_jumps_free(struct plan *plan)
{
	for (size_t i = 0; i < plan->bastion_names.count; i++) {
		plan_target_done(&plan->bastions[i]->target);
		free(plan->bastions[i]->host);
		free(plan->bastions[i]);
	}
	free(plan->bastions);
	plan_index_done(&plan->bastion_names);
}
