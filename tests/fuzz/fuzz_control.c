// NEEDS: proto
/*
 * Fuzz target: bytes as they may come from the control socket, through the frame, the bounded check
 * and the reader of the body. What was accepted must come out the same when it is packed and
 * unpacked again.
 *
 * The input is a run of frames; one that does not begin like a frame is taken as type and body, so
 * that a fuzzer need not find a CRC to reach the bodies.
 */
#include <stddef.h>
#include <stdint.h>

#include "fuzz.h"

#include "check.h"
#include "control_msg.h"
#include "frame.h"
#include "message.h"

FUZZ_BODY(hello)
FUZZ_BODY(error)
FUZZ_BODY(job_open)
FUZZ_BODY(job_targets)
FUZZ_BODY(job_stop)
FUZZ_BODY(job_stdin)
FUZZ_BODY(job_secret)
FUZZ_BODY(job_ask)
FUZZ_BODY(job_answer)
FUZZ_BODY(job_children)
FUZZ_BODY(schema)
FUZZ_BODY(job_accepted)
FUZZ_BODY(child_state)
FUZZ_BODY(job_end)
FUZZ_BODY(warning)
FUZZ_BODY(get)
FUZZ_BODY(get_row)
FUZZ_BODY(get_end)
FUZZ_BODY(problem)
FUZZ_BODY(doing)
FUZZ_BODY(receive)
FUZZ_BODY(source)
FUZZ_BODY(received)
FUZZ_BODY(receive_end)
FUZZ_BODY(shutdown)
FUZZ_BODY(status_reply)
FUZZ_BODY(shutdown_reply)
FUZZ_BODY(session_get)
FUZZ_BODY(session_do)
FUZZ_BODY(session_row)

static int fuzz_record(void *arg, uint64_t child, uint64_t seq, const struct record *record)
{
	struct record_batch *batch = arg;

	(void)child;
	(void)seq;
	must(record_stream_name(record->stream)[0] != '?');
	record_batch_add(batch, record);
	return 0;
}

static void fuzz_records(const uint8_t *data, size_t len)
{
	struct record_batch batch = {0}, again = {0};
	struct buf body = {0};

	if (records_get(data, len, fuzz_record, &batch, NULL) == 0) {
		records_put(&body, 1, 1, &batch);
		must(records_get(body.data, body.len, fuzz_record, &again, NULL) == 0);
		must(batch.count == again.count);
	}
	record_batch_done(&batch);
	record_batch_done(&again);
	buf_done(&body);
}

static void (*const fuzz_by_type[256])(const uint8_t *data, size_t len) = {
	[MSG_HELLO] = fuzz_hello,
	[MSG_ERROR] = fuzz_error,
	[MSG_JOB_OPEN] = fuzz_job_open,
	[MSG_JOB_TARGETS] = fuzz_job_targets,
	[MSG_JOB_STOP] = fuzz_job_stop,
	[MSG_JOB_STDIN] = fuzz_job_stdin,
	[MSG_JOB_SECRET] = fuzz_job_secret,
	[MSG_JOB_ASK] = fuzz_job_ask,
	[MSG_JOB_ANSWER] = fuzz_job_answer,
	[MSG_JOB_CHILDREN] = fuzz_job_children,
	[MSG_SCHEMA] = fuzz_schema,
	[MSG_JOB_ACCEPTED] = fuzz_job_accepted,
	[MSG_CHILD_STATE] = fuzz_child_state,
	[MSG_RECORDS] = fuzz_records,
	[MSG_JOB_END] = fuzz_job_end,
	[MSG_WARNING] = fuzz_warning,
	[MSG_GET] = fuzz_get,
	[MSG_GET_ROW] = fuzz_get_row,
	[MSG_GET_END] = fuzz_get_end,
	[MSG_PROBLEM] = fuzz_problem,
	[MSG_DO] = fuzz_doing,
	[MSG_RECEIVE] = fuzz_receive,
	[MSG_SOURCE] = fuzz_source,
	[MSG_RECEIVED] = fuzz_received,
	[MSG_RECEIVE_END] = fuzz_receive_end,
	[MSG_SHUTDOWN] = fuzz_shutdown,
	[MSG_STATUS_REPLY] = fuzz_status_reply,
	[MSG_SHUTDOWN_REPLY] = fuzz_shutdown_reply,
	[MSG_SESSION_GET] = fuzz_session_get,
	[MSG_SESSION_DO] = fuzz_session_do,
	[MSG_SESSION_ROW] = fuzz_session_row,
};

static void fuzz_body(uint8_t type, const uint8_t *data, size_t len)
{
	(void)check_body(data, len, NULL);
	if (fuzz_by_type[type])
		fuzz_by_type[type](data, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame frame;

	if (size && data[0] != FRAME_MAGIC >> 8)
		fuzz_body(data[0], data + 1, size - 1);
	while (size) {
		int64_t n = frame_parse(data, size, &frame, NULL);

		if (n <= 0)
			break;
		fuzz_body(frame.type, frame.body, frame.len);
		data += n;
		size -= (size_t)n;
	}
	return 0;
}
