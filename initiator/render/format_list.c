#include <string.h>

#include "clock.h"
#include "escape.h"
#include "format_private.h"
#include "rows_private.h"
#include "table.h"
#include "value_text.h"

#define FORMAT_LIST_NAME     (sizeof "ComputerName" - 1)
#define FORMAT_LIST_NAME_MAX 40u
#define FORMAT_LIST_INDENT   (FORMAT_LIST_NAME + 3)

static void list_separate(struct buf *out, struct format_state *st)
{
	if (st->items++)
		buf_add_char(out, '\n');
}

static void list_host(struct buf *out, const struct render_style *style,
		      const struct format_record *r, size_t width)
{
	if (!style->labels)
		return;
	buf_addf(out, "%-*s : ", (int)width, "ComputerName");
	format_host(out, style, r, "");
	buf_add_char(out, '\n');
}

static void list_head(struct buf *out, const struct render_style *style,
		      const struct format_record *r)
{
	char time[CLOCK_RFC3339_SIZE] = "";

	list_host(out, style, r, FORMAT_LIST_NAME);
	buf_add_str(out, "Stream       : ");
	buf_add_str(out, r->stream);
	buf_add_str(out, "\nTime         : ");
	buf_add_str(out, r->time_ns ? clock_rfc3339(time, r->time_ns) : "");
	buf_add_char(out, '\n');
}

static void list_begin(struct buf *out, const struct render_style *style, struct format_state *st,
		       const struct format_record *r)
{
	list_separate(out, st);
	if (r->is_typed)
		return;
	list_head(out, style, r);
	if (r->unparsed)
		buf_add_str(out, "Error        : " FORMAT_UNPARSED_WHY "\n");
	buf_add_str(out, "Value        : ");
}

/* Names, made harmless, all as wide as the widest (or the cap). */
static size_t list_names_width(const struct render_style *style, struct value_fields fields)
{
	size_t width = style->labels ? FORMAT_LIST_NAME : 0;
	struct value_field field;
	struct buf name = {0};

	while (value_fields_next(&fields, &field)) {
		size_t w;

		buf_clear(&name);
		escape_display(&name, field.key.text, field.key.len);
		w = table_width(buf_cstr(&name));
		if (w > width)
			width = w;
	}
	buf_done(&name);
	return width < FORMAT_LIST_NAME_MAX ? width : FORMAT_LIST_NAME_MAX;
}

/* One "Name : value" line for each field. */
static void list_fields(struct buf *out, const struct render_style *style, struct format_state *st,
			const struct format_record *r, struct value_fields fields)
{
	size_t width = list_names_width(style, fields);
	struct value_field field;
	struct buf text = {0};

	list_host(out, style, r, width);
	while (value_fields_next(&fields, &field)) {
		size_t w;

		buf_clear(&text);
		escape_display(&text, field.key.text, field.key.len);
		w = table_width(buf_cstr(&text));
		buf_addf(&text, "%*s : ", w < width ? (int)(width - w) : 0, "");
		buf_add(out, text.data, text.len);
		buf_clear(&text);
		value_text(&text, &field.value, false, NULL);
		format_show(out, style, st, text.data, text.len, width + 3);
		format_shown(out, st);
		buf_add_char(out, '\n');
	}
	buf_done(&text);
}

static void list_typed(struct buf *out, const struct render_style *style, struct format_state *st,
		       const struct format_record *r, const void *data, size_t len)
{
	struct value_fields fields;
	enum format_kind kind = format_typed(r, data, len, &fields);

	if (kind == FORMAT_FIELDS) {
		list_fields(out, style, st, r, fields);
		return;
	}
	list_head(out, style, r);
	if (kind == FORMAT_UNPARSED) {
		buf_add_str(out, "Error        : ");
		format_show_field(out, style, st, fields, "$error", FORMAT_LIST_INDENT);
		format_shown(out, st);
		buf_add_char(out, '\n');
	}
	buf_add_str(out, "Value        : ");
	format_show_typed(out, style, st, r, data, len, FORMAT_LIST_INDENT);
	format_shown(out, st);
	buf_add_char(out, '\n');
}

static void list_piece(struct buf *out, const struct render_style *style, struct format_state *st,
		       const struct format_record *r, const void *data, size_t len)
{
	if (r->is_typed)
		list_typed(out, style, st, r, data, len);
	else
		format_show(out, style, st, data, len, FORMAT_LIST_INDENT);
}

static void list_end(struct buf *out, const struct render_style *style, struct format_state *st,
		     const struct format_record *r)
{
	(void)style;
	if (r->is_typed)
		return;
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
