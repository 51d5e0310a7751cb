#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "fd.h"
#include "limits.h"

int files_read(const char *path, size_t max, struct buf *out, struct errmsg *msg)
{
	int rc = fd_read_file(out, path, max);

	if (rc == ERR_SYS)
		return err_set(msg, rc, "cannot read %s: %s", path, strerror(errno));
	if (rc)
		return err_set(msg, rc, "cannot read %s: more than %zu bytes", path, max);
	return 0;
}

char *files_real(const char *path)
{
	return realpath(path, NULL);
}

static int files_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool files_wanted(const char *name, const char *suffix)
{
	size_t n = strlen(name), end = suffix ? strlen(suffix) : 0;

	return *name != '.' && n > end && (!suffix || strcmp(name + n - end, suffix) == 0);
}

static int files_names(DIR *open, const char *dir, const char *suffix, char ***ret, size_t *count,
		       struct errmsg *msg)
{
	struct dirent *entry;
	size_t size = 0;

	while ((entry = readdir(open))) {
		if (!files_wanted(entry->d_name, suffix))
			continue;
		if (*count >= LIMIT_INVENTORY_FILES)
			return err_set(msg, ERR_LIMIT, "%s: more than %u files", dir,
				       LIMIT_INVENTORY_FILES);
		if (*count == size) {
			size = size ? size * 2 : 16;
			*ret = xrealloc(*ret, size, sizeof **ret);
		}
		(*ret)[(*count)++] = xstrdup(entry->d_name);
	}
	if (*count)
		qsort(*ret, *count, sizeof **ret, files_compare);
	return 0;
}

int files_each(const char *dir, const char *suffix,
	       int (*on_entry)(void *arg, const char *path, struct errmsg *msg), void *arg,
	       struct errmsg *msg)
{
	DIR *open = opendir(dir);
	char **names = NULL;
	size_t count = 0;
	int rc;

	if (!open)
		return err_set(msg, ERR_SYS, "cannot read the directory %s: %s", dir,
			       strerror(errno));
	rc = files_names(open, dir, suffix, &names, &count, msg);
	(void)closedir(open);
	for (size_t i = 0; i < count; i++) {
		char *path =
			xasprintf("%s%s%s", dir, dir[strlen(dir) - 1] == '/' ? "" : "/", names[i]);

		if (rc == 0)
			rc = on_entry(arg, path, msg);
		free(path);
		free(names[i]);
	}
	free(names);
	return rc;
}
