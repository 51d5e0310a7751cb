/* A job as an object of JSON and YAML, and as a line of CSV: the same fields in the same order. */
#include <inttypes.h>
#include <stdlib.h>

#include "clock.h"
#include "csv.h"
#include "json.h"
#include "rows_private.h"
#include "yaml.h"

enum rows_kind { ROWS_KIND_JSON, ROWS_KIND_YAML, ROWS_KIND_CSV, ROWS_KIND_CSV_TITLES };

struct rows_writer {
	struct buf *out;
	enum rows_kind kind;
	bool escape;
	size_t fields; /* so far */
};

/* Begins a field. False if no value follows. */
static bool rows_key(struct rows_writer *w, const char *key)
{
	bool first = w->fields++ == 0;

	switch (w->kind) {
	case ROWS_KIND_JSON:
		if (!first)
			buf_add_char(w->out, ',');
		json_str(w->out, key);
		buf_add_char(w->out, ':');
		return true;
	case ROWS_KIND_YAML:
		buf_add_str(w->out, first ? "- " : "\n  ");
		buf_add_str(w->out, key);
		buf_add_str(w->out, ": ");
		return true;
	case ROWS_KIND_CSV:
	case ROWS_KIND_CSV_TITLES:
		break;
	}
	if (!first)
		buf_add_char(w->out, ',');
	if (w->kind == ROWS_KIND_CSV)
		return true;
	buf_add_str(w->out, key);
	return false;
}

static void rows_null(const struct rows_writer *w)
{
	if (w->kind != ROWS_KIND_CSV)
		buf_add_str(w->out, "null");
}

static void rows_number(struct rows_writer *w, const char *key, uint64_t v, bool present)
{
	if (!rows_key(w, key))
		return;
	if (present)
		buf_addf(w->out, "%" PRIu64, v);
	else
		rows_null(w);
}

static void rows_bool(struct rows_writer *w, const char *key, bool v)
{
	if (rows_key(w, key))
		buf_add_str(w->out, v ? "true" : "false");
}

static void rows_text(struct rows_writer *w, const char *key, const char *text)
{
	if (!rows_key(w, key))
		return;
	if (w->kind == ROWS_KIND_JSON)
		json_str(w->out, text);
	else if (w->kind == ROWS_KIND_YAML)
		yaml_str(w->out, text);
	else
		csv_str(w->out, text, w->escape);
}

static void rows_time(struct rows_writer *w, const char *key, uint64_t wall_ns)
{
	char text[CLOCK_RFC3339_SIZE];

	rows_text(w, key, wall_ns ? clock_rfc3339(text, wall_ns) : NULL);
}

static void rows_ids(struct rows_writer *w, const char *key, const uint64_t *ids, size_t count)
{
	bool csv = w->kind == ROWS_KIND_CSV;
	const char *between = csv ? " " : w->kind == ROWS_KIND_JSON ? "," : ", ";

	if (!rows_key(w, key))
		return;
	if (!csv)
		buf_add_char(w->out, '[');
	for (size_t i = 0; i < count; i++)
		buf_addf(w->out, "%s%" PRIu64, i ? between : "", ids[i]);
	if (!csv)
		buf_add_char(w->out, ']');
}

/* The keys and their order are fixed: scripts rely on them. */
static void rows_fields(struct rows_writer *w, const struct row_view *row)
{
	char *cause = rows_cause(row);

	rows_number(w, "id", row->id, true);
	rows_number(w, "parent_id", row->parent_id, row->parent_id != 0);
	rows_text(w, "name", row->name);
	rows_text(w, "type", row->type);
	rows_text(w, "state", row->state);
	rows_bool(w, "has_more_data", row->has_more_data);
	rows_text(w, "location", row->location);
	rows_text(w, "command", row->command);
	rows_time(w, "begin", row->begin_ns);
	rows_time(w, "end", row->end_ns);
	rows_text(w, "cause", cause);
	rows_number(w, "exit_code", (uint64_t)row->exit_code, row->exit_code >= 0);
	rows_text(w, "signal", row->signal);
	rows_text(w, "instance_id", row->instance_id);
	rows_ids(w, "children", row->children, row->child_count);
	free(cause);
}

void rows_put_json(struct buf *out, const struct row_view *row)
{
	struct rows_writer w = {.out = out, .kind = ROWS_KIND_JSON};

	buf_add_char(out, '{');
	rows_fields(&w, row);
	buf_add_char(out, '}');
}

void rows_put_yaml(struct buf *out, const struct row_view *row)
{
	struct rows_writer w = {.out = out, .kind = ROWS_KIND_YAML};

	rows_fields(&w, row);
	buf_add_char(out, '\n');
}

void rows_put_csv(struct buf *out, const struct row_view *row, bool escape)
{
	struct rows_writer w = {.out = out, .kind = ROWS_KIND_CSV, .escape = escape};

	rows_fields(&w, row);
	buf_add_char(out, '\n');
}

void rows_put_csv_titles(struct buf *out)
{
	static const struct row_view none = {.exit_code = -1};
	struct rows_writer w = {.out = out, .kind = ROWS_KIND_CSV_TITLES};

	rows_fields(&w, &none);
	buf_add_char(out, '\n');
}
