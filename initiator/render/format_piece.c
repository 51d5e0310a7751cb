/* Values that come in pieces: what a piece leaves over waits for the next one. */
#include <string.h>

#include "escape.h"
#include "format_private.h"
#include "json.h"
#include "utf8.h"
#include "value_text.h"

void format_host(struct buf *out, const struct render_style *style, const struct format_record *r,
		 const char *behind)
{
	if (style->colour)
		buf_add_str(out, r->is_error ? "\033[31m" : "\033[34m");
	if (style->escape)
		escape_display(out, r->host, strlen(r->host));
	else
		buf_add_str(out, r->host);
	buf_add_str(out, behind);
	if (style->colour)
		buf_add_str(out, "\033[0m");
}

/* The length of the beginning of a character that the last bytes may be; 0 if they are none. */
static size_t format_unfinished(const uint8_t *p, size_t n)
{
	uint32_t cp;

	for (size_t k = n < 3 ? n : 3; k; k--)
		if (utf8_decode(p + n - k, k, &cp) == -1)
			return k;
	return 0;
}

/* Completes the character that the piece before left unfinished. Returns the bytes it took. */
static size_t format_resume(struct buf *out, struct format_state *st, const uint8_t *p, size_t n)
{
	uint8_t whole[6];
	uint32_t cp;
	size_t take = n < 3 ? n : 3, had = st->held_len;
	int len;

	memcpy(whole, st->held, had);
	memcpy(whole + had, p, take);
	len = utf8_decode(whole, had + take, &cp);
	if (len == -1) {
		/* Still unfinished, so take is all of the piece, and all of it fits. */
		memcpy(st->held + had, p, take);
		st->held_len += take;
		return take;
	}
	st->held_len = 0;
	if (len == 0) {
		escape_display(out, whole, had);
		return 0;
	}
	escape_display(out, whole, (size_t)len);
	return (size_t)len - had;
}

static void format_show_escaped(struct buf *out, struct format_state *st, const uint8_t *p,
				size_t len)
{
	size_t n = st->held_len ? format_resume(out, st, p, len) : 0;

	p += n;
	len -= n;
	if (!len)
		return;
	n = format_unfinished(p, len);
	escape_display(out, p, len - n);
	memcpy(st->held, p + len - n, n);
	st->held_len = n;
}

static void format_show_raw(struct buf *out, const uint8_t *p, size_t len, size_t indent)
{
	while (indent && len) {
		const uint8_t *eol = memchr(p, '\n', len);
		size_t line = eol ? (size_t)(eol - p) + 1 : len;

		buf_add(out, p, line);
		if (eol) {
			memset(buf_room(out, indent), ' ', indent);
			out->len += indent;
		}
		p += line;
		len -= line;
	}
	buf_add(out, p, len);
}

void format_show(struct buf *out, const struct render_style *style, struct format_state *st,
		 const void *data, size_t len, size_t indent)
{
	if (!len)
		return;
	if (style->escape)
		format_show_escaped(out, st, data, len);
	else
		format_show_raw(out, data, len, indent);
}

void format_shown(struct buf *out, struct format_state *st)
{
	escape_display(out, st->held, st->held_len);
	st->held_len = 0;
}

enum format_kind format_typed(const struct format_record *r, const void *data, size_t len,
			      struct value_fields *ret_fields)
{
	if (!value_fields(ret_fields, data, len, r->columns, r->column_count))
		return FORMAT_PLAIN;
	return r->unparsed && !ret_fields->columns ? FORMAT_UNPARSED : FORMAT_FIELDS;
}

void format_show_field(struct buf *out, const struct render_style *style, struct format_state *st,
		       struct value_fields fields, const char *name, size_t indent)
{
	struct value_field field;
	struct buf text = {0};

	while (value_fields_next(&fields, &field))
		if (field.key.len == strlen(name) &&
		    memcmp(field.key.text, name, field.key.len) == 0)
			value_text(&text, &field.value, false, NULL);
	format_show(out, style, st, text.data, text.len, indent);
	buf_done(&text);
}

void format_show_typed(struct buf *out, const struct render_style *style, struct format_state *st,
		       const struct format_record *r, const void *data, size_t len, size_t indent)
{
	struct value_in in = value_in(data, len);
	struct value_fields fields;
	struct buf text = {0};

	switch (format_typed(r, data, len, &fields)) {
	case FORMAT_UNPARSED:
		format_show_field(out, style, st, fields, "$raw", indent);
		return;
	case FORMAT_FIELDS:
		value_text_line(&text, &fields);
		break;
	case FORMAT_PLAIN:
		value_text(&text, &in, true, NULL);
		break;
	}
	format_show(out, style, st, text.data, text.len, indent);
	buf_done(&text);
}

/* Base64 works on groups of three bytes: what does not fill one waits for the next piece. */
void format_base64(struct buf *out, struct format_state *st, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len && st->held_len) {
		st->held[st->held_len++] = *p++;
		len--;
		if (st->held_len == 3) {
			json_base64(out, st->held, 3);
			st->held_len = 0;
		}
	}
	if (!len)
		return;
	json_base64(out, p, len - len % 3);
	memcpy(st->held, p + len - len % 3, len % 3);
	st->held_len = len % 3;
}

void format_base64_end(struct buf *out, struct format_state *st)
{
	json_base64(out, st->held, st->held_len);
	st->held_len = 0;
}

void format_close_nothing(struct buf *out, const struct render_style *style,
			  struct format_state *st)
{
	(void)out;
	(void)style;
	(void)st;
}
