#include <string.h>

#include "escape.h"
#include "format.h"
#include "utf8.h"

static void text_begin(struct buf *out, const struct render_style *style, struct format_state *st,
		       const struct format_record *r)
{
	*st = (struct format_state){0};
	if (!style->labels)
		return;
	if (style->colour)
		buf_add_str(out, r->is_error ? "\033[31m" : "\033[34m");
	if (style->escape)
		escape_display(out, r->host, strlen(r->host));
	else
		buf_add_str(out, r->host);
	if (style->colour)
		buf_add(out, ":\033[0m ", 6);
	else
		buf_add(out, ": ", 2);
}

/* The length of the beginning of a character that the last bytes may be; 0 if they are none. */
static size_t text_unfinished(const uint8_t *p, size_t n)
{
	uint32_t cp;

	for (size_t k = n < 3 ? n : 3; k; k--)
		if (utf8_decode(p + n - k, k, &cp) == -1)
			return k;
	return 0;
}

/* Completes the character that the piece before left unfinished. Returns the bytes it took. */
static size_t text_resume(struct buf *out, struct format_state *st, const uint8_t *p, size_t n)
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

static void text_piece(struct buf *out, const struct render_style *style, struct format_state *st,
		       const struct format_record *r, const void *data, size_t len)
{
	const uint8_t *p = data;
	size_t n, rest;

	(void)r;
	if (!style->escape) {
		buf_add(out, data, len);
		return;
	}
	if (!len)
		return;
	n = st->held_len ? text_resume(out, st, p, len) : 0;
	p += n;
	len -= n;
	if (!len)
		return;
	rest = text_unfinished(p, len);
	escape_display(out, p, len - rest);
	memcpy(st->held, p + len - rest, rest);
	st->held_len = rest;
}

static void text_end(struct buf *out, const struct render_style *style, struct format_state *st,
		     const struct format_record *r)
{
	escape_display(out, st->held, st->held_len);
	st->held_len = 0;
	if (style->labels || !r->no_eol)
		buf_add_char(out, '\n');
}

const struct format format_text = {
	.name = "text",
	.begin = text_begin,
	.piece = text_piece,
	.end = text_end,
};
