#include "groups.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "groups_private.h"
#include "inventory.h"
#include "limits.h"
#include "near.h"

struct groups *groups_new(const struct groups_options *options)
{
	struct groups *groups = xcalloc(1, sizeof *groups);
	const struct upcalls_options upcalls = {.cache_dir = options->cache_dir,
						.cache_ms = options->cache_ms,
						.deadline_ms = options->upcall_ms,
						.refresh = options->refresh};
	const char *home = getenv("HOME");

	groups->options = *options;
	groups->home = home && *home == '/' ? xstrdup(home) : NULL;
	groups->upcalls = upcalls_new(&upcalls);
	for (size_t i = 0; i < options->spec_count; i++) {
		const char *rest;
		enum inventory_kind kind = inventory_kind(options->specs[i], &rest);

		if (kind == INVENTORY_CLUSTERSHELL) {
			const char *conf = strstr(rest, "groups.conf");
			size_t n = conf && !conf[11] ? (size_t)(conf - rest) : strlen(rest);
			char *dir = xstrndup(n ? rest : ".", n ? n : 1);

			groups->given_clush = true;
			free(groups->clush_dir);
			groups->clush_dir = *rest ? inventory_path(dir, groups->home) : NULL;
			free(dir);
		} else if (kind == INVENTORY_DSH) {
			char *dir = inventory_path(rest, groups->home);

			groups->given_dsh = true;
			dsh_done(&groups->dsh);
			if (*rest)
				dsh_init(&groups->dsh, dir);
			free(dir);
		}
	}
	if (!groups->dsh.count)
		dsh_find(&groups->dsh, groups->home);
	return groups;
}

void groups_free(struct groups *groups)
{
	if (!groups)
		return;
	for (size_t i = 0; i < GROUPS_TABLE_COUNT; i++)
		inv_free(groups->tables[i]);
	clush_free(groups->clush);
	dsh_done(&groups->dsh);
	upcalls_free(groups->upcalls);
	arena_done(&groups->texts);
	free(groups->clush_dir);
	free(groups->home);
	free(groups);
}

/* Says it of the source, with names that are like it. */
static int groups_unknown(struct groups *groups, const struct groups_source *source,
			  const char *name, struct errmsg *msg)
{
	struct buf names = {0}, text = {0};
	int rc;

	(void)groups_list(groups, source->name, &names, NULL);
	near_names(&text, &names, name);
	if (source->table && groups->options.spec_count && source->table == groups->tables[0])
		rc = err_set(msg, ERR_NOTFOUND, "there is no group %.80s in the inventory %.160s%s",
			     name, groups->options.specs[0], buf_cstr(&text));
	else
		rc = err_set(msg, ERR_NOTFOUND, "there is no group %.80s in source %s%s", name,
			     source->name, buf_cstr(&text));
	buf_done(&names);
	buf_done(&text);
	return rc;
}

/* ERR_NOTFOUND of a part means: another part may have it. */
static int groups_members_of(struct groups *groups, const struct groups_source *source,
			     const char *name, struct buf *out, struct errmsg *msg)
{
	int rc = ERR_NOTFOUND;

	if (source->table) {
		uint32_t group = inv_find_group(source->table, name, strlen(name));

		if (group != INV_NONE && (group > INV_REST || inv_host_count(source->table))) {
			inv_members(source->table, group, out);
			return 0;
		}
	}
	if (source->dsh)
		rc = dsh_members(source->dsh, name, source->name, out, msg);
	if (rc == ERR_NOTFOUND && source->clush)
		rc = clush_members(groups->clush, source->clush, groups->upcalls, name, out, msg);
	return rc;
}

int groups_members(struct groups *groups, const char *source, const char *name, struct buf *out,
		   struct errmsg *msg)
{
	struct groups_source found;
	struct errmsg why = {""};
	size_t begin = out->len;
	int rc = groups_source(groups, source, &found, msg);

	if (rc)
		return rc;
	rc = groups_members_of(groups, &found, name, out, &why);
	if (rc)
		out->len = begin;
	/* A command that failed has said why; else we do. */
	if (rc == ERR_NOTFOUND && !strstr(why.text, "ended with status"))
		return groups_unknown(groups, &found, name, msg);
	return rc ? err_set(msg, rc, "%s", why.text) : 0;
}

int groups_all(struct groups *groups, const char *source, struct buf *out, struct errmsg *msg)
{
	struct groups_source found;
	size_t begin = out->len;
	int rc = groups_source(groups, source, &found, msg);

	if (rc == 0 && found.table)
		inv_members(found.table, INV_ALL, out);
	if (rc == 0 && found.dsh)
		rc = dsh_all(found.dsh, found.name, out, msg);
	if (rc == 0 && found.clush)
		rc = clush_all(groups->clush, found.clush, groups->upcalls, out, msg);
	if (rc)
		out->len = begin;
	return rc;
}

int groups_list(struct groups *groups, const char *source, struct buf *out, struct errmsg *msg)
{
	struct groups_source found;
	size_t begin = out->len;
	int rc = groups_source(groups, source, &found, msg);

	if (rc == 0 && found.table)
		inv_list(found.table, out);
	if (rc == 0 && found.dsh)
		rc = dsh_list(found.dsh, out, msg);
	if (rc == 0 && found.clush)
		rc = clush_list(groups->clush, found.clush, groups->upcalls, out, msg);
	if (rc)
		out->len = begin;
	return rc;
}

int groups_reverse(struct groups *groups, const char *source, const char *host, struct buf *out,
		   struct errmsg *msg)
{
	struct groups_source found;
	uint32_t id;
	int rc = groups_source(groups, source, &found, msg);

	if (rc)
		return rc;
	if (found.dsh)
		return err_set(msg, ERR_UNSUPPORTED, "files of groups say nothing of a host");
	if (found.clush && !found.table)
		return clush_reverse(groups->clush, found.clush, groups->upcalls, host, out, msg);
	id = inv_find_host(found.table, host, strlen(host));
	if (id != INV_NONE)
		inv_reverse(found.table, id, out);
	return 0;
}
