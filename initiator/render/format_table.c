#include <string.h>

#include "escape.h"
#include "format_private.h"
#include "rows_private.h"
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

static void table_begin(struct buf *out, const struct render_style *style, struct format_state *st,
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
	if (!st->titled)
		table_titles(out, style, st);
	st->items++;
	if (style->labels) {
		format_host(out, style, r, "");
		table_pad_to(out, host, st->host);
	}
	buf_add_str(out, r->stream);
	table_pad_to(out, stream, st->stream);
}

static void table_piece(struct buf *out, const struct render_style *style, struct format_state *st,
			const struct format_record *r, const void *data, size_t len)
{
	size_t host = style->labels ? st->host + FORMAT_TABLE_GAP : 0;

	(void)r;
	format_show(out, style, st, data, len, host + st->stream + FORMAT_TABLE_GAP);
}

static void table_end(struct buf *out, const struct render_style *style, struct format_state *st,
		      const struct format_record *r)
{
	(void)style;
	(void)r;
	format_shown(out, st);
	buf_add_char(out, '\n');
}

/* Other columns: those of the records need their titles again. */
static void table_put_row(struct buf *out, const struct render_style *style,
			  struct format_state *st, const struct row_view *row)
{
	(void)style;
	st->items++;
	st->titled = false;
	rows_put_table(out, row);
}

const struct format format_table = {
	.name = "table",
	.begin = table_begin,
	.piece = table_piece,
	.end = table_end,
	.row = table_put_row,
	.close = format_close_nothing,
};
