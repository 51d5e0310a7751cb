#include "paths.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "alloc.h"

#define PATHS_NAME_MAX 64u

static const char paths_name_chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "0123456789._-";

/* Makes one directory, or checks the one that is there. */
static int paths_own_dir(const char *path, struct errmsg *msg)
{
	struct stat st;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_set(msg, ERR_SYS, "cannot make %s: %s", path, strerror(errno));
	if (lstat(path, &st) < 0)
		return err_set(msg, ERR_SYS, "%s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid())
		return err_set(msg, ERR_DENIED,
			       "%s is not a directory of yours: remove it, or set XDG_RUNTIME_DIR",
			       path);
	if (st.st_mode & 077)
		return err_set(msg, ERR_DENIED, "%s is open to other users: chmod 700 %s", path,
			       path);
	return 0;
}

static int paths_runtime_dir(char **ret, struct errmsg *msg)
{
	const char *base = getenv("XDG_RUNTIME_DIR");
	struct stat st;
	char *dir;
	int rc;

	if (base && *base == '/' && stat(base, &st) == 0 && S_ISDIR(st.st_mode))
		dir = xasprintf("%s/muster", base);
	else
		dir = xasprintf("/tmp/muster-%u", (unsigned)geteuid());
	rc = paths_own_dir(dir, msg);
	if (rc)
		free(dir);
	else
		*ret = dir;
	return rc;
}

/* NULL where neither variable is an absolute path. What is above it is made. */
static char *paths_state_dir(void)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	char *dir = NULL;

	if (state && *state == '/') {
		dir = xasprintf("%s/muster", state);
		(void)mkdir(state, 0700);
	} else if (home && *home == '/') {
		static const char *const parts[] = {".local", ".local/state"};

		for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
			char *part = xasprintf("%s/%s", home, parts[i]);

			(void)mkdir(part, 0700);
			free(part);
		}
		dir = xasprintf("%s/.local/state/muster", home);
	}
	return dir;
}

/* The log is a convenience: without a place for it there is none. Whoever opens the store says what
 * is wrong with its place. */
static void paths_state(struct paths *paths)
{
	char *dir = paths_state_dir();

	if (dir && paths_own_dir(dir, NULL) == 0)
		paths->log = xasprintf("%s/%s.log", dir, paths->name);
	if (dir)
		paths->store = xasprintf("%s/%s", dir, paths->name);
	free(dir);
}

int paths_find(struct paths *ret, const char *name, struct errmsg *msg)
{
	struct sockaddr_un addr;
	char *dir;
	int rc;

	if (!*name || strlen(name) > PATHS_NAME_MAX || *name == '.' ||
	    name[strspn(name, paths_name_chars)])
		return err_set(msg, ERR_SYNTAX,
			       "-L: '%s' is no name for a daemon (letters, digits, '-', '_', '.')",
			       name);
	rc = paths_runtime_dir(&dir, msg);
	if (rc)
		return rc;
	*ret = (struct paths){.name = xstrdup(name),
			      .socket = xasprintf("%s/%s.sock", dir, name),
			      .lock = xasprintf("%s/%s.lock", dir, name)};
	paths_state(ret);
	free(dir);
	if (strlen(ret->socket) < sizeof addr.sun_path)
		return 0;
	rc = err_set(msg, ERR_LIMIT, "%s is too long for a socket: set a shorter XDG_RUNTIME_DIR",
		     ret->socket);
	paths_done(ret);
	return rc;
}

void paths_done(struct paths *paths)
{
	free(paths->name);
	free(paths->socket);
	free(paths->lock);
	free(paths->log);
	free(paths->store);
	*paths = (struct paths){0};
}
