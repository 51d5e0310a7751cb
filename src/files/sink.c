#include "sink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "fd.h"
#include "limits.h"
#include "sink_private.h"
#include "walk.h"

struct sink *sink_new(const struct sink_spec *spec)
{
	struct sink *sink = xcalloc(1, sizeof *sink);

	sink->spec = *spec;
	sink->as = spec->as ? xstrdup(spec->as) : NULL;
	sink->last = &sink->first;
	return sink;
}

void sink_free(struct sink *sink)
{
	if (!sink)
		return;
	while (sink->first)
		sink_file_drop(sink, sink->first, true);
	sink_folder_unref(sink->folder);
	while (sink->made_count)
		free(sink->made[--sink->made_count].path);
	free(sink->made);
	buf_done(&sink->stale);
	fd_close(&sink->spec.root);
	free(sink->as);
	free(sink);
}

void sink_fail(struct sink *sink, uint64_t index, const char *what)
{
	sink->spec.tell(sink->spec.arg, index, SINK_FAILED, 0, what);
}

void sink_fail_errno(struct sink *sink, uint64_t index, const struct sink_folder *folder, int error)
{
	char link[64], path[PATH_MAX], *text;
	ssize_t n;

	if (error != ENOSPC && error != EDQUOT) {
		sink_fail(sink, index, strerror(error));
		return;
	}
	/* The whole path, which only the system knows. */
	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", folder->fd);
	n = readlink(link, path, sizeof path - 1);
	path[n > 0 ? n : 0] = '\0';
	text = xasprintf("%s in '%s': make room there, and copy again", strerror(error),
			 n > 0 ? path : folder->path);
	sink_fail(sink, index, text);
	free(text);
}

static void sink_tell(const struct sink *sink, uint64_t index, enum sink_verdict verdict)
{
	sink->spec.tell(sink->spec.arg, index, verdict, 0, NULL);
}

/* --- names ---------------------------------------------------------------------------------- */

static bool sink_is_name(const char *name)
{
	for (;;) {
		size_t len = strcspn(name, "/");

		if (!len || len > NAME_MAX || (len == 1 && name[0] == '.') ||
		    (len == 2 && name[0] == '.' && name[1] == '.'))
			return false;
		if (!name[len])
			return true;
		name += len + 1;
	}
}

/* The path below the root; the caller frees it. */
static char *sink_path(const struct sink *sink, const char *name)
{
	const char *slash = strchr(name, '/');

	if (!sink->as)
		return xstrdup(name);
	return xasprintf("%s%s", sink->as, slash ? slash : "");
}

static const char *sink_way_text(int error)
{
	return error == ELOOP	  ? "a symbolic link is on the way: it is not followed"
	       : error == ENOTDIR ? "what is on the way there is no folder"
				  : strerror(error);
}

/* --- folders and links ---------------------------------------------------------------------- */

static void sink_add_folder(struct sink *sink, const struct sink_folder *folder, const char *name,
			    const char *path, const struct file_entry *e)
{
	struct stat st;
	int fd;

	if (sink->made_count >= LIMIT_COPY_ENTRIES || sink->made_bytes > LIMIT_COPY_NAMES) {
		sink_fail(sink, e->index, "too many folders for one copy");
		return;
	}
	if (mkdirat(folder->fd, name, 0700) == 0) {
		sink_folder_note(sink, path, e->mode, e->mtime_ns);
		sink_tell(sink, e->index, SINK_WRITTEN);
		return;
	}
	if (errno != EEXIST || fstatat(folder->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		sink_fail_errno(sink, e->index, folder, errno);
		return;
	}
	if (!S_ISDIR(st.st_mode)) {
		sink_fail(sink, e->index, "there is something of that name that is no folder");
		return;
	}
	fd = sink_open_folder(sink, path);
	if (fd >= 0)
		sink_stale_look(sink, fd);
	fd_close(&fd);
	sink_folder_note(sink, path, e->mode, e->mtime_ns);
	sink_tell(sink, e->index, SINK_SAME);
}

static bool sink_link_is_same(const struct sink_folder *folder, const char *name, const char *to)
{
	char now[PATH_MAX];
	ssize_t n = readlinkat(folder->fd, name, now, sizeof now);

	return n >= 0 && (size_t)n == strlen(to) && memcmp(now, to, (size_t)n) == 0;
}

static void sink_add_link(struct sink *sink, const struct sink_folder *folder, const char *name,
			  const struct file_entry *e)
{
	struct timespec times[2];
	char temp[SINK_TEMP_SIZE];

	if (sink_link_is_same(folder, name, e->text)) {
		sink_tell(sink, e->index, SINK_SAME);
		return;
	}
	sink_temp(temp, name, e, 1);
	if (symlinkat(e->text, folder->fd, temp) < 0) {
		sink_fail_errno(sink, e->index, folder, errno);
		return;
	}
	walk_times(times, e->mtime_ns);
	(void)utimensat(folder->fd, temp, times, AT_SYMLINK_NOFOLLOW);
	if (renameat(folder->fd, temp, folder->fd, name) < 0) {
		sink_fail(sink, e->index,
			  errno == EISDIR || errno == EEXIST || errno == ENOTEMPTY
				  ? "there is a folder of that name"
				  : strerror(errno));
		(void)unlinkat(folder->fd, temp, 0);
		return;
	}
	sink_tell(sink, e->index, SINK_WRITTEN);
}

/* --- plain files ---------------------------------------------------------------------------- */

static bool sink_has_content(int fd, const struct file_entry *e)
{
	struct content *content = content_new();
	uint8_t own[CONTENT_SIZE];
	bool same = content_add_file(content, fd, e->size) == 0;

	content_end(content, own);
	content_free(content);
	return same && memcmp(own, e->hash, CONTENT_SIZE) == 0;
}

/* Its content is as it should be; mode and time become so. */
static bool sink_is_same(const struct sink *sink, const struct sink_folder *folder,
			 const char *name, const struct stat *st, const struct file_entry *e)
{
	struct timespec times[2];
	struct file_entry now;
	struct stat again;
	bool same;
	int fd;

	walk_times(times, e->mtime_ns);
	walk_fill(&now, st);
	if (now.size != e->size)
		return false;
	if (!sink->spec.checksum && now.mtime_ns != e->mtime_ns)
		return false;
	if (!sink->spec.checksum && now.mode == e->mode)
		return true;
	fd = openat(folder->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return false;
	same = fstat(fd, &again) == 0 && again.st_ino == st->st_ino && again.st_dev == st->st_dev &&
	       (!sink->spec.checksum || sink_has_content(fd, e)) &&
	       (now.mode == e->mode || fchmod(fd, e->mode) == 0) &&
	       (now.mtime_ns == e->mtime_ns || futimens(fd, times) == 0);
	fd_close(&fd);
	return same;
}

static void sink_add_plain(struct sink *sink, struct sink_folder *folder, const char *name,
			   const struct file_entry *e)
{
	char temp[SINK_TEMP_SIZE];
	struct stat st;

	if (!folder->path[0] && !sink->root_looked) {
		sink->root_looked = true;
		sink_stale_look(sink, folder->fd);
	}
	if (fstatat(folder->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (S_ISDIR(st.st_mode)) {
			sink_fail(sink, e->index, "there is a folder of that name");
			return;
		}
		if (S_ISREG(st.st_mode) && sink_is_same(sink, folder, name, &st, e)) {
			sink_temp(temp, name, e, 0);
			sink_stale_clean(sink, folder, temp, true);
			sink_tell(sink, e->index, SINK_SAME);
			return;
		}
	}
	if (sink->spec.max_bytes && e->size > sink->spec.max_bytes - sink->bytes) {
		sink_fail(sink, e->index,
			  "it would be more than may be written here (--max-bytes)");
		return;
	}
	sink->bytes += e->size;
	sink_file_want(sink, folder, name, e);
}

/* --- all of them ---------------------------------------------------------------------------- */

static int sink_check(const struct sink *sink, const struct file_entry *e, struct errmsg *msg)
{
	if (e->index <= sink->last_index)
		return err_set(msg, ERR_PROTO, "file %llu follows %llu",
			       (unsigned long long)e->index, (unsigned long long)sink->last_index);
	if (!e->name || strlen(e->name) >= PATH_MAX || !sink_is_name(e->name))
		return err_set(msg, ERR_PROTO,
			       "a name that leads out of the folder, or is none, was refused");
	if (e->kind == FILE_LINK && (!e->text || !*e->text || strlen(e->text) >= PATH_MAX))
		return err_set(msg, ERR_PROTO, "a symbolic link to nothing");
	if (sink->spec.checksum && e->kind == FILE_PLAIN && !e->hash)
		return err_set(msg, ERR_PROTO, "a file without its hash");
	if (e->size > INT64_MAX)
		return err_set(msg, ERR_PROTO, "a file of a size that none has");
	if (e->index > SINK_ENTRIES_MAX)
		return err_set(msg, ERR_LIMIT, "more than %u names in one copy", SINK_ENTRIES_MAX);
	if (sink->pending >= SINK_PENDING_MAX)
		return err_set(msg, ERR_LIMIT, "more than %u files at once", SINK_PENDING_MAX);
	return 0;
}

int sink_entry(struct sink *sink, const struct file_entry *e, struct errmsg *msg)
{
	struct sink_folder *folder;
	const char *name;
	char *path;
	int rc = sink_check(sink, e, msg);

	if (rc)
		return rc;
	sink->last_index = e->index;
	path = sink_path(sink, e->name);
	folder = sink_folder_of(sink, path, &name);
	if (!folder)
		sink_fail(sink, e->index, sink_way_text(errno));
	else if (e->kind == FILE_FOLDER)
		sink_add_folder(sink, folder, name, path, e);
	else if (e->kind == FILE_LINK)
		sink_add_link(sink, folder, name, e);
	else if (e->kind == FILE_PLAIN)
		sink_add_plain(sink, folder, name, e);
	free(path);
	return 0;
}

void sink_end(struct sink *sink)
{
	sink_flush(sink);
	sink_folders_finish(sink);
}
