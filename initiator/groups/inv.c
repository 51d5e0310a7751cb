#include "inv.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "inv_private.h"
#include "limits.h"

static const char *const inv_var_names[] = {
	[INV_HOST] = "ansible_host",
	[INV_SSH_HOST] = "ansible_ssh_host",
	[INV_PORT] = "ansible_port",
	[INV_SSH_PORT] = "ansible_ssh_port",
	[INV_USER] = "ansible_user",
	[INV_SSH_USER] = "ansible_ssh_user",
	[INV_PRIORITY] = "ansible_group_priority",
};

enum inv_var inv_var_find(const char *name, size_t n)
{
	size_t i = 0;

	if (n < 8 || memcmp(name, "ansible_", 8) != 0)
		return INV_VAR_COUNT;
	while (i < INV_VAR_COUNT &&
	       (strlen(inv_var_names[i]) != n || memcmp(inv_var_names[i], name, n) != 0))
		i++;
	return (enum inv_var)i;
}

const char *inv_var_name(enum inv_var var)
{
	return inv_var_names[var];
}

struct inv *inv_new(void)
{
	struct inv *inv = xcalloc(1, sizeof *inv);
	uint32_t group;

	(void)inv_group(inv, "all", 3, &group, NULL);
	(void)inv_group(inv, "ungrouped", 9, &group, NULL);
	return inv;
}

void inv_free(struct inv *inv)
{
	if (!inv)
		return;
	for (uint32_t i = 0; i < inv->host_count; i++)
		free(inv->hosts[i].vars);
	for (uint32_t i = 0; i < inv->group_count; i++) {
		free(inv->groups[i].vars);
		free(inv->groups[i].hosts.at);
		free(inv->groups[i].children.at);
	}
	for (uint32_t i = 0; i < inv->layer_count; i++)
		free(inv->layers[i].vars);
	free(inv->layers);
	free(inv->hosts);
	free(inv->groups);
	names_done(&inv->host_names);
	names_done(&inv->group_names);
	arena_done(&inv->texts);
	free(inv);
}

static bool inv_host_char(unsigned char c)
{
	return c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || (c && strchr(".-_:%", c));
}

static int inv_check_host(const char *name, size_t n, struct errmsg *msg)
{
	size_t i = 0;

	if (!n || n > LIMIT_HOST_NAME)
		return err_set(msg, ERR_SYNTAX, "a host name of %zu bytes (1 to %u)", n,
			       LIMIT_HOST_NAME);
	while (i < n && inv_host_char((unsigned char)name[i]))
		i++;
	if (i < n || *name == '-')
		return err_set(msg, ERR_SYNTAX,
			       "'%.*s' is no host name (letters, digits, '.', '-', '_')",
			       (int)(n > 80 ? 80 : n), name);
	return 0;
}

int inv_host(struct inv *inv, const char *name, size_t n, uint32_t *ret, struct errmsg *msg)
{
	uint32_t found = names_find(&inv->host_names, name, n);
	int rc;

	if (found != NAMES_NONE) {
		*ret = found;
		return 0;
	}
	rc = inv_check_host(name, n, msg);
	if (rc == 0 && inv->host_count >= LIMIT_HOSTS)
		rc = err_set(msg, ERR_LIMIT, "more than %u hosts", LIMIT_HOSTS);
	if (rc)
		return rc;
	if (inv->host_count == inv->host_size) {
		inv->host_size = inv->host_size ? inv->host_size * 2 : 64;
		inv->hosts = xrealloc(inv->hosts, inv->host_size, sizeof *inv->hosts);
	}
	name = arena_text(&inv->texts, name, n);
	inv->hosts[inv->host_count++] = (struct inv_host){.name = name};
	*ret = names_add(&inv->host_names, name, n);
	return 0;
}

int inv_group(struct inv *inv, const char *name, size_t n, uint32_t *ret, struct errmsg *msg)
{
	uint32_t found = names_find(&inv->group_names, name, n);

	if (found != NAMES_NONE) {
		*ret = found;
		return 0;
	}
	if (!n || n > LIMIT_GROUP_NAME || memchr(name, '\0', n) || memchr(name, '\n', n))
		return err_set(msg, ERR_SYNTAX, "no name of a group (1 to %u bytes in one line)",
			       LIMIT_GROUP_NAME);
	if (inv->group_count >= LIMIT_GROUPS)
		return err_set(msg, ERR_LIMIT, "more than %u groups", LIMIT_GROUPS);
	if (inv->group_count == inv->group_size) {
		inv->group_size = inv->group_size ? inv->group_size * 2 : 64;
		inv->groups = xrealloc(inv->groups, inv->group_size, sizeof *inv->groups);
	}
	name = arena_text(&inv->texts, name, n);
	inv->groups[inv->group_count++] = (struct inv_group){.name = name};
	*ret = names_add(&inv->group_names, name, n);
	return 0;
}

uint32_t inv_find_group(const struct inv *inv, const char *name, size_t n)
{
	return names_find(&inv->group_names, name, n);
}

uint32_t inv_find_host(const struct inv *inv, const char *name, size_t n)
{
	return names_find(&inv->host_names, name, n);
}

static int inv_link(struct inv *inv, struct inv_ids *ids, uint32_t id, struct errmsg *msg)
{
	if (ids->count && ids->at[ids->count - 1] == id)
		return 0;
	if (inv->links >= LIMIT_GROUP_LINKS)
		return err_set(msg, ERR_LIMIT, "more than %u entries in all groups",
			       LIMIT_GROUP_LINKS);
	inv->links++;
	if (ids->count == ids->size) {
		ids->size = ids->size ? ids->size * 2 : 8;
		ids->at = xrealloc(ids->at, ids->size, sizeof *ids->at);
	}
	ids->at[ids->count++] = id;
	return 0;
}

int inv_join(struct inv *inv, uint32_t group, uint32_t host, struct errmsg *msg)
{
	if (group == INV_ALL || group == INV_REST) /* those of both are known without a list */
		return 0;
	inv->hosts[host].grouped = true;
	return inv_link(inv, &inv->groups[group].hosts, host, msg);
}

int inv_nest(struct inv *inv, uint32_t parent, uint32_t child, struct errmsg *msg)
{
	if (child == INV_ALL || child == INV_REST)
		return err_set(msg, ERR_SYNTAX, "group %s cannot be in another group",
			       inv->groups[child].name);
	if (parent == INV_ALL)
		return 0;
	return inv_link(inv, &inv->groups[parent].children, child, msg);
}

int inv_work(struct inv *inv, uint64_t n, struct errmsg *msg)
{
	inv->work += n;
	if (inv->work <= LIMIT_GROUP_WORK)
		return 0;
	return err_set(msg, ERR_LIMIT,
		       "more than %u names and variables, as patterns and aliases multiply them",
		       LIMIT_GROUP_WORK);
}

/* One copy, for however many hosts. */
static int inv_value_text(struct inv *inv, const char *value, size_t n, const char **ret,
			  struct errmsg *msg)
{
	if (n > LIMIT_INVENTORY - inv->value_bytes)
		return err_set(msg, ERR_LIMIT, "values of variables of more than %u MiB in all",
			       LIMIT_INVENTORY >> 20);
	inv->value_bytes += n;
	*ret = arena_text(&inv->texts, value, n);
	return 0;
}

static void inv_set(struct inv_vars **vars, enum inv_var var, const char *text)
{
	if (!*vars)
		*vars = xcalloc(1, sizeof **vars);
	(*vars)->at[var] = text;
}

int inv_hosts_set(struct inv *inv, const uint32_t *hosts, size_t count, enum inv_var var,
		  const char *value, size_t n, struct errmsg *msg)
{
	const char *text;
	int rc = inv_work(inv, count, msg);

	if (rc == 0)
		rc = inv_value_text(inv, value, n, &text, msg);
	for (size_t i = 0; rc == 0 && i < count; i++)
		inv_set(&inv->hosts[hosts[i]].vars, var, text);
	return rc;
}

void inv_begin_files(struct inv *inv, uint32_t tier)
{
	inv->tier = tier;
}

/* Where variables of a group are put now. All files of one come one after the other. */
static struct inv_vars **inv_group_vars(struct inv *inv, uint32_t group)
{
	struct inv_layer *last = inv->layer_count ? &inv->layers[inv->layer_count - 1] : NULL;

	if (!inv->tier)
		return &inv->groups[group].vars;
	if (last && last->group == group && last->tier == inv->tier)
		return &last->vars;
	if (inv->layer_count == inv->layer_size) {
		inv->layer_size = inv->layer_size ? inv->layer_size * 2 : 16;
		inv->layers = xrealloc(inv->layers, inv->layer_size, sizeof *inv->layers);
	}
	last = &inv->layers[inv->layer_count++];
	*last = (struct inv_layer){.group = group, .tier = inv->tier};
	return &last->vars;
}

int inv_group_set(struct inv *inv, uint32_t group, enum inv_var var, const char *value, size_t n,
		  struct errmsg *msg)
{
	const char *text;
	int rc;

	if (inv->tier && var == INV_PRIORITY)
		return 0;
	rc = inv_value_text(inv, value, n, &text, msg);
	if (rc == 0)
		inv_set(inv_group_vars(inv, group), var, text);
	return rc;
}

size_t inv_host_count(const struct inv *inv)
{
	return inv->host_count;
}

size_t inv_group_count(const struct inv *inv)
{
	return inv->group_count;
}

const char *inv_group_name(const struct inv *inv, uint32_t group)
{
	return inv->groups[group].name;
}

const char *inv_value(const struct inv *inv, uint32_t host, enum inv_var var)
{
	return inv->hosts[host].vars ? inv->hosts[host].vars->at[var] : NULL;
}
