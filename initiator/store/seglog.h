/*
 * The segment files: NNNNNNNN.seg, appended to one after the other. Pure over struct disk. A log is
 * written by one thread; seglog_read and seglog_name are for any.
 */
#ifndef MUSTER_STORE_SEGLOG_H
#define MUSTER_STORE_SEGLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "disk.h"

#define SEGLOG_NAME 32u

struct seglog {
	const struct disk *disk;
	uint32_t segment; /* that is appended to; 0: none yet */
	int file;	  /* -1: not open */
	uint64_t synced;  /* bytes of it that are durable */
	uint64_t kept;	  /* bytes of it that seglog_cut leaves: synced, or more */
	uint64_t written; /* bytes of it */
	bool new_name;	  /* it was made, and the directory is not synced yet */
	bool failed;	  /* a sync failed: that is final, whatever the error was */
};

/* Writes its name and returns it. */
char *seglog_name(char out[SEGLOG_NAME], uint32_t segment);
/* The number of a file of that name; 0: it is none. */
uint32_t seglog_number(const char *name);

/* Goes on at the end of a segment, which has size bytes; 0: there is none. */
void seglog_init(struct seglog *log, const struct disk *disk, uint32_t segment, uint64_t size);
void seglog_done(struct seglog *log);

/*
 * Appends at that place, which must be the end of the segment, or the begin of a later one; what
 * was written already is not written again, so that a group can be repeated after -ENOSPC. Returns
 * 0 or -errno; then call seglog_cut.
 */
int seglog_write(struct seglog *log, uint32_t segment, uint64_t at, const void *data, size_t len);

/* Makes it durable. A failure is final: what the system has of it nobody knows. */
int seglog_sync(struct seglog *log);

/* It stays, but nobody waits until it is durable. */
void seglog_keep(struct seglog *log);

/* Takes back what was written since the last seglog_sync or seglog_keep. */
int seglog_cut(struct seglog *log);

/* The segment that is appended to is going to be unlinked: nothing more is written to it. */
void seglog_forget(struct seglog *log);

/* Appends len bytes of a segment to out. -ENODATA: it is not that long. */
int seglog_read(const struct disk *disk, uint32_t segment, uint64_t at, size_t len,
		struct buf *out);

/* A copy of the segment as NAME.damaged, if there is none yet. */
int seglog_quarantine(const struct disk *disk, uint32_t segment);

/* True for -ENOSPC and -EDQUOT: it may be well later. */
bool seglog_is_full(int r);

#endif
