// NEEDS: proto
/*
 * Fuzz target: the bodies of the messages of a copy. The first byte picks the message. What was
 * accepted must come out the same when it is packed and unpacked again.
 */
#include <stddef.h>
#include <stdint.h>

#include "fuzz.h"

#include "copy_msg.h"

FUZZ_BODY(copy_open)
FUZZ_BODY(copy_entry)
FUZZ_BODY(copy_data)
FUZZ_BODY(copy_answer)
FUZZ_BODY(copy_credit)
FUZZ_BODY(copy_end)

/* In this order for ever: the seeds count on it. */
static void (*const fuzz_bodies[])(const uint8_t *data, size_t len) = {
	fuzz_copy_open,	  fuzz_copy_entry,  fuzz_copy_data,
	fuzz_copy_answer, fuzz_copy_credit, fuzz_copy_end,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size)
		fuzz_bodies[data[0] % (sizeof fuzz_bodies / sizeof fuzz_bodies[0])](data + 1,
										    size - 1);
	return 0;
}
