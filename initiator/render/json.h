/* Writing JSON (RFC 8259). */
#ifndef MUSTER_JSON_H
#define MUSTER_JSON_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"

/*
 * Appends the inside of a JSON string, without quotes. data is valid UTF-8. What RFC 8259, section
 * 7 asks for is escaped, and what escape_is_harmful() names: so the text is harmless on a terminal
 * and nothing in it ends a line, while the value stays what it is.
 */
void json_escape(struct buf *out, const void *data, size_t len);

/* Appends a whole string; NULL: null; text that is not UTF-8: {"$bytes":"<base64>"}. */
void json_str(struct buf *out, const char *text);

/* Appends "key": with a comma before it unless the text so far ends in '{'. */
void json_key(struct buf *out, const char *key);

/* Appends base64 (RFC 4648, section 4) of len bytes with padding. */
void json_base64(struct buf *out, const uint8_t *data, size_t len);

/* Appends a wall-clock time as a quoted RFC 3339 string; 0: null. */
void json_time(struct buf *out, uint64_t wall_ns);

#endif
