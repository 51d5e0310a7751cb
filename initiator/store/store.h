/*
 * What survives the daemon: jobs, children and sessions in SQLite, the records of children in
 * segment files (docs/protocol.md, section 15). One thread writes, in the order in which it was
 * asked: first the frames of a group and fdatasync(2), then the rows of the same group and their
 * COMMIT, then the group is told as durable. A group ends at 1 MiB or after 20 ms.
 *
 * Nothing here knows what a job is: it keeps numbers, bytes and columns that belong to somebody.
 * Functions are for the loop's thread unless they say otherwise; none waits for a disk but
 * store_open, store_load and store_close.
 */
#ifndef MUSTER_STORE_H
#define MUSTER_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "loop.h"

struct store;

#define STORE_STREAMS 7u /* as enum record_stream */

enum store_trouble {
	STORE_WELL,   /* what was wrong is over */
	STORE_FULL,   /* no room: nothing is durable until there is; it is tried again */
	STORE_FAILED, /* a write or sync failed: nothing is durable any more, for good */
};

struct store_options {
	const char *path;      /* the directory; made with mode 0700 if it is not there */
	struct loop *loop;     /* where answers come */
	uint64_t segment_size; /* 0: 64 MiB */
	uint64_t size_limit;   /* bytes of all segments; 0: none. Above: as STORE_FULL */
	uint64_t reserve;      /* bytes of the file system that are left to others, and to the rows
				  that make room; 0: 4 MiB. Less is left: as STORE_FULL */
	/* It changed. text for people, borrowed. On the loop. NULL: nobody wants to know. */
	void (*trouble)(void *arg, enum store_trouble what, const char *text);
	void *arg;
};

/*
 * Opens or makes it, and holds its lock. ERR_EXISTS: another daemon has it. ERR_VERSION: it was
 * made by a newer release, and nothing was touched. ERR_DENIED: it, or a file in it, is not ours or
 * cannot be written. ERR_SYS. msg names the path and the cure. A damaged database is put aside
 * (jobs.db.damaged-TIME) and made anew from what the segments tell; that is a warning in the log
 * and in store_note.
 */
int store_open(struct store **ret, const struct store_options *options, struct errmsg *msg);

/* It is about to be closed: who opens it meanwhile waits for that (30 s at most), in place of being
 * refused. Again: no effect. */
void store_leaving(struct store *store);

/* Waits until all that was asked for is written (at most 5 s), and closes, when the loop has ended;
 * before loop_free. Reads and waits that have not come do not. NULL is fine. */
void store_close(struct store *store);

/* What people should know of the opening: "the database was damaged ...". NULL: nothing. */
const char *store_note(const struct store *store);
/* The database was made again in this opening: children are as they were when their jobs began,
 * though they may have come to anything since. */
bool store_is_rebuilt(const struct store *store);

/* Grows by one with each opening, durably: no two daemons on a store have had the same. From 1. */
uint64_t store_generation(const struct store *store);

/* --- what is kept ---------------------------------------------------------------------------- */

/* A job. Blobs are opaque. Strings and blobs are copied. */
struct store_job {
	uint64_t id;
	uint64_t child_count; /* children have ids id + 1 ... id + child_count */
	uint8_t uuid[16];
	bool hidden;
	uint64_t begin_ns;
	uint64_t end_ns;
	uint64_t wish;	  /* what was asked of the whole: opaque */
	const void *spec; /* never changes */
	size_t spec_len;
};

/* A child, of which there is a row from store_put_job on. */
struct store_child {
	uint64_t id;
	uint8_t uuid[16];
	uint64_t step; /* opaque, as are cause and flags */
	uint64_t cause;
	uint64_t flags;
	int64_t exit_code;
	const char *signal; /* NULL: none */
	const char *text;   /* NULL: none */
	uint64_t begin_ns;
	uint64_t end_ns;
	uint64_t read[STORE_STREAMS]; /* records up to this number were read, by stream */
};

/* Where a frame of records stands. Opaque but for being all zero: nowhere. */
struct store_place {
	uint32_t segment;
	uint32_t at;
	uint32_t len;
	uint32_t job_low; /* the job that needs it, in halves: so there is no padding */
	uint32_t job_high;
};

/* A frame of records: consecutive numbers of one child. */
struct store_frame {
	uint64_t child;
	uint64_t first;	     /* number of the first record */
	uint64_t remote_seq; /* the frame of the agent that it holds, or the largest so far; 0: none
			      */
	uint32_t count;
	uint32_t streams[STORE_STREAMS]; /* how many of each */
	const void *rows;		 /* encoded; opaque */
	size_t len;			 /* at most LIMIT_FRAME_BODY - 256 */
};

/* Queued: the job with its children, in the log too, so that a lost database can be made again. */
void store_put_job(struct store *store, const struct store_job *job,
		   const struct store_child *children);
/* Queued: begin, end and wish of the job; all of the child. */
void store_update_job(struct store *store, const struct store_job *job);
void store_update_child(struct store *store, const struct store_child *child);
/* Queued: the job, its children, its notes; its frames need not be released one by one. */
void store_remove_job(struct store *store, uint64_t id);

/* A small opaque thing that belongs to a job (schemas, input) and is needed as long as there is
 * the job; in the log, in order with the frames. kind: below 256. remote_seq as above, of child
 * (0: none). */
void store_put_note(struct store *store, uint64_t job, unsigned kind, uint64_t child,
		    uint64_t remote_seq, const void *data, size_t len);

/* Sessions and others: a blob under a name. len 0: takes it away. */
void store_put_value(struct store *store, const char *name, const void *data, size_t len);

/* Durable before it is needed: ids up to this one may have been used. */
void store_reserve_ids(struct store *store, uint64_t last_id);

/* Queued. Its place is known at once; store_read finds it from now on, durable or not. Nowhere if
 * the store has failed: what nobody will ever write is not kept. */
struct store_place store_append(struct store *store, const struct store_frame *frame);

/* The frame is not needed any more. A segment without a frame or note that is needed goes, when
 * what was asked for before (the row that says why, say) is durable. Once for each frame, also of
 * those that were loaded; nothing is done for a job that was removed. */
void store_release(struct store *store, struct store_place place);

/* Calls fn(arg) on the loop when all that was asked for so far is durable. Not at all if the store
 * fails or is closed before. */
void store_when_durable(struct store *store, loop_fn *fn, void *arg);

/* Bytes that wait to be written. The owner holds its hosts back when it is much. */
uint64_t store_pending(const struct store *store);
/* Bytes of all segments. */
uint64_t store_size(const struct store *store);

/*
 * Reads a frame, on a thread. fn comes on the loop, once, with rc 0 and the frame (borrowed), or an
 * ERR_* (ERR_PROTO: damaged). store_read_cancel: it does not come; only before it has.
 */
struct store_read;
typedef void store_read_fn(void *arg, int rc, const struct store_frame *frame);
struct store_read *store_read(struct store *store, struct store_place place, store_read_fn *fn,
			      void *arg);
void store_read_cancel(struct store_read *read);

/* --- what was there ------------------------------------------------------------------------- */

/* Called once, after store_open and before anything is put (but by the loader itself): jobs in
 * order of id, each with its children, then values, then notes and frames in the order in which
 * they were written. Frames and notes of jobs that are gone are passed over. What is given is
 * borrowed; rows of frames are not given (store_read). */
struct store_loader {
	void (*job)(void *arg, const struct store_job *job, const struct store_child *children);
	void (*value)(void *arg, const char *name, const void *data, size_t len);
	void (*note)(void *arg, uint64_t job, unsigned kind, uint64_t child, uint64_t remote_seq,
		     const void *data, size_t len);
	void (*frame)(void *arg, const struct store_frame *frame, struct store_place place);
};
int store_load(struct store *store, const struct store_loader *loader, void *arg,
	       uint64_t *ret_last_id, struct errmsg *msg);

/* Damage that was found: segments that were put aside, and the bytes that could not be read. */
struct store_damage {
	size_t segments;
	uint64_t bytes;
};
struct store_damage store_damage(const struct store *store);

#endif
