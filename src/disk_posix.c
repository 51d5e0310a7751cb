#include "disk_posix.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "alloc.h"
#include "fd.h"

struct disk_posix {
	struct disk disk; /* first */
	int dir;
};

static int disk_dir(void *ctx)
{
	return ((struct disk_posix *)ctx)->dir;
}

static int disk_result(int r)
{
	return r < 0 ? -errno : r;
}

static int disk_open(void *ctx, const char *name, enum disk_mode mode)
{
	/* Not blocking: somebody may have put a FIFO in place of a file. */
	int flags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
	struct stat st;
	int fd;

	if (mode == DISK_READ)
		flags |= O_RDONLY;
	else
		flags |= O_RDWR | O_APPEND;
	if (mode == DISK_CREATE)
		flags |= O_CREAT | O_EXCL;
	fd = openat(disk_dir(ctx), name, flags, 0600);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		(void)close(fd);
		return -EINVAL;
	}
	return fd;
}

static void disk_close(void *ctx, int file)
{
	(void)ctx;
	(void)close(file);
}

static int64_t disk_read(void *ctx, int file, uint64_t at, void *to, size_t len)
{
	size_t done = 0;

	(void)ctx;
	while (done < len) {
		ssize_t n = pread(file, (uint8_t *)to + done, len - done, (off_t)(at + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (int64_t)done;
}

static int64_t disk_append(void *ctx, int file, const void *data, size_t len)
{
	size_t done = 0;

	(void)ctx;
	while (done < len) {
		ssize_t n = write(file, (const uint8_t *)data + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && !done)
			return -errno;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return (int64_t)done;
}

static int disk_truncate(void *ctx, int file, uint64_t size)
{
	(void)ctx;
	return disk_result(ftruncate(file, (off_t)size));
}

static int disk_sync(void *ctx, int file)
{
	(void)ctx;
	return disk_result(fdatasync(file));
}

static int64_t disk_size(void *ctx, int file)
{
	struct stat st;

	(void)ctx;
	return fstat(file, &st) < 0 ? -errno : (int64_t)st.st_size;
}

static int disk_unlink(void *ctx, const char *name)
{
	return disk_result(unlinkat(disk_dir(ctx), name, 0));
}

static int disk_rename(void *ctx, const char *from, const char *to)
{
	return disk_result(renameat(disk_dir(ctx), from, disk_dir(ctx), to));
}

static int disk_sync_names(void *ctx)
{
	return disk_result(fsync(disk_dir(ctx)));
}

static int disk_list(void *ctx, disk_list_fn *fn, void *arg)
{
	/* A descriptor of its own, as a place in a directory belongs to the open file. */
	int fd = openat(disk_dir(ctx), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;
	DIR *dir;
	int r;

	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		r = -errno;
		(void)close(fd);
		return r;
	}
	while ((errno = 0, entry = readdir(dir)) != NULL) {
		bool dots = entry->d_name[0] == '.' &&
			    (!entry->d_name[1] || (entry->d_name[1] == '.' && !entry->d_name[2]));

		if (!dots)
			fn(arg, entry->d_name);
	}
	r = -errno;
	(void)closedir(dir);
	return r;
}

static int64_t disk_room(void *ctx)
{
	struct statvfs fs;
	uint64_t room;

	if (fstatvfs(disk_dir(ctx), &fs) < 0)
		return -errno;
	if (__builtin_mul_overflow((uint64_t)fs.f_bavail, (uint64_t)fs.f_frsize, &room) ||
	    room > INT64_MAX)
		room = INT64_MAX;
	return (int64_t)room;
}

static const struct disk_ops disk_posix_ops = {
	.open = disk_open,
	.close = disk_close,
	.read = disk_read,
	.append = disk_append,
	.truncate = disk_truncate,
	.sync = disk_sync,
	.size = disk_size,
	.unlink = disk_unlink,
	.rename = disk_rename,
	.sync_names = disk_sync_names,
	.list = disk_list,
	.room = disk_room,
};

struct disk *disk_posix_new(int dir_fd)
{
	struct disk_posix *posix = xcalloc(1, sizeof *posix);

	posix->disk.ops = &disk_posix_ops;
	posix->disk.ctx = posix;
	posix->dir = dir_fd;
	return &posix->disk;
}

void disk_posix_free(struct disk *disk)
{
	struct disk_posix *posix;

	if (!disk)
		return;
	posix = disk->ctx;
	fd_close(&posix->dir);
	free(posix);
}
