#include "stage_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "alloc.h"
#include "fd.h"
#include "uuid.h"
#include "walk.h"

/* Somebody who thinks that it is nobody's looks at it. */
#define STAGE_DIR_TRIES 100
#define STAGE_DIR_WAIT	(20L * 1000 * 1000) /* ns */
#define STAGE_DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* A folder on the way down, and what it is called in the one above. */
struct stage_level {
	DIR *dir;
	char name[256]; /* NAME_MAX and its end */
};

static bool stage_dir_enter(struct stage_level *ret, int above, const char *name)
{
	int fd = openat(above, name, STAGE_DIR_FLAGS);

	ret->dir = fd < 0 ? NULL : fdopendir(fd);
	if (!ret->dir)
		fd_close(&fd);
	(void)snprintf(ret->name, sizeof ret->name, "%s", name);
	return ret->dir;
}

/* The next name in it that is a folder; all others go. NULL: there is none any more. */
static const char *stage_dir_next(DIR *dir)
{
	const struct dirent *e;

	while ((e = readdir(dir))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd(dir), e->d_name, 0) != 0)
			return e->d_name;
	}
	return NULL;
}

/* What is in it. Folders in one another are as deep as a walk goes, and one descriptor each. */
static void stage_dir_empty(int fd)
{
	struct stage_level *levels = xcalloc(WALK_DEPTH + 2, sizeof *levels);
	size_t depth = 0;

	if (stage_dir_enter(&levels[0], fd, "."))
		depth = 1;
	while (depth > 0) {
		DIR *dir = levels[depth - 1].dir;
		const char *name = stage_dir_next(dir);

		if (name) {
			/* It has the mode of what is copied, which may keep us out. */
			(void)fchmodat(dirfd(dir), name, 0700, 0);
			if (depth < WALK_DEPTH + 2 &&
			    stage_dir_enter(&levels[depth], dirfd(dir), name))
				depth++;
			continue;
		}
		(void)closedir(dir);
		if (--depth > 0)
			(void)unlinkat(dirfd(levels[depth - 1].dir), levels[depth].name,
				       AT_REMOVEDIR);
	}
	free(levels);
}

static void stage_dir_remove_at(int root, const char *key)
{
	int fd = openat(root, key, STAGE_DIR_FLAGS);

	if (fd >= 0)
		stage_dir_empty(fd);
	fd_close(&fd);
	(void)unlinkat(root, key, AT_REMOVEDIR);
}

void stage_dir_remove(const char *root, const char *key, int fd)
{
	int at = open(root, STAGE_DIR_FLAGS);

	if (at >= 0)
		stage_dir_remove_at(at, key);
	fd_close(&at);
	fd_close(&fd);
}

struct stage_removal {
	char *root;
	char *key;
	int fd;
	bool done;
};

static void stage_removal_run(void *arg)
{
	struct stage_removal *r = arg;

	stage_dir_remove(r->root, r->key, r->fd);
	r->done = true;
}

/* The daemon may leave before a thread has had time for it. */
static void stage_removal_done(void *arg, bool cancelled)
{
	struct stage_removal *r = arg;

	if (cancelled && !r->done)
		stage_removal_run(r);
	free(r->root);
	free(r->key);
	free(r);
}

void stage_dir_remove_by(struct work_pool *pool, const char *root, const char *key, int fd)
{
	struct stage_removal *r = xcalloc(1, sizeof *r);

	*r = (struct stage_removal){.root = xstrdup(root), .key = xstrdup(key), .fd = fd};
	if (pool)
		(void)work_submit(pool, stage_removal_run, stage_removal_done, r);
	else
		stage_removal_done(r, true);
}

/* Those that nobody has locked. */
static void stage_dir_clean(int root, const char *key)
{
	int own = openat(root, ".", STAGE_DIR_FLAGS);
	DIR *dir = own < 0 ? NULL : fdopendir(own);
	struct dirent *e;
	struct uuid uuid;

	if (!dir)
		fd_close(&own);
	while (dir && (e = readdir(dir))) {
		int fd = -1;

		if (!uuid_parse(&uuid, e->d_name) || strcmp(e->d_name, key) == 0)
			continue;
		fd = openat(root, e->d_name, STAGE_DIR_FLAGS);
		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
			stage_dir_remove_at(root, e->d_name);
		fd_close(&fd);
	}
	if (dir)
		(void)closedir(dir);
}

static int stage_dir_root(const char *root, struct errmsg *msg)
{
	struct stat st;
	int fd;

	if (mkdir(root, 0700) < 0 && errno != EEXIST)
		return err_set(msg, ERR_SYS, "cannot make %s: %s", root, strerror(errno));
	fd = open(root, STAGE_DIR_FLAGS);
	if (fd < 0 || fstat(fd, &st) < 0) {
		fd_close(&fd);
		return err_set(msg, ERR_SYS, "%s: %s", root, strerror(errno));
	}
	if (st.st_uid == geteuid() && !(st.st_mode & 077))
		return fd;
	fd_close(&fd);
	return err_set(msg, ERR_DENIED, "%s is not ours alone: remove it", root);
}

/* The lock of a directory that is still the one of this name. -1 with errno: not now. */
static int stage_dir_lock(int root, const char *key)
{
	struct stat st;
	int fd;

	if (mkdirat(root, key, 0700) < 0 && errno != EEXIST)
		return -1;
	fd = openat(root, key, STAGE_DIR_FLAGS);
	if (fd < 0)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &st) == 0 && st.st_nlink > 0)
		return fd;
	fd_close(&fd);
	errno = EWOULDBLOCK;
	return -1;
}

int stage_dir_open(const char *root, const char *key, struct errmsg *msg)
{
	const struct timespec wait = {.tv_nsec = STAGE_DIR_WAIT};
	int at = stage_dir_root(root, msg), fd = -1;

	if (at < 0)
		return at;
	stage_dir_clean(at, key);
	for (int i = 0; fd < 0 && i < STAGE_DIR_TRIES; i++) {
		if (i)
			(void)nanosleep(&wait, NULL);
		fd = stage_dir_lock(at, key);
		if (fd < 0 && errno != EWOULDBLOCK && errno != ENOENT)
			break;
	}
	if (fd < 0)
		(void)err_set(msg, ERR_SYS, "cannot make %s/%s: %s", root, key, strerror(errno));
	fd_close(&at);
	return fd < 0 ? ERR_SYS : fd;
}
