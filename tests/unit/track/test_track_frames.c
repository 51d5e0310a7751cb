/* What an agent says, and what a track makes of it: numbers, gaps, credit, input, states. */
#include "track_rig.h"

static void test_each_record_once(void **state)
{
	struct rig r;

	(void)state;
	rig_run(&r, (struct track_spec){0});
	assert_int_equal(rig_records(&r, 1, 1, 2), 0);
	rig_expect(&r, "'1' '2' taken(1)");
	/* A repeat is nothing. */
	assert_int_equal(rig_records(&r, 1, 1, 2), 0);
	rig_expect(&r, "");
	assert_int_equal(rig_records(&r, 2, 3, 1), 0);
	rig_expect(&r, "'3' taken(2)");
	/* Records that do not follow, frames that do not. */
	assert_int_equal(rig_records(&r, 3, 5, 1), ERR_PROTO);
	rig_done(&r);

	rig_run(&r, (struct track_spec){0});
	assert_int_equal(rig_records(&r, 2, 1, 1), ERR_PROTO);
	rig_expect(&r, "");
	rig_done(&r);
}

/* Frames of an agent that sends from the begin, though we have some: they use its credit. */
static void test_repeats_have_their_credit(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, (struct track_spec){.durable = true, .window = 60, .last_seq = 50});
	r.quiet = true;
	track_start(r.track, false);
	rig_open(&r);
	rig_attached(&r);
	rig_say_running(&r);
	r.quiet = false;
	buf_clear(&r.log);
	for (uint64_t seq = 1; seq <= 50; seq++)
		assert_int_equal(rig_records(&r, seq, seq, 1), 0);
	assert_non_null(strstr(buf_cstr(&r.log), "+CREDIT"));
	assert_null(strchr(buf_cstr(&r.log), '\''));
	rig_done(&r);
}

/* A command that waits for room in its spool waits for this. */
static void test_acknowledges_again(void **state)
{
	struct rig r;

	(void)state;
	rig_run(&r, (struct track_spec){0});
	assert_int_equal(rig_records(&r, 1, 1, 1), 0);
	track_on_stored(r.track, 1);
	rig_expect(&r, "'1' taken(1) +ACK(1)");
	rig_again(&r);
	rig_expect(&r, "lost connect +ATTACH(2) +ACK(1) back");
	assert_int_equal(rig_records(&r, 2, 2, 1), 0);
	/* What is stored only now, while it is away, is told when it is back. */
	track_on_lost(r.track, CAUSE_LINK_LOST, "cut");
	track_on_stored(r.track, 2);
	rig_expect(&r, "'2' taken(2) lost");
	rig_fire(&r);
	rig_open(&r);
	rig_attached(&r);
	rig_say_running(&r);
	rig_expect(&r, "connect +ATTACH(3) +ACK(2) back");
	rig_done(&r);
}

static void test_end_is_acknowledged_last(void **state)
{
	struct rig r;

	(void)state;
	rig_run(&r, (struct track_spec){0});
	assert_int_equal(rig_records(&r, 1, 1, 1), 0);
	assert_int_equal(rig_say_end(&r, 2), 0);
	rig_expect(&r, "'1' taken(1) taken(2) end:exited:began");
	track_on_stored(r.track, 1);
	rig_expect(&r, "+ACK(1)");
	assert_false(track_is_settled(r.track));
	track_on_stored(r.track, 2);
	rig_expect(&r, "+ACK(2) leave:ended");
	assert_true(track_is_settled(r.track));
	rig_done(&r);
}

/* --- gaps ---------------------------------------------------------------------------------------
 */

static void gap(struct rig *r, uint64_t from, uint64_t to, uint64_t first, uint64_t records,
		const char *words)
{
	assert_int_equal(RIG_SAY(r, TASK_GAP, task_gap, to, .from = from, .first_record = first,
				 .records = records, .bytes = 10),
			 0);
	rig_expect(r, words);
}

static void test_gap_counts(void **state)
{
	struct rig r;

	(void)state;
	rig_run(&r, (struct track_spec){0});
	assert_int_equal(rig_records(&r, 1, 1, 4), 0);
	buf_clear(&r.log);
	gap(&r, 2, 5, 5, 20, "[20 records (10 bytes) ar] taken(5)");
	assert_int_equal(rig_records(&r, 6, 25, 1), 0);
	rig_expect(&r, "'25' taken(6)");
	/* It begins before what we have: only the rest of it is missing. */
	gap(&r, 3, 9, 5, 22, "[1 record (10 bytes) are ] taken(9)");
	assert_int_equal(rig_records(&r, 10, 27, 1), 0);
	rig_expect(&r, "'27' taken(10)");
	/* All of its records are here: nothing comes again. */
	gap(&r, 1, 11, 1, 27, "[0 records (10 bytes) are] taken(11)");
	assert_int_equal(rig_records(&r, 12, 2, 1), ERR_PROTO);
	rig_done(&r);
}

static void test_gap_of_damage(void **state)
{
	struct rig r;

	(void)state;
	rig_run(&r, (struct track_spec){0});
	assert_int_equal(rig_records(&r, 1, 1, 1), 0);
	buf_clear(&r.log);
	gap(&r, 2, 4, 0, 0, "[some records may be miss] taken(4)");
	assert_int_equal(rig_records(&r, 5, 9, 1), 0);
	rig_expect(&r, "'9' taken(5)");
	/* From then on they follow one another again. */
	assert_int_equal(rig_records(&r, 6, 11, 1), ERR_PROTO);
	rig_done(&r);
}

/* Which records we have is not known then; but which frames. */
static void test_gap_after_a_restart(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, (struct track_spec){.durable = true, .begun = true, .last_seq = 6});
	track_start(r.track, false);
	rig_open(&r);
	rig_attached(&r);
	rig_say_running(&r);
	buf_clear(&r.log);
	gap(&r, 5, 8, 3, 9, "[up to 9 records (10 byte] taken(8)");
	rig_done(&r);
}

static void test_gap_that_explains_nothing(void **state)
{
	struct rig r;

	(void)state;
	rig_run(&r, (struct track_spec){0});
	assert_int_equal(RIG_SAY(&r, TASK_GAP, task_gap, 9, .from = 3, .records = 1), ERR_PROTO);
	rig_expect(&r, "");
	rig_done(&r);
}

/* --- schemas ------------------------------------------------------------------------------------
 */

static int schema(struct rig *r, uint64_t seq, uint64_t number)
{
	static char column[] = "a";
	char *columns[] = {column};

	return RIG_SAY(r, TASK_SCHEMA, task_schema, seq, .schema = number, .columns = columns,
		       .column_count = 1);
}

static void test_schemas(void **state)
{
	struct rig r;

	(void)state;
	rig_run(&r, (struct track_spec){0});
	r.quiet = true;
	assert_int_equal(schema(&r, 1, 1), 0);
	assert_int_equal(rig_row(&r, 2, 1, 1), 0);
	rig_expect(&r, "schema(1) '\x91\xa1x'/101");
	assert_int_equal(rig_row(&r, 3, 2, 2), ERR_PROTO);
	assert_int_equal(schema(&r, 4, 3), ERR_PROTO);
	rig_done(&r);
}

/* Damage took the second with it: its rows are plain arrays, and the third has its number. */
static void test_schema_is_lost(void **state)
{
	struct rig r;

	(void)state;
	rig_run(&r, (struct track_spec){0});
	r.quiet = true;
	assert_int_equal(schema(&r, 1, 1), 0);
	buf_clear(&r.log);
	gap(&r, 2, 3, 1, 1, "[1 record (10 bytes) are ]");
	assert_int_equal(rig_row(&r, 4, 2, 2), 0);
	assert_int_equal(schema(&r, 5, 3), 0);
	assert_int_equal(rig_row(&r, 6, 3, 2), 0);
	assert_int_equal(rig_row(&r, 7, 4, 3), 0);
	rig_expect(&r, "'\x91\xa1x' schema(3) '\x91\xa1x' '\x91\xa1x'/102");
	rig_done(&r);
}

static void test_schemas_of_before(void **state)
{
	uint64_t *ids = calloc(2, sizeof *ids);
	struct rig r;

	(void)state;
	assert_non_null(ids);
	ids[0] = 41;
	ids[1] = 42;
	rig_init(&r, (struct track_spec){.durable = true,
					 .begun = true,
					 .last_seq = 2,
					 .schema_ids = ids,
					 .schema_count = 2});
	r.quiet = true;
	track_start(r.track, false);
	rig_open(&r);
	rig_attached(&r);
	rig_say_running(&r);
	buf_clear(&r.log);
	assert_int_equal(rig_row(&r, 3, 8, 2), 0);
	rig_expect(&r, "'\x91\xa1x'/42");
	rig_done(&r);
}

/* --- credit
 * --------------------------------------------------------------------------------------- */

static void test_hold(void **state)
{
	struct rig r;

	(void)state;
	rig_run(&r, (struct track_spec){.window = 40});
	track_hold(r.track, true);
	while (rig_records(&r, 1, 1, 1) == 0 && r.log.len == 0)
		;
	assert_null(strstr(buf_cstr(&r.log), "+CREDIT"));
	for (uint64_t n = 2; n < 20; n++)
		if (rig_records(&r, n, n, 1) != 0)
			break;
	assert_null(strstr(buf_cstr(&r.log), "+CREDIT"));
	track_hold(r.track, false);
	assert_non_null(strstr(buf_cstr(&r.log), "+CREDIT"));
	rig_done(&r);
}

/* A new connection is no way around it: one frame comes, and then no more. */
static void test_held_over_a_loss(void **state)
{
	struct rig r;

	(void)state;
	rig_run(&r, (struct track_spec){.window = 5000});
	track_hold(r.track, true);
	rig_again(&r);
	buf_clear(&r.log);
	assert_int_equal(rig_records(&r, 1, 1, 1), 0);
	assert_int_equal(rig_records(&r, 2, 2, 1), ERR_PROTO);
	rig_expect(&r, "'1' taken(1) '2'");
	rig_done(&r);
}

/* --- input
 * ---------------------------------------------------------------------------------------- */

static void test_feed_after_reattach(void **state)
{
	struct feed *feed = feed_new();
	struct errmsg msg;
	struct rig r;

	(void)state;
	assert_int_equal(feed_add(feed, "0123456789", 10, &msg), 0);
	rig_run(&r, (struct track_spec){.feed = feed});
	track_on_lost(r.track, CAUSE_LINK_LOST, "cut");
	feed_end(feed);
	track_feed(r.track);
	rig_expect(&r, "lost");
	rig_fire(&r);
	rig_open(&r);
	/* Six of them had come. */
	assert_int_equal(RIG_SAY(&r, TASK_ATTACHED, task_attached, 0, .taken = 6, .resumed = true),
			 0);
	rig_say_running(&r);
	rig_expect(&r, "connect +ATTACH(1) back +STDIN(4 end)");
	track_feed(r.track);
	rig_expect(&r, "");
	/* All, and the end too: nothing is said again. */
	track_on_lost(r.track, CAUSE_LINK_LOST, "cut");
	rig_fire(&r);
	rig_open(&r);
	assert_int_equal(
		RIG_SAY(&r, TASK_ATTACHED, task_attached, 0, .taken = 10, .input_ended = true), 0);
	rig_say_running(&r);
	rig_expect(&r, "lost connect +ATTACH(1) back");
	rig_done(&r);
	feed_free(feed);
}

static void test_feed_has_its_window(void **state)
{
	struct feed *feed = feed_new();
	uint8_t *much = calloc(1, 1u << 20);
	struct errmsg msg;
	struct rig r;

	(void)state;
	assert_non_null(much);
	assert_int_equal(feed_add(feed, much, 1u << 20, &msg), 0);
	free(much);
	rig_init(&r, (struct track_spec){.durable = true, .feed = feed});
	track_start(r.track, false);
	rig_open(&r);
	rig_attached(&r);
	buf_clear(&r.log);
	rig_say_running(&r);
	rig_expect(&r, "running +STDIN(32768) +STDIN(32768) +STDIN(32768) +STDIN(32768) "
		       "+STDIN(32768) +STDIN(32768) +STDIN(32768) +STDIN(32768)");
	assert_int_equal(RIG_SAY(&r, TASK_STDIN_ROOM, task_stdin_room, 0, .taken = 32768), 0);
	rig_expect(&r, "+STDIN(32768)");
	assert_int_equal(RIG_SAY(&r, TASK_STDIN_ROOM, task_stdin_room, 0, .taken = 1), ERR_PROTO);
	rig_done(&r);
	feed_free(feed);
}

/* --- states
 * --------------------------------------------------------------------------------------- */

static void say_state(struct rig *r, bool suspended, bool stalled)
{
	assert_int_equal(
		RIG_SAY(r, TASK_STATE, task_state, 0, .suspended = suspended, .stalled = stalled),
		0);
}

static void test_resume_while_away(void **state)
{
	struct rig r;

	(void)state;
	rig_run(&r, (struct track_spec){0});
	track_suspend(r.track, true);
	say_state(&r, true, false);
	rig_expect(&r, "+SIGNAL(2) suspended");
	track_on_lost(r.track, CAUSE_LINK_LOST, "cut");
	track_suspend(r.track, false);
	rig_expect(&r, "lost");
	rig_fire(&r);
	rig_open(&r);
	rig_attached(&r);
	rig_say_running(&r);
	rig_expect(&r, "connect +ATTACH(1) +SIGNAL(3) back");
	say_state(&r, false, false);
	rig_expect(&r, "resumed");
	rig_done(&r);
}

static void test_stalled_is_no_answer(void **state)
{
	struct rig r;

	(void)state;
	rig_run(&r, (struct track_spec){0});
	track_suspend(r.track, true);
	say_state(&r, false, true);
	rig_expect(&r, "+SIGNAL(2) [the disk of the host is ]");
	say_state(&r, true, true);
	rig_expect(&r, "suspended");
	say_state(&r, true, false);
	rig_expect(&r, "[there is room on the dis]");
	rig_done(&r);
}

static void test_nothing_behind_the_end(void **state)
{
	struct rig r;

	(void)state;
	rig_run(&r, (struct track_spec){0});
	assert_int_equal(rig_say_end(&r, 1), 0);
	assert_int_equal(rig_records(&r, 2, 1, 1), ERR_PROTO);
	rig_expect(&r, "taken(1) end:exited:began");
	rig_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_record_once),
		cmocka_unit_test(test_repeats_have_their_credit),
		cmocka_unit_test(test_acknowledges_again),
		cmocka_unit_test(test_end_is_acknowledged_last),
		cmocka_unit_test(test_gap_counts),
		cmocka_unit_test(test_gap_of_damage),
		cmocka_unit_test(test_gap_after_a_restart),
		cmocka_unit_test(test_gap_that_explains_nothing),
		cmocka_unit_test(test_schemas),
		cmocka_unit_test(test_schema_is_lost),
		cmocka_unit_test(test_schemas_of_before),
		cmocka_unit_test(test_hold),
		cmocka_unit_test(test_held_over_a_loss),
		cmocka_unit_test(test_feed_after_reattach),
		cmocka_unit_test(test_feed_has_its_window),
		cmocka_unit_test(test_resume_while_away),
		cmocka_unit_test(test_stalled_is_no_answer),
		cmocka_unit_test(test_nothing_behind_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
