/* proto/peer_task.c: the order and the numbers of one task's frames (docs/protocol.md, section 11).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "message.h"
#include "peer.h"

static int take(struct task_order *order, uint8_t type, uint64_t seq, const char *words)
{
	struct errmsg msg = {""};
	struct task_order before = *order;
	int r = task_order_take(order, &(struct frame){.type = type, .seq = seq}, &msg);

	/* What is not used changes nothing. */
	if (r != 1)
		assert_memory_equal(order, &before, sizeof before);
	if (words && !strstr(msg.text, words))
		fail_msg("\"%s\" does not say \"%s\"", msg.text, words);
	return r;
}

static void test_a_task(void **state)
{
	struct task_order order = {0};

	(void)state;
	assert_int_equal(take(&order, MSG_TASK_RUNNING, 0, NULL), 1);
	assert_int_equal(take(&order, MSG_TASK_SCHEMA, 1, NULL), 1);
	assert_int_equal(take(&order, MSG_TASK_STDIN_ROOM, 0, NULL), 1);
	assert_int_equal(take(&order, MSG_TASK_RECORDS, 2, NULL), 1);
	assert_int_equal(take(&order, MSG_TASK_STATE, 0, NULL), 1);
	assert_int_equal(take(&order, MSG_TASK_RECORDS, 3, NULL), 1);
	assert_int_equal(take(&order, MSG_TASK_END, 4, NULL), 1);
	assert_int_equal(order.last, 4);
}

static void test_refused_task(void **state)
{
	struct task_order order = {0};

	(void)state;
	assert_int_equal(take(&order, MSG_TASK_END, 1, NULL), 1);
	assert_int_equal(take(&order, MSG_TASK_RUNNING, 0, "after the end"), ERR_PROTO);
}

static void fault_38_gap(void **state)
{
	struct task_order order = {0};

	(void)state;
	assert_int_equal(take(&order, MSG_TASK_RUNNING, 0, NULL), 1);
	assert_int_equal(take(&order, MSG_TASK_RECORDS, 2, "number 2 follows 0"), ERR_PROTO);
	assert_int_equal(take(&order, MSG_TASK_RECORDS, 1, NULL), 1);
	assert_int_equal(take(&order, MSG_TASK_END, 3, "number 3 follows 1"), ERR_PROTO);
	assert_int_equal(take(&order, MSG_TASK_RECORDS, UINT64_MAX - 1, "follows 1"), ERR_PROTO);
}

static void fault_38_repeat(void **state)
{
	struct task_order order = {0};

	(void)state;
	assert_int_equal(take(&order, MSG_TASK_RUNNING, 0, NULL), 1);
	for (uint64_t seq = 1; seq < 4; seq++)
		assert_int_equal(take(&order, MSG_TASK_RECORDS, seq, NULL), 1);
	for (uint64_t seq = 1; seq < 4; seq++)
		assert_int_equal(take(&order, MSG_TASK_RECORDS, seq, NULL), 0);
	assert_int_equal(take(&order, MSG_TASK_END, 3, NULL), 0);
	assert_int_equal(take(&order, MSG_TASK_END, 4, NULL), 1);
	/* After the end, too. */
	assert_int_equal(take(&order, MSG_TASK_END, 4, NULL), 0);
	assert_int_equal(take(&order, MSG_TASK_RECORDS, 2, NULL), 0);
	assert_int_equal(take(&order, MSG_TASK_RECORDS, 5, "after the end"), ERR_PROTO);
}

static void fault_38_wrap(void **state)
{
	struct task_order order = {0};

	(void)state;
	assert_int_equal(take(&order, MSG_TASK_RUNNING, 0, NULL), 1);
	order.last = UINT64_MAX - 2;
	assert_int_equal(take(&order, MSG_TASK_RECORDS, UINT64_MAX - 1, NULL), 1);
	assert_int_equal(take(&order, MSG_TASK_RECORDS, UINT64_MAX, "is none"), ERR_PROTO);
	assert_int_equal(take(&order, MSG_TASK_RECORDS, 0, "is none"), ERR_PROTO);
	assert_int_equal(take(&order, MSG_TASK_RECORDS, 1, NULL), 0);
}

static void fault_38_zero(void **state)
{
	static const uint8_t numbered[] = {MSG_TASK_SCHEMA, MSG_TASK_RECORDS, MSG_TASK_GAP,
					   MSG_TASK_END};
	static const uint8_t others[] = {MSG_TASK_RUNNING, MSG_TASK_STATE, MSG_TASK_STDIN_ROOM};
	struct task_order order = {0};

	(void)state;
	assert_int_equal(take(&order, MSG_TASK_RUNNING, 1, "though it has none"), ERR_PROTO);
	assert_int_equal(take(&order, MSG_TASK_RUNNING, 0, NULL), 1);
	for (size_t i = 0; i < ARRAY_LEN(numbered); i++)
		assert_int_equal(take(&order, numbered[i], 0, "number 0 is none"), ERR_PROTO);
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_int_equal(take(&order, others[i], 1, "though it has none"), ERR_PROTO);
}

/* Each state and number of a message, with the sequence number that it should have. */
static void fault_39_illegal_in_state(void **state)
{
	static const uint8_t legal[3][8] = {
		{MSG_TASK_RUNNING, MSG_TASK_END},
		{MSG_TASK_SCHEMA, MSG_TASK_RECORDS, MSG_TASK_STATE, MSG_TASK_STDIN_ROOM,
		 MSG_TASK_SESSION, MSG_TASK_END},
		{0},
	};

	(void)state;
	for (int in = 0; in < 3; in++) {
		for (int type = 1; type < 256; type++) {
			struct task_order order = {0};
			bool numbered = type == MSG_TASK_SCHEMA || type == MSG_TASK_RECORDS ||
					type == MSG_TASK_GAP || type == MSG_TASK_END;
			bool ok = memchr(legal[in], type, sizeof legal[in]);

			if (in > 0)
				(void)take(&order, MSG_TASK_RUNNING, 0, NULL);
			if (in > 1)
				(void)take(&order, MSG_TASK_END, 1, NULL);
			assert_int_equal(
				take(&order, (uint8_t)type, numbered ? order.last + 1 : 0, NULL),
				ok ? 1 : ERR_PROTO);
		}
	}
}

/* The same of a durable run, which has a beginning of its own. */
static void fault_39_illegal_in_state_of_a_durable_run(void **state)
{
	static const uint8_t legal[4][8] = {
		{MSG_TASK_ATTACHED, MSG_TASK_DETACH, MSG_TASK_END},
		{MSG_TASK_RUNNING, MSG_TASK_DETACH, MSG_TASK_END},
		{MSG_TASK_SCHEMA, MSG_TASK_RECORDS, MSG_TASK_STATE, MSG_TASK_STDIN_ROOM,
		 MSG_TASK_SESSION, MSG_TASK_GAP, MSG_TASK_DETACH, MSG_TASK_END},
		{0},
	};

	(void)state;
	for (int in = 0; in < 4; in++) {
		for (int type = 1; type < 256; type++) {
			struct task_order order;
			bool numbered = type == MSG_TASK_SCHEMA || type == MSG_TASK_RECORDS ||
					type == MSG_TASK_GAP || type == MSG_TASK_END;

			task_order_attach(&order, 7);
			if (in > 0)
				(void)take(&order, MSG_TASK_ATTACHED, 0, NULL);
			if (in > 1)
				(void)take(&order, MSG_TASK_RUNNING, 0, NULL);
			if (in > 2)
				(void)take(&order, MSG_TASK_END, 8, NULL);
			assert_int_equal(
				take(&order, (uint8_t)type, numbered ? order.last + 1 : 0, NULL),
				memchr(legal[in], type, sizeof legal[in]) ? 1 : ERR_PROTO);
		}
	}
}

/* On with a run: what we have is passed over, and a gap says itself where it begins. */
static void test_a_durable_run_goes_on(void **state)
{
	struct task_order order;

	(void)state;
	task_order_attach(&order, 7);
	assert_int_equal(take(&order, MSG_TASK_RECORDS, 8, "before TASK_ATTACHED"), ERR_PROTO);
	assert_int_equal(take(&order, MSG_TASK_ATTACHED, 0, NULL), 1);
	assert_int_equal(take(&order, MSG_TASK_RUNNING, 0, NULL), 1);
	assert_int_equal(take(&order, MSG_TASK_RECORDS, 7, NULL), 0);
	assert_int_equal(take(&order, MSG_TASK_RECORDS, 8, NULL), 1);
	assert_int_equal(take(&order, MSG_TASK_RECORDS, 12, "number 12 follows 8"), ERR_PROTO);
	assert_int_equal(take(&order, MSG_TASK_GAP, 11, NULL), 1);
	assert_int_equal(take(&order, MSG_TASK_RECORDS, 12, NULL), 1);
	assert_int_equal(take(&order, MSG_TASK_END, 13, NULL), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_task),
		cmocka_unit_test(test_refused_task),
		cmocka_unit_test(fault_38_gap),
		cmocka_unit_test(fault_38_repeat),
		cmocka_unit_test(fault_38_wrap),
		cmocka_unit_test(fault_38_zero),
		cmocka_unit_test(fault_39_illegal_in_state),
		cmocka_unit_test(fault_39_illegal_in_state_of_a_durable_run),
		cmocka_unit_test(test_a_durable_run_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
