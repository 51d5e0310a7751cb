/* A track whose owner writes down what it is asked for and told, as words in a line. */
#ifndef MUSTER_TESTS_TRACK_RIG_H
#define MUSTER_TESTS_TRACK_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "buf.h"
#include "limits.h"
#include "track.h"

#define RIG_TASK 9u
#define RIG_UUID "11111111-2222-4333-8444-555555555555"

struct rig {
	struct track *track;
	struct track_spec spec;
	struct buf log;
	uint64_t now_ms;
	uint64_t wall_ns;
	uint64_t random;
	uint64_t timer_ms; /* from when it was set; TRACK_NEVER: it is not */
	uint64_t epoch;
	uint64_t schema;
	struct outcome outcome;
	bool quiet; /* credit, taken and acknowledgements are not written down */
};

/* --- what it is asked for ----------------------------------------------------------------------
 */

static void rig_connect(void *arg)
{
	buf_add_str(&((struct rig *)arg)->log, "connect ");
}

static void rig_put_number(struct rig *r, const char *name, uint64_t n)
{
	buf_addf(&r->log, "%s(%llu) ", name, (unsigned long long)n);
}

static void rig_send(void *arg, enum message_type type, struct buf *body)
{
	struct rig *r = arg;
	struct task_attach_msg attach;
	struct task_signal_msg signal;
	struct task_ack_msg ack;
	struct task_credit_msg credit;
	struct task_stdin_msg input;

	if (type == MSG_TASK_ATTACH && !task_attach_get(&attach, body->data, body->len, NULL)) {
		assert_string_equal(attach.instance, RIG_UUID);
		assert_int_equal(attach.epoch, r->epoch);
		rig_put_number(r, "+ATTACH", attach.next_seq);
		task_attach_done(&attach);
	} else if (type == MSG_TASK_SIGNAL &&
		   !task_signal_get(&signal, body->data, body->len, NULL)) {
		rig_put_number(r, "+SIGNAL", signal.signal);
	} else if (type == MSG_TASK_ACK && !task_ack_get(&ack, body->data, body->len, NULL)) {
		if (!r->quiet)
			rig_put_number(r, "+ACK", ack.seq);
	} else if (type == MSG_TASK_CREDIT &&
		   !task_credit_get(&credit, body->data, body->len, NULL)) {
		if (!r->quiet)
			rig_put_number(r, "+CREDIT", credit.bytes);
	} else if (type == MSG_TASK_STDIN && !task_stdin_get(&input, body->data, body->len, NULL)) {
		buf_addf(&r->log, "+STDIN(%zu%s) ", input.len, input.end ? " end" : "");
		task_stdin_done(&input);
	} else {
		assert_int_equal(type, MSG_TASK_OPEN);
		rig_put_number(r, "+OPEN", body->data[0]);
	}
	buf_done(body);
}

static void rig_leave(void *arg, enum track_leave how, bool shun)
{
	static const char *const names[] = {[TRACK_LEAVE_ENDED] = "ended",
					    [TRACK_LEAVE_KILL] = "kill",
					    [TRACK_LEAVE_DETACH] = "detach",
					    [TRACK_LEAVE_FREE] = "free"};
	struct rig *r = arg;

	buf_addf(&r->log, "leave:%s%s ", names[how], shun ? ":shun" : "");
}

static void rig_timer(void *arg, uint64_t ms)
{
	((struct rig *)arg)->timer_ms = ms;
}

static uint64_t rig_clock(void *arg)
{
	return ((struct rig *)arg)->now_ms;
}

static uint64_t rig_wall(void *arg)
{
	return ((struct rig *)arg)->wall_ns;
}

static uint64_t rig_random(void *arg)
{
	return ((struct rig *)arg)->random;
}

static uint64_t rig_epoch(void *arg)
{
	return ++((struct rig *)arg)->epoch;
}

static void rig_put_open(void *arg, struct buf *body, const struct task_open_msg *own)
{
	struct rig *r = arg;

	assert_int_equal(own->task, RIG_TASK);
	assert_int_equal(own->epoch, own->durable ? r->epoch : 0);
	assert_int_equal(own->stdin_follows, r->spec.feed != NULL);
	buf_add_char(body, own->durable ? 1 : 0);
}

/* --- what it is told ---------------------------------------------------------------------------
 */

static void rig_running(void *arg)
{
	buf_add_str(&((struct rig *)arg)->log, "running ");
}

static void rig_record(void *arg, const struct record *record)
{
	struct rig *r = arg;

	assert_int_equal(record->time_ns, r->wall_ns);
	buf_addf(&r->log, "'%.*s'", (int)record->len, (const char *)record->value);
	if (record->schema)
		buf_addf(&r->log, "/%llu", (unsigned long long)record->schema);
	buf_add_char(&r->log, ' ');
}

static uint64_t rig_schema(void *arg, const struct task_schema_msg *m, uint64_t seq)
{
	struct rig *r = arg;

	(void)seq;
	rig_put_number(r, "schema", m->schema);
	return 100 + ++r->schema;
}

static void rig_taken(void *arg, uint64_t seq)
{
	if (!((struct rig *)arg)->quiet)
		rig_put_number(arg, "taken", seq);
}

static void rig_note(void *arg, const char *text)
{
	buf_addf(&((struct rig *)arg)->log, "[%.24s] ", text);
}

static void rig_suspended(void *arg, bool suspended)
{
	buf_add_str(&((struct rig *)arg)->log, suspended ? "suspended " : "resumed ");
}

static void rig_lost(void *arg)
{
	buf_add_str(&((struct rig *)arg)->log, "lost ");
}

static void rig_back(void *arg)
{
	buf_add_str(&((struct rig *)arg)->log, "back ");
}

static void rig_end(void *arg, const struct outcome *outcome)
{
	struct rig *r = arg;

	r->outcome = *outcome;
	buf_addf(&r->log, "end:%s%s ", cause_name(outcome->cause), outcome->began ? ":began" : "");
}

static void rig_no_agent(void *arg, const char *why)
{
	buf_addf(&((struct rig *)arg)->log, "no-agent:%s ", why);
}

static const struct track_ops rig_ops = {
	.connect = rig_connect,
	.send = rig_send,
	.leave = rig_leave,
	.timer = rig_timer,
	.clock_ms = rig_clock,
	.wall_ns = rig_wall,
	.random = rig_random,
	.epoch = rig_epoch,
	.put_open = rig_put_open,
	.running = rig_running,
	.record = rig_record,
	.schema = rig_schema,
	.taken = rig_taken,
	.note = rig_note,
	.suspended = rig_suspended,
	.lost = rig_lost,
	.back = rig_back,
	.end = rig_end,
	.no_agent = rig_no_agent,
};

/* --- its life -----------------------------------------------------------------------------------
 */

/* spec.instance is filled in. */
static inline void rig_init(struct rig *r, struct track_spec spec)
{
	*r = (struct rig){.spec = spec, .timer_ms = TRACK_NEVER, .now_ms = 1000, .wall_ns = 77};
	r->spec.instance = RIG_UUID;
	if (!r->spec.window)
		r->spec.window = 1000;
	r->track = track_new(&r->spec, &rig_ops, r);
}

static inline void rig_done(struct rig *r)
{
	track_free(r->track);
	buf_done(&r->log);
}

/* What was written down since the last time. */
static inline void rig_expect(struct rig *r, const char *words)
{
	if (r->log.len && r->log.data[r->log.len - 1] == ' ')
		r->log.len--;
	assert_string_equal(buf_cstr(&r->log), words);
	buf_clear(&r->log);
}

/* The time that the timer was set to passes. */
static inline void rig_fire(struct rig *r)
{
	assert_true(r->timer_ms != TRACK_NEVER);
	r->now_ms += r->timer_ms;
	r->timer_ms = TRACK_NEVER;
	track_on_timer(r->track);
}

static inline void rig_open(struct rig *r)
{
	track_on_open(r->track, RIG_TASK, AGENT_CAN_DURABLE | AGENT_CAN_SUSPEND, NULL);
}

/* --- what an agent says
 * --------------------------------------------------------------------------- */

static inline int rig_frame(struct rig *r, uint8_t type, uint64_t seq, struct buf *body)
{
	struct frame frame = {.type = type, .seq = seq, .body = body->data, .len = body->len};
	struct errmsg msg;
	int rc = track_on_frame(r->track, &frame, &msg);

	buf_done(body);
	return rc;
}

#define RIG_SAY(r, TYPE, name, frame_seq, ...)                                   \
	__extension__({                                                          \
		const struct name##_msg rig_m = {.task = RIG_TASK, __VA_ARGS__}; \
		struct buf rig_body = {0};                                       \
                                                                                 \
		name##_put(&rig_body, &rig_m);                                   \
		rig_frame(r, MSG_##TYPE, frame_seq, &rig_body);                  \
	})

static inline void rig_attached(struct rig *r)
{
	assert_int_equal(RIG_SAY(r, TASK_ATTACHED, task_attached, 0, .last = 0), 0);
}

static inline void rig_say_running(struct rig *r)
{
	assert_int_equal(RIG_SAY(r, TASK_RUNNING, task_running, 0, .pid = 5), 0);
}

static inline int rig_say_detached(struct rig *r)
{
	struct task_detach_msg m = {.task = RIG_TASK};
	struct buf body = {0};

	task_detach_put(&body, &m);
	return rig_frame(r, MSG_TASK_DETACH, 0, &body);
}

/* A frame of records with these numbers; each is a text. */
static inline int rig_records(struct rig *r, uint64_t seq, uint64_t first, size_t count)
{
	struct record_batch batch = {0};
	struct buf body = {0};
	char text[24];
	int rc;

	for (size_t i = 0; i < count; i++) {
		struct record record = {.value = (const uint8_t *)text, .is_text = true};

		record.len = (size_t)snprintf(text, sizeof text, "%llu",
					      (unsigned long long)(first + i));
		record_batch_add(&batch, &record);
	}
	records_put(&body, RIG_TASK, first, &batch);
	rc = rig_frame(r, MSG_TASK_RECORDS, seq, &body);
	record_batch_done(&batch);
	return rc;
}

/* A row of a schema. */
static inline int rig_row(struct rig *r, uint64_t seq, uint64_t number, uint64_t schema)
{
	static const uint8_t row[] = {0x91, 0xa1, 'x'};
	struct record record = {
		.value = row, .len = sizeof row, .is_typed = true, .nodes = 2, .schema = schema};
	struct record_batch batch = {0};
	struct buf body = {0};
	int rc;

	record_batch_add(&batch, &record);
	records_put(&body, RIG_TASK, number, &batch);
	rc = rig_frame(r, MSG_TASK_RECORDS, seq, &body);
	record_batch_done(&batch);
	return rc;
}

static inline int rig_say_end(struct rig *r, uint64_t seq)
{
	return RIG_SAY(r, TASK_END, task_end, seq, .kind = TASK_EXITED, .exit_code = 3,
		       .began = true);
}

/* A durable one that runs on a connection. */
static inline void rig_run(struct rig *r, struct track_spec spec)
{
	spec.durable = true;
	rig_init(r, spec);
	track_start(r->track, false);
	rig_open(r);
	rig_attached(r);
	rig_say_running(r);
	buf_clear(&r->log);
}

/* Its connection is lost; it comes back and runs again. */
static inline void rig_again(struct rig *r)
{
	track_on_lost(r->track, CAUSE_LINK_LOST, "cut");
	rig_fire(r);
	rig_open(r);
	rig_attached(r);
	rig_say_running(r);
}

#endif
