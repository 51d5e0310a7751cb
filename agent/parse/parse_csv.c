/* csv (RFC 4180) and tsv: a row is found by newlines and quotes, and then cut into cells. */
#include <string.h>

#include "cell.h"
#include "columns.h"
#include "gather.h"
#include "give.h"
#include "kind.h"
#include "limits.h"
#include "wire.h"

/* Where in a row of csv the scan is; tsv knows no quotes. */
enum csv_scan { CSV_CELL_BEGIN, CSV_PLAIN, CSV_QUOTED, CSV_QUOTE_IN_QUOTED };

struct parse_csv {
	struct parse parse;
	uint8_t delimiter;
	bool has_quotes;
	enum csv_scan scan;
	struct buf row;	 /* that has begun */
	struct buf cell; /* with quotes or escapes taken out */
	struct pieces pieces;
	bool over; /* up to the next newline nothing is parsed */
	bool has_header;
	const char *bad_header; /* why there are no rows */
	const char *why;	/* a cell is malformed */
	struct columns columns;
};

struct csv_cell {
	const uint8_t *text;
	size_t len;
	bool is_quoted;
};

static int csv_delimiter(struct parse_csv *s, const char *argument, struct errmsg *msg)
{
	if (!argument)
		return 0;
	if (!strcmp(argument, "\\t"))
		argument = "\t";
	if (strlen(argument) != 1 || strchr("\"\r\n\\", argument[0]) || (uint8_t)argument[0] > 0x7e)
		return err_set(msg, ERR_SYNTAX,
			       "a delimiter is one ASCII character, and no quote, backslash or "
			       "newline; write for example csv:; or csv:\\t");
	s->delimiter = (uint8_t)argument[0];
	return 0;
}

static int parse_csv_begin(struct parse *p, const char *argument, struct errmsg *msg)
{
	struct parse_csv *s = (struct parse_csv *)p;

	s->delimiter = ',';
	s->has_quotes = true;
	return csv_delimiter(s, argument, msg);
}

static int parse_tsv_begin(struct parse *p, const char *argument, struct errmsg *msg)
{
	struct parse_csv *s = (struct parse_csv *)p;

	s->delimiter = '\t';
	return csv_delimiter(s, argument, msg);
}

/* --- cells -------------------------------------------------------------------------------- */

/* At the quote that begins a cell. Returns where the cell ends, NULL with s->why if it is
 * malformed. */
static const uint8_t *csv_quoted(struct parse_csv *s, const uint8_t *at, const uint8_t *end,
				 struct csv_cell *ret)
{
	buf_clear(&s->cell);
	for (at++;; at++) {
		const uint8_t *quote = memchr(at, '"', (size_t)(end - at));

		if (!quote) {
			s->why = "its quote is not closed";
			return NULL;
		}
		buf_add(&s->cell, at, (size_t)(quote - at));
		at = quote + 1;
		if (at == end || *at != '"')
			break;
		buf_add_char(&s->cell, '"');
	}
	if (at < end && *at != s->delimiter) {
		s->why = "something follows the quote that ends it";
		return NULL;
	}
	*ret = (struct csv_cell){s->cell.data, s->cell.len, true};
	return at;
}

static void csv_unescape(struct parse_csv *s, struct csv_cell *cell)
{
	static const char from[] = "tnr\\", to[] = "\t\n\r\\";
	const uint8_t *at = cell->text, *end = at + cell->len;

	buf_clear(&s->cell);
	while (at < end) {
		const uint8_t *slash = memchr(at, '\\', (size_t)(end - at));
		const char *found;

		if (!slash || slash + 1 == end)
			break;
		buf_add(&s->cell, at, (size_t)(slash - at));
		found = slash[1] ? strchr(from, slash[1]) : NULL;
		if (found)
			buf_add_char(&s->cell, to[found - from]);
		else
			buf_add(&s->cell, slash, 2);
		at = slash + 2;
	}
	buf_add(&s->cell, at, (size_t)(end - at));
	cell->text = s->cell.data;
	cell->len = s->cell.len;
}

/* The cell that begins at at. Returns where it ends: at end or at a delimiter; NULL: malformed. */
static const uint8_t *csv_next(struct parse_csv *s, const uint8_t *at, const uint8_t *end,
			       struct csv_cell *ret)
{
	const uint8_t *stop;

	if (s->has_quotes && at < end && *at == '"')
		return csv_quoted(s, at, end, ret);
	stop = memchr(at, s->delimiter, (size_t)(end - at));
	if (!stop)
		stop = end;
	*ret = (struct csv_cell){at, (size_t)(stop - at), false};
	if (!s->has_quotes && memchr(at, '\\', ret->len)) {
		if (ret->len == 2 && at[1] == 'N')
			ret->len = 0;
		else
			csv_unescape(s, ret);
	}
	return stop;
}

/* --- rows --------------------------------------------------------------------------------- */

static void csv_header(struct parse_csv *s, const uint8_t *row, size_t len, const uint8_t *end)
{
	const uint8_t *at = row;
	struct csv_cell cell;

	s->has_header = true;
	for (;;) {
		at = csv_next(s, at, end, &cell);
		if (!at)
			s->bad_header = "the row that names the columns is malformed";
		else if (!columns_add(&s->columns, cell.text, cell.len))
			s->bad_header = "the header names more columns than a row may have, 256";
		if (s->bad_header) {
			give_unparsed(&s->parse, s->bad_header, row, len);
			return;
		}
		if (at == end)
			break;
		at++;
	}
	columns_announce(&s->columns, &s->parse);
}

static void csv_put(struct parse_csv *s, const struct csv_cell *cell)
{
	if (cell->is_quoted)
		wire_put_text(&s->parse.value, cell->text, cell->len);
	else
		cell_put(&s->parse.value, cell->text, cell->len);
}

static void csv_cells(struct parse_csv *s, const uint8_t *row, size_t len, const uint8_t *end)
{
	const uint8_t *at = row;
	struct csv_cell cell;
	struct errmsg why;
	size_t count = 0;

	columns_row_begin(&s->columns, &s->parse);
	for (;;) {
		at = csv_next(s, at, end, &cell);
		if (!at) {
			(void)err_set(&why, ERR_SYNTAX, "cell %zu: %s", count + 1, s->why);
			give_unparsed(&s->parse, why.text, row, len);
			return;
		}
		if (count++ < s->columns.count)
			csv_put(s, &cell);
		if (at == end)
			break;
		at++;
	}
	if (count == s->columns.count) {
		columns_row_give(&s->columns, &s->parse, row, len);
		return;
	}
	(void)err_set(&why, ERR_SYNTAX, "the row has %zu cells, the header %zu", count,
		      s->columns.count);
	give_unparsed(&s->parse, why.text, row, len);
}

static void csv_row(struct parse_csv *s, const uint8_t *row, size_t len)
{
	const uint8_t *end = row + gather_chomp(row, len);

	s->scan = CSV_CELL_BEGIN;
	if (row == end)
		return;
	if (!s->has_header)
		csv_header(s, row, len, end);
	else if (s->bad_header)
		give_unparsed(&s->parse, s->bad_header, row, len);
	else
		csv_cells(s, row, len, end);
}

/* The newline that ends the row, or NULL. */
static const uint8_t *csv_find(struct parse_csv *s, const uint8_t *data, size_t len)
{
	if (!s->has_quotes || s->over)
		return memchr(data, '\n', len);
	for (size_t i = 0; i < len; i++) {
		uint8_t c = data[i];

		if (s->scan == CSV_QUOTED) {
			if (c == '"')
				s->scan = CSV_QUOTE_IN_QUOTED;
		} else if (c == '\n') {
			return data + i;
		} else if (c == s->delimiter) {
			s->scan = CSV_CELL_BEGIN;
		} else if (c == '"' && s->scan != CSV_PLAIN) {
			s->scan = CSV_QUOTED;
		} else {
			s->scan = CSV_PLAIN;
		}
	}
	return NULL;
}

/*
 * A row that has no end: a quote was opened and is not closed. Its lines are looked at again, each
 * as a row alone, so that one stray quote does not take with it all that follows. What is after
 * the last newline begins a row.
 */
static void csv_give_up(struct parse_csv *s)
{
	struct buf row = s->row;
	const uint8_t *at = row.data, *end = at + row.len, *eol;

	s->row = (struct buf){0};
	while ((eol = memchr(at, '\n', (size_t)(end - at)))) {
		csv_row(s, at, (size_t)(eol - at));
		at = eol + 1;
	}
	s->scan = CSV_CELL_BEGIN;
	if (at == row.data) {
		s->over = true;
		pieces_add(&s->pieces, &s->parse, RECORD_UNPARSED, at, row.len);
	} else {
		(void)csv_find(s, at, (size_t)(end - at));
		buf_add(&s->row, at, (size_t)(end - at));
	}
	buf_done(&row);
}

/* Of a row that is too long. */
static void csv_over(struct parse_csv *s, const uint8_t *data, size_t len, bool ends)
{
	pieces_add(&s->pieces, &s->parse, RECORD_UNPARSED, data, len);
	if (!ends)
		return;
	pieces_end(&s->pieces, &s->parse, RECORD_UNPARSED);
	s->over = false;
	s->scan = CSV_CELL_BEGIN;
}

static void parse_csv_add(struct parse *p, const uint8_t *data, size_t len)
{
	struct parse_csv *s = (struct parse_csv *)p;
	const uint8_t *end = data + len;

	while (data < end) {
		const uint8_t *eol = csv_find(s, data, (size_t)(end - data));
		size_t n = (size_t)((eol ? eol : end) - data);

		if (s->over) {
			csv_over(s, data, n, eol);
		} else if (n > LIMIT_LINE_JSON - s->row.len) {
			n = LIMIT_LINE_JSON - s->row.len;
			buf_add(&s->row, data, n);
			csv_give_up(s);
			data += n;
			continue;
		} else if (eol && !s->row.len) {
			csv_row(s, data, n);
		} else {
			buf_add(&s->row, data, n);
			if (eol) {
				csv_row(s, s->row.data, s->row.len);
				buf_clear(&s->row);
			}
		}
		if (!eol)
			return;
		data = eol + 1;
	}
}

static void parse_csv_end(struct parse *p)
{
	struct parse_csv *s = (struct parse_csv *)p;

	if (s->over)
		pieces_end(&s->pieces, p, RECORD_UNPARSED);
	if (s->scan == CSV_QUOTED && s->row.len && memchr(s->row.data, '\n', s->row.len))
		csv_give_up(s);
	if (s->row.len)
		csv_row(s, s->row.data, s->row.len);
	buf_clear(&s->row);
}

static void parse_csv_done(struct parse *p)
{
	struct parse_csv *s = (struct parse_csv *)p;

	buf_done(&s->row);
	buf_done(&s->cell);
	pieces_done(&s->pieces);
	columns_done(&s->columns);
}

static size_t parse_csv_pending(const struct parse *p)
{
	const struct parse_csv *s = (const struct parse_csv *)p;

	return s->row.len + s->pieces.rest.len;
}

const struct parse_kind parse_csv_kind = {.size = sizeof(struct parse_csv),
					  .skips_bom = true,
					  .takes_argument = true,
					  .begin = parse_csv_begin,
					  .add = parse_csv_add,
					  .end = parse_csv_end,
					  .done = parse_csv_done,
					  .pending = parse_csv_pending};

const struct parse_kind parse_tsv_kind = {.size = sizeof(struct parse_csv),
					  .skips_bom = true,
					  .takes_argument = true,
					  .begin = parse_tsv_begin,
					  .add = parse_csv_add,
					  .end = parse_csv_end,
					  .done = parse_csv_done,
					  .pending = parse_csv_pending};
