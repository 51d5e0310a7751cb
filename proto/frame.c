#include "frame.h"

#include <string.h>

#include "crc32c.h"
#include "limits.h"

#define FRAME_AT_TYPE	2u
#define FRAME_AT_FLAGS	3u
#define FRAME_AT_LENGTH 4u
#define FRAME_AT_SEQ	8u
#define FRAME_AT_CRC	16u

static uint64_t frame_load(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

static void frame_store(uint8_t *p, size_t n, uint64_t v)
{
	for (size_t i = n; i--; v >>= 8)
		p[i] = (uint8_t)v;
}

/* The header's own CRC field is left out. */
static uint32_t frame_crc(const uint8_t *header, const uint8_t *body, size_t len)
{
	return crc32c(crc32c(0, header, FRAME_AT_CRC), body, len);
}

/* What can be wrong with the first n bytes of a header, as early as it can be seen. */
static int frame_check_start(const uint8_t *data, size_t n, struct errmsg *msg)
{
	uint8_t magic[2] = {FRAME_MAGIC >> 8, FRAME_MAGIC & 0xff};
	uint64_t len;

	if (memcmp(data, magic, n < sizeof magic ? n : sizeof magic) != 0)
		return err_set(
			msg, ERR_PROTO,
			"this is no muster frame: it begins with byte 0x%02x, not with \"MS\"",
			data[0]);
	if (n < FRAME_AT_SEQ)
		return 0;
	len = frame_load(data + FRAME_AT_LENGTH, 4);
	if (len > LIMIT_FRAME_BODY)
		return err_set(msg, ERR_LIMIT,
			       "frame of type %u: a body of %llu bytes, at most %u are allowed",
			       data[FRAME_AT_TYPE], (unsigned long long)len, LIMIT_FRAME_BODY);
	return 0;
}

size_t frame_next(const uint8_t *data, struct frame *ret_frame)
{
	*ret_frame = (struct frame){
		.type = data[FRAME_AT_TYPE],
		.flags = data[FRAME_AT_FLAGS],
		.seq = frame_load(data + FRAME_AT_SEQ, 8),
		.body = data + FRAME_HEADER_SIZE,
		.len = (size_t)frame_load(data + FRAME_AT_LENGTH, 4),
	};
	return FRAME_HEADER_SIZE + ret_frame->len;
}

int64_t frame_parse(const uint8_t *data, size_t n, struct frame *ret_frame, struct errmsg *msg)
{
	const uint8_t *body;
	size_t len;
	int r;

	if (!n)
		return 0;
	r = frame_check_start(data, n, msg);
	if (r < 0)
		return r;
	if (n < FRAME_HEADER_SIZE)
		return 0;
	len = (size_t)frame_load(data + FRAME_AT_LENGTH, 4);
	if (n - FRAME_HEADER_SIZE < len)
		return 0;
	body = data + FRAME_HEADER_SIZE;
	if (frame_load(data + FRAME_AT_CRC, 4) != frame_crc(data, body, len))
		return err_set(msg, ERR_PROTO,
			       "frame of type %u, %zu bytes: the CRC does not match, the data was "
			       "damaged on its way",
			       data[FRAME_AT_TYPE], len);
	return (int64_t)frame_next(data, ret_frame);
}

size_t frame_size(const uint8_t *data, size_t n)
{
	if (n < FRAME_AT_SEQ)
		return FRAME_HEADER_SIZE;
	return FRAME_HEADER_SIZE + (size_t)frame_load(data + FRAME_AT_LENGTH, 4);
}

size_t frame_begin(struct buf *out)
{
	static const uint8_t empty[FRAME_HEADER_SIZE];
	size_t begin = out->len;

	buf_add(out, empty, sizeof empty);
	return begin;
}

int frame_end(struct buf *out, size_t begin, uint8_t type, uint8_t flags, uint64_t seq)
{
	uint8_t *header = out->data + begin;
	size_t len = out->len - begin - FRAME_HEADER_SIZE;

	if (len > LIMIT_FRAME_BODY) {
		out->len = begin;
		return ERR_LIMIT;
	}
	frame_store(header, 2, FRAME_MAGIC);
	header[FRAME_AT_TYPE] = type;
	header[FRAME_AT_FLAGS] = flags;
	frame_store(header + FRAME_AT_LENGTH, 4, len);
	frame_store(header + FRAME_AT_SEQ, 8, seq);
	frame_store(header + FRAME_AT_CRC, 4, frame_crc(header, header + FRAME_HEADER_SIZE, len));
	return 0;
}
