/* How commands end: their trees, what they leave, and what becomes of them when somebody dies. */
#include "rig.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"

#define GRACE_MS 300u

static struct rig rig;
static char *mark_entry; /* MARK=... */
static const char *mark;

static int begin(void **state)
{
	(void)state;
	mark_entry = rig_mark();
	mark = mark_entry + strlen("MARK=");
	rig_adopt();
	rig_start(&rig);
	return 0;
}

/* What a test has left, on purpose or not, does not outlive it. */
static int end(void **state)
{
	(void)state;
	(void)rig_done(&rig);
	rig_end_children();
	free(mark_entry);
	return 0;
}

static struct task_open_msg marked(const char *script)
{
	struct task_open_msg open = rig_shell(script);

	open.env = &mark_entry;
	open.env_count = 1;
	open.grace_ms = GRACE_MS;
	return open;
}

static struct rig_task *open_marked(const char *script)
{
	struct task_open_msg open = marked(script);

	return rig_open(&rig, &open);
}

/* Stops it once it has said that it is up: then everything of it is gone, and the end says so. */
static void assert_stops(const char *script)
{
	struct rig_task *t = open_marked(script);

	rig_wait_output(&rig, t, "up");
	assert_true(rig_count_marked(mark) > 0);
	rig_signal(&rig, t, TASK_STOP);
	rig_wait_end(&rig, t);
	assert_int_equal(t->end.kind, TASK_STOPPED);
	assert_int_equal(t->end.survivors, 0);
	assert_int_equal(rig_count_marked(mark), 0);
}

static void fault_45_setsid_tree(void **state)
{
	(void)state;
	assert_stops("for i in 1 2 3 4 5 6; do"
		     " setsid sh -c 'setsid sleep 1000 & setsid sleep 1001 & wait' & done;"
		     " while [ $(grep -lz \"^MARK=$MARK\" /proc/[0-9]*/environ 2>/dev/null | wc -l)"
		     " -lt 18 ]; do :; done; echo up; wait");
}

static void fault_45_term_ignored(void **state)
{
	(void)state;
	assert_stops("trap '' TERM HUP INT; (sleep 1000) & setsid sleep 1000 & echo up;"
		     " while :; do sleep 1000; done");
}

static void fault_45_fork_chaser(void **state)
{
	static const char script[] =
		"trap '' TERM; chase() { (chase & exit) & exit; };"
		" for i in 1 2 3 4 5; do (chase) & done; echo up; while :; do sleep 1; done";

	(void)state;
	assert_stops(script);
}

static void stop_lets_it_clean_up(void **state)
{
	struct task_open_msg open = marked("trap 'sleep 0; echo cleaned; exit 3' TERM; echo up;"
					   " while :; do sleep 0.01; done");
	struct rig_task *t;

	(void)state;
	open.grace_ms = 60000;
	t = rig_open(&rig, &open);
	rig_wait_output(&rig, t, "up");
	rig_signal(&rig, t, TASK_STOP);
	rig_wait_end(&rig, t);
	assert_int_equal(t->end.kind, TASK_STOPPED);
	assert_string_equal(rig_text(t, STREAM_OUTPUT), "up\ncleaned\n");
	assert_int_equal(t->end.exit_code, 3);
}

static void kill_waits_for_nobody(void **state)
{
	struct task_open_msg open = marked("trap '' TERM; echo up; while :; do sleep 1000; done");
	struct rig_task *t;

	(void)state;
	open.grace_ms = 1000000;
	t = rig_open(&rig, &open);
	rig_wait_output(&rig, t, "up");
	rig_signal(&rig, t, TASK_STOP);
	rig_signal(&rig, t, TASK_KILL);
	rig_wait_end(&rig, t);
	assert_int_equal(t->end.kind, TASK_STOPPED);
	assert_string_equal(t->end.signal, "KILL");
	assert_int_equal(rig_count_marked(mark), 0);
}

static void fault_46_output_closed_and_lives_on(void **state)
{
	struct rig_task *t = open_marked("exec >&- 2>&- 3>&-; sleep 0.3; exit 9");

	(void)state;
	rig_wait_end(&rig, t);
	assert_int_equal(t->end.kind, TASK_EXITED);
	assert_int_equal(t->end.exit_code, 9);
	assert_false(t->end.pipes_open);
}

static bool has_failed(struct rig *r, void *arg)
{
	(void)arg;
	return r->failed;
}

static void fault_47_grandchild_holds_the_output(void **state)
{
	uint64_t begun = clock_mono_ns();
	struct rig_task *t = open_marked("setsid sleep 1000 & echo started; exit 5");

	(void)state;
	rig_wait_end(&rig, t);
	assert_true(clock_mono_ns() - begun >= 2000000000u);
	assert_true(t->end.pipes_open);
	assert_int_equal(t->end.kind, TASK_EXITED);
	assert_int_equal(t->end.exit_code, 5);
	assert_string_equal(rig_text(t, STREAM_OUTPUT), "started\n");
	/* What was left behind lives on, also when we are gone. */
	rig_wait_marked(&rig, mark, 1);
	close(rig.in);
	rig.in = -1;
	rig.fails = true;
	rig_wait(&rig, has_failed, NULL);
	rig_wait_marked(&rig, mark, 1);
}

/* As `service x start` does it: nothing of ours is held, so nothing waits. */
static void a_daemon_is_left_alone(void **state)
{
	struct rig_task *t = open_marked("setsid sleep 1000 <&- >&- 2>&- 3>&- & exit 0");

	(void)state;
	rig_wait_end(&rig, t);
	assert_false(t->end.pipes_open);
	rig_wait_marked(&rig, mark, 1);
}

static void an_open_fd3_is_waited_for_by_nobody(void **state)
{
	struct rig_task *t = open_marked("echo '{\"stream\":\"verbose\",\"value\":\"v\"}' >&3;"
					 " sleep 1000 >&- 2>&- & exit 0");

	(void)state;
	rig_wait_end(&rig, t);
	assert_false(t->end.pipes_open);
	assert_string_equal(rig_text(t, STREAM_VERBOSE), "v\n");
}

static const char stubborn[] = "trap '' TERM HUP; setsid sh -c \"trap '' TERM; echo up;"
			       " while :; do sleep 1; done\" & wait; while :; do sleep 1; done";

static void a_lost_link_ends_everything(void **state)
{
	struct rig_task *t = open_marked(stubborn);

	(void)state;
	rig_wait_output(&rig, t, "up");
	close(rig.in);
	rig.in = -1;
	rig.fails = true;
	rig_wait_gone(&rig, mark);
}

static void an_unread_link_ends_everything(void **state)
{
	struct task_open_msg open = marked("echo up; exec yes");
	struct rig_task *t;

	(void)state;
	t = rig_open(&rig, &open);
	rig_wait_output(&rig, t, "up");
	close(rig.out);
	rig.out = -1;
	rig.failed = true;
	rig_wait_gone(&rig, mark);
}

static void a_killed_agent_ends_everything(void **state)
{
	struct rig_task *t = open_marked(stubborn);

	(void)state;
	rig_wait_output(&rig, t, "up");
	assert_int_equal(kill(rig.pid, SIGKILL), 0);
	rig.fails = true;
	rig_wait_gone(&rig, mark);
}

static void a_killed_supervisor_is_a_lost_task(void **state)
{
	struct rig_task *t = open_marked("setsid sleep 1000 & sed -n 's/^PPid:.//p'"
					 " /proc/$$/status; echo up; sleep 1000");
	struct rig_task *other = open_marked("echo up; sleep 0.2; exit 4");
	long supervisor;

	(void)state;
	rig_wait_output(&rig, t, "up");
	supervisor = strtol(rig_text(t, STREAM_OUTPUT), NULL, 10);
	assert_true(supervisor > 1 && supervisor != rig.pid);
	assert_int_equal(kill((pid_t)supervisor, SIGKILL), 0);
	rig_wait_end(&rig, t);
	assert_int_equal(t->end.kind, TASK_LOST);
	rig_wait_end(&rig, other);
	(void)other;
}

static void a_stop_before_it_began(void **state)
{
	struct rig_task *t = open_marked("sleep 1000");

	(void)state;
	rig_signal(&rig, t, TASK_STOP);
	rig_wait_end(&rig, t);
	assert_int_equal(t->end.kind, TASK_STOPPED);
	assert_int_equal(rig_count_marked(mark), 0);
}

struct state_of {
	struct rig_task *task;
	uint64_t states;
};

static bool has_states(struct rig *r, void *arg)
{
	const struct state_of *s = arg;

	(void)r;
	return s->task->states >= s->states;
}

/* What a signal does to a process is to be seen when that has its turn. */
static char state_letter(uint64_t pid)
{
	char *path = xasprintf("/proc/%llu/stat", (unsigned long long)pid), letter = '?';
	FILE *file = fopen(path, "r");

	if (file) {
		if (fscanf(file, "%*d (%*[^)]) %c", &letter) != 1)
			letter = '?';
		(void)fclose(file);
	}
	free(path);
	return letter;
}

static bool has_halted(struct rig *r, void *arg)
{
	(void)r;
	return state_letter(((struct rig_task *)arg)->pid) == 'T';
}

static bool has_gone_on(struct rig *r, void *arg)
{
	return !has_halted(r, arg);
}

static void suspend_and_resume(void **state)
{
	struct task_open_msg open = marked("sleep 1000 & echo up; wait");
	struct state_of s;

	(void)state;
	open.run_timeout_ms = 1000000;
	s = (struct state_of){rig_open(&rig, &open), 1};
	rig_wait_output(&rig, s.task, "up");
	rig_signal(&rig, s.task, TASK_SUSPEND);
	rig_wait(&rig, has_states, &s);
	assert_true(s.task->suspended);
	rig_wait(&rig, has_halted, s.task);
	rig_signal(&rig, s.task, TASK_RESUME);
	s.states = 2;
	rig_wait(&rig, has_states, &s);
	assert_false(s.task->suspended);
	rig_wait(&rig, has_gone_on, s.task);
	/* One that is suspended can be stopped. */
	rig_signal(&rig, s.task, TASK_SUSPEND);
	rig_signal(&rig, s.task, TASK_STOP);
	rig_wait_end(&rig, s.task);
	assert_int_equal(s.task->end.kind, TASK_STOPPED);
	assert_int_equal(rig_count_marked(mark), 0);
}

static void run_timeout(void **state)
{
	struct task_open_msg open =
		marked("setsid sleep 1000 & while :; do echo x; sleep 0.05; done");
	struct rig_task *t;

	(void)state;
	open.run_timeout_ms = 300;
	t = rig_open(&rig, &open);
	rig_wait_end(&rig, t);
	assert_int_equal(t->end.kind, TASK_TIMEOUT);
	assert_string_equal(t->end.text, "run");
	assert_int_equal(rig_count_marked(mark), 0);
}

static void idle_timeout(void **state)
{
	struct task_open_msg open =
		marked("for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.5; done; sleep 1000");
	struct rig_task *t;

	(void)state;
	open.idle_timeout_ms = 3000;
	t = rig_open(&rig, &open);
	rig_wait_end(&rig, t);
	assert_int_equal(t->end.kind, TASK_TIMEOUT);
	assert_string_equal(t->end.text, "idle");
	assert_string_equal(rig_text(t, STREAM_OUTPUT), "1\n2\n3\n4\n5\n6\n7\n8\n");
	assert_int_equal(rig_count_marked(mark), 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(fault_45_setsid_tree),
		TEST(fault_45_term_ignored),
		TEST(fault_45_fork_chaser),
		TEST(stop_lets_it_clean_up),
		TEST(kill_waits_for_nobody),
		TEST(fault_46_output_closed_and_lives_on),
		TEST(fault_47_grandchild_holds_the_output),
		TEST(a_daemon_is_left_alone),
		TEST(an_open_fd3_is_waited_for_by_nobody),
		TEST(a_lost_link_ends_everything),
		TEST(an_unread_link_ends_everything),
		TEST(a_killed_agent_ends_everything),
		TEST(a_killed_supervisor_is_a_lost_task),
		TEST(a_stop_before_it_began),
		TEST(suspend_and_resume),
		TEST(run_timeout),
		TEST(idle_timeout),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
