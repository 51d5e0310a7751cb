/* A job over a fake transport: what happens, and what is told, in which order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "buf.h"
#include "job.h"

#define FIRST_ID 7

/* Everything that the job called, as text: "start a", "stop a", "a Running", "job Failed". */
struct fake {
	struct job *job;
	struct buf trace;
};

static void fake_start(void *ctx, struct child *child)
{
	struct fake *f = ctx;

	buf_addf(&f->trace, "start %s\n", child_location(child));
}

static void fake_stop(void *ctx, struct child *child)
{
	struct fake *f = ctx;

	buf_addf(&f->trace, "stop %s\n", child_location(child));
}

static void fake_child_changed(void *ctx, struct child *child)
{
	struct fake *f = ctx;

	buf_addf(&f->trace, "%s %s\n", child_location(child), job_state_name(child_state(child)));
}

static void fake_job_changed(void *ctx, struct job *job)
{
	struct fake *f = ctx;

	buf_addf(&f->trace, "job %s\n", job_state_name(job_state(job)));
}

static const struct job_transport fake_transport = {.start = fake_start, .stop = fake_stop};
static const struct job_observer fake_observer = {.child_changed = fake_child_changed,
						  .job_changed = fake_job_changed};

/* A job on the computers a, b, c ...; ended by fake_done. */
static void fake_init(struct fake *f, size_t count, size_t throttle)
{
	static const char *const names[] = {"a", "b", "c", "d", "e"};
	struct job_spec spec = {
		.type = "Remote",
		.command = "uptime",
		.throttle = throttle,
		.locations = names,
		.count = count,
	};

	assert_true(count <= ARRAY_LEN(names));
	*f = (struct fake){0};
	f->job = job_new(&spec, FIRST_ID, &fake_transport, &fake_observer, f);
}

static void fake_done(struct fake *f)
{
	job_free(f->job);
	buf_done(&f->trace);
}

/* What was called since the last time must be exactly this. */
static void expect(struct fake *f, const char *trace)
{
	assert_string_equal(buf_cstr(&f->trace), trace);
	buf_clear(&f->trace);
}

static void run(struct fake *f, size_t index, uint64_t now)
{
	child_on_running(job_child(f->job, index), now);
}

static void end(struct fake *f, size_t index, enum cause cause, int exit_code, uint64_t now)
{
	struct outcome o = {.cause = cause, .exit_code = exit_code};

	child_on_end(job_child(f->job, index), &o, now);
}

static enum cause cause_of(struct fake *f, size_t index)
{
	struct outcome o = {.cause = CAUSE_NONE};

	child_outcome(job_child(f->job, index), &o);
	return o.cause;
}

static void test_starts_in_order_up_to_the_throttle(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, 4, 2);
	expect(&f, "");
	job_start(f.job, 1);
	expect(&f, "start a\nstart b\n");
	run(&f, 0, 2);
	run(&f, 1, 2);
	expect(&f, "a Running\nb Running\n");
	assert_int_equal(job_state(f.job), JOB_STATE_RUNNING);
	assert_int_equal(child_state(job_child(f.job, 2)), JOB_STATE_NOT_STARTED);
	job_start(f.job, 3);
	expect(&f, "");
	fake_done(&f);
}

static void test_an_end_is_told_before_the_next_starts(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, 3, 1);
	job_start(f.job, 1);
	run(&f, 0, 2);
	end(&f, 0, CAUSE_EXITED, 0, 3);
	expect(&f, "start a\na Running\na Completed\nstart b\n");
	end(&f, 1, CAUSE_UNREACHABLE, -1, 4);
	expect(&f, "b Failed\nstart c\n");
	assert_int_equal(job_state(f.job), JOB_STATE_RUNNING);
	end(&f, 2, CAUSE_EXITED, 0, 5);
	expect(&f, "c Completed\njob Failed\n");
	fake_done(&f);
}

static void test_all_well_is_completed(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, 2, 2);
	job_start(f.job, 1);
	end(&f, 1, CAUSE_EXITED, 0, 2);
	end(&f, 0, CAUSE_EXITED, 0, 3);
	expect(&f, "start a\nstart b\nb Completed\na Completed\njob Completed\n");
	fake_done(&f);
}

static void test_the_cause_decides_the_state(void **state)
{
	(void)state;
	for (int cause = CAUSE_NONE + 1; cause < CAUSE_COUNT; cause++) {
		bool stopped = cause == CAUSE_STOPPED || cause == CAUSE_NEVER_RAN;
		struct fake f;

		fake_init(&f, 1, 1);
		job_start(f.job, 1);
		run(&f, 0, 2);
		end(&f, 0, (enum cause)cause, cause == CAUSE_EXITED ? 7 : -1, 3);
		assert_int_equal(child_state(job_child(f.job, 0)),
				 stopped ? JOB_STATE_STOPPED : JOB_STATE_FAILED);
		assert_int_equal(job_state(f.job), stopped ? JOB_STATE_STOPPED : JOB_STATE_FAILED);
		assert_int_equal(cause_of(&f, 0), cause);
		fake_done(&f);
	}
}

static void test_times(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, 3, 3);
	job_start(f.job, 10);
	assert_int_equal(job_begin_ns(f.job), 0);
	run(&f, 1, 11);
	run(&f, 0, 12);
	end(&f, 2, CAUSE_AUTH, -1, 13);
	end(&f, 1, CAUSE_EXITED, 0, 14);
	assert_int_equal(job_end_ns(f.job), 0);
	end(&f, 0, CAUSE_EXITED, 0, 15);
	assert_int_equal(job_begin_ns(f.job), 11);
	assert_int_equal(job_end_ns(f.job), 15);
	assert_int_equal(child_begin_ns(job_child(f.job, 0)), 12);
	assert_int_equal(child_begin_ns(job_child(f.job, 2)), 0);
	assert_int_equal(child_end_ns(job_child(f.job, 2)), 13);
	fake_done(&f);
}

static void test_what_ends_at_once_has_begun(void **state)
{
	struct outcome o = {.cause = CAUSE_EXITED, .exit_code = 0, .began = true};
	struct fake f;

	(void)state;
	fake_init(&f, 1, 1);
	job_start(f.job, 1);
	child_on_end(job_child(f.job, 0), &o, 5);
	expect(&f, "start a\na Completed\njob Completed\n");
	assert_int_equal(child_begin_ns(job_child(f.job, 0)), 5);
	assert_int_equal(job_begin_ns(f.job), 5);
	fake_done(&f);
}

static void test_outcome_is_kept_whole(void **state)
{
	struct outcome in = {.cause = CAUSE_SIGNALLED, .exit_code = -1, .signal = "TERM"}, out;
	struct fake f;

	(void)state;
	fake_init(&f, 1, 1);
	job_start(f.job, 1);
	run(&f, 0, 2);
	memset(in.text, 'x', sizeof in.text - 1);
	out = in;
	assert_false(child_outcome(job_child(f.job, 0), &out));
	assert_memory_equal(&in, &out, sizeof in);
	child_on_end(job_child(f.job, 0), &in, 3);
	memset(&out, 0, sizeof out);
	assert_true(child_outcome(job_child(f.job, 0), &out));
	assert_int_equal(out.cause, CAUSE_SIGNALLED);
	assert_int_equal(out.exit_code, -1);
	assert_string_equal(out.signal, "TERM");
	assert_string_equal(out.text, in.text);
	assert_true(out.began);
	fake_done(&f);
}

static void test_outcome_without_its_ends_is_cut(void **state)
{
	struct outcome in = {.cause = CAUSE_SIGNALLED}, out;
	struct fake f;

	(void)state;
	memset(in.text, 'x', sizeof in.text);
	memset(in.signal, 'Y', sizeof in.signal);
	fake_init(&f, 1, 1);
	job_start(f.job, 1);
	child_on_end(job_child(f.job, 0), &in, 2);
	assert_true(child_outcome(job_child(f.job, 0), &out));
	assert_int_equal(strnlen(out.text, sizeof out.text), sizeof out.text - 1);
	assert_int_equal(strnlen(out.signal, sizeof out.signal), sizeof out.signal - 1);
	fake_done(&f);
}

static void test_stop_of_a_job(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, 4, 2);
	job_start(f.job, 1);
	run(&f, 0, 2);
	expect(&f, "start a\nstart b\na Running\n");
	job_stop(f.job, 3);
	expect(&f, "job Stopping\na Stopping\nstop a\nb Stopping\nstop b\nc Stopped\nd Stopped\n");
	assert_int_equal(cause_of(&f, 2), CAUSE_NEVER_RAN);
	assert_int_equal(child_begin_ns(job_child(f.job, 2)), 0);
	end(&f, 1, CAUSE_STOPPED, -1, 4);
	end(&f, 0, CAUSE_STOPPED, -1, 5);
	expect(&f, "b Stopped\na Stopped\njob Stopped\n");
	fake_done(&f);
}

static void test_stop_before_anything_started(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, 2, 1);
	job_stop(f.job, 1);
	expect(&f, "job Stopping\na Stopped\nb Stopped\njob Stopped\n");
	job_start(f.job, 2);
	job_set_throttle(f.job, 5, 2);
	expect(&f, "");
	fake_done(&f);
}

static void test_stop_again_does_nothing(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, 2, 2);
	job_start(f.job, 1);
	job_stop(f.job, 2);
	buf_clear(&f.trace);
	job_stop(f.job, 3);
	child_stop(job_child(f.job, 0), 3);
	expect(&f, "");
	end(&f, 0, CAUSE_STOPPED, -1, 4);
	end(&f, 1, CAUSE_STOPPED, -1, 4);
	buf_clear(&f.trace);
	job_stop(f.job, 5);
	child_stop(job_child(f.job, 0), 5);
	expect(&f, "");
	assert_int_equal(job_end_ns(f.job), 4);
	fake_done(&f);
}

static void test_stop_of_a_finished_job_does_nothing(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, 1, 1);
	job_start(f.job, 1);
	end(&f, 0, CAUSE_EXITED, 0, 2);
	buf_clear(&f.trace);
	job_stop(f.job, 3);
	expect(&f, "");
	assert_int_equal(job_state(f.job), JOB_STATE_COMPLETED);
	fake_done(&f);
}

static void test_an_end_of_its_own_beats_the_stop(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, 3, 3);
	job_start(f.job, 1);
	job_stop(f.job, 2);
	buf_clear(&f.trace);
	end(&f, 0, CAUSE_EXITED, 0, 3);
	end(&f, 1, CAUSE_EXITED, 2, 3);
	end(&f, 2, CAUSE_STOPPED, -1, 3);
	expect(&f, "a Completed\nb Failed\nc Stopped\njob Failed\n");
	fake_done(&f);
}

static void test_running_while_stopping_notes_the_begin(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, 1, 1);
	job_start(f.job, 1);
	job_stop(f.job, 2);
	buf_clear(&f.trace);
	run(&f, 0, 3);
	expect(&f, "");
	assert_int_equal(child_begin_ns(job_child(f.job, 0)), 3);
	assert_int_equal(child_state(job_child(f.job, 0)), JOB_STATE_STOPPING);
	fake_done(&f);
}

static void test_stop_of_a_queued_child(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, 3, 1);
	job_start(f.job, 1);
	buf_clear(&f.trace);
	child_stop(job_child(f.job, 1), 2);
	expect(&f, "b Stopped\n");
	assert_int_equal(job_counts(f.job)->started, 1);
	end(&f, 0, CAUSE_EXITED, 0, 3);
	expect(&f, "a Completed\nstart c\n");
	end(&f, 2, CAUSE_EXITED, 0, 4);
	expect(&f, "c Completed\njob Stopped\n");
	fake_done(&f);
}

static void test_stop_of_a_started_child(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, 3, 1);
	job_start(f.job, 1);
	buf_clear(&f.trace);
	child_stop(job_child(f.job, 0), 2);
	expect(&f, "a Stopping\nstop a\n");
	assert_int_equal(job_counts(f.job)->started, 1);
	assert_int_equal(job_state(f.job), JOB_STATE_RUNNING);
	end(&f, 0, CAUSE_STOPPED, -1, 3);
	expect(&f, "a Stopped\nstart b\n");
	fake_done(&f);
}

static void test_throttle_raised(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, 5, 1);
	job_set_throttle(f.job, 2, 1);
	expect(&f, "");
	job_start(f.job, 1);
	expect(&f, "start a\nstart b\n");
	job_set_throttle(f.job, 4, 2);
	expect(&f, "start c\nstart d\n");
	fake_done(&f);
}

static void test_throttle_lowered(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, 5, 3);
	job_start(f.job, 1);
	job_set_throttle(f.job, 1, 2);
	buf_clear(&f.trace);
	end(&f, 0, CAUSE_EXITED, 0, 3);
	end(&f, 2, CAUSE_EXITED, 0, 3);
	expect(&f, "a Completed\nc Completed\n");
	end(&f, 1, CAUSE_EXITED, 0, 3);
	expect(&f, "b Completed\nstart d\n");
	fake_done(&f);
}

static void test_counts(void **state)
{
	const struct job_counts *n;
	struct fake f;

	(void)state;
	fake_init(&f, 5, 3);
	n = job_counts(f.job);
	assert_int_equal(n->in_state[JOB_STATE_NOT_STARTED], 5);
	job_start(f.job, 1);
	run(&f, 0, 2);
	end(&f, 1, CAUSE_REFUSED, -1, 3);
	child_stop(job_child(f.job, 2), 4);
	child_stop(job_child(f.job, 4), 4);
	assert_int_equal(n->total, 5);
	assert_int_equal(n->started, 3);
	assert_int_equal(n->finished, 2);
	assert_int_equal(n->in_state[JOB_STATE_NOT_STARTED], 1);
	assert_int_equal(n->in_state[JOB_STATE_RUNNING], 1);
	assert_int_equal(n->in_state[JOB_STATE_STOPPING], 1);
	assert_int_equal(n->in_state[JOB_STATE_FAILED], 1);
	assert_int_equal(n->in_state[JOB_STATE_STOPPED], 1);
	fake_done(&f);
}

static void test_free_in_any_state(void **state)
{
	struct outcome o = {.cause = CAUSE_UNREACHABLE, .exit_code = -1, .text = "no route"};
	struct fake f;

	(void)state;
	job_free(NULL);
	fake_init(&f, 5, 4);
	job_start(f.job, 1);
	run(&f, 1, 2);
	child_stop(job_child(f.job, 2), 3);
	child_on_end(job_child(f.job, 3), &o, 4);
	buf_clear(&f.trace);
	job_free(f.job);
	f.job = NULL;
	expect(&f, "");
	fake_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_starts_in_order_up_to_the_throttle),
		cmocka_unit_test(test_an_end_is_told_before_the_next_starts),
		cmocka_unit_test(test_all_well_is_completed),
		cmocka_unit_test(test_the_cause_decides_the_state),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_what_ends_at_once_has_begun),
		cmocka_unit_test(test_outcome_is_kept_whole),
		cmocka_unit_test(test_outcome_without_its_ends_is_cut),
		cmocka_unit_test(test_stop_of_a_job),
		cmocka_unit_test(test_stop_before_anything_started),
		cmocka_unit_test(test_stop_again_does_nothing),
		cmocka_unit_test(test_stop_of_a_finished_job_does_nothing),
		cmocka_unit_test(test_an_end_of_its_own_beats_the_stop),
		cmocka_unit_test(test_running_while_stopping_notes_the_begin),
		cmocka_unit_test(test_stop_of_a_queued_child),
		cmocka_unit_test(test_stop_of_a_started_child),
		cmocka_unit_test(test_throttle_raised),
		cmocka_unit_test(test_throttle_lowered),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_free_in_any_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
