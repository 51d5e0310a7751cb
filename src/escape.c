#include "escape.h"

#include <string.h>

#include "utf8.h"

static bool escape_is_plain(uint8_t c)
{
	return (c >= 0x20 && c < 0x7f) || c == '\t';
}

bool escape_is_harmful(uint32_t cp)
{
	return (cp < 0x20 && cp != '\t') || (cp >= 0x7f && cp < 0xa0) || cp == 0x061c ||
	       cp == 0x200e || cp == 0x200f || (cp >= 0x2028 && cp <= 0x202e) ||
	       (cp >= 0x2066 && cp <= 0x2069);
}

/* Not buf_addf: a host may send nothing else. */
static void escape_byte(struct buf *out, uint8_t c)
{
	static const char hex[] = "0123456789abcdef";
	const char text[4] = {'\\', 'x', hex[c >> 4], hex[c & 15]};

	buf_add(out, text, sizeof text);
}

void escape_display(struct buf *out, const void *data, size_t n)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < n;) {
		size_t run = i;
		uint32_t cp = 0;
		int len;

		while (run < n && escape_is_plain(p[run]))
			run++;
		buf_add(out, p + i, run - i);
		i = run;
		if (i == n)
			return;
		len = p[i] < 0x80 ? 0 : utf8_decode(p + i, n - i, &cp);
		if (len > 0 && !escape_is_harmful(cp)) {
			buf_add(out, p + i, (size_t)len);
		} else if (len > 0) {
			buf_addf(out, "\\u{%x}", (unsigned)cp);
		} else {
			escape_byte(out, p[i]);
			len = 1;
		}
		i += (size_t)len;
	}
}

char *escape_str(char *out, size_t size, const char *text)
{
	struct buf b = {0};
	size_t n;

	/* No byte becomes fewer, so what lies behind size cannot matter. */
	escape_display(&b, text, strnlen(text, size + 4));
	n = b.len < size - 1 ? b.len : size - 1;
	/* A cut must not leave half a character. */
	while (n && n < b.len && (b.data[n] & 0xc0) == 0x80)
		n--;
	if (n)
		memcpy(out, b.data, n);
	out[n] = '\0';
	buf_done(&b);
	return out;
}
