#include <inttypes.h>

#include "clock.h"
#include "csv.h"
#include "format_private.h"
#include "json.h"
#include "value_json.h"

/* format_json.c's, with the quotes of CSV. */
#define CSV_UNPARSED "{\"\"$error\"\":\"\"" FORMAT_UNPARSED_WHY "\"\",\"\"$raw\"\":"
#define CSV_BYTES    "{\"\"$bytes\"\":\"\""

static void csv_titles(struct buf *out, const struct format_state *st)
{
	if (!st->items)
		buf_add_str(out, "host,job,child,stream,seq,time,value,encoding\n");
}

static void csv_begin(struct buf *out, const struct render_style *style, struct format_state *st,
		      const struct format_record *r)
{
	char time[CLOCK_RFC3339_SIZE] = "";

	csv_titles(out, st);
	st->items++;
	csv_str(out, r->host, style->escape);
	buf_addf(out, ",%" PRIu64 ",%" PRIu64 ",", r->job, r->child);
	csv_str(out, r->stream, style->escape);
	buf_addf(out, ",%" PRIu64 ",%s,\"", r->seq,
		 r->time_ns ? clock_rfc3339(time, r->time_ns) : "");
	if (r->unparsed && !r->is_typed)
		buf_add_str(out, r->is_text ? CSV_UNPARSED "\"\"" : CSV_UNPARSED CSV_BYTES);
}

/* What is JSON is made whole first: its quotes are doubled then. */
static void csv_json(struct buf *out, const struct render_style *style, struct format_state *st,
		     const struct format_record *r, const void *data, size_t len)
{
	struct buf text = {0};

	if (r->is_typed)
		value_json_row(&text, data, len, r->columns, r->column_count, VALUE_JSON);
	else if (r->is_text)
		json_escape(&text, data, len);
	else
		format_base64(&text, st, data, len);
	csv_quoted(out, text.data, text.len, style->escape);
	buf_done(&text);
}

static void csv_piece(struct buf *out, const struct render_style *style, struct format_state *st,
		      const struct format_record *r, const void *data, size_t len)
{
	if (r->is_typed || r->unparsed)
		csv_json(out, style, st, r, data, len);
	else if (r->is_text)
		csv_quoted(out, data, len, style->escape);
	else
		format_base64(out, st, data, len);
}

static void csv_end(struct buf *out, const struct render_style *style, struct format_state *st,
		    const struct format_record *r)
{
	(void)style;
	if (r->is_typed) {
		buf_add_str(out, "\",json\n");
		return;
	}
	if (!r->is_text)
		format_base64_end(out, st);
	if (r->unparsed)
		buf_add_str(out, r->is_text ? "\"\"}\",json\n" : "\"\"}}\",json\n");
	else
		buf_add_str(out, r->is_text ? "\",utf-8\n" : "\",base64\n");
}

static void csv_close(struct buf *out, const struct render_style *style, struct format_state *st)
{
	(void)style;
	csv_titles(out, st);
}

const struct format format_csv = {
	.name = "csv",
	.begin = csv_begin,
	.piece = csv_piece,
	.end = csv_end,
	.close = csv_close,
};
