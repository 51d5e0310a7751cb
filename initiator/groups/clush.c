#include "clush.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "alloc.h"
#include "clush_conf.h"
#include "files.h"
#include "limits.h"

void clush_free(struct clush *clush)
{
	if (!clush)
		return;
	for (size_t i = 0; i < clush->count; i++) {
		struct clush_source *source = &clush->sources[i];

		for (size_t c = 0; c < CLUSH_CALL_COUNT; c++)
			free(source->calls[c]);
		free(source->name);
		free(source->dir);
		free(source->file);
	}
	for (size_t i = 0; i < clush->doc_count; i++)
		doc_done(&clush->docs[i]);
	free(clush->sources);
	free(clush->docs);
	free(clush->cfgdir);
	free(clush->standard);
	free(clush->confdir);
	free(clush->autodir);
	free(clush);
}

const struct clush_source *clush_find(const struct clush *clush, const char *name)
{
	if (!name)
		name = clush->standard;
	for (size_t i = 0; name && i < clush->count; i++)
		if (strcmp(clush->sources[i].name, name) == 0)
			return &clush->sources[i];
	return NULL;
}

int clush_add(struct clush *clush, const char *name, size_t n, const char *where,
	      struct clush_source **ret, struct errmsg *msg)
{
	for (size_t i = 0; i < clush->count; i++)
		if (strlen(clush->sources[i].name) == n &&
		    memcmp(clush->sources[i].name, name, n) == 0)
			return err_set(msg, ERR_EXISTS, "%s: there is a source %.*s in %s already",
				       where, (int)n, name, clush->sources[i].file);
	if (!n || n > LIMIT_GROUP_NAME || clush->count >= LIMIT_GROUP_SOURCES)
		return err_set(msg, ERR_LIMIT,
			       "%s: more than %u sources of groups, or a name that is not 1 to %u "
			       "bytes",
			       where, LIMIT_GROUP_SOURCES, LIMIT_GROUP_NAME);
	clush->sources = xrealloc(clush->sources, clush->count + 1, sizeof *clush->sources);
	*ret = &clush->sources[clush->count++];
	**ret = (struct clush_source){.name = xstrndup(name, n), .cache_ms = UINT64_MAX};
	return 0;
}

/* One name of a list in a configuration, with $CFGDIR replaced and quotes gone. Moves *at. */
static bool clush_dir(const struct clush *clush, const char **at, struct buf *ret)
{
	char quote = '\0';

	*at += strspn(*at, " \t\n");
	if (!**at)
		return false;
	buf_clear(ret);
	for (; **at && (quote || !strchr(" \t\n", **at)); ++*at) {
		if (quote ? **at == quote : (**at == '"' || **at == '\'')) {
			quote = quote ? '\0' : **at;
		} else if (strncmp(*at, "$CFGDIR", 7) == 0) {
			buf_add_str(ret, clush->cfgdir);
			*at += 6;
		} else {
			buf_add_char(ret, **at);
		}
	}
	return true;
}

struct clush_dirs {
	struct clush *clush;
	bool yaml;
	char *done[64]; /* a directory counts once */
	size_t count;
};

static int clush_on_file(void *arg, const char *path, struct errmsg *msg)
{
	struct clush_dirs *dirs = arg;

	if (access(path, R_OK) != 0) /* as ClusterShell: those of others do not concern us */
		return 0;
	return dirs->yaml ? clush_yaml(dirs->clush, path, msg)
			  : clush_conf(dirs->clush, path, CLUSH_CONF_MORE, msg);
}

static int clush_dirs(struct clush *clush, const char *list, bool yaml, struct errmsg *msg)
{
	struct clush_dirs dirs = {.clush = clush, .yaml = yaml};
	struct buf dir = {0};
	int rc = 0;

	while (rc == 0 && list && clush_dir(clush, &list, &dir)) {
		char *path = files_real(buf_cstr(&dir));
		bool again = false;

		for (size_t i = 0; path && i < dirs.count; i++)
			again |= strcmp(dirs.done[i], path) == 0;
		if (path && !again && dirs.count < ARRAY_LEN(dirs.done)) {
			dirs.done[dirs.count++] = path;
			rc = files_each(path, yaml ? ".yaml" : ".conf", clush_on_file, &dirs, msg);
		} else {
			free(path);
		}
	}
	while (dirs.count)
		free(dirs.done[--dirs.count]);
	buf_done(&dir);
	return rc;
}

/* The places, that which outweighs last; NULL: there is none. */
static void clush_places(char *ret[4], const char *home)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *own = getenv("CLUSTERSHELL_CFGDIR");

	ret[0] = xstrdup("/etc/clustershell");
	ret[1] = home ? xasprintf("%s/.local/etc/clustershell", home) : NULL;
	ret[2] = xdg && *xdg == '/' ? xasprintf("%s/clustershell", xdg)
		 : home		    ? xasprintf("%s/.config/clustershell", home)
				    : NULL;
	ret[3] = own && *own ? xstrdup(own) : NULL;
}

static int clush_read_place(struct clush *clush, const char *dir, bool needed, struct errmsg *msg)
{
	char *path = xasprintf("%s/groups.conf", dir);
	int rc = 0;

	if (needed || access(path, F_OK) == 0) {
		free(clush->cfgdir);
		clush->cfgdir = xstrdup(dir);
		rc = clush_conf(clush, path, CLUSH_CONF_MAIN, msg);
	}
	free(path);
	return rc;
}

/* The commands of groups.conf run in the directory of that which outweighs. */
static void clush_set_dirs(struct clush *clush)
{
	for (size_t i = 0; i < clush->count; i++)
		if (!clush->sources[i].dir)
			clush->sources[i].dir = xstrdup(clush->cfgdir);
}

int clush_read(struct clush **ret, const char *dir, const char *home, struct errmsg *msg)
{
	struct clush *clush = xcalloc(1, sizeof *clush);
	char *places[4] = {NULL};
	int rc = 0;

	if (dir)
		rc = clush_read_place(clush, dir, true, msg);
	else
		clush_places(places, home);
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		if (rc == 0 && places[i])
			rc = clush_read_place(clush, places[i], false, msg);
		free(places[i]);
	}
	if (rc == 0)
		clush_set_dirs(clush);
	if (rc == 0)
		rc = clush_dirs(clush, clush->confdir, false, msg);
	if (rc == 0)
		rc = clush_dirs(clush, clush->autodir, true, msg);
	if (rc == 0 && clush->standard && !clush_find(clush, NULL))
		rc = err_set(msg, ERR_NOTFOUND,
			     "%s/groups.conf: [Main] default is %s, and there is no such source",
			     clush->cfgdir, clush->standard);
	if (rc)
		clush_free(clush);
	else
		*ret = clush;
	return rc;
}
