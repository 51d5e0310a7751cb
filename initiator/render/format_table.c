#include <string.h>

#include "escape.h"
#include "format_private.h"
#include "rows_private.h"
#include "sheet.h"
#include "table.h"

/* What the columns begin with: the hosts' names are not known, the usual streams are. */
#define FORMAT_TABLE_HOST   12u
#define FORMAT_TABLE_STREAM 7u
#define FORMAT_TABLE_GAP    2u

static void table_pad_to(struct buf *out, size_t width, size_t column)
{
	size_t pad = (width < column ? column - width : 0) + FORMAT_TABLE_GAP;

	memset(buf_room(out, pad), ' ', pad);
	out->len += pad;
}

static size_t table_host_width(const struct render_style *style, const char *host)
{
	struct buf shown = {0};
	size_t width;

	if (!style->escape)
		return table_width(host);
	escape_display(&shown, host, strlen(host));
	width = table_width(buf_cstr(&shown));
	buf_done(&shown);
	return width;
}

static void table_titles(struct buf *out, const struct render_style *style, struct format_state *st)
{
	st->titled = true;
	if (style->labels) {
		buf_add_str(out, "Host");
		table_pad_to(out, strlen("Host"), st->host);
	}
	buf_add_str(out, "Stream");
	table_pad_to(out, strlen("Stream"), st->stream);
	buf_add_str(out, "Value\n");
}

static void table_cells(struct buf *out, const struct render_style *style, struct format_state *st,
			const struct format_record *r)
{
	size_t host = table_host_width(style, r->host), stream = strlen(r->stream);

	if (!st->host) {
		st->host = FORMAT_TABLE_HOST;
		st->stream = FORMAT_TABLE_STREAM;
	}
	if (host > st->host)
		st->host = host;
	if (stream > st->stream)
		st->stream = stream;
	sheet_leave(st->sheet, out, style);
	if (!st->titled)
		table_titles(out, style, st);
	if (style->labels) {
		format_host(out, style, r, "");
		table_pad_to(out, host, st->host);
	}
	buf_add_str(out, r->stream);
	table_pad_to(out, stream, st->stream);
}

/* Whether a typed value is a row, and so which table it belongs to, is known with the value. */
static void table_begin(struct buf *out, const struct render_style *style, struct format_state *st,
			const struct format_record *r)
{
	st->items++;
	st->in_sheet = false;
	if (!r->is_typed)
		table_cells(out, style, st, r);
}

/* Takes the value if it is a row, or a map where those are too. */
static bool table_in_sheet(struct buf *out, const struct render_style *style,
			   struct format_state *st, const struct format_record *r, const void *data,
			   size_t len, bool maps)
{
	struct value_fields fields;

	if (!r->is_typed || format_typed(r, data, len, &fields) != FORMAT_FIELDS ||
	    !(maps || fields.columns))
		return false;
	if (!st->sheet)
		st->sheet = sheet_new();
	sheet_add(st->sheet, out, style, r, fields);
	st->in_sheet = true;
	st->titled = false;
	return true;
}

static void table_piece(struct buf *out, const struct render_style *style, struct format_state *st,
			const struct format_record *r, const void *data, size_t len)
{
	size_t indent;

	if (table_in_sheet(out, style, st, r, data, len, true))
		return;
	if (r->is_typed)
		table_cells(out, style, st, r);
	indent = (style->labels ? st->host + FORMAT_TABLE_GAP : 0) + st->stream + FORMAT_TABLE_GAP;
	if (r->is_typed)
		format_show_typed(out, style, st, r, data, len, indent);
	else
		format_show(out, style, st, data, len, indent);
}

static void table_end(struct buf *out, const struct render_style *style, struct format_state *st,
		      const struct format_record *r)
{
	(void)style;
	(void)r;
	if (st->in_sheet)
		return;
	format_shown(out, st);
	buf_add_char(out, '\n');
}

/* Other columns: those of the records need their titles again. */
static void table_put_row(struct buf *out, const struct render_style *style,
			  struct format_state *st, const struct row_view *row)
{
	sheet_leave(st->sheet, out, style);
	st->items++;
	st->titled = false;
	rows_put_table(out, row);
}

static void table_flush(struct buf *out, const struct render_style *style, struct format_state *st)
{
	sheet_flush(st->sheet, out, style);
}

const struct format format_table = {
	.name = "table",
	.begin = table_begin,
	.piece = table_piece,
	.end = table_end,
	.row = table_put_row,
	.flush = table_flush,
	.close = table_flush,
};

/* --- rows as a table, the rest as text ------------------------------------------------------- */

static void auto_begin(struct buf *out, const struct render_style *style, struct format_state *st,
		       const struct format_record *r)
{
	st->in_sheet = false;
	if (r->is_typed)
		return;
	sheet_leave(st->sheet, out, style);
	format_text.begin(out, style, st, r);
}

static void auto_piece(struct buf *out, const struct render_style *style, struct format_state *st,
		       const struct format_record *r, const void *data, size_t len)
{
	if (table_in_sheet(out, style, st, r, data, len, false))
		return;
	if (r->is_typed) {
		sheet_leave(st->sheet, out, style);
		format_text.begin(out, style, st, r);
	}
	format_text.piece(out, style, st, r, data, len);
}

static void auto_end(struct buf *out, const struct render_style *style, struct format_state *st,
		     const struct format_record *r)
{
	if (!st->in_sheet)
		format_text.end(out, style, st, r);
}

static void auto_row(struct buf *out, const struct render_style *style, struct format_state *st,
		     const struct row_view *row)
{
	sheet_leave(st->sheet, out, style);
	format_text.row(out, style, st, row);
}

const struct format format_auto = {
	.name = "auto",
	.begin = auto_begin,
	.piece = auto_piece,
	.end = auto_end,
	.row = auto_row,
	.flush = table_flush,
	.close = table_flush,
};
