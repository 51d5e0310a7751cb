/* Words of a text as typed values (parse.h says which). Private to this folder. */
#ifndef MUSTER_CELL_H
#define MUSTER_CELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

/* The longest number as JSON writes it (RFC 8259, section 6) that text begins with: its length, or
 * 0 if none. *ret_is_float (set only then): it has a point or an exponent. */
size_t cell_number(const uint8_t *text, size_t len, bool *ret_is_float);

/* Puts a number that cell_number has found. False if no type holds it; nothing is put then. */
bool cell_put_number(struct buf *out, const uint8_t *text, size_t len, bool is_float);

/* A number, true, false, nil if empty, otherwise text. */
void cell_put(struct buf *out, const uint8_t *text, size_t len);

#endif
