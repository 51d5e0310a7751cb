/*
 * One file of a spool: its name, and the frames in it. For this room alone.
 *
 * What stands in a file is believed only as far as a CRC goes: a file may end in the middle, or be
 * damaged anywhere.
 */
#ifndef MUSTER_SEGMENT_H
#define MUSTER_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "disk.h"
#include "err.h"
#include "frame.h"

#define SEGMENT_NAME_MAX 32u
#define SEGMENT_TMP	 "seg-tmp" /* becomes a segment by rename */

void segment_name(char name[SEGMENT_NAME_MAX], uint64_t number);

/* The first and the last number between above and below, both excluded; 0: there is none. */
struct segment_span {
	uint64_t above;
	uint64_t below;
	uint64_t first;
	uint64_t last;
};

/* 0, or ERR_SYS. */
int segment_find(const struct disk *disk, struct segment_span *span);

/* A frame of a spool. */
struct segment_frame {
	struct frame frame;
	const uint8_t *bytes; /* all of it */
	size_t len;
	uint64_t from; /* the first seq that it stands for; of TASK_GAP below its own */
	uint64_t first_record;
	uint64_t records;
	uint64_t missing; /* bytes; of TASK_GAP */
};

/* The frame that the n bytes begin with: as frame_parse, and ERR_PROTO for what is in no spool. */
int64_t segment_parse(const uint8_t *data, size_t n, struct segment_frame *ret, struct errmsg *msg);

/* Reads one file from its begin. */
struct segment_in {
	const struct disk *disk;
	int file;
	uint64_t at;   /* of the next frame */
	uint64_t last; /* seq of the one before */
	struct buf buf;
	size_t used;
};

/* 0, or -errno; nothing is open then. */
int segment_open(struct segment_in *in, const struct disk *disk, uint64_t number);
void segment_close(struct segment_in *in);
/* True for an errno that says nothing about the file, and may be another the next time. */
bool segment_is_passing(int error);

/*
 * The next frame, borrowed until the next call. Returns 1; 0: the file ends here, or in half a
 * frame; ERR_PROTO: damage; ERR_SYS. After these it may be called again, and looks again.
 */
int segment_next(struct segment_in *in, struct segment_frame *ret, struct errmsg *msg);

/* The frame that has just been read is to come again. */
void segment_back(struct segment_in *in, uint64_t at, uint64_t last);

#endif
