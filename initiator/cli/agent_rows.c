#include "agent_rows.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "cmd.h"
#include "payload.h"
#include "utf8.h"
#include "wire.h"

#define AGENT_SHA256	     64u /* hex digits */
#define AGENT_DIGITS_MIN     16u
#define AGENT_VERSION_DIGITS 12u

struct agent_rows {
	const struct format *format;
	struct render_style style;
	struct format_state state;
	struct buf text;
	size_t count;
};

struct agent_rows *agent_rows_new(const struct format *format, const struct render_style *style)
{
	struct agent_rows *rows = xcalloc(1, sizeof *rows);

	rows->format = format;
	rows->style = *style;
	return rows;
}

void agent_rows_free(struct agent_rows *rows)
{
	if (!rows)
		return;
	format_state_done(&rows->state);
	buf_done(&rows->text);
	free(rows);
}

/* digits: of the SHA-256, at least its beginning, which the name of the file has too. */
static bool agent_rows_is_current(const char *sha256, size_t digits)
{
	size_t count = 0;
	const struct payload *payloads = payload_list(&count);

	for (size_t i = 0; i < count; i++)
		if (strncmp(payloads[i].sha256, sha256, digits) == 0)
			return true;
	return false;
}

/* The line as a row; false: it is none. */
static bool agent_rows_parse(struct buf *out, const char *line, size_t len)
{
	const char *sha = memchr(line, '\t', len), *end = line + len;
	size_t digits;

	if (!sha++)
		return false;
	digits = strspn(sha, "0123456789abcdef");
	if (digits < AGENT_DIGITS_MIN || digits > AGENT_SHA256 || sha[digits] != '\t')
		return false;
	wire_put_array(out, 3);
	wire_put_text(out, line, (size_t)(sha - 1 - line));
	if (agent_rows_is_current(sha, digits))
		wire_put_str(out, "current");
	else
		wire_put_text(out, sha, AGENT_VERSION_DIGITS);
	wire_put_text(out, sha + digits + 1, (size_t)(end - sha) - digits - 1);
	return true;
}

void agent_rows_add(struct agent_rows *rows, struct format_record r, const char *line, size_t len)
{
	static const char *const columns[] = {"Arch", "Version", "Path"};
	const struct format *f = rows->format;
	struct buf row = {0};
	char *copy = xstrndup(line, len); /* ends in NUL: a line has none inside */

	len = strlen(copy);
	r.is_typed = agent_rows_parse(&row, copy, len);
	if (r.is_typed) {
		r.columns = columns;
		r.column_count = ARRAY_LEN(columns);
	} else {
		r.is_text = utf8_valid(copy, len);
		buf_add(&row, copy, len);
	}
	f->begin(&rows->text, &rows->style, &rows->state, &r);
	f->piece(&rows->text, &rows->style, &rows->state, &r, row.data, row.len);
	f->end(&rows->text, &rows->style, &rows->state, &r);
	rows->count++;
	buf_done(&row);
	free(copy);
}

size_t agent_rows_count(const struct agent_rows *rows)
{
	return rows->count;
}

int agent_rows_print(struct agent_rows *rows)
{
	rows->format->close(&rows->text, &rows->style, &rows->state);
	return cmd_print(&rows->text);
}
