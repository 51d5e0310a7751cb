/* Fault 54: the server renews the keys every megabyte, in the middle of a stream. */
#include "conn_talk.h"

#define REKEY_BYTES (UINT64_C(40) << 20)

static int set_up(void **state)
{
	return talk_set_up_with(state, "RekeyLimit 1M\nLogLevel DEBUG1");
}

/* How often the server says that it has new keys. */
static size_t count_rekeys(const struct talk *talk)
{
	char *path = xasprintf("%s/log", talk->host.dir);
	struct buf text = {0};
	size_t n = 0;

	assert_int_equal(fd_read_file(&text, path, 64u << 20), 0);
	for (const char *p = buf_cstr(&text); (p = strstr(p, "rekey in after")) != NULL; p++)
		n++;
	buf_done(&text);
	free(path);
	return n;
}

static void fault_54_rekey_both_directions(void **state)
{
	struct talk *talk = talk_of(state);

	talk->expects_pattern = true;
	talk->to_send = REKEY_BYTES;
	talk->on_running = talk_send_pattern;
	talk->on_writable = talk_send_pattern;
	talk_stream(talk, "cat");
	talk_run(talk);
	talk_ended(talk, CONN_END_EXITED, 0);
	assert_int_equal(talk->received, REKEY_BYTES);
	assert_in_range(count_rekeys(talk), 10, 1000);
}

static void fault_54_rekey_of_output(void **state)
{
	struct talk *talk = talk_of(state);

	talk_stream(talk, "head -c 40000000 /dev/zero");
	talk_run(talk);
	talk_ended(talk, CONN_END_EXITED, 0);
	assert_int_equal(talk->out.len, 40000000);
	assert_in_range(count_rekeys(talk), 10, 1000);
}

static void fault_54_rekey_of_input(void **state)
{
	struct talk *talk = talk_of(state);

	talk->to_send = REKEY_BYTES;
	talk->on_running = talk_send_pattern;
	talk->on_writable = talk_send_pattern;
	talk_stream(talk, "wc -c");
	talk_run(talk);
	talk_ended(talk, CONN_END_EXITED, 0);
	assert_int_equal(strtoull(buf_cstr(&talk->out), NULL, 10), REKEY_BYTES);
	assert_in_range(count_rekeys(talk), 10, 1000);
}

#define FAULT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, talk_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAULT_TEST(fault_54_rekey_both_directions),
		FAULT_TEST(fault_54_rekey_of_output),
		FAULT_TEST(fault_54_rekey_of_input),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
