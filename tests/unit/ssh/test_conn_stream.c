/* A byte stream to a program on a real sshd. */
#include "conn_talk.h"

#define ECHO_BYTES (UINT64_C(100) << 20)
#define ROUNDS	   500u

static int set_up(void **state)
{
	return talk_set_up_with(state, "Subsystem echo /bin/cat");
}

/* --- bytes ----------------------------------------------------------------------------------- */

static void test_echo_of_100_mb(void **state)
{
	struct talk *talk = talk_of(state);

	talk->expects_pattern = true;
	talk->to_send = ECHO_BYTES;
	talk->on_running = talk_send_pattern;
	talk->on_writable = talk_send_pattern;
	talk_stream(talk, "cat");
	talk_run(talk);
	talk_ended(talk, CONN_END_EXITED, 0);
	assert_int_equal(talk->received, ECHO_BYTES);
	assert_true(talk->writables > 0);
	assert_in_range(talk->queued_max, TALK_QUEUE_HI, TALK_QUEUE_HI + 100001);
}

static void test_only_to_it(void **state)
{
	struct talk *talk = talk_of(state);

	talk->to_send = ECHO_BYTES / 4;
	talk->on_running = talk_send_pattern;
	talk->on_writable = talk_send_pattern;
	talk_stream(talk, "wc -c");
	talk_run(talk);
	talk_ended(talk, CONN_END_EXITED, 0);
	assert_int_equal(strtoull(buf_cstr(&talk->out), NULL, 10), ECHO_BYTES / 4);
}

static void test_only_from_it(void **state)
{
	struct talk *talk = talk_of(state);
	size_t len;

	talk_stream(talk, "head -c 30000000 /dev/zero; echo over >&2");
	talk_run(talk);
	talk_ended(talk, CONN_END_EXITED, 0);
	len = talk->out.len;
	assert_int_equal(len, 30000000);
	assert_int_equal(talk->out.data[0], 0);
	assert_memory_equal(talk->out.data, talk->out.data + 1, len - 1);
	assert_string_equal(buf_cstr(&talk->err), "over\n");
	assert_true(talk->bursts > 0);
}

static void test_queued_before_the_start(void **state)
{
	struct talk *talk = talk_of(state);

	talk_stream(talk, "cat; echo end");
	conn_write(talk->conn, "one\n", 4);
	conn_write(talk->conn, "", 0);
	conn_write(talk->conn, "two\n", 4);
	assert_int_equal(conn_queued(talk->conn), 8);
	conn_finish(talk->conn);
	conn_finish(talk->conn);
	talk_run(talk);
	talk_ended(talk, CONN_END_EXITED, 0);
	talk_got(talk, "one\ntwo\nend\n");
	assert_int_equal(talk->writables, 0);
}

static void test_finish_without_a_byte(void **state)
{
	struct talk *talk = talk_of(state);

	talk_stream(talk, "cat; echo end");
	conn_finish(talk->conn);
	talk_run(talk);
	talk_ended(talk, CONN_END_EXITED, 0);
	talk_got(talk, "end\n");
}

/* Each answer brings the next question, from inside the event. */
static void answer(struct talk *talk, const void *data, size_t len)
{
	static const char question[] = "question\n";

	(void)data;
	(void)len;
	if (talk->out.len == ROUNDS * strlen(question))
		conn_finish(talk->conn);
	else if (talk->out.len % strlen(question) == 0)
		conn_write(talk->conn, question, strlen(question));
}

static void test_writing_inside_of_data(void **state)
{
	struct talk *talk = talk_of(state);

	talk->on_data = answer;
	talk_stream(talk, "cat");
	conn_write(talk->conn, "question\n", 9);
	talk_run(talk);
	talk_ended(talk, CONN_END_EXITED, 0);
	assert_int_equal(talk->out.len, ROUNDS * 9);
}

/* --- writable -------------------------------------------------------------------------------- */

static void finish(struct talk *talk)
{
	conn_finish(talk->conn);
}

static void test_writable_once(void **state)
{
	struct talk *talk = talk_of(state);
	size_t len = 3 * CONN_QUEUE_LO;

	talk->on_writable = finish;
	talk_stream(talk, "wc -c");
	for (size_t i = 0; i < 3; i++)
		conn_write(talk->conn, talk->pattern, CONN_QUEUE_LO);
	assert_int_equal(conn_queued(talk->conn), len);
	talk_run(talk);
	talk_ended(talk, CONN_END_EXITED, 0);
	assert_int_equal(talk->writables, 1);
	assert_int_equal(strtoull(buf_cstr(&talk->out), NULL, 10), len);
}

static void test_writable_is_not_told_of_little(void **state)
{
	struct talk *talk = talk_of(state);

	talk_stream(talk, "wc -c");
	conn_write(talk->conn, talk->pattern, CONN_QUEUE_LO);
	conn_finish(talk->conn);
	talk_run(talk);
	talk_ended(talk, CONN_END_EXITED, 0);
	assert_int_equal(talk->writables, 0);
}

/* --- ends ------------------------------------------------------------------------------------ */

static void test_exit_status(void **state)
{
	struct talk *talk = talk_of(state);

	talk_stream(talk, "exit 7");
	talk_run(talk);
	talk_ended(talk, CONN_END_EXITED, 7);
	assert_true(talk->result.began);
}

static void test_signal(void **state)
{
	struct talk *talk = talk_of(state);

	talk_stream(talk, "kill -TERM $$");
	talk_run(talk);
	talk_ended(talk, CONN_END_SIGNALLED, -1);
	assert_string_equal(talk->result.signal, "TERM");
}

/* The program is gone with most of its input still in the queue. */
static void test_it_ends_before_its_input(void **state)
{
	struct talk *talk = talk_of(state);

	talk_stream(talk, "head -c 3");
	for (size_t i = 0; i < 20; i++)
		conn_write(talk->conn, talk->pattern, TALK_PATTERN);
	talk_run(talk);
	talk_ended(talk, CONN_END_EXITED, 0);
	assert_int_equal(talk->out.len, 3);
}

static void test_lost(void **state)
{
	struct talk *talk = talk_of(state);

	talk_stream(talk, "kill -KILL $PPID");
	conn_write(talk->conn, talk->pattern, TALK_PATTERN);
	talk_run(talk);
	talk_ended(talk, CONN_END_LOST, -1);
	assert_true(talk->result.began);
}

/* --- stopping -------------------------------------------------------------------------------- */

static void stop(struct talk *talk)
{
	conn_stop(talk->conn);
	conn_stop(talk->conn);
}

static void stop_on_data(struct talk *talk, const void *data, size_t len)
{
	(void)data;
	(void)len;
	stop(talk);
}

static void test_stop(void **state)
{
	struct talk *talk = talk_of(state);

	talk->on_data = stop_on_data;
	talk_stream(talk, "cat");
	conn_write(talk->conn, "x", 1);
	talk_run(talk);
	talk_ended(talk, CONN_END_STOPPED, -1);
	talk_got(talk, "x");
	assert_true(talk->result.began);
}

static void test_stop_before_the_start(void **state)
{
	struct talk *talk = talk_of(state);

	talk_stream(talk, "cat");
	conn_write(talk->conn, "x", 1);
	conn_stop(talk->conn);
	talk_run(talk);
	talk_ended(talk, CONN_END_STOPPED, -1);
	assert_false(talk->result.began);
}

static void test_stop_with_a_full_queue(void **state)
{
	struct talk *talk = talk_of(state);

	talk->on_running = stop;
	talk_stream(talk, "cat >/dev/null");
	for (size_t i = 0; i < 20; i++)
		conn_write(talk->conn, talk->pattern, TALK_PATTERN);
	talk_run(talk);
	talk_ended(talk, CONN_END_STOPPED, -1);
}

static void test_free_in_the_middle(void **state)
{
	struct talk *talk = talk_of(state);

	talk_stream(talk, "cat");
	while (!talk->began)
		(void)event_base_loop(loop_base(talk->host.loop), EVLOOP_ONCE);
	conn_write(talk->conn, talk->pattern, TALK_PATTERN);
	conn_free(talk->conn);
	talk->conn = NULL;
	assert_false(talk->ended);
}

/* --- quiet ----------------------------------------------------------------------------------- */

/* An idle stream waits for its socket and for nothing else: the other two are the loop's own event
 * and the watchdog of the test. */
static void test_idle_has_no_timers(void **state)
{
	struct talk *talk = talk_of(state);
	struct event_base *base = loop_base(talk->host.loop);

	talk_stream(talk, "cat");
	conn_write(talk->conn, "x", 1);
	while (talk->out.len < 1)
		(void)event_base_loop(base, EVLOOP_ONCE);
	/* What the last write has left to do. */
	while (event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED) > 3)
		(void)event_base_loop(base, EVLOOP_ONCE);
	assert_int_equal(event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED), 3);
	conn_finish(talk->conn);
	talk_run(talk);
	talk_ended(talk, CONN_END_EXITED, 0);
}

#define STREAM_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, talk_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STREAM_TEST(test_echo_of_100_mb),
		STREAM_TEST(test_only_to_it),
		STREAM_TEST(test_only_from_it),
		STREAM_TEST(test_queued_before_the_start),
		STREAM_TEST(test_finish_without_a_byte),
		STREAM_TEST(test_writing_inside_of_data),
		STREAM_TEST(test_writable_once),
		STREAM_TEST(test_writable_is_not_told_of_little),
		STREAM_TEST(test_exit_status),
		STREAM_TEST(test_signal),
		STREAM_TEST(test_it_ends_before_its_input),
		STREAM_TEST(test_lost),
		STREAM_TEST(test_stop),
		STREAM_TEST(test_stop_before_the_start),
		STREAM_TEST(test_stop_with_a_full_queue),
		STREAM_TEST(test_free_in_the_middle),
		STREAM_TEST(test_idle_has_no_timers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
