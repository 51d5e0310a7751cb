/*
 * The spool of one durable run: what its command has said and the initiator has not acknowledged,
 * in segments of one directory (docs/protocol.md, section 14). Pure over struct disk: no clock, no
 * process. One side appends (the runner), another reads (who is attached), in two processes.
 *
 * Files: "seg-00000001" and on. They hold frames as on the wire, numbered ones only, in order of
 * seq. The first frame of a segment has a seq above all before it.
 */
#ifndef MUSTER_SPOOL_H
#define MUSTER_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "disk.h"
#include "err.h"
#include "frame.h"

struct spool_limits {
	uint64_t cap;	  /* bytes of all segments; 0: 64 MiB. At least two segments fit */
	uint64_t reserve; /* bytes that stay free on the file system */
	uint64_t segment; /* bytes of a segment; 0: 4 MiB, more with a large cap */
	bool drop;	  /* above the cap the oldest goes; otherwise nothing more is taken */
};

struct spool; /* the writing side */

/*
 * Opens what is there, or nothing; what is appended then begins a segment. Half a frame and damage
 * stay where they are, and end what can be read of their segment: a reader finds a jump in the
 * numbers behind them, and gives it as a TASK_GAP. So where the last segment ends in them, the
 * number that follows is left out: spool_last is that number. Returns 0 or ERR_SYS with msg. disk
 * is borrowed.
 */
int spool_open(struct spool **ret, const struct disk *disk, const struct spool_limits *limits,
	       struct errmsg *msg);
void spool_close(struct spool *spool); /* NULL is fine */

enum spool_room {
	SPOOL_TAKEN,
	SPOOL_CAP,  /* what was not acknowledged fills it: ask again after spool_ack */
	SPOOL_DISK, /* the file system is full, or what stays free would be touched: ask again later
		     */
	SPOOL_BROKEN /* it cannot be written any more: errno says why. Of TASK_END: if
			spool_has_end, it is written, but not durable */
};

/* Appends a whole numbered frame, if there is room; its seq is above spool_last, by 1 unless frames
 * are lost for good. A frame that is larger than the cap is taken alone. TASK_END is always taken
 * while the file system does, whatever cap and reserve say; with all before it, it is durable when
 * this returns SPOOL_TAKEN. Dropping (limits.drop) condenses the oldest segments: instead of what
 * is not acknowledged of them they are then one, with TASK_GAP frames that have the exact number
 * and bytes, and the TASK_SCHEMA frames that stood there. */
enum spool_room spool_append(struct spool *spool, const void *frame, size_t len);

/* Everything up to seq is with the initiator for good: segments that end there go. The last one
 * stays until the run is over, so that numbers go on. */
void spool_ack(struct spool *spool, uint64_t seq);

uint64_t spool_last(const struct spool *spool);	 /* the next seq is above it; 0: none was */
uint64_t spool_acked(const struct spool *spool); /* 0: nothing was */
uint64_t spool_bytes(const struct spool *spool);
bool spool_has_end(const struct spool *spool); /* TASK_END is in it */
/* The number of the last record of the run in TASK_RECORDS or TASK_GAP; 0: none, or not known any
 * more after it was opened. */
uint64_t spool_last_record(const struct spool *spool);

struct spool_reader; /* the reading side; in its own process */

/* From the first frame with a seq of at least from. */
struct spool_reader *spool_reader_new(const struct disk *disk, uint64_t from);
void spool_reader_free(struct spool_reader *reader);

/*
 * The next frame, borrowed until the next call; its whole bytes in *ret_bytes, *ret_len too.
 * Returns 1; 0: there is none so far; ERR_PROTO: the last segment is damaged, and there is none
 * until another begins; ERR_SYS. After each it can be called again. A segment that is condensed or
 * removed while it is read is read to its end.
 *
 * Where numbers are missing (damage, a power cut) it makes a TASK_GAP for them: bytes is 0, records
 * too where they cannot be known. A TASK_GAP may begin below from, and below what was read before:
 * when segments were condensed meanwhile.
 */
int spool_reader_next(struct spool_reader *reader, struct frame *ret, const uint8_t **ret_bytes,
		      size_t *ret_len, struct errmsg *msg);

/* The number of TASK_END, once that was read or passed over; 0: not yet. */
uint64_t spool_reader_end(const struct spool_reader *reader);

/* The seq of the last frame that can be read now; 0: none. */
uint64_t spool_reader_last(const struct disk *disk);

#endif
