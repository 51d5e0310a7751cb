/*
 * By what is told whether a file is still what it was when it was read, so that what was made from
 * it can be used again. Everything here reads files: off the event loop.
 */
#ifndef MUSTER_FILE_STAMP_H
#define MUSTER_FILE_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#include "buf.h"

enum file_stamp_kind {
	FILE_STAMP_UNSURE,  /* never the same: no regular file, or changed a moment before */
	FILE_STAMP_MISSING, /* nothing was there */
	FILE_STAMP_FOLDER,
	FILE_STAMP_FILE
};

struct file_stamp {
	enum file_stamp_kind kind;
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime, ctime;
};

/*
 * fd_read_file, and the stamp of what was read. A file that changed within two seconds before is
 * FILE_STAMP_UNSURE: it may change again and keep its times, as clocks of file systems are coarse.
 */
int file_stamp_read(struct file_stamp *ret, struct buf *out, const char *path, size_t max);

/* The stamp of a path that was looked at and not read: nothing, or a folder. */
void file_stamp_look(struct file_stamp *ret, const char *path);

/* True if path would be read, or found missing, just as it was. */
bool file_stamp_holds(const struct file_stamp *stamp, const char *path);

#endif
