/* How much comes and when: credit, many commands at once, and an initiator that breaks the rules.
 */
#include "rig.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "fd.h"

static struct rig rig;

static int begin(void **state)
{
	(void)state;
	rig_start(&rig);
	return 0;
}

static int end(void **state)
{
	(void)state;
	(void)rig_done(&rig);
	return 0;
}

struct amount {
	struct rig_task *task;
	uint64_t bytes;
};

static bool has_received(struct rig *r, void *arg)
{
	const struct amount *a = arg;

	(void)r;
	return a->task->ended || a->task->received >= a->bytes;
}

/* rig.c fails the test when more comes than was granted. That nothing comes cannot be waited for:
 * another command that begins and ends meanwhile is proof enough. */
static void credit_is_respected(enum agent_parse parse)
{
	struct task_open_msg open = rig_shell("yes | head -c 400000");
	struct amount amount;

	open.parse = parse;
	open.credit = 100000;
	amount = (struct amount){rig_open(&rig, &open), 60000};
	rig_wait(&rig, has_received, &amount);
	(void)rig_run(&rig, "sleep 0.2");
	/* The last frame may go beyond. */
	assert_true(amount.task->received < 100000 + LIMIT_RECORDS_BATCH + 1000);
	assert_false(amount.task->ended);
	amount.task->grants = true;
	rig_credit(&rig, amount.task, 100000);
	rig_wait_end(&rig, amount.task);
	assert_int_equal(amount.task->streams[STREAM_OUTPUT].len, 400000);
	assert_int_equal(amount.task->end.kind, TASK_EXITED);
}

static void credit_is_respected_in_lines(void **state)
{
	(void)state;
	credit_is_respected(PARSE_LINES);
}

static void credit_is_respected_in_raw(void **state)
{
	(void)state;
	credit_is_respected(PARSE_RAW);
}

static void the_end_needs_no_credit(void **state)
{
	struct task_open_msg open = rig_shell("exit 3");
	struct rig_task *t;

	(void)state;
	open.credit = 0;
	t = rig_open(&rig, &open);
	rig_wait_end(&rig, t);
	assert_int_equal(t->end.exit_code, 3);
}

static void a_kill_without_credit_ends(void **state)
{
	struct task_open_msg open = rig_shell("yes");
	struct amount amount;

	(void)state;
	open.credit = 20000;
	amount = (struct amount){rig_open(&rig, &open), 10000};
	rig_wait(&rig, has_received, &amount);
	rig_signal(&rig, amount.task, TASK_KILL);
	rig_wait_end(&rig, amount.task);
	assert_int_equal(amount.task->end.kind, TASK_STOPPED);
}

static void a_stop_without_credit_ends(void **state)
{
	struct task_open_msg open = rig_shell("yes");
	struct amount amount;

	(void)state;
	open.credit = 20000;
	amount = (struct amount){rig_open(&rig, &open), 10000};
	rig_wait(&rig, has_received, &amount);
	rig_signal(&rig, amount.task, TASK_STOP);
	rig_wait_end(&rig, amount.task);
	assert_int_equal(amount.task->end.kind, TASK_STOPPED);
}

static bool all_ended(struct rig *r, void *arg)
{
	(void)arg;
	for (size_t i = 0; i < r->count; i++)
		if (!r->tasks[i].ended)
			return false;
	return true;
}

static void many_commands_at_once(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++) {
		char *script = xasprintf("seq 1 %d; exit %d", i * 100, i);
		struct task_open_msg open = rig_shell(script);

		(void)rig_open(&rig, &open);
		free(script);
	}
	rig_wait(&rig, all_ended, NULL);
	for (size_t i = 0; i < rig.count; i++) {
		char *last = xasprintf("\n%d\n", (int)i * 100);

		assert_int_equal(rig.tasks[i].end.exit_code, i);
		if (i)
			assert_non_null(strstr(rig_text(&rig.tasks[i], STREAM_OUTPUT), last));
		free(last);
	}
}

static void one_that_is_held_back_holds_no_other(void **state)
{
	struct task_open_msg open = rig_shell("yes");
	struct rig_task *held;

	(void)state;
	open.credit = 5000;
	held = rig_open(&rig, &open);
	for (int i = 0; i < 5; i++)
		assert_int_equal(rig_run(&rig, "seq 1 10000 | tail -1")->end.exit_code, 0);
	rig_signal(&rig, held, TASK_KILL);
	rig_wait_end(&rig, held);
}

static void too_many_commands_are_refused(void **state)
{
	struct task_open_msg open = rig_shell("exec sleep 1000");
	struct rig_task *last;

	(void)state;
	for (unsigned i = 0; i < LIMIT_TASKS; i++)
		(void)rig_open(&rig, &open);
	last = rig_open(&rig, &open);
	rig_wait_end(&rig, last);
	assert_int_equal(last->end.kind, TASK_REFUSED);
	assert_non_null(strstr(last->end.text, "too many"));
	rig_signal(&rig, &rig.tasks[0], TASK_KILL);
	rig_wait_end(&rig, &rig.tasks[0]);
	assert_int_equal(rig_run(&rig, "exit 6")->end.exit_code, 6);
}

/* --- an initiator that breaks the rules ------------------------------------------------------ */

static bool has_failed(struct rig *r, void *arg)
{
	(void)arg;
	return r->failed;
}

static void assert_error(const char *part)
{
	rig.fails = true;
	rig_wait(&rig, has_failed, NULL);
	if (!strstr(rig.error, part))
		fail_msg("expected an error with '%s', not '%s'", part, rig.error);
}

static void garbage_ends_the_connection(void **state)
{
	(void)state;
	rig.fails = true;
	(void)fd_write_all(rig.in, "GET / HTTP/1.0\r\n\r\n", 18);
	assert_error("no muster frame");
}

static void a_bad_body_ends_the_connection(void **state)
{
	struct buf body = {0};

	(void)state;
	buf_add(&body, "\xdd\xff\xff\xff\xff", 5);
	rig_send(&rig, MSG_TASK_OPEN, &body);
	assert_error("TASK_OPEN");
}

static void a_message_of_ours_ends_the_connection(void **state)
{
	struct task_running_msg m = {.task = 1, .pid = 1};
	struct buf body = {0};

	(void)state;
	task_running_put(&body, &m);
	rig_send(&rig, MSG_TASK_RUNNING, &body);
	assert_error("TASK_RUNNING");
}

static void a_number_that_is_in_use_ends_the_connection(void **state)
{
	struct task_open_msg open = rig_shell("sleep 1000");

	(void)state;
	(void)rig_open(&rig, &open);
	rig.count = 0;
	(void)rig_open(&rig, &open);
	assert_error("task 1");
}

static void input_beyond_the_room_ends_the_connection(void **state)
{
	static char piece[LIMIT_STDIN_PIECE];
	struct task_open_msg open = rig_shell("sleep 1000");
	struct rig_task *t;

	(void)state;
	open.stdin_follows = true;
	t = rig_open(&rig, &open);
	rig.fails = true;
	for (int i = 0; i < 64; i++)
		rig_stdin(&rig, t, piece, sizeof piece, false);
	assert_error("TASK_STDIN");
}

static void unwanted_input_ends_the_connection(void **state)
{
	struct task_open_msg open = rig_shell("sleep 1000");
	struct rig_task *t = rig_open(&rig, &open);

	(void)state;
	rig_stdin(&rig, t, "x", 1, false);
	assert_error("has no input");
}

/* Orders cross the end of a task; nobody did anything wrong. */
static void messages_for_ended_tasks_are_ignored(void **state)
{
	struct rig_task *t = rig_run(&rig, "exit 0");

	(void)state;
	rig_signal(&rig, t, TASK_STOP);
	rig_credit(&rig, t, 1);
	rig_stdin(&rig, t, "x", 1, true);
	assert_int_equal(rig_run(&rig, "exit 2")->end.exit_code, 2);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(credit_is_respected_in_lines),
		TEST(credit_is_respected_in_raw),
		TEST(the_end_needs_no_credit),
		TEST(a_kill_without_credit_ends),
		TEST(a_stop_without_credit_ends),
		TEST(many_commands_at_once),
		TEST(one_that_is_held_back_holds_no_other),
		TEST(too_many_commands_are_refused),
		TEST(garbage_ends_the_connection),
		TEST(a_bad_body_ends_the_connection),
		TEST(a_message_of_ours_ends_the_connection),
		TEST(a_number_that_is_in_use_ends_the_connection),
		TEST(input_beyond_the_room_ends_the_connection),
		TEST(unwanted_input_ends_the_connection),
		TEST(messages_for_ended_tasks_are_ignored),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
