// NEEDS: proto
/*
 * Fuzz target: the bodies of the messages between initiator and agent. The first byte picks the
 * message. What was accepted must come out the same when it is packed and unpacked again.
 */
#include <stddef.h>
#include <stdint.h>

#include "fuzz.h"

#include "agent_msg.h"

FUZZ_BODY(agent_hello)
FUZZ_BODY(task_open)
FUZZ_BODY(task_stdin)
FUZZ_BODY(task_signal)
FUZZ_BODY(task_credit)
FUZZ_BODY(task_running)
FUZZ_BODY(task_schema)
FUZZ_BODY(task_state)
FUZZ_BODY(task_stdin_room)
FUZZ_BODY(task_end)
FUZZ_BODY(task_attach)
FUZZ_BODY(task_ack)
FUZZ_BODY(task_detach)
FUZZ_BODY(task_attached)
FUZZ_BODY(task_gap)
FUZZ_BODY(ping)
FUZZ_BODY(task_session)

/* In this order for ever: the seeds count on it. */
static void (*const fuzz_bodies[])(const uint8_t *data, size_t len) = {
	fuzz_agent_hello,     fuzz_task_open,	  fuzz_task_stdin,  fuzz_task_signal,
	fuzz_task_credit,     fuzz_task_running,  fuzz_task_schema, fuzz_task_state,
	fuzz_task_stdin_room, fuzz_task_end,	  fuzz_task_attach, fuzz_task_ack,
	fuzz_task_detach,     fuzz_task_attached, fuzz_task_gap,    fuzz_ping,
	fuzz_task_session,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size)
		fuzz_bodies[data[0] % (sizeof fuzz_bodies / sizeof fuzz_bodies[0])](data + 1,
										    size - 1);
	return 0;
}
