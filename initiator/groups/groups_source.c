/* Which sources there are, and what they are read from. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "ansible_vars.h"
#include "groups_private.h"
#include "inventory.h"
#include "near.h"

static const char *const groups_own[] = {"ansible", "dsh", "ssh"};

static int groups_done(struct groups_once *once, int rc, struct errmsg *msg)
{
	once->rc = rc;
	once->done = true;
	if (rc)
		(void)err_set(msg, rc, "%s", once->msg.text);
	return rc;
}

/* $ANSIBLE_INVENTORY, or where Ansible looks. */
static const char *groups_ansible_path(void)
{
	const char *path = getenv("ANSIBLE_INVENTORY");

	return path && *path ? path : "/etc/ansible/hosts";
}

/* What files beside an inventory of Ansible say, once all inventories have been read. */
static int groups_read_vars(struct groups *groups, struct inv *inv, struct buf *notes,
			    struct errmsg *msg)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < groups->options.spec_count; i++) {
		const char *rest;
		enum inventory_kind kind = inventory_kind(groups->options.specs[i], &rest);
		char *path = inventory_path(rest, groups->home);

		if (kind == INVENTORY_ANSIBLE || kind == INVENTORY_PATH)
			rc = ansible_vars_load(inv, path, (uint32_t)i + 1, notes, msg);
		free(path);
	}
	return rc;
}

static int groups_read_given(struct groups *groups, struct inv *inv, struct buf *notes,
			     struct errmsg *msg)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < groups->options.spec_count; i++) {
		const char *rest;
		enum inventory_kind kind = inventory_kind(groups->options.specs[i], &rest);

		if (kind != INVENTORY_DSH && kind != INVENTORY_CLUSTERSHELL)
			rc = inventory_load(inv, kind, rest, groups->home, groups->upcalls, msg);
	}
	return rc ? rc : groups_read_vars(groups, inv, notes, msg);
}

static int groups_read_ansible(struct groups *groups, struct inv *inv, struct buf *notes,
			       struct errmsg *msg)
{
	const char *path = groups_ansible_path();
	int rc = inventory_load(inv, INVENTORY_ANSIBLE, path, groups->home, groups->upcalls, msg);

	return rc ? rc : ansible_vars_load(inv, path, 1, notes, msg);
}

static void groups_warn(const struct groups *groups, struct buf *lines)
{
	char *line = buf_take_str(lines);

	for (char *at = line; *at && groups->options.warn;) {
		size_t n = strcspn(at, "\n");
		char *next = at + n + (at[n] == '\n');

		at[n] = '\0';
		groups->options.warn(groups->options.warn_ctx, at);
		at = next;
	}
	free(line);
}

static int groups_table(struct groups *groups, enum groups_table which, struct errmsg *msg)
{
	struct groups_once *once = &groups->read[which];
	struct buf notes = {0};
	struct inv *inv;
	int rc;

	if (once->done)
		return groups_done(once, once->rc, msg);
	inv = groups->tables[which] = inv_new();
	if (which == GROUPS_GIVEN)
		rc = groups_read_given(groups, inv, &notes, &once->msg);
	else if (which == GROUPS_ANSIBLE)
		rc = groups_read_ansible(groups, inv, &notes, &once->msg);
	else
		rc = inventory_load(inv, INVENTORY_SSH, "", groups->home, groups->upcalls,
				    &once->msg);
	if (rc == 0)
		rc = inv_settle(inv, &notes, &once->msg);
	if (rc == 0)
		groups_warn(groups, &notes);
	buf_done(&notes);
	return groups_done(once, rc, msg);
}

static int groups_clush(struct groups *groups, struct errmsg *msg)
{
	struct groups_once *once = &groups->clush_read;

	if (once->done)
		return groups_done(once, once->rc, msg);
	return groups_done(
		once, clush_read(&groups->clush, groups->clush_dir, groups->home, &once->msg), msg);
}

/* All that --inventory has named. */
static int groups_given(struct groups *groups, struct groups_source *ret, struct errmsg *msg)
{
	int rc = groups_table(groups, GROUPS_GIVEN, msg);

	if (rc == 0 && groups->given_clush)
		rc = groups_clush(groups, msg);
	if (rc)
		return rc;
	*ret = (struct groups_source){.name = "inventory",
				      .table = groups->tables[GROUPS_GIVEN],
				      .dsh = groups->given_dsh ? &groups->dsh : NULL};
	if (groups->given_clush)
		ret->clush = clush_find(groups->clush, NULL);
	return 0;
}

static int groups_own_source(struct groups *groups, const char *name, struct groups_source *ret,
			     struct errmsg *msg)
{
	enum groups_table which = strcmp(name, "ssh") == 0 ? GROUPS_SSH : GROUPS_ANSIBLE;
	int rc;

	*ret = (struct groups_source){.name = name};
	if (strcmp(name, "dsh") == 0) {
		ret->dsh = &groups->dsh;
		return 0;
	}
	rc = groups_table(groups, which, msg);
	ret->table = groups->tables[which];
	return rc;
}

static int groups_default(struct groups *groups, struct groups_source *ret, struct errmsg *msg)
{
	const struct clush_source *clush;
	int rc;

	if (groups->options.spec_count)
		return groups_given(groups, ret, msg);
	rc = groups_clush(groups, msg);
	if (rc)
		return rc;
	clush = clush_find(groups->clush, NULL);
	if (clush) {
		*ret = (struct groups_source){.name = clush->name, .clush = clush};
		return 0;
	}
	if (access(groups_ansible_path(), R_OK) == 0)
		return groups_own_source(groups, "ansible", ret, msg);
	if (dsh_is_there(&groups->dsh))
		return groups_own_source(groups, "dsh", ret, msg);
	return err_set(msg, ERR_NOTFOUND,
		       "there are no groups: no --inventory, no groups.conf of ClusterShell, no "
		       "inventory of Ansible, no /etc/dsh/group");
}

static int groups_no_source(struct groups *groups, const char *name, struct errmsg *msg)
{
	struct buf all = {0}, text = {0};
	int rc;

	(void)groups_sources(groups, &all, NULL);
	near_names(&text, &all, name);
	rc = err_set(msg, ERR_NOTFOUND, "there is no source of groups '%.80s'%s", name,
		     buf_cstr(&text));
	buf_done(&all);
	buf_done(&text);
	return rc;
}

int groups_source(struct groups *groups, const char *name, struct groups_source *ret,
		  struct errmsg *msg)
{
	const struct clush_source *clush;
	int rc;

	if (!name)
		return groups_default(groups, ret, msg);
	if (groups->options.spec_count && strcmp(name, "inventory") == 0)
		return groups_given(groups, ret, msg);
	rc = groups_clush(groups, msg);
	if (rc)
		return rc;
	clush = clush_find(groups->clush, name);
	if (clush) {
		*ret = (struct groups_source){.name = clush->name, .clush = clush};
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(groups_own); i++)
		if (strcmp(groups_own[i], name) == 0)
			return groups_own_source(groups, groups_own[i], ret, msg);
	return groups_no_source(groups, name, msg);
}

static void groups_put_name(struct buf *out, size_t begin, const char *name)
{
	char *line = xasprintf("\n%s\n", name);
	struct buf have = {0};

	buf_add_char(&have, '\n');
	buf_add(&have, out->data + begin, out->len - begin);
	if (!strstr(buf_cstr(&have), line))
		buf_addf(out, "%s\n", name);
	buf_done(&have);
	free(line);
}

int groups_sources(struct groups *groups, struct buf *out, struct errmsg *msg)
{
	struct groups_source standard = {0};
	size_t begin = out->len;
	int rc = groups_clush(groups, msg);

	if (rc)
		return rc;
	if (groups->options.spec_count)
		groups_put_name(out, begin, "inventory");
	else if (groups_default(groups, &standard, NULL) == 0)
		groups_put_name(out, begin, standard.name);
	for (size_t i = 0; i < groups->clush->count; i++)
		groups_put_name(out, begin, groups->clush->sources[i].name);
	if (access(groups_ansible_path(), R_OK) == 0)
		groups_put_name(out, begin, "ansible");
	if (dsh_is_there(&groups->dsh))
		groups_put_name(out, begin, "dsh");
	groups_put_name(out, begin, "ssh");
	return 0;
}

int groups_load(struct groups *groups, struct errmsg *msg)
{
	struct groups_source given;

	return groups->options.spec_count ? groups_given(groups, &given, msg) : 0;
}
