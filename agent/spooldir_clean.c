/* What is left of runs, and when it goes. */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fd.h"
#include "spooldir.h"

#define CLEAN_LOOKED_AT 4096 /* in one go: somebody waits for the agent */
#define CLEAN_REMOVED	32
#define CLEAN_DONE_S	(24 * 3600)
#define CLEAN_RUN_S	(7 * 24 * 3600)

static DIR *clean_list(int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);

	if (!list)
		fd_close(&fd);
	return list;
}

static bool clean_is_file(const char *name)
{
	return strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

void spooldir_empty(int dir, bool all)
{
	DIR *list = clean_list(dir);
	const struct dirent *entry;

	while (list && (entry = readdir(list)) != NULL)
		if (clean_is_file(entry->d_name) && (all || (strcmp(entry->d_name, "spec") != 0 &&
							     strcmp(entry->d_name, "done") != 0)))
			(void)unlinkat(dir, entry->d_name, 0);
	if (list)
		(void)closedir(list);
}

/* When something of a directory last changed: who attaches touches the directory itself. */
static time_t clean_changed(int dir)
{
	DIR *list = clean_list(dir);
	const struct dirent *entry;
	struct stat st;
	time_t last = 0;

	/* The directory is "." of itself. */
	while (list && (entry = readdir(list)) != NULL)
		if (strcmp(entry->d_name, "..") != 0 &&
		    fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    st.st_mtime > last)
			last = st.st_mtime;
	if (list)
		(void)closedir(list);
	return last;
}

/* True if it was old enough, and nobody has it. */
static bool clean_run(int place, const char *name, time_t now)
{
	int dir = openat(place, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int lock = dir < 0 ? -1 : spooldir_lock(dir);
	bool old = false;

	if (lock >= 0) {
		old = now - clean_changed(dir) >
		      (spooldir_has(dir, "done") ? CLEAN_DONE_S : CLEAN_RUN_S);
		if (old) {
			spooldir_empty(dir, true);
			(void)unlinkat(place, name, AT_REMOVEDIR);
		}
	}
	fd_close(&lock);
	fd_close(&dir);
	return old;
}

static void clean_place(int place, time_t now)
{
	DIR *list = clean_list(place);
	const struct dirent *entry;
	int looked_at = 0, removed = 0;
	struct stat st;

	while (list && looked_at < CLEAN_LOOKED_AT && removed < CLEAN_REMOVED &&
	       (entry = readdir(list)) != NULL) {
		looked_at++;
		if (strncmp(entry->d_name, "job-", 4) == 0 &&
		    fstatat(place, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    now - st.st_mtime > CLEAN_DONE_S)
			removed += clean_run(place, entry->d_name, now);
	}
	if (list)
		(void)closedir(list);
}

void spooldir_clean(const struct spooldir *s)
{
	time_t now = time(NULL);

	for (int i = 0; i < SPOOLDIR_PLACES; i++)
		if (s->fds[i] >= 0)
			clean_place(s->fds[i], now);
}
