/*
 * Typed values as they stand in msgpack bytes: read one object after the other, in the order of the
 * bytes. Only for bytes that have passed check_body (check.h) or that are our own; nothing here
 * recurses or allocates. A count or length beyond the end reads as a fault, not past it.
 */
#ifndef MUSTER_VALUE_H
#define MUSTER_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

enum value_kind {
	VALUE_NIL,
	VALUE_BOOL,
	VALUE_UINT, /* 0 and above, whatever its encoding */
	VALUE_INT,  /* below 0 */
	VALUE_FLOAT,
	VALUE_STR, /* UTF-8 */
	VALUE_BIN,
	VALUE_TIME,  /* ext -1 */
	VALUE_ARRAY, /* count elements follow */
	VALUE_MAP    /* count pairs of key and value follow */
};

struct value {
	enum value_kind kind;
	bool b;
	uint64_t u;
	int64_t i;
	double f;
	const uint8_t *data; /* STR, BIN; borrowed */
	size_t len;
	int64_t seconds; /* TIME, since 1970-01-01 UTC */
	uint32_t nanoseconds;
	uint32_t count; /* ARRAY, MAP */
};

struct value_in {
	const uint8_t *next;
	const uint8_t *end;
};

struct value_in value_in(const void *data, size_t len);

/* The next object, of an array or a map its head alone. False at the end or at a fault. */
bool value_next(struct value_in *in, struct value *ret);

/* Passes over the next object with all that is in it. *ret_nodes (may be NULL): how many objects
 * those are. False at a fault. */
bool value_skip(struct value_in *in, uint32_t *ret_nodes);

/* Timestamps in the shortest of the three forms (msgpack spec, ext -1). nanoseconds < 1e9. */
void value_put_time(struct buf *out, int64_t seconds, uint32_t nanoseconds);
void value_put_float(struct buf *out, double f);
void value_put_map(struct buf *out, size_t pairs);

#endif
