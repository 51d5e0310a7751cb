/*
 * Making bytes from elsewhere harmless before a terminal or a log sees them. What is stored or
 * written to a pipe is never escaped.
 */
#ifndef MUSTER_ESCAPE_H
#define MUSTER_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

/*
 * Appends n bytes to out so that they cannot act on a terminal: control characters (C0 but tab,
 * DEL, C1), bidirectional controls (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069),
 * line and paragraph separators (U+2028, U+2029) and bytes that are no UTF-8 become \xHH for each
 * byte, or \u{HEX} for a character. Backslash stays as it is: the result is for eyes, not to be
 * parsed back.
 */
void escape_display(struct buf *out, const void *data, size_t n);

/* True for a character that the above replaces. */
bool escape_is_harmful(uint32_t cp);

/*
 * The same for a C string, into a fixed buffer of size >= 1 that is always terminated; cuts, but
 * not inside a character. Returns out.
 */
char *escape_str(char *out, size_t size, const char *text);

#endif
