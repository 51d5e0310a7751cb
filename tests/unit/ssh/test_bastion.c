/* Lines through bastions, which are real sshd: one session for all, bytes both ways, and ends. */
#include "bastion_rig.h"

#define THREADS	   3u
#define ECHO_BYTES (UINT64_C(20) << 20)
#define MANY	   100u
#define MANY_BYTES (UINT64_C(200) << 10)

static int set_up(void **state)
{
	return rig_set_up_as(state, THREADS, 4096, "MaxStartups 1000\nLogLevel VERBOSE");
}

/* The session of a bastion stays for a while, and has a slot. */
static int tear_down(void **state)
{
	struct rig *rig = *state;

	if (rig && rig->lines)
		rig_close(rig);
	return rig_tear_down(state);
}

static void test_output_and_exit(void **state)
{
	struct rig *rig = rig_of(state);
	struct heard h = {0};
	static struct way way;

	way_make(rig, &way, 2);
	heard_start(rig, &h,
		    &(struct line_spec){.conn = {.command = "echo out; echo err >&2; exit 3",
						 .target = way_end(&way)}});
	rig_run(rig);
	heard_ended(&h, CONN_END_EXITED, 3);
	assert_string_equal(buf_cstr(&h.out), "out\n");
	assert_string_equal(buf_cstr(&h.err), "err\n");
	assert_int_equal(rig_log_count(rig, "Accepted publickey"), 2);
	heard_done(&h);
}

static void test_echo(void **state)
{
	struct rig *rig = rig_of(state);
	struct heard h = {.expects_pattern = true,
			  .to_send = ECHO_BYTES,
			  .on_running = heard_send_pattern,
			  .on_writable = heard_send_pattern};
	static struct way way;

	way_make(rig, &way, 2);
	heard_by(rig, &h, way_end(&way), "cat");
	rig_run(rig);
	heard_ended(&h, CONN_END_EXITED, 0);
	assert_int_equal(h.received, ECHO_BYTES);
	heard_done(&h);
}

static void test_one_session_for_many(void **state)
{
	struct rig *rig = rig_of(state);
	struct heard *at = xcalloc(MANY, sizeof *at);
	static struct way way;

	way_make(rig, &way, 2);
	for (size_t i = 0; i < MANY; i++) {
		at[i] = (struct heard){.expects_pattern = true,
				       .to_send = MANY_BYTES + i,
				       .on_running = heard_send_pattern,
				       .on_writable = heard_send_pattern};
		heard_by(rig, &at[i], way_end(&way), "cat");
	}
	rig_run(rig);
	for (size_t i = 0; i < MANY; i++) {
		heard_ended(&at[i], CONN_END_EXITED, 0);
		assert_int_equal(at[i].received, MANY_BYTES + i);
		heard_done(&at[i]);
	}
	assert_int_equal(rig_log_count(rig, "Accepted publickey"), MANY + 1);
	free(at);
}

static void test_hops(void **state)
{
	struct rig *rig = rig_of(state);
	struct heard h[2] = {{0}};
	static struct way way;

	way_make(rig, &way, 3);
	heard_by(rig, &h[0], way_end(&way), "echo a");
	heard_by(rig, &h[1], way_end(&way), "echo b");
	rig_run(rig);
	for (size_t i = 0; i < ARRAY_LEN(h); i++) {
		heard_ended(&h[i], CONN_END_EXITED, 0);
		assert_string_equal(buf_cstr(&h[i].out), i ? "b\n" : "a\n");
		heard_done(&h[i]);
	}
	assert_int_equal(rig_log_count(rig, "Accepted publickey"), 4);
}

/* Who leaves takes nobody with it, whatever it was waiting for. */
static void test_freed_at_any_time(void **state)
{
	struct rig *rig = rig_of(state);
	struct heard stays = {0}, goes[8] = {{0}};
	static struct way way;

	way_make(rig, &way, 2);
	heard_by(rig, &stays, way_end(&way), "echo stays");
	for (size_t i = 0; i < ARRAY_LEN(goes); i++)
		heard_by(rig, &goes[i], way_end(&way), "cat");
	for (size_t i = 0; i < ARRAY_LEN(goes); i++) {
		/* Wherever it is by then. */
		for (size_t n = 0; n < i * 10; n++) {
			(void)event_base_loop(loop_base(rig->host.loop), EVLOOP_NONBLOCK);
			(void)usleep(1000);
		}
		heard_free(&goes[i]);
	}
	rig_run(rig);
	heard_ended(&stays, CONN_END_EXITED, 0);
	heard_done(&stays);
}

/* --- ends
 * ----------------------------------------------------------------------------------------- */

static void test_nobody_listens(void **state)
{
	struct rig *rig = rig_of(state);
	struct heard h[3] = {{0}}, good = {0};
	struct plan_target off[3];
	static struct way way;

	way_make(rig, &way, 2);
	for (size_t i = 0; i < ARRAY_LEN(h); i++) {
		off[i] = *way_end(&way);
		off[i].port = 1;
		heard_by(rig, &h[i], &off[i], "true");
	}
	heard_by(rig, &good, way_end(&way), "true");
	rig_run(rig);
	for (size_t i = 0; i < ARRAY_LEN(h); i++)
		heard_failed(&h[i], CONN_END_UNREACHABLE,
			     "bastion gw1 cannot connect: connection refused");
	heard_ended(&good, CONN_END_EXITED, 0);
}

static int set_up_forbidding(void **state)
{
	return rig_set_up_as(state, THREADS, 4096, "AllowTcpForwarding no\nLogLevel VERBOSE");
}

static void test_forwarding_is_forbidden(void **state)
{
	struct rig *rig = rig_of(state);
	struct heard h = {0};
	static struct way way;

	way_make(rig, &way, 2);
	heard_by(rig, &h, way_end(&way), "true");
	rig_run(rig);
	heard_failed(&h, CONN_END_UNREACHABLE, "bastion gw1 forbids the connection");
	assert_int_equal(rig_log_count(rig, "Accepted publickey"), 1);
}

/* One login for all who wait, and none for those who come later. */
static void test_login_is_refused(void **state)
{
	static const struct plan_login nothing;
	struct rig *rig = rig_of(state);
	struct heard h[40] = {{0}};
	static struct way way;

	way_make(rig, &way, 2);
	way.at[0].login = &nothing;
	for (size_t i = 0; i < ARRAY_LEN(h); i++)
		heard_by(rig, &h[i], way_end(&way), "true");
	rig_run(rig);
	for (size_t i = 0; i < ARRAY_LEN(h); i++)
		heard_failed(&h[i], CONN_END_AUTH, "bastion gw1: ");
	assert_int_equal(rig_log_count(rig, "Connection from"), 1);
}

static void test_unknown_key(void **state)
{
	static const struct plan_trust nobody;
	struct rig *rig = rig_of(state);
	struct heard h = {0};
	static struct way way;

	way_make(rig, &way, 3);
	way.at[1].trust = &nobody;
	heard_by(rig, &h, way_end(&way), "true");
	rig_run(rig);
	heard_failed(&h, CONN_END_HOST_KEY, "bastion gw2: not known");
	/* The target was not contacted. */
	assert_int_equal(rig_log_count(rig, "Connection from"), 2);
	assert_int_equal(rig_log_count(rig, "Accepted publickey"), 1);
}

static void test_bastion_is_off(void **state)
{
	struct rig *rig = rig_of(state);
	struct heard h = {0};
	static struct way way;

	way_make(rig, &way, 3);
	way.at[0].port = 1;
	heard_by(rig, &h, way_end(&way), "true");
	rig_run(rig);
	heard_failed(&h, CONN_END_UNREACHABLE, "bastion gw1: connection refused");
	assert_int_equal(strncmp(h.result.text, "bastion gw1", 11), 0);
}

/* All goes while somebody is connected. */
static void test_stop_with_users(void **state)
{
	struct rig *rig = rig_of(state);
	struct heard h = {0};
	static struct way way;

	way_make(rig, &way, 2);
	heard_by(rig, &h, way_end(&way), "echo here; cat");
	while (!h.out.len)
		(void)event_base_loop(loop_base(rig->host.loop), EVLOOP_ONCE);
	heard_free(&h);
	heard_done(&h);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_output_and_exit),
		TEST(test_echo),
		TEST(test_one_session_for_many),
		TEST(test_hops),
		TEST(test_freed_at_any_time),
		TEST(test_nobody_listens),
		cmocka_unit_test_setup_teardown(test_forwarding_is_forbidden, set_up_forbidding,
						tear_down),
		TEST(test_login_is_refused),
		TEST(test_unknown_key),
		TEST(test_bastion_is_off),
		TEST(test_stop_with_users),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
