/* Which segments are needed, against a model that looks at everything each time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "ledger.h"

static struct store_place place(uint32_t segment, uint32_t at, uint32_t len, uint64_t job)
{
	return (struct store_place){.segment = segment,
				    .at = at,
				    .len = len,
				    .job_low = (uint32_t)job,
				    .job_high = (uint32_t)(job >> 32)};
}

static void test_frames(void **state)
{
	struct ledger *l = ledger_new();
	struct ledger_dead dead;

	(void)state;
	ledger_grow(l, 1, 100);
	ledger_add_job(l, 5, 2);
	ledger_add_job(l, 5, 9);
	assert_int_equal(ledger_job_of(l, 5), 5);
	assert_int_equal(ledger_job_of(l, 7), 5);
	assert_int_equal(ledger_job_of(l, 8), 0);
	assert_int_equal(ledger_job_of(l, 4), 0);
	ledger_add_frame(l, 5, place(1, 0, 10, 5));
	ledger_add_frame(l, 5, place(1, 10, 10, 5));
	ledger_add_frame(l, 6000, place(1, 20, 10, 0));
	ledger_release(l, 5, place(1, 0, 10, 5));
	ledger_seal(l, 1);
	assert_false(ledger_take_dead(l, &dead));
	ledger_release(l, 5, place(1, 10, 10, 5));
	ledger_release(l, 5, place(1, 10, 10, 5));
	assert_true(ledger_take_dead(l, &dead));
	assert_int_equal(dead.segment, 1);
	assert_int_equal(dead.size, 100);
	assert_false(dead.moved);
	assert_int_equal(ledger_segments(l), 0);
	assert_false(ledger_take_dead(l, &dead));
	assert_int_equal(ledger_remove_job(l, 6), 0);
	ledger_free(l);
}

/* What is written to is kept, whoever needs it. */
static void test_open_segment(void **state)
{
	struct ledger *l = ledger_new();
	struct ledger_dead dead;

	(void)state;
	ledger_grow(l, 1, 100);
	assert_false(ledger_take_dead(l, &dead));
	ledger_seal(l, 1);
	assert_true(ledger_take_dead(l, &dead));
	ledger_free(l);
}

static void test_moving(void **state)
{
	struct ledger *l = ledger_new();
	struct ledger_dead dead;
	struct store_place *items;

	(void)state;
	ledger_grow(l, 1, 1000);
	ledger_grow(l, 2, 1000);
	ledger_add_job(l, 1, 1);
	ledger_add_job(l, 9, 1);
	ledger_add_item(l, 1, place(1, 0, 50, 1));
	ledger_add_item(l, 9, place(1, 50, 50, 9));
	ledger_seal(l, 1);
	assert_int_equal(ledger_take_sparse(l, 1), 0);
	assert_int_equal(ledger_take_sparse(l, 2), 1);
	assert_int_equal(ledger_take_sparse(l, 2), 0);
	assert_int_equal(ledger_items(l, 1, &items), 2);
	assert_int_equal(ledger_remove_job(l, 9), 1);
	assert_false(ledger_has_item(l, items[1]));
	assert_true(ledger_has_item(l, items[0]));
	ledger_move(l, items[0], place(2, 500, 50, 1));
	assert_true(ledger_take_dead(l, &dead));
	assert_true(dead.moved);
	assert_int_equal(ledger_remove_job(l, 1), 2);
	ledger_seal(l, 2);
	assert_true(ledger_take_dead(l, &dead));
	assert_false(dead.moved);
	free(items);
	ledger_free(l);
}

static void test_not_worth_moving(void **state)
{
	struct ledger *l = ledger_new();

	(void)state;
	ledger_grow(l, 1, 800);
	ledger_grow(l, 2, 800);
	ledger_add_job(l, 1, 1);
	ledger_add_item(l, 1, place(1, 0, 100, 1));
	ledger_add_item(l, 1, place(2, 0, 99, 1));
	ledger_add_frame(l, 1, place(2, 100, 99, 1));
	ledger_seal(l, 1);
	ledger_seal(l, 2);
	/* Too much of the one; and frames stay where they are. */
	assert_int_equal(ledger_take_sparse(l, 9), 0);
	ledger_release(l, 1, place(2, 100, 99, 1));
	assert_int_equal(ledger_take_sparse(l, 9), 2);
	ledger_free(l);
}

/* The news that a job is gone is needed as long as its segment is there. */
static void test_gone(void **state)
{
	struct ledger *l = ledger_new();
	struct ledger_dead dead;

	(void)state;
	ledger_grow(l, 1, 100);
	ledger_grow(l, 2, 100);
	ledger_grow(l, 3, 100);
	ledger_add_job(l, 1, 1);
	ledger_add_frame(l, 1, place(1, 50, 10, 1));
	ledger_add_gone(l, 1, place(2, 0, 10, 0));
	ledger_add_gone(l, 2, place(2, 10, 10, 0));
	ledger_add_gone(l, 0, place(2, 20, 10, 0));
	ledger_seal(l, 1);
	ledger_seal(l, 2);
	assert_false(ledger_take_dead(l, &dead));
	ledger_release(l, 1, place(1, 50, 10, 1));
	assert_true(ledger_take_dead(l, &dead));
	assert_int_equal(dead.segment, 1);
	assert_true(ledger_take_dead(l, &dead));
	assert_int_equal(dead.segment, 2);
	ledger_free(l);
}

/* --- at random ------------------------------------------------------------------------------ */

#define SEGMENTS 12u
#define JOBS	 6u
#define THINGS	 400u

static struct thing {
	struct store_place place;
	uint64_t job; /* 0: none */
	bool is_item;
} things[THINGS];

static bool needed(uint32_t segment)
{
	for (size_t i = 0; i < THINGS; i++)
		if (things[i].job && things[i].place.segment == segment)
			return true;
	return false;
}

static void random_step(struct ledger *l, unsigned *seed, uint32_t newest, bool *jobs)
{
	struct thing *t = &things[(size_t)rand_r(seed) % THINGS];
	uint64_t which = (uint64_t)rand_r(seed) % JOBS, job = 1 + which * 10;

	if (rand_r(seed) % 40 == 0) {
		if (jobs[which]) {
			(void)ledger_remove_job(l, job);
			for (size_t i = 0; i < THINGS; i++)
				if (things[i].job == job)
					things[i].job = 0;
		} else {
			ledger_add_job(l, job, 3);
		}
		jobs[which] = !jobs[which];
	} else if (t->job && !t->is_item) {
		ledger_release(l, t->job, t->place);
		t->job = 0;
	} else if (!t->job && jobs[which]) {
		t->place = place(newest, (uint32_t)(t - things), 1, job);
		t->is_item = rand_r(seed) % 20 == 0;
		t->job = job;
		if (t->is_item)
			ledger_add_item(l, job, t->place);
		else
			ledger_add_frame(l, job, t->place);
	}
}

static void test_random(void **state)
{
	unsigned seed = 1;

	(void)state;
	for (int round = 0; round < 200; round++) {
		struct ledger *l = ledger_new();
		bool jobs[JOBS] = {false}, there[SEGMENTS + 1] = {false};
		struct ledger_dead dead;

		memset(things, 0, sizeof things);
		for (uint32_t newest = 1; newest <= SEGMENTS; newest++) {
			ledger_grow(l, newest, 10000);
			there[newest] = true;
			for (int i = 0; i < 300; i++)
				random_step(l, &seed, newest, jobs);
			if (newest > 1)
				ledger_seal(l, newest - 1);
			while (ledger_take_dead(l, &dead)) {
				assert_false(needed(dead.segment));
				assert_true(dead.segment < newest && there[dead.segment]);
				there[dead.segment] = false;
			}
			for (uint32_t i = 1; i < newest; i++)
				assert_int_equal(there[i], needed(i));
		}
		ledger_free(l);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames), cmocka_unit_test(test_open_segment),
		cmocka_unit_test(test_moving), cmocka_unit_test(test_not_worth_moving),
		cmocka_unit_test(test_gone),   cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
