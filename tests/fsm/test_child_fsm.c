/* The machine of a child, every pair of step and event, against a matrix written out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "child_fsm.h"

/*
 * One line for each step, one cell of two letters for each event: the next step and the action; "."
 * is illegal. Steps: q queued, w waiting, c starting (connects), R running, B blocked, p
 * suspending, P suspended, r resuming, D disconnected, s stopping, C F S finished; n as noted, b as
 * before. Actions: - nothing, c start, x stop, p suspend, r resume; t note the beginning, k
 * blocked, u unblocked, m this step, a the reason, e the outcome.
 */
static const char step_letters[] = "qwcRBpPrDsCFS?nb";
static const char action_letters[] = "-cxprtkumae";

/* clang-format off */
static const char *const golden[CHILD_STEP_COUNT] = {
	/* asked or reported:   ask  rep  ask  ask  rep  ask  rep  rep  rep  rep  rep  rep  rep  rep  rep
	 *                      strt run  stop susp susp res  res  blck unbl disc reco awai ok   fail stop */
	[CHILD_QUEUED]       = "cc   .    Se   .    .    .    .    .    .    .    .    .    .    .    .",
	[CHILD_WAITING]      = "cc   .    Se   .    .    .    .    .    .    .    .    .    .    .    .",
	[CHILD_STARTING]     = ".    Rt   sx   .    .    .    .    .    .    .    .    wa   Ce   Fe   Se",
	[CHILD_RUNNING]      = ".    .    sx   pp   P-   .    .    Bk   .    Dm   .    .    Ce   Fe   Se",
	[CHILD_BLOCKED]      = ".    .    sx   pp   P-   .    .    .    Ru   Dm   .    .    Ce   Fe   Se",
	[CHILD_SUSPENDING]   = ".    .    sx   p-   P-   rr   n-   pk   pu   Dm   .    .    Ce   Fe   Se",
	[CHILD_SUSPENDED]    = ".    .    sx   P-   .    rr   n-   Pk   Pu   Dm   .    .    Ce   Fe   Se",
	[CHILD_RESUMING]     = ".    .    sx   pp   P-   r-   n-   rk   ru   Dm   .    .    Ce   Fe   Se",
	[CHILD_DISCONNECTED] = ".    .    sx   .    .    .    .    .    .    .    b-   .    Ce   Fe   Se",
	[CHILD_STOPPING]     = ".    st   s-   .    s-   .    s-   s-   s-   s-   s-   .    Ce   Fe   Se",
	[CHILD_COMPLETED]    = ".    .    C-   .    .    .    .    .    .    .    .    .    .    .    .",
	[CHILD_FAILED]       = ".    .    F-   .    .    .    .    .    .    .    .    .    .    .    .",
	[CHILD_STOPPED]      = ".    .    S-   .    .    .    .    .    .    .    .    .    .    .    .",
};
/* clang-format on */

/* The cell of a pair: two letters, or a dot. */
static const char *golden_cell(enum child_step step, enum child_event event)
{
	const char *at = golden[step];

	for (int i = 0; i < (int)event; i++) {
		at += strcspn(at, " ");
		at += strspn(at, " ");
	}
	assert_true(*at != '\0');
	return at;
}

static void check_pair(enum child_step step, enum child_event event)
{
	const char *want = golden_cell(step, event);
	const struct child_row *row = child_fsm_find(step, event);

	if (*want == '.') {
		if (row)
			fail_msg("(%s, %s) must be illegal", child_step_name(step),
				 child_event_name(event));
		return;
	}
	if (!row)
		fail_msg("(%s, %s) must be legal", child_step_name(step), child_event_name(event));
	if (step_letters[row->next] != want[0] || action_letters[row->action] != want[1])
		fail_msg("(%s, %s) must be %.2s and leads to %s by '%s'", child_step_name(step),
			 child_event_name(event), want, child_step_name(row->next),
			 child_action_name(row->action));
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
			legal +=
				*golden_cell((enum child_step)step, (enum child_event)event) != '.';
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
	assert_string_equal(child_action_name(CHILD_ACTION_COUNT), "?");
}

static void test_stop_is_legal_everywhere(void **state)
{
	(void)state;
	for (int step = 0; step < CHILD_STEP_COUNT; step++)
		assert_non_null(child_fsm_find((enum child_step)step, CHILD_EV_STOP));
}

static void test_step_names(void **state)
{
	static const char *const want[CHILD_STEP_COUNT] = {
		[CHILD_QUEUED] = "queued",
		[CHILD_WAITING] = "waiting",
		[CHILD_STARTING] = "starting",
		[CHILD_RUNNING] = "running",
		[CHILD_BLOCKED] = "blocked",
		[CHILD_SUSPENDING] = "suspending",
		[CHILD_SUSPENDED] = "suspended",
		[CHILD_RESUMING] = "resuming",
		[CHILD_DISCONNECTED] = "disconnected",
		[CHILD_STOPPING] = "stopping",
		[CHILD_COMPLETED] = "completed",
		[CHILD_FAILED] = "failed",
		[CHILD_STOPPED] = "stopped",
	};

	(void)state;
	for (int i = 0; i < CHILD_STEP_COUNT; i++)
		assert_string_equal(child_step_name((enum child_step)i), want[i]);
	assert_string_equal(child_step_name(CHILD_AS_BEFORE), "as before");
	assert_string_equal(child_step_name(CHILD_AS_NOTED), "running or blocked, as noted");
}

static void test_event_names(void **state)
{
	static const char *const want[CHILD_EV_COUNT] = {
		[CHILD_EV_START] = "start",
		[CHILD_EV_RUNNING] = "running",
		[CHILD_EV_STOP] = "stop",
		[CHILD_EV_SUSPEND] = "suspend",
		[CHILD_EV_SUSPENDED] = "suspended",
		[CHILD_EV_RESUME] = "resume",
		[CHILD_EV_RESUMED] = "resumed",
		[CHILD_EV_BLOCK] = "block",
		[CHILD_EV_UNBLOCK] = "unblock",
		[CHILD_EV_DISCONNECT] = "disconnect",
		[CHILD_EV_RECONNECT] = "reconnect",
		[CHILD_EV_AWAIT] = "await",
		[CHILD_EV_END_OK] = "end-ok",
		[CHILD_EV_END_FAILED] = "end-failed",
		[CHILD_EV_END_STOPPED] = "end-stopped",
	};

	(void)state;
	for (int i = 0; i < CHILD_EV_COUNT; i++)
		assert_string_equal(child_event_name((enum child_event)i), want[i]);
}

static void test_visible_states(void **state)
{
	static const enum job_state want[CHILD_STEP_COUNT] = {
		[CHILD_QUEUED] = JOB_STATE_NOT_STARTED,
		[CHILD_WAITING] = JOB_STATE_NOT_STARTED,
		[CHILD_STARTING] = JOB_STATE_NOT_STARTED,
		[CHILD_RUNNING] = JOB_STATE_RUNNING,
		[CHILD_BLOCKED] = JOB_STATE_BLOCKED,
		[CHILD_SUSPENDING] = JOB_STATE_SUSPENDING,
		[CHILD_SUSPENDED] = JOB_STATE_SUSPENDED,
		[CHILD_RESUMING] = JOB_STATE_RUNNING,
		[CHILD_DISCONNECTED] = JOB_STATE_DISCONNECTED,
		[CHILD_STOPPING] = JOB_STATE_STOPPING,
		[CHILD_COMPLETED] = JOB_STATE_COMPLETED,
		[CHILD_FAILED] = JOB_STATE_FAILED,
		[CHILD_STOPPED] = JOB_STATE_STOPPED,
	};

	(void)state;
	for (int i = 0; i < CHILD_STEP_COUNT; i++)
		assert_int_equal(child_fsm_visible((enum child_step)i), want[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden_matrix),
		cmocka_unit_test(test_rows_are_the_legal_pairs_once_each),
		cmocka_unit_test(test_every_row_has_a_reason),
		cmocka_unit_test(test_outside_of_the_table),
		cmocka_unit_test(test_stop_is_legal_everywhere),
		cmocka_unit_test(test_step_names),
		cmocka_unit_test(test_event_names),
		cmocka_unit_test(test_visible_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
