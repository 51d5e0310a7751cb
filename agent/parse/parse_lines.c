/* lines, nul and raw: text as it is. What a line or a part of it is, is found by memchr alone. */
#include <string.h>

#include "give.h"
#include "kind.h"
#include "limits.h"

struct parse_lines {
	struct parse parse;
	struct pieces line; /* that has begun */
};

static void parse_lines_cut(struct parse *p, const uint8_t *data, size_t len, int separator)
{
	struct parse_lines *s = (struct parse_lines *)p;
	const uint8_t *end = data + len;

	while (data < end) {
		const uint8_t *eol = memchr(data, separator, (size_t)(end - data));
		size_t n = (size_t)((eol ? eol : end) - data);

		if (eol && !s->line.rest.len && n <= LIMIT_RECORD_VALUE) {
			give_piece(p, 0, data, n);
		} else {
			pieces_add(&s->line, p, 0, data, n);
			if (!eol)
				return;
			pieces_end(&s->line, p, 0);
		}
		data = eol + 1;
	}
}

static void parse_lines_add(struct parse *p, const uint8_t *data, size_t len)
{
	parse_lines_cut(p, data, len, '\n');
}

static void parse_nul_add(struct parse *p, const uint8_t *data, size_t len)
{
	parse_lines_cut(p, data, len, '\0');
}

static void parse_lines_end(struct parse *p)
{
	struct parse_lines *s = (struct parse_lines *)p;

	if (s->line.rest.len)
		pieces_end(&s->line, p, RECORD_NO_EOL);
}

static void parse_lines_done(struct parse *p)
{
	pieces_done(&((struct parse_lines *)p)->line);
}

static size_t parse_lines_pending(const struct parse *p)
{
	return ((const struct parse_lines *)p)->line.rest.len;
}

const struct parse_kind parse_lines_kind = {.size = sizeof(struct parse_lines),
					    .add = parse_lines_add,
					    .end = parse_lines_end,
					    .done = parse_lines_done,
					    .pending = parse_lines_pending};

const struct parse_kind parse_nul_kind = {.size = sizeof(struct parse_lines),
					  .add = parse_nul_add,
					  .end = parse_lines_end,
					  .done = parse_lines_done,
					  .pending = parse_lines_pending};

static void parse_raw_add(struct parse *p, const uint8_t *data, size_t len)
{
	while (len) {
		size_t n = len;

		if (n > LIMIT_RECORD_VALUE)
			n = give_cut(data, LIMIT_RECORD_VALUE);
		give_piece(p, RECORD_NO_EOL, data, n);
		data += n;
		len -= n;
	}
}

static void parse_raw_end(struct parse *p)
{
	(void)p;
}

static size_t parse_raw_pending(const struct parse *p)
{
	(void)p;
	return 0;
}

const struct parse_kind parse_raw_kind = {.size = sizeof(struct parse),
					  .add = parse_raw_add,
					  .end = parse_raw_end,
					  .pending = parse_raw_pending};
