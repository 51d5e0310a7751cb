/* A gateway that says what a test wants, and what a talk with it makes of that, in words. */
#ifndef MUSTER_RELAY_RIG_H
#define MUSTER_RELAY_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "frame.h"
#include "limits.h"
#include "message.h"
#include "relay_talk.h"

#define JOB   100u
#define FIRST 200u
#define COUNT 3u

struct rig {
	struct relay_talk *talk;
	struct buf said; /* what was called, in words */
	struct errmsg msg;
	uint64_t schema; /* the last number that was given */
};

static void on_hello(void *arg)
{
	buf_add_str(&((struct rig *)arg)->said, "hello ");
}

static void on_accepted(void *arg)
{
	buf_add_str(&((struct rig *)arg)->said, "accepted ");
}

static void on_refused(void *arg, int code, const char *text)
{
	buf_addf(&((struct rig *)arg)->said, "refused(%d %s) ", code, text);
}

static void on_state(void *arg, size_t at, enum job_state state)
{
	buf_addf(&((struct rig *)arg)->said, "%zu:%s ", at, job_state_name(state));
}

static void on_record(void *arg, size_t at, const struct record *record)
{
	struct rig *r = arg;

	if (record->is_typed)
		buf_addf(&r->said, "%zu=row%llu ", at, (unsigned long long)record->schema);
	else
		buf_addf(&r->said, "%zu=%.*s ", at, (int)record->len, (const char *)record->value);
}

static void on_burst_end(void *arg, size_t at)
{
	buf_addf(&((struct rig *)arg)->said, "%zu. ", at);
}

static uint64_t on_schema(void *arg, const struct schema_msg *m)
{
	struct rig *r = arg;

	buf_addf(&r->said, "columns(%zu) ", m->column_count);
	return ++r->schema;
}

static void on_end(void *arg, size_t at, const struct outcome *o)
{
	buf_addf(&((struct rig *)arg)->said, "%zu!%s,%d,%s,%s%s ", at, cause_name(o->cause),
		 o->exit_code, o->signal, o->text, o->began ? ",began" : "");
}

static void on_warning(void *arg, const char *text)
{
	buf_addf(&((struct rig *)arg)->said, "warning(%s) ", text);
}

static void on_over(void *arg)
{
	buf_add_str(&((struct rig *)arg)->said, "over ");
}

static int on_stage(void *arg, const struct frame *frame, struct errmsg *msg)
{
	if (frame->len < 2)
		return err_set(msg, ERR_PROTO, "an empty body");
	buf_addf(&((struct rig *)arg)->said, "stage(%u) ", frame->type);
	return 0;
}

static void on_copy_open(void *arg, size_t at, uint64_t number, uint64_t window)
{
	buf_addf(&((struct rig *)arg)->said, "%zu<%llu(%llu) ", at,
		 (unsigned long long)(number >> 32), (unsigned long long)window);
}

static void on_copy_files(void *arg, size_t at, uint64_t number, const struct frame *frame)
{
	buf_addf(&((struct rig *)arg)->said, "%zu<%llu:%u ", at, (unsigned long long)(number >> 32),
		 frame->type);
}

static const struct relay_talk_ops ops = {
	.hello = on_hello,
	.accepted = on_accepted,
	.refused = on_refused,
	.state = on_state,
	.record = on_record,
	.burst_end = on_burst_end,
	.schema = on_schema,
	.end = on_end,
	.warning = on_warning,
	.over = on_over,
	.stage = on_stage,
	.copy_open = on_copy_open,
	.copy_files = on_copy_files,
};

static void rig_init(struct rig *r)
{
	*r = (struct rig){.schema = 70};
	r->talk = relay_talk_new(&ops, r);
}

static void rig_done(struct rig *r)
{
	relay_talk_free(r->talk);
	buf_done(&r->said);
}

/* A frame of these bytes; the body is emptied. */
static int say(struct rig *r, enum message_type type, struct buf *body)
{
	struct buf frame = {0};
	size_t begin = frame_begin(&frame);
	int rc;

	buf_add(&frame, body->data, body->len);
	buf_done(body);
	assert_int_equal(frame_end(&frame, begin, (uint8_t)type, 0, 1), 0);
	r->msg.text[0] = '\0';
	rc = relay_talk_take(r->talk, frame.data, frame.len, &r->msg);
	buf_done(&frame);
	if (rc)
		assert_true(r->msg.text[0] != '\0');
	return rc;
}

static int say_hello(struct rig *r, uint64_t min, uint64_t max)
{
	char program[] = "muster 9\x1b[1m";
	struct hello_msg m = {min, max, program, 7};
	struct buf body = {0};

	hello_put(&body, &m);
	return say(r, MSG_HELLO, &body);
}

static int say_accepted(struct rig *r, uint64_t job, uint64_t first)
{
	struct job_accepted_msg m = {.job = job, .first_child = first};
	struct buf body = {0};

	job_accepted_put(&body, &m);
	return say(r, MSG_JOB_ACCEPTED, &body);
}

static int say_state(struct rig *r, uint64_t child, const char *state)
{
	struct child_state_msg m = {
		.child = child, .state = (char *)(uintptr_t)state, .exit_code = -1};
	struct buf body = {0};

	child_state_put(&body, &m);
	return say(r, MSG_CHILD_STATE, &body);
}

static int say_starting(struct rig *r, uint64_t child)
{
	char state[] = "NotStarted";
	struct child_state_msg m = {
		.child = child, .state = state, .exit_code = -1, .starting = true};
	struct buf body = {0};

	child_state_put(&body, &m);
	return say(r, MSG_CHILD_STATE, &body);
}

static int say_end(struct rig *r, uint64_t child, const char *cause, int64_t code, const char *text)
{
	char failed[] = "Failed", signal[] = "A SIGNAL OF A VERY LONG NAME";
	struct child_state_msg m = {.child = child,
				    .state = failed,
				    .finished = true,
				    .cause = (char *)(uintptr_t)cause,
				    .exit_code = code,
				    .signal = signal,
				    .text = (char *)(uintptr_t)text};
	struct buf body = {0};

	child_state_put(&body, &m);
	return say(r, MSG_CHILD_STATE, &body);
}

static int say_warned(struct rig *r, uint64_t child, uint64_t seq)
{
	struct record_batch batch = {0};
	struct buf body = {0};

	record_batch_add(&batch, &(struct record){.stream = STREAM_WARNING,
						  .value = (const uint8_t *)"w",
						  .len = 1});
	records_put(&body, child, seq, &batch);
	record_batch_done(&batch);
	return say(r, MSG_RECORDS, &body);
}

static int say_lines(struct rig *r, uint64_t child, uint64_t seq, const char *a, const char *b)
{
	struct record_batch batch = {0};
	const char *lines[] = {a, b};
	struct buf body = {0};

	for (size_t i = 0; i < ARRAY_LEN(lines) && lines[i]; i++)
		record_batch_add(&batch, &(struct record){.value = (const uint8_t *)lines[i],
							  .len = strlen(lines[i])});
	records_put(&body, child, seq, &batch);
	record_batch_done(&batch);
	return say(r, MSG_RECORDS, &body);
}

static int say_row(struct rig *r, uint64_t child, uint64_t seq, uint64_t schema)
{
	static const uint8_t row[] = {0x91, 0x01};
	struct record_batch batch = {0};
	struct buf body = {0};

	record_batch_add(&batch, &(struct record){.value = row,
						  .len = sizeof row,
						  .is_typed = true,
						  .nodes = 2,
						  .schema = schema});
	records_put(&body, child, seq, &batch);
	record_batch_done(&batch);
	return say(r, MSG_RECORDS, &body);
}

static int say_schema(struct rig *r, uint64_t schema)
{
	char column[] = "a", *columns[] = {column};
	struct schema_msg m = {.schema = schema, .columns = columns, .column_count = 1};
	struct buf body = {0};

	schema_put(&body, &m);
	return say(r, MSG_SCHEMA, &body);
}

static int say_job_end(struct rig *r)
{
	char state[] = "Completed";
	struct job_end_msg m = {JOB, state};
	struct buf body = {0};

	job_end_put(&body, &m);
	return say(r, MSG_JOB_END, &body);
}

static int say_error(struct rig *r, int code)
{
	char text[] = "no\nway";
	struct error_msg m = {code, text};
	struct buf body = {0};

	error_put(&body, &m);
	return say(r, MSG_ERROR, &body);
}

/* As far as the job. */
static void rig_accept(struct rig *r)
{
	rig_init(r);
	assert_int_equal(say_hello(r, 1, 1), 0);
	relay_talk_asked(r->talk, COUNT, false);
	assert_int_equal(say_accepted(r, JOB, FIRST), 0);
	buf_clear(&r->said);
}

static void expect(struct rig *r, const char *want)
{
	assert_string_equal(buf_cstr(&r->said), want);
	buf_clear(&r->said);
}

#endif
