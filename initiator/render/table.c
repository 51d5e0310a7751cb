#include "table.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "escape.h"
#include "utf8.h"

#define TABLE_GAP 2u
#define TABLE_CUT "..."

struct table_cell {
	size_t at; /* in text: a C string */
	size_t width;
};

struct table {
	const struct table_column *columns;
	size_t count;
	struct buf text;
	struct table_cell *cells; /* row by row; the first row holds the titles */
	size_t used, size;
	size_t *widths;
};

static void table_add_cell(struct table *t, size_t column, const char *text)
{
	struct table_cell *cell;

	if (t->used == t->size) {
		t->size = t->size ? t->size * 2 : 64;
		t->cells = xrealloc(t->cells, t->size, sizeof *t->cells);
	}
	cell = &t->cells[t->used++];
	cell->at = t->text.len;
	if (text)
		escape_display(&t->text, text, strlen(text));
	buf_add_char(&t->text, '\0');
	/* A tab is harmless to the terminal but not to the columns. */
	for (size_t i = cell->at; i < t->text.len; i++)
		if (t->text.data[i] == '\t')
			t->text.data[i] = ' ';
	cell->width = table_width((const char *)t->text.data + cell->at);
	if (cell->width > t->widths[column])
		t->widths[column] = cell->width;
}

struct table *table_new(const struct table_column *columns, size_t count)
{
	struct table *t = xcalloc(1, sizeof *t);

	t->columns = columns;
	t->count = count;
	t->widths = xcalloc(count, sizeof *t->widths);
	for (size_t i = 0; i < count; i++)
		table_add_cell(t, i, columns[i].title);
	return t;
}

void table_free(struct table *table)
{
	if (!table)
		return;
	buf_done(&table->text);
	free(table->cells);
	free(table->widths);
	free(table);
}

void table_row(struct table *table, const char *const *cells)
{
	for (size_t i = 0; i < table->count; i++)
		table_add_cell(table, i, cells[i]);
}

size_t table_fit(const char *text, size_t width)
{
	const uint8_t *p = (const uint8_t *)text;
	size_t n = strlen(text), at = 0;

	while (at < n) {
		uint32_t cp = 0;
		int len = utf8_decode(p + at, n - at, &cp);
		size_t w = len > 0 ? table_char_width(cp) : 1;

		if (w > width)
			break;
		width -= w;
		at += len > 0 ? (size_t)len : 1;
	}
	return at;
}

static void table_pad(struct buf *out, size_t n)
{
	memset(buf_room(out, n), ' ', n);
	out->len += n;
}

/* max: the width of the last column. */
static void table_render_row(struct buf *out, const struct table *t, size_t first, size_t max)
{
	size_t line = out->len;

	for (size_t i = 0; i < t->count; i++) {
		const struct table_cell *cell = &t->cells[first + i];
		const char *text = (const char *)t->text.data + cell->at;
		bool last = i + 1 == t->count, cut = last && cell->width > max;
		size_t width = last && max < t->widths[i] ? max : t->widths[i];
		size_t pad = cut ? 0 : width - cell->width;

		if (i)
			table_pad(out, TABLE_GAP);
		if (t->columns[i].right)
			table_pad(out, pad);
		buf_add(out, text, cut ? table_fit(text, max - strlen(TABLE_CUT)) : strlen(text));
		if (cut)
			buf_add_str(out, TABLE_CUT);
		if (!t->columns[i].right)
			table_pad(out, pad);
	}
	while (out->len > line && out->data[out->len - 1] == ' ')
		out->len--;
	buf_add_char(out, '\n');
}

void table_render(struct buf *out, const struct table *table, size_t width)
{
	size_t before = 0, max = SIZE_MAX;

	if (!table->count)
		return;
	for (size_t i = 0; i + 1 < table->count; i++)
		before += table->widths[i] + TABLE_GAP;
	if (width) {
		max = width > before ? width - before : 0;
		if (max < strlen(TABLE_CUT))
			max = strlen(TABLE_CUT);
	}
	for (size_t first = 0; first < table->used; first += table->count)
		table_render_row(out, table, first, max);
}
