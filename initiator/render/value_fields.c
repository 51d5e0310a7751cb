#include "value_fields.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "value_json.h"

void value_key(struct value_key *ret, const struct value *v)
{
	size_t size = sizeof ret->own;

	ret->text = (const uint8_t *)ret->own;
	switch (v->kind) {
	case VALUE_STR:
		ret->text = v->data;
		ret->len = v->len;
		return;
	case VALUE_BOOL:
		(void)snprintf(ret->own, size, "%s", v->b ? "true" : "false");
		break;
	case VALUE_UINT:
		(void)snprintf(ret->own, size, "%" PRIu64, v->u);
		break;
	case VALUE_INT:
		(void)snprintf(ret->own, size, "%" PRId64, v->i);
		break;
	case VALUE_FLOAT:
		if (isfinite(v->f))
			(void)value_json_float(ret->own, v->f);
		else
			(void)snprintf(ret->own, size, "%s", isnan(v->f) ? "nan" : "inf");
		break;
	case VALUE_TIME:
		(void)value_json_time(ret->own, v->seconds, v->nanoseconds);
		break;
	case VALUE_BIN:
		/* Not worth more: no parser of ours makes such keys. */
		(void)snprintf(ret->own, size, "(%zu bytes)", v->len);
		break;
	case VALUE_NIL:
	case VALUE_ARRAY:
	case VALUE_MAP:
		(void)snprintf(ret->own, size, "null");
		break;
	}
	ret->len = strlen(ret->own);
}

bool value_fields(struct value_fields *ret, const void *data, size_t len,
		  const char *const *columns, size_t column_count)
{
	struct value head;

	ret->in = value_in(data, len);
	if (!value_next(&ret->in, &head))
		return false;
	ret->at = 0;
	ret->count = head.count;
	ret->columns = head.kind == VALUE_ARRAY ? columns : NULL;
	ret->column_count = ret->columns ? column_count : 0;
	return ret->columns || head.kind == VALUE_MAP;
}

/* The name of a column: the row has it not itself. */
static void value_fields_column(const struct value_fields *f, struct value_key *ret)
{
	if (f->at < f->column_count) {
		ret->text = (const uint8_t *)f->columns[f->at];
		ret->len = strlen(f->columns[f->at]);
		return;
	}
	(void)snprintf(ret->own, sizeof ret->own, "%zu", f->at + 1);
	ret->text = (const uint8_t *)ret->own;
	ret->len = strlen(ret->own);
}

bool value_fields_next(struct value_fields *fields, struct value_field *ret)
{
	struct value key;

	if (fields->at >= fields->count && fields->at >= fields->column_count)
		return false;
	ret->value = (struct value_in){0};
	if (fields->columns) {
		value_fields_column(fields, &ret->key);
	} else {
		if (!value_next(&fields->in, &key))
			return false;
		value_key(&ret->key, &key);
	}
	if (fields->at++ >= fields->count)
		return true;
	ret->value = fields->in;
	if (!value_skip(&fields->in, NULL)) {
		/* A fault: nothing follows. */
		fields->count = fields->at;
		fields->in = (struct value_in){0};
	}
	ret->value.end = fields->in.next;
	if (!fields->in.next)
		ret->value = (struct value_in){0};
	return true;
}
