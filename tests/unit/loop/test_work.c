#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc.h"
#include "log.h"
#include "work.h"

#define LONG_MS 60000u

/* What the tasks of a test share. */
struct scene {
	struct loop *loop;
	pthread_t thread;
	sem_t entered; /* a gated task runs */
	sem_t gate;    /* it waits for this */
	sem_t gone;    /* it has ended */
	atomic_int now, most;
	int done, cancelled, expected;
	char order[64]; /* one letter for each done, upper case if cancelled */
};

struct job {
	struct scene *scene;
	char letter;
	atomic_bool ran, off_loop;
	bool done_on_loop;
	struct work_pool *resubmit_to;
};

static int set_up(void **state)
{
	struct scene *s = xcalloc(1, sizeof *s);

	s->loop = loop_new();
	s->thread = pthread_self();
	(void)sem_init(&s->entered, 0, 0);
	(void)sem_init(&s->gate, 0, 0);
	(void)sem_init(&s->gone, 0, 0);
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *s = *state;

	loop_free(s->loop);
	(void)sem_destroy(&s->entered);
	(void)sem_destroy(&s->gate);
	(void)sem_destroy(&s->gone);
	free(s);
	return 0;
}

static void run_plain(void *arg)
{
	struct job *job = arg;

	job->ran = true;
	job->off_loop = !pthread_equal(pthread_self(), job->scene->thread);
}

static void run_gated(void *arg)
{
	struct job *job = arg;

	run_plain(job);
	(void)sem_post(&job->scene->entered);
	(void)sem_wait(&job->scene->gate);
	(void)sem_post(&job->scene->gone);
}

static void done_note(void *arg, bool cancelled)
{
	struct job *job = arg;
	struct scene *s = job->scene;

	job->done_on_loop = pthread_equal(pthread_self(), s->thread);
	if (s->done < (int)sizeof s->order - 1)
		s->order[s->done] = (char)(cancelled ? job->letter - 'a' + 'A' : job->letter);
	s->cancelled += cancelled;
	if (++s->done == s->expected)
		loop_stop(s->loop);
	if (job->resubmit_to) {
		struct work_pool *pool = job->resubmit_to;

		job->resubmit_to = NULL;
		(void)work_submit(pool, run_plain, done_note, job);
	}
}

static void tasks_run_off_the_loop_and_finish_on_it(void **state)
{
	struct scene *s = *state;
	struct work_pool *pool = work_pool_new(s->loop, "test", 2);
	struct job job = {.scene = s, .letter = 'a'};

	s->expected = 1;
	(void)work_submit(pool, run_plain, done_note, &job);
	loop_run(s->loop);
	assert_string_equal(s->order, "a");
	assert_true(job.ran);
	assert_true(job.off_loop);
	assert_true(job.done_on_loop);
	work_pool_free(pool, LONG_MS);
}

static void done_open_gate(void *arg, bool cancelled)
{
	struct job *job = arg;

	done_note(job, cancelled);
	(void)sem_post(&job->scene->gate);
}

/* The only thread hangs until the cancelled task is done: so done does not wait for a thread. */
static void cancel_before_the_run(void **state)
{
	struct scene *s = *state;
	struct work_pool *pool = work_pool_new(s->loop, "test", 1);
	struct job hung = {.scene = s, .letter = 'a'}, job = {.scene = s, .letter = 'b'};
	struct work_task *task;

	s->expected = 2;
	(void)work_submit(pool, run_gated, done_note, &hung);
	task = work_submit(pool, run_plain, done_open_gate, &job);
	(void)sem_wait(&s->entered);
	work_cancel(task);
	assert_int_equal(s->done, 0);
	loop_run(s->loop);
	assert_string_equal(s->order, "Ba");
	assert_false(job.ran);
	work_pool_free(pool, LONG_MS);
}

static void cancel_keeps_the_order_of_the_others(void **state)
{
	struct scene *s = *state;
	struct work_pool *pool = work_pool_new(s->loop, "test", 1);
	struct work_task *tasks[6];
	struct job jobs[7];

	s->expected = 7;
	for (int i = 0; i < 7; i++)
		jobs[i] = (struct job){.scene = s, .letter = (char)('a' + i)};
	tasks[0] = work_submit(pool, run_gated, done_note, &jobs[0]);
	(void)sem_wait(&s->entered);
	for (int i = 1; i < 6; i++)
		tasks[i] = work_submit(pool, run_plain, done_note, &jobs[i]);
	/* The first, the middle and the last of the queue; then one more behind it. */
	work_cancel(tasks[1]);
	work_cancel(tasks[3]);
	work_cancel(tasks[5]);
	work_cancel(tasks[5]);
	work_cancel(NULL);
	(void)work_submit(pool, run_plain, done_note, &jobs[6]);
	(void)sem_post(&s->gate);
	loop_run(s->loop);
	assert_string_equal(s->order, "BDFaceg");
	work_pool_free(pool, LONG_MS);
}

static void cancel_during_the_run(void **state)
{
	struct scene *s = *state;
	struct work_pool *pool = work_pool_new(s->loop, "test", 1);
	struct job job = {.scene = s, .letter = 'a'};
	struct work_task *task = work_submit(pool, run_gated, done_note, &job);

	s->expected = 1;
	(void)sem_wait(&s->entered);
	work_cancel(task);
	(void)sem_post(&s->gate);
	loop_run(s->loop);
	assert_string_equal(s->order, "A");
	assert_true(job.ran);
	work_pool_free(pool, LONG_MS);
}

static void run_counted(void *arg)
{
	struct job *job = arg;
	struct scene *s = job->scene;
	int now = ++s->now, most = s->most;

	while (now > most && !atomic_compare_exchange_weak(&s->most, &most, now))
		;
	(void)sched_yield();
	s->now--;
}

static void more_tasks_than_threads(void **state)
{
	enum { TASKS = 500, MAX = 3 };
	struct scene *s = *state;
	struct work_pool *pool = work_pool_new(s->loop, "test", MAX);
	struct job job = {.scene = s, .letter = 'a'};

	s->expected = TASKS;
	for (int i = 0; i < TASKS; i++)
		(void)work_submit(pool, run_counted, done_note, &job);
	loop_run(s->loop);
	assert_int_equal(s->done, TASKS);
	assert_int_equal(s->cancelled, 0);
	assert_in_range(s->most, 1, MAX);
	work_pool_free(pool, LONG_MS);
}

/* Each waits until all are there: hangs if the pool starts fewer threads than it may. */
static void run_meet(void *arg)
{
	(void)pthread_barrier_wait(arg);
}

struct meeting {
	pthread_barrier_t barrier;
	struct scene *scene;
};

static void done_meet(void *arg, bool cancelled)
{
	struct meeting *m = arg;

	(void)cancelled;
	if (++m->scene->done == m->scene->expected)
		loop_stop(m->scene->loop);
}

static void threads_are_started_as_needed(void **state)
{
	struct scene *s = *state;
	struct work_pool *pool = work_pool_new(s->loop, "test", 4);
	struct meeting m = {.scene = s};

	for (int round = 1; round <= 2; round++) {
		s->done = 0;
		s->expected = 2 * round;
		assert_int_equal(pthread_barrier_init(&m.barrier, NULL, (unsigned)(2 * round)), 0);
		for (int i = 0; i < 2 * round; i++)
			(void)work_submit(pool, run_meet, done_meet, &m);
		loop_run(s->loop);
		assert_int_equal(pthread_barrier_destroy(&m.barrier), 0);
	}
	work_pool_free(pool, LONG_MS);
}

static void run_signal_mask(void *arg)
{
	sigset_t set;

	(void)pthread_sigmask(SIG_SETMASK, NULL, &set);
	((struct job *)arg)->ran = sigismember(&set, SIGINT) && sigismember(&set, SIGCHLD);
}

static void signals_are_left_to_the_loops(void **state)
{
	struct scene *s = *state;
	struct work_pool *pool = work_pool_new(s->loop, "test", 1);
	struct job job = {.scene = s, .letter = 'a'};
	sigset_t set;

	s->expected = 1;
	(void)work_submit(pool, run_signal_mask, done_note, &job);
	loop_run(s->loop);
	assert_true(job.ran);
	(void)pthread_sigmask(SIG_SETMASK, NULL, &set);
	assert_false(sigismember(&set, SIGINT));
	work_pool_free(pool, LONG_MS);
}

static void free_of_pools_that_did_nothing(void **state)
{
	struct scene *s = *state;

	work_pool_free(NULL, 0);
	work_pool_free(work_pool_new(s->loop, "test", 3), 0);
}

/* State of a thread of ours as the kernel sees it, proc(5): 'S' is asleep. */
static char thread_state(pid_t tid)
{
	char path[64], line[512];
	FILE *f;
	char *p;

	(void)snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)tid);
	f = fopen(path, "re");
	p = f ? fgets(line, sizeof line, f) : NULL;
	p = p ? strrchr(p, ')') : NULL;
	if (f)
		(void)fclose(f);
	return p ? p[2] : '?';
}

struct opener {
	struct scene *scene;
	pid_t main_tid;
	atomic_bool freeing;
};

/* Opens the gate once the main thread sleeps inside work_pool_free. */
static void *open_when_freeing(void *arg)
{
	struct opener *o = arg;

	while (!o->freeing || thread_state(o->main_tid) != 'S')
		(void)sched_yield();
	(void)sem_post(&o->scene->gate);
	return NULL;
}

static void free_waits_for_what_runs_and_drops_what_waits(void **state)
{
	struct scene *s = *state;
	struct work_pool *pool = work_pool_new(s->loop, "test", 1);
	struct job running = {.scene = s, .letter = 'a'}, first = {.scene = s, .letter = 'b'};
	struct job second = {.scene = s, .letter = 'c'};
	struct opener opener = {.scene = s, .main_tid = gettid()};
	pthread_t thread;

	first.resubmit_to = pool;
	(void)work_submit(pool, run_gated, done_note, &running);
	(void)work_submit(pool, run_plain, done_note, &first);
	(void)work_submit(pool, run_plain, done_note, &second);
	(void)sem_wait(&s->entered);
	assert_int_equal(pthread_create(&thread, NULL, open_when_freeing, &opener), 0);
	opener.freeing = true;
	work_pool_free(pool, LONG_MS);
	assert_int_equal(pthread_join(thread, NULL), 0);
	/* The second b was submitted by the done of the first. */
	assert_int_equal(s->done, 4);
	assert_int_equal(s->cancelled, 4);
	assert_non_null(strchr(s->order, 'A'));
	assert_non_null(strchr(s->order, 'C'));
	assert_non_null(strchr(s->order, 'B'));
	assert_ptr_not_equal(strchr(s->order, 'B'), strrchr(s->order, 'B'));
	assert_false(first.ran);
	assert_false(second.ran);
}

static void free_leaves_a_hung_thread_behind(void **state)
{
	struct scene *s = *state;
	struct work_pool *pool = work_pool_new(s->loop, "test", 2);
	struct job hung[2], queued = {.scene = s, .letter = 'c'};

	for (int i = 0; i < 2; i++) {
		hung[i] = (struct job){.scene = s, .letter = 'x'};
		(void)work_submit(pool, run_gated, done_note, &hung[i]);
	}
	(void)work_submit(pool, run_plain, done_note, &queued);
	(void)sem_wait(&s->entered);
	(void)sem_wait(&s->entered);
	work_pool_free(pool, 1);
	assert_string_equal(s->order, "C");
	assert_false(queued.ran);
	/* The loop may go as well, while they still hang. */
	loop_free(s->loop);
	s->loop = NULL;
	(void)sem_post(&s->gate);
	(void)sem_post(&s->gate);
	(void)sem_wait(&s->gone);
	(void)sem_wait(&s->gone);
	assert_string_equal(s->order, "C");
}

/* done of a task that ended before the pool was freed comes at the latest from loop_free. */
static void what_has_ended_is_finished_by_the_loop(void **state)
{
	struct scene *s = *state;
	struct work_pool *pool = work_pool_new(s->loop, "test", 1);
	struct job job = {.scene = s, .letter = 'a'};

	(void)work_submit(pool, run_gated, done_note, &job);
	(void)sem_post(&s->gate);
	(void)sem_wait(&s->gone);
	work_pool_free(pool, LONG_MS);
	loop_free(s->loop);
	s->loop = NULL;
	assert_int_equal(s->done, 1);
}

/* In a child process, which gives up the right to have threads. Returns its exit status. */
static int work_without_threads(struct scene *s)
{
	const struct rlimit none = {0};
	struct work_pool *pool = work_pool_new(s->loop, "test", 2);
	struct job job = {.scene = s, .letter = 'a'}, dropped = {.scene = s, .letter = 'b'};

	/* Root is not bound by the limit. */
	if (setrlimit(RLIMIT_NPROC, &none) < 0 ||
	    (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0))
		return 2;
	log_open(STDERR_FILENO, LOG_ERROR, false);
	s->expected = 2;
	(void)work_submit(pool, run_plain, done_note, &job);
	work_cancel(work_submit(pool, run_plain, done_note, &dropped));
	loop_run(s->loop);
	if (job.off_loop)
		return 3;
	return strcmp(s->order, "aB") == 0 && job.ran && !dropped.ran ? 0 : 1;
}

static void without_threads_the_loop_does_the_work(void **state)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(work_without_threads(*state));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* First: it forks, and no thread has been started yet. */
		TEST(without_threads_the_loop_does_the_work),
		TEST(tasks_run_off_the_loop_and_finish_on_it),
		TEST(cancel_before_the_run),
		TEST(cancel_keeps_the_order_of_the_others),
		TEST(cancel_during_the_run),
		TEST(more_tasks_than_threads),
		TEST(threads_are_started_as_needed),
		TEST(signals_are_left_to_the_loops),
		TEST(free_of_pools_that_did_nothing),
		TEST(free_waits_for_what_runs_and_drops_what_waits),
		TEST(free_leaves_a_hung_thread_behind),
		TEST(what_has_ended_is_finished_by_the_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
