#include "format_private.h"
#include "rows_private.h"

static void text_begin(struct buf *out, const struct render_style *style, struct format_state *st,
		       const struct format_record *r)
{
	st->items++;
	if (style->labels) {
		format_host(out, style, r, ":");
		buf_add_char(out, ' ');
	}
	if (r->mark)
		buf_add_str(out, r->mark);
}

static void text_piece(struct buf *out, const struct render_style *style, struct format_state *st,
		       const struct format_record *r, const void *data, size_t len)
{
	if (r->is_typed)
		format_show_typed(out, style, st, r, data, len, 0);
	else
		format_show(out, style, st, data, len, 0);
}

static void text_end(struct buf *out, const struct render_style *style, struct format_state *st,
		     const struct format_record *r)
{
	format_shown(out, st);
	if (style->labels || !r->no_eol)
		buf_add_char(out, '\n');
}

static void text_row(struct buf *out, const struct render_style *style, struct format_state *st,
		     const struct row_view *row)
{
	(void)style;
	st->items++;
	rows_put_table(out, row);
}

const struct format format_text = {
	.name = "text",
	.begin = text_begin,
	.piece = text_piece,
	.end = text_end,
	.row = text_row,
	.close = format_close_nothing,
};
