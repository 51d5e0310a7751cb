/*
 * Mistakes of whoever drives a job abort, in release too, and the log names them. Each is made in
 * a process of its own.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "job.h"
#include "log.h"

/* What the vtables do with a child: set by a mistake that needs it. */
struct hooks {
	void (*start)(struct child *child);
	void (*stop)(struct child *child);
	void (*suspend)(struct child *child);
	void (*child_changed)(struct child *child);
	void (*job_changed)(struct job *job);
};

static void on_start(void *ctx, struct child *child)
{
	struct hooks *h = ctx;

	if (h->start)
		h->start(child);
}

static void on_stop(void *ctx, struct child *child)
{
	struct hooks *h = ctx;

	if (h->stop)
		h->stop(child);
}

static void on_suspend(void *ctx, struct child *child)
{
	struct hooks *h = ctx;

	if (h->suspend)
		h->suspend(child);
}

static void on_resume(void *ctx, struct child *child)
{
	(void)ctx;
	(void)child;
}

static void on_child_changed(void *ctx, struct child *child)
{
	struct hooks *h = ctx;

	if (h->child_changed)
		h->child_changed(child);
}

static void on_job_changed(void *ctx, struct job *job)
{
	struct hooks *h = ctx;

	if (h->job_changed)
		h->job_changed(job);
}

static struct job *make_job(size_t count, size_t throttle, struct hooks *hooks)
{
	static const struct job_transport transport = {
		.start = on_start, .stop = on_stop, .suspend = on_suspend, .resume = on_resume};
	static const struct job_observer observer = {.child_changed = on_child_changed,
						     .job_changed = on_job_changed};
	static const char *const names[] = {"a", "b"};
	struct job_spec spec = {.type = "Remote", .command = "true", .throttle = throttle};

	spec.locations = names;
	spec.count = count;
	return job_new(&spec, 1, &transport, &observer, hooks);
}

static void end_with(struct child *child, enum cause cause)
{
	struct outcome o = {.cause = cause, .exit_code = -1};

	child_on_end(child, &o, 9);
}

static void end_child(struct child *child)
{
	end_with(child, CAUSE_AUTH);
}

static void run_child(struct child *child)
{
	child_on_running(child, 9);
}

static void stop_child(struct child *child)
{
	child_stop(child, 9);
}

static void stop_job_of(struct child *child)
{
	job_stop(child_job(child), 9);
}

static void raise_throttle(struct child *child)
{
	job_set_throttle(child_job(child), 9, 9);
}

static void start_job(struct job *job)
{
	job_start(job, 9);
}

/* In the forked process: makes the mistake, and leaves with 0 if nothing stopped it. */
static _Noreturn void in_child(void (*mistake)(void), int log_fd)
{
	const struct rlimit no_core = {0, 0};

	setrlimit(RLIMIT_CORE, &no_core);
	signal(SIGABRT, SIG_DFL);
	log_open(log_fd, LOG_ERROR, false);
	mistake();
	_exit(0);
}

static void expect_abort(void (*mistake)(void), const char *logged)
{
	char text[1024];
	int fds[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		in_child(mistake, fds[1]);
	close(fds[1]);
	n = read(fds[0], text, sizeof text - 1);
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	assert_true(n > 0);
	text[n] = '\0';
	if (!strstr(text, logged))
		fail_msg("'%s' is not in: %s", logged, text);
}

static void run_in_the_queue(void)
{
	struct hooks h = {0};
	struct job *job = make_job(2, 1, &h);

	job_start(job, 1);
	child_on_running(job_child(job, 1), 2);
}

static void end_in_the_queue(void)
{
	struct hooks h = {0};

	end_child(job_child(make_job(2, 1, &h), 0));
}

static void end_twice(void)
{
	struct hooks h = {0};
	struct job *job = make_job(2, 2, &h);

	job_start(job, 1);
	end_child(job_child(job, 0));
	end_child(job_child(job, 0));
}

static void run_twice(void)
{
	struct hooks h = {0};
	struct job *job = make_job(2, 2, &h);

	job_start(job, 1);
	run_child(job_child(job, 0));
	run_child(job_child(job, 0));
}

static void run_twice_across_a_stop(void)
{
	struct hooks h = {0};
	struct job *job = make_job(2, 2, &h);

	job_start(job, 1);
	run_child(job_child(job, 0));
	job_stop(job, 2);
	run_child(job_child(job, 0));
}

static void end_without_cause(void)
{
	struct hooks h = {0};
	struct job *job = make_job(1, 1, &h);

	job_start(job, 1);
	end_with(job_child(job, 0), CAUSE_NONE);
}

/* A job with one child that runs. */
static struct child *running_child(struct hooks *hooks)
{
	struct job *job = make_job(1, 1, hooks);

	job_start(job, 1);
	run_child(job_child(job, 0));
	return job_child(job, 0);
}

static void disconnect_while_connecting(void)
{
	struct hooks h = {0};
	struct job *job = make_job(1, 1, &h);

	job_start(job, 1);
	child_on_disconnected(job_child(job, 0), 2);
}

static void disconnect_twice(void)
{
	struct hooks h = {0};
	struct child *child = running_child(&h);

	child_on_disconnected(child, 3);
	child_on_disconnected(child, 3);
}

static void suspended_without_a_link(void)
{
	struct hooks h = {0};
	struct child *child = running_child(&h);

	child_on_disconnected(child, 3);
	child_on_suspended(child, 3);
}

static void reconnect_of_a_link_that_is_there(void)
{
	struct hooks h = {0};

	child_on_reconnected(running_child(&h), 3);
}

static void resumed_though_it_runs(void)
{
	struct hooks h = {0};

	child_on_resumed(running_child(&h), 3);
}

static void unblocked_though_it_runs(void)
{
	struct hooks h = {0};

	child_on_unblocked(running_child(&h), 3);
}

static void blocked_after_the_end(void)
{
	struct hooks h = {0};
	struct child *child = running_child(&h);

	end_child(child);
	child_on_blocked(child, 3);
}

static void no_children(void)
{
	struct hooks h = {0};

	make_job(0, 1, &h);
}

static void too_many_children(void)
{
	struct hooks h = {0};

	make_job(LIMIT_HOSTS + 1, 1, &h);
}

static void throttle_of_0(void)
{
	struct hooks h = {0};

	make_job(1, 0, &h);
}

static void throttle_set_to_0(void)
{
	struct hooks h = {0};

	job_set_throttle(make_job(1, 1, &h), 0, 1);
}

static void test_illegal_events(void **state)
{
	(void)state;
	expect_abort(run_in_the_queue, "job 1: event running is illegal in step queued of child 3");
	expect_abort(end_in_the_queue, "event end-failed is illegal in step queued of child 2");
	expect_abort(end_twice, "event end-failed is illegal in step failed of child 2");
	expect_abort(run_twice, "event running is illegal in step running of child 2");
	expect_abort(run_twice_across_a_stop, "child 2 was reported running twice");
	expect_abort(end_without_cause, "child 2 ended without a cause");
}

static void test_illegal_reports(void **state)
{
	(void)state;
	expect_abort(disconnect_while_connecting, "event disconnect is illegal in step starting");
	expect_abort(disconnect_twice, "event disconnect is illegal in step disconnected");
	expect_abort(suspended_without_a_link, "event suspended is illegal in step disconnected");
	expect_abort(reconnect_of_a_link_that_is_there,
		     "event reconnect is illegal in step running");
	expect_abort(resumed_though_it_runs, "event resumed is illegal in step running");
	expect_abort(unblocked_though_it_runs, "event unblock is illegal in step running");
	expect_abort(blocked_after_the_end, "event block is illegal in step failed");
}

static void test_bad_sizes(void **state)
{
	(void)state;
	expect_abort(no_children, "0 children");
	expect_abort(too_many_children, "1000001 children");
	expect_abort(throttle_of_0, "a throttle of 0");
	expect_abort(throttle_set_to_0, "a throttle of 0");
}

static void start_with(struct hooks h)
{
	job_start(make_job(1, 1, &h), 1);
}

static void run_from_start(void)
{
	start_with((struct hooks){.start = run_child});
}

static void end_from_start(void)
{
	start_with((struct hooks){.start = end_child});
}

static void throttle_from_start(void)
{
	start_with((struct hooks){.start = raise_throttle});
}

static void stop_with(struct hooks h)
{
	struct job *job = make_job(1, 1, &h);

	job_start(job, 1);
	job_stop(job, 2);
}

static void end_from_stop(void)
{
	stop_with((struct hooks){.stop = end_child});
}

static void stop_from_observer(void)
{
	stop_with((struct hooks){.child_changed = stop_child});
}

static void stop_job_from_observer(void)
{
	stop_with((struct hooks){.child_changed = stop_job_of});
}

static void start_from_observer(void)
{
	stop_with((struct hooks){.job_changed = start_job});
}

static void free_from_observer(void)
{
	stop_with((struct hooks){.job_changed = job_free});
}

static void answer_suspend(struct child *child)
{
	child_on_suspended(child, 9);
}

static void suspended_from_suspend(void)
{
	struct hooks h = {.suspend = answer_suspend};

	child_suspend(running_child(&h), 3, NULL);
}

static void resume_child(struct child *child)
{
	child_resume(child, 9, NULL);
}

static void resume_from_suspend(void)
{
	struct hooks h = {.suspend = resume_child};

	child_suspend(running_child(&h), 3, NULL);
}

static void suspend_job_of(struct job *job)
{
	job_suspend(job, 9, NULL);
}

static void suspend_from_observer(void)
{
	stop_with((struct hooks){.job_changed = suspend_job_of});
}

static void test_calling_back(void **state)
{
	(void)state;
	expect_abort(run_from_start, "child_on_running was called from inside a callback");
	expect_abort(end_from_start, "child_on_end was called from inside a callback");
	expect_abort(throttle_from_start, "job_set_throttle was called from inside a callback");
	expect_abort(end_from_stop, "child_on_end was called from inside a callback");
	expect_abort(stop_from_observer, "child_stop was called from inside a callback");
	expect_abort(stop_job_from_observer, "job_stop was called from inside a callback");
	expect_abort(start_from_observer, "job_start was called from inside a callback");
	expect_abort(suspended_from_suspend,
		     "child_on_suspended was called from inside a callback");
	expect_abort(resume_from_suspend, "child_resume was called from inside a callback");
	expect_abort(suspend_from_observer, "job_suspend was called from inside a callback");
	expect_abort(free_from_observer, "job_free was called from inside a callback");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_illegal_events),
		cmocka_unit_test(test_illegal_reports),
		cmocka_unit_test(test_bad_sizes),
		cmocka_unit_test(test_calling_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
