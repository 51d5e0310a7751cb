#include "inventory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "ansible.h"
#include "files.h"
#include "limits.h"
#include "load.h"

static const struct {
	const char *prefix;
	enum inventory_kind kind;
} inventory_kinds[] = {
	{"ansible:", INVENTORY_ANSIBLE}, {"hosts:", INVENTORY_HOSTS},
	{"cmd:", INVENTORY_CMD},	 {"ssh:", INVENTORY_SSH},
	{"dsh:", INVENTORY_DSH},	 {"clustershell:", INVENTORY_CLUSTERSHELL},
};

struct inventory {
	struct inv *inv;
	enum inventory_kind kind;
	const char *home;
	struct upcalls *upcalls;
	unsigned depth;
	size_t bytes; /* read so far */
};

char *inventory_path(const char *path, const char *home)
{
	if (path[0] == '~' && path[1] == '/' && home)
		return xasprintf("%s%s", home, path + 1);
	return xstrdup(path);
}

static bool inventory_is_clush(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *conf = xasprintf("%s/groups.conf", path);
	bool found = access(conf, F_OK) == 0;

	free(conf);
	return found || strcmp(slash ? slash + 1 : path, "groups.conf") == 0;
}

enum inventory_kind inventory_kind(const char *spec, const char **ret_rest)
{
	for (size_t i = 0; i < ARRAY_LEN(inventory_kinds); i++) {
		size_t n = strlen(inventory_kinds[i].prefix);

		if (strncmp(spec, inventory_kinds[i].prefix, n) == 0) {
			*ret_rest = spec + n;
			return inventory_kinds[i].kind;
		}
	}
	*ret_rest = spec;
	return inventory_is_clush(spec) ? INVENTORY_CLUSTERSHELL : INVENTORY_PATH;
}

/* --- texts ----------------------------------------------------------------------------------- */

static bool inventory_ends(const char *path, const char *end)
{
	size_t n = strlen(path), len = strlen(end);

	return n >= len && strcmp(path + n - len, end) == 0;
}

/* A JSON file in an inventory of Ansible is one for its YAML reader, but what a script has said
 * may be kept in such a file as well: that has lists of hosts. */
static enum load_kind inventory_json(const struct load_text *text)
{
	struct doc doc;
	enum load_kind kind = LOAD_LIST;

	if (doc_parse(&doc, text->data, text->n, text->path, NULL) == 0) {
		const struct doc_node *root = doc_at(&doc, 0);
		const struct doc_node *all = doc_get(&doc, root, "all"), *hosts = NULL;

		if (all)
			hosts = doc_get(&doc, all, "hosts");
		if (!doc_get(&doc, root, "_meta") && hosts && hosts->kind == DOC_MAP)
			kind = LOAD_YAML;
		else if (!doc_get(&doc, root, "_meta") && all && doc_get(&doc, all, "children") &&
			 doc_get(&doc, all, "children")->kind == DOC_MAP)
			kind = LOAD_YAML;
	}
	doc_done(&doc);
	return kind;
}

static enum load_kind inventory_guess(const struct inventory *in, const struct load_text *text)
{
	enum load_kind kind;

	if (in->kind == INVENTORY_HOSTS)
		return LOAD_HOSTS;
	if (in->kind == INVENTORY_SSH)
		return LOAD_SSH;
	kind = load_guess(text);
	if (kind == LOAD_LIST)
		return inventory_json(text);
	if (inventory_ends(text->path, ".yml") || inventory_ends(text->path, ".yaml"))
		return LOAD_YAML;
	if (inventory_ends(text->path, ".json"))
		return LOAD_LIST;
	if (in->kind == INVENTORY_ANSIBLE && kind != LOAD_YAML)
		return LOAD_INI;
	return kind;
}

static int inventory_text(struct inventory *in, const struct load_text *text, struct errmsg *msg)
{
	switch (inventory_guess(in, text)) {
	case LOAD_INI:
		return load_ini(in->inv, text, msg);
	case LOAD_YAML:
		return load_yaml(in->inv, text, msg);
	case LOAD_LIST:
		return load_list(in->inv, text, msg);
	case LOAD_SSH:
		return load_ssh(in->inv, text, in->home, msg);
	case LOAD_HOSTS:
		break;
	}
	return load_hosts(in->inv, text, msg);
}

/* --- commands -------------------------------------------------------------------------------- */

/* JSON as a script of Ansible says it, or words that are hosts. */
static int inventory_command(struct inventory *in, const char *command, bool program,
			     struct errmsg *msg)
{
	struct buf said = {0};
	struct errmsg why;
	char *what = xasprintf("'%.120s'", command);
	int rc = upcall(in->upcalls,
			&(struct upcall){.command = command,
					 .program = program,
					 .what = "inventory",
					 .cache_ms = UINT64_MAX},
			&said, &why);

	if (rc == 0) {
		const struct load_text text = {(const char *)said.data, said.len, what};
		bool json = load_guess(&text) == LOAD_LIST;

		rc = (json ? load_list : load_words)(in->inv, &text, &why);
	}
	if (rc)
		(void)err_set(msg, rc, "%s", why.text);
	buf_done(&said);
	free(what);
	return rc;
}

/* --- files and directories ------------------------------------------------------------------- */

/* In a directory, Ansible passes these over. */
static bool inventory_is_passed(const char *path)
{
	static const char *const ends[] = {"~",	   ".pyc", ".pyo", ".swp", ".bak",  ".rpm",  ".md",
					   ".txt", ".rst", ".ini", ".cfg", ".orig", ".retry"};
	static const char *const names[] = {"/group_vars", "/host_vars", "/vars_plugins"};

	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		if (inventory_ends(path, ends[i]))
			return true;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (inventory_ends(path, names[i]))
			return true;
	return false;
}

static int inventory_file(struct inventory *in, const char *path, struct errmsg *msg)
{
	struct buf content = {0};
	int rc = files_read(path, LIMIT_INVENTORY, &content, msg);

	in->bytes += content.len;
	if (rc == 0 && in->bytes > LIMIT_INVENTORY)
		rc = err_set(msg, ERR_LIMIT, "%s: more than %u bytes in all files", path,
			     LIMIT_INVENTORY);
	if (rc == 0)
		rc = inventory_text(
			in, &(struct load_text){(const char *)content.data, content.len, path},
			msg);
	buf_done(&content);
	return rc;
}

static bool inventory_is_program(const char *path, const struct stat *st)
{
	char magic[4] = {0};
	FILE *file;
	bool found;

	if (!(st->st_mode & 0111) || access(path, X_OK) != 0)
		return false;
	file = fopen(path, "re");
	if (!file)
		return true; /* one that may be run and not read */
	found = fread(magic, 1, sizeof magic, file) >= 2 &&
		(memcmp(magic, "#!", 2) == 0 || memcmp(magic, "\177ELF", 4) == 0);
	(void)fclose(file);
	return found;
}

static int inventory_on_entry(void *arg, const char *path, struct errmsg *msg);

/* Directories in directories: LIMIT_INVENTORY_DEPTH deep at most. */
static int inventory_any(struct inventory *in, const char *path, struct errmsg *msg)
{
	struct stat st;
	int rc;

	if (stat(path, &st) != 0)
		return err_set(msg, ERR_SYS, "cannot read the inventory %s: %s", path,
			       strerror(errno));
	if (S_ISDIR(st.st_mode) && in->depth == LIMIT_INVENTORY_DEPTH)
		return err_set(msg, ERR_LIMIT, "%s: more than %u directories in one another", path,
			       LIMIT_INVENTORY_DEPTH);
	if (S_ISDIR(st.st_mode)) {
		in->depth++;
		rc = files_each(path, NULL, inventory_on_entry, in, msg);
		in->depth--;
		return rc;
	}
	if (in->kind != INVENTORY_HOSTS && in->kind != INVENTORY_SSH && S_ISREG(st.st_mode) &&
	    inventory_is_program(path, &st)) {
		char *real = files_real(path); /* execve looks into no PATH, so nor do we */

		rc = inventory_command(in, real ? real : path, true, msg);
		free(real);
		return rc;
	}
	return inventory_file(in, path, msg);
}

static int inventory_on_entry(void *arg, const char *path, struct errmsg *msg)
{
	return inventory_is_passed(path) ? 0 : inventory_any(arg, path, msg);
}

/* ssh's own files, of which each may be missing. */
static int inventory_ssh(struct inventory *in, struct errmsg *msg)
{
	char *own = in->home ? xasprintf("%s/.ssh/config", in->home) : NULL;
	const char *paths[] = {own, "/etc/ssh/ssh_config"};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(paths); i++)
		if (paths[i] && access(paths[i], F_OK) == 0)
			rc = inventory_file(in, paths[i], msg);
	free(own);
	return rc;
}

int inventory_load(struct inv *inv, enum inventory_kind kind, const char *rest, const char *home,
		   struct upcalls *upcalls, struct errmsg *msg)
{
	struct inventory in = {.inv = inv, .kind = kind, .home = home, .upcalls = upcalls};
	char *path;
	int rc;

	if (kind == INVENTORY_CMD)
		return *rest ? inventory_command(&in, rest, false, msg)
			     : err_set(msg, ERR_SYNTAX, "cmd: no command behind it");
	if (kind == INVENTORY_SSH && !*rest)
		return inventory_ssh(&in, msg);
	if (!*rest)
		return err_set(msg, ERR_SYNTAX, "an inventory without a name");
	path = inventory_path(rest, home);
	rc = inventory_any(&in, path, msg);
	free(path);
	return rc;
}
