#include <inttypes.h>

#include "format_private.h"
#include "json.h"
#include "rows_private.h"
#include "value_json.h"
#include "yaml.h"

static void yaml_begin(struct buf *out, const struct render_style *style, struct format_state *st,
		       const struct format_record *r)
{
	(void)style;
	st->items++;
	buf_add_str(out, "- host: ");
	yaml_str(out, r->host);
	buf_addf(out, "\n  job: %" PRIu64 "\n  child: %" PRIu64 "\n  stream: ", r->job, r->child);
	yaml_str(out, r->stream);
	buf_addf(out, "\n  seq: %" PRIu64 "\n  time: ", r->seq);
	json_time(out, r->time_ns);
	buf_add_str(out, "\n  value: ");
	if (r->is_typed)
		return;
	if (r->unparsed)
		buf_add_str(out, "{\"$error\": \"" FORMAT_UNPARSED_WHY "\", \"$raw\": ");
	buf_add_str(out, r->is_text ? "\"" : "{\"$bytes\": \"");
}

static void yaml_piece(struct buf *out, const struct render_style *style, struct format_state *st,
		       const struct format_record *r, const void *data, size_t len)
{
	(void)style;
	if (!len)
		return;
	if (r->is_typed)
		value_json_row(out, data, len, r->columns, r->column_count, VALUE_YAML);
	else if (r->is_text)
		yaml_escape(out, data, len);
	else
		format_base64(out, st, data, len);
}

static void yaml_end(struct buf *out, const struct render_style *style, struct format_state *st,
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
	buf_add_char(out, '\n');
}

static void yaml_row(struct buf *out, const struct render_style *style, struct format_state *st,
		     const struct row_view *row)
{
	(void)style;
	st->items++;
	rows_put_yaml(out, row);
}

static void yaml_close(struct buf *out, const struct render_style *style, struct format_state *st)
{
	(void)style;
	if (!st->items)
		buf_add_str(out, "[]\n");
}

const struct format format_yaml = {
	.name = "yaml",
	.begin = yaml_begin,
	.piece = yaml_piece,
	.end = yaml_end,
	.row = yaml_row,
	.close = yaml_close,
};
