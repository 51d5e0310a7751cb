#include "value_text.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "alloc.h"
#include "escape.h"
#include "json.h"
#include "utf8.h"
#include "value_json.h"

/* A scalar but nil; false: an array or a map. */
static bool value_text_scalar(struct buf *out, const struct value *v)
{
	char text[VALUE_TIME_SIZE];

	switch (v->kind) {
	case VALUE_NIL:
		break;
	case VALUE_BOOL:
		buf_add_str(out, v->b ? "true" : "false");
		break;
	case VALUE_UINT:
		buf_addf(out, "%" PRIu64, v->u);
		break;
	case VALUE_INT:
		buf_addf(out, "%" PRId64, v->i);
		break;
	case VALUE_FLOAT:
		if (isfinite(v->f))
			buf_add_str(out, value_json_float(text, v->f));
		else
			buf_add_str(out, isnan(v->f) ? "nan" : v->f > 0 ? "inf" : "-inf");
		break;
	case VALUE_STR:
	case VALUE_BIN:
		buf_add(out, v->data, v->len);
		break;
	case VALUE_TIME:
		buf_add_str(out, value_json_time(text, v->seconds, v->nanoseconds));
		break;
	case VALUE_ARRAY:
	case VALUE_MAP:
		return false;
	}
	return true;
}

void value_text(struct buf *out, struct value_in *in, bool null, bool *ret_number)
{
	struct value_in here = *in;
	struct value v = {.kind = VALUE_NIL};

	if (!value_next(in, &v))
		v.kind = VALUE_NIL;
	if (ret_number)
		*ret_number = v.kind == VALUE_UINT || v.kind == VALUE_INT || v.kind == VALUE_FLOAT;
	if (v.kind == VALUE_NIL && null)
		buf_add_str(out, "null");
	if (value_text_scalar(out, &v))
		return;
	*in = here;
	value_json(out, in, VALUE_JSON);
}

/* A word that needs no quotes: as a value it may hold what would end a name. */
static bool value_text_is_word(const uint8_t *p, size_t n, bool is_name)
{
	uint32_t cp = 0;

	for (size_t at = 0; at < n;) {
		int len = utf8_decode(p + at, n - at, &cp);

		if (len <= 0 || cp <= ' ' || cp == '"' || (cp == '=' && is_name) ||
		    escape_is_harmful(cp))
			return false;
		at += (size_t)len;
	}
	return n > 0;
}

static void value_text_word(struct buf *out, const uint8_t *p, size_t n, bool is_name)
{
	if (value_text_is_word(p, n, is_name)) {
		buf_add(out, p, n);
		return;
	}
	buf_add_char(out, '"');
	if (utf8_valid(p, n))
		json_escape(out, p, n);
	else
		escape_display(out, p, n);
	buf_add_char(out, '"');
}

void value_text_line(struct buf *out, struct value_fields *fields)
{
	struct value_field field;
	const char *gap = "";

	while (value_fields_next(fields, &field)) {
		struct value_in in = field.value;
		struct value v;

		buf_add_str(out, gap);
		gap = " ";
		value_text_word(out, field.key.text, field.key.len, true);
		buf_add_char(out, '=');
		if (value_next(&in, &v) && (v.kind == VALUE_STR || v.kind == VALUE_BIN))
			value_text_word(out, v.data, v.len, false);
		else
			value_text(out, &field.value, false, NULL);
	}
}

/* What progress is told by; the first name of a row outweighs the next. */
enum { VALUE_PERCENT, VALUE_ACTIVITY, VALUE_STATUS, VALUE_PARTS };

static int value_text_part(const struct value_key *key)
{
	static const struct {
		const char *name;
		int part;
	} rows[] = {
		{"percent", VALUE_PERCENT},
		{"percent_complete", VALUE_PERCENT},
		{"PercentComplete", VALUE_PERCENT},
		{"activity", VALUE_ACTIVITY},
		{"status", VALUE_STATUS},
		{"operation", VALUE_STATUS},
		{"current_operation", VALUE_STATUS},
		{"CurrentOperation", VALUE_STATUS},
		{"message", VALUE_STATUS},
		{"text", VALUE_STATUS},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strlen(rows[i].name) == key->len &&
		    strncasecmp(rows[i].name, (const char *)key->text, key->len) == 0)
			return rows[i].part;
	return VALUE_PARTS;
}

static void value_text_parts(struct buf *out, struct value_fields *fields)
{
	struct value_in parts[VALUE_PARTS] = {{0}};
	struct value_fields all = *fields;
	struct value_field field;
	size_t begin = out->len;

	while (value_fields_next(fields, &field)) {
		int part = value_text_part(&field.key);

		if (part < VALUE_PARTS && !parts[part].next)
			parts[part] = field.value;
	}
	value_text(out, &parts[VALUE_PERCENT], false, NULL);
	if (out->len > begin)
		buf_add_char(out, '%');
	for (int part = VALUE_ACTIVITY; part < VALUE_PARTS; part++) {
		if (!parts[part].next)
			continue;
		if (out->len > begin)
			buf_add_str(out, part == VALUE_STATUS && parts[VALUE_ACTIVITY].next ? ": "
											    : " ");
		value_text(out, &parts[part], false, NULL);
	}
	if (out->len == begin)
		value_text_line(out, &all);
}

void value_text_progress(struct buf *out, const void *data, size_t len)
{
	struct value_in in = value_in(data, len);
	struct value_fields fields;
	bool number;

	if (value_fields(&fields, data, len, NULL, 0)) {
		value_text_parts(out, &fields);
		return;
	}
	value_text(out, &in, false, &number);
	if (number)
		buf_add_char(out, '%');
}
