/* A job over a fake transport that can do everything, and what it called, as text. */
#ifndef MUSTER_TEST_FAKE_JOB_H
#define MUSTER_TEST_FAKE_JOB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "alloc.h"
#include "buf.h"
#include "job.h"

/* Everything that the job called, as text: "suspend a", "a Suspending", "job Suspended". */
struct fake {
	struct job *job;
	struct buf trace;
};

static inline void fake_note(void *ctx, const char *what, struct child *child)
{
	struct fake *f = ctx;

	buf_addf(&f->trace, "%s %s\n", what, child_location(child));
}

static inline void fake_start(void *ctx, struct child *child)
{
	fake_note(ctx, "start", child);
}

static inline void fake_stop(void *ctx, struct child *child)
{
	fake_note(ctx, "stop", child);
}

static inline void fake_suspend(void *ctx, struct child *child)
{
	fake_note(ctx, "suspend", child);
}

static inline void fake_resume(void *ctx, struct child *child)
{
	fake_note(ctx, "resume", child);
}

static inline int fake_send(void *ctx, struct child *child, const void *data, size_t len,
			    struct errmsg *msg)
{
	struct fake *f = ctx;

	if (len > 8)
		return err_set(msg, ERR_LIMIT, "too much");
	buf_addf(&f->trace, "send %s: %.*s\n", child_location(child), (int)len, (const char *)data);
	return 0;
}

static inline void fake_child_changed(void *ctx, struct child *child)
{
	struct fake *f = ctx;

	buf_addf(&f->trace, "%s %s\n", child_location(child), job_state_name(child_state(child)));
}

static inline void fake_job_changed(void *ctx, struct job *job)
{
	struct fake *f = ctx;

	buf_addf(&f->trace, "job %s\n", job_state_name(job_state(job)));
}

static const struct job_transport fake_full = {.start = fake_start,
					       .stop = fake_stop,
					       .suspend = fake_suspend,
					       .resume = fake_resume,
					       .send = fake_send};
static const struct job_transport fake_plain = {.start = fake_start, .stop = fake_stop};
static const struct job_observer fake_observer = {.child_changed = fake_child_changed,
						  .job_changed = fake_job_changed};

static inline void fake_make(struct fake *f, const struct job_transport *transport, size_t count,
			     size_t throttle)
{
	static const char *const names[] = {"a", "b", "c", "d"};
	struct job_spec spec = {
		.type = "Remote",
		.command = "uptime",
		.throttle = throttle,
		.locations = names,
		.count = count,
	};

	assert_true(count <= ARRAY_LEN(names));
	*f = (struct fake){0};
	f->job = job_new(&spec, 7, transport, &fake_observer, f);
}

static inline struct child *at(struct fake *f, size_t index)
{
	return job_child(f->job, index);
}

/* A job with one slot for each child; the first `running` of them run, the others connect. */
static inline void fake_init(struct fake *f, size_t count, size_t running)
{
	fake_make(f, &fake_full, count, count);
	job_start(f->job, 1);
	for (size_t i = 0; i < running; i++)
		child_on_running(at(f, i), 2);
	buf_clear(&f->trace);
}

static inline void fake_done(struct fake *f)
{
	job_free(f->job);
	buf_done(&f->trace);
}

static inline void expect(struct fake *f, const char *trace)
{
	assert_string_equal(buf_cstr(&f->trace), trace);
	buf_clear(&f->trace);
}

static inline void end(struct fake *f, size_t index, enum cause cause)
{
	struct outcome o = {.cause = cause, .exit_code = cause == CAUSE_EXITED ? 0 : -1};

	child_on_end(at(f, index), &o, 9);
}

#endif
