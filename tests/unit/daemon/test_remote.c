/*
 * Connections to agents and tasks on them, against an agent that does what it likes.
 */
#include "remote_rig.h"

/* --- the tests -------------------------------------------------------------------------------- */

/* The job model knows no second suspension: an agent that tells of one must not reach it. */
static void states_that_are_no_change_are_not_told(void **state)
{
	struct told t = {0};
	struct buf said = {0};

	start_running(*state, &t);
	say_state(&said, 1, false);
	say_state(&said, 1, true);
	say_state(&said, 1, true);
	say_state(&said, 1, false);
	say_state(&said, 1, false);
	give(&said);
	assert_string_equal(t.text, "rSG");
	drop(&t);
}

/* Asked for and not done: that is an answer, and one is enough. */
static void a_refusal_to_suspend_is_told_once(void **state)
{
	struct told t = {0};
	struct buf said = {0};

	start_running(*state, &t);
	track_suspend(t.track, true);
	say_state(&said, 1, false);
	say_state(&said, 1, false);
	give(&said);
	assert_string_equal(t.text, "rG");
	drop(&t);
}

/* Or else a target could outlive its run timeout by a word. */
static void only_who_is_asked_to_is_suspended_beyond_the_timeout(void **state)
{
	struct fixture *f = *state;
	struct told t = {0};
	struct buf said = {0};

	f->open.run_timeout_ms = 3600000;
	start_running(f, &t);
	assert_true(t.timed);
	say_state(&said, 1, true);
	give(&said);
	assert_true(t.timed);
	say_state(&said, 1, false);
	give(&said);

	track_suspend(t.track, true);
	say_state(&said, 1, true);
	give(&said);
	assert_false(t.timed);
	track_suspend(t.track, false);
	say_state(&said, 1, false);
	give(&said);
	assert_true(t.timed);
	drop(&t);
}

/* Nobody waits for it any more, and nobody else would end it. */
static void an_orphan_keeps_its_deadline(void **state)
{
	struct fixture *f = *state;
	struct told t = {0};
	struct remote_task *task;
	struct buf said = {0};

	start(f, &t, NULL);
	conns->side->running(conns->state);
	say_hello(&said);
	give(&said);
	task = t.task;
	drop(&t);
	assert_true(is_timed(task));
	say_running(&said, 1);
	say_state(&said, 1, true);
	say_record(&said, 1, 1, 10);
	give(&said);
	assert_true(is_timed(task));
	assert_string_equal(t.text, "");
	say_end(&said, 1, 2);
	give(&said);
	assert_int_equal(conn_count(), 1);
}

/* One that ends may act on its neighbours while these are not told yet. */
static void a_lost_connection_ends_each_task_once(void **state)
{
	struct fixture *f = *state;
	struct told a = {0}, b = {0};
	struct buf said = {0};

	a.other = &b;
	b.other = &a;
	start_running(f, &a);
	start(f, &b, NULL);
	say_running(&said, 2);
	say_record(&said, 2, 1, CREDIT - 50);
	say_record(&said, 1, 1, CREDIT - 50);
	give(&said);
	conn_lose(conns);
	assert_null(a.track);
	assert_null(b.track);
	assert_int_equal(a.outcome.cause, CAUSE_LINK_LOST);
	assert_int_equal(b.outcome.cause, CAUSE_LINK_LOST);
}

static void the_next_task_takes_the_same_connection(void **state)
{
	struct fixture *f = *state;
	struct told a = {0}, b = {0};
	struct buf said = {0};

	a.then = &b;
	start_running(f, &a);
	say_end(&said, 1, 1);
	say_running(&said, 2);
	give(&said);
	assert_null(a.track);
	assert_string_equal(b.text, "r");
	assert_int_equal(conn_count(), 1);
	drop(&b);
}

/* What follows a fault in the same piece is for nobody, and the next task begins elsewhere. */
static void a_fault_ends_the_connection(void **state)
{
	struct fixture *f = *state;
	struct told a = {0}, b = {0};
	struct buf said = {0};

	a.then = &b;
	start_running(f, &a);
	say_record(&said, 1, 2, 10);
	say_record(&said, 1, 1, 10);
	say_end(&said, 1, 2);
	give(&said);
	assert_string_equal(a.text, "r");
	assert_int_equal(a.outcome.cause, CAUSE_AGENT_LOST);
	assert_non_null(b.track);
	loop_flush(f->loop);
	assert_int_equal(conn_count(), 1);
	assert_ptr_equal(b.task->remote->line, conns);
	drop(&b);
}

static void a_frame_without_credit_ends_the_connection(void **state)
{
	struct fixture *f = *state;
	struct told t = {0};
	struct buf said = {0};

	start_running(f, &t);
	track_hold(t.track, true);
	/* The first may go beyond what is left. */
	say_record(&said, 1, 1, 10 * CREDIT);
	give(&said);
	assert_string_equal(t.text, "rR");
	say_record(&said, 1, 2, 1);
	give(&said);
	assert_null(t.track);
	assert_int_equal(t.outcome.cause, CAUSE_AGENT_LOST);
}

/* A job is not to fail, or to succeed, by the password of another. */
static void on_its_way_a_connection_has_one_password(void **state)
{
	struct fixture *f = *state;
	struct told a = {0}, b = {0}, c = {0}, d = {0};

	start(f, &a, "first");
	start(f, &b, "first");
	assert_int_equal(conn_count(), 1);
	start(f, &c, "second");
	assert_int_equal(conn_count(), 2);
	start(f, &d, NULL);
	assert_int_equal(conn_count(), 3);
	drop(&a);
	drop(&b);
	drop(&c);
	drop(&d);
}

static void a_key_that_is_not_trusted_any_more_is_left(void **state)
{
	struct fixture *f = *state;
	struct told a = {0}, b = {0};
	struct line *old;
	struct buf said = {0};

	start_running(f, &a);
	say_end(&said, 1, 1);
	give(&said);
	old = conns;
	old->trusted = false;
	start(f, &b, NULL);
	assert_ptr_not_equal(conns, old);
	loop_flush(f->loop);
	assert_true(old->freed);
	drop(&b);
}

/* That all of a run is stored is the last that its agent is told. Nobody is given that connection.
 */
static void what_was_written_last_still_gets_there(void **state)
{
	struct fixture *f = *state;
	struct told a = {0}, b = {0};
	struct buf said = {0};
	struct line *old;

	remotes_free(f->remotes);
	f->remotes = remotes_new(f->engine, NULL, 0, 0);
	start_running(f, &a);
	old = conns;
	old->queued = 20;
	say_end(&said, 1, 1);
	give(&said);
	assert_null(a.track);
	loop_flush(f->loop);
	assert_true(old->finished);
	assert_false(old->freed);
	start(f, &b, NULL);
	assert_ptr_not_equal(conns, old);
	conn_lose(old);
	loop_flush(f->loop);
	drop(&b);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(states_that_are_no_change_are_not_told),
		TEST(a_refusal_to_suspend_is_told_once),
		TEST(only_who_is_asked_to_is_suspended_beyond_the_timeout),
		TEST(an_orphan_keeps_its_deadline),
		TEST(a_lost_connection_ends_each_task_once),
		TEST(the_next_task_takes_the_same_connection),
		TEST(a_fault_ends_the_connection),
		TEST(a_frame_without_credit_ends_the_connection),
		TEST(on_its_way_a_connection_has_one_password),
		TEST(a_key_that_is_not_trusted_any_more_is_left),
		TEST(what_was_written_last_still_gets_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
