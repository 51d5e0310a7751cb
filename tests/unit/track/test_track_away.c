/* A track without its connection: when it looks for another, and when it gives up. */
#include "track_rig.h"

#define MINUTE_MS 60000u
#define DAY_NS	  UINT64_C(86400000000000)

/* The connection fails: how long until the next. */
static uint64_t next_delay(struct rig *r)
{
	rig_fire(r);
	rig_expect(r, "connect");
	track_on_lost(r->track, CAUSE_UNREACHABLE, "refused");
	rig_expect(r, "");
	return r->timer_ms;
}

static void test_later_each_time(void **state)
{
	static const uint64_t middle[] = {5000, 10000, 20000, 40000, 60000, 60000, 60000};
	struct rig r;

	(void)state;
	for (uint64_t chance = 0; chance < 3; chance++) {
		rig_run(&r, (struct track_spec){0});
		/* Least, most and something between. */
		r.random = chance == 2 ? 12345 : 0;
		track_on_lost(r.track, CAUSE_LINK_LOST, "cut");
		for (size_t i = 0; i < 7; i++) {
			if (chance == 1)
				r.random = (i + 1 < 7 ? middle[i + 1] : 60000);
			assert_in_range(r.timer_ms, middle[i] / 2, middle[i] + middle[i] / 2);
			buf_clear(&r.log);
			(void)next_delay(&r);
		}
		rig_done(&r);
	}
}

static void test_jitter(void **state)
{
	uint64_t seen[2];
	struct rig r;

	(void)state;
	for (int i = 0; i < 2; i++) {
		rig_run(&r, (struct track_spec){.reconnect_delay_ms = 1000});
		r.random = i ? 1000 : 0;
		track_on_lost(r.track, CAUSE_LINK_LOST, "cut");
		seen[i] = r.timer_ms;
		rig_done(&r);
	}
	assert_int_equal(seen[0], 500);
	assert_int_equal(seen[1], 1500);
}

/* Never longer than the timeout in all, and then it is over. */
static void test_gives_up(void **state)
{
	struct rig r;
	uint64_t lost_ms;

	(void)state;
	rig_run(&r, (struct track_spec){.reconnect_timeout_ms = 33000});
	lost_ms = r.now_ms;
	track_on_lost(r.track, CAUSE_LINK_LOST, "cut");
	rig_expect(&r, "lost");
	while (r.now_ms + r.timer_ms < lost_ms + 33000)
		(void)next_delay(&r);
	assert_int_equal(r.now_ms + r.timer_ms, lost_ms + 33000);
	rig_fire(&r);
	rig_expect(&r, "end:link-lost:began");
	assert_string_equal(r.outcome.text, "refused");
	assert_true(track_is_settled(r.track));
	rig_done(&r);
}

/* Once it is back the next loss begins anew. */
static void test_back_begins_anew(void **state)
{
	struct rig r;

	(void)state;
	rig_run(&r, (struct track_spec){0});
	track_on_lost(r.track, CAUSE_LINK_LOST, "cut");
	rig_expect(&r, "lost");
	for (int i = 0; i < 4; i++)
		(void)next_delay(&r);
	rig_fire(&r);
	rig_open(&r);
	rig_attached(&r);
	rig_say_running(&r);
	rig_expect(&r, "connect +ATTACH(1) back");
	assert_int_equal(r.timer_ms, TRACK_NEVER);
	track_on_lost(r.track, CAUSE_LINK_LOST, "cut");
	assert_int_equal(r.timer_ms, 2500);
	rig_done(&r);
}

/* Case 17: the host is another one. */
static void test_host_key_changed(void **state)
{
	struct rig r;

	(void)state;
	rig_run(&r, (struct track_spec){0});
	track_on_lost(r.track, CAUSE_LINK_LOST, "reset");
	rig_fire(&r);
	track_on_lost(r.track, CAUSE_HOST_KEY, "the key of the host has changed");
	rig_expect(&r, "lost connect end:host-key:began");
	assert_int_equal(r.timer_ms, TRACK_NEVER);
	rig_done(&r);
}

static void test_stop_while_away(void **state)
{
	uint64_t asked_ms;
	struct rig r;

	(void)state;
	rig_run(&r, (struct track_spec){0});
	track_on_lost(r.track, CAUSE_LINK_LOST, "cut");
	track_stop(r.track);
	rig_expect(&r, "lost connect");
	rig_open(&r);
	rig_expect(&r, "+ATTACH(1) +SIGNAL(1)");
	rig_done(&r);

	/* Nobody there: a minute, and not half an hour. */
	rig_run(&r, (struct track_spec){0});
	track_on_lost(r.track, CAUSE_LINK_LOST, "cut");
	asked_ms = r.now_ms;
	track_stop(r.track);
	track_on_lost(r.track, CAUSE_UNREACHABLE, "refused");
	rig_expect(&r, "lost connect");
	while (r.now_ms + r.timer_ms < asked_ms + MINUTE_MS)
		(void)next_delay(&r);
	rig_fire(&r);
	rig_expect(&r, "end:link-lost:began");
	assert_int_equal(r.now_ms, asked_ms + MINUTE_MS);
	assert_non_null(strstr(r.outcome.text, "the stop could not be told: refused"));
	rig_done(&r);
}

/* Also where it was asked to stop first, and then the connection went. */
static void test_lost_while_it_stops(void **state)
{
	struct rig r;

	(void)state;
	rig_run(&r, (struct track_spec){0});
	track_stop(r.track);
	track_on_lost(r.track, CAUSE_LINK_LOST, "cut");
	rig_expect(&r, "+SIGNAL(1) lost");
	for (uint64_t lost_ms = r.now_ms; r.now_ms + r.timer_ms < lost_ms + MINUTE_MS;)
		(void)next_delay(&r);
	rig_fire(&r);
	rig_expect(&r, "end:link-lost:began");
	rig_done(&r);
}

/* A connection that is dead, which nobody knows so far: the stop is told again on another. */
static void test_stop_is_not_answered(void **state)
{
	struct rig r;

	(void)state;
	rig_run(&r, (struct track_spec){0});
	track_stop(r.track);
	rig_expect(&r, "+SIGNAL(1)");
	rig_fire(&r);
	rig_expect(&r, "leave:detach:shun lost");
	rig_fire(&r);
	rig_open(&r);
	rig_attached(&r);
	rig_say_running(&r);
	rig_expect(&r, "connect +ATTACH(1) +SIGNAL(1) +SIGNAL(1) back");
	/* Now it is the agent. */
	rig_fire(&r);
	rig_expect(&r, "leave:kill:shun end:stopped:began");
	rig_done(&r);
}

static void test_run_timeout_is_not_kept(void **state)
{
	struct rig r;

	(void)state;
	rig_run(&r, (struct track_spec){.run_timeout_ms = 5000});
	assert_in_range(r.timer_ms, 5000, 60000);
	rig_fire(&r);
	rig_expect(&r, "leave:detach:shun lost");
	rig_fire(&r);
	rig_open(&r);
	rig_attached(&r);
	rig_say_running(&r);
	rig_expect(&r, "connect +ATTACH(1) back");
	rig_fire(&r);
	rig_expect(&r, "leave:kill:shun end:timeout:began");
	rig_done(&r);
}

/* After a restart: a host that may have forgotten it must not start it again. */
static void test_attach_only(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, (struct track_spec){.durable = true, .asked = true});
	track_start(r.track, false);
	rig_open(&r);
	rig_expect(&r, "connect +OPEN(1)");
	rig_done(&r);

	rig_init(&r, (struct track_spec){.durable = true, .asked = true, .attach_only = true});
	track_start(r.track, false);
	rig_open(&r);
	rig_expect(&r, "connect +ATTACH(1)");
	assert_int_equal(RIG_SAY(&r, TASK_END, task_end, 1, .kind = TASK_GONE, .exit_code = -1), 0);
	rig_expect(&r, "taken(1) end:agent-lost");
	assert_non_null(strstr(r.outcome.text, "knows nothing"));
	rig_done(&r);

	/* Something came of it: so it was started, whatever was noted. */
	rig_init(&r, (struct track_spec){.durable = true, .last_seq = 4});
	track_start(r.track, false);
	rig_open(&r);
	rig_expect(&r, "connect +ATTACH(5)");
	rig_done(&r);
}

static void test_detached(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, (struct track_spec){.durable = true, .detached = true});
	track_start(r.track, false);
	rig_open(&r);
	rig_attached(&r);
	rig_say_running(&r);
	rig_expect(&r, "connect +OPEN(1) running leave:detach lost");
	assert_int_equal(r.timer_ms, TRACK_NEVER);
	/* Who asks for it has it for good. */
	track_wake(r.track);
	rig_open(&r);
	rig_attached(&r);
	rig_say_running(&r);
	rig_expect(&r, "connect +ATTACH(1) back");
	rig_done(&r);
}

/* Case 51. */
static void test_wall_clock_steps(void **state)
{
	struct rig r;

	(void)state;
	rig_run(&r, (struct track_spec){.reconnect_timeout_ms = 100000});
	r.wall_ns += DAY_NS;
	track_on_lost(r.track, CAUSE_LINK_LOST, "cut");
	assert_int_equal(r.timer_ms, 2500);
	r.wall_ns -= 2 * DAY_NS;
	rig_fire(&r);
	rig_expect(&r, "lost connect");
	rig_open(&r);
	rig_attached(&r);
	rig_say_running(&r);
	assert_int_equal(rig_records(&r, 1, 1, 1), 0);
	rig_expect(&r, "+ATTACH(1) back '1' taken(1)");
	rig_done(&r);
}

/* An agent that breaks the protocol each time, and never gets on, is not asked for ever. */
static void test_breaks_the_protocol(void **state)
{
	struct rig r;
	int rounds = 0;

	(void)state;
	rig_run(&r, (struct track_spec){0});
	for (; !track_is_settled(r.track) && rounds < 50; rounds++) {
		assert_int_equal(rig_records(&r, 7, 1, 1), ERR_PROTO);
		track_on_lost(r.track, CAUSE_AGENT_LOST, "it says nonsense");
		if (track_is_settled(r.track))
			break;
		rig_fire(&r);
		rig_open(&r);
		rig_attached(&r);
		rig_say_running(&r);
	}
	assert_in_range(rounds, 2, 10);
	assert_int_equal(r.outcome.cause, CAUSE_AGENT_LOST);
	rig_done(&r);
}

/* One whose agent is killed now and then only begins again. */
static void test_agent_is_killed_often(void **state)
{
	struct rig r;

	(void)state;
	rig_run(&r, (struct track_spec){0});
	for (int i = 0; i < 20; i++) {
		track_on_lost(r.track, CAUSE_AGENT_LOST, "the agent has ended");
		rig_fire(&r);
		rig_open(&r);
		rig_attached(&r);
		rig_say_running(&r);
	}
	assert_false(track_is_settled(r.track));
	rig_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_later_each_time),
		cmocka_unit_test(test_jitter),
		cmocka_unit_test(test_gives_up),
		cmocka_unit_test(test_back_begins_anew),
		cmocka_unit_test(test_host_key_changed),
		cmocka_unit_test(test_stop_while_away),
		cmocka_unit_test(test_lost_while_it_stops),
		cmocka_unit_test(test_stop_is_not_answered),
		cmocka_unit_test(test_run_timeout_is_not_kept),
		cmocka_unit_test(test_attach_only),
		cmocka_unit_test(test_detached),
		cmocka_unit_test(test_wall_clock_steps),
		cmocka_unit_test(test_breaks_the_protocol),
		cmocka_unit_test(test_agent_is_killed_often),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
