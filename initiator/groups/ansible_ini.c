/* Ansible's INI: [group], [group:children], [group:vars], and host lines with variables. */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "ansible.h"
#include "limits.h"
#include "load.h"

enum ini_part { INI_HOSTS, INI_CHILDREN, INI_VARS };

static const struct {
	const char *name;
	enum ini_part part;
} ini_parts[] = {
	{"hosts", INI_HOSTS},
	{"children", INI_CHILDREN},
	{"vars", INI_VARS},
};

struct ini {
	struct inv *inv;
	const struct load_text *text;
	struct errmsg *msg;
	struct load_line line;
	enum ini_part part;
	uint32_t group;
	unsigned char *declared; /* groups that have a section of their own */
	unsigned *wanted;	 /* the line that first needs such a section; 0: none */
	uint32_t size;		 /* of both */
	struct ansible_hosts hosts;
	struct buf word;
};

static int ini_fail(struct ini *ini, int code)
{
	return load_fail(ini->text, ini->line.number, code, ini->msg);
}

static int ini_syntax(struct ini *ini, const char *what, const char *shown, size_t n)
{
	(void)err_set(ini->msg, ERR_SYNTAX, "'%.*s' %s", (int)(n > 80 ? 80 : n), shown, what);
	return ini_fail(ini, ERR_SYNTAX);
}

/* The group of this name, and a place for what is known of it. */
static int ini_group(struct ini *ini, const char *name, size_t n, uint32_t *ret)
{
	int rc = inv_group(ini->inv, name, n, ret, ini->msg);

	if (rc)
		return ini_fail(ini, rc);
	if (*ret >= ini->size) {
		uint32_t size = *ret * 2 + 64;

		ini->declared = xrealloc(ini->declared, size, 1);
		ini->wanted = xrealloc(ini->wanted, size, sizeof *ini->wanted);
		memset(ini->declared + ini->size, 0, size - ini->size);
		memset(ini->wanted + ini->size, 0, (size - ini->size) * sizeof *ini->wanted);
		ini->size = size;
	}
	return 0;
}

/* "[name]" or "[name:part]". */
static int ini_section(struct ini *ini)
{
	const char *name = ini->line.data + 1, *close = memchr(name, ']', ini->line.n - 1);
	size_t n = (size_t)(close - name), name_len, i = 0;
	const char *colon;
	int rc;

	while (n && (*name == ' ' || *name == '\t')) {
		name++;
		n--;
	}
	while (n && (name[n - 1] == ' ' || name[n - 1] == '\t'))
		n--;
	colon = memchr(name, ':', n);
	name_len = colon ? (size_t)(colon - name) : n;
	ini->part = INI_HOSTS;
	if (colon) {
		const char *part = colon + 1;
		size_t part_len = n - name_len - 1;

		while (i < ARRAY_LEN(ini_parts) && (strlen(ini_parts[i].name) != part_len ||
						    memcmp(ini_parts[i].name, part, part_len) != 0))
			i++;
		if (i == ARRAY_LEN(ini_parts))
			return ini_syntax(ini,
					  "is neither [GROUP], [GROUP:children] nor [GROUP:vars]",
					  ini->line.data, ini->line.n);
		ini->part = ini_parts[i].part;
	}
	if (memchr(name, ' ', name_len))
		return ini_syntax(ini, "is no name of a group: it has blanks", name, name_len);
	rc = ini_group(ini, name, name_len, &ini->group);
	if (rc)
		return rc;
	if (ini->part != INI_VARS)
		ini->declared[ini->group] = 1;
	else if (!ini->wanted[ini->group])
		ini->wanted[ini->group] = ini->line.number;
	return 0;
}

/* The next word of a line by the rules of a shell, into ini->word. '#' begins a comment. Moves
 * *at. Returns 1, 0 at the end, or an error. */
static int ini_word(struct ini *ini, size_t *at)
{
	const char *data = ini->line.data;
	size_t n = ini->line.n, i = *at;
	char quote = '\0';

	buf_clear(&ini->word);
	while (i < n && (data[i] == ' ' || data[i] == '\t'))
		i++;
	if (i == n || data[i] == '#')
		return 0;
	for (; i < n; i++) {
		char c = data[i];

		if (!quote && (c == ' ' || c == '\t' || c == '#'))
			break;
		if (!quote && (c == '"' || c == '\'')) {
			quote = c;
		} else if (c == quote) {
			quote = '\0';
		} else if (c == '\\' && quote != '\'' && i + 1 < n &&
			   (!quote || data[i + 1] == '"' || data[i + 1] == '\\')) {
			buf_add_char(&ini->word, data[++i]);
		} else {
			buf_add_char(&ini->word, c);
		}
	}
	if (quote)
		return ini_syntax(ini, "has a quote that does not end", data, n);
	*at = i < n && data[i] == '#' ? n : i;
	return 1;
}

/* A value that is a text in quotes is what is between them; a number ends at a comment. */
static void ini_unquote(const char **value, size_t *n)
{
	const char *text = *value, *close;
	size_t digits = 0;

	if (*n && (*text == '"' || *text == '\'')) {
		close = memchr(text + 1, *text, *n - 1);
		if (close) {
			*value = text + 1;
			*n = (size_t)(close - text - 1);
		}
		return;
	}
	while (digits < *n && text[digits] >= '0' && text[digits] <= '9')
		digits++;
	if (digits && memchr(text + digits, '#', *n - digits))
		*n = digits;
}

/* name=value, n bytes, of one host or of a group. */
static int ini_set(struct ini *ini, const char *data, size_t n, bool group)
{
	const char *eq = memchr(data, '=', n), *value = eq + 1;
	size_t name_len = (size_t)(eq - data), value_len = n - name_len - 1;
	enum inv_var var;
	int rc;

	while (name_len && (data[name_len - 1] == ' ' || data[name_len - 1] == '\t'))
		name_len--;
	while (value_len && (*value == ' ' || *value == '\t')) {
		value++;
		value_len--;
	}
	var = inv_var_find(data, name_len);
	if (var == INV_VAR_COUNT)
		return 0;
	ini_unquote(&value, &value_len);
	if (group)
		rc = inv_group_set(ini->inv, ini->group, var, value, value_len, ini->msg);
	else
		rc = inv_hosts_set(ini->inv, ini->hosts.at, ini->hosts.count, var, value, value_len,
				   ini->msg);
	return rc ? ini_fail(ini, rc) : 0;
}

static int ini_host_line(struct ini *ini)
{
	size_t at = 0;
	int rc = ini_word(ini, &at);

	if (rc <= 0)
		return rc;
	rc = ansible_expand(ini->inv, (const char *)ini->word.data, ini->word.len, false,
			    &ini->hosts, ini->msg);
	for (size_t i = 0; rc == 0 && i < ini->hosts.count; i++)
		rc = inv_join(ini->inv, ini->group, ini->hosts.at[i], ini->msg);
	if (rc)
		return ini_fail(ini, rc);
	while (rc >= 0 && (rc = ini_word(ini, &at)) > 0) {
		if (!ini->word.len || !memchr(ini->word.data, '=', ini->word.len))
			return ini_syntax(ini,
					  "stands behind a host and is no VARIABLE=VALUE: a value "
					  "with blanks needs quotes",
					  (const char *)ini->word.data, ini->word.len);
		rc = ini_set(ini, (const char *)ini->word.data, ini->word.len, false);
	}
	return rc;
}

static int ini_child_line(struct ini *ini)
{
	const char *data = ini->line.data, *comment = memchr(data, '#', ini->line.n);
	size_t n = comment ? (size_t)(comment - data) : ini->line.n;
	uint32_t child;
	int rc;

	while (n && (data[n - 1] == ' ' || data[n - 1] == '\t'))
		n--;
	if (memchr(data, ' ', n) || memchr(data, '=', n))
		return ini_syntax(ini, "is no name of a group", data, n);
	rc = ini_group(ini, data, n, &child);
	if (rc)
		return rc;
	if (!ini->wanted[child])
		ini->wanted[child] = ini->line.number;
	rc = inv_nest(ini->inv, ini->group, child, ini->msg);
	return rc ? ini_fail(ini, rc) : 0;
}

static int ini_line(struct ini *ini)
{
	const struct load_line *line = &ini->line;

	if (!line->n || *line->data == '#' || *line->data == ';')
		return 0;
	if (memchr(line->data, '\0', line->n))
		return ini_syntax(ini, "has a NUL byte: this is no text", line->data, 0);
	if (*line->data == '[') {
		const char *close = memchr(line->data, ']', line->n);
		size_t behind = close ? (size_t)(close + 1 - line->data) : 0;

		while (behind && behind < line->n &&
		       (line->data[behind] == ' ' || line->data[behind] == '\t'))
			behind++;
		if (close && (behind == line->n || line->data[behind] == '#'))
			return ini_section(ini);
	}
	if (ini->part == INI_CHILDREN)
		return ini_child_line(ini);
	if (ini->part == INI_HOSTS)
		return ini_host_line(ini);
	if (!memchr(line->data, '=', line->n))
		return ini_syntax(ini, "is no VARIABLE=VALUE", line->data, line->n);
	return ini_set(ini, line->data, line->n, true);
}

/* A group that is only ever named has no section: most likely it is misspelt. */
static int ini_check_groups(struct ini *ini)
{
	for (uint32_t group = 0; group < ini->size; group++) {
		if (!ini->wanted[group] || ini->declared[group] || group == INV_ALL ||
		    group == INV_REST)
			continue;
		ini->line.number = ini->wanted[group];
		(void)err_set(ini->msg, ERR_SYNTAX, "there is no group %s: add the section [%s]",
			      inv_group_name(ini->inv, group), inv_group_name(ini->inv, group));
		return ini_fail(ini, ERR_SYNTAX);
	}
	return 0;
}

int load_ini(struct inv *inv, const struct load_text *text, struct errmsg *msg)
{
	struct ini ini = {.inv = inv, .text = text, .msg = msg, .group = INV_REST};
	size_t at = 0;
	int rc = 0;

	while (rc == 0 && load_next(text, &at, &ini.line))
		rc = ini_line(&ini);
	if (rc == 0)
		rc = ini_check_groups(&ini);
	ansible_hosts_done(&ini.hosts);
	buf_done(&ini.word);
	free(ini.declared);
	free(ini.wanted);
	return rc;
}
