/*
 * The framing that every byte stream of muster uses (docs/protocol.md, section 2): a header of 20
 * bytes, big-endian, then the body.
 *
 *   magic u16 | type u8 | flags u8 | length u32 | seq u64 | crc32c u32
 *
 * The CRC (crc32c.h) covers the first 16 header bytes and the body.
 */
#ifndef MUSTER_FRAME_H
#define MUSTER_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

#define FRAME_MAGIC	  0x4d53u /* "MS" */
#define FRAME_HEADER_SIZE 20u

struct frame {
	uint8_t type; /* MSG_* */
	uint8_t flags;
	uint64_t seq;
	const uint8_t *body; /* borrowed from the input */
	size_t len;
};

/*
 * Looks at the n bytes at data for one whole frame. Returns the bytes that it takes (> 0) and sets
 * *ret_frame; 0 if more bytes are needed; ERR_PROTO (magic, CRC) or ERR_LIMIT (length above
 * LIMIT_FRAME_BODY, seen before anything is allocated), with msg saying which.
 */
int64_t frame_parse(const uint8_t *data, size_t n, struct frame *ret_frame, struct errmsg *msg);

/* The frame at data, of bytes that frame_parse has taken before: nothing is checked again. Returns
 * the bytes that it takes. */
size_t frame_next(const uint8_t *data, struct frame *ret_frame);

/* How many bytes the frame takes that these n bytes begin, as far as they say: that of a header
 * until the length is there. For bytes that frame_parse did not refuse. */
size_t frame_size(const uint8_t *data, size_t n);

/*
 * Building a frame in place: frame_begin appends an empty header to out and returns its offset;
 * the body is then appended to out, and frame_end fills the header in. frame_end returns 0, or
 * ERR_LIMIT for a body that is too large; out is then cut back to where the frame began.
 */
size_t frame_begin(struct buf *out);
int frame_end(struct buf *out, size_t begin, uint8_t type, uint8_t flags, uint64_t seq);

#endif
