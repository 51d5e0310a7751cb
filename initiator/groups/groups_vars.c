/* What an inventory says of the login to a host, checked: it may come from anywhere. */
#include <stdlib.h>
#include <string.h>

#include "groups_private.h"
#include "limits.h"

#define VARS_SHOWN 80

static const char vars_name[] = "inventory_hostname";

/* The name in one "{{ inventory_hostname }}" or "{{ inventory_hostname_short }}" at text; returns
 * its length in the template, 0: it is another one. */
static size_t vars_template(const char *text, const char *host, struct buf *out)
{
	size_t n = 2 + strspn(text + 2, " "), len = strlen(host);

	if (strncmp(text + n, vars_name, sizeof vars_name - 1) != 0)
		return 0;
	n += sizeof vars_name - 1;
	if (strncmp(text + n, "_short", 6) == 0) {
		n += 6;
		len = strcspn(host, ".");
	}
	n += strspn(text + n, " ");
	if (strncmp(text + n, "}}", 2) != 0)
		return 0;
	buf_add(out, host, len);
	return n + 2;
}

static int vars_fail(const char *host, enum inv_var var, const char *value, const char *what,
		     struct errmsg *msg)
{
	return err_set(msg, ERR_SYNTAX, "%s: %s is '%.*s' in its inventory: %s", host,
		       inv_var_name(var), VARS_SHOWN, value, what);
}

/* The value with what can be worked out of a template. */
static int vars_text(struct groups *groups, const char *host, enum inv_var var, const char **value,
		     struct errmsg *msg)
{
	struct buf out = {0};
	const char *at = *value;
	int rc = 0;

	if (strncmp(at, "$ANSIBLE_VAULT", 14) == 0)
		return vars_fail(host, var, "$ANSIBLE_VAULT", "only Ansible can decrypt that", msg);
	if (!strstr(at, "{{") && !strstr(at, "{%"))
		return 0;
	while (rc == 0 && *at) {
		bool template = at[0] == '{' && (at[1] == '{' || at[1] == '%');
		size_t n = template && at[1] == '{' ? vars_template(at, host, &out) : 0;

		if (template && !n)
			rc = vars_fail(host, var, *value,
				       "of templates, {{ inventory_hostname }} is all that is "
				       "understood here (ansible-inventory --list does not help; "
				       "write user@host)",
				       msg);
		else if (!template)
			buf_add_char(&out, *at);
		at += template ? n : 1;
	}
	if (rc == 0)
		*value = arena_text(&groups->texts, buf_cstr(&out), out.len);
	buf_done(&out);
	return rc;
}

static bool vars_is_word(const char *text, size_t max)
{
	size_t n = strlen(text);

	if (!n || n > max || *text == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f)
			return false;
	return true;
}

/* One that may be connected to, as far as this room can tell. */
static bool vars_is_address(const char *text)
{
	static const char fine[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				   ".-_:%";

	if (!vars_is_word(text, LIMIT_HOST_NAME))
		return false;
	for (; *text; text++)
		if (!((unsigned char)*text & 0x80) && !strchr(fine, *text))
			return false;
	return true;
}

static int vars_port(const char *host, enum inv_var var, const char *value, uint16_t *ret,
		     struct errmsg *msg)
{
	size_t digits = strspn(value, "0123456789");
	unsigned long port = digits && digits < 6 && !value[digits] ? strtoul(value, NULL, 10) : 0;

	if (port < 1 || port > 65535)
		return vars_fail(host, var, value, "a port is a number from 1 to 65535", msg);
	*ret = (uint16_t)port;
	return 0;
}

/* Of a pair, the one that outweighs. */
static enum inv_var vars_of(const struct inv *inv, uint32_t id, enum inv_var var,
			    enum inv_var strong, const char **ret)
{
	*ret = inv_value(inv, id, strong);
	if (*ret)
		return strong;
	*ret = inv_value(inv, id, var);
	return var;
}

static int vars_find(struct groups *groups, const struct inv *inv, uint32_t id, const char *host,
		     struct groups_vars *ret, struct errmsg *msg)
{
	enum inv_var var;
	const char *value;
	int rc;

	var = vars_of(inv, id, INV_HOST, INV_SSH_HOST, &value);
	if (value) {
		rc = vars_text(groups, host, var, &value, msg);
		if (rc == 0 && !vars_is_address(value))
			rc = vars_fail(host, var, value, "this is no name or address", msg);
		if (rc)
			return rc;
		ret->address = value;
	}
	var = vars_of(inv, id, INV_USER, INV_SSH_USER, &value);
	if (value) {
		rc = vars_text(groups, host, var, &value, msg);
		if (rc == 0 && !vars_is_word(value, LIMIT_HOST_NAME))
			rc = vars_fail(host, var, value, "this is no name of a user", msg);
		if (rc)
			return rc;
		ret->user = value;
	}
	var = vars_of(inv, id, INV_PORT, INV_SSH_PORT, &value);
	rc = value ? vars_text(groups, host, var, &value, msg) : 0;
	return rc == 0 && value ? vars_port(host, var, value, &ret->port, msg) : rc;
}

int groups_vars(struct groups *groups, const char *host, struct groups_vars *ret,
		struct errmsg *msg)
{
	*ret = (struct groups_vars){0};
	for (size_t i = 0; i < GROUPS_TABLE_COUNT; i++) {
		const struct inv *inv = groups->tables[i];
		uint32_t id = inv && groups->read[i].rc == 0 && groups->read[i].done
				      ? inv_find_host(inv, host, strlen(host))
				      : INV_NONE;

		if (id != INV_NONE)
			return vars_find(groups, inv, id, host, ret, msg);
	}
	return 0;
}
