#include <inttypes.h>

#include "clock.h"
#include "csv.h"
#include "format_private.h"

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
}

static void csv_piece(struct buf *out, const struct render_style *style, struct format_state *st,
		      const struct format_record *r, const void *data, size_t len)
{
	if (r->is_text)
		csv_quoted(out, data, len, style->escape);
	else
		format_base64(out, st, data, len);
}

static void csv_end(struct buf *out, const struct render_style *style, struct format_state *st,
		    const struct format_record *r)
{
	(void)style;
	if (!r->is_text)
		format_base64_end(out, st);
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
