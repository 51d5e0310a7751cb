/*
 * Rows byte by byte: a store walks and makes millions of them. The numbers are msgpack's formats;
 * integers take as few bytes as they can.
 */
#include <string.h>

#include "record.h"
#include "utf8.h"
#include "value.h"

#define ROW_ARRAY_4 0x94u
#define ROW_ARRAY_5 0x95u /* with a schema */

static uint8_t *row_put_be(uint8_t *out, uint8_t format, uint64_t v, unsigned bytes)
{
	*out++ = format;
	for (unsigned i = bytes; i > 0; i--)
		*out++ = (uint8_t)(v >> (8 * (i - 1)));
	return out;
}

static uint8_t *row_put_u64(uint8_t *out, uint64_t v)
{
	if (v < 0x80) {
		*out++ = (uint8_t)v;
		return out;
	}
	if (v <= UINT8_MAX)
		return row_put_be(out, 0xcc, v, 1);
	if (v <= UINT16_MAX)
		return row_put_be(out, 0xcd, v, 2);
	if (v <= UINT32_MAX)
		return row_put_be(out, 0xce, v, 4);
	return row_put_be(out, 0xcf, v, 8);
}

static uint8_t *row_put_len(uint8_t *out, size_t len, bool is_text)
{
	if (is_text && len < 32) {
		*out++ = (uint8_t)(0xa0 | len);
		return out;
	}
	if (len <= UINT8_MAX)
		return row_put_be(out, is_text ? 0xd9 : 0xc4, len, 1);
	if (len <= UINT16_MAX)
		return row_put_be(out, is_text ? 0xda : 0xc5, len, 2);
	return row_put_be(out, is_text ? 0xdb : 0xc6, len, 4);
}

size_t record_row_head(uint8_t *out, const struct record *record)
{
	uint8_t *p = out;

	*p++ = record->schema ? ROW_ARRAY_5 : ROW_ARRAY_4;
	p = row_put_u64(p, record->stream);
	p = row_put_u64(p, record->flags);
	p = row_put_u64(p, record->time_ns);
	if (!record->is_typed)
		p = row_put_len(p, record->len,
				record->is_text || utf8_valid(record->value, record->len));
	return (size_t)(p - out);
}

size_t record_row_tail(uint8_t *out, const struct record *record)
{
	return record->schema ? (size_t)(row_put_u64(out, record->schema) - out) : 0;
}

/* What is still to be read of a row; at is NULL once something was wrong. */
struct row_in {
	const uint8_t *at;
	const uint8_t *end;
};

static inline uint64_t row_get_be(struct row_in *in, unsigned bytes)
{
	uint64_t v = 0;

	if (!in->at || (size_t)(in->end - in->at) < bytes) {
		in->at = NULL;
		return 0;
	}
	for (unsigned i = 0; i < bytes; i++)
		v = v << 8 | *in->at++;
	return v;
}

static uint64_t row_get_u64(struct row_in *in)
{
	uint64_t format = row_get_be(in, 1);

	if (format < 0x80)
		return format;
	if (format >= 0xcc && format <= 0xcf)
		return row_get_be(in, 1u << (format - 0xcc));
	in->at = NULL;
	return 0;
}

/* The value: str or bin, of which only the bytes count, or any other object as it stands. */
static void row_get_value(struct row_in *in, struct record *record)
{
	const uint8_t *begin = in->at;
	uint64_t format = row_get_be(in, 1), len;
	struct value_in value;

	if (!in->at)
		return;
	if (format >= 0xa0 && format < 0xc0) {
		len = format & 0x1f;
	} else if (format >= 0xc4 && format <= 0xc6) {
		len = row_get_be(in, 1u << (format - 0xc4));
	} else if (format >= 0xd9 && format <= 0xdb) {
		len = row_get_be(in, 1u << (format - 0xd9));
	} else {
		value = value_in(begin, (size_t)(in->end - begin));
		in->at = value_skip(&value, &record->nodes) ? value.next : NULL;
		record->is_typed = true;
		record->value = begin;
		record->len = (size_t)(value.next - begin);
		return;
	}
	if (!in->at || (size_t)(in->end - in->at) < len) {
		in->at = NULL;
		return;
	}
	record->is_text = format < 0xc0 || format >= 0xd9;
	record->value = in->at;
	record->len = (size_t)len;
	in->at += len;
}

static uint64_t row_load_be(const uint8_t *p, unsigned bytes)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < bytes; i++)
		v = v << 8 | p[i];
	return v;
}

/* The length of a str or bin of which the head is whole, and in *ret_head how long that is; 0
 * there: it is none. */
static size_t row_value_len(const uint8_t *p, size_t *ret_head)
{
	unsigned format = *p, bytes = 0;

	*ret_head = 1;
	if (format >= 0xa0 && format < 0xc0)
		return format & 0x1f;
	if (format >= 0xd9 && format <= 0xdb)
		bytes = 1u << (format - 0xd9);
	else if (format >= 0xc4 && format <= 0xc6)
		bytes = 1u << (format - 0xc4);
	*ret_head = bytes ? 1 + bytes : 0;
	return (size_t)row_load_be(p + 1, bytes);
}

/* The short way, of nearly all rows: small numbers, a time in nanoseconds, text or bytes. Returns 0
 * where it is another one, or the rows end soon. */
static size_t row_get_plain(const uint8_t *rows, size_t len, struct record *ret)
{
	const uint8_t *p = rows + 3, *format;
	size_t head, n;
	uint64_t time;

	if (len < RECORD_HEAD_MAX || rows[0] != ROW_ARRAY_4 || (rows[1] | rows[2]) >= 0x80)
		return 0;
	if (*p == 0xcf) {
		time = row_load_be(p + 1, 8);
		p += 9;
	} else if (*p < 0x80) {
		time = *p++;
	} else {
		return 0;
	}
	format = p;
	n = row_value_len(format, &head);
	p += head;
	if (!head || n > len - (size_t)(p - rows))
		return 0;
	*ret = (struct record){.stream = rows[1],
			       .flags = rows[2],
			       .time_ns = time,
			       .value = p,
			       .len = n,
			       .is_text = *format >= 0xd9 || *format < 0xc0};
	return (size_t)(p - rows) + n;
}

size_t record_row_get(const uint8_t *rows, size_t len, struct record *ret)
{
	size_t plain = row_get_plain(rows, len, ret);
	struct row_in in;
	struct record record = {0};
	uint64_t first;

	if (plain || !len)
		return plain;
	in = (struct row_in){rows, rows + len};
	first = row_get_be(&in, 1);
	if (first != ROW_ARRAY_4 && first != ROW_ARRAY_5)
		return 0;
	record.stream = row_get_u64(&in);
	record.flags = row_get_u64(&in);
	record.time_ns = row_get_u64(&in);
	row_get_value(&in, &record);
	if (first == ROW_ARRAY_5)
		record.schema = row_get_u64(&in);
	if (!in.at || (first == ROW_ARRAY_5 && !record.schema))
		return 0;
	*ret = record;
	return (size_t)(in.at - rows);
}

size_t record_rows_skip(const uint8_t *rows, size_t len, size_t count)
{
	struct record record;
	size_t at = 0;

	while (count-- && at < len) {
		size_t n = record_row_get(rows + at, len - at, &record);

		if (!n)
			break;
		at += n;
	}
	return at;
}

size_t record_rows_until(const uint8_t *rows, size_t len, size_t count, uint64_t until_ns,
			 size_t *ret_len)
{
	struct record record;
	size_t at = 0, found = 0;

	while (found < count && at < len) {
		size_t n = record_row_get(rows + at, len - at, &record);

		if (!n || record.time_ns > until_ns)
			break;
		at += n;
		found++;
	}
	*ret_len = at;
	return found;
}
