#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "progress.h"

#define MS UINT64_C(1000000)

static const struct progress halfway = {
	.total = 200, .done = 120, .running = 64, .failed = 3, .elapsed_ns = 2800 * MS};

static void expect(const struct progress *p, size_t width, bool colour, const char *want)
{
	struct buf out = {0};

	progress_line(&out, p, width, colour);
	assert_string_equal(buf_cstr(&out), want);
	buf_done(&out);
}

static void the_whole_line(void **state)
{
	(void)state;
	expect(&halfway, 80, false,
	       "[#####>    ] 120/200 done, 64 running, 3 failed, 43/s, ETA 2s");
}

static void what_is_left_out_when_it_is_narrow(void **state)
{
	static const char *const lines[] = {
		"[#####>    ] 120/200 done, 64 running, 3 failed, 43/s, ETA 2s",
		"120/200 done, 64 running, 3 failed, 43/s, ETA 2s",
		"120/200 done, 64 running, 3 failed, 43/s",
		"120/200 done, 64 running, 3 failed",
		"120/200 done, 64 running",
		"120/200 done",
		"",
	};
	size_t row = 0;

	(void)state;
	for (size_t width = 80; width-- > 0;) {
		while (strlen(lines[row]) > width)
			row++;
		expect(&halfway, width, false, lines[row]);
	}
	assert_int_equal(row, 6);
}

static void failures_are_red(void **state)
{
	struct progress none = {.total = 4, .done = 1, .running = 3};

	(void)state;
	expect(&halfway, 34, true, "120/200 done, 64 running, \033[31m3 failed\033[0m");
	expect(&none, 80, true, "[#>        ] 1/4 done, 3 running, 0 failed");
}

static void the_disconnected(void **state)
{
	struct progress p = halfway;

	(void)state;
	p.disconnected = 2;
	expect(&p, 80, false,
	       "[#####>    ] 120/200 done, 64 running, 2 disconnected, 3 failed, 43/s, ETA 2s");
	expect(&p, 50, true, "120/200 done, 64 running, 2 disconnected, \033[31m3 failed\033[0m");
	expect(&p, 41, true, "120/200 done, 64 running, 2 disconnected");
}

static void bars(void **state)
{
	static const struct {
		size_t done, total;
		const char *want;
	} rows[] = {
		{0, 200, "[          ] 0/200"},	    {19, 200, "[          ] 19/200"},
		{20, 200, "[>         ] 20/200"},   {199, 200, "[########> ] 199/200"},
		{200, 200, "[##########] 200/200"}, {0, 0, "[##########] 0/0"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct progress p = {.total = rows[i].total, .done = rows[i].done};
		struct buf out = {0};

		progress_line(&out, &p, 80, false);
		assert_true(strncmp(buf_cstr(&out), rows[i].want, strlen(rows[i].want)) == 0);
		buf_done(&out);
	}
}

static void rate_and_eta(void **state)
{
	static const struct {
		size_t done, total;
		uint64_t ms;
		const char *want; /* what comes after "0 failed" */
	} rows[] = {
		{10, 20, 199, ""},
		{10, 20, 200, ", 50/s, ETA 1s"},
		{0, 20, 5000, ""},
		{20, 20, 1000, ", 20/s"},
		{1, 2, 2000, ", 0.5/s, ETA 2s"},
		{1, 61, 1000, ", 1.0/s, ETA 1m00s"},
		{1, 66, 1000, ", 1.0/s, ETA 1m05s"},
		{1, 7381, 1000, ", 1.0/s, ETA 2h03m"},
		{1, 1000000, 1000, ", 1.0/s, ETA >99h"},
		{996, 1000, 100000, ", 10/s, ETA 1s"},
		{994, 1000, 100000, ", 9.9/s, ETA 1s"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct progress p = {.total = rows[i].total, .done = rows[i].done};
		struct buf out = {0};

		p.elapsed_ns = rows[i].ms * MS;
		progress_line(&out, &p, 200, false);
		assert_string_equal(strstr(buf_cstr(&out), "failed") + 6, rows[i].want);
		buf_done(&out);
	}
}

static void absurd_numbers_do_no_harm(void **state)
{
	const struct progress p = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX,
				   SIZE_MAX, SIZE_MAX,	   UINT64_MAX};
	const struct progress over = {.total = 1, .done = 5, .elapsed_ns = 1};
	struct buf out = {0};

	(void)state;
	progress_line(&out, &p, 1000, true);
	assert_true(out.len > 0);
	buf_clear(&out);
	progress_line(&out, &over, 1000, false);
	assert_string_equal(buf_cstr(&out), "[##########] 5/1 done, 0 running, 0 failed");
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_whole_line),
		cmocka_unit_test(what_is_left_out_when_it_is_narrow),
		cmocka_unit_test(failures_are_red),
		cmocka_unit_test(the_disconnected),
		cmocka_unit_test(bars),
		cmocka_unit_test(rate_and_eta),
		cmocka_unit_test(absurd_numbers_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
