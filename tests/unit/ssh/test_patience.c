/* The clock by which hosts are waited for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "clock.h"
#include "loop.h"
#include "patience.h"

#define MS UINT64_C(1000000)

struct fixture {
	struct loop *loop;
	struct patience *patience;
	uint64_t busy_ms; /* how long each round keeps the loop from others */
	uint64_t begin, begin_mono;
	uint64_t patient_ms, real_ms; /* that have gone by */
	unsigned rounds;
};

static void be_busy(uint64_t ms)
{
	struct timespec time = {.tv_sec = (time_t)(ms / 1000),
				.tv_nsec = (long)(ms % 1000 * 1000000)};

	(void)nanosleep(&time, NULL);
}

static void on_round(void *arg)
{
	struct fixture *f = arg;

	if (f->rounds--) {
		be_busy(f->busy_ms);
		loop_defer(f->loop, on_round, f);
		return;
	}
	f->patient_ms = (patience_ns(f->patience) - f->begin) / MS;
	f->real_ms = (clock_mono_ns() - f->begin_mono) / MS;
	loop_stop(f->loop);
}

static void on_begin(void *arg)
{
	struct fixture *f = arg;

	patience_hold(f->patience);
	f->begin = patience_ns(f->patience);
	f->begin_mono = clock_mono_ns();
	on_round(f);
}

static void go(struct fixture *f, uint64_t busy_ms, unsigned rounds)
{
	*f = (struct fixture){.busy_ms = busy_ms, .rounds = rounds};
	f->loop = loop_new();
	f->patience = patience_new(f->loop);
	loop_defer(f->loop, on_begin, f);
	loop_run(f->loop);
	patience_release(f->patience);
	patience_free(f->patience);
	loop_free(f->loop);
}

/* Rounds that are short: as the other clock, unless this computer is busy itself. */
static void test_goes_on(void **state)
{
	struct fixture f;

	(void)state;
	go(&f, 5, 100);
	assert_true(f.real_ms >= 500);
	assert_true(f.patient_ms <= f.real_ms);
	assert_true(f.patient_ms >= f.real_ms / 5);
}

static void test_goes_slowly_where_the_loop_is_busy(void **state)
{
	struct fixture f;

	(void)state;
	go(&f, 500, 5);
	assert_true(f.real_ms >= 2500);
	/* 100 ms of each round, and a quarter of the rest. */
	assert_true(f.patient_ms <= f.real_ms * 6 / 10);
	assert_true(f.patient_ms >= f.real_ms / 5);
}

/* However long it was stopped, a second is all that counts. */
static void test_a_long_stop_counts_little(void **state)
{
	struct fixture f;

	(void)state;
	go(&f, 6000, 1);
	assert_true(f.real_ms >= 6000);
	assert_true(f.patient_ms <= 1300);
}

static void test_until(void **state)
{
	struct loop *loop = loop_new();
	struct patience *p = patience_new(loop);
	uint64_t ms;

	(void)state;
	patience_hold(p);
	patience_hold(p);
	patience_release(p);
	ms = patience_ms_until(p, patience_ns(p) + 5000 * MS);
	assert_in_range(ms, 4000, 5001);
	assert_int_equal(patience_ms_until(p, patience_ns(p)), 1);
	assert_int_equal(patience_ms_until(p, 0), 1);
	patience_release(p);
	patience_free(p);
	patience_free(NULL);
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_goes_on),
		cmocka_unit_test(test_goes_slowly_where_the_loop_is_busy),
		cmocka_unit_test(test_a_long_stop_counts_little),
		cmocka_unit_test(test_until),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
