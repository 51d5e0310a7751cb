/*
 * What durable parts (the agent's spool, the initiator's segment files) ask of a file system: files
 * in one directory, appended to and read. Behind a table, so that tests can tear, fill, crash and
 * lose it; disk_posix.h is the real one.
 *
 * Names are ours alone: no slash, not "." or "..". All functions return 0 or more, or -errno.
 */
#ifndef MUSTER_DISK_H
#define MUSTER_DISK_H

#include <stddef.h>
#include <stdint.h>

enum disk_mode {
	DISK_READ,   /* what there is */
	DISK_APPEND, /* what there is, to be appended to and read */
	DISK_CREATE  /* a new file, likewise; -EEXIST if there is one */
};

typedef void disk_list_fn(void *arg, const char *name);

struct disk_ops {
	/* A handle. */
	int (*open)(void *ctx, const char *name, enum disk_mode mode);
	void (*close)(void *ctx, int file);
	/* Bytes; fewer than asked for only at the end of the file. */
	int64_t (*read)(void *ctx, int file, uint64_t at, void *to, size_t len);
	/* How many of them were appended: all, or fewer with the next call saying why. */
	int64_t (*append)(void *ctx, int file, const void *data, size_t len);
	int (*truncate)(void *ctx, int file, uint64_t size);
	int (*sync)(void *ctx, int file); /* fdatasync(2) */
	int64_t (*size)(void *ctx, int file);
	int (*unlink)(void *ctx, const char *name);
	int (*rename)(void *ctx, const char *from, const char *to); /* over what is there */
	int (*sync_names)(void *ctx);				    /* fsync(2) of the directory */
	int (*list)(void *ctx, disk_list_fn *fn, void *arg); /* in no order; fn changes nothing */
	/* Bytes that can still be written to this file system. */
	int64_t (*room)(void *ctx);
};

struct disk {
	const struct disk_ops *ops;
	void *ctx;
};

#endif
