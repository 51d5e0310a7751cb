#include "file_stamp.h"

#include <errno.h>
#include <stdint.h>
#include <sys/stat.h>

#include "clock.h"
#include "err.h"
#include "fd.h"

#define STAMP_SETTLED_NS 2000000000u
#define STAMP_SECOND_NS	 1000000000u

static bool stamp_is_settled(const struct timespec *t, uint64_t now_ns)
{
	if (t->tv_sec < 0)
		return true;
	return (uint64_t)t->tv_sec * STAMP_SECOND_NS + (uint64_t)t->tv_nsec + STAMP_SETTLED_NS <
	       now_ns;
}

static void stamp_of_stat(struct file_stamp *ret, const struct stat *st)
{
	*ret = (struct file_stamp){.dev = st->st_dev,
				   .ino = st->st_ino,
				   .size = st->st_size,
				   .mtime = st->st_mtim,
				   .ctime = st->st_ctim};
	if (S_ISREG(st->st_mode))
		ret->kind = FILE_STAMP_FILE;
	else if (S_ISDIR(st->st_mode))
		ret->kind = FILE_STAMP_FOLDER;
}

static void stamp_of_error(struct file_stamp *ret)
{
	*ret = (struct file_stamp){.kind = errno == ENOENT || errno == ENOTDIR ? FILE_STAMP_MISSING
									       : FILE_STAMP_UNSURE};
}

int file_stamp_read(struct file_stamp *ret, struct buf *out, const char *path, size_t max)
{
	uint64_t now_ns = clock_wall_ns();
	int fd = fd_open_file(path), rc;
	size_t start = out->len;
	struct stat st;

	if (fd < 0) {
		stamp_of_error(ret);
		return fd;
	}
	/* Before it is read: what changes it from now on changes the stamp too. */
	if (fstat(fd, &st) < 0)
		stamp_of_error(ret);
	else
		stamp_of_stat(ret, &st);
	rc = fd_read_rest(fd, out, max);
	fd_close(&fd);
	/* The times of the change count too: those of the content can be set by anybody. A size
	 * that is not that of the content is no file on a disk. */
	if (rc < 0 || ret->kind != FILE_STAMP_FILE || !stamp_is_settled(&ret->mtime, now_ns) ||
	    !stamp_is_settled(&ret->ctime, now_ns) || (off_t)(out->len - start) != ret->size)
		ret->kind = FILE_STAMP_UNSURE;
	return rc;
}

void file_stamp_look(struct file_stamp *ret, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		stamp_of_error(ret);
	else
		*ret = (struct file_stamp){.kind = S_ISDIR(st.st_mode) ? FILE_STAMP_FOLDER
								       : FILE_STAMP_UNSURE};
}

static bool stamp_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* By opening it, as reading does: on NFS, and for rights, that asks again where stat(2) does not.
 */
static bool stamp_same_file(const struct file_stamp *stamp, const char *path)
{
	struct file_stamp now = {0};
	int fd = fd_open_file(path);
	struct stat st;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0)
		stamp_of_stat(&now, &st);
	fd_close(&fd);
	return now.kind == FILE_STAMP_FILE && now.dev == stamp->dev && now.ino == stamp->ino &&
	       now.size == stamp->size && stamp_same_time(&now.mtime, &stamp->mtime) &&
	       stamp_same_time(&now.ctime, &stamp->ctime);
}

bool file_stamp_holds(const struct file_stamp *stamp, const char *path)
{
	struct file_stamp now;

	switch (stamp->kind) {
	case FILE_STAMP_UNSURE:
		break;
	case FILE_STAMP_MISSING:
	case FILE_STAMP_FOLDER:
		file_stamp_look(&now, path);
		return now.kind == stamp->kind;
	case FILE_STAMP_FILE:
		return stamp_same_file(stamp, path);
	}
	return false;
}
