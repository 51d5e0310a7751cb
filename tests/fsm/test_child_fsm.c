/* The machine of a child, every pair of step and event, against a matrix written out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "child_fsm.h"

/* What the table must say for one pair; .legal is false where nothing is written. */
struct golden {
	bool legal;
	enum child_step next;
	enum child_action action;
};

#define ILLEGAL                \
	{                      \
		.legal = false \
	}
#define TO(next, action)                              \
	{                                             \
		true, CHILD_##next, CHILD_DO_##action \
	}

static const struct golden golden[CHILD_STEP_COUNT]
				 [CHILD_EV_COUNT] = {
					 [CHILD_QUEUED] =
						 {
							 [CHILD_EV_START] = TO(STARTING, START),
							 [CHILD_EV_RUNNING] = ILLEGAL,
							 [CHILD_EV_STOP] = TO(STOPPED, END),
							 [CHILD_EV_END_OK] = ILLEGAL,
							 [CHILD_EV_END_FAILED] = ILLEGAL,
							 [CHILD_EV_END_STOPPED] = ILLEGAL,
						 },
					 [CHILD_STARTING] =
						 {
							 [CHILD_EV_START] = ILLEGAL,
							 [CHILD_EV_RUNNING] = TO(RUNNING, BEGIN),
							 [CHILD_EV_STOP] = TO(STOPPING, STOP),
							 [CHILD_EV_END_OK] = TO(COMPLETED, END),
							 [CHILD_EV_END_FAILED] = TO(FAILED, END),
							 [CHILD_EV_END_STOPPED] = TO(STOPPED, END),
						 },
					 [CHILD_RUNNING] =
						 {
							 [CHILD_EV_START] = ILLEGAL,
							 [CHILD_EV_RUNNING] = ILLEGAL,
							 [CHILD_EV_STOP] = TO(STOPPING, STOP),
							 [CHILD_EV_END_OK] = TO(COMPLETED, END),
							 [CHILD_EV_END_FAILED] = TO(FAILED, END),
							 [CHILD_EV_END_STOPPED] = TO(STOPPED, END),
						 },
					 [CHILD_STOPPING] =
						 {
							 [CHILD_EV_START] = ILLEGAL,
							 [CHILD_EV_RUNNING] = TO(STOPPING, BEGIN),
							 [CHILD_EV_STOP] = TO(STOPPING, NOTHING),
							 [CHILD_EV_END_OK] = TO(COMPLETED, END),
							 [CHILD_EV_END_FAILED] = TO(FAILED, END),
							 [CHILD_EV_END_STOPPED] = TO(STOPPED, END),
						 },
					 [CHILD_COMPLETED] =
						 {
							 [CHILD_EV_START] = ILLEGAL,
							 [CHILD_EV_RUNNING] = ILLEGAL,
							 [CHILD_EV_STOP] = TO(COMPLETED, NOTHING),
							 [CHILD_EV_END_OK] = ILLEGAL,
							 [CHILD_EV_END_FAILED] = ILLEGAL,
							 [CHILD_EV_END_STOPPED] = ILLEGAL,
						 },
					 [CHILD_FAILED] =
						 {
							 [CHILD_EV_START] = ILLEGAL,
							 [CHILD_EV_RUNNING] = ILLEGAL,
							 [CHILD_EV_STOP] = TO(FAILED, NOTHING),
							 [CHILD_EV_END_OK] = ILLEGAL,
							 [CHILD_EV_END_FAILED] = ILLEGAL,
							 [CHILD_EV_END_STOPPED] = ILLEGAL,
						 },
					 [CHILD_STOPPED] =
						 {
							 [CHILD_EV_START] = ILLEGAL,
							 [CHILD_EV_RUNNING] = ILLEGAL,
							 [CHILD_EV_STOP] = TO(STOPPED, NOTHING),
							 [CHILD_EV_END_OK] = ILLEGAL,
							 [CHILD_EV_END_FAILED] = ILLEGAL,
							 [CHILD_EV_END_STOPPED] = ILLEGAL,
						 },
};

static void check_pair(enum child_step step, enum child_event event)
{
	const struct golden *want = &golden[step][event];
	const struct child_row *row = child_fsm_find(step, event);

	if (!want->legal) {
		if (row)
			fail_msg("(%s, %s) must be illegal", child_step_name(step),
				 child_event_name(event));
		return;
	}
	if (!row)
		fail_msg("(%s, %s) must be legal", child_step_name(step), child_event_name(event));
	if (row->next != want->next || row->action != want->action)
		fail_msg("(%s, %s) leads to %s by action %d", child_step_name(step),
			 child_event_name(event), child_step_name(row->next), (int)row->action);
	assert_int_equal(row->step, step);
	assert_int_equal(row->event, event);
}

static void test_golden_matrix(void **state)
{
	(void)state;
	for (int step = 0; step < CHILD_STEP_COUNT; step++)
		for (int event = 0; event < CHILD_EV_COUNT; event++)
			check_pair((enum child_step)step, (enum child_event)event);
}

static void test_rows_are_the_legal_pairs_once_each(void **state)
{
	bool seen[CHILD_STEP_COUNT][CHILD_EV_COUNT] = {{false}};
	size_t count, legal = 0;
	const struct child_row *rows = child_fsm_rows(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		assert_false(seen[rows[i].step][rows[i].event]);
		seen[rows[i].step][rows[i].event] = true;
	}
	for (int step = 0; step < CHILD_STEP_COUNT; step++)
		for (int event = 0; event < CHILD_EV_COUNT; event++)
			legal += golden[step][event].legal;
	assert_int_equal(count, legal);
}

static void test_every_row_has_a_reason(void **state)
{
	size_t count;
	const struct child_row *rows = child_fsm_rows(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		assert_non_null(rows[i].reason);
		assert_true(strlen(rows[i].reason) > 10);
	}
}

static void test_outside_of_the_table(void **state)
{
	(void)state;
	assert_null(child_fsm_find(CHILD_STEP_COUNT, CHILD_EV_STOP));
	assert_null(child_fsm_find(CHILD_QUEUED, CHILD_EV_COUNT));
	assert_string_equal(child_step_name(CHILD_STEP_COUNT), "?");
	assert_string_equal(child_event_name(CHILD_EV_COUNT), "?");
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(child_step_name(CHILD_QUEUED), "queued");
	assert_string_equal(child_step_name(CHILD_STARTING), "starting");
	assert_string_equal(child_step_name(CHILD_RUNNING), "running");
	assert_string_equal(child_step_name(CHILD_STOPPING), "stopping");
	assert_string_equal(child_step_name(CHILD_COMPLETED), "completed");
	assert_string_equal(child_step_name(CHILD_FAILED), "failed");
	assert_string_equal(child_step_name(CHILD_STOPPED), "stopped");
	assert_string_equal(child_event_name(CHILD_EV_START), "start");
	assert_string_equal(child_event_name(CHILD_EV_RUNNING), "running");
	assert_string_equal(child_event_name(CHILD_EV_STOP), "stop");
	assert_string_equal(child_event_name(CHILD_EV_END_OK), "end-ok");
	assert_string_equal(child_event_name(CHILD_EV_END_FAILED), "end-failed");
	assert_string_equal(child_event_name(CHILD_EV_END_STOPPED), "end-stopped");
}

static void test_visible_states(void **state)
{
	(void)state;
	assert_int_equal(child_fsm_visible(CHILD_QUEUED), JOB_STATE_NOT_STARTED);
	assert_int_equal(child_fsm_visible(CHILD_STARTING), JOB_STATE_NOT_STARTED);
	assert_int_equal(child_fsm_visible(CHILD_RUNNING), JOB_STATE_RUNNING);
	assert_int_equal(child_fsm_visible(CHILD_STOPPING), JOB_STATE_STOPPING);
	assert_int_equal(child_fsm_visible(CHILD_COMPLETED), JOB_STATE_COMPLETED);
	assert_int_equal(child_fsm_visible(CHILD_FAILED), JOB_STATE_FAILED);
	assert_int_equal(child_fsm_visible(CHILD_STOPPED), JOB_STATE_STOPPED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden_matrix),
		cmocka_unit_test(test_rows_are_the_legal_pairs_once_each),
		cmocka_unit_test(test_every_row_has_a_reason),
		cmocka_unit_test(test_outside_of_the_table),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_visible_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
