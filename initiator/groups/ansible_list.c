/* What an inventory script of Ansible says with --list: JSON, which libyaml reads as well. */
#include <string.h>

#include "ansible.h"
#include "limits.h"
#include "load.h"

struct list_load {
	struct inv *inv;
	const struct load_text *text;
	struct errmsg *msg;
	struct doc doc;
	size_t work;
};

static int list_fail(struct list_load *l, const struct doc_node *at, int code)
{
	return load_fail(l->text, at->line, code, l->msg);
}

static int list_want(struct list_load *l, const struct doc_node *at, enum doc_kind kind,
		     const char *what)
{
	if (at->kind == kind)
		return 0;
	(void)err_set(l->msg, ERR_SYNTAX, "%s must be %s, and is %s", what, doc_kind_name(kind),
		      doc_kind_name(at->kind));
	return list_fail(l, at, ERR_SYNTAX);
}

/* Each text of a list into a group, as a host or as a group. */
static int list_each(struct list_load *l, uint32_t group, const struct doc_node *list, bool hosts)
{
	const char *what = hosts ? "'hosts'" : "'children'";
	int rc = list->kind == DOC_NULL ? 0 : list_want(l, list, DOC_LIST, what);

	for (uint32_t i = doc_first(list); rc == 0 && i != DOC_NONE; i = doc_next(&l->doc, i)) {
		const struct doc_node *name = doc_at(&l->doc, i);
		uint32_t id;

		rc = list_want(l, name, DOC_TEXT, "a name");
		if (rc)
			return rc;
		if (++l->work > LIMIT_GROUP_LINKS)
			rc = err_set(l->msg, ERR_LIMIT, "more than %u entries in all groups",
				     LIMIT_GROUP_LINKS);
		else if (hosts)
			rc = inv_host(l->inv, name->text, name->len, &id, l->msg);
		else
			rc = inv_group(l->inv, name->text, name->len, &id, l->msg);
		if (rc == 0 && hosts)
			rc = inv_join(l->inv, group, id, l->msg);
		else if (rc == 0 && (group != INV_ALL || id != INV_REST))
			rc = inv_nest(l->inv, group, id, l->msg);
		if (rc)
			return list_fail(l, name, rc);
	}
	return rc;
}

static int list_vars(struct list_load *l, bool group, uint32_t id, const struct doc_node *vars)
{
	int rc = list_want(l, vars, DOC_MAP, "variables");

	if (rc)
		return rc;
	rc = ansible_set_vars(l->inv, group, id, &l->doc, vars, l->msg);
	return rc ? list_fail(l, vars, rc) : 0;
}

/* {"hosts": [...], "children": [...], "vars": {...}}, or the hosts alone. */
static int list_group(struct list_load *l, const struct doc_node *key, const struct doc_node *body)
{
	static const char *const parts[] = {"hosts", "children", "vars"};
	uint32_t group;
	int rc = inv_group(l->inv, key->text, key->len, &group, l->msg);

	if (rc)
		return list_fail(l, key, rc);
	if (body->kind == DOC_LIST)
		return list_each(l, group, body, true);
	rc = list_want(l, body, DOC_MAP, "a group");
	if (rc == 0 && ansible_work(l->inv, &l->doc, body, l->msg) != 0)
		rc = list_fail(l, body, ERR_LIMIT);
	for (size_t i = 0; rc == 0 && i < 3; i++) {
		const struct doc_node *part = doc_get(&l->doc, body, parts[i]);

		if (part && i < 2)
			rc = list_each(l, group, part, i == 0);
		else if (part)
			rc = list_vars(l, true, group, part);
	}
	return rc;
}

static int list_hostvars(struct list_load *l, const struct doc_node *meta)
{
	const struct doc_node *all = doc_get(&l->doc, meta, "hostvars");
	int rc = all ? list_want(l, all, DOC_MAP, "'hostvars'") : 0;

	for (uint32_t i = all ? doc_first(all) : DOC_NONE; rc == 0 && i != DOC_NONE;
	     i = doc_next(&l->doc, doc_next(&l->doc, i))) {
		const struct doc_node *key = doc_at(&l->doc, i);
		uint32_t host;

		rc = list_want(l, key, DOC_TEXT, "a name");
		if (rc)
			return rc;
		/* Ansible takes variables of hosts alone that a group has. */
		host = inv_find_host(l->inv, key->text, key->len);
		if (host != INV_NONE)
			rc = list_vars(l, false, host, doc_at(&l->doc, doc_next(&l->doc, i)));
	}
	return rc;
}

static int list_root(struct list_load *l)
{
	const struct doc_node *root = doc_at(&l->doc, 0), *meta;
	int rc = list_want(l, root, DOC_MAP, "what the inventory says");

	for (uint32_t i = doc_first(root); rc == 0 && i != DOC_NONE;
	     i = doc_next(&l->doc, doc_next(&l->doc, i))) {
		const struct doc_node *key = doc_at(&l->doc, i);

		rc = list_want(l, key, DOC_TEXT, "a name");
		if (rc == 0 && !doc_is(key, "_meta"))
			rc = list_group(l, key, doc_at(&l->doc, doc_next(&l->doc, i)));
	}
	meta = rc == 0 ? doc_get(&l->doc, root, "_meta") : NULL;
	return meta ? list_hostvars(l, meta) : rc;
}

int load_list(struct inv *inv, const struct load_text *text, struct errmsg *msg)
{
	struct list_load l = {.inv = inv, .text = text, .msg = msg};
	int rc = doc_parse(&l.doc, text->data, text->n, text->path, msg);

	if (rc == 0)
		rc = list_root(&l);
	doc_done(&l.doc);
	return rc;
}
