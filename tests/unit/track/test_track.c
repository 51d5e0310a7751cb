/* The table of a track: what each thing that happens does in each state. */
#include "track_rig.h"

enum at { AT_PARKED, AT_WAITING, AT_ASKED, AT_RUNNING, AT_AWAY, AT_ENDED, AT_COUNT };

enum what {
	DO_OPEN,
	DO_LOST,
	DO_HOST_KEY,
	DO_NO_AGENT,
	DO_RUNNING,
	DO_DETACHED,
	DO_END,
	DO_STORED,
	DO_TIMER,
	DO_STOP,
	DO_PARK,
	DO_WAKE,
	DO_DROP,
	DO_KILL
};

static void go_to(struct rig *r, enum at at, bool durable)
{
	rig_init(r, (struct track_spec){.durable = durable, .begun = at == AT_PARKED});
	track_start(r->track, at == AT_PARKED);
	if (at >= AT_ASKED)
		rig_open(r);
	if (at >= AT_ASKED && durable)
		rig_attached(r);
	if (at >= AT_RUNNING)
		rig_say_running(r);
	if (at == AT_AWAY)
		track_on_lost(r->track, CAUSE_LINK_LOST, "cut");
	if (at == AT_ENDED)
		assert_int_equal(rig_say_end(r, 1), 0);
	buf_clear(&r->log);
}

static void do_it(struct rig *r, enum what what)
{
	switch (what) {
	case DO_OPEN:
		rig_open(r);
		break;
	case DO_LOST:
		track_on_lost(r->track, CAUSE_LINK_LOST, "cut");
		break;
	case DO_HOST_KEY:
		track_on_lost(r->track, CAUSE_HOST_KEY, "it has changed");
		break;
	case DO_NO_AGENT:
		track_on_no_agent(r->track, "none");
		break;
	case DO_RUNNING:
		rig_say_running(r);
		break;
	case DO_DETACHED:
		assert_int_equal(rig_say_detached(r), 0);
		break;
	case DO_END:
		assert_int_equal(rig_say_end(r, 1), 0);
		break;
	case DO_STORED:
		track_on_stored(r->track, 1);
		break;
	case DO_TIMER:
		rig_fire(r);
		break;
	case DO_STOP:
		track_stop(r->track);
		break;
	case DO_PARK:
		track_park(r->track);
		break;
	case DO_WAKE:
		track_wake(r->track);
		break;
	case DO_DROP:
		track_drop(r->track, false);
		break;
	case DO_KILL:
		track_drop(r->track, true);
		break;
	}
}

struct row {
	enum at at;
	enum what what;
	const char *words;
	bool over;
};

static void check_rows(const struct row *rows, size_t count, bool durable)
{
	for (size_t i = 0; i < count; i++) {
		struct rig r;

		go_to(&r, rows[i].at, durable);
		do_it(&r, rows[i].what);
		if (r.log.len && r.log.data[r.log.len - 1] == ' ')
			r.log.len--;
		if (strcmp(buf_cstr(&r.log), rows[i].words) != 0)
			fail_msg("row %zu: \"%s\", not \"%s\"", i, buf_cstr(&r.log), rows[i].words);
		assert_int_equal(track_is_settled(r.track), rows[i].over);
		rig_done(&r);
	}
}

static void test_durable(void **state)
{
	static const struct row rows[] = {
		{AT_PARKED, DO_WAKE, "connect", false},
		{AT_PARKED, DO_STOP, "connect", false},
		{AT_PARKED, DO_DROP, "", true},
		{AT_PARKED, DO_PARK, "", false},
		{AT_WAITING, DO_OPEN, "+OPEN(1)", false},
		{AT_WAITING, DO_LOST, "end:link-lost", true},
		{AT_WAITING, DO_HOST_KEY, "end:host-key", true},
		{AT_WAITING, DO_NO_AGENT, "no-agent:none", true},
		{AT_WAITING, DO_STOP, "", false},
		{AT_WAITING, DO_WAKE, "", false},
		{AT_WAITING, DO_DROP, "leave:free", true},
		{AT_ASKED, DO_RUNNING, "running", false},
		{AT_ASKED, DO_LOST, "", false},
		{AT_ASKED, DO_HOST_KEY, "end:host-key", true},
		{AT_ASKED, DO_NO_AGENT, "", false},
		{AT_ASKED, DO_DETACHED, "leave:ended", false},
		{AT_ASKED, DO_END, "taken(1) end:exited", false},
		{AT_ASKED, DO_TIMER, "leave:detach:shun", false},
		{AT_ASKED, DO_STOP, "+SIGNAL(1)", false},
		{AT_ASKED, DO_PARK, "", false},
		{AT_ASKED, DO_DROP, "leave:detach", true},
		{AT_RUNNING, DO_LOST, "lost", false},
		{AT_RUNNING, DO_HOST_KEY, "end:host-key:began", true},
		{AT_RUNNING, DO_DETACHED, "leave:ended lost", false},
		{AT_RUNNING, DO_END, "taken(1) end:exited:began", false},
		{AT_RUNNING, DO_STORED, "+ACK(1)", false},
		{AT_RUNNING, DO_STOP, "+SIGNAL(1)", false},
		{AT_RUNNING, DO_PARK, "leave:detach lost", false},
		{AT_RUNNING, DO_WAKE, "", false},
		{AT_RUNNING, DO_DROP, "leave:detach", true},
		{AT_RUNNING, DO_KILL, "leave:kill", true},
		{AT_AWAY, DO_TIMER, "connect", false},
		{AT_AWAY, DO_WAKE, "connect", false},
		{AT_AWAY, DO_STOP, "connect", false},
		{AT_AWAY, DO_PARK, "", false},
		{AT_AWAY, DO_STORED, "", false},
		{AT_AWAY, DO_DROP, "", true},
		{AT_ENDED, DO_STORED, "+ACK(1) leave:ended", true},
		{AT_ENDED, DO_LOST, "", true},
		{AT_ENDED, DO_HOST_KEY, "", true},
		{AT_ENDED, DO_STOP, "", false},
		{AT_ENDED, DO_PARK, "", false},
		{AT_ENDED, DO_WAKE, "", false},
		{AT_ENDED, DO_DROP, "leave:ended", true},
	};

	(void)state;
	check_rows(rows, sizeof rows / sizeof rows[0], true);
}

static void test_inline(void **state)
{
	static const struct row rows[] = {
		{AT_WAITING, DO_OPEN, "+OPEN(0)", false},
		{AT_WAITING, DO_LOST, "end:link-lost", true},
		{AT_WAITING, DO_NO_AGENT, "no-agent:none", true},
		{AT_ASKED, DO_RUNNING, "running", false},
		{AT_ASKED, DO_LOST, "end:link-lost", true},
		{AT_ASKED, DO_END, "taken(1) leave:ended end:exited", true},
		{AT_ASKED, DO_TIMER, "leave:kill:shun end:timeout", true},
		{AT_ASKED, DO_STOP, "+SIGNAL(1)", false},
		{AT_ASKED, DO_DROP, "leave:kill", true},
		{AT_RUNNING, DO_LOST, "end:link-lost:began", true},
		{AT_RUNNING, DO_END, "taken(1) leave:ended end:exited:began", true},
		{AT_RUNNING, DO_STORED, "", false},
		{AT_RUNNING, DO_STOP, "+SIGNAL(1)", false},
		{AT_RUNNING, DO_PARK, "", false},
		{AT_RUNNING, DO_DROP, "leave:kill", true},
	};

	(void)state;
	check_rows(rows, sizeof rows / sizeof rows[0], false);
}

/* It may be the connection that is dead: the second time it is not, nor is it if somebody has said
 * how long a start may take. */
static void test_a_start_that_takes_too_long(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, (struct track_spec){.durable = true});
	track_start(r.track, false);
	rig_open(&r);
	rig_attached(&r);
	rig_fire(&r);
	rig_fire(&r);
	rig_open(&r);
	rig_expect(&r, "connect +OPEN(1) leave:detach:shun connect +OPEN(1)");
	rig_fire(&r);
	rig_expect(&r, "leave:kill:shun end:timeout");
	rig_done(&r);

	rig_init(&r, (struct track_spec){.durable = true, .start_timeout_ms = 1000});
	track_start(r.track, false);
	rig_open(&r);
	rig_fire(&r);
	rig_expect(&r, "connect +OPEN(1) leave:kill:shun end:timeout");
	rig_done(&r);
}

/* An agent that cannot: it runs inline, and says so; or not at all. */
static void test_no_durable_there(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, (struct track_spec){.durable = true});
	track_start(r.track, false);
	track_on_open(r.track, RIG_TASK, 0, "no place");
	rig_expect(&r, "connect [no durable run: no place] +OPEN(0)");
	assert_false(track_is_durable(r.track));
	rig_done(&r);

	rig_init(&r, (struct track_spec){.durable = true, .must = true});
	track_start(r.track, false);
	track_on_open(r.track, RIG_TASK, 0, NULL);
	rig_expect(&r, "connect");
	rig_fire(&r);
	rig_expect(&r, "leave:free end:no-agent");
	assert_non_null(strstr(r.outcome.text, "too old"));
	rig_done(&r);

	/* It ran there once: that may be mended. */
	rig_init(&r, (struct track_spec){.durable = true, .begun = true, .asked = true});
	track_start(r.track, false);
	track_on_open(r.track, RIG_TASK, 0, NULL);
	rig_expect(&r, "connect leave:free");
	assert_true(r.timer_ms != TRACK_NEVER);
	rig_done(&r);
}

/* What was told to stop before it was asked for is never asked for. */
static void test_stop_before_the_connection(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, (struct track_spec){.durable = true});
	track_start(r.track, false);
	track_stop(r.track);
	rig_open(&r);
	rig_expect(&r, "connect");
	rig_fire(&r);
	rig_expect(&r, "leave:free end:stopped");
	rig_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_durable),
		cmocka_unit_test(test_inline),
		cmocka_unit_test(test_a_start_that_takes_too_long),
		cmocka_unit_test(test_no_durable_there),
		cmocka_unit_test(test_stop_before_the_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
