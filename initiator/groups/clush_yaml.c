/* The files of groups.d: sources with groups, which are texts or lists of texts. */
#include <stdlib.h>

#include "alloc.h"
#include "clush.h"
#include "files.h"
#include "limits.h"

static int yaml_bad(const char *path, const struct doc_node *at, const char *what,
		    struct errmsg *msg)
{
	return err_set(msg, ERR_SYNTAX, "%s:%u: %s, and not %s", path, at->line, what,
		       doc_kind_name(at->kind));
}

static int yaml_check_group(const struct doc *doc, const char *path, const struct doc_node *key,
			    const struct doc_node *value, struct errmsg *msg)
{
	if (key->kind != DOC_TEXT)
		return yaml_bad(path, key, "the name of a group is a text", msg);
	if (value->kind == DOC_MAP)
		return yaml_bad(path, value, "a group is a text or a list of texts", msg);
	for (uint32_t i = doc_first(value); i != DOC_NONE; i = doc_next(doc, i))
		if (doc_at(doc, i)->kind != DOC_TEXT)
			return yaml_bad(path, doc_at(doc, i), "a host in a list is a text", msg);
	return 0;
}

static int yaml_source(struct clush *clush, const struct doc *doc, const char *path, uint32_t key,
		       struct errmsg *msg)
{
	const struct doc_node *name = doc_at(doc, key), *groups;
	struct clush_source *source;
	char *where;
	int rc = 0;

	if (name->kind != DOC_TEXT)
		return yaml_bad(path, name, "the name of a source is a text", msg);
	groups = doc_at(doc, doc_next(doc, key));
	if (groups->kind != DOC_MAP && groups->kind != DOC_NULL)
		return yaml_bad(path, groups, "a source is a map of groups", msg);
	for (uint32_t i = doc_first(groups); rc == 0 && i != DOC_NONE;
	     i = doc_next(doc, doc_next(doc, i)))
		rc = yaml_check_group(doc, path, doc_at(doc, i), doc_at(doc, doc_next(doc, i)),
				      msg);
	if (rc)
		return rc;
	where = xasprintf("%s:%u", path, name->line);
	rc = clush_add(clush, name->text, name->len, where, &source, msg);
	free(where);
	if (rc)
		return rc;
	source->file = xstrdup(path);
	source->doc = (uint32_t)clush->doc_count;
	source->groups = doc_next(doc, key);
	return 0;
}

int clush_yaml(struct clush *clush, const char *path, struct errmsg *msg)
{
	struct buf content = {0};
	struct doc *doc;
	int rc = files_read(path, LIMIT_INVENTORY, &content, msg);

	if (rc == 0) {
		clush->docs = xrealloc(clush->docs, clush->doc_count + 1, sizeof *clush->docs);
		doc = &clush->docs[clush->doc_count++];
		rc = doc_parse(doc, (const char *)content.data, content.len, path, msg);
		if (rc == 0 && doc_at(doc, 0)->kind != DOC_MAP && doc_at(doc, 0)->kind != DOC_NULL)
			rc = yaml_bad(path, doc_at(doc, 0), "this is a map of sources", msg);
		for (uint32_t i = rc ? DOC_NONE : doc_first(doc_at(doc, 0));
		     rc == 0 && i != DOC_NONE; i = doc_next(doc, doc_next(doc, i)))
			rc = yaml_source(clush, doc, path, i, msg);
	}
	buf_done(&content);
	return rc;
}
