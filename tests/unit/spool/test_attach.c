/* What one connection does with one durable run. */
#include "attach.h"
#include "buf.h"
#include "spool_rig.h"
#include "wire.h"

#define TASK 70000u /* of the connection; the runner's is 1 */

struct talk {
	struct rig *rig;
	struct attach *attach;
	/* What the initiator was sent. */
	uint8_t types[2048];
	size_t count;
	uint64_t seq;	/* the last one */
	uint64_t bytes; /* of the bodies that cost credit */
	uint64_t records;
	struct task_attached_msg attached;
	struct task_gap_msg gap;
	struct task_end_msg end;
	uint64_t room;
	/* What the runner was told. */
	uint8_t orders[16];
	size_t order_count;
	bool runner;
	bool full;
	uint64_t buried_above;
	size_t buried;
	size_t settled;
	size_t most; /* full after so many more messages; 0: never */
};

static int on_record(void *arg, uint64_t child, uint64_t seq, const struct record *record)
{
	struct talk *t = arg;

	(void)record;
	assert_int_equal(child, TASK);
	assert_int_equal(seq, t->records + 1);
	t->records = seq;
	return 0;
}

static void on_send(void *arg, uint8_t type, uint64_t seq, struct buf *body)
{
	struct talk *t = arg;
	struct task_running_msg running = {.task = TASK};
	struct task_state_msg state = {.task = TASK};
	struct task_stdin_room_msg room = {.task = TASK};
	struct task_schema_msg schema;

	assert_true(t->count < sizeof t->types);
	t->types[t->count++] = type;
	if (type == MSG_TASK_ATTACHED)
		assert_int_equal(task_attached_get(&t->attached, body->data, body->len, NULL), 0);
	else if (type == MSG_TASK_RUNNING)
		assert_int_equal(task_running_get(&running, body->data, body->len, NULL), 0);
	else if (type == MSG_TASK_STATE)
		assert_int_equal(task_state_get(&state, body->data, body->len, NULL), 0);
	else if (type == MSG_TASK_STDIN_ROOM)
		assert_int_equal(task_stdin_room_get(&room, body->data, body->len, NULL), 0);
	else if (type == MSG_TASK_RECORDS)
		assert_int_equal(records_get(body->data, body->len, on_record, t, NULL), 0);
	else if (type == MSG_TASK_GAP)
		assert_int_equal(task_gap_get(&t->gap, body->data, body->len, NULL), 0);
	else if (type == MSG_TASK_END)
		assert_int_equal(task_end_get(&t->end, body->data, body->len, NULL), 0);
	else if (type == MSG_TASK_SCHEMA) {
		assert_int_equal(task_schema_get(&schema, body->data, body->len, NULL), 0);
		assert_int_equal(schema.task, TASK);
		task_schema_done(&schema);
	} else
		fail_msg("message %u", type);
	assert_true(running.task == TASK && state.task == TASK && room.task == TASK);
	if (type == MSG_TASK_STDIN_ROOM)
		t->room = room.taken;
	if (type == MSG_TASK_RECORDS || type == MSG_TASK_SCHEMA || type == MSG_TASK_GAP)
		t->bytes += body->len;
	assert_true(!seq || seq > t->seq);
	t->seq = seq ? seq : t->seq;
	t->full = t->most && --t->most == 0;
	buf_done(body);
}

static bool is_full(void *arg)
{
	return ((struct talk *)arg)->full;
}

static bool on_order(void *arg, const struct frame *frame)
{
	struct talk *t = arg;

	if (t->runner)
		t->orders[t->order_count++ % sizeof t->orders] = frame->type;
	return t->runner;
}

static void append_lost(struct rig *r, uint64_t above)
{
	struct task_end_msg m = {.task = 1, .kind = TASK_LOST, .exit_code = -1};
	struct buf bytes = {0};
	struct spool *spool = NULL;

	assert_int_equal(spool_open(&spool, r->disk, &r->limits, NULL), 0);
	above = above > spool_last(spool) ? above : spool_last(spool);
	(void)frame_begin(&bytes);
	task_end_put(&bytes, &m);
	rig_frame_end(&bytes, MSG_TASK_END, above + 1);
	assert_int_equal(spool_append(spool, bytes.data, bytes.len), SPOOL_TAKEN);
	spool_close(spool);
	buf_done(&bytes);
}

static void on_bury(void *arg, uint64_t above)
{
	struct talk *t = arg;

	t->buried_above = above;
	t->buried++;
	append_lost(t->rig, above);
}

static void on_settle(void *arg)
{
	((struct talk *)arg)->settled++;
}

static struct talk *talk_new(uint64_t next_seq, uint64_t credit, size_t frames)
{
	static const struct attach_ops ops = {on_send, is_full, on_order, on_bury, on_settle};
	static const struct spool_limits limits = {.cap = 100000, .segment = 3000};
	struct attach_spec spec = {
		.task = TASK, .next_seq = next_seq, .credit = credit, .resumed = next_seq > 1};
	struct talk *t = xcalloc(1, sizeof *t);

	t->rig = rig_new(1, &limits);
	t->runner = true;
	t->seq = next_seq - 1;
	t->records = 2 * t->seq;
	while (frames--)
		assert_int_equal(rig_append(t->rig, MSG_TASK_RECORDS, 2, 200), SPOOL_TAKEN);
	t->attach = attach_new(simdisk_user_disk(t->rig->follower), &spec, &ops, t);
	return t;
}

static void talk_free(struct talk *t)
{
	attach_free(t->attach);
	task_end_done(&t->end);
	rig_free(t->rig);
	free(t);
}

static int say(struct talk *t, uint8_t type, struct buf *body, struct errmsg *msg)
{
	struct frame f = {.type = type, .body = body->data, .len = body->len};
	int r = attach_on_message(t->attach, &f, msg);

	buf_done(body);
	return r;
}

static int ack(struct talk *t, uint64_t seq)
{
	struct task_ack_msg m = {TASK, seq};
	struct buf body = {0};
	struct errmsg msg = {""};
	int r;

	task_ack_put(&body, &m);
	r = say(t, MSG_TASK_ACK, &body, &msg);
	assert_true(r == 0 || strstr(msg.text, "TASK_ACK"));
	return r;
}

static void grant(struct talk *t, uint64_t bytes)
{
	struct task_credit_msg m = {TASK, bytes};
	struct buf body = {0};

	task_credit_put(&body, &m);
	assert_int_equal(say(t, MSG_TASK_CREDIT, &body, NULL), 0);
}

static int hear(struct talk *t, uint8_t type, struct buf *body)
{
	struct frame f = {.type = type, .body = body->data, .len = body->len};
	int r = attach_on_runner(t->attach, &f, NULL);

	buf_done(body);
	return r;
}

static void hear_running(struct talk *t)
{
	struct buf body = {0};

	task_running_put(&body, &(struct task_running_msg){1, 77});
	assert_int_equal(hear(t, MSG_TASK_RUNNING, &body), 0);
}

static const struct attach_run begun = {.began = true, .pid = 77};

static void it_brings_all_up_to_the_end(void **state)
{
	struct talk *t = talk_new(1, INT64_MAX, 10);

	(void)state;
	assert_int_equal(rig_append(t->rig, MSG_TASK_SCHEMA, 0, 0), SPOOL_TAKEN);
	/* Nothing is said before the start. */
	grant(t, 5);
	attach_pump(t->attach);
	assert_int_equal(t->count, 0);
	attach_start(t->attach, &begun);
	assert_int_equal(t->types[0], MSG_TASK_ATTACHED);
	assert_int_equal(t->types[1], MSG_TASK_RUNNING);
	assert_int_equal(t->attached.task, TASK);
	assert_int_equal(t->attached.last, 11);
	assert_false(t->attached.resumed);
	assert_true(t->seq == 11 && t->records == 20);
	assert_int_equal(rig_append(t->rig, MSG_TASK_END, 0, 0), SPOOL_TAKEN);
	attach_pump(t->attach);
	assert_true(t->seq == 12 && t->end.exit_code == 3);
	assert_false(attach_is_over(t->attach));
	assert_int_equal(ack(t, 5), 0);
	assert_int_equal(ack(t, 4), 0);
	assert_int_equal(t->order_count, 1);
	assert_int_equal(t->settled, 0);
	assert_int_equal(ack(t, 12), 0);
	assert_int_equal(ack(t, 12), 0);
	assert_int_equal(t->settled, 1);
	assert_true(attach_is_over(t->attach));
	talk_free(t);
}

static void it_goes_on_where_the_initiator_stands(void **state)
{
	struct talk *t = talk_new(8, INT64_MAX, 10);
	struct attach_run run = begun;

	(void)state;
	run.taken = 900;
	run.room = 500;
	run.stalled = run.input_ended = true;
	attach_start(t->attach, &run);
	assert_true(t->attached.resumed && t->attached.input_ended && t->attached.taken == 900);
	assert_int_equal(t->types[1], MSG_TASK_RUNNING);
	assert_int_equal(t->types[2], MSG_TASK_STATE);
	assert_int_equal(t->types[3], MSG_TASK_STDIN_ROOM);
	assert_int_equal(t->room, 500);
	assert_true(t->seq == 10 && t->records == 20 && t->count == 7);
	talk_free(t);
}

/* Not even what it had before may be said of what has not begun. */
static void output_waits_for_running(void **state)
{
	struct talk *t = talk_new(1, INT64_MAX, 3);
	struct attach_run run = {0};
	struct buf body = {0};

	(void)state;
	attach_start(t->attach, &run);
	task_stdin_room_put(&body, &(struct task_stdin_room_msg){1, 44});
	assert_int_equal(hear(t, MSG_TASK_STDIN_ROOM, &body), 0);
	assert_int_equal(t->count, 1);
	hear_running(t);
	hear_running(t);
	assert_int_equal(t->types[1], MSG_TASK_RUNNING);
	assert_int_equal(t->types[2], MSG_TASK_STDIN_ROOM);
	assert_true(t->room == 44 && t->count == 6 && t->seq == 3);
	task_state_put(&body, &(struct task_state_msg){.task = 1, .suspended = true});
	assert_int_equal(hear(t, MSG_TASK_STATE, &body), 0);
	assert_int_equal(t->types[6], MSG_TASK_STATE);
	task_running_put(&body, &(struct task_running_msg){1, 77});
	assert_int_equal(hear(t, MSG_TASK_SCHEMA, &body), ERR_PROTO);
	task_running_put(&body, &(struct task_running_msg){1, 77});
	body.len--;
	assert_int_equal(hear(t, MSG_TASK_STATE, &body), ERR_PROTO);
	talk_free(t);
}

static void credit_bounds_what_is_sent(void **state)
{
	struct talk *t = talk_new(1, 0, 20);

	(void)state;
	attach_start(t->attach, &begun);
	assert_int_equal(t->seq, 0);
	grant(t, 1);
	assert_int_equal(t->seq, 1);
	/* The frame went beyond; a grant makes that good first. */
	grant(t, t->bytes - 1);
	assert_int_equal(t->seq, 1);
	grant(t, 1);
	assert_int_equal(t->seq, 2);
	/* The end needs none, but comes in order. */
	assert_int_equal(rig_append(t->rig, MSG_TASK_END, 0, 0), SPOOL_TAKEN);
	attach_pump(t->attach);
	assert_int_equal(t->seq, 2);
	grant(t, UINT64_MAX);
	grant(t, UINT64_MAX);
	assert_true(t->seq == 21 && t->end.exit_code == 3);
	talk_free(t);
}

static void a_full_connection_is_waited_for(void **state)
{
	struct talk *t = talk_new(1, INT64_MAX, 20);

	(void)state;
	t->most = 5;
	attach_start(t->attach, &begun);
	assert_int_equal(t->count, 5);
	attach_pump(t->attach);
	assert_int_equal(t->count, 5);
	t->full = false;
	attach_pump(t->attach);
	assert_int_equal(t->seq, 20);
	talk_free(t);
}

static void only_what_was_sent_is_acknowledged(void **state)
{
	struct talk *t = talk_new(4, 1, 10);

	(void)state;
	attach_start(t->attach, &begun);
	assert_int_equal(t->seq, 4);
	assert_int_equal(ack(t, 5), ERR_PROTO);
	assert_int_equal(ack(t, UINT64_MAX), ERR_PROTO);
	assert_int_equal(ack(t, 4), 0);
	assert_int_equal(t->order_count, 1);
	talk_free(t);
}

/* Case 10, and 13. */
static void without_a_runner_the_end_is_made(void **state)
{
	struct talk *t = talk_new(4, INT64_MAX, 10);

	(void)state;
	t->runner = false;
	spool_close(t->rig->spool);
	t->rig->spool = NULL;
	attach_start(t->attach, &begun);
	assert_true(t->buried == 0 && t->seq == 10);
	attach_on_runner_gone(t->attach);
	attach_on_runner_gone(t->attach);
	assert_true(t->buried == 1 && t->buried_above == 10);
	assert_true(t->seq == 11 && t->end.kind == TASK_LOST);
	/* There is nobody else to let segments go. */
	assert_true(simdisk_count(t->rig->on) > 1);
	assert_int_equal(ack(t, 10), 0);
	assert_int_equal(simdisk_count(t->rig->on), 1);
	assert_int_equal(ack(t, 11), 0);
	assert_int_equal(t->settled, 1);
	talk_free(t);
}

static void an_end_that_is_there_is_not_made(void **state)
{
	struct talk *t = talk_new(1, 1, 10);

	(void)state;
	assert_int_equal(rig_append(t->rig, MSG_TASK_END, 0, 0), SPOOL_TAKEN);
	t->runner = false;
	attach_start(t->attach, &(struct attach_run){0});
	assert_int_equal(t->count, 1);
	attach_on_runner_gone(t->attach);
	/* Output shows that it had begun. */
	assert_int_equal(t->types[1], MSG_TASK_RUNNING);
	assert_int_equal(t->buried, 0);
	grant(t, 1 << 20);
	assert_true(t->buried == 0 && t->seq == 11 && t->end.kind == TASK_EXITED);
	talk_free(t);
}

/* Case 6: it has everything, and only its acknowledgement was lost. */
static void what_it_has_is_acknowledged_again(void **state)
{
	struct talk *t = talk_new(12, INT64_MAX, 10);

	(void)state;
	assert_int_equal(rig_append(t->rig, MSG_TASK_END, 0, 0), SPOOL_TAKEN);
	t->runner = false;
	attach_start(t->attach, &begun);
	attach_on_runner_gone(t->attach);
	assert_true(t->buried == 0 && t->count == 2 && t->attached.last == 11);
	assert_int_equal(ack(t, 11), 0);
	assert_true(t->settled == 1 && attach_is_over(t->attach));
	talk_free(t);
}

/* Power was cut: the initiator has more than there is. The end comes behind what it has. */
static void the_initiator_has_more(void **state)
{
	struct talk *t = talk_new(31, INT64_MAX, 10);

	(void)state;
	t->runner = false;
	attach_start(t->attach, &begun);
	assert_int_equal(t->attached.last, 30);
	attach_on_runner_gone(t->attach);
	assert_true(t->buried_above == 30 && t->seq == 31 && t->end.kind == TASK_LOST);
	talk_free(t);
}

/* Case 24. */
static void damage_is_a_gap_and_an_end(void **state)
{
	struct talk *t = talk_new(1, INT64_MAX, 4);

	(void)state;
	assert_true(simdisk_flip_at(t->rig->on, "seg-00000001", 700, 1));
	attach_start(t->attach, &begun);
	assert_int_equal(t->seq, 1);
	t->runner = false;
	attach_on_runner_gone(t->attach);
	assert_true(t->buried == 1 && t->end.kind == TASK_LOST);
	assert_int_equal(t->types[t->count - 2], MSG_TASK_GAP);
	assert_true(t->gap.task == TASK && t->gap.from == 2 && t->gap.records == 0);
	talk_free(t);
}

/* A task number in a longer form, and an array too. */
static void any_form_of_the_task_is_replaced(void **state)
{
	static const uint8_t forms[][16] = {
		"\x93\x01\x01\x90",
		"\x93\xcc\x01\x01\x90",
		"\x93\xcd\0\x01\x01\x90",
		"\x93\xce\0\0\0\x01\x01\x90",
		"\x93\xcf\0\0\0\0\0\0\0\x01\x01\x90",
		"\xdc\0\x03\x01\x01\x90",
		"\xdd\0\0\0\x03\xd3\0\0\0\0\0\0\0\x01\x01\x90",
	};
	static const size_t lengths[] = {4, 5, 6, 8, 12, 6, 16};
	struct talk *t = talk_new(1, INT64_MAX, 0);

	(void)state;
	attach_start(t->attach, &begun);
	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		struct buf bytes = {0};

		(void)frame_begin(&bytes);
		buf_add(&bytes, forms[i], lengths[i]);
		rig_frame_end(&bytes, MSG_TASK_RECORDS, i + 1);
		assert_int_equal(spool_append(t->rig->spool, bytes.data, bytes.len), SPOOL_TAKEN);
		attach_pump(t->attach);
		assert_int_equal(t->seq, i + 1);
		buf_done(&bytes);
	}
	talk_free(t);
}

static void what_is_for_the_runner_goes_there(void **state)
{
	struct talk *t = talk_new(1, INT64_MAX, 0);
	struct buf body = {0};

	(void)state;
	attach_start(t->attach, &begun);
	task_signal_put(&body, &(struct task_signal_msg){TASK, TASK_STOP});
	assert_int_equal(say(t, MSG_TASK_SIGNAL, &body, NULL), 0);
	assert_int_equal(t->orders[0], MSG_TASK_SIGNAL);
	t->runner = false;
	task_signal_put(&body, &(struct task_signal_msg){TASK, TASK_STOP});
	assert_int_equal(say(t, MSG_TASK_SIGNAL, &body, NULL), 0);
	wire_put_u64(&body, 1);
	assert_int_equal(say(t, MSG_TASK_CREDIT, &body, NULL), ERR_PROTO);
	wire_put_u64(&body, 1);
	assert_int_equal(say(t, MSG_TASK_ACK, &body, NULL), ERR_PROTO);
	talk_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_brings_all_up_to_the_end),
		cmocka_unit_test(it_goes_on_where_the_initiator_stands),
		cmocka_unit_test(output_waits_for_running),
		cmocka_unit_test(credit_bounds_what_is_sent),
		cmocka_unit_test(a_full_connection_is_waited_for),
		cmocka_unit_test(only_what_was_sent_is_acknowledged),
		cmocka_unit_test(without_a_runner_the_end_is_made),
		cmocka_unit_test(an_end_that_is_there_is_not_made),
		cmocka_unit_test(what_it_has_is_acknowledged_again),
		cmocka_unit_test(the_initiator_has_more),
		cmocka_unit_test(damage_is_a_gap_and_an_end),
		cmocka_unit_test(any_form_of_the_task_is_replaced),
		cmocka_unit_test(what_is_for_the_runner_goes_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
