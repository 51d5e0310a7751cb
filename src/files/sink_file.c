/* A plain file: beside its name until it is whole, compared and synced. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "fd.h"
#include "sink_private.h"
#include "walk.h"

#define SINK_UNSYNCED_MAX  256u
#define SINK_WRITEBACK	   (8u << 20)
#define SINK_NAMES	   100u
#define SINK_LOCK_TRIES	   20u
#define SINK_LOCK_PAUSE_NS 50000000

static const char sink_damaged[] = "it came damaged, twice";
static const char sink_longer[] = "it is longer than was told";

/* --- names ---------------------------------------------------------------------------------- */

/* The same for the same file, so that what a lost sender has left is found: number 0. */
void sink_temp(char out[SINK_TEMP_SIZE], const char *name, const struct file_entry *entry,
	       unsigned number)
{
	static const char hex[] = "0123456789abcdef";
	struct content *content = content_new();
	uint64_t more[4] = {entry->size, (uint64_t)entry->mtime_ns, number,
			    number ? clock_mono_ns() ^ (uint64_t)getpid() : 0};
	uint8_t hash[2 * CONTENT_SIZE];
	size_t at = sizeof SINK_TEMP_FRONT - 1;

	content_add(content, name, strlen(name));
	content_end(content, hash);
	content_add(content, more, sizeof more);
	content_end(content, hash + CONTENT_SIZE);
	content_free(content);
	hash[sizeof hash - 1] &= 0xfe;
	hash[sizeof hash - 1] |= entry->size < SINK_LARGE;
	memcpy(out, SINK_TEMP_FRONT, at);
	for (size_t i = 0; i < sizeof hash; i++) {
		out[at++] = hex[hash[i] >> 4];
		out[at++] = hex[hash[i] & 15];
	}
	out[at] = '\0';
}

/* --- its life ------------------------------------------------------------------------------- */

static void sink_file_close(struct sink *sink, struct sink_file *file)
{
	if (file->fd >= 0)
		sink->open--;
	fd_close(&file->fd);
	content_free(file->content);
	file->content = NULL;
}

void sink_file_drop(struct sink *sink, struct sink_file *file, bool keep)
{
	struct sink_file **at = &sink->first;

	while (*at != file)
		at = &(*at)->next;
	*at = file->next;
	if (!file->next)
		sink->last = at;
	sink->pending--;
	if (file->whole)
		sink->unsynced--;
	sink_file_close(sink, file);
	if (file->made && !(keep && file->at >= SINK_LARGE))
		(void)unlinkat(file->folder->fd, file->temp, 0);
	sink_folder_unref(file->folder);
	free(file->name);
	free(file);
}

static void sink_file_fail(struct sink *sink, struct sink_file *file, const char *what)
{
	uint64_t index = file->index;

	sink_file_drop(sink, file, false);
	sink_fail(sink, index, what);
}

static void sink_file_fail_errno(struct sink *sink, struct sink_file *file, int error)
{
	struct sink_folder *folder = sink_folder_ref(file->folder);
	uint64_t index = file->index;

	/* Full: what is half written only makes it worse. */
	sink_file_drop(sink, file, false);
	sink_fail_errno(sink, index, folder, error);
	sink_folder_unref(folder);
}

/* Who was at it before may just be finding out that its sender is lost. */
static int sink_lock(int fd)
{
	const struct timespec pause = {.tv_nsec = SINK_LOCK_PAUSE_NS};
	int rc = flock(fd, LOCK_EX | LOCK_NB);

	for (unsigned i = 0; rc < 0 && errno == EWOULDBLOCK && i < SINK_LOCK_TRIES; i++) {
		(void)nanosleep(&pause, NULL);
		rc = flock(fd, LOCK_EX | LOCK_NB);
	}
	return rc;
}

/* Who had the lock before us may have given it its name: then it is not half written any more. */
static bool sink_file_is_there(const struct sink_file *file, int fd, struct stat *ret)
{
	struct stat now;

	return fstat(fd, ret) == 0 && ret->st_nlink &&
	       fstatat(file->folder->fd, file->temp, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
	       now.st_dev == ret->st_dev && now.st_ino == ret->st_ino;
}

/* What a lost sender has left of it. False: nothing that can be gone on with. */
static bool sink_file_resume(struct sink *sink, struct sink_file *file)
{
	struct stat st;
	int fd = openat(file->folder->fd, file->temp,
			O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return false;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
	    st.st_nlink != 1 || (uint64_t)st.st_size > file->size || sink_lock(fd) < 0 ||
	    !sink_file_is_there(file, fd, &st) || (uint64_t)st.st_size > file->size ||
	    content_add_file(file->content, fd, (uint64_t)st.st_size) < 0) {
		content_reset(file->content);
		fd_close(&fd);
		return false;
	}
	file->fd = fd;
	file->at = (uint64_t)st.st_size;
	sink->open++;
	return true;
}

static int sink_file_create(struct sink *sink, struct sink_file *file)
{
	struct file_entry like = {.size = file->size, .mtime_ns = file->mtime_ns};
	struct stat st;

	for (unsigned i = 0; i < SINK_NAMES && file->fd < 0; i++) {
		sink_temp(file->temp, file->name, &like, i);
		file->fd = openat(file->folder->fd, file->temp,
				  O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (file->fd < 0 && errno != EEXIST)
			break;
		/* Before it was locked somebody may have taken it for one that was left. */
		if (file->fd >= 0 && flock(file->fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
			fd_close(&file->fd);
		else if (file->fd >= 0 && fstat(file->fd, &st) == 0 && !st.st_nlink)
			fd_close(&file->fd);
	}
	if (file->fd < 0)
		return ERR_SYS;
	file->made = true;
	sink->open++;
	return 0;
}

void sink_file_want(struct sink *sink, struct sink_folder *folder, const char *name,
		    const struct file_entry *entry)
{
	struct sink_file *file = xcalloc(1, sizeof *file);

	file->index = entry->index;
	file->folder = sink_folder_ref(folder);
	file->name = xstrdup(name);
	file->mode = entry->mode;
	file->mtime_ns = entry->mtime_ns;
	file->size = entry->size;
	file->fd = -1;
	*sink->last = file;
	sink->last = &file->next;
	sink->pending++;
	sink_temp(file->temp, name, entry, 0);
	sink_stale_clean(sink, folder, file->temp, false);
	if (file->size >= SINK_LARGE) {
		file->content = content_new();
		file->made = sink_file_resume(sink, file);
	}
	sink->spec.tell(sink->spec.arg, file->index, SINK_WANT, file->at, NULL);
}

/* --- its bytes ------------------------------------------------------------------------------ */

static int sink_write(int fd, const uint8_t *data, size_t len, uint64_t at)
{
	while (len) {
		ssize_t n = pwrite(fd, data, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return ERR_SYS;
		data += n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

/* So that the sync at its end has less to do. */
static void sink_write_back(const struct sink_file *file, uint64_t before)
{
	if (before / SINK_WRITEBACK != file->at / SINK_WRITEBACK)
		(void)sync_file_range(file->fd, (off_t)(before & ~(uint64_t)(SINK_WRITEBACK - 1)),
				      SINK_WRITEBACK, SYNC_FILE_RANGE_WRITE);
}

static int sink_rename(struct sink_file *file)
{
	if (renameat(file->folder->fd, file->temp, file->folder->fd, file->name) < 0)
		return ERR_SYS;
	file->made = false;
	return 0;
}

static void sink_file_written(struct sink *sink, struct sink_file *file)
{
	uint64_t index = file->index;

	if (sink_rename(file) < 0) {
		sink_file_fail_errno(sink, file, errno);
		return;
	}
	/* What another one was at when this one began. */
	sink_temp(file->temp, file->name,
		  &(struct file_entry){.size = file->size, .mtime_ns = file->mtime_ns}, 0);
	sink_stale_clean(sink, file->folder, file->temp, true);
	sink_file_drop(sink, file, false);
	sink->spec.tell(sink->spec.arg, index, SINK_WRITTEN, 0, NULL);
}

/* Another file system than that of the root is synced with its own file. */
static bool sink_is_alone(const struct sink *sink, const struct sink_file *file)
{
	struct stat root, own;

	return file->size >= SINK_LARGE || fstat(sink->spec.root, &root) < 0 ||
	       fstat(file->fd, &own) < 0 || root.st_dev != own.st_dev;
}

static void sink_file_whole(struct sink *sink, struct sink_file *file)
{
	struct timespec times[2];
	bool alone = sink_is_alone(sink, file);

	walk_times(times, file->mtime_ns);
	if (fchmod(file->fd, file->mode) < 0 || futimens(file->fd, times) < 0 ||
	    (alone && fsync(file->fd) < 0)) {
		sink_file_fail_errno(sink, file, errno);
		return;
	}
	if (alone) {
		sink_file_written(sink, file);
		return;
	}
	sink_file_close(sink, file);
	file->whole = true;
	sink->unsynced++;
	if (sink->unsynced >= SINK_UNSYNCED_MAX)
		sink_flush(sink);
}

static void sink_file_end(struct sink *sink, struct sink_file *file, const uint8_t *hash)
{
	uint8_t own[CONTENT_SIZE];

	content_end(file->content, own);
	if (file->at == file->size && memcmp(own, hash, CONTENT_SIZE) == 0) {
		sink_file_whole(sink, file);
		return;
	}
	if (file->again || ftruncate(file->fd, 0) < 0) {
		sink_file_fail(sink, file, sink_damaged);
		return;
	}
	file->again = true;
	file->at = 0;
	content_reset(file->content);
	sink->spec.tell(sink->spec.arg, file->index, SINK_WANT, 0, NULL);
}

static void sink_file_add(struct sink *sink, struct sink_file *file, const void *data, size_t len)
{
	uint64_t before = file->at;

	if (len > file->size - file->at) {
		sink_file_fail(sink, file, sink_longer);
		return;
	}
	if (sink_write(file->fd, data, len, file->at) < 0) {
		sink_file_fail_errno(sink, file, errno);
		return;
	}
	content_add(file->content, data, len);
	file->at += len;
	sink_write_back(file, before);
}

static struct sink_file *sink_find(const struct sink *sink, uint64_t index)
{
	struct sink_file *file = sink->first;

	while (file && (file->index != index || file->whole))
		file = file->next;
	return file;
}

int sink_data(struct sink *sink, const struct sink_piece *piece, struct errmsg *msg)
{
	struct sink_file *file = sink_find(sink, piece->index);

	if (piece->index > sink->last_index)
		return err_set(msg, ERR_PROTO, "bytes of file %llu, which was not told of",
			       (unsigned long long)piece->index);
	if (piece->end && !piece->failed && !piece->hash)
		return err_set(msg, ERR_PROTO, "the end of file %llu without its hash",
			       (unsigned long long)piece->index);
	if (!file)
		return 0;
	if (piece->failed) {
		sink_file_drop(sink, file, false);
		return 0;
	}
	if (file->fd < 0) {
		if (sink->open == SINK_OPEN_MAX)
			return err_set(msg, ERR_LIMIT, "bytes of more than %u files at once",
				       SINK_OPEN_MAX);
		if (!file->content)
			file->content = content_new();
		if (sink_file_create(sink, file) < 0) {
			sink_file_fail_errno(sink, file, errno);
			return 0;
		}
	}
	sink_file_add(sink, file, piece->data, piece->len);
	file = sink_find(sink, piece->index);
	if (file && piece->end)
		sink_file_end(sink, file, piece->hash);
	return 0;
}

size_t sink_unsynced(const struct sink *sink)
{
	return sink->unsynced;
}

void sink_flush(struct sink *sink)
{
	int failed = 0;

	if (!sink->unsynced)
		return;
	if (syncfs(sink->spec.root) < 0)
		failed = errno;
	for (struct sink_file *file = sink->first, *next; file; file = next) {
		next = file->next;
		if (!file->whole)
			continue;
		if (failed)
			sink_file_fail_errno(sink, file, failed);
		else
			sink_file_written(sink, file);
	}
}
