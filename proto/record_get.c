/*
 * The reader of RECORDS, through which all output passes: it walks the checked bytes itself. A row
 * as record_batch_add makes it takes the short way (record_row_get); any other, with fields of a
 * later version or numbers in a longer form, the careful one, which also finds the words for what
 * is wrong.
 */
#include <inttypes.h>

#include "check.h"
#include "limits.h"
#include "record_private.h"
#include "utf8.h"
#include "value.h"

#define RECORD_NIL 0xc0u

static const char *const record_type_names[] = {
	[VALUE_NIL] = "nil",	 [VALUE_BOOL] = "bool", [VALUE_UINT] = "int", [VALUE_INT] = "int",
	[VALUE_FLOAT] = "float", [VALUE_STR] = "str",	[VALUE_BIN] = "bin",  [VALUE_TIME] = "ext",
	[VALUE_ARRAY] = "array", [VALUE_MAP] = "map",
};

/* Fields of the array that is walked. */
struct record_in {
	struct value_in at;
	uint64_t left;
	struct errmsg *msg;
};

static int record_missing(const struct record_in *in, const char *name)
{
	return err_set(in->msg, ERR_PROTO, "field %s: is missing", name);
}

static int record_get_u64(struct record_in *in, const char *name, uint64_t max, uint64_t *ret)
{
	struct value v;

	if (!in->left || !value_next(&in->at, &v))
		return record_missing(in, name);
	in->left--;
	if (v.kind != VALUE_UINT)
		return err_set(in->msg, ERR_PROTO, "field %s: is of type %s, not %s", name,
			       record_type_names[v.kind], "a number that is not negative");
	if (v.u > max)
		return err_set(in->msg, ERR_PROTO,
			       "field %s: is %" PRIu64 ", at most %" PRIu64 " is allowed", name,
			       v.u, max);
	*ret = v.u;
	return 0;
}

static int record_get_array(struct record_in *in, const char *name, size_t max, uint64_t *ret)
{
	struct value v;

	if (!in->left || !value_next(&in->at, &v))
		return record_missing(in, name);
	in->left--;
	if (v.kind != VALUE_ARRAY)
		return err_set(in->msg, ERR_PROTO, "field %s: is of type %s, not an array", name,
			       record_type_names[v.kind]);
	if (v.count > max)
		return err_set(in->msg, ERR_LIMIT,
			       "field %s: has size %" PRIu32 ", at most %zu is allowed", name,
			       v.count, max);
	*ret = v.count;
	return 0;
}

static int record_get_value(struct record_in *in, struct record *record)
{
	const uint8_t *begin = in->at.next;
	struct value_in at = in->at;
	struct value v;

	if (!in->left || !value_skip(&in->at, &record->nodes) || !value_next(&at, &v))
		return record_missing(in, "value");
	in->left--;
	record->is_typed = v.kind != VALUE_STR && v.kind != VALUE_BIN;
	record->is_text = v.kind == VALUE_STR;
	record->value = record->is_typed ? begin : v.data;
	record->len = record->is_typed ? (size_t)(in->at.next - begin) : v.len;
	if (!record->is_typed)
		record->nodes = 0;
	return 0;
}

/* A row that is not as record_row_get wants it; moves behind it. */
static int record_get_slowly(struct record_in *body, struct record *record)
{
	struct record_in in = {body->at, 1, body->msg};
	int r = record_get_array(&in, "record", LIMIT_MSG_NODES, &in.left);

	*record = (struct record){0};
	if (!r)
		r = record_get_u64(&in, "stream", STREAM_COUNT - 1, &record->stream);
	if (!r)
		r = record_get_u64(&in, "flags", UINT64_MAX, &record->flags);
	if (!r)
		r = record_get_u64(&in, "time", UINT64_MAX, &record->time_ns);
	if (!r)
		r = record_get_value(&in, record);
	if (!r && in.left && *in.at.next != RECORD_NIL)
		r = record_get_u64(&in, "schema", UINT64_MAX, &record->schema);
	for (; !r && in.left; in.left--)
		(void)value_skip(&in.at, NULL);
	body->at = in.at;
	return r;
}

static int record_get(struct record_in *in, struct record *record)
{
	size_t n = record_row_get(in->at.next, (size_t)(in->at.end - in->at.next), record);
	int r = 0;

	if (n && record->stream < STREAM_COUNT)
		in->at.next += n;
	else
		r = record_get_slowly(in, record);
	return r < 0 ? r : record_check(record, in->msg);
}

static int records_get_rows(struct record_in *in, uint64_t child, uint64_t seq, uint64_t count,
			    record_fn *fn, void *arg, struct errmsg *msg)
{
	struct record record;
	int r;

	for (uint64_t i = 0; i < count; i++) {
		r = record_get(in, &record);
		if (r < 0)
			return err_set(msg, r, "message RECORDS: record %" PRIu64 ": %s", i,
				       in->msg->text);
		r = fn(arg, child, seq + i, &record);
		if (r)
			return r;
	}
	return 0;
}

/* Text and bytes in rows of ours and nothing else: such a body keeps all rules of check_body, which
 * would look at each of its objects. Asks the same of texts. */
static bool records_are_plain(const struct record_in *in, uint64_t count)
{
	const uint8_t *at = in->at.next, *end = in->at.end;
	struct record record;

	for (; count; count--) {
		size_t n = record_row_get(at, (size_t)(end - at), &record);

		if (!n || record.is_typed || record.schema ||
		    (record.is_text && !utf8_valid(record.value, record.len)))
			return false;
		at += n;
	}
	return at == end;
}

static int records_get_head(struct record_in *in, uint64_t *ret_child, uint64_t *ret_seq,
			    uint64_t *ret_count)
{
	int r = record_get_array(in, "of the body", LIMIT_MSG_NODES, &in->left);

	if (!r)
		r = record_get_u64(in, "child", UINT64_MAX, ret_child);
	if (!r)
		r = record_get_u64(in, "seq", UINT64_MAX - RECORDS_MAX, ret_seq);
	if (!r)
		r = record_get_array(in, "records", RECORDS_MAX, ret_count);
	return r;
}

int records_get(const void *data, size_t len, record_fn *fn, void *arg, struct errmsg *msg)
{
	struct errmsg inner;
	struct record_in in = {value_in(data, len), 1, &inner};
	uint64_t child = 0, seq = 0, count = 0;
	int r = records_get_head(&in, &child, &seq, &count);

	/* What is wrong with the bytes is said first, also where the head is. */
	if (r < 0 || in.left || len > LIMIT_FRAME_BODY || !records_are_plain(&in, count)) {
		int checked = check_body(data, len, &inner);

		in = (struct record_in){value_in(data, len), 1, &inner};
		r = checked < 0 ? checked : records_get_head(&in, &child, &seq, &count);
	}
	if (r < 0)
		return err_set(msg, r, "message RECORDS: %s", inner.text);
	/* What stands behind the records are fields of a later version. */
	return records_get_rows(&in, child, seq, count, fn, arg, msg);
}
