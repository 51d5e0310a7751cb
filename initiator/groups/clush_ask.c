/* What a source of ClusterShell says of its groups. */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clush.h"
#include "limits.h"
#include "qualify.h"

static const char *const ask_names[] = {"map", "all", "list", "reverse"};

/* What may replace $GROUP or $NODE in a command: nothing that a shell would make more of, and no
 * option of it. Names of groups come from commands, too. */
static bool ask_is_plain(const char *text)
{
	if (*text == '-')
		return false;
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c <= ' ' || c == 0x7f || strchr("'\"`$\\;|&<>(){}!#?*~[]", c))
			return false;
	}
	return true;
}

struct ask_names {
	const char *cfgdir, *source, *group, *node;
};

static const char *ask_value(const struct ask_names *names, const char *name, size_t n)
{
	const struct {
		const char *name, *value;
	} rows[] = {
		{"CFGDIR", names->cfgdir},
		{"SOURCE", names->source},
		{"GROUP", names->group},
		{"NODE", names->node},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strlen(rows[i].name) == n && memcmp(rows[i].name, name, n) == 0)
			return rows[i].value;
	return NULL;
}

/* $NAME, ${NAME} and $$ are replaced before a shell sees them, as ClusterShell does; what else
 * begins with '$' is the shell's. */
static char *ask_command(const char *text, const struct ask_names *names)
{
	static const char word[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
				   "0123456789";
	struct buf out = {0};

	while (*text) {
		bool braces = text[0] == '$' && text[1] == '{';
		const char *name = text + 1 + braces, *value = NULL;
		size_t n = *text == '$' ? strspn(name, word) : 0;

		if (n && (!braces || name[n] == '}'))
			value = ask_value(names, name, n);
		if (text[0] == '$' && text[1] == '$') {
			buf_add_char(&out, '$');
			text += 2;
		} else if (value) {
			buf_add_str(&out, value);
			text = name + n + braces;
		} else {
			buf_add_char(&out, *text++);
		}
	}
	return buf_take_str(&out);
}

static int ask_call(const struct clush *clush, const struct clush_source *source,
		    struct upcalls *upcalls, enum clush_call which, const char *name,
		    struct buf *out, struct errmsg *msg)
{
	struct ask_names names = {clush->cfgdir ? clush->cfgdir : "", source->name,
				  which == CLUSH_MAP ? name : NULL,
				  which == CLUSH_REVERSE ? name : NULL};
	char *what, *command;
	int rc;

	if (name && !ask_is_plain(name))
		return err_set(msg, ERR_SYNTAX,
			       "source %s: '%.80s' is no name that can go into its command (%s in "
			       "%s)",
			       source->name, name, ask_names[which], source->file);
	what = xasprintf("source %s (%s), %s", source->name, source->file, ask_names[which]);
	command = ask_command(source->calls[which], &names);
	rc = upcall(upcalls,
		    &(struct upcall){.command = command,
				     .dir = source->dir,
				     .file = source->file,
				     .what = what,
				     .cache_ms = source->cache_ms,
				     .may_fail = name != NULL},
		    out, msg);
	free(command);
	free(what);
	return rc;
}

static const struct doc *ask_doc(const struct clush *clush, const struct clush_source *source)
{
	return &clush->docs[source->doc - 1];
}

static void ask_put_node(const struct doc *doc, const struct doc_node *value, const char *source,
			 struct buf *out)
{
	if (value->kind == DOC_TEXT)
		qualify(out, value->text, value->len, source);
	for (uint32_t i = doc_first(value); i != DOC_NONE; i = doc_next(doc, i)) {
		qualify(out, doc_at(doc, i)->text, doc_at(doc, i)->len, source);
		buf_add_char(out, '\n');
	}
	buf_add_char(out, '\n');
}

static int ask_unknown(const struct clush_source *source, const char *name, struct errmsg *msg)
{
	return err_set(msg, ERR_NOTFOUND, "there is no group %.80s in source %s (%s)", name,
		       source->name, source->file);
}

static bool ask_has_line(const struct buf *list, size_t begin, const char *name)
{
	size_t n = strlen(name), at = begin;

	while (at < list->len) {
		const uint8_t *word = list->data + at, *eol = memchr(word, '\n', list->len - at);
		size_t len = eol ? (size_t)(eol - word) : list->len - at;

		if (len == n && memcmp(word, name, n) == 0)
			return true;
		at += len + 1;
	}
	return false;
}

static bool ask_is_blank(const struct buf *text)
{
	for (size_t i = 0; i < text->len; i++)
		if (text->data[i] > ' ')
			return false;
	return true;
}

/* A command that says nothing may know the group, if that is one of the list. */
static int ask_map(const struct clush *clush, const struct clush_source *source,
		   struct upcalls *upcalls, const char *name, struct buf *out, struct errmsg *msg)
{
	struct buf said = {0}, list = {0};
	int rc;

	if (!source->calls[CLUSH_MAP])
		return err_set(msg, ERR_UNSUPPORTED, "source %s has no map in %s", source->name,
			       source->file);
	rc = ask_call(clush, source, upcalls, CLUSH_MAP, name, &said, msg);
	if (rc == 0 && ask_is_blank(&said)) {
		if (!source->calls[CLUSH_LIST])
			rc = ask_unknown(source, name, msg);
		else
			rc = clush_list(clush, source, upcalls, &list, msg);
		if (rc == 0 && !ask_has_line(&list, 0, name))
			rc = ask_unknown(source, name, msg);
	}
	if (rc == 0)
		qualify(out, (const char *)said.data, said.len, source->name);
	buf_done(&said);
	buf_done(&list);
	return rc;
}

int clush_members(const struct clush *clush, const struct clush_source *source,
		  struct upcalls *upcalls, const char *name, struct buf *out, struct errmsg *msg)
{
	const struct doc *doc;
	const struct doc_node *value;

	if (!source->doc)
		return ask_map(clush, source, upcalls, name, out, msg);
	doc = ask_doc(clush, source);
	value = doc_get(doc, doc_at(doc, source->groups), name);
	if (!value)
		return ask_unknown(source, name, msg);
	ask_put_node(doc, value, source->name, out);
	return 0;
}

/* A name a line. */
int clush_list(const struct clush *clush, const struct clush_source *source,
	       struct upcalls *upcalls, struct buf *out, struct errmsg *msg)
{
	struct buf said = {0};
	int rc = 0;

	if (source->doc) {
		const struct doc *doc = ask_doc(clush, source);

		for (uint32_t i = doc_first(doc_at(doc, source->groups)); i != DOC_NONE;
		     i = doc_next(doc, doc_next(doc, i)))
			buf_addf(out, "%s\n", doc_at(doc, i)->text);
		return 0;
	}
	if (!source->calls[CLUSH_LIST])
		return err_set(msg, ERR_UNSUPPORTED,
			       "source %s cannot name its groups: it has no 'list' in %s",
			       source->name, source->file);
	rc = ask_call(clush, source, upcalls, CLUSH_LIST, NULL, &said, msg);
	for (size_t i = 0; rc == 0 && i < said.len; i++) {
		bool blank = said.data[i] <= ' ';

		if (!blank)
			buf_add_char(out, (char)said.data[i]);
		if (!blank && (i + 1 == said.len || said.data[i + 1] <= ' '))
			buf_add_char(out, '\n');
	}
	buf_done(&said);
	return rc;
}

/* The hosts of all groups, as there is no shorter way. */
static int ask_all_groups(const struct clush *clush, const struct clush_source *source,
			  struct upcalls *upcalls, struct buf *out, struct errmsg *msg)
{
	struct buf list = {0}, part = {0};
	unsigned calls = 0;
	int rc;

	if (source->doc) {
		const struct doc *doc = ask_doc(clush, source);

		for (uint32_t i = doc_first(doc_at(doc, source->groups)); i != DOC_NONE;
		     i = doc_next(doc, doc_next(doc, i)))
			ask_put_node(doc, doc_at(doc, doc_next(doc, i)), source->name, out);
		return 0;
	}
	rc = clush_list(clush, source, upcalls, &list, msg);

	for (char *name = rc ? NULL : (char *)(uintptr_t)buf_cstr(&list);
	     rc == 0 && name && *name;) {
		size_t n = strcspn(name, "\n");

		name[n] = '\0';
		if (++calls > LIMIT_GROUP_UPCALLS)
			rc = err_set(msg, ERR_LIMIT,
				     "source %s has more than %u groups: it needs an 'all' in %s",
				     source->name, LIMIT_GROUP_UPCALLS, source->file);
		else
			rc = clush_members(clush, source, upcalls, name, &part, msg);
		name += n + 1;
		if (part.len && part.data[part.len - 1] != '\n')
			buf_add_char(&part, '\n');
	}
	if (rc == 0)
		buf_add(out, part.data, part.len);
	buf_done(&part);
	buf_done(&list);
	return rc;
}

int clush_all(const struct clush *clush, const struct clush_source *source, struct upcalls *upcalls,
	      struct buf *out, struct errmsg *msg)
{
	struct buf said = {0};
	int rc;

	if (source->doc || !source->calls[CLUSH_ALL])
		return ask_all_groups(clush, source, upcalls, out, msg);
	rc = ask_call(clush, source, upcalls, CLUSH_ALL, NULL, &said, msg);
	if (rc == 0)
		qualify(out, (const char *)said.data, said.len, source->name);
	buf_done(&said);
	return rc;
}

int clush_reverse(const struct clush *clush, const struct clush_source *source,
		  struct upcalls *upcalls, const char *host, struct buf *out, struct errmsg *msg)
{
	if (source->doc || !source->calls[CLUSH_REVERSE])
		return err_set(msg, ERR_UNSUPPORTED, "source %s has no 'reverse' in %s",
			       source->name, source->file);
	return ask_call(clush, source, upcalls, CLUSH_REVERSE, host, out, msg);
}
