/* Ansible's YAML: groups with "hosts", "children" and "vars", inside of one another. */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "ansible.h"
#include "limits.h"
#include "load.h"

/* A group that is still to be read. */
struct yaml_task {
	uint32_t group;
	uint32_t body; /* a node */
};

struct yaml_load {
	struct inv *inv;
	const struct load_text *text;
	struct errmsg *msg;
	struct doc doc;
	struct yaml_task *tasks; /* a stack */
	size_t count, size;
	size_t work; /* groups and hosts so far: aliases could make it endless */
	struct ansible_hosts hosts;
};

static int yaml_fail(struct yaml_load *y, const struct doc_node *at, int code)
{
	return load_fail(y->text, at->line, code, y->msg);
}

static int yaml_no_map(struct yaml_load *y, const struct doc_node *at, const char *what)
{
	(void)err_set(y->msg, ERR_SYNTAX, "%s must be a map, and is %s", what,
		      doc_kind_name(at->kind));
	return yaml_fail(y, at, ERR_SYNTAX);
}

static int yaml_work(struct yaml_load *y, const struct doc_node *at)
{
	if (++y->work <= LIMIT_GROUP_LINKS)
		return 0;
	(void)err_set(y->msg, ERR_LIMIT, "more than %u hosts and groups in groups",
		      LIMIT_GROUP_LINKS);
	return yaml_fail(y, at, ERR_LIMIT);
}

/* A group by its key, to be read later. */
static int yaml_push(struct yaml_load *y, const struct doc_node *key, uint32_t body,
		     uint32_t *ret_group)
{
	int rc = yaml_work(y, key);

	if (rc)
		return rc;
	if (key->kind != DOC_TEXT) {
		(void)err_set(y->msg, ERR_SYNTAX, "the name of a group must be a text");
		return yaml_fail(y, key, ERR_SYNTAX);
	}
	rc = inv_group(y->inv, key->text, key->len, ret_group, y->msg);
	if (rc)
		return yaml_fail(y, key, rc);
	if (y->count == y->size) {
		y->size = y->size ? y->size * 2 : 16;
		y->tasks = xrealloc(y->tasks, y->size, sizeof *y->tasks);
	}
	y->tasks[y->count++] = (struct yaml_task){*ret_group, body};
	return 0;
}

static int yaml_host(struct yaml_load *y, uint32_t group, const struct doc_node *key,
		     const struct doc_node *vars)
{
	int rc = yaml_work(y, key);

	if (rc)
		return rc;
	if (key->kind != DOC_TEXT) {
		(void)err_set(y->msg, ERR_SYNTAX, "the name of a host must be a text");
		return yaml_fail(y, key, ERR_SYNTAX);
	}
	if (vars && vars->kind != DOC_MAP && vars->kind != DOC_NULL)
		return yaml_no_map(y, vars, "what stands behind a host");
	rc = ansible_expand(y->inv, key->text, key->len, false, &y->hosts, y->msg);
	for (size_t i = 0; rc == 0 && i < y->hosts.count; i++) {
		rc = inv_join(y->inv, group, y->hosts.at[i], y->msg);
		if (rc == 0 && vars)
			rc = ansible_set_vars(y->inv, false, y->hosts.at[i], &y->doc, vars, y->msg);
	}
	return rc ? yaml_fail(y, key, rc) : 0;
}

static int yaml_hosts(struct yaml_load *y, uint32_t group, const struct doc_node *hosts)
{
	int rc = 0;

	if (hosts->kind == DOC_TEXT)
		return yaml_host(y, group, hosts, NULL);
	if (hosts->kind != DOC_MAP)
		return hosts->kind == DOC_NULL
			       ? 0
			       : yaml_no_map(y, hosts, "'hosts' (names with ':' behind them)");
	for (uint32_t i = hosts->first; rc == 0 && i != DOC_NONE;
	     i = doc_next(&y->doc, doc_next(&y->doc, i)))
		if (!doc_is(doc_at(&y->doc, i), "<<"))
			rc = yaml_host(y, group, doc_at(&y->doc, i),
				       doc_at(&y->doc, doc_next(&y->doc, i)));
	return rc;
}

/* Groups in a group; parent INV_NONE: at the top. */
static int yaml_children(struct yaml_load *y, uint32_t parent, const struct doc_node *children)
{
	int rc = 0;
	uint32_t child;

	if (children->kind == DOC_TEXT) {
		rc = yaml_push(y, children, DOC_NONE, &child);
		if (rc == 0 && inv_nest(y->inv, parent, child, y->msg) != 0)
			rc = yaml_fail(y, children, ERR_SYNTAX);
		return rc;
	}
	if (children->kind != DOC_MAP)
		return children->kind == DOC_NULL ? 0 : yaml_no_map(y, children, "'children'");
	for (uint32_t i = children->first; rc == 0 && i != DOC_NONE;
	     i = doc_next(&y->doc, doc_next(&y->doc, i))) {
		const struct doc_node *key = doc_at(&y->doc, i);

		rc = yaml_push(y, key, doc_next(&y->doc, i), &child);
		/* Ansible lets "ungrouped" stand below "all". */
		if (rc == 0 && parent != INV_NONE && (parent != INV_ALL || child != INV_REST)) {
			rc = inv_nest(y->inv, parent, child, y->msg);
			if (rc)
				rc = yaml_fail(y, key, rc);
		}
	}
	return rc;
}

static int yaml_group(struct yaml_load *y, uint32_t group, const struct doc_node *body)
{
	const struct doc_node *hosts, *children, *vars;
	int rc = 0;

	if (body->kind == DOC_NULL)
		return 0;
	if (body->kind != DOC_MAP)
		return yaml_no_map(y, body, "a group");
	rc = ansible_work(y->inv, &y->doc, body, y->msg);
	if (rc)
		return yaml_fail(y, body, rc);
	hosts = doc_get(&y->doc, body, "hosts");
	children = doc_get(&y->doc, body, "children");
	vars = doc_get(&y->doc, body, "vars");
	if (vars && vars->kind != DOC_MAP && vars->kind != DOC_NULL)
		return yaml_no_map(y, vars, "'vars'");
	if (vars) {
		rc = ansible_set_vars(y->inv, true, group, &y->doc, vars, y->msg);
		if (rc)
			return yaml_fail(y, vars, rc);
	}
	if (hosts)
		rc = yaml_hosts(y, group, hosts);
	if (rc == 0 && children)
		rc = yaml_children(y, group, children);
	return rc;
}

static int yaml_root(struct yaml_load *y)
{
	const struct doc_node *root = doc_at(&y->doc, 0);
	int rc;

	if (root->kind == DOC_NULL)
		return 0;
	if (root->kind != DOC_MAP)
		return yaml_no_map(y, root, "an inventory of Ansible");
	if (doc_get(&y->doc, root, "plugin")) {
		(void)err_set(y->msg, ERR_UNSUPPORTED,
			      "this is the configuration of a plug-in of Ansible: use --inventory "
			      "'cmd:ansible-inventory -i FILE --list'");
		return yaml_fail(y, root, ERR_UNSUPPORTED);
	}
	rc = yaml_children(y, INV_NONE, root);
	while (rc == 0 && y->count) {
		struct yaml_task task = y->tasks[--y->count];

		if (task.body != DOC_NONE)
			rc = yaml_group(y, task.group, doc_at(&y->doc, task.body));
	}
	return rc;
}

int load_yaml(struct inv *inv, const struct load_text *text, struct errmsg *msg)
{
	struct yaml_load y = {.inv = inv, .text = text, .msg = msg};
	int rc = doc_parse(&y.doc, text->data, text->n, text->path, msg);

	if (rc == 0)
		rc = yaml_root(&y);
	doc_done(&y.doc);
	ansible_hosts_done(&y.hosts);
	free(y.tasks);
	return rc;
}
