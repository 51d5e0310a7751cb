// NEEDS: proto
/*
 * Fuzz target: bytes as frames, in whole and cut; and a frame made from the same bytes, of which
 * nothing may change unseen.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "fuzz.h"

#include "frame.h"
#include "limits.h"

/* What is accepted comes out the same when it is made again. */
static void fuzz_again(const struct frame *frame, const uint8_t *data, size_t used)
{
	struct buf out = {0};
	size_t begin = frame_begin(&out);

	buf_add(&out, frame->body, frame->len);
	must(frame_end(&out, begin, frame->type, frame->flags, frame->seq) == 0);
	must(out.len == used && memcmp(out.data, data, used) == 0);
	buf_done(&out);
}

static void fuzz_parse(const uint8_t *data, size_t size)
{
	struct errmsg msg = {""};
	struct frame frame;

	while (size) {
		int64_t used = frame_parse(data, size, &frame, &msg);

		if (used <= 0) {
			must(used < 0 ? msg.text[0] != '\0' : frame_size(data, size) > size);
			return;
		}
		must((size_t)used <= size && frame.len <= LIMIT_FRAME_BODY);
		must(frame_size(data, size) == (size_t)used);
		must(frame_parse(data, (size_t)used - 1, &frame, NULL) == 0);
		fuzz_again(&frame, data, (size_t)used);
		data += used;
		size -= (size_t)used;
	}
}

/* A frame with the input as its body, and one byte of it turned into another. */
static void fuzz_change(const uint8_t *data, size_t size)
{
	struct buf out = {0};
	struct frame frame;
	size_t begin = frame_begin(&out);
	size_t at = (size_t)(data[0] | data[1] << 8);

	buf_add(&out, data + 3, size - 3);
	must(frame_end(&out, begin, data[0], data[1], data[2]) == 0);
	must(frame_parse(out.data, out.len, &frame, NULL) == (int64_t)out.len);
	must(frame.seq == data[2] && frame.len == size - 3);
	/* One byte never escapes a CRC, unless another length moves its place. */
	at %= out.len;
	if (data[2] && (at < 4 || at > 7)) {
		out.data[at] ^= data[2];
		must(frame_parse(out.data, out.len, &frame, NULL) <= 0);
	}
	buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_parse(data, size);
	if (size > 3 && size < LIMIT_FRAME_BODY)
		fuzz_change(data, size);
	return 0;
}
