#include "rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "err.h"
#include "rows_private.h"
#include "table.h"

struct rows {
	enum rows_shape shape;
	bool escape;
	struct table *table; /* for that shape: it needs all rows to know its widths */
	struct buf text;     /* for the others: what was added */
	size_t count;
};

static const struct table_column rows_columns[] = {
	{"Id", true},		{"Name", false},     {"Type", false},	 {"State", false},
	{"HasMoreData", false}, {"Location", false}, {"Command", false},
};

int rows_shape_find(const char *name, enum rows_shape *ret)
{
	static const char *const names[] = {
		[ROWS_TABLE] = "table", [ROWS_LIST] = "list", [ROWS_JSON] = "json",
		[ROWS_JSONL] = "jsonl", [ROWS_CSV] = "csv",   [ROWS_YAML] = "yaml",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(name, names[i]) == 0) {
			*ret = (enum rows_shape)i;
			return 0;
		}
	return ERR_NOTFOUND;
}

struct rows *rows_new(enum rows_shape shape, bool escape)
{
	struct rows *rows = xcalloc(1, sizeof *rows);

	rows->shape = shape;
	rows->escape = escape;
	if (shape == ROWS_TABLE)
		rows->table = table_new(rows_columns, ARRAY_LEN(rows_columns));
	else if (shape == ROWS_CSV)
		rows_put_csv_titles(&rows->text);
	return rows;
}

void rows_free(struct rows *rows)
{
	if (!rows)
		return;
	table_free(rows->table);
	buf_done(&rows->text);
	free(rows);
}

static void rows_add_cells(struct table *table, const struct row_view *row)
{
	char id[24];
	const char *cells[] = {
		id,
		row->name,
		row->type,
		row->state,
		row->has_more_data ? "True" : "False",
		row->location,
		row->command,
	};

	(void)snprintf(id, sizeof id, "%" PRIu64, row->id);
	table_row(table, cells);
}

void rows_add(struct rows *rows, const struct row_view *row)
{
	bool first = rows->count++ == 0;

	switch (rows->shape) {
	case ROWS_TABLE:
		rows_add_cells(rows->table, row);
		break;
	case ROWS_LIST:
		if (!first)
			buf_add_char(&rows->text, '\n');
		rows_put_list(&rows->text, row);
		break;
	case ROWS_JSON:
		buf_add_str(&rows->text, first ? "[" : ",\n");
		rows_put_json(&rows->text, row);
		break;
	case ROWS_JSONL:
		rows_put_json(&rows->text, row);
		buf_add_char(&rows->text, '\n');
		break;
	case ROWS_CSV:
		rows_put_csv(&rows->text, row, rows->escape);
		break;
	case ROWS_YAML:
		rows_put_yaml(&rows->text, row);
		break;
	}
}

size_t rows_count(const struct rows *rows)
{
	return rows->count;
}

void rows_render(struct rows *rows, struct buf *out, size_t width)
{
	buf_add(out, rows->text.data, rows->text.len);
	if (rows->shape == ROWS_TABLE)
		table_render(out, rows->table, width);
	else if (rows->shape == ROWS_JSON)
		buf_add_str(out, rows->count ? "]\n" : "[]\n");
	else if (rows->shape == ROWS_YAML && !rows->count)
		buf_add_str(out, "[]\n");
}

void rows_put_table(struct buf *out, const struct row_view *row)
{
	struct table *table = table_new(rows_columns, ARRAY_LEN(rows_columns));

	rows_add_cells(table, row);
	table_render(out, table, 0);
	table_free(table);
}

char *rows_cause(const struct row_view *row)
{
	if (!row->cause)
		return NULL;
	return row->text ? xasprintf("%s: %s", row->cause, row->text) : xstrdup(row->cause);
}
