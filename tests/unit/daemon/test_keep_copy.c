/* What is kept of a copy, as it comes back; and how two daemons' work adds up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "buf.h"
#include "keep_copy.h"
#include "limits.h"
#include "wire.h"

static void put_said(struct buf *out, uint64_t seq, uint64_t line)
{
	buf_clear(out);
	wire_put_array(out, 2);
	wire_put_u64(out, seq);
	wire_put_u64(out, line);
}

static void lines_come_back_and_are_bounded(void **state)
{
	struct keep_copy_past past = {0};
	struct buf body = {0};
	struct errmsg msg;

	(void)state;
	for (uint64_t i = 1; i <= LIMIT_COPY_TROUBLES + 5; i++) {
		put_said(&body, i, i * 7);
		assert_int_equal(keep_copy_said_get(&past, body.data, body.len, &msg), 0);
	}
	assert_int_equal(past.said_count, LIMIT_COPY_TROUBLES);
	assert_int_equal(past.said[999].seq, 1000);
	assert_int_equal(past.said[999].line, 7000);
	assert_int_not_equal(keep_copy_said_get(&past, body.data, body.len - 1, &msg), 0);
	assert_int_not_equal(keep_copy_said_get(&past, "", 0, &msg), 0);
	assert_int_equal(past.said_count, LIMIT_COPY_TROUBLES);
	keep_copy_past_done(&past);
	assert_null(past.said);
	buf_done(&body);
}

static void the_end_comes_back(void **state)
{
	struct keep_copy_past past = {0};
	struct buf body = {0};
	struct errmsg msg;

	(void)state;
	wire_put_array(&body, 3);
	wire_put_u64(&body, 12);
	wire_put_u64(&body, 1);
	wire_put_str(&body, "3 files not copied");
	assert_int_equal(keep_copy_end_get(&past, body.data, body.len, &msg), 0);
	assert_int_equal(past.end_seq, 12);
	assert_int_equal(past.end.cause, CAUSE_EXITED);
	assert_int_equal(past.end.exit_code, 1);
	assert_string_equal(past.end.text, "3 files not copied");
	buf_clear(&body);
	wire_put_array(&body, 3);
	wire_put_u64(&body, 12);
	wire_put_u64(&body, 256);
	wire_put_str(&body, "");
	assert_int_not_equal(keep_copy_end_get(&past, body.data, body.len, &msg), 0);
	assert_int_equal(past.end.exit_code, 1);
	buf_done(&body);
}

static void the_destination_comes_back(void **state)
{
	struct keep_copy_past past = {0};
	struct buf body = {0};
	struct errmsg msg;

	(void)state;
	wire_put_array(&body, 1);
	wire_put_bool(&body, true);
	assert_int_equal(keep_copy_place_get(&past, body.data, body.len, &msg), 0);
	assert_true(past.placed);
	assert_true(past.is_name);
	buf_done(&body);
}

static void the_tally_comes_back_with_its_child(void **state)
{
	static const char *const bad[] = {"copy/", "copy/x", "copy/7/8", "session/7"};
	struct copy_tally tally;
	struct buf body = {0};
	struct errmsg msg;
	uint64_t child;

	(void)state;
	wire_put_array(&body, 3);
	wire_put_u64(&body, 5);
	wire_put_u64(&body, 5000);
	wire_put_u64(&body, 6000);
	assert_int_equal(keep_copy_tally_get(&tally, &child, "copy/7", body.data, body.len, &msg),
			 0);
	assert_int_equal(child, 7);
	assert_int_equal(tally.files, 5);
	assert_int_equal(tally.bytes, 5000);
	assert_int_equal(tally.moved, 6000);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_not_equal(
			keep_copy_tally_get(&tally, &child, bad[i], body.data, body.len, &msg), 0);
	assert_int_not_equal(keep_copy_tally_get(&tally, &child, "copy/7", body.data, 3, &msg), 0);
	buf_done(&body);
}

/* Ten files: two were there, four were written before, and come as there now. */
static void what_was_written_before_was_not_there_before(void **state)
{
	const struct copy_tally cut = {
		.files = 4, .bytes = 40, .same = 2, .failed = 1, .moved = 50};
	struct copy_tally now = {.files = 3, .bytes = 30, .same = 6, .failed = 1, .moved = 35};
	struct copy_tally sum = copy_tally_sum(&cut, &now);

	(void)state;
	assert_int_equal(sum.files, 7);
	assert_int_equal(sum.same, 2);
	assert_int_equal(sum.failed, 1);
	assert_int_equal(sum.bytes, 70);
	assert_int_equal(sum.moved, 85);
	/* All have changed meanwhile: each is one file all the same. */
	now = (struct copy_tally){.files = 9, .same = 0, .failed = 1};
	sum = copy_tally_sum(&cut, &now);
	assert_int_equal(sum.files + sum.same + sum.failed, 10);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_come_back_and_are_bounded),
		cmocka_unit_test(the_end_comes_back),
		cmocka_unit_test(the_destination_comes_back),
		cmocka_unit_test(the_tally_comes_back_with_its_child),
		cmocka_unit_test(what_was_written_before_was_not_there_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
