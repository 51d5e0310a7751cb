/* How lines end: stopped, freed and tried again in each of their states. */
#include "command.h"
#include "line_dropper.h"

/* lines_new: with so few descriptors there are so few slots. */
#define FEW_FILES 64u
#define MORE	  40u
#define LONG_RUN  "0123456789abcdef"

static int set_up(void **state)
{
	return rig_set_up_with(state, 2, 4096);
}

static int set_up_few(void **state)
{
	return rig_set_up_with(state, 2, FEW_FILES);
}

static void stop(struct heard *h)
{
	line_stop(h->line);
	line_stop(h->line);
}

static void set_free(struct heard *h)
{
	heard_free(h);
}

static void look_up(struct heard *h)
{
	loop_stop(h->rig->host.loop);
}

/* --- in each state ---------------------------------------------------------------------------- */

/* Ends it in one of two ways, from outside of its events. */
static void end_by(struct heard *h, bool by_stop)
{
	if (by_stop)
		stop(h);
	else
		heard_free(h);
}

static void check_end(const struct heard *h, bool by_stop)
{
	assert_int_equal(h->began, 0);
	if (by_stop)
		heard_ended(h, CONN_END_STOPPED, -1);
	else
		assert_false(h->ended);
}

static void at_once(struct rig *rig, bool by_stop)
{
	struct heard h = {0};

	heard_stream(rig, &h, "echo never");
	end_by(&h, by_stop);
	rig_run(rig);
	check_end(&h, by_stop);
	assert_int_equal(lines_threads(rig->lines), 0);
}

static void test_stopped_at_once(void **state)
{
	at_once(rig_of(state), true);
}

static void test_freed_at_once(void **state)
{
	at_once(rig_of(state), false);
}

/* All slots are taken, and logins in flight are fewer than these: some wait for a slot, some for
 * their turn, and some for a word of the server. */
static void while_waiting(struct rig *rig, bool by_stop)
{
	struct heard *at = xcalloc(MORE, sizeof *at), last = {.on_running = set_free};

	assert_in_range(lines_slots(rig->lines), 2, MORE - 1);
	server_sleeps(rig);
	for (size_t i = 0; i < MORE; i++)
		heard_stream(rig, &at[i], "echo never");
	while (lines_in_use(rig->lines) < lines_slots(rig->lines) || !lines_threads(rig->lines)) {
		loop_stop(rig->host.loop);
		loop_run(rig->host.loop);
	}
	for (size_t i = MORE; i-- > 0;)
		end_by(&at[i], by_stop);
	rig_run(rig);
	for (size_t i = 0; i < MORE; i++)
		check_end(&at[i], by_stop);
	server_wakes(rig);
	/* Their places are free again. */
	heard_stream(rig, &last, "cat");
	rig_run(rig);
	assert_int_equal(last.began, 1);
	free(at);
}

static void test_stopped_while_waiting(void **state)
{
	while_waiting(rig_of(state), true);
}

static void test_freed_while_waiting(void **state)
{
	while_waiting(rig_of(state), false);
}

/* Between two attempts: the last one has failed, the next one is to come. */
static void end_after_drop(struct dropper *d)
{
	look_up(d->arg);
}

static void between_attempts(struct rig *rig, bool by_stop)
{
	struct heard h = {0};
	struct dropper dropper = {.left = 1, .on_drop = end_after_drop, .arg = &h};

	dropper_start(&dropper, rig);
	heard_stream(rig, &h, "echo never");
	loop_run(rig->host.loop);
	/* The place is given back while it waits. */
	while (lines_in_use(rig->lines)) {
		loop_stop(rig->host.loop);
		loop_run(rig->host.loop);
	}
	end_by(&h, by_stop);
	rig_run(rig);
	check_end(&h, by_stop);
	assert_int_equal(dropper.dropped, 1);
}

static void test_stopped_between_attempts(void **state)
{
	between_attempts(rig_of(state), true);
}

static void test_freed_between_attempts(void **state)
{
	between_attempts(rig_of(state), false);
}

static void test_stopped_while_running(void **state)
{
	struct rig *rig = rig_of(state);
	struct heard h = {.on_running = stop};

	heard_stream(rig, &h, "cat");
	rig_run(rig);
	heard_ended(&h, CONN_END_STOPPED, -1);
	assert_true(h.result.began);
}

/* Its processes are ended: nothing else would let the test end. */
static void test_a_command_is_stopped_with_its_processes(void **state)
{
	static const char *const argv[] = {"sh", "-c", "sleep 1000 & sleep 1000"};
	struct rig *rig = rig_of(state);
	struct heard h = {.on_running = stop};
	struct errmsg msg = {{0}};
	struct buf text = {0};

	assert_int_equal(command_exec(&text, LONG_RUN, argv, 3, &msg), 0);
	heard_start(rig, &h,
		    &(struct line_spec){.conn = {.command = buf_cstr(&text), .run_id = LONG_RUN}});
	buf_done(&text);
	rig_run(rig);
	heard_ended(&h, CONN_END_STOPPED, -1);
}

static void go_on(struct heard *h, bool suspended)
{
	assert_int_equal(suspended, h->resumed == 0);
	if (suspended)
		line_suspend(h->line, false);
	else
		line_finish(h->line);
}

static void test_halted_before_it_begins(void **state)
{
	static const char *const argv[] = {"cat"};
	struct rig *rig = rig_of(state);
	struct heard h = {.on_suspended = go_on};
	struct errmsg msg = {{0}};
	struct buf text = {0};

	assert_int_equal(command_exec(&text, LONG_RUN, argv, 1, &msg), 0);
	heard_start(
		rig, &h,
		&(struct line_spec){
			.conn = {.command = buf_cstr(&text), .run_id = LONG_RUN, .input = true}});
	buf_done(&text);
	line_suspend(h.line, true);
	rig_run(rig);
	heard_ended(&h, CONN_END_EXITED, 0);
	assert_int_equal(h.halted, 1);
	assert_int_equal(h.resumed, 1);
}

/* --- inside of events ------------------------------------------------------------------------- */

static void write_much(struct heard *h)
{
	h->to_send = 4 * CONN_QUEUE_LO;
	while (h->sent < h->to_send) {
		line_write(h->line, h->rig->pattern, CONN_QUEUE_LO);
		h->sent += CONN_QUEUE_LO;
	}
}

static void free_first(struct heard *h)
{
	line_free(h->line);
}

static void freed_inside(struct rig *rig, struct heard h, bool ends)
{
	heard_stream(rig, &h, "echo a; echo b >&2; sleep 0.1; echo c; cat >/dev/null");
	rig_run(rig);
	assert_int_equal(h.ended, ends);
	/* Nothing more is told while it goes. */
	h.rig = NULL;
	rig_close(rig);
	heard_done(&h);
}

static void test_freed_inside_of_running(void **state)
{
	freed_inside(rig_of(state), (struct heard){.on_running = set_free}, false);
}

static void test_freed_inside_of_data(void **state)
{
	freed_inside(rig_of(state), (struct heard){.on_data = set_free}, false);
}

static void test_freed_inside_of_burst_end(void **state)
{
	freed_inside(rig_of(state), (struct heard){.on_burst_end = set_free}, false);
}

static void test_freed_inside_of_writable(void **state)
{
	freed_inside(rig_of(state),
		     (struct heard){.on_running = write_much, .on_writable = set_free}, false);
}

/* Of one that has begun, and of one that never will. */
static void test_freed_inside_of_end(void **state)
{
	struct rig *rig = rig_of(state);
	struct heard h = {.on_end = free_first}, none = {.on_end = free_first};

	heard_stream(rig, &h, "true");
	heard_stream(rig, &none, "true");
	line_stop(none.line);
	rig_run(rig);
	heard_ended(&h, CONN_END_EXITED, 0);
	heard_ended(&none, CONN_END_STOPPED, -1);
}

static void test_stopped_inside_of_data(void **state)
{
	freed_inside(rig_of(state), (struct heard){.on_data = stop}, true);
}

/* --- all at once ------------------------------------------------------------------------------ */

static void free_deferred(void *arg)
{
	heard_free(arg);
}

/* Lines in all states are let go, some of them by the loop, and the threads end. */
static void test_the_end_with_lines_under_way(void **state)
{
	struct rig *rig = rig_of(state);
	struct heard *at = xcalloc(MORE, sizeof *at);

	for (size_t i = 0; i < MORE; i++) {
		at[i].to_send = 1 << 20;
		at[i].on_writable = heard_send_pattern;
		at[i].on_running = heard_send_pattern;
		heard_stream(rig, &at[i], "cat");
	}
	at[MORE / 4].on_data = look_up;
	loop_run(rig->host.loop);
	for (size_t i = 0; i < MORE; i++) {
		if (!at[i].line)
			continue;
		if (i % 2)
			loop_defer(rig->host.loop, free_deferred, &at[i]);
		else
			heard_free(&at[i]);
	}
	rig_close(rig);
	assert_int_equal(rig->open, 0);
	for (size_t i = 0; i < MORE; i++)
		heard_done(&at[i]);
	free(at);
}

/* --- tried again ------------------------------------------------------------------------------ */

static void test_dropped_and_tried_again(void **state)
{
	struct rig *rig = rig_of(state);
	struct dropper dropper = {.left = 2};
	struct heard h = {0};

	dropper_start(&dropper, rig);
	heard_stream(rig, &h, "cat; echo end");
	line_write(h.line, "early\n", 6);
	line_hold(h.line, true);
	line_hold(h.line, false);
	line_finish(h.line);
	rig_run(rig);
	heard_ended(&h, CONN_END_EXITED, 0);
	/* What was written goes to the attempt that comes about, once. */
	assert_string_equal(buf_cstr(&h.out), "early\nend\n");
	assert_int_equal(dropper.dropped, 2);
	assert_int_equal(h.began, 1);
	heard_done(&h);
}

static void dropped_always(struct rig *rig, uint64_t retries, unsigned attempts)
{
	struct dropper dropper = {.left = attempts + 1};
	struct heard h = {0};

	dropper_start(&dropper, rig);
	heard_start(rig, &h,
		    &(struct line_spec){.conn = {.command = "true", .stream = true},
					.retries = retries});
	rig_run(rig);
	heard_ended(&h, CONN_END_UNREACHABLE, -1);
	assert_false(h.result.began);
	assert_int_equal(dropper.dropped, attempts);
	dropper_end(&dropper);
}

static void test_no_retries_are_asked_for(void **state)
{
	dropped_always(rig_of(state), 1, 1);
}

static void test_as_often_as_asked_for(void **state)
{
	dropped_always(rig_of(state), 3, 3);
}

/* What the server says for good is not asked again. */
static void test_a_final_end_is_not_tried_again(void **state)
{
	struct rig *rig = rig_of(state);
	char *keys = xasprintf("%s/authorized_keys", rig->host.dir);
	struct heard h = {0};

	assert_int_equal(unlink(keys), 0);
	free(keys);
	heard_start(
		rig, &h,
		&(struct line_spec){.conn = {.command = "true", .stream = true}, .retries = 100});
	rig_run(rig);
	heard_ended(&h, CONN_END_AUTH, -1);
}

#define TEST(f)	    cmocka_unit_test_setup_teardown(f, set_up, rig_tear_down)
#define TEST_FEW(f) cmocka_unit_test_setup_teardown(f, set_up_few, rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_stopped_at_once),
		TEST(test_freed_at_once),
		TEST_FEW(test_stopped_while_waiting),
		TEST_FEW(test_freed_while_waiting),
		TEST(test_stopped_between_attempts),
		TEST(test_freed_between_attempts),
		TEST(test_stopped_while_running),
		TEST(test_a_command_is_stopped_with_its_processes),
		TEST(test_halted_before_it_begins),
		TEST(test_freed_inside_of_running),
		TEST(test_freed_inside_of_data),
		TEST(test_freed_inside_of_burst_end),
		TEST(test_freed_inside_of_writable),
		TEST(test_freed_inside_of_end),
		TEST(test_stopped_inside_of_data),
		TEST(test_the_end_with_lines_under_way),
		TEST(test_dropped_and_tried_again),
		TEST(test_no_retries_are_asked_for),
		TEST(test_as_often_as_asked_for),
		TEST(test_a_final_end_is_not_tried_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
