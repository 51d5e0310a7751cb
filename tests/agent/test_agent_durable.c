/* Durable runs: how they begin, go on without anybody, and end. */
#include "durable_rig.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "fd.h"

#define LINES 400

static struct rig rig;
static char *gate;     /* a file that the counting commands wait for */
static char *counting; /* lines with their numbers, a little slowly; exit status 42 */

/* What is to happen while it counts happens before go_on: it must not depend on who is faster. */
static int begin(void **state)
{
	int rc = durable_begin(state);

	gate = xasprintf("%s/go", durable_state());
	counting = xasprintf("i=0; while [ $i -lt 400 ]; do i=$((i+1)); echo line $i;"
			     " [ $i -ne 40 ] || until [ -e %s ]; do sleep 0.02; done;"
			     " [ $((i %% 20)) = 0 ] && sleep 0.02; done; exit 42",
			     gate);
	return rc;
}

static int end(void **state)
{
	free(gate);
	free(counting);
	return durable_end(state);
}

static void go_on(void)
{
	int fd = open(gate, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	fd_close(&fd);
}

static void assert_all_lines(struct run *run)
{
	struct buf all = {0};

	for (int i = 1; i <= LINES; i++)
		buf_addf(&all, "line %d\n", i);
	assert_string_equal(buf_cstr(&run->text), buf_cstr(&all));
	buf_done(&all);
}

static void an_agent_can_have_durable_runs(void **state)
{
	(void)state;
	rig_start(&rig);
	assert_true(rig.capabilities & AGENT_CAN_DURABLE);
	rig_ping(&rig, 7);
	assert_int_equal(rig_done(&rig), 0);
}

static bool has_pinged(struct rig *r, void *arg)
{
	(void)arg;
	return r->pings == 2;
}

static void ping_is_answered(void **state)
{
	(void)state;
	rig_start(&rig);
	rig_ping(&rig, 1);
	rig_ping(&rig, 2);
	rig_wait(&rig, has_pinged, NULL);
	assert_int_equal(rig_done(&rig), 0);
}

static void a_run_on_one_connection(void **state)
{
	struct rig_task *t;
	struct run run;

	(void)state;
	run_init(&run, counting);
	go_on();
	rig_start(&rig);
	t = run_open(&rig, &run);
	rig_wait_end(&rig, t);
	assert_true(t->attached);
	assert_true(t->running);
	assert_false(t->at.resumed);
	run_take(&run, t);
	assert_all_lines(&run);
	assert_int_equal(run.end.kind, TASK_EXITED);
	assert_int_equal(run.end.exit_code, 42);
	run_settle(&rig, &run, t);
	assert_int_equal(rig_done(&rig), 0);
	run_done(&run);
}

static void a_run_goes_on_when_the_agent_is_killed(void **state)
{
	struct rig_task *t;
	struct run run;

	(void)state;
	run_init(&run, counting);
	rig_start(&rig);
	t = run_open(&rig, &run);
	rig_wait_output(&rig, t, "line 20\n");
	run_take(&run, t);
	rig_kill(&rig);
	go_on();

	rig_start(&rig);
	t = run_attach(&rig, &run);
	rig_wait_end(&rig, t);
	assert_true(t->at.resumed);
	assert_true(t->running);
	run_take(&run, t);
	assert_all_lines(&run);
	assert_int_equal(run.end.exit_code, 42);
	run_settle(&rig, &run, t);
	assert_int_equal(rig_done(&rig), 0);
	run_done(&run);
}

static void detach_lets_go(void **state)
{
	struct rig_task *t;
	struct run run;

	(void)state;
	run_init(&run, counting);
	rig_start(&rig);
	t = run_open(&rig, &run);
	rig_wait_output(&rig, t, "line 20\n");
	rig_detach(&rig, t);
	rig_wait_detached(&rig, t);
	run_take(&run, t);
	go_on();
	t = run_attach(&rig, &run);
	rig_wait_end(&rig, t);
	run_take(&run, t);
	assert_all_lines(&run);
	assert_int_equal(rig_done(&rig), 0);
	run_done(&run);
}

static void what_is_not_there_is_gone(void **state)
{
	struct rig_task *t;
	struct run run;

	(void)state;
	run_init(&run, "echo");
	run.last = 16;
	rig_start(&rig);
	t = run_attach(&rig, &run);
	rig_wait_end(&rig, t);
	assert_int_equal(t->end.kind, TASK_GONE);
	assert_int_equal(t->order.last, 17);
	assert_false(t->attached);
	assert_int_equal(rig_done(&rig), 0);
	run_done(&run);
}

static void another_run_with_the_same_id_is_refused(void **state)
{
	struct rig_task *t, *other;
	struct run run;

	(void)state;
	run_init(&run, "echo first; sleep 1000");
	rig_start(&rig);
	t = run_open(&rig, &run);
	rig_wait_output(&rig, t, "first\n");
	run.open.nice = 3;
	other = run_open(&rig, &run);
	rig_wait_end(&rig, other);
	assert_int_equal(other->end.kind, TASK_REFUSED);
	rig_signal(&rig, t, TASK_STOP);
	rig_wait_end(&rig, t);
	assert_int_equal(t->end.kind, TASK_STOPPED);
	assert_int_equal(rig_done(&rig), 0);
	run_done(&run);
}

static void a_command_that_cannot_begin(void **state)
{
	struct rig_task *t;
	struct run run;

	(void)state;
	run_init(&run, "echo never");
	run.open.directory = (char *)(uintptr_t) "/nowhere/at/all";
	rig_start(&rig);
	t = run_open(&rig, &run);
	rig_wait_end(&rig, t);
	assert_true(t->attached);
	assert_false(t->running);
	assert_int_equal(t->end.kind, TASK_REFUSED);
	run_take(&run, t);
	run_settle(&rig, &run, t);
	assert_int_equal(rig_done(&rig), 0);
	run_done(&run);
}

/* --- orders over connections ----------------------------------------------------------------- */

static bool is_suspended(struct rig *r, void *arg)
{
	(void)r;
	return ((struct rig_task *)arg)->suspended;
}

static bool is_resumed(struct rig *r, void *arg)
{
	(void)r;
	return !((struct rig_task *)arg)->suspended;
}

static void suspended_on_one_connection_resumed_on_the_next(void **state)
{
	struct rig_task *t;
	struct run run;

	(void)state;
	run_init(&run, counting);
	rig_start(&rig);
	t = run_open(&rig, &run);
	rig_wait_output(&rig, t, "line 20\n");
	rig_signal(&rig, t, TASK_SUSPEND);
	rig_wait(&rig, is_suspended, t);
	run_take(&run, t);
	rig_kill(&rig);

	rig_start(&rig);
	t = run_attach(&rig, &run);
	rig_wait(&rig, is_suspended, t);
	rig_signal(&rig, t, TASK_RESUME);
	rig_wait(&rig, is_resumed, t);
	go_on();
	rig_wait_end(&rig, t);
	run_take(&run, t);
	assert_all_lines(&run);
	assert_int_equal(rig_done(&rig), 0);
	run_done(&run);
}

static void stopped_on_the_next_connection(void **state)
{
	struct rig_task *t;
	struct run run;

	(void)state;
	run_init(&run, "trap '' TERM; setsid sleep 1000 & echo up; while :; do sleep 1000; done");
	rig_start(&rig);
	t = run_open(&rig, &run);
	rig_wait_output(&rig, t, "up\n");
	run_take(&run, t);
	rig_kill(&rig);

	rig_start(&rig);
	t = run_attach(&rig, &run);
	rig_signal(&rig, t, TASK_STOP); /* before it is attached */
	rig_wait_end(&rig, t);
	assert_int_equal(t->end.kind, TASK_STOPPED);
	assert_int_equal(t->end.survivors, 0);
	rig_wait_gone(&rig, strchr(run.env[0], '=') + 1);
	assert_int_equal(rig_done(&rig), 0);
	run_done(&run);
}

/* The second connection goes on behind what came over the first. */
static void input_over_two_connections(void **state)
{
	static char piece[1000];
	struct rig_task *t;
	struct run run;

	(void)state;
	memset(piece, 'x', sizeof piece);
	run_init(&run, "head -c 5; echo; echo up; wc -c");
	run.open.stdin_follows = true;
	rig_start(&rig);
	t = run_open(&rig, &run);
	rig_wait_attached(&rig, t);
	assert_int_equal(t->at.taken, 0);
	rig_stdin(&rig, t, "first", 5, false);
	rig_wait_output(&rig, t, "up\n");
	run_take(&run, t);
	rig_kill(&rig);

	rig_start(&rig);
	t = run_attach(&rig, &run);
	rig_wait_attached(&rig, t);
	assert_int_equal(t->at.taken, 5);
	assert_false(t->at.input_ended);
	rig_stdin(&rig, t, piece, sizeof piece, true);
	rig_wait_end(&rig, t);
	run_take(&run, t);
	assert_string_equal(buf_cstr(&run.text), "first\nup\n1000\n");
	assert_int_equal(rig_done(&rig), 0);
	run_done(&run);
}

static bool has_failed(struct rig *r, void *arg)
{
	(void)arg;
	return r->failed;
}

static void too_much_input_is_an_error(void **state)
{
	static char piece[LIMIT_STDIN_PIECE];
	struct rig_task *t;
	struct run run;

	(void)state;
	run_init(&run, "echo up; sleep 1000");
	run.open.stdin_follows = true;
	rig_start(&rig);
	t = run_open(&rig, &run);
	rig_wait_output(&rig, t, "up\n");
	rig.fails = true;
	for (int i = 0; i < 24; i++)
		rig_stdin(&rig, t, piece, sizeof piece, false);
	rig_wait(&rig, has_failed, NULL);
	assert_non_null(strstr(rig.error, "TASK_STDIN"));
	(void)rig_done(&rig);
	run_done(&run);
}

static void twenty_at_once(void **state)
{
	struct rig_task *tasks[20];
	static struct run runs[20];

	(void)state;
	rig_start(&rig);
	for (int i = 0; i < 20; i++) {
		run_init(&runs[i], counting);
		tasks[i] = run_open(&rig, &runs[i]);
	}
	for (int i = 0; i < 20; i++)
		rig_wait_output(&rig, tasks[i], "line 20\n");
	for (int i = 0; i < 20; i++)
		run_take(&runs[i], tasks[i]);
	rig_kill(&rig);
	go_on();

	rig_start(&rig);
	for (int i = 0; i < 20; i++)
		tasks[i] = run_attach(&rig, &runs[i]);
	for (int i = 0; i < 20; i++) {
		rig_wait_end(&rig, tasks[i]);
		run_take(&runs[i], tasks[i]);
		assert_all_lines(&runs[i]);
		run_settle(&rig, &runs[i], tasks[i]);
		run_done(&runs[i]);
	}
	assert_int_equal(rig_done(&rig), 0);
}

static bool has_more(struct rig *r, void *arg)
{
	const struct rig_task *t = arg;

	(void)r;
	return t->order.last > t->at.last;
}

/* 20 MB: more than is ever kept on its way, and than what is in the spool at a time. */
static void much_output_comes_whole(void **state)
{
	struct rig_task *t;
	struct run run;

	(void)state;
	run_init(&run, "head -c 20000000 /dev/zero | tr '\\0' x");
	run.open.parse = PARSE_RAW;
	run.open.spool_limit = 4 << 20;
	rig_start(&rig);
	t = run_open(&rig, &run);
	while (!t->ended) {
		t->at.last = t->order.last;
		rig_wait(&rig, has_more, t);
		rig_ack(&rig, t, t->order.last);
	}
	assert_int_equal(t->streams[STREAM_OUTPUT].len, 20000000);
	assert_int_equal(rig_done(&rig), 0);
	run_done(&run);
}

int main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	static const struct CMUnitTest tests[] = {
		TEST(an_agent_can_have_durable_runs),
		TEST(ping_is_answered),
		TEST(a_run_on_one_connection),
		TEST(a_run_goes_on_when_the_agent_is_killed),
		TEST(detach_lets_go),
		TEST(what_is_not_there_is_gone),
		TEST(another_run_with_the_same_id_is_refused),
		TEST(a_command_that_cannot_begin),
		TEST(suspended_on_one_connection_resumed_on_the_next),
		TEST(stopped_on_the_next_connection),
		TEST(input_over_two_connections),
		TEST(too_much_input_is_an_error),
		TEST(twenty_at_once),
		TEST(much_output_comes_whole),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
