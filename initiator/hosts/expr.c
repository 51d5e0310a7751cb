/* The algebra: items joined by operators of equal precedence, from left to right. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "escape.h"
#include "hostlist.h"
#include "hostlist_private.h"

#define EXPR_SHOWN_MAX 72u /* bytes of an expression that a message repeats */

/* One evaluation. */
struct expr_state {
	const struct expr_text *text;
	struct expr_env *env;
	struct hostlist *acc;
	struct hostlist *minus; /* of a run of '!': taken away in one go. NULL: no such run */
};

bool expr_is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool expr_is_operator(char c)
{
	return c == ',' || c == '!' || c == '&' || c == '^';
}

const char *expr_quote(char out[EXPR_QUOTE_SIZE], const char *data, size_t n)
{
	struct buf b = {0};

	escape_display(&b, data, n);
	if (b.len >= EXPR_QUOTE_SIZE) {
		b.len = EXPR_QUOTE_SIZE - 4;
		while (b.len && (b.data[b.len] & 0xc0) == 0x80)
			b.len--;
		buf_add_str(&b, "...");
	}
	memcpy(out, buf_cstr(&b), b.len + 1);
	buf_done(&b);
	return out;
}

/* The whole text or, of a long one, what surrounds offset at. */
static const char *expr_shown(char out[EXPR_QUOTE_SIZE], const struct expr_text *text, size_t at)
{
	size_t from = 0, n = text->len;

	if (n > EXPR_SHOWN_MAX) {
		from = at > EXPR_SHOWN_MAX / 2 ? at - EXPR_SHOWN_MAX / 2 : 0;
		n = n - from < EXPR_SHOWN_MAX ? n - from : EXPR_SHOWN_MAX;
	}
	return expr_quote(out, text->data + from, n);
}

int expr_fail(struct expr_env *env, const struct expr_text *text, size_t at, int code,
	      const char *fmt, ...)
{
	char place[EXPR_QUOTE_SIZE], what[ERRMSG_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	if (text->group)
		return err_set(env->msg, code, "group '%s', which is '%s', position %zu: %s",
			       text->group, expr_shown(place, text, at), at + 1, what);
	if (text->file)
		return err_set(env->msg, code, "%s:%zu, position %zu: %s",
			       expr_quote(place, text->file, strlen(text->file)), text->line,
			       text->shift + at + 1, what);
	return err_set(env->msg, code, "host expression '%s%s%s', position %zu: %s",
		       text->len > EXPR_SHOWN_MAX && at > EXPR_SHOWN_MAX / 2 ? "..." : "",
		       expr_shown(place, text, at),
		       text->len > EXPR_SHOWN_MAX && text->len > at + EXPR_SHOWN_MAX / 2 ? "..."
											 : "",
		       at + 1, what);
}

int expr_fail_hosts(struct expr_env *env, const struct expr_text *text, size_t at)
{
	return expr_fail(env, text, at, ERR_LIMIT,
			 "this makes more than %zu hosts, the most that one expression may name; "
			 "name fewer",
			 env->left.hosts);
}

int expr_spend(struct expr_env *env, const struct expr_text *text, size_t at, uint64_t units)
{
	if (units > env->left.work)
		return expr_fail(env, text, at, ERR_LIMIT,
				 "the expression takes too much work to expand; repeat fewer names "
				 "and use fewer operators");
	env->left.work -= units;
	return 0;
}

static size_t expr_skip_space(const struct expr_text *text, size_t at)
{
	while (at < text->len && expr_is_space(text->data[at]))
		at++;
	return at;
}

/* Finds where the item ends: at a space or an operator that is not in brackets. */
static int expr_item_end(struct expr_state *s, size_t at, size_t *ret_end)
{
	const char *data = s->text->data;
	bool is_file = data[at] == '^';
	size_t i = at + is_file;

	for (; i < s->text->len && !expr_is_space(data[i]) && !expr_is_operator(data[i]); i++) {
		const char *close;
		size_t open = i;

		if (is_file || data[i] != '[')
			continue;
		close = memchr(data + i, ']', s->text->len - i);
		if (!close)
			return expr_fail(s->env, s->text, open, ERR_SYNTAX,
					 "this '[' is not closed; add the ']'");
		i = (size_t)(close - data);
		close = memchr(data + open + 1, '[', i - open - 1);
		if (close)
			return expr_fail(s->env, s->text, (size_t)(close - data), ERR_SYNTAX,
					 "'[' within brackets; close the first one with ']'");
	}
	*ret_end = i;
	return 0;
}

/* Refuses an operator or the end where an item must stand. */
static int expr_check_item(struct expr_state *s, size_t at, size_t op_at)
{
	const struct expr_text *text = s->text;

	if (at == text->len)
		return expr_fail(s->env, text, op_at, ERR_SYNTAX,
				 "a host must follow '%c'; remove it or add one",
				 text->data[op_at]);
	if (!expr_is_operator(text->data[at]) || text->data[at] == '^')
		return 0;
	if (at == op_at)
		return expr_fail(s->env, text, at, ERR_SYNTAX,
				 "a host must stand before '%c'; remove it or add one",
				 text->data[at]);
	return expr_fail(s->env, text, at, ERR_SYNTAX,
			 "a host must stand between '%c' and '%c'; remove one or add a host",
			 text->data[op_at], text->data[at]);
}

static int expr_add_item(struct expr_state *s, struct hostlist *list, size_t at, size_t end)
{
	const char *data = s->text->data;
	char *path;
	int rc;

	if (data[at] == '@')
		return group_eval(list, s->text, at, end, s->env);
	if (data[at] != '^' && !(data[at] == '-' && end == at + 1))
		return item_eval(list, s->text, at, end, s->env);
	if (data[at] == '-' || (end == at + 2 && data[at + 1] == '-'))
		return hostfile_eval(list, NULL, s->text, at, s->env);
	path = xstrndup(data + at + 1, end - at - 1);
	rc = hostfile_eval(list, path, s->text, at, s->env);
	free(path);
	return rc;
}

/* Takes away what a run of '!' has gathered. */
static int expr_flush(struct expr_state *s, size_t at)
{
	uint64_t units = hostlist_count(s->acc) * (uint64_t)EXPR_WORK_TOUCH;
	int rc;

	if (!s->minus)
		return 0;
	rc = expr_spend(s->env, s->text, at, units);
	if (!rc)
		hostlist_remove_all(s->acc, s->minus);
	hostlist_free(s->minus);
	s->minus = NULL;
	return rc;
}

/* acc & item, or acc ^ item. */
static int expr_combine(struct expr_state *s, char op, size_t at, size_t end)
{
	struct hostlist *item = hostlist_new();
	int rc = expr_add_item(s, item, at, end);

	if (!rc)
		rc = expr_spend(s->env, s->text, at,
				(hostlist_count(s->acc) + hostlist_count(item)) *
					(uint64_t)EXPR_WORK_TOUCH);
	if (!rc && op == '&')
		hostlist_keep_all(s->acc, item);
	if (!rc && op == '^')
		hostlist_toggle_all(s->acc, item);
	if (!rc && hostlist_count(s->acc) > s->env->left.hosts)
		rc = expr_fail_hosts(s->env, s->text, at);
	hostlist_free(item);
	return rc;
}

static int expr_apply(struct expr_state *s, char op, size_t at, size_t end)
{
	int rc;

	if (op == '!') {
		if (!s->minus)
			s->minus = hostlist_new();
		return expr_add_item(s, s->minus, at, end);
	}
	rc = expr_flush(s, at);
	if (rc)
		return rc;
	if (op == ',')
		return expr_add_item(s, s->acc, at, end);
	return expr_combine(s, op, at, end);
}

/*
 * The operator after an item that ended at end. Spaces alone are a ','; so are spaces before a '^'
 * that is joined to what follows, as that begins a file. Moves *at to the next item.
 */
static char expr_operator(const struct expr_text *text, size_t end, size_t *at, size_t *ret_op_at)
{
	size_t i = expr_skip_space(text, end);
	char c = text->data[i];

	*ret_op_at = *at = i;
	if (!expr_is_operator(c))
		return ',';
	if (c == '^' && i > end && i + 1 < text->len && !expr_is_space(text->data[i + 1]))
		return ',';
	*at = expr_skip_space(text, i + 1);
	return c;
}

static int expr_run(struct expr_state *s)
{
	size_t at = expr_skip_space(s->text, 0), op_at = at, end = at;
	char op = ',';

	if (at == s->text->len)
		return 0;
	for (;;) {
		int rc = expr_check_item(s, at, op_at);

		if (!rc)
			rc = expr_item_end(s, at, &end);
		if (!rc)
			rc = expr_apply(s, op, at, end);
		if (rc)
			return rc;
		if (expr_skip_space(s->text, end) == s->text->len)
			return expr_flush(s, at);
		op = expr_operator(s->text, end, &at, &op_at);
	}
}

int expr_eval(struct hostlist *list, const struct expr_text *text, struct expr_env *env)
{
	struct expr_state s = {.text = text, .env = env, .acc = list};
	int rc = expr_run(&s);

	hostlist_free(s.minus);
	return rc;
}

int expr_parse(struct hostlist **ret, const char *expr, const struct expr_limits *limits,
	       const struct hostlist_env *from, struct errmsg *msg)
{
	struct expr_env env = {.msg = msg, .left = *limits};
	struct expr_text text = {.data = expr, .len = strnlen(expr, LIMIT_EXPR + 1)};
	struct hostlist *list;
	int rc;

	if (text.len > LIMIT_EXPR)
		return err_set(
			msg, ERR_LIMIT,
			"the host expression is longer than %u bytes; put it into a file and "
			"name that, as ^FILE",
			LIMIT_EXPR);
	if (from)
		env.from = *from;
	list = hostlist_new();
	rc = expr_eval(list, &text, &env);
	group_forget(&env);
	if (rc)
		hostlist_free(list);
	else
		*ret = list;
	return rc;
}

int hostlist_parse(struct hostlist **ret, const char *expr, const struct hostlist_env *env,
		   struct errmsg *msg)
{
	static const struct expr_limits limits = {.hosts = LIMIT_HOSTS, .work = EXPR_WORK_MAX};

	return expr_parse(ret, expr, &limits, env, msg);
}
