/* What a gateway may say, and what ends the talk: each message in each phase, children that are
 * none of its part, records out of order, columns that were not told, noise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "copy_msg.h"
#include "copy_pass.h"
#include "relay_rig.h"

static void test_a_job_from_its_beginning_to_its_end(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r);
	assert_int_equal(say_hello(&r, 1, 5), 0);
	expect(&r, "hello ");
	relay_talk_asked(r.talk, COUNT, false);
	assert_int_equal(say_accepted(&r, JOB, FIRST), 0);
	assert_true(relay_talk_job(r.talk) == JOB && relay_talk_child(r.talk, 2) == FIRST + 2);
	assert_int_equal(say_state(&r, FIRST, "Running"), 0);
	assert_int_equal(say_state(&r, FIRST, "Something"), 0);
	assert_int_equal(say_lines(&r, FIRST + 1, 1, "a", "b"), 0);
	assert_int_equal(say_lines(&r, FIRST + 1, 3, "c", NULL), 0);
	assert_int_equal(say_state(&r, FIRST, "suspended"), 0);
	assert_int_equal(say_end(&r, FIRST + 1, "exited", 7, NULL), 0);
	assert_int_equal(say_end(&r, FIRST, "signalled", -1, "x\x1b"), 0);
	assert_int_equal(say_end(&r, FIRST + 2, "unreachable", 9, "no route"), 0);
	assert_false(relay_talk_is_over(r.talk));
	assert_int_equal(say_job_end(&r), 0);
	assert_true(relay_talk_is_over(r.talk));
	expect(&r, "accepted 0:Running 1=a 1=b 1. 1=c 1. 0:Suspended 1!exited,7,,,began "
		   "0!signalled,-1,A SIGNAL OF A V,x\\x1b,began 2!unreachable,-1,,no route over ");
	rig_done(&r);
}

static void test_rows_have_our_numbers(void **state)
{
	struct rig r;

	(void)state;
	rig_accept(&r);
	assert_int_equal(say_schema(&r, 5), 0);
	assert_int_equal(say_schema(&r, UINT64_MAX), 0);
	assert_int_equal(say_row(&r, FIRST, 1, UINT64_MAX), 0);
	assert_int_equal(say_row(&r, FIRST, 2, 5), 0);
	assert_int_equal(say_row(&r, FIRST + 1, 1, 5), 0);
	expect(&r, "columns(1) columns(1) 0=row72 0. 0=row71 0. 1=row71 1. ");
	/* 71 is ours, and none of theirs. */
	assert_int_equal(say_row(&r, FIRST + 1, 2, 71), ERR_PROTO);
	expect(&r, "1. ");
	rig_done(&r);
}

static void test_columns_come_in_order_and_not_without_end(void **state)
{
	struct rig r;
	uint64_t n = 1;

	(void)state;
	rig_accept(&r);
	assert_int_equal(say_schema(&r, 5), 0);
	assert_int_equal(say_schema(&r, 5), ERR_PROTO);
	assert_int_equal(say_schema(&r, 4), ERR_PROTO);
	for (n = 6; n < 6 + LIMIT_SCHEMAS * COUNT - 1; n++)
		assert_int_equal(say_schema(&r, n), 0);
	assert_int_equal(say_schema(&r, n), ERR_LIMIT);
	rig_done(&r);
}

static void test_children_of_others(void **state)
{
	static const uint64_t ids[] = {0, 1, JOB, FIRST - 1, FIRST + COUNT, UINT64_MAX};
	struct rig r;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		rig_accept(&r);
		assert_int_equal(say_state(&r, ids[i], "Running"), ERR_PROTO);
		assert_int_equal(say_end(&r, ids[i], "exited", 0, NULL), ERR_PROTO);
		assert_int_equal(say_lines(&r, ids[i], 1, "a", NULL), ERR_PROTO);
		expect(&r, "");
		rig_done(&r);
	}
}

static void test_nothing_after_the_end_of_a_child(void **state)
{
	struct rig r;

	(void)state;
	rig_accept(&r);
	assert_int_equal(say_end(&r, FIRST, "exited", 0, NULL), 0);
	buf_clear(&r.said);
	assert_int_equal(say_lines(&r, FIRST, 1, "a", NULL), ERR_PROTO);
	assert_int_equal(say_state(&r, FIRST, "Running"), ERR_PROTO);
	assert_int_equal(say_end(&r, FIRST, "exited", 0, NULL), ERR_PROTO);
	expect(&r, "");
	/* The others are not concerned, but for the end of all. */
	assert_int_equal(say_job_end(&r), ERR_PROTO);
	expect(&r, "");
	rig_done(&r);
}

static void test_records_are_counted(void **state)
{
	static const uint64_t seqs[] = {0, 2, 1000, UINT64_MAX - RECORDS_MAX};
	struct rig r;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(seqs); i++) {
		rig_accept(&r);
		assert_int_equal(say_lines(&r, FIRST, seqs[i], "a", NULL), ERR_PROTO);
		rig_done(&r);
	}
	rig_accept(&r);
	assert_int_equal(say_lines(&r, FIRST, 1, "a", "b"), 0);
	assert_int_equal(say_lines(&r, FIRST, 2, "b", NULL), ERR_PROTO);
	assert_int_equal(say_lines(&r, FIRST, 3, "c", NULL), 0);
	rig_done(&r);
}

static void test_ends_that_cannot_be(void **state)
{
	struct rig r;

	(void)state;
	rig_accept(&r);
	assert_int_equal(say_end(&r, FIRST, NULL, 0, NULL), ERR_PROTO);
	assert_int_equal(say_end(&r, FIRST, "none", 0, NULL), ERR_PROTO);
	assert_int_equal(say_end(&r, FIRST, "exited", -1, NULL), ERR_PROTO);
	assert_int_equal(say_end(&r, FIRST, "exited", 256, NULL), ERR_PROTO);
	expect(&r, "");
	assert_int_equal(say_end(&r, FIRST, "eaten\n", 0, "by a wolf"), 0);
	expect(&r, "0!gateway,-1,,eaten\\x0a ");
	rig_done(&r);
}

/* Bit i: the command of child i may have begun, by what was said. */
static unsigned may_have_begun(const struct rig *r, bool all_said)
{
	unsigned all = 0;

	for (size_t i = 0; i < COUNT; i++)
		all |= (unsigned)relay_talk_may_have_begun(r->talk, i, all_said) << i;
	return all;
}

static void test_who_may_have_begun_is_told_before(void **state)
{
	struct rig r;

	(void)state;
	rig_accept(&r);
	assert_int_equal(say_warned(&r, FIRST + 2, 1), 0);
	assert_int_equal(say_state(&r, FIRST + 2, "NotStarted"), 0);
	assert_int_equal(may_have_begun(&r, true), 0);
	assert_int_equal(say_starting(&r, FIRST + 1), 0);
	assert_int_equal(may_have_begun(&r, true), 2);
	assert_int_equal(say_state(&r, FIRST + 1, "NotStarted"), 0);
	assert_int_equal(may_have_begun(&r, true), 2);
	/* It is no state. */
	expect(&r, "2=w 2. 2:NotStarted 1:NotStarted 1:NotStarted ");
	/* Something may be missing. */
	assert_int_equal(may_have_begun(&r, false), 7);
	assert_int_equal(say_starting(&r, FIRST + COUNT), ERR_PROTO);
	rig_done(&r);
}

/* All that says that a command has begun says that it may have. */
static void test_who_has_begun_may_have(void **state)
{
	static const char *const states[] = {"Running", "Suspended", "Blocked", "Stopping",
					     "Something"};
	struct rig r;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		rig_accept(&r);
		assert_int_equal(say_state(&r, FIRST, states[i]), 0);
		assert_int_equal(may_have_begun(&r, true), 1);
		rig_done(&r);
	}
	rig_accept(&r);
	assert_int_equal(say_lines(&r, FIRST + 2, 1, "a", NULL), 0);
	assert_int_equal(may_have_begun(&r, true), 4);
	rig_done(&r);
}

static void test_nobody_has_begun_before_the_job_was_sent(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r);
	assert_int_equal(may_have_begun(&r, false), 0);
	assert_int_equal(say_hello(&r, 1, 1), 0);
	assert_int_equal(may_have_begun(&r, false), 0);
	relay_talk_asked(r.talk, COUNT, false);
	assert_int_equal(may_have_begun(&r, true), 0);
	assert_int_equal(may_have_begun(&r, false), 7);
	/* It will not be run. */
	assert_int_equal(say_error(&r, ERR_SYNTAX), 0);
	assert_int_equal(may_have_begun(&r, false), 0);
	rig_done(&r);
}

static void test_ids_that_cannot_be(void **state)
{
	static const uint64_t ids[][2] = {{0, 1}, {1, 0}, {5, UINT64_MAX}, {5, UINT64_MAX - 2}};
	struct rig r;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		rig_init(&r);
		assert_int_equal(say_hello(&r, 1, 1), 0);
		relay_talk_asked(r.talk, COUNT, false);
		assert_int_not_equal(say_accepted(&r, ids[i][0], ids[i][1]), 0);
		assert_false(relay_talk_is_accepted(r.talk));
		rig_done(&r);
	}
}

static void test_another_version(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r);
	assert_int_equal(say_hello(&r, 2, 3), ERR_VERSION);
	assert_non_null(strstr(r.msg.text, "muster 9\\x1b[1m there speaks version 2 to 3"));
	assert_non_null(strstr(r.msg.text, "version 1:"));
	expect(&r, "");
	rig_done(&r);
	rig_init(&r);
	assert_int_equal(say_error(&r, ERR_VERSION), ERR_VERSION);
	assert_string_equal(r.msg.text, "no\\x0away");
	rig_done(&r);
}

static void test_refused(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r);
	assert_int_equal(say_hello(&r, 1, 1), 0);
	relay_talk_asked(r.talk, COUNT, false);
	assert_int_equal(say_error(&r, ERR_SYNTAX), 0);
	expect(&r, "hello refused(-59 no\\x0away) ");
	assert_true(relay_talk_is_over(r.talk));
	assert_int_equal(say_accepted(&r, JOB, FIRST), ERR_PROTO);
	rig_done(&r);
	/* Of a job that runs it is the end of everything. */
	rig_accept(&r);
	assert_int_equal(say_error(&r, ERR_SYS), ERR_CLOSED);
	expect(&r, "");
	rig_done(&r);
}

/* Every number of a message, with an empty body, in every phase: it never crashes, and what is not
 * legal ends the talk. */
static void test_every_message_in_every_phase(void **state)
{
	(void)state;
	for (int phase = 0; phase < 5; phase++)
		for (int type = 0; type <= UINT8_MAX; type++) {
			struct buf body = {0};
			struct rig r;
			int rc;

			rig_init(&r);
			if (phase > 0)
				assert_int_equal(say_hello(&r, 1, 1), 0);
			if (phase > 1)
				relay_talk_asked(r.talk, COUNT, false);
			if (phase > 2)
				assert_int_equal(say_accepted(&r, JOB, FIRST), 0);
			for (uint64_t i = 0; phase > 3 && i < COUNT; i++)
				assert_int_equal(say_end(&r, FIRST + i, "auth", -1, ""), 0);
			if (phase > 3)
				assert_int_equal(say_job_end(&r), 0);
			buf_add_char(&body, (char)0x90);
			rc = say(&r, (enum message_type)type, &body);
			/* PING has no field that must be there; before HELLO it is noise. */
			if (phase > 0 && type != MSG_PING && type != MSG_WARNING)
				assert_int_not_equal(rc, 0);
			if (phase > 0 && type == MSG_WARNING && phase != 3)
				assert_int_not_equal(rc, 0);
			rig_done(&r);
		}
}

static void test_a_shell_may_talk_before(void **state)
{
	static const char noise[] = "Welcome to M\nMS MSMS\001\n\0\0MS\001\0\0\0\0\020";
	struct rig r;

	(void)state;
	rig_init(&r);
	/* The header that begins in it ends in what follows, and is none. */
	assert_int_equal(relay_talk_take(r.talk, noise, sizeof noise - 1, &r.msg), 0);
	assert_false(relay_talk_is_greeted(r.talk));
	assert_int_equal(say_hello(&r, 1, 1), 0);
	assert_true(relay_talk_is_greeted(r.talk));
	expect(&r, "hello ");
	/* Afterwards it may not. */
	assert_int_equal(relay_talk_take(r.talk, "Welcome to the club.", 20, &r.msg), ERR_PROTO);
	rig_done(&r);
}

static void test_noise_without_end(void **state)
{
	char noise[4096];
	struct rig r;
	size_t sent = 0;
	int rc = 0;

	(void)state;
	memset(noise, 'M', sizeof noise);
	rig_init(&r);
	for (; rc == 0 && sent <= 2 * LIMIT_BOOT_NOISE; sent += sizeof noise)
		rc = relay_talk_take(r.talk, noise, sizeof noise, &r.msg);
	assert_int_equal(rc, ERR_PROTO);
	assert_true(sent <= LIMIT_BOOT_NOISE + 2 * sizeof noise);
	rig_done(&r);
}

static void test_in_pieces_of_a_byte(void **state)
{
	struct buf all = {0};
	struct hello_msg hello = {1, 1, NULL, 0};
	size_t begin = frame_begin(&all);
	struct rig r;

	(void)state;
	hello_put(&all, &hello);
	assert_int_equal(frame_end(&all, begin, MSG_HELLO, 0, 0), 0);
	begin = frame_begin(&all);
	job_accepted_put(&all, &(struct job_accepted_msg){.job = JOB, .first_child = FIRST});
	assert_int_equal(frame_end(&all, begin, MSG_JOB_ACCEPTED, 0, 0), 0);
	rig_init(&r);
	for (size_t i = 0; i < all.len; i++) {
		assert_int_equal(relay_talk_take(r.talk, all.data + i, 1, &r.msg), 0);
		if (i + 1 == begin)
			relay_talk_asked(r.talk, COUNT, false);
	}
	expect(&r, "hello accepted ");
	buf_done(&all);
	rig_done(&r);
}

/* --- files ---------------------------------------------------------------------------------- */

static int say_open(struct rig *r, uint64_t number)
{
	char host[] = "h", *from[] = {host};
	struct copy_open_msg m = {
		.task = number, .pull = true, .from = from, .from_count = 1, .window = 77};
	struct buf body = {0};

	copy_open_put(&body, &m);
	return say(r, MSG_COPY_OPEN, &body);
}

static int say_data(struct rig *r, uint64_t number)
{
	uint8_t data[] = "abc";
	struct copy_data_msg m = {.task = number, .index = 1, .data = data, .len = 3};
	struct buf body = {0};

	copy_data_put(&body, &m);
	return say(r, MSG_COPY_DATA, &body);
}

static int say_end_of_stage(struct rig *r)
{
	struct copy_end_msg m = {.task = 1};
	struct buf body = {0};

	copy_end_put(&body, &m);
	return say(r, MSG_COPY_END, &body);
}

static void copies_accept(struct rig *r)
{
	rig_init(r);
	assert_int_equal(say_hello(r, 1, 1), 0);
	relay_talk_asked(r->talk, COUNT, true);
	assert_int_equal(say_accepted(r, JOB, FIRST), 0);
	buf_clear(&r->said);
}

static void test_files_of_children(void **state)
{
	struct rig r;

	(void)state;
	copies_accept(&r);
	assert_int_equal(say_open(&r, COPY_PASS_NUMBER(2, 1)), 0);
	assert_int_equal(say_data(&r, COPY_PASS_NUMBER(2, 1)), 0);
	assert_int_equal(say_open(&r, COPY_PASS_NUMBER(2, 2)), 0);
	expect(&r, "2<1(77) 2<1:90 2<2(77) ");
	assert_true(relay_talk_may_have_begun(r.talk, 2, true));
	assert_false(relay_talk_may_have_begun(r.talk, 1, true));
	assert_int_equal(say_end(&r, FIRST + 2, "exited", 0, NULL), 0);
	buf_clear(&r.said);
	assert_int_equal(say_data(&r, COPY_PASS_NUMBER(2, 2)), ERR_PROTO);
	expect(&r, "");
	rig_done(&r);
}

static void test_files_of_others(void **state)
{
	static const uint64_t numbers[] = {COPY_PASS_NUMBER(COUNT, 1), 1ULL << 32, UINT64_MAX};
	struct rig r;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		copies_accept(&r);
		assert_int_equal(say_open(&r, numbers[i]), ERR_PROTO);
		rig_done(&r);
		copies_accept(&r);
		assert_int_equal(say_data(&r, numbers[i]), ERR_PROTO);
		expect(&r, "");
		rig_done(&r);
	}
}

static void test_nobody_has_asked(void **state)
{
	struct rig r;

	(void)state;
	rig_accept(&r);
	assert_int_equal(say_open(&r, COPY_PASS_NUMBER(0, 1)), ERR_PROTO);
	rig_done(&r);
	rig_accept(&r);
	assert_int_equal(say_data(&r, COPY_PASS_NUMBER(0, 1)), ERR_PROTO);
	rig_done(&r);
}

static void test_files_to_it(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r);
	/* Noise. */
	assert_int_equal(say_end_of_stage(&r), 0);
	expect(&r, "");
	rig_done(&r);
	rig_init(&r);
	assert_int_equal(say_hello(&r, 1, 1), 0);
	assert_int_equal(say_end_of_stage(&r), 0);
	expect(&r, "hello stage(93) ");
	assert_int_equal(say_data(&r, 1), ERR_PROTO);
	rig_done(&r);
	rig_accept(&r);
	assert_int_equal(say_end_of_stage(&r), ERR_PROTO);
	rig_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_job_from_its_beginning_to_its_end),
		cmocka_unit_test(test_rows_have_our_numbers),
		cmocka_unit_test(test_columns_come_in_order_and_not_without_end),
		cmocka_unit_test(test_children_of_others),
		cmocka_unit_test(test_nothing_after_the_end_of_a_child),
		cmocka_unit_test(test_records_are_counted),
		cmocka_unit_test(test_ends_that_cannot_be),
		cmocka_unit_test(test_who_may_have_begun_is_told_before),
		cmocka_unit_test(test_who_has_begun_may_have),
		cmocka_unit_test(test_nobody_has_begun_before_the_job_was_sent),
		cmocka_unit_test(test_ids_that_cannot_be),
		cmocka_unit_test(test_another_version),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_every_message_in_every_phase),
		cmocka_unit_test(test_a_shell_may_talk_before),
		cmocka_unit_test(test_noise_without_end),
		cmocka_unit_test(test_in_pieces_of_a_byte),
		cmocka_unit_test(test_files_of_children),
		cmocka_unit_test(test_files_of_others),
		cmocka_unit_test(test_nobody_has_asked),
		cmocka_unit_test(test_files_to_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
