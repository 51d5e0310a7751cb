/* The phases of a rollout, every pair against a matrix written out by hand; and their arithmetic.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rolling.h"

/*
 * One line for each phase, one cell of two letters for each event: the next phase and the action;
 * "." is illegal. Phases: C canary, H held, B batch, P pause, O over. Actions: h suspend the job,
 * w wait, o open the next batch, g give up.
 */
static const char phase_letters[] = "CHBPO";
static const char action_letters[] = "hwog";

/* clang-format off */
static const char *const golden[ROLLING_PHASE_COUNT] = {
	/*                   done spoilt time release limit */
	[ROLLING_CANARY] = " Pw   Hh     .    .       Og ",
	[ROLLING_HELD]   = " .    .      .    Bo      Og ",
	[ROLLING_BATCH]  = " Pw   .      .    .       Og ",
	[ROLLING_PAUSE]  = " .    .      Bo   .       Og ",
	[ROLLING_OVER]   = " .    .      .    .       .  ",
};
/* clang-format on */

static const char *golden_cell(enum rolling_phase phase, enum rolling_event event)
{
	const char *at = golden[phase] + strspn(golden[phase], " ");

	for (int i = 0; i < (int)event; i++) {
		at += strcspn(at, " ");
		at += strspn(at, " ");
	}
	assert_true(*at != '\0');
	return at;
}

static void test_golden_matrix(void **state)
{
	size_t count, legal = 0;
	const struct rolling_row *rows = rolling_rows(&count);

	(void)state;
	for (int p = 0; p < ROLLING_PHASE_COUNT; p++)
		for (int e = 0; e < ROLLING_EV_COUNT; e++) {
			const char *want =
				golden_cell((enum rolling_phase)p, (enum rolling_event)e);
			const struct rolling_row *row =
				rolling_find((enum rolling_phase)p, (enum rolling_event)e);

			if ((*want == '.') != !row)
				fail_msg("(%s, %s)", rolling_phase_name((enum rolling_phase)p),
					 rolling_event_name((enum rolling_event)e));
			legal += row != NULL;
			if (row && (phase_letters[row->next] != want[0] ||
				    action_letters[row->action] != want[1]))
				fail_msg("(%s, %s) is not %.2s",
					 rolling_phase_name((enum rolling_phase)p),
					 rolling_event_name((enum rolling_event)e), want);
		}
	assert_int_equal(count, legal);
	for (size_t i = 0; i < count; i++)
		assert_true(strlen(rows[i].reason) > 10);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(rolling_phase_name(ROLLING_HELD), "held");
	assert_string_equal(rolling_phase_name(ROLLING_PHASE_COUNT), "?");
	assert_string_equal(rolling_event_name(ROLLING_EV_SPOILT), "spoilt");
	assert_string_equal(rolling_event_name(ROLLING_EV_COUNT), "?");
	assert_string_equal(rolling_action_name(ROLLING_DO_OPEN), "open the next batch");
	assert_string_equal(rolling_action_name(ROLLING_ACTION_COUNT), "?");
	assert_null(rolling_find(ROLLING_PHASE_COUNT, ROLLING_EV_DONE));
	assert_null(rolling_find(ROLLING_BATCH, ROLLING_EV_COUNT));
}

static void assert_stage(const struct rolling *r, enum rolling_phase phase, size_t begin,
			 size_t end)
{
	assert_int_equal(r->phase, phase);
	assert_int_equal(r->begin, begin);
	assert_int_equal(r->end, end);
}

static void test_nothing_asked_for_is_one_batch(void **state)
{
	struct rolling r;

	(void)state;
	rolling_init(&r, NULL, 7);
	assert_stage(&r, ROLLING_BATCH, 0, 7);
	assert_int_equal(rolling_size(&r), 7);
	assert_int_equal(rolling_number(&r), 1);
	assert_int_equal(rolling_total(&r), 1);
	assert_false(rolling_has_more(&r));
}

static void test_a_canary_and_batches(void **state)
{
	static const struct rolling_spec spec = {.batch = 3, .canary = 2, .pause_ns = 10};
	struct rolling r;

	(void)state;
	rolling_init(&r, &spec, 9);
	assert_stage(&r, ROLLING_CANARY, 0, 2);
	assert_int_equal(rolling_size(&r), 2);
	assert_int_equal(rolling_number(&r), 0);
	assert_int_equal(rolling_total(&r), 3);
	assert_int_equal(rolling_step(&r, ROLLING_EV_DONE, 100), ROLLING_DO_WAIT);
	assert_int_equal(r.until_ns, 110);
	assert_int_equal(rolling_step(&r, ROLLING_EV_TIME, 110), ROLLING_DO_OPEN);
	assert_stage(&r, ROLLING_BATCH, 2, 5);
	assert_int_equal(rolling_number(&r), 1);
	assert_int_equal(r.again, 3);
	for (size_t i = 2; i <= 3; i++) {
		assert_true(rolling_has_more(&r));
		(void)rolling_step(&r, ROLLING_EV_DONE, 0);
		(void)rolling_step(&r, ROLLING_EV_TIME, 0);
		assert_int_equal(rolling_number(&r), i);
	}
	assert_stage(&r, ROLLING_BATCH, 8, 9);
	assert_true(r.again == SIZE_MAX);
	assert_false(rolling_has_more(&r));
}

static void test_more_than_there_are(void **state)
{
	static const struct rolling_spec spec = {.batch = SIZE_MAX, .canary = SIZE_MAX};
	struct rolling r;

	(void)state;
	rolling_init(&r, &spec, 4);
	assert_stage(&r, ROLLING_CANARY, 0, 4);
	assert_false(rolling_has_more(&r));
	assert_int_equal(rolling_total(&r), 0);
}

static void test_restored(void **state)
{
	static const struct rolling_spec spec = {.batch = 3, .canary = 2};
	static const struct {
		struct rolling_past past;
		enum rolling_phase phase;
		size_t begin, end;
	} rows[] = {
		{{.begun = false}, ROLLING_CANARY, 0, 2},
		{{.canary_ended = true}, ROLLING_CANARY, 0, 2},
		{{.canary_bad = true}, ROLLING_CANARY, 0, 2},
		{{.canary_ended = true, .canary_bad = true}, ROLLING_HELD, 0, 2},
		{{.begun = true, .last = 2, .canary_ended = true, .canary_bad = true},
		 ROLLING_BATCH,
		 2,
		 5},
		{{.begun = true, .last = 4, .canary_ended = true}, ROLLING_BATCH, 2, 5},
		{{.begun = true, .last = 5, .canary_ended = true}, ROLLING_BATCH, 5, 8},
		{{.begun = true, .last = 8, .canary_ended = true}, ROLLING_BATCH, 8, 9},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct rolling r;

		rolling_init(&r, &spec, 9);
		rolling_restore(&r, &rows[i].past);
		assert_stage(&r, rows[i].phase, rows[i].begin, rows[i].end);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden_matrix),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_nothing_asked_for_is_one_batch),
		cmocka_unit_test(test_a_canary_and_batches),
		cmocka_unit_test(test_more_than_there_are),
		cmocka_unit_test(test_restored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
