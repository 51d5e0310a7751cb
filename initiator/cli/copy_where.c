#include "copy_where.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "limits.h"
#include "walk.h"

/* All of them go into one message. */
#define COPY_SOURCES_BYTES (512u << 10)

int copy_where_split(const char *text, char **ret_expr, char **ret_path, struct errmsg *msg)
{
	const char *at = NULL;

	for (const char *c = strchr(text, ':'); c; c = strchr(c + 1, ':'))
		if (c[1] == '/' || c[1] == '~' || !c[1])
			at = c;
	if (!at || at == text)
		return err_set(msg, ERR_SYNTAX,
			       "'%s' is no HOSTS:PATH: a path behind ':' begins with '/' or '~'; "
			       "for any other use -H HOSTS --dest PATH",
			       text);
	*ret_expr = xstrndup(text, (size_t)(at - text));
	*ret_path = xstrdup(at[1] ? at + 1 : "~/");
	return 0;
}

char *copy_where_absolute(const char *path)
{
	char *here, *text;

	if (path[0] == '/')
		return xstrdup(path);
	here = getcwd(NULL, 0);
	text = here ? xasprintf("%s/%s", here, path) : NULL;
	free(here);
	return text;
}

static int copy_source_look(const char *path, bool recurse, struct errmsg *msg)
{
	struct stat st;

	if (!*path)
		return err_set(msg, ERR_SYNTAX, "a source is empty");
	if (stat(path, &st) < 0)
		return err_set(msg, ERR_NOTFOUND, "cannot copy '%s': %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode) && !recurse)
		return err_set(msg, ERR_SYNTAX, "'%s' is a folder: use -r to copy it", path);
	if (S_ISREG(st.st_mode) && access(path, R_OK) < 0)
		return err_set(msg, ERR_DENIED, "cannot copy '%s': %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
		return err_set(msg, ERR_SYNTAX,
			       "'%s' is no file, folder or link: nothing else is copied", path);
	return 0;
}

/* "." and "/a/.." get the name that they have elsewhere. */
static char *copy_source_path(const char *path)
{
	char *name = walk_name(path), *real;

	if (name) {
		free(name);
		return copy_where_absolute(path);
	}
	real = realpath(path, NULL);
	name = real ? walk_name(real) : NULL;
	if (!name) {
		free(real);
		return NULL;
	}
	free(name);
	return real;
}

static int copy_source_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int copy_sources_names(const struct copy_sources *s, struct errmsg *msg)
{
	char **names = xcalloc(s->count, sizeof(char *));
	int rc = 0;

	for (size_t i = 0; i < s->count; i++)
		names[i] = walk_name(s->paths[i]);
	qsort(names, s->count, sizeof(char *), copy_source_compare);
	for (size_t i = 1; i < s->count && rc == 0; i++)
		if (strcmp(names[i - 1], names[i]) == 0)
			rc = err_set(msg, ERR_SYNTAX,
				     "two of what is copied have the name '%s': one would become "
				     "the other",
				     names[i]);
	for (size_t i = 0; i < s->count; i++)
		free(names[i]);
	free(names);
	return rc;
}

int copy_sources_find(struct copy_sources *ret, char *const *paths, size_t count, bool recurse,
		      struct errmsg *msg)
{
	size_t bytes = 0;

	*ret = (struct copy_sources){.paths = xcalloc(count, sizeof(char *))};
	if (count > LIMIT_COPY_SOURCES)
		return err_set(msg, ERR_LIMIT, "more than %u sources: copy the folder they are in",
			       LIMIT_COPY_SOURCES);
	for (size_t i = 0; i < count; i++) {
		int rc = copy_source_look(paths[i], recurse, msg);
		char *path = rc ? NULL : copy_source_path(paths[i]);

		if (rc)
			return rc;
		if (!path)
			return err_set(msg, ERR_SYNTAX, "'%s' has no name that a copy could get",
				       paths[i]);
		ret->paths[ret->count++] = path;
		bytes += strlen(path) + 1;
		if (bytes > COPY_SOURCES_BYTES)
			return err_set(msg, ERR_LIMIT,
				       "the names of all sources are longer than %u KiB: copy the "
				       "folder they are in",
				       COPY_SOURCES_BYTES >> 10);
	}
	return copy_sources_names(ret, msg);
}

void copy_sources_done(struct copy_sources *sources)
{
	for (size_t i = 0; i < sources->count; i++)
		free(sources->paths[i]);
	free(sources->paths);
}
