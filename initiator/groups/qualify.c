#include "qualify.h"

#include <stdbool.h>
#include <string.h>

static bool qualify_separates(char c)
{
	return strchr(" \t\r\n,!&^", c) != NULL; /* NUL, too */
}

/* The item that begins at text names a source. */
static bool qualify_has_source(const char *text, size_t n)
{
	size_t depth = 0;

	for (size_t i = 0; i < n; i++) {
		depth += text[i] == '[';
		depth -= text[i] == ']' && depth;
		if (!depth && qualify_separates(text[i]))
			return false;
		if (!depth && text[i] == ':')
			return true;
	}
	return false;
}

void qualify(struct buf *out, const char *text, size_t n, const char *source)
{
	bool begins = true;
	size_t depth = 0;

	for (size_t i = 0; i < n; i++) {
		buf_add_char(out, text[i] ? text[i] : ' ');
		depth += text[i] == '[';
		depth -= text[i] == ']' && depth;
		if (begins && text[i] == '@' && i + 1 < n && text[i + 1] != '@' &&
		    !qualify_has_source(text + i + 1, n - i - 1))
			buf_addf(out, "%s:", source);
		begins = !depth && qualify_separates(text[i]);
	}
}
