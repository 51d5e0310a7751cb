/*
 * Tables of rows and maps that are written while they grow: Host and the names of their fields
 * under titles, which come again when the names change. Rows wait for sheet_flush, so that those
 * that came together stand in columns; later ones widen a column from them on. A cell of more than
 * SHEET_WIDEN columns widens nothing. Fields of which all that wait are numbers stand at the right.
 */
#ifndef MUSTER_SHEET_H
#define MUSTER_SHEET_H

#include <stdbool.h>

#include "buf.h"
#include "format.h"
#include "value_fields.h"

#define SHEET_WIDEN 60u

struct sheet;

struct sheet *sheet_new(void);
void sheet_free(struct sheet *sheet); /* NULL is fine */

/* Adds a row. Appends to out what waited, if the names are others or much waits. */
void sheet_add(struct sheet *sheet, struct buf *out, const struct render_style *style,
	       const struct format_record *r, struct value_fields fields);

/* Appends what waits. NULL is fine. */
void sheet_flush(struct sheet *sheet, struct buf *out, const struct render_style *style);

/* The same, and something else follows: the next row needs titles. NULL is fine. */
void sheet_leave(struct sheet *sheet, struct buf *out, const struct render_style *style);

#endif
