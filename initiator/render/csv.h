/* Writing the fields of CSV (RFC 4180). */
#ifndef MUSTER_CSV_H
#define MUSTER_CSV_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

/* Appends the inside of a quoted field. escape: made harmless by escape_display(), whole
 * characters. */
void csv_quoted(struct buf *out, const void *data, size_t len, bool escape);

/*
 * Appends a whole field, quoted if it has to be; NULL: nothing; an empty text: "". Text that is not
 * UTF-8 is escaped in any case: CSV is text.
 */
void csv_str(struct buf *out, const char *text, bool escape);

#endif
