// NEEDS: proto
/*
 * Fuzz target: a whole talk with one side of a connection to an agent. The input is
 *
 *   role and size of the pieces (1 byte), then steps: type, seq, length (3 bytes), body
 *
 * and becomes frames with a good CRC, so that a fuzzer need not find one; a step of type 255 is raw
 * bytes. Fed in pieces and at once it must come to the same end.
 */
#include <stddef.h>
#include <stdint.h>

#include "fuzz.h"

#include "message.h"
#include "peer.h"
#include "record.h"

#define FUZZ_RAW 255u

struct fuzz_end {
	size_t hellos;
	size_t messages;
	size_t used; /* of these, by the order of a task */
	struct task_order order;
};

static int fuzz_on_hello(void *arg, const struct agent_hello_msg *hello, struct errmsg *msg)
{
	struct fuzz_end *end = arg;

	(void)msg;
	must(hello->version_min <= AGENT_VERSION && hello->version_max >= AGENT_VERSION);
	must(end->hellos == 0 && end->messages == 0);
	end->hellos++;
	return 0;
}

static int fuzz_on_message(void *arg, const struct frame *frame, struct errmsg *msg)
{
	struct fuzz_end *end = arg;
	uint64_t last = end->order.last;
	int r;

	must(end->hellos == 1);
	must(message_name(frame->type) != NULL);
	end->messages++;
	if (frame->type < MSG_TASK_RUNNING)
		return 0;
	r = task_order_take(&end->order, frame, msg);
	must(r <= 1 && end->order.last >= last);
	end->used += r == 1;
	return r < 0 ? r : 0;
}

static const struct peer_events fuzz_events = {fuzz_on_hello, fuzz_on_message};

static int fuzz_talk(enum peer_role role, const struct buf *bytes, size_t piece,
		     struct fuzz_end *end)
{
	struct peer *peer = peer_new(role, &fuzz_events, end);
	struct errmsg msg = {""};
	int r = 0;

	for (size_t at = 0, n; at < bytes->len && r == 0; at += n) {
		n = bytes->len - at < piece ? bytes->len - at : piece;
		r = peer_feed(peer, bytes->data + at, n, &msg);
	}
	must(r <= 0);
	if (r < 0) {
		must(msg.text[0] != '\0' && !peer_is_open(peer));
		must(peer_feed(peer, "x", 1, NULL) == ERR_CLOSED);
	}
	peer_free(peer);
	return r;
}

static void fuzz_steps(struct buf *out, const uint8_t *data, size_t size)
{
	while (size >= 3) {
		size_t len = data[2] < size - 3 ? data[2] : size - 3, begin;

		if (data[0] == FUZZ_RAW) {
			buf_add(out, data + 3, len);
		} else {
			begin = frame_begin(out);
			buf_add(out, data + 3, len);
			must(frame_end(out, begin, data[0], 0, data[1]) == 0);
		}
		data += 3 + len;
		size -= 3 + len;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_end whole = {0}, pieces = {0};
	struct buf bytes = {0};
	enum peer_role role;
	int r;

	if (!size)
		return 0;
	role = data[0] & 1 ? PEER_AGENT : PEER_INITIATOR;
	fuzz_steps(&bytes, data + 1, size - 1);
	r = fuzz_talk(role, &bytes, SIZE_MAX, &whole);
	must(fuzz_talk(role, &bytes, 1u + (data[0] >> 1), &pieces) == r);
	must(whole.messages == pieces.messages && whole.used == pieces.used);
	buf_done(&bytes);
	return 0;
}
