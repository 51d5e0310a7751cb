/* Every pair of a bastion's states and events, against a matrix that is written down apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bastion_fsm.h"

/* Of each state: what follows join, ready, idle, retire, timer, ended, close, gone. Small letters
 * are states, by their first letter but x for gone; ".": it must not happen. The second line has
 * the action: "-" none, c(arry), r(efuse), k(ey), l(inger), m(emory), e(nd it), f(ree). */
static const struct {
	const char *next, *action;
} expected[BASTION_STATE_COUNT] = {
	[BASTION_LOGIN] = {"ltl..fg.", "ck-..me."},   [BASTION_THERE] = {"t.trggg.", "c.l-eee."},
	[BASTION_RETIRED] = {"..g..gg.", "..e..ee."}, [BASTION_FAILED] = {"f.f.g.g.", "r.-.e.e."},
	[BASTION_GOING] = {".gg..ggx", ".--..--f"},   [BASTION_GONE] = {"........", "........"},
};

static void test_matrix(void **state)
{
	static const char states[] = "ltrfgx", actions[] = "-crklmef";

	(void)state;
	for (int s = 0; s < BASTION_STATE_COUNT; s++)
		for (int e = 0; e < BASTION_EV_COUNT; e++) {
			const struct bastion_row *row =
				bastion_fsm_find((enum bastion_state)s, (enum bastion_event)e);
			char next = row ? states[row->next] : '.';
			char action = row ? actions[row->action] : '.';

			if (next != expected[s].next[e] || action != expected[s].action[e])
				fail_msg("%s, %s: %c %c", bastion_state_name((enum bastion_state)s),
					 bastion_event_name((enum bastion_event)e), next, action);
			if (row)
				assert_true(strlen(row->reason) > 10);
		}
}

/* From wherever it is, some events lead to its end, and a session that is being closed gets
 * nobody. */
static void test_all_end(void **state)
{
	(void)state;
	for (int s = 0; s < BASTION_GONE; s++) {
		const struct bastion_row *row =
			bastion_fsm_find((enum bastion_state)s, BASTION_EV_CLOSE);

		assert_non_null(row);
		assert_int_equal(row->next, BASTION_GOING);
	}
	assert_int_equal(bastion_fsm_find(BASTION_GOING, BASTION_EV_GONE)->next, BASTION_GONE);
	assert_null(bastion_fsm_find(BASTION_GOING, BASTION_EV_JOIN));
	assert_null(bastion_fsm_find(BASTION_RETIRED, BASTION_EV_JOIN));
}

static void test_names(void **state)
{
	(void)state;
	for (int s = 0; s < BASTION_STATE_COUNT; s++)
		assert_string_not_equal(bastion_state_name((enum bastion_state)s), "?");
	for (int e = 0; e < BASTION_EV_COUNT; e++)
		assert_string_not_equal(bastion_event_name((enum bastion_event)e), "?");
	assert_string_equal(bastion_state_name(BASTION_STATE_COUNT), "?");
	assert_string_equal(bastion_event_name(BASTION_EV_COUNT), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matrix),
		cmocka_unit_test(test_all_end),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
