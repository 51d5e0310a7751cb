/* Commands with an input, subsystems, and holding, on a real sshd. */
#include "conn_talk.h"

static int set_up(void **state)
{
	return talk_set_up_with(state, "Subsystem echo /bin/cat\nSubsystem gone /nonexistent/x");
}

/* Goes on until there is something to be true. */
static void run_until(struct talk *talk, bool (*is_true)(struct talk *talk))
{
	while (!is_true(talk))
		(void)event_base_loop(loop_base(talk->host.loop), EVLOOP_ONCE);
}

static bool has_begun(struct talk *talk)
{
	return talk->began > 0;
}

static bool has_output(struct talk *talk)
{
	return talk->out.len > 0;
}

/* --- input of a command ---------------------------------------------------------------------- */

static void command(struct talk *talk, const char *text, bool input)
{
	talk_start(talk, &(struct conn_spec){.command = text, .run_id = "none", .input = input});
}

static void test_cat(void **state)
{
	struct talk *talk = talk_of(state);

	talk->expects_pattern = true;
	talk->to_send = 5u << 20;
	talk->on_running = talk_send_pattern;
	talk->on_writable = talk_send_pattern;
	command(talk, "cat", true);
	talk_run(talk);
	talk_ended(talk, CONN_END_EXITED, 0);
	assert_int_equal(talk->received, talk->to_send);
}

static void test_one_that_does_not_read_all(void **state)
{
	struct talk *talk = talk_of(state);

	talk->to_send = 30u << 20;
	talk->on_running = talk_send_pattern;
	talk->on_writable = talk_send_pattern;
	command(talk, "head -c 10", true);
	talk_run(talk);
	talk_ended(talk, CONN_END_EXITED, 0);
	assert_int_equal(talk->out.len, 10);
	assert_memory_equal(talk->out.data, talk->pattern, 10);
}

static void test_one_that_never_reads(void **state)
{
	struct talk *talk = talk_of(state);

	command(talk, "exec <&-; echo done; exit 3", true);
	for (size_t i = 0; i < 10; i++)
		conn_write(talk->conn, talk->pattern, TALK_PATTERN);
	conn_finish(talk->conn);
	talk_run(talk);
	talk_ended(talk, CONN_END_EXITED, 3);
	talk_got(talk, "done\n");
}

static void test_without_input_it_is_at_its_end(void **state)
{
	struct talk *talk = talk_of(state);

	command(talk, "cat; echo end", false);
	talk_run(talk);
	talk_ended(talk, CONN_END_EXITED, 0);
	talk_got(talk, "end\n");
}

static void test_the_input_stays_open(void **state)
{
	struct talk *talk = talk_of(state);

	command(talk, "read line; echo \"$line\"; cat; echo end", true);
	conn_write(talk->conn, "first\n", 6);
	run_until(talk, has_output);
	talk_got(talk, "first\n");
	assert_false(talk->ended);
	conn_write(talk->conn, "second\n", 7);
	conn_finish(talk->conn);
	talk_run(talk);
	talk_ended(talk, CONN_END_EXITED, 0);
	talk_got(talk, "first\nsecond\nend\n");
}

/* What waits for its input is ended as any other, with something in the queue. */
static void test_stop_of_a_command(void **state)
{
	struct talk *talk = talk_of(state);

	talk_start(talk, &(struct conn_spec){
				 .command = "env MUSTER_RUN=input-test sh -c 'echo; sleep 1000'",
				 .run_id = "input-test",
				 .input = true});
	for (size_t i = 0; i < 5; i++)
		conn_write(talk->conn, talk->pattern, TALK_PATTERN);
	run_until(talk, has_output);
	conn_stop(talk->conn);
	conn_write(talk->conn, "more", 4);
	talk_run(talk);
	talk_ended(talk, CONN_END_STOPPED, -1);
}

/* --- subsystems ------------------------------------------------------------------------------ */

static void subsystem(struct talk *talk, const char *name)
{
	talk_start(talk, &(struct conn_spec){.subsystem = name, .stream = true});
	conn_write(talk->conn, "hello", 5);
	conn_finish(talk->conn);
	talk_run(talk);
}

static void test_subsystem(void **state)
{
	struct talk *talk = talk_of(state);

	subsystem(talk, "echo");
	talk_ended(talk, CONN_END_EXITED, 0);
	talk_got(talk, "hello");
}

static void test_subsystem_that_is_not_configured(void **state)
{
	struct talk *talk = talk_of(state);

	subsystem(talk, "muster-\x1b[31m");
	talk_ended(talk, CONN_END_REFUSED, -1);
	assert_non_null(strstr(talk->result.text, "no subsystem muster-"));
	assert_null(strchr(talk->result.text, 0x1b));
	assert_false(talk->result.began);
	assert_int_equal(talk->began, 0);
}

static void test_subsystem_without_its_program(void **state)
{
	struct talk *talk = talk_of(state);

	subsystem(talk, "gone");
	talk_ended(talk, CONN_END_EXITED, 127);
}

/* --- holding --------------------------------------------------------------------------------- */

static void hold(struct talk *talk, const void *data, size_t len)
{
	(void)data;
	(void)len;
	conn_hold(talk->conn, true);
}

static bool has_said_held(struct talk *talk)
{
	char *path = xasprintf("%s/held", talk->host.dir);
	bool found = access(path, F_OK) == 0;

	free(path);
	return found;
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

/*
 * The program floods us and is held; what is written then reaches it, which it shows by a file.
 * Meanwhile comes what libssh reads when it has to write, and no flood.
 */
static void test_writing_while_held(void **state)
{
	struct talk *talk = talk_of(state);
	char *text = xasprintf("cat /dev/zero & read line; test \"$line\" = go && : >%s/held; "
			       "cat; kill $!; wait $!; echo; echo end",
			       talk->host.dir);
	struct timeval tv = {.tv_usec = 1000};
	struct event *tick = event_new(loop_base(talk->host.loop), -1, EV_PERSIST, on_tick, NULL);
	size_t before;

	talk->on_data = hold;
	talk_stream(talk, text);
	run_until(talk, has_output);
	before = talk->out.len;
	assert_int_equal(event_add(tick, &tv), 0); /* a look at the file now and then */
	conn_write(talk->conn, "go\n", 3);
	run_until(talk, has_said_held);
	event_free(tick);
	assert_in_range(talk->out.len, before, before + (256u << 10));
	talk->on_data = NULL;
	before = talk->out.len;
	conn_hold(talk->conn, false);
	while (talk->out.len < before + (4u << 20))
		(void)event_base_loop(loop_base(talk->host.loop), EVLOOP_ONCE);
	conn_finish(talk->conn);
	talk_run(talk);
	talk_ended(talk, CONN_END_EXITED, 0);
	assert_memory_equal(talk->out.data + talk->out.len - 5, "\nend\n", 5);
	free(text);
}

static void test_hold_before_the_start(void **state)
{
	struct talk *talk = talk_of(state);

	talk_stream(talk, "echo hello; cat");
	conn_hold(talk->conn, true);
	run_until(talk, has_begun);
	conn_hold(talk->conn, false);
	conn_finish(talk->conn);
	talk_run(talk);
	talk_ended(talk, CONN_END_EXITED, 0);
	talk_got(talk, "hello\n");
}

#define INPUT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, talk_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		INPUT_TEST(test_cat),
		INPUT_TEST(test_one_that_does_not_read_all),
		INPUT_TEST(test_one_that_never_reads),
		INPUT_TEST(test_without_input_it_is_at_its_end),
		INPUT_TEST(test_the_input_stays_open),
		INPUT_TEST(test_stop_of_a_command),
		INPUT_TEST(test_subsystem),
		INPUT_TEST(test_subsystem_that_is_not_configured),
		INPUT_TEST(test_subsystem_without_its_program),
		INPUT_TEST(test_writing_while_held),
		INPUT_TEST(test_hold_before_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
