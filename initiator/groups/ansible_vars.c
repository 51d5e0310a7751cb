#include "ansible_vars.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "ansible.h"
#include "files.h"
#include "limits.h"
#include "load.h"

#define VARS_VAULT "$ANSIBLE_VAULT"

/* What may stand behind a name; of several that are there, the first one counts. */
static const char *const vars_ends[] = {"", ".yml", ".yaml", ".json"};

struct vars_load {
	struct inv *inv;
	struct buf *notes;
	size_t bytes;	/* read so far */
	unsigned depth; /* of directories */
	bool group;
	uint32_t id; /* of the group or the host that is read of */
};

static int vars_document(struct vars_load *v, const struct load_text *text, struct errmsg *msg)
{
	struct doc doc;
	const struct doc_node *root;
	int rc = doc_parse(&doc, text->data, text->n, text->path, msg);

	root = rc == 0 ? doc_at(&doc, 0) : NULL;
	if (root && root->kind == DOC_MAP)
		rc = ansible_set_vars(v->inv, v->group, v->id, &doc, root, msg);
	else if (root && root->kind != DOC_NULL)
		rc = err_set(msg, ERR_SYNTAX, "variables must be a map, and this is %s",
			     doc_kind_name(root->kind));
	if (root && rc)
		rc = load_fail(text, root->line, rc, msg);
	doc_done(&doc);
	return rc;
}

static int vars_file(struct vars_load *v, const char *path, struct errmsg *msg)
{
	struct buf content = {0};
	int rc = files_read(path, LIMIT_INVENTORY, &content, msg);
	const struct load_text text = {(const char *)content.data, content.len, path};

	v->bytes += content.len;
	if (rc == 0 && v->bytes > LIMIT_INVENTORY)
		rc = err_set(msg, ERR_LIMIT, "%s: more than %u bytes in all files of variables",
			     path, LIMIT_INVENTORY);
	if (rc == 0 && text.n >= strlen(VARS_VAULT) &&
	    memcmp(text.data, VARS_VAULT, strlen(VARS_VAULT)) == 0)
		buf_addf(v->notes,
			 "%s: encrypted by ansible-vault, and not read; should it say how hosts "
			 "are logged in to, put that into a file of its own\n",
			 path);
	else if (rc == 0)
		rc = vars_document(v, &text, msg);
	buf_done(&content);
	return rc;
}

static const char *vars_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int vars_directory(struct vars_load *v, const char *path, struct errmsg *msg);

/* In the directory of a group or host: files with such an end or none, and directories without. */
static int vars_on_file(void *arg, const char *path, struct errmsg *msg)
{
	const char *name = vars_base(path), *end = strrchr(name, '.');
	bool fits = !end;
	struct stat st;

	for (size_t i = 1; end && i < ARRAY_LEN(vars_ends); i++)
		fits |= strcmp(end, vars_ends[i]) == 0;
	if (!fits || name[strlen(name) - 1] == '~' || stat(path, &st) != 0)
		return 0;
	if (S_ISDIR(st.st_mode))
		return end ? 0 : vars_directory(arg, path, msg);
	return S_ISREG(st.st_mode) ? vars_file(arg, path, msg) : 0;
}

static int vars_directory(struct vars_load *v, const char *path, struct errmsg *msg)
{
	int rc;

	if (v->depth == LIMIT_INVENTORY_DEPTH)
		return err_set(msg, ERR_LIMIT, "%s: more than %u directories in one another", path,
			       LIMIT_INVENTORY_DEPTH);
	v->depth++;
	rc = files_each(path, NULL, vars_on_file, v, msg);
	v->depth--;
	return rc;
}

/* True if a stronger way to write the name is there, too. */
static bool vars_is_outdone(const char *path, size_t len, size_t end)
{
	for (size_t i = 0; i < end; i++) {
		char *other = xasprintf("%.*s%s", (int)len, path, vars_ends[i]);
		bool found = access(other, F_OK) == 0;

		free(other);
		if (found)
			return true;
	}
	return false;
}

/* What is in group_vars or host_vars: of somebody who is in the inventory, or of nobody. */
static int vars_on_entry(void *arg, const char *path, struct errmsg *msg)
{
	struct vars_load *v = arg;
	const char *name = vars_base(path);
	size_t n = strlen(name), before = (size_t)(name - path);
	struct stat st;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(vars_ends); i++) {
		size_t end = strlen(vars_ends[i]);

		if (n <= end || strcmp(name + n - end, vars_ends[i]) != 0)
			continue;
		v->id = (v->group ? inv_find_group : inv_find_host)(v->inv, name, n - end);
		if (v->id == INV_NONE || vars_is_outdone(path, before + n - end, i) ||
		    stat(path, &st) != 0)
			continue;
		rc = S_ISDIR(st.st_mode) ? vars_directory(v, path, msg) : vars_file(v, path, msg);
	}
	return rc;
}

static int vars_all(struct vars_load *v, const char *base, struct errmsg *msg)
{
	char *path = xasprintf("%s/%s", base, v->group ? "group_vars" : "host_vars");
	struct stat st;
	int rc = 0;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		rc = files_each(path, NULL, vars_on_entry, v, msg);
	else if (access(path, F_OK) == 0)
		buf_addf(v->notes, "%s is no directory, and is passed over\n", path);
	free(path);
	return rc;
}

int ansible_vars_load(struct inv *inv, const char *path, uint32_t tier, struct buf *notes,
		      struct errmsg *msg)
{
	struct vars_load v = {.inv = inv, .notes = notes, .group = true};
	const char *slash = strrchr(path, '/');
	struct stat st;
	char *base;
	int rc;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		base = xstrdup(path);
	else
		base = slash ? xstrndup(path, (size_t)(slash - path) + 1) : xstrdup(".");
	for (size_t n = strlen(base); n > 1 && base[n - 1] == '/'; n--)
		base[n - 1] = '\0';
	inv_begin_files(inv, tier);
	rc = vars_all(&v, base, msg);
	v.group = false;
	if (rc == 0)
		rc = vars_all(&v, base, msg);
	free(base);
	return rc;
}
