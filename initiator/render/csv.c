#include "csv.h"

#include <string.h>

#include "escape.h"
#include "utf8.h"

void csv_quoted(struct buf *out, const void *data, size_t len, bool escape)
{
	const char *p = data;

	while (len) {
		const char *quote = memchr(p, '"', len);
		size_t n = quote ? (size_t)(quote - p) : len;

		if (escape)
			escape_display(out, p, n);
		else
			buf_add(out, p, n);
		if (quote) {
			buf_add_str(out, "\"\"");
			n++;
		}
		p += n;
		len -= n;
	}
}

/* Some readers drop spaces at the ends of a field that is not quoted. */
static bool csv_needs_quotes(const char *text)
{
	size_t len = strlen(text);

	return !len || strpbrk(text, ",\"\r\n") || text[0] == ' ' || text[len - 1] == ' ';
}

void csv_str(struct buf *out, const char *text, bool escape)
{
	bool quotes;

	if (!text)
		return;
	escape = escape || !utf8_valid(text, strlen(text));
	quotes = csv_needs_quotes(text);
	if (quotes)
		buf_add_char(out, '"');
	csv_quoted(out, text, strlen(text), escape);
	if (quotes)
		buf_add_char(out, '"');
}
