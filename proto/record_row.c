/*
 * Rows without msgpack-c: a store walks and makes millions of them. The numbers are msgpack's
 * formats; integers take as few bytes as they can.
 */
#include <string.h>

#include "record.h"
#include "utf8.h"

#define ROW_ARRAY_4 0x94u

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

	*p++ = ROW_ARRAY_4;
	p = row_put_u64(p, record->stream);
	p = row_put_u64(p, record->flags);
	p = row_put_u64(p, record->time_ns);
	p = row_put_len(p, record->len, utf8_valid(record->value, record->len));
	return (size_t)(p - out);
}

/* What is still to be read of a row; at is NULL once something was wrong. */
struct row_in {
	const uint8_t *at;
	const uint8_t *end;
};

static uint64_t row_get_be(struct row_in *in, unsigned bytes)
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

static size_t row_get_len(struct row_in *in, bool *ret_is_text)
{
	uint64_t format = row_get_be(in, 1);

	*ret_is_text = format < 0xc0 || format >= 0xd9;
	if (format >= 0xa0 && format < 0xc0)
		return format & 0x1f;
	if (format >= 0xc4 && format <= 0xc6)
		return row_get_be(in, 1u << (format - 0xc4));
	if (format >= 0xd9 && format <= 0xdb)
		return row_get_be(in, 1u << (format - 0xd9));
	in->at = NULL;
	return 0;
}

size_t record_row_get(const uint8_t *rows, size_t len, struct record *ret)
{
	struct row_in in;
	struct record record;

	if (!len)
		return 0;
	in = (struct row_in){rows, rows + len};
	if (row_get_be(&in, 1) != ROW_ARRAY_4)
		return 0;
	record.stream = row_get_u64(&in);
	record.flags = row_get_u64(&in);
	record.time_ns = row_get_u64(&in);
	record.len = row_get_len(&in, &record.is_text);
	if (!in.at || (size_t)(in.end - in.at) < record.len)
		return 0;
	record.value = in.at;
	*ret = record;
	return (size_t)(in.at - rows) + record.len;
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
