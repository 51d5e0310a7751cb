/* Tables for people: a header, then rows, columns aligned by display width. */
#ifndef MUSTER_TABLE_H
#define MUSTER_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

struct table;

struct table_column {
	const char *title;
	bool right; /* numbers */
};

/* columns must outlive the table. Freed by table_free. */
struct table *table_new(const struct table_column *columns, size_t count);
void table_free(struct table *table);

/* Adds a row of as many cells as there are columns; NULL is an empty cell. Copied. */
void table_row(struct table *table, const char *const *cells);

/*
 * Appends the table: columns two spaces apart, no spaces at line ends, cells made harmless by
 * escape_display(), a tab in a cell shown as a space. width > 0: the last column is cut with "..."
 * so that lines fit; it keeps three columns even if the others leave it less. A table without rows
 * gives the header alone.
 */
void table_render(struct buf *out, const struct table *table, size_t width);

/*
 * Columns that text, or a character, takes on a terminal, whatever the locale: 2 for wide ones, 0
 * for combining and control characters, 1 for a byte that is no UTF-8.
 */
size_t table_width(const char *text);
size_t table_char_width(uint32_t cp);

/* How many bytes of text take at most width columns; whole characters. */
size_t table_fit(const char *text, size_t width);

#endif
