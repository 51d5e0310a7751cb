/* The ways to the names below the root: folder by folder, and through no link. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "fd.h"
#include "sink_private.h"
#include "walk.h"

struct sink_folder *sink_folder_ref(struct sink_folder *folder)
{
	folder->users++;
	return folder;
}

void sink_folder_unref(struct sink_folder *folder)
{
	if (!folder || --folder->users)
		return;
	fd_close(&folder->fd);
	free(folder->path);
	free(folder);
}

/* One step down. fd is closed. */
static int sink_step(int fd, const char *name)
{
	int next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	fd_close(&fd);
	return next;
}

int sink_open_folder(const struct sink *sink, const char *path)
{
	int fd = fcntl(sink->spec.root, F_DUPFD_CLOEXEC, 3);
	char *copy = xstrdup(path), *rest = NULL;

	for (char *part = strtok_r(copy, "/", &rest); part && fd >= 0;
	     part = strtok_r(NULL, "/", &rest))
		fd = sink_step(fd, part);
	free(copy);
	return fd;
}

struct sink_folder *sink_folder_of(struct sink *sink, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	char *above = slash ? xstrndup(path, (size_t)(slash - path)) : xstrdup("");
	struct sink_folder *folder;
	int fd;

	*ret_name = slash ? slash + 1 : path;
	if (sink->folder && strcmp(sink->folder->path, above) == 0) {
		free(above);
		return sink->folder;
	}
	fd = sink_open_folder(sink, above);
	if (fd < 0) {
		free(above);
		return NULL;
	}
	folder = xcalloc(1, sizeof *folder);
	*folder = (struct sink_folder){.fd = fd, .users = 1, .path = above};
	sink_folder_unref(sink->folder);
	sink->folder = folder;
	return folder;
}

void sink_folder_note(struct sink *sink, const char *path, uint32_t mode, int64_t mtime_ns)
{
	if (sink->made_count == sink->made_size) {
		sink->made_size = sink->made_size ? sink->made_size * 2 : 16;
		sink->made = xrealloc(sink->made, sink->made_size, sizeof *sink->made);
	}
	sink->made_bytes += strlen(path) + sizeof *sink->made;
	sink->made[sink->made_count++] =
		(struct sink_made){.path = xstrdup(path), .mode = mode, .mtime_ns = mtime_ns};
}

void sink_folders_finish(struct sink *sink)
{
	while (sink->made_count) {
		struct sink_made *made = &sink->made[--sink->made_count];
		struct timespec times[2];
		struct stat st;
		int fd = sink_open_folder(sink, made->path);

		if (fd >= 0) {
			/* What it has of setgid and sticky stays: it may be /tmp. */
			if (fstat(fd, &st) == 0)
				(void)fchmod(fd, made->mode | (st.st_mode & 07000));
			walk_times(times, made->mtime_ns);
			(void)futimens(fd, times);
			fd_close(&fd);
		}
		free(made->path);
	}
}

/* --- where it all goes ---------------------------------------------------------------------- */

static int sink_root_above(const char *path, int *ret_root, char **ret_as, struct errmsg *msg)
{
	const char *slash = strrchr(path, '/');
	char *above = slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
	int rc = 0;

	*ret_as = walk_name(path);
	*ret_root = *ret_as ? open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (!*ret_as)
		rc = err_set(msg, ERR_SYNTAX, "'%s' is no name for a file", path);
	else if (*ret_root < 0)
		rc = err_set(msg, ERR_SYS, "the folder '%s': %s", above, strerror(errno));
	free(above);
	if (rc) {
		free(*ret_as);
		*ret_as = NULL;
	}
	return rc;
}

int sink_root(const char *path, bool several, int *ret_root, char **ret_as, struct errmsg *msg)
{
	char *full = walk_home(path);
	size_t len = strlen(full);
	bool folder = several || full[len - 1] == '/';
	int rc = 0;

	*ret_as = NULL;
	*ret_root = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret_root < 0 && (folder || (errno != ENOENT && errno != ENOTDIR)))
		rc = err_set(msg, ERR_SYS, "the folder '%s': %s%s", full, strerror(errno),
			     several && errno == ENOTDIR ? ": what is copied needs a folder" : "");
	else if (*ret_root < 0)
		rc = sink_root_above(full, ret_root, ret_as, msg);
	free(full);
	return rc;
}
