/*
 * What stands in a segment file, as bytes (docs/protocol.md, section 15): frames whose bodies begin
 * with the mark of the store, and then have fields of fixed size. The mark is a random number that
 * nobody but the store knows: so bytes of a record, which a remote host chose, are never taken for
 * a frame when a damaged place is passed over.
 */
#ifndef MUSTER_STORE_ENTRY_H
#define MUSTER_STORE_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "frame.h"
#include "store.h"

/* Bytes before what is of any length, the frame's header too; of the longest. */
#define ENTRY_PREFIX_MAX (FRAME_HEADER_SIZE + 64u)
/* What fits into one entry behind its prefix. */
#define ENTRY_DATA_MAX ((1u << 20) - 256u)

#define ENTRY_SYNCED_SIZE (FRAME_HEADER_SIZE + 16u)

struct entry_head {
	uint64_t generation;
	uint64_t last_id;
};

/* A part of a job: it can be longer than a frame. */
struct entry_job {
	uint64_t job;
	uint64_t offset;
	uint64_t total;
	const uint8_t *data;
	size_t len;
};

struct entry_note {
	uint64_t job;
	uint64_t child;
	uint64_t remote_seq;
	uint32_t kind;
	const uint8_t *data;
	size_t len;
};

/* Each appends a whole frame with the number seq. The lengths are at most ENTRY_DATA_MAX. */
void entry_put_head(struct buf *out, uint64_t mark, uint64_t seq, const struct entry_head *head);
void entry_put_job(struct buf *out, uint64_t mark, uint64_t seq, const struct entry_job *job);
void entry_put_note(struct buf *out, uint64_t mark, uint64_t seq, const struct entry_note *note);
void entry_put_frame(struct buf *out, uint64_t mark, uint64_t seq, const struct store_frame *frame);
void entry_put_gone(struct buf *out, uint64_t mark, uint64_t seq, uint64_t job);
/* STORE_MARK, of ENTRY_SYNCED_SIZE bytes. It is about its segment alone, and has no number. */
void entry_put_synced(struct buf *out, uint64_t mark, uint64_t synced);

/* The bytes that they take but for the data. */
size_t entry_prefix(uint8_t type);

/* True if a body of len bytes can be one of this type, as far as its length tells. */
bool entry_is(uint8_t type, size_t len);

/* Of a body of which entry_is is true, or of the first bytes of one: data is then cut. */
uint64_t entry_mark(const uint8_t *body);
uint64_t entry_owner(uint8_t type, const uint8_t *body); /* id of the job or child; 0: none */
void entry_get_head(struct entry_head *ret, const uint8_t *body);
void entry_get_job(struct entry_job *ret, const uint8_t *body, size_t len);
void entry_get_note(struct entry_note *ret, const uint8_t *body, size_t len);
void entry_get_frame(struct store_frame *ret, const uint8_t *body, size_t len);
uint64_t entry_get_synced(const uint8_t *body);

/* A whole job, as its parts make it up. */
struct entry_blob {
	struct store_job job; /* spec is borrowed */
	const uint8_t *uuids; /* of the children, 16 bytes each */
};
void entry_put_blob(struct buf *out, const struct store_job *job,
		    const struct store_child *children);
/* 0, or ERR_PROTO. */
int entry_get_blob(struct entry_blob *ret, const uint8_t *data, size_t len);

#endif
