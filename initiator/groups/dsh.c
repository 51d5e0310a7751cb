#include "dsh.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "files.h"
#include "limits.h"
#include "load.h"
#include "qualify.h"

void dsh_init(struct dsh *ret, const char *dir)
{
	*ret = (struct dsh){.dirs = {xstrdup(dir)}, .count = 1};
}

void dsh_find(struct dsh *ret, const char *home)
{
	const char *path = getenv("DSHGROUP_PATH");

	*ret = (struct dsh){0};
	if (!path || !*path) {
		if (home)
			ret->dirs[ret->count++] = xasprintf("%s/.dsh/group", home);
		ret->dirs[ret->count++] = xstrdup("/etc/dsh/group");
		return;
	}
	while (*path && ret->count < DSH_DIRS_MAX) {
		size_t n = strcspn(path, ":");

		if (n)
			ret->dirs[ret->count++] = xstrndup(path, n);
		path += n + (path[n] == ':');
	}
}

void dsh_done(struct dsh *dsh)
{
	while (dsh->count)
		free(dsh->dirs[--dsh->count]);
}

bool dsh_is_there(const struct dsh *dsh)
{
	for (size_t i = 0; i < dsh->count; i++)
		if (access(dsh->dirs[i], R_OK | X_OK) == 0)
			return true;
	return false;
}

static void dsh_line(const struct load_line *line, const char *source, struct buf *out)
{
	static const char include[] = "#include";
	size_t n = sizeof include - 1, at = n;
	const char *comment;

	if (line->n > n && memcmp(line->data, include, n) == 0 &&
	    (line->data[n] == ' ' || line->data[n] == '\t')) {
		while (at < line->n && strchr(" \t\"", line->data[at]))
			at++;
		n = at;
		while (n < line->n && line->data[n] != '"')
			n++;
		buf_addf(out, "@%s:%.*s\n", source, (int)(n - at), line->data + at);
		return;
	}
	comment = line->n ? memchr(line->data, '#', line->n) : NULL;
	n = comment ? (size_t)(comment - line->data) : line->n;
	while (n && (line->data[n - 1] == ' ' || line->data[n - 1] == '\t'))
		n--;
	if (n) {
		qualify(out, line->data, n, source);
		buf_add_char(out, '\n');
	}
}

static int dsh_file(const char *path, const char *source, struct buf *out, struct errmsg *msg)
{
	struct buf content = {0};
	struct load_line line = {0};
	size_t at = 0;
	int rc = files_read(path, LIMIT_INVENTORY, &content, msg);
	const struct load_text text = {(const char *)content.data, content.len, path};

	while (rc == 0 && load_next(&text, &at, &line))
		dsh_line(&line, source, out);
	buf_done(&content);
	return rc;
}

int dsh_members(const struct dsh *dsh, const char *name, const char *source, struct buf *out,
		struct errmsg *msg)
{
	/* A name is not a way to other directories. */
	for (size_t i = 0; i < dsh->count && *name && *name != '.' && !strchr(name, '/'); i++) {
		char *path = xasprintf("%s/%s", dsh->dirs[i], name);
		bool there = access(path, F_OK) == 0;
		int rc = there ? dsh_file(path, source, out, msg) : 0;

		free(path);
		if (there)
			return rc;
	}
	return err_set(msg, ERR_NOTFOUND, "there is no group %.80s in %s%s", name,
		       dsh->count ? dsh->dirs[0] : "dsh", dsh->count > 1 ? " and the like" : "");
}

struct dsh_names {
	const char *source; /* NULL: names are wanted, and not what is in the files */
	struct buf *out;
};

static int dsh_on_file(void *arg, const char *path, struct errmsg *msg)
{
	const struct dsh_names *names = arg;

	if (names->source)
		return dsh_file(path, names->source, names->out, msg);
	buf_addf(names->out, "%s\n", strrchr(path, '/') + 1);
	return 0;
}

static int dsh_each(const struct dsh *dsh, const char *source, struct buf *out, struct errmsg *msg)
{
	struct dsh_names names = {source, out};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < dsh->count; i++)
		if (access(dsh->dirs[i], F_OK) == 0)
			rc = files_each(dsh->dirs[i], NULL, dsh_on_file, &names, msg);
	return rc;
}

int dsh_all(const struct dsh *dsh, const char *source, struct buf *out, struct errmsg *msg)
{
	return dsh_each(dsh, source, out, msg);
}

int dsh_list(const struct dsh *dsh, struct buf *out, struct errmsg *msg)
{
	return dsh_each(dsh, NULL, out, msg);
}
