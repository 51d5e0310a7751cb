/* Records of one child, consecutive in seq, as they travel in RECORDS (docs/protocol.md, 6.7). */
#ifndef MUSTER_RECORD_H
#define MUSTER_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

#define RECORDS_MAX 8192u /* records in one message */

/* Arrays and maps in a typed value are nested no deeper: the message around it has three levels. */
#define RECORD_DEPTH_MAX 13u

#define RECORD_CONTINUES 1u /* the value goes on in the next record of this child and stream */
#define RECORD_NO_EOL	 2u /* the line had no newline at its end */
#define RECORD_UNPARSED	 4u /* could not be parsed as was asked: see docs/protocol.md, 6.7 */

enum record_stream {
	STREAM_OUTPUT,
	STREAM_ERROR,
	STREAM_WARNING,
	STREAM_VERBOSE,
	STREAM_DEBUG,
	STREAM_INFORMATION,
	STREAM_PROGRESS,
	STREAM_COUNT
};

/* "output" ... "progress"; "?" if none. Static. */
const char *record_stream_name(uint64_t stream);

struct record {
	uint64_t stream;  /* enum record_stream */
	uint64_t flags;	  /* RECORD_* */
	uint64_t time_ns; /* wall clock, when it arrived */
	/* The bytes of a text or of bytes; of a typed value its msgpack (value.h). */
	const uint8_t *value;
	size_t len;	 /* at most LIMIT_RECORD_VALUE; if is_typed LIMIT_TYPED_VALUE */
	bool is_text;	 /* valid UTF-8; set by records_get. Where it is not set,
			    record_batch_add finds it out; where it is, that is believed */
	bool is_typed;	 /* any other type: a number, a map, a row, ... Never CONTINUES */
	uint32_t nodes;	 /* if is_typed: msgpack objects in it, itself too; at most
			    LIMIT_TYPED_NODES. Set by records_get, needed by record_batch_add */
	uint64_t schema; /* 0: none; otherwise is_typed, and value is an array: a row of it */
};

/*
 * A batch is built record by record and then put: [child, first seq, [[stream, flags, time,
 * value], ...]]. All zero is an empty batch.
 */
struct record_batch {
	struct buf rows;
	size_t count;
	size_t nodes; /* of their typed values */
};

/* A record over its cap is the caller's mistake and aborts. */
void record_batch_add(struct record_batch *batch, const struct record *record);
/* True from LIMIT_RECORDS_BATCH bytes, RECORDS_MAX records or LIMIT_BATCH_NODES nodes on, and where
 * one more record could be more than a body may hold (check.h): send it before adding more. */
bool record_batch_is_full(const struct record_batch *batch);
/* Empties it and keeps the memory. */
void record_batch_clear(struct record_batch *batch);
void record_batch_done(struct record_batch *batch);
/* Looks at rows and count only. */
void records_put(struct buf *out, uint64_t child, uint64_t first_seq,
		 const struct record_batch *batch);

/*
 * Calls fn for each record of a body of RECORDS or TASK_RECORDS, up to the first fault; value is
 * valid during the call. fn stops it with non-zero. Returns 0, what fn returned, or ERR_PROTO or
 * ERR_LIMIT with msg set.
 */
typedef int record_fn(void *arg, uint64_t child, uint64_t seq, const struct record *record);
int records_get(const void *data, size_t len, record_fn *fn, void *arg, struct errmsg *msg);

/*
 * One encoded record is a row. These read and write rows as record_batch_add makes them, field by
 * field and without memory: for who stores many. Bytes that are no whole row end a walk.
 */

/* The most that a row takes before its value, and after it (the schema). */
#define RECORD_HEAD_MAX 33u
#define RECORD_TAIL_MAX 9u

/* Writes a row but for the bytes of its value, which follow, and its tail. Finds out is_text
 * where that is not set. Returns how many bytes, at most RECORD_HEAD_MAX. */
size_t record_row_head(uint8_t *out, const struct record *record);

/* What follows the value: nothing, or the schema. Returns how many bytes. */
size_t record_row_tail(uint8_t *out, const struct record *record);

/* The first of len bytes of rows; its value is borrowed, and of a typed one nodes is set. Returns
 * its length, or 0: no whole row, *ret is then untouched. Caps are not looked at. A typed value
 * costs a walk over its bytes, here and below. */
size_t record_row_get(const uint8_t *rows, size_t len, struct record *ret);

/* How many bytes the first count rows take. */
size_t record_rows_skip(const uint8_t *rows, size_t len, size_t count);

/* How many of the first count rows there are before one that is later than until_ns, and in
 * *ret_len how many bytes they take. */
size_t record_rows_until(const uint8_t *rows, size_t len, size_t count, uint64_t until_ns,
			 size_t *ret_len);

#endif
