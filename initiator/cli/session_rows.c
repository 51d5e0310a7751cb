#include "session_rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "alloc.h"
#include "cmd.h"
#include "csv.h"
#include "escape.h"
#include "json.h"
#include "table.h"
#include "yaml.h"

#define SESSION_TIME_SIZE 32u

enum session_kind { SESSION_TEXT, SESSION_NUMBER, SESSION_BOOL };

/* A property: text NULL: there is none; of a number its digits. */
struct session_field {
	const char *key;   /* for programs */
	const char *title; /* for people */
	enum session_kind kind;
	const char *text;
};

enum { SESSION_FIELDS = 10 };

struct session_rows {
	enum rows_shape shape;
	bool escape;
	struct table *table; /* for that shape */
	struct buf text;     /* for the others */
	size_t count;
};

static const struct table_column session_columns[] = {
	{"Id", true},	   {"Name", false},	    {"ComputerName", false},
	{"State", false},  {"Availability", false}, {"Idle", true},
	{"Reason", false},
};

/* --- one row -------------------------------------------------------------------------------- */

static const char *session_number(char *out, uint64_t v, bool present)
{
	(void)snprintf(out, SESSION_TIME_SIZE, "%" PRIu64, v);
	return present ? out : NULL;
}

/* "5s", "12m", "3h", "2d": as much as one has to know. */
static const char *session_idle(char *out, uint64_t ms)
{
	static const struct {
		uint64_t from_ms;
		char unit;
	} units[] = {{86400000u, 'd'}, {3600000u, 'h'}, {60000u, 'm'}, {0, 's'}};
	size_t i = 0;

	while (ms < units[i].from_ms)
		i++;
	(void)snprintf(out, SESSION_TIME_SIZE, "%" PRIu64 "%c",
		       ms / (units[i].from_ms ? units[i].from_ms : 1000u), units[i].unit);
	return out;
}

static void session_put_json(struct buf *out, const struct session_field *fields)
{
	buf_add_char(out, '{');
	for (size_t i = 0; i < SESSION_FIELDS; i++) {
		json_key(out, fields[i].key);
		if (fields[i].kind == SESSION_TEXT)
			json_str(out, fields[i].text);
		else
			buf_add_str(out, fields[i].text ? fields[i].text : "null");
	}
	buf_add_char(out, '}');
}

static void session_put_yaml(struct buf *out, const struct session_field *fields)
{
	for (size_t i = 0; i < SESSION_FIELDS; i++) {
		buf_addf(out, "%s%s: ", i ? "\n  " : "- ", fields[i].key);
		if (fields[i].kind == SESSION_TEXT)
			yaml_str(out, fields[i].text);
		else
			buf_add_str(out, fields[i].text ? fields[i].text : "null");
	}
	buf_add_char(out, '\n');
}

static void session_put_csv(struct buf *out, const struct session_field *fields, bool titles,
			    bool escape)
{
	for (size_t i = 0; i < SESSION_FIELDS; i++) {
		if (i)
			buf_add_char(out, ',');
		csv_str(out, titles ? fields[i].key : fields[i].text, escape);
	}
	buf_add_char(out, '\n');
}

static void session_put_list(struct buf *out, const struct session_field *fields)
{
	for (size_t i = 0; i < SESSION_FIELDS; i++) {
		buf_addf(out, "%-13s :", fields[i].title);
		if (fields[i].text && *fields[i].text) {
			buf_add_char(out, ' ');
			escape_display(out, fields[i].text, strlen(fields[i].text));
		}
		buf_add_char(out, '\n');
	}
}

static void session_put_cells(struct table *table, const struct session_row_msg *m, const char *id,
			      const char *idle)
{
	const char *cells[] = {id, m->name, m->host, m->state, m->availability, idle, m->text};

	table_row(table, cells);
}

/* --- all of them ---------------------------------------------------------------------------- */

int session_rows_new(struct session_rows **ret, const char *name, struct errmsg *msg)
{
	enum rows_shape shape = ROWS_TABLE;

	if (name && rows_shape_find(name, &shape) != 0)
		return err_set(msg, ERR_SYNTAX, "--output: '%s' is none of %s", name, ROWS_NAMES);
	*ret = xcalloc(1, sizeof **ret);
	(*ret)->shape = shape;
	(*ret)->escape = isatty(STDOUT_FILENO) == 1;
	if (shape == ROWS_TABLE)
		(*ret)->table = table_new(session_columns, ARRAY_LEN(session_columns));
	return 0;
}

void session_rows_free(struct session_rows *rows)
{
	if (!rows)
		return;
	table_free(rows->table);
	buf_done(&rows->text);
	free(rows);
}

static void session_rows_put(struct session_rows *rows, const struct session_field *fields)
{
	bool first = rows->count == 0;

	switch (rows->shape) {
	case ROWS_TABLE:
		break;
	case ROWS_LIST:
		if (!first)
			buf_add_char(&rows->text, '\n');
		session_put_list(&rows->text, fields);
		break;
	case ROWS_JSON:
		buf_add_str(&rows->text, first ? "[" : ",\n");
		session_put_json(&rows->text, fields);
		break;
	case ROWS_JSONL:
		session_put_json(&rows->text, fields);
		buf_add_char(&rows->text, '\n');
		break;
	case ROWS_CSV:
		session_put_csv(&rows->text, fields, false, rows->escape);
		break;
	case ROWS_YAML:
		session_put_yaml(&rows->text, fields);
		break;
	}
}

/* In any order of the shapes, what a program reads has these keys in this order. */
static void session_rows_fields(struct session_field *ret, const struct session_row_msg *m,
				uint64_t idle_ms, char numbers[4][SESSION_TIME_SIZE])
{
	const struct session_field fields[SESSION_FIELDS] = {
		{"id", "Id", SESSION_NUMBER, session_number(numbers[0], m->id, true)},
		{"name", "Name", SESSION_TEXT, m->name},
		{"computer_name", "ComputerName", SESSION_TEXT, m->host},
		{"state", "State", SESSION_TEXT, m->state},
		{"availability", "Availability", SESSION_TEXT, m->availability},
		{"commands", "Commands", SESSION_NUMBER,
		 session_number(numbers[1], m->commands, true)},
		{"idle_ms", "IdleMs", SESSION_NUMBER,
		 session_number(numbers[2], idle_ms, m->idle_since_ns != 0)},
		{"idle_timeout_ms", "IdleTimeoutMs", SESSION_NUMBER,
		 session_number(numbers[3], m->idle_timeout_ms, m->idle_timeout_ms != 0)},
		{"reason", "Reason", SESSION_TEXT, m->text},
		{"is_job", "IsJob", SESSION_BOOL, m->is_job ? "true" : "false"},
	};

	memcpy(ret, fields, sizeof fields);
}

void session_rows_add(struct session_rows *rows, const struct session_row_msg *m, uint64_t now_ns)
{
	/* The wall clock may have been set back since. */
	uint64_t idle_ms = m->idle_since_ns && now_ns > m->idle_since_ns
				   ? (now_ns - m->idle_since_ns) / 1000000u
				   : 0;
	char numbers[4][SESSION_TIME_SIZE], idle[SESSION_TIME_SIZE];
	struct session_field fields[SESSION_FIELDS];

	session_rows_fields(fields, m, idle_ms, numbers);
	if (rows->shape == ROWS_TABLE)
		session_put_cells(rows->table, m, fields[0].text,
				  m->idle_since_ns ? session_idle(idle, idle_ms) : NULL);
	session_rows_put(rows, fields);
	rows->count++;
}

void session_rows_render(struct session_rows *rows, struct buf *out, size_t width)
{
	static const struct session_row_msg none = {0};
	char numbers[4][SESSION_TIME_SIZE];
	struct session_field fields[SESSION_FIELDS];

	session_rows_fields(fields, &none, 0, numbers);
	if (rows->shape == ROWS_CSV)
		session_put_csv(out, fields, true, false);
	buf_add(out, rows->text.data, rows->text.len);
	if (rows->shape == ROWS_TABLE)
		table_render(out, rows->table, width);
	else if (rows->shape == ROWS_JSON)
		buf_add_str(out, rows->count ? "]\n" : "[]\n");
	else if (rows->shape == ROWS_YAML && !rows->count)
		buf_add_str(out, "[]\n");
}

int session_rows_print(struct session_rows *rows)
{
	struct buf text = {0};
	struct winsize ws;

	session_rows_render(rows, &text,
			    ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 ? ws.ws_col : 0);
	return cmd_print(&text);
}
