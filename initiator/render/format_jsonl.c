#include <inttypes.h>
#include <string.h>

#include "format.h"
#include "json.h"

static void jsonl_begin(struct buf *out, const struct render_style *style, struct format_state *st,
			const struct format_record *r)
{
	(void)style;
	*st = (struct format_state){0};
	buf_add_str(out, "{\"host\":");
	json_str(out, r->host);
	buf_addf(out, ",\"job\":%" PRIu64 ",\"child\":%" PRIu64 ",\"stream\":", r->job, r->child);
	json_str(out, r->stream);
	buf_addf(out, ",\"seq\":%" PRIu64 ",\"time\":", r->seq);
	json_time(out, r->time_ns);
	buf_add_str(out, r->is_text ? ",\"value\":\"" : ",\"value\":{\"$bytes\":\"");
}

/* Base64 works on groups of three bytes: what does not fill one waits for the next piece. */
static void jsonl_bytes(struct buf *out, struct format_state *st, const uint8_t *p, size_t len)
{
	while (len && st->held_len) {
		st->held[st->held_len++] = *p++;
		len--;
		if (st->held_len == 3) {
			json_base64(out, st->held, 3);
			st->held_len = 0;
		}
	}
	json_base64(out, p, len - len % 3);
	if (len % 3)
		memcpy(st->held, p + len - len % 3, len % 3);
	st->held_len += len % 3;
}

static void jsonl_piece(struct buf *out, const struct render_style *style, struct format_state *st,
			const struct format_record *r, const void *data, size_t len)
{
	(void)style;
	if (!len)
		return;
	if (r->is_text)
		json_escape(out, data, len);
	else
		jsonl_bytes(out, st, data, len);
}

static void jsonl_end(struct buf *out, const struct render_style *style, struct format_state *st,
		      const struct format_record *r)
{
	(void)style;
	if (!r->is_text)
		json_base64(out, st->held, st->held_len);
	st->held_len = 0;
	buf_add_str(out, r->is_text ? "\"}\n" : "\"}}\n");
}

const struct format format_jsonl = {
	.name = "jsonl",
	.begin = jsonl_begin,
	.piece = jsonl_piece,
	.end = jsonl_end,
};
