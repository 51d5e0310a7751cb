#include <inttypes.h>

#include "format_private.h"
#include "json.h"
#include "rows_private.h"
#include "value_json.h"

static void jsonl_begin(struct buf *out, const struct render_style *style, struct format_state *st,
			const struct format_record *r)
{
	(void)style;
	st->items++;
	buf_add_str(out, "{\"host\":");
	json_str(out, r->host);
	buf_addf(out, ",\"job\":%" PRIu64 ",\"child\":%" PRIu64 ",\"stream\":", r->job, r->child);
	json_str(out, r->stream);
	buf_addf(out, ",\"seq\":%" PRIu64 ",\"time\":", r->seq);
	json_time(out, r->time_ns);
	buf_add_str(out, ",\"value\":");
	if (r->is_typed)
		return;
	if (r->unparsed)
		buf_add_str(out, "{\"$error\":\"" FORMAT_UNPARSED_WHY "\",\"$raw\":");
	buf_add_str(out, r->is_text ? "\"" : "{\"$bytes\":\"");
}

static void jsonl_piece(struct buf *out, const struct render_style *style, struct format_state *st,
			const struct format_record *r, const void *data, size_t len)
{
	(void)style;
	if (r->is_typed)
		value_json_row(out, data, len, r->columns, r->column_count, VALUE_JSON);
	else if (r->is_text)
		json_escape(out, data, len);
	else
		format_base64(out, st, data, len);
}

static void json_end(struct buf *out, const struct render_style *style, struct format_state *st,
		     const struct format_record *r)
{
	(void)style;
	if (!r->is_typed) {
		if (!r->is_text)
			format_base64_end(out, st);
		buf_add_str(out, r->is_text ? "\"" : "\"}");
		if (r->unparsed)
			buf_add_char(out, '}');
	}
	buf_add_char(out, '}');
}

static void jsonl_end(struct buf *out, const struct render_style *style, struct format_state *st,
		      const struct format_record *r)
{
	json_end(out, style, st, r);
	buf_add_char(out, '\n');
}

static void jsonl_row(struct buf *out, const struct render_style *style, struct format_state *st,
		      const struct row_view *row)
{
	(void)style;
	st->items++;
	rows_put_json(out, row);
	buf_add_char(out, '\n');
}

static void json_separate(struct buf *out, const struct format_state *st)
{
	buf_add_str(out, st->items ? ",\n" : "[");
}

static void json_begin(struct buf *out, const struct render_style *style, struct format_state *st,
		       const struct format_record *r)
{
	json_separate(out, st);
	jsonl_begin(out, style, st, r);
}

static void json_row(struct buf *out, const struct render_style *style, struct format_state *st,
		     const struct row_view *row)
{
	(void)style;
	json_separate(out, st);
	st->items++;
	rows_put_json(out, row);
}

static void json_close(struct buf *out, const struct render_style *style, struct format_state *st)
{
	(void)style;
	buf_add_str(out, st->items ? "]\n" : "[]\n");
}

const struct format format_json = {
	.name = "json",
	.begin = json_begin,
	.piece = jsonl_piece,
	.end = json_end,
	.row = json_row,
	.close = json_close,
};

const struct format format_jsonl = {
	.name = "jsonl",
	.begin = jsonl_begin,
	.piece = jsonl_piece,
	.end = jsonl_end,
	.row = jsonl_row,
	.close = format_close_nothing,
};
