#include "sheet.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "escape.h"
#include "format_private.h"
#include "table.h"
#include "value_text.h"

#define SHEET_GAP  2u
#define SHEET_HOST 12u		/* what the column begins with, as in format_table.c */
#define SHEET_WAIT (256u << 10) /* bytes of cells */

struct sheet_cell {
	size_t at; /* in text */
	size_t len;
	size_t width;
	bool number;
	bool is_error; /* of a host: red */
};

struct sheet_column {
	size_t name_at; /* in names */
	size_t name_len;
	size_t width;
	bool right;
};

struct sheet {
	struct buf names;  /* of the columns, one behind the other */
	struct buf titles; /* the same, harmless */
	struct sheet_cell *heads;
	struct sheet_column *columns; /* Host, then the fields */
	size_t count;
	bool titled;
	struct buf text; /* of the rows that wait */
	struct sheet_cell *cells;
	size_t used, size;
};

struct sheet *sheet_new(void)
{
	return xcalloc(1, sizeof(struct sheet));
}

void sheet_free(struct sheet *sheet)
{
	if (!sheet)
		return;
	buf_done(&sheet->names);
	buf_done(&sheet->titles);
	buf_done(&sheet->text);
	free(sheet->heads);
	free(sheet->columns);
	free(sheet->cells);
	free(sheet);
}

/* Text from begin on becomes a cell: one line, nothing that acts on a terminal. */
static struct sheet_cell sheet_cell(struct buf *text, const void *data, size_t len)
{
	struct sheet_cell cell = {.at = text->len};

	escape_display(text, data, len);
	for (size_t i = cell.at; i < text->len; i++)
		if (text->data[i] == '\t')
			text->data[i] = ' ';
	cell.len = text->len - cell.at;
	(void)buf_cstr(text);
	cell.width = cell.len ? table_width((const char *)text->data + cell.at) : 0;
	return cell;
}

static void sheet_put_cell(struct sheet *sheet, struct sheet_cell cell)
{
	if (sheet->used == sheet->size) {
		sheet->size = sheet->size ? sheet->size * 2 : 64;
		sheet->cells = xrealloc(sheet->cells, sheet->size, sizeof *sheet->cells);
	}
	sheet->cells[sheet->used++] = cell;
}

/* --- columns --------------------------------------------------------------------------------- */

static void sheet_head(struct sheet *sheet, const void *name, size_t len)
{
	struct sheet_cell cell = sheet_cell(&sheet->titles, name, len);

	sheet->heads = xrealloc(sheet->heads, sheet->count + 1, sizeof *sheet->heads);
	sheet->columns = xrealloc(sheet->columns, sheet->count + 1, sizeof *sheet->columns);
	sheet->heads[sheet->count] = cell;
	sheet->columns[sheet->count++] = (struct sheet_column){
		.name_at = sheet->names.len, .name_len = len, .width = cell.width};
	buf_add(&sheet->names, name, len);
}

static void sheet_begin(struct sheet *sheet, struct value_fields fields)
{
	struct value_field field;

	buf_clear(&sheet->names);
	buf_clear(&sheet->titles);
	sheet->count = 0;
	sheet->titled = false;
	sheet_head(sheet, "Host", strlen("Host"));
	sheet->columns[0].width = SHEET_HOST;
	while (value_fields_next(&fields, &field))
		sheet_head(sheet, field.key.text, field.key.len);
}

/* The column of this name, looked for from hint on; 0, which is that of the host: there is none. */
static size_t sheet_find(const struct sheet *sheet, size_t hint, const struct value_key *key)
{
	for (size_t i = 1; i < sheet->count; i++) {
		size_t at = hint + i - 1 < sheet->count ? hint + i - 1 : hint + i - sheet->count;
		const struct sheet_column *c = &sheet->columns[at];

		if (c->name_len == key->len &&
		    (!key->len || memcmp(sheet->names.data + c->name_at, key->text, key->len) == 0))
			return at;
	}
	return 0;
}

/* It has a field that has no column here. One that lacks a field leaves its cell empty. */
static bool sheet_is_other(const struct sheet *sheet, struct value_fields fields)
{
	struct value_field field;
	size_t at = 0;

	while (value_fields_next(&fields, &field)) {
		at = sheet->count > 1
			     ? sheet_find(sheet, at + 1 < sheet->count ? at + 1 : 1, &field.key)
			     : 0;
		if (!at)
			return true;
	}
	return !sheet->count;
}

static void sheet_put_row(struct sheet *sheet, const struct format_record *r,
			  struct value_fields fields)
{
	struct sheet_cell cell = sheet_cell(&sheet->text, r->host, strlen(r->host));
	size_t row = sheet->used, at = 0;
	struct value_field field;
	struct buf text = {0};

	cell.is_error = r->is_error;
	sheet_put_cell(sheet, cell);
	for (size_t i = 1; i < sheet->count; i++)
		sheet_put_cell(sheet, (struct sheet_cell){0});
	while (value_fields_next(&fields, &field)) {
		bool number;

		at = sheet_find(sheet, at + 1 < sheet->count ? at + 1 : 1, &field.key);
		if (!at)
			break; /* an empty row has but the host */
		buf_clear(&text);
		value_text(&text, &field.value, false, &number);
		cell = sheet_cell(&sheet->text, text.data, text.len);
		cell.number = number;
		sheet->cells[row + at] = cell;
	}
	buf_done(&text);
}

void sheet_add(struct sheet *sheet, struct buf *out, const struct render_style *style,
	       const struct format_record *r, struct value_fields fields)
{
	if (sheet_is_other(sheet, fields)) {
		sheet_flush(sheet, out, style);
		sheet_begin(sheet, fields);
	} else if (sheet->text.len > SHEET_WAIT) {
		sheet_flush(sheet, out, style);
	}
	sheet_put_row(sheet, r, fields);
}

/* --- writing --------------------------------------------------------------------------------- */

static void sheet_widen(struct sheet *sheet)
{
	for (size_t i = 0; i < sheet->used; i++) {
		size_t width = sheet->cells[i].width, *column;

		column = &sheet->columns[i % sheet->count].width;
		if (width > *column && (width <= SHEET_WIDEN || i % sheet->count == 0))
			*column = width;
	}
}

/* With the titles it is settled what stands at the right: nothing but numbers, and at least one. */
static void sheet_align(struct sheet *sheet)
{
	for (size_t c = 0; c < sheet->count; c++) {
		size_t numbers = 0, others = 0;

		for (size_t i = c; i < sheet->used; i += sheet->count) {
			numbers += sheet->cells[i].number;
			others += !sheet->cells[i].number && sheet->cells[i].len;
		}
		sheet->columns[c].right = numbers && !others;
	}
}

static void sheet_pad(struct buf *out, size_t n)
{
	memset(buf_room(out, n), ' ', n);
	out->len += n;
}

static void sheet_colour(struct buf *out, const struct render_style *style, const char *code)
{
	if (style->colour)
		buf_add_str(out, code);
}

/* head: titles, in no colour. */
static void sheet_line(const struct sheet *sheet, struct buf *out, const struct render_style *style,
		       const struct buf *text, const struct sheet_cell *cells, bool head)
{
	size_t begin = out->len, first = style->labels ? 0 : 1;

	for (size_t i = first; i < sheet->count; i++) {
		const struct sheet_column *column = &sheet->columns[i];
		const struct sheet_cell *cell = &cells[i];
		size_t pad = column->width > cell->width ? column->width - cell->width : 0;
		bool right = column->right && (head || cell->number);

		if (i > first)
			sheet_pad(out, SHEET_GAP);
		if (right)
			sheet_pad(out, pad);
		if (i == 0 && !head)
			sheet_colour(out, style, cell->is_error ? "\033[31m" : "\033[34m");
		buf_add(out, text->data + cell->at, cell->len);
		if (i == 0 && !head)
			sheet_colour(out, style, "\033[0m");
		if (!right && i + 1 < sheet->count)
			sheet_pad(out, pad);
	}
	while (out->len > begin && out->data[out->len - 1] == ' ')
		out->len--;
	buf_add_char(out, '\n');
}

void sheet_flush(struct sheet *sheet, struct buf *out, const struct render_style *style)
{
	if (!sheet || !sheet->used)
		return;
	sheet_widen(sheet);
	if (!sheet->titled) {
		sheet_align(sheet);
		sheet_line(sheet, out, style, &sheet->titles, sheet->heads, true);
	}
	sheet->titled = true;
	for (size_t i = 0; i < sheet->used; i += sheet->count)
		sheet_line(sheet, out, style, &sheet->text, sheet->cells + i, false);
	sheet->used = 0;
	buf_clear(&sheet->text);
}

void sheet_leave(struct sheet *sheet, struct buf *out, const struct render_style *style)
{
	if (!sheet)
		return;
	sheet_flush(sheet, out, style);
	sheet->titled = false;
}
