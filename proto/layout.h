/*
 * A message body as a table: which member of a struct is which field, of what kind, how large, and
 * what it is if absent. One engine packs, unpacks and frees every struct that such a table tells
 * of.
 */
#ifndef MUSTER_LAYOUT_H
#define MUSTER_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "wire.h"

enum layout_kind {
	LAYOUT_U64,    /* uint64_t, at most max */
	LAYOUT_I64,    /* int64_t */
	LAYOUT_BOOL,   /* bool */
	LAYOUT_STR,    /* char *, at most max bytes */
	LAYOUT_TEXT,   /* the same, but cut to max when it is put */
	LAYOUT_SECRET, /* as STR, but wiped before it is freed */
	LAYOUT_BIN,    /* uint8_t * with a count, at most max bytes; NULL is absent, not empty */
	LAYOUT_STRS,   /* char ** with a count; at most max of them, LIMIT_COMMAND bytes each */
	LAYOUT_RUNS,   /* uint64_t * with a count, at most max; on the wire first, length, ... */
	LAYOUT_ROWS,   /* structs with a count, each an array as row says; at most max of them */
};

/* Narrow, as the agent, which travels to every host, has hundreds of them. */
struct layout_field {
	const char *name;
	uint64_t max;
	const struct layout *row; /* ROWS; holds no ROWS itself */
	uint16_t at;		  /* offset of the member */
	uint16_t count_at;	  /* offset of the size_t that counts it */
	uint8_t kind;		  /* enum layout_kind */
	bool need;		  /* may not be absent or nil, nor (STR, TEXT) empty */
	int8_t absent;		  /* I64: the value if it is absent */
};

struct layout {
	const char *name; /* of the message */
	size_t size;	  /* of the struct */
	const struct layout_field *fields;
	size_t count;
	/* Rules that go beyond single fields; tells by wire_fault. NULL: none. */
	void (*verify)(struct wire_in *in, const void *m);
};

void layout_put(struct buf *out, const struct layout *layout, const void *m);

/* Fills all of ret_m. On failure it is all zero, and msg names the message and the field. */
int layout_get(const struct layout *layout, void *ret_m, const void *data, size_t len,
	       struct errmsg *msg);

/* Frees what the members own and makes all of m zero. NULL is fine. */
void layout_done(const struct layout *layout, void *m);

#endif
