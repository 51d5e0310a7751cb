#include "value_json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "json.h"
#include "limits.h"
#include "value_fields.h"
#include "yaml.h"

/* YAML takes "key: value" only for keys of less than 1024 characters (YAML 1.2.2, section 7.4.2).
 */
#define VALUE_YAML_KEY 1000u

struct value_level {
	uint64_t left; /* objects; of a map keys and values */
	bool is_map;
	bool first;
};

struct value_writer {
	struct buf *out;
	bool yaml;
	size_t depth;
	struct value_level levels[LIMIT_MSG_DEPTH];
};

char *value_json_time(char *out, int64_t seconds, uint32_t nanoseconds)
{
	char fraction[16] = "";
	time_t t = (time_t)seconds;
	struct tm tm;

	if (nanoseconds && nanoseconds % 1000 == 0)
		(void)snprintf(fraction, sizeof fraction, ".%06" PRIu32, nanoseconds / 1000);
	else if (nanoseconds)
		(void)snprintf(fraction, sizeof fraction, ".%09" PRIu32, nanoseconds);
	if (!gmtime_r(&t, &tm) || tm.tm_year < -1900 || tm.tm_year > 8099)
		(void)snprintf(out, VALUE_TIME_SIZE, "@%" PRId64 "%s", seconds, fraction);
	else
		(void)snprintf(out, VALUE_TIME_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d%sZ",
			       tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
			       tm.tm_sec, fraction);
	return out;
}

char *value_json_float(char *out, double f)
{
	char text[VALUE_FLOAT_SIZE - 4];
	size_t digits;

	for (int precision = 15; precision <= 17; precision++) {
		(void)snprintf(text, sizeof text, "%.*g", precision, f);
		if (strtod(text, NULL) == f)
			break;
	}
	/* Without a point it would be an integer, and 1e+300 a string of YAML 1.1. */
	digits = strcspn(text, ".e");
	(void)snprintf(out, VALUE_FLOAT_SIZE, "%.*s%s%s", (int)digits, text,
		       text[digits] == '.' ? "" : ".0", text + digits);
	return out;
}

static void value_json_bytes(struct value_writer *w, const struct value *v)
{
	buf_add_str(w->out, w->yaml ? "{\"$bytes\": \"" : "{\"$bytes\":\"");
	json_base64(w->out, v->data, v->len);
	buf_add_str(w->out, "\"}");
}

static void value_json_string(struct value_writer *w, const void *data, size_t len)
{
	buf_add_char(w->out, '"');
	if (w->yaml)
		yaml_escape(w->out, data, len);
	else
		json_escape(w->out, data, len);
	buf_add_char(w->out, '"');
}

static void value_json_scalar(struct value_writer *w, const struct value *v)
{
	char text[VALUE_TIME_SIZE];

	switch (v->kind) {
	case VALUE_BOOL:
		buf_add_str(w->out, v->b ? "true" : "false");
		return;
	case VALUE_UINT:
		buf_addf(w->out, "%" PRIu64, v->u);
		return;
	case VALUE_INT:
		buf_addf(w->out, "%" PRId64, v->i);
		return;
	case VALUE_FLOAT:
		buf_add_str(w->out, isfinite(v->f) ? value_json_float(text, v->f) : "null");
		return;
	case VALUE_STR:
		value_json_string(w, v->data, v->len);
		return;
	case VALUE_BIN:
		value_json_bytes(w, v);
		return;
	case VALUE_TIME:
		buf_addf(w->out, "\"%s\"", value_json_time(text, v->seconds, v->nanoseconds));
		return;
	case VALUE_NIL:
	case VALUE_ARRAY:
	case VALUE_MAP:
		break;
	}
	buf_add_str(w->out, "null");
}

/* A key from its text; the colon too. */
static void value_json_key(struct value_writer *w, const void *data, size_t len)
{
	size_t begin = w->out->len;
	struct buf key = {0};

	value_json_string(w, data, len);
	if (w->yaml && w->out->len - begin > VALUE_YAML_KEY) {
		buf_add(&key, w->out->data + begin, w->out->len - begin);
		w->out->len = begin;
		buf_add_str(w->out, "? ");
		buf_add(w->out, key.data, key.len);
		buf_done(&key);
	}
	buf_add_str(w->out, w->yaml ? ": " : ":");
}

static void value_json_separate(struct value_writer *w, struct value_level *level)
{
	if (!level->first)
		buf_add_str(w->out, w->yaml ? ", " : ",");
	level->first = false;
}

/* Closes what is complete, or at a fault everything. */
static void value_json_close(struct value_writer *w, bool fault)
{
	while (w->depth && (fault || !w->levels[w->depth - 1].left))
		buf_add_char(w->out, w->levels[--w->depth].is_map ? '}' : ']');
}

static bool value_json_open(struct value_writer *w, const struct value *v)
{
	bool is_map = v->kind == VALUE_MAP;

	if (w->depth == LIMIT_MSG_DEPTH)
		return false;
	buf_add_char(w->out, is_map ? '{' : '[');
	w->levels[w->depth++] = (struct value_level){
		.left = (uint64_t)v->count * (is_map ? 2 : 1), .is_map = is_map, .first = true};
	return true;
}

/* The next object; false at a fault. */
static bool value_json_one(struct value_writer *w, struct value_in *in)
{
	struct value_level *level = w->depth ? &w->levels[w->depth - 1] : NULL;
	bool is_key = level && level->is_map && level->left % 2 == 0;
	struct value_in here = *in;
	struct value_key key;
	struct value v;

	if (level && (is_key || !level->is_map))
		value_json_separate(w, level);
	if (!value_next(in, &v)) {
		buf_add_str(w->out, is_key ? "\"\":null" : "null");
		return false;
	}
	if (level)
		level->left--;
	if (is_key) {
		value_key(&key, &v);
		value_json_key(w, key.text, key.len);
	} else if (v.kind != VALUE_ARRAY && v.kind != VALUE_MAP) {
		value_json_scalar(w, &v);
	} else if (!value_json_open(w, &v)) {
		buf_add_str(w->out, "null");
		*in = here;
		return value_skip(in, NULL);
	}
	return true;
}

void value_json(struct buf *out, struct value_in *in, enum value_json_dialect dialect)
{
	struct value_writer w;
	bool ok;

	w.out = out;
	w.yaml = dialect == VALUE_YAML;
	w.depth = 0;
	do {
		ok = value_json_one(&w, in);
		value_json_close(&w, !ok);
	} while (w.depth);
}

void value_json_row(struct buf *out, const void *data, size_t len, const char *const *columns,
		    size_t column_count, enum value_json_dialect dialect)
{
	struct value_in in = value_in(data, len);
	struct value_writer w = {.out = out, .yaml = dialect == VALUE_YAML};
	struct value_level level = {.first = true};
	struct value_fields fields;
	struct value_field field;

	if (!columns || !value_fields(&fields, data, len, columns, column_count)) {
		value_json(out, &in, dialect);
		return;
	}
	buf_add_char(out, '{');
	while (value_fields_next(&fields, &field)) {
		value_json_separate(&w, &level);
		value_json_key(&w, field.key.text, field.key.len);
		value_json(out, &field.value, dialect);
	}
	buf_add_char(out, '}');
}
