/*
 * table: columns under the words of a header line. A word of a row belongs to the column whose
 * name it stands under. Where the row does not keep to the header, because something in it is wider
 * than its column, its words are counted instead. The last column takes the rest.
 */
#include <string.h>

#include "cell.h"
#include "columns.h"
#include "gather.h"
#include "give.h"
#include "heading.h"
#include "kind.h"
#include "limits.h"
#include "wire.h"

struct parse_table {
	struct parse parse;
	struct gather lines;
	struct buf header; /* until the first row has come */
	bool has_header;
	bool has_columns;
	bool too_many;
	struct columns columns;
	struct heading heading;
	struct heading_word cells[LIMIT_COLUMNS]; /* of a row; empty: begin is end */
	bool is_several[LIMIT_COLUMNS];		  /* words in the cell */
};

/* The first column, from first on, that the word could be under: one that ends behind its left. */
static size_t table_column(const struct parse_table *s, size_t first,
			   const struct heading_word *word)
{
	while (first < s->heading.count - 1 && s->heading.words[first].right <= word->left)
		first++;
	return first;
}

/*
 * To which column the word belongs, column being the first that ends behind its left. If it stands
 * under no name it belongs to what it follows at one blank's distance, or else to what is free.
 */
static size_t table_place(const struct parse_table *s, size_t column,
			  const struct heading_word *word)
{
	const struct heading_word *name = &s->heading.words[column], *before;

	if (column == 0 || word->right > name->left)
		return column;
	before = &s->cells[column - 1];
	if (before->end == before->begin || before->right + 1 == word->left)
		return column - 1;
	return column;
}

/* Sorts the words of the row under the names. False if a word is under two of them, or if a cell
 * of several words stands at neither edge of its column. */
static bool table_by_place(struct parse_table *s, const uint8_t *row, size_t len)
{
	struct heading_walk walk = {0};
	struct heading_word word;
	size_t last = s->heading.count - 1, column = 0;

	memset(s->cells, 0, s->heading.count * sizeof s->cells[0]);
	memset(s->is_several, 0, s->heading.count * sizeof s->is_several[0]);
	while (heading_next(&walk, row, len, &word)) {
		struct heading_word *cell;
		size_t place;

		column = table_column(s, column, &word);
		place = table_place(s, column, &word);
		if (place < last && word.right > s->heading.words[place + 1].left)
			return false;
		cell = &s->cells[place];
		s->is_several[place] = cell->end != cell->begin;
		if (!s->is_several[place])
			*cell = word;
		cell->end = word.end;
		cell->right = word.right;
		if (place == last) {
			cell->end = len;
			break;
		}
	}
	for (size_t i = 0; i < last; i++)
		if (s->is_several[i] && s->cells[i].left != s->heading.words[i].left &&
		    s->cells[i].right != s->heading.words[i].right)
			return false;
	return true;
}

/* The first words one by one. False if there are fewer than columns. */
static bool table_by_count(struct parse_table *s, const uint8_t *row, size_t len)
{
	struct heading_walk walk = {0};

	for (size_t i = 0; i < s->heading.count; i++)
		if (!heading_next(&walk, row, len, &s->cells[i]))
			return false;
	s->cells[s->heading.count - 1].end = len;
	return true;
}

static void table_row(struct parse_table *s, const uint8_t *row, size_t len)
{
	size_t n = gather_trim(row, len);

	if (s->too_many) {
		give_unparsed(&s->parse, "the header names more columns than a row may have, 256",
			      row, len);
		return;
	}
	if (!table_by_place(s, row, n) && !table_by_count(s, row, n)) {
		give_unparsed(&s->parse, "the row does not fit under the header", row, len);
		return;
	}
	columns_row_begin(&s->columns, &s->parse);
	for (size_t i = 0; i < s->heading.count; i++)
		cell_put(&s->parse.value, row + s->cells[i].begin,
			 s->cells[i].end - s->cells[i].begin);
	columns_row_give(&s->columns, &s->parse, row, len);
}

static void table_columns(struct parse_table *s, const uint8_t *row, size_t len)
{
	s->has_columns = true;
	s->too_many =
		!heading_read(&s->heading, &s->columns, s->header.data, s->header.len, row, len);
	if (s->too_many)
		give_unparsed(&s->parse, "the line names more columns than a row may have, 256",
			      s->header.data, s->header.len);
	else
		columns_announce(&s->columns, &s->parse);
	buf_done(&s->header);
}

static void table_line(struct parse *p, const uint8_t *line, size_t len)
{
	struct parse_table *s = (struct parse_table *)p;

	if (!gather_trim(line, len))
		return;
	if (!s->has_header) {
		s->has_header = true;
		buf_add(&s->header, line, len);
		return;
	}
	if (!s->has_columns)
		table_columns(s, line, len);
	table_row(s, line, len);
}

static void parse_table_add(struct parse *p, const uint8_t *data, size_t len)
{
	gather_add(&((struct parse_table *)p)->lines, p, data, len, table_line);
}

static void parse_table_end(struct parse *p)
{
	struct parse_table *s = (struct parse_table *)p;

	gather_end(&s->lines, p, table_line);
	if (s->has_header && !s->has_columns)
		table_columns(s, NULL, 0);
}

static void parse_table_done(struct parse *p)
{
	struct parse_table *s = (struct parse_table *)p;

	gather_done(&s->lines);
	columns_done(&s->columns);
	buf_done(&s->header);
}

static size_t parse_table_pending(const struct parse *p)
{
	const struct parse_table *s = (const struct parse_table *)p;

	return gather_pending(&s->lines) + s->header.len;
}

const struct parse_kind parse_table_kind = {.size = sizeof(struct parse_table),
					    .add = parse_table_add,
					    .end = parse_table_end,
					    .done = parse_table_done,
					    .pending = parse_table_pending};
