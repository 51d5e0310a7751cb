#include <string.h>

#include "clock.h"
#include "format_private.h"
#include "rows_private.h"

#define FORMAT_LIST_INDENT (sizeof "ComputerName : " - 1)

static void list_separate(struct buf *out, struct format_state *st)
{
	if (st->items++)
		buf_add_char(out, '\n');
}

static void list_begin(struct buf *out, const struct render_style *style, struct format_state *st,
		       const struct format_record *r)
{
	char time[CLOCK_RFC3339_SIZE] = "";

	list_separate(out, st);
	if (style->labels) {
		buf_add_str(out, "ComputerName : ");
		format_host(out, style, r, "");
		buf_add_char(out, '\n');
	}
	buf_add_str(out, "Stream       : ");
	buf_add_str(out, r->stream);
	buf_add_str(out, "\nTime         : ");
	buf_add_str(out, r->time_ns ? clock_rfc3339(time, r->time_ns) : "");
	buf_add_str(out, "\nValue        : ");
}

static void list_piece(struct buf *out, const struct render_style *style, struct format_state *st,
		       const struct format_record *r, const void *data, size_t len)
{
	(void)r;
	format_show(out, style, st, data, len, FORMAT_LIST_INDENT);
}

static void list_end(struct buf *out, const struct render_style *style, struct format_state *st,
		     const struct format_record *r)
{
	(void)style;
	(void)r;
	format_shown(out, st);
	buf_add_char(out, '\n');
}

static void list_row(struct buf *out, const struct render_style *style, struct format_state *st,
		     const struct row_view *row)
{
	(void)style;
	list_separate(out, st);
	rows_put_list(out, row);
}

const struct format format_list = {
	.name = "list",
	.begin = list_begin,
	.piece = list_piece,
	.end = list_end,
	.row = list_row,
	.close = format_close_nothing,
};
