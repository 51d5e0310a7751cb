#include "gather.h"

#include <string.h>

#include "limits.h"

static void gather_part(struct gather *g, struct parse *p, const uint8_t *data, size_t len)
{
	if (!g->over && len > LIMIT_LINE_JSON - g->partial.len) {
		g->over = true;
		pieces_add(&g->pieces, p, RECORD_UNPARSED, g->partial.data, g->partial.len);
		buf_clear(&g->partial);
	}
	if (g->over)
		pieces_add(&g->pieces, p, RECORD_UNPARSED, data, len);
	else
		buf_add(&g->partial, data, len);
}

static void gather_line(struct gather *g, struct parse *p, gather_fn *fn)
{
	if (g->over)
		pieces_end(&g->pieces, p, RECORD_UNPARSED);
	else
		fn(p, g->partial.data, g->partial.len);
	g->over = false;
	buf_clear(&g->partial);
}

void gather_add(struct gather *g, struct parse *p, const uint8_t *data, size_t len, gather_fn *fn)
{
	const uint8_t *end = data + len;

	while (data < end) {
		const uint8_t *eol = memchr(data, '\n', (size_t)(end - data));
		size_t n = (size_t)((eol ? eol : end) - data);

		if (eol && !g->over && !g->partial.len && n <= LIMIT_LINE_JSON) {
			fn(p, data, n);
		} else {
			gather_part(g, p, data, n);
			if (!eol)
				return;
			gather_line(g, p, fn);
		}
		data = eol + 1;
	}
}

void gather_end(struct gather *g, struct parse *p, gather_fn *fn)
{
	if (g->over || g->partial.len)
		gather_line(g, p, fn);
}

size_t gather_pending(const struct gather *g)
{
	return g->partial.len + g->pieces.rest.len;
}

void gather_done(struct gather *g)
{
	buf_done(&g->partial);
	pieces_done(&g->pieces);
}

size_t gather_chomp(const uint8_t *line, size_t len)
{
	return len && line[len - 1] == '\r' ? len - 1 : len;
}

size_t gather_blanks(const uint8_t *line, size_t len)
{
	size_t n = 0;

	while (n < len && (line[n] == ' ' || line[n] == '\t'))
		n++;
	return n;
}

size_t gather_trim(const uint8_t *line, size_t len)
{
	while (len && (line[len - 1] == ' ' || line[len - 1] == '\t' || line[len - 1] == '\r'))
		len--;
	return len;
}
