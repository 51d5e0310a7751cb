/* A topology: which hosts its lines name, and that they make a tree. */
#include "routes.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "limits.h"
#include "routes_private.h"

static struct host_text routes_name_text(const char *name)
{
	return (struct host_text){.name = name, .name_len = strlen(name)};
}

size_t routes_index(const struct hostlist *names, const char *name)
{
	struct host_text text = routes_name_text(name);

	return text.name_len <= LIMIT_HOST_NAME ? hostlist_find(names, &text) : ROUTE_NONE;
}

size_t routes_node(const struct routes *routes, const char *name)
{
	return routes_index(routes->names, name);
}

/* The node of a host, which is made if need be. */
static struct routes_node *routes_node_of(struct routes *routes, const struct host *host)
{
	struct host_text text = routes_name_text(host->name);
	struct routes_node *node;
	size_t at;

	hostlist_put(routes->names, &text);
	at = hostlist_find(routes->names, &text);
	if (at >= routes->node_size) {
		size_t size = routes->node_size ? 2 * routes->node_size : 64;

		routes->nodes = xrealloc(routes->nodes, size, sizeof *routes->nodes);
		for (size_t i = routes->node_size; i < size; i++)
			routes->nodes[i] = (struct routes_node){NULL, ROUTE_NONE, ROUTE_NONE};
		routes->node_size = size;
	}
	node = &routes->nodes[at];
	if (!node->label || strlen(host->label) > strlen(node->label))
		node->label = host->label;
	return node;
}

static size_t routes_line_of(const struct routes *routes, size_t row)
{
	return routes->rows[row].left.line;
}

/* Those on the left of a line reach its right. */
static int routes_add_from(struct routes *routes, size_t row, struct errmsg *msg)
{
	const struct hostlist *from = routes->rows[row].from;

	for (size_t i = 0; i < hostlist_count(from); i++) {
		const struct host *host = hostlist_at(from, i);
		struct routes_node *node = routes_node_of(routes, host);

		if (node->left != ROUTE_NONE && node->left != row)
			return err_set(msg, ERR_EXISTS,
				       "%s:%zu: %s stands before the ':' of line %zu already; "
				       "write all that it reaches into one line",
				       routes->file, routes_line_of(routes, row), host->name,
				       routes_line_of(routes, node->left));
		node->left = row;
	}
	return 0;
}

static int routes_add_to(struct routes *routes, size_t row, struct errmsg *msg)
{
	const struct hostlist *to = routes->rows[row].to;
	size_t line = routes_line_of(routes, row);

	for (size_t i = 0; i < hostlist_count(to); i++) {
		const struct host *host = hostlist_at(to, i);
		struct routes_node *node = routes_node_of(routes, host);

		if (node->left == row)
			return err_set(msg, ERR_EXISTS,
				       "%s:%zu: %s is its own gateway; take it from one side of "
				       "the ':'",
				       routes->file, line, host->name);
		if (node->right != ROUTE_NONE && node->right != row)
			return err_set(msg, ERR_EXISTS,
				       "%s:%zu: %s is reached by line %zu already; take it from "
				       "one of the two",
				       routes->file, line, host->name,
				       routes_line_of(routes, node->right));
		node->right = row;
	}
	return 0;
}

static int routes_eval(struct hostlist **ret, const struct expr_text *text, struct expr_env *env)
{
	struct hostlist *list = hostlist_new();
	int rc = expr_eval(list, text, env);

	if (rc == 0 && !hostlist_count(list))
		rc = expr_fail(env, text, 0, ERR_SYNTAX, "a host must stand here");
	*ret = list; /* the caller's also after a failure */
	return rc;
}

/* The name in [here] is a key like any other: "name". */
static int routes_take_here(struct routes *routes, const struct route *row, struct expr_env *env)
{
	struct hostlist *list;
	int rc;

	if (row->left.len != 4 || memcmp(row->left.data, "name", 4) != 0)
		return expr_fail(env, &row->left, 0, ERR_SYNTAX,
				 "under [here] there is 'name: HOST' alone");
	rc = routes_eval(&list, &row->right, env);
	hostlist_free(routes->here);
	routes->here = list;
	return rc;
}

static int routes_take(struct routes *routes, size_t row, struct expr_env *env)
{
	struct route *r = &routes->rows[row];
	int rc;

	if (r->section == ROUTES_HERE)
		return routes_take_here(routes, r, env);
	rc = routes_eval(&r->from, &r->left, env);
	if (rc == 0)
		rc = routes_add_from(routes, row, env->msg);
	if (rc == 0)
		rc = routes_eval(&r->to, &r->right, env);
	if (rc == 0)
		rc = routes_add_to(routes, row, env->msg);
	if (rc == 0 && hostlist_count(routes->names) > LIMIT_HOSTS)
		rc = expr_fail_hosts(env, &r->right, 0);
	return rc;
}

/* "line N reaches it" or that none does, for messages. */
static const char *routes_who(char out[48], const struct routes *routes, size_t row)
{
	struct buf b = {0};

	if (row == ROUTE_NONE)
		buf_add_str(&b, "is reached by no line");
	else
		buf_addf(&b, "is reached by line %zu", routes_line_of(routes, row));
	memcpy(out, buf_cstr(&b), b.len < 48 ? b.len + 1 : 48);
	out[47] = '\0';
	buf_done(&b);
	return out;
}

/* Gateways that stand for one another have to be reached by the same hosts. */
static int routes_join(struct routes *routes, size_t row, struct errmsg *msg)
{
	struct route *r = &routes->rows[row];
	const char *first = NULL;

	if (r->section == ROUTES_HERE)
		return 0;
	for (size_t i = 0; i < hostlist_count(r->from); i++) {
		const char *name = hostlist_at(r->from, i)->name;
		size_t parent = routes->nodes[routes_node(routes, name)].right;
		char one[48], two[48];

		if (first && parent != r->parent)
			return err_set(msg, ERR_SYNTAX,
				       "%s:%zu: %s %s and %s %s; write a line for each of them",
				       routes->file, r->left.line, first,
				       routes_who(one, routes, r->parent), name,
				       routes_who(two, routes, parent));
		first = name;
		r->parent = parent;
	}
	return 0;
}

/* Every line leads up to one that nobody reaches. Each row is walked over once. */
static int routes_check_loops(const struct routes *routes, struct errmsg *msg)
{
	size_t *walk = xcalloc(routes->count, sizeof *walk); /* number of the walk that came by */
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < routes->count; i++) {
		size_t at = i;

		while (at != ROUTE_NONE && !walk[at]) {
			walk[at] = i + 1;
			at = routes->rows[at].parent;
		}
		if (at != ROUTE_NONE && walk[at] == i + 1)
			rc = err_set(msg, ERR_EXISTS,
				     "%s:%zu: a loop: line %zu leads to it, and it leads there; "
				     "take %s from line %zu",
				     routes->file, routes_line_of(routes, at),
				     routes_line_of(routes, routes->rows[at].parent),
				     hostlist_at(routes->rows[at].from, 0)->label,
				     routes_line_of(routes, routes->rows[at].parent));
	}
	free(walk);
	return rc;
}

int routes_parse(struct routes **ret, const char *text, size_t len, const char *file,
		 struct errmsg *msg)
{
	struct expr_env env = {.msg = msg, .left = {.hosts = LIMIT_HOSTS, .work = ROUTES_WORK_MAX}};
	struct routes *routes;
	int rc;

	if (len > LIMIT_TOPOLOGY)
		return err_set(msg, ERR_LIMIT,
			       "%s: more than %u bytes; write ranges, such as web[1-500]", file,
			       LIMIT_TOPOLOGY);
	routes = xcalloc(1, sizeof *routes);
	routes->file = xstrdup(file);
	routes->text = xstrndup(text, len);
	routes->names = hostlist_new();
	/* xstrndup ends at a NUL byte. */
	rc = memchr(text, '\0', len)
		     ? err_set(msg, ERR_SYNTAX, "%s: a NUL byte: this is no text", file)
		     : routes_scan(routes, len, msg);
	for (size_t i = 0; rc == 0 && i < routes->count; i++)
		rc = routes_take(routes, i, &env);
	for (size_t i = 0; rc == 0 && i < routes->count; i++)
		rc = routes_join(routes, i, msg);
	if (rc == 0)
		rc = routes_check_loops(routes, msg);
	if (rc)
		routes_free(routes);
	else
		*ret = routes;
	return rc;
}

void routes_free(struct routes *routes)
{
	if (!routes)
		return;
	for (size_t i = 0; i < routes->count; i++) {
		hostlist_free(routes->rows[i].from);
		hostlist_free(routes->rows[i].to);
	}
	hostlist_free(routes->here);
	hostlist_free(routes->names);
	free(routes->nodes);
	free(routes->rows);
	free(routes->text);
	free(routes->file);
	free(routes);
}

/* Blanks that a comment has left are cut; a line that continues another stays one. */
static void routes_add_side(struct buf *out, const struct expr_text *side, size_t *line)
{
	for (size_t i = 0; i < side->len; i++) {
		if (side->data[i] == '\n') {
			while (out->len && expr_is_space((char)out->data[out->len - 1]) &&
			       out->data[out->len - 1] != '\n')
				out->len--;
			(*line)++;
		}
		buf_add_char(out, side->data[i]);
	}
}

void routes_text(const struct routes *routes, const char *name, struct buf *out)
{
	size_t line = 2;

	buf_add_str(out, "[routes]\n");
	for (size_t i = 0; i < routes->count; i++) {
		const struct route *r = &routes->rows[i];

		if (r->section == ROUTES_HERE)
			continue;
		for (; line < r->left.line; line++)
			buf_add_char(out, '\n');
		routes_add_side(out, &r->left, &line);
		/* Not ':', before which there may be one of a port. */
		buf_add_str(out, " =");
		routes_add_side(out, &r->right, &line);
		buf_add_char(out, '\n');
		line++;
	}
	if (name)
		buf_addf(out, "[here]\nname: %s\n", name);
}
