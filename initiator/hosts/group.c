/* Groups, sources and past jobs: what stands behind a '@'. Each is asked for once in a parse. */
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "hostlist_private.h"

#define GROUP_JOB "job:"

/* What was asked for, and the answer. The key is not freed before the memo. */
struct group_memo {
	enum hostlist_ask ask;
	char *source; /* NULL: the default one */
	char *name;   /* NULL: none */
	struct hostlist *hosts;
};

/* One item. */
struct group_item {
	struct hostlist *list;
	const struct expr_text *text;
	size_t at;
	struct expr_env *env;
	enum hostlist_ask ask;
	const char *source;
};

static int group_order_text(const char *a, const char *b)
{
	if (!a || !b)
		return !b - !a;
	return strcmp(a, b);
}

static int group_order(const void *a, const void *b)
{
	const struct group_memo *x = a, *y = b;
	int order = (x->ask > y->ask) - (x->ask < y->ask);

	if (!order)
		order = group_order_text(x->source, y->source);
	return order ? order : group_order_text(x->name, y->name);
}

static void group_free(void *arg)
{
	struct group_memo *memo = arg;

	free(memo->source);
	free(memo->name);
	hostlist_free(memo->hosts);
	free(memo);
}

void group_forget(struct expr_env *env)
{
	tdestroy(env->memos, group_free);
	env->memos = NULL;
}

/* As it is written: @web, @source:web, @source:*, @@source, @job:12. The caller frees. */
static char *group_shown(const struct group_memo *memo)
{
	char quoted[EXPR_QUOTE_SIZE];
	struct buf out = {0};
	const char *source = memo->source ? memo->source : "";

	buf_add_str(&out, memo->ask == HOSTLIST_GROUPS ? "@@" : "@");
	if (memo->ask == HOSTLIST_JOB)
		buf_add_str(&out, GROUP_JOB);
	buf_add_str(&out, expr_quote(quoted, source, strlen(source)));
	if (memo->source && memo->ask != HOSTLIST_GROUPS)
		buf_add_char(&out, ':');
	if (memo->ask == HOSTLIST_ALL)
		buf_add_char(&out, '*');
	if (memo->name)
		buf_add_str(&out, expr_quote(quoted, memo->name, strlen(memo->name)));
	return buf_take_str(&out);
}

/* The groups that lead to this one, and it again. */
static int group_fail_loop(struct group_item *g, const struct group_memo *memo, const char *shown)
{
	struct expr_env *env = g->env;
	struct buf chain = {0};
	size_t i = 0;
	int rc;

	while (i < env->group_depth && env->groups[i].memo != memo)
		i++;
	for (; i < env->group_depth; i++)
		buf_addf(&chain, "%s -> ", env->groups[i].shown);
	buf_add_str(&chain, shown);
	rc = expr_fail(env, g->text, g->at, ERR_SYNTAX,
		       "the group contains itself: %s; correct one of them", buf_cstr(&chain));
	buf_done(&chain);
	return rc;
}

/* The labels of a job are no expressions: each line is one host. */
static int group_lines(struct hostlist *list, const struct expr_text *text, struct expr_env *env)
{
	int rc = 0;

	for (size_t at = 0; !rc && at < text->len;) {
		const char *eol = memchr(text->data + at, '\n', text->len - at);
		size_t end = eol ? (size_t)(eol - text->data) : text->len;

		if (end > at)
			rc = item_eval(list, text, at, end, env);
		at = end + 1;
	}
	return rc;
}

/* Evaluates what the answer says. */
static int group_read(struct group_item *g, struct group_memo *memo, const char *shown,
		      const struct buf *answer)
{
	struct expr_env *env = g->env;
	struct expr_text text = {
		.data = (const char *)answer->data, .len = answer->len, .group = shown};
	const char *outer = env->source;
	int rc;

	env->groups[env->group_depth++] = (struct group_step){shown, memo};
	env->source = memo->source;
	rc = memo->ask == HOSTLIST_JOB ? group_lines(memo->hosts, &text, env)
				       : expr_eval(memo->hosts, &text, env);
	env->source = outer;
	env->group_depth--;
	return rc;
}

static int group_ask(struct group_item *g, struct group_memo *memo, const char *shown)
{
	struct expr_env *env = g->env;
	struct errmsg why = {""};
	struct buf answer = {0};
	int rc = 0;

	if (env->group_depth == GROUP_DEPTH_MAX)
		return expr_fail(env, g->text, g->at, ERR_LIMIT,
				 "groups are nested more than %u deep; name hosts further up",
				 GROUP_DEPTH_MAX);
	rc = expr_spend(env, g->text, g->at, EXPR_WORK_ASK);
	if (rc)
		return rc;
	rc = env->from.group(env->from.group_ctx, memo->ask, memo->source, memo->name, &answer,
			     &why);
	if (rc)
		rc = expr_fail(env, g->text, g->at, rc, "%s",
			       why.text[0] ? why.text : err_text(rc));
	else if (answer.len > LIMIT_HOST_FILE)
		rc = expr_fail(env, g->text, g->at, ERR_LIMIT,
			       "%s has more than %u bytes; split it", shown, LIMIT_HOST_FILE);
	else
		rc = expr_spend(env, g->text, g->at, answer.len * (uint64_t)EXPR_WORK_BYTE);
	if (!rc) {
		memo->hosts = hostlist_new();
		rc = group_read(g, memo, shown, &answer);
	}
	buf_done(&answer);
	return rc;
}

static bool group_is_open(const struct expr_env *env, const struct group_memo *memo)
{
	for (size_t i = 0; i < env->group_depth; i++)
		if (env->groups[i].memo == memo)
			return true;
	return false;
}

/* The answer, asked for unless it is known. name: not terminated; NULL: none. */
static int group_find(struct group_item *g, const char *name, size_t n, const struct hostlist **ret)
{
	struct group_memo *memo = xcalloc(1, sizeof *memo), **known;
	char *shown;
	int rc;

	memo->ask = g->ask;
	memo->source = g->source ? xstrdup(g->source) : NULL;
	memo->name = name ? xstrndup(name, n) : NULL;
	known = tsearch(memo, &g->env->memos, group_order);
	if (!known)
		abort(); /* no memory */
	shown = group_shown(memo);
	if (*known == memo) {
		rc = group_ask(g, memo, shown);
	} else {
		group_free(memo);
		memo = *known;
		rc = group_is_open(g->env, memo) ? group_fail_loop(g, memo, shown) : 0;
	}
	free(shown);
	if (!rc)
		*ret = memo->hosts;
	return rc;
}

static int group_add(void *arg, const char *name, size_t n)
{
	struct group_item *g = arg;
	const struct hostlist *hosts;
	int rc = group_find(g, name, n, &hosts);

	if (!rc)
		rc = expr_spend(g->env, g->text, g->at,
				hostlist_count(hosts) * (uint64_t)EXPR_WORK_TOUCH);
	if (rc)
		return rc;
	hostlist_add_all(g->list, hosts);
	if (hostlist_count(g->list) > g->env->left.hosts)
		return expr_fail_hosts(g->env, g->text, g->at);
	return 0;
}

/* Refuses a name that brackets, braces or blanks of another kind made. */
static int group_check(const struct group_item *g, size_t at, size_t end)
{
	const char *data = g->text->data;

	for (size_t i = at; i < end; i++) {
		char shown[EXPR_QUOTE_SIZE];

		if (data[i] != '*' && data[i] != '?' && data[i] != '{' && data[i] != '}' &&
		    data[i] != '@' && (uint8_t)data[i] >= ' ' && data[i] != 0x7f)
			continue;
		return expr_fail(g->env, g->text, i, ERR_SYNTAX,
				 "'%s' cannot be in the name of a group; '@*' is every host, and "
				 "'@rack[1-3]' several groups",
				 expr_quote(shown, data + i, 1));
	}
	return 0;
}

/* NAME, or '*', from at to end; what is before it has been taken. */
static int group_eval_name(struct group_item *g, size_t at, size_t end)
{
	const char *data = g->text->data;
	const char *close = memchr(data + at, ']', end - at),
		   *open = memchr(data + at, '[', end - at);
	int rc;

	if (at == end)
		return expr_fail(g->env, g->text, at, ERR_SYNTAX,
				 "the name of a group must follow, as in @web; '@*' is every host");
	if (end == at + 1 && data[at] == '*') {
		g->ask = HOSTLIST_ALL;
		return group_add(g, NULL, 0);
	}
	if (close && (!open || close < open))
		return expr_fail(g->env, g->text, (size_t)(close - data), ERR_SYNTAX,
				 "this ']' closes nothing; remove it or add the '['");
	rc = group_check(g, at, end);
	return rc ? rc : item_names(g->text, at, end, g->env, group_add, g);
}

int group_eval(struct hostlist *list, const struct expr_text *text, size_t at, size_t end,
	       struct expr_env *env)
{
	struct group_item g = {.list = list, .text = text, .at = at, .env = env};
	const char *data = text->data, *colon;
	size_t name = at + 1;
	char *source = NULL;
	int rc;

	if (!env->from.group)
		return expr_fail(env, text, at, ERR_SYNTAX,
				 "host groups cannot be named here; name hosts");
	g.source = env->source;
	if (name < end && data[name] == '@') {
		g.ask = HOSTLIST_GROUPS;
		rc = group_check(&g, ++name, end);
		if (!rc && name < end)
			g.source = source = xstrndup(data + name, end - name);
		if (!rc)
			rc = group_add(&g, NULL, 0);
		free(source);
		return rc;
	}
	if (end - name >= strlen(GROUP_JOB) && !memcmp(data + name, GROUP_JOB, strlen(GROUP_JOB))) {
		g.ask = HOSTLIST_JOB;
		g.source = NULL;
		name += strlen(GROUP_JOB);
	} else if ((colon = memchr(data + name, ':', end - name))) {
		g.source = source = xstrndup(data + name, (size_t)(colon - data) - name);
		if (!source[0])
			g.source = NULL;
		rc = group_check(&g, name, (size_t)(colon - data));
		if (rc) {
			free(source);
			return rc;
		}
		name = (size_t)(colon - data) + 1;
	}
	rc = group_eval_name(&g, name, end);
	free(source);
	return rc;
}

int group_all(const struct hostlist **ret, const struct expr_text *text, size_t at,
	      struct expr_env *env)
{
	struct group_item g = {
		.text = text, .at = at, .env = env, .ask = HOSTLIST_ALL, .source = env->source};

	if (!env->from.group)
		return expr_fail(env, text, at, ERR_SYNTAX,
				 "wildcards such as '*' choose from groups, and there are none "
				 "here; write a range, as in web[1-9]");
	return group_find(&g, NULL, 0, ret);
}
