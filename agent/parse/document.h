/*
 * One JSON document (RFC 8259) to one value. It runs over the text once, keeps no tree and does
 * not recurse. Private to this folder.
 */
#ifndef MUSTER_DOCUMENT_H
#define MUSTER_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "limits.h"

/* How deep arrays and maps may nest: a message, its records and the record around them count. */
#define DOCUMENT_DEPTH (LIMIT_MSG_DEPTH - 3)

/* An array or map that is not whole yet. */
struct document_level {
	size_t head;	  /* where its first byte is in value */
	uint32_t count;	  /* elements, or pairs */
	uint32_t key_end; /* of its keys in keys */
	bool is_map;
};

struct document_key {
	uint32_t at; /* of its encoded text in value */
	uint32_t len;
};

/* The work memory and, after document_parse, the result. All zero is empty. */
struct document {
	struct buf value; /* msgpack; if is_text the text itself */
	bool is_text;	  /* the document is a string, or a number that no type holds */
	uint32_t nodes;

	struct buf string; /* the last one that had escapes, and other small needs */
	struct document_level levels[DOCUMENT_DEPTH];
	struct document_key keys[DOCUMENT_DEPTH * LIMIT_MAP_KEYS];
	size_t depth;
	uint32_t key_end;
	const uint8_t *text;
	size_t len;
	size_t at;
	struct errmsg *msg;
};

/*
 * The whole text, blanks around it aside. Returns 0; ERR_SYNTAX: no JSON; ERR_LIMIT: JSON that is
 * bigger or deeper than a record may be; ERR_RANGE: JSON that has no value, such as a repeated key
 * or half a surrogate pair. msg says at which byte.
 */
int document_parse(struct document *d, const uint8_t *text, size_t len, struct errmsg *msg);
void document_done(struct document *d);

/* Space, tab, newline, carriage return. */
bool document_is_blank(uint8_t c);

#endif
