/* Typed values (proto/value.h) for people. */
#ifndef MUSTER_VALUE_TEXT_H
#define MUSTER_VALUE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "value.h"
#include "value_fields.h"

/*
 * Appends the next object: of a scalar its text, as it is (nil: nothing, or "null" with null); of
 * an array or a map compact JSON. *ret_number (may be NULL): it was a number.
 */
void value_text(struct buf *out, struct value_in *in, bool null, bool *ret_number);

/*
 * Appends all fields in one line: Name=value Name="two words" Name={"a":1}. A text with blanks,
 * quotes or control characters, and an empty one, is a JSON string; nil is nothing. Harmless on a
 * terminal.
 */
void value_text_line(struct buf *out, struct value_fields *fields);

/*
 * Appends what a progress record says, in one line: of a text the text, of a number "45%", of a
 * map "45% copying: file 3", from the keys percent, activity and status (or operation, message);
 * of another map its fields. Not yet harmless.
 */
void value_text_progress(struct buf *out, const void *data, size_t len);

#endif
