/* A job as it was before its daemon ended. */
#include <string.h>

#include "alloc.h"
#include "job_private.h"

static enum child_step child_saved_step(const struct child_saved *saved)
{
	if (saved->kind == CHILD_SAVED_QUEUED)
		return CHILD_QUEUED;
	if (saved->kind == CHILD_SAVED_WAITING)
		return CHILD_WAITING;
	if (saved->kind == CHILD_SAVED_AWAY)
		return CHILD_DISCONNECTED;
	if (outcome_is_success(&saved->outcome))
		return CHILD_COMPLETED;
	return saved->outcome.cause == CAUSE_STOPPED || saved->outcome.cause == CAUSE_NEVER_RAN
		       ? CHILD_STOPPED
		       : CHILD_FAILED;
}

static void child_restore(struct child *child, const struct child_saved *saved)
{
	const struct outcome *o = &saved->outcome;

	child->step = child_saved_step(saved);
	child->before = CHILD_RUNNING;
	child->begin_ns = saved->begin_ns;
	child->began = saved->begin_ns != 0;
	child->since_ns = saved->since_ns;
	if (saved->kind == CHILD_SAVED_WAITING)
		await_add(&child->job->await, 0, child_index(child));
	if (saved->kind != CHILD_SAVED_ENDED)
		return;
	child->end_ns = saved->end_ns;
	child->cause = o->cause;
	child->exit_code = o->exit_code;
	memcpy(child->signal, o->signal, sizeof child->signal);
	if (o->text[0])
		child->end_text = xstrndup(o->text, sizeof o->text - 1);
}

static void job_count(struct job *job, const struct child *child)
{
	enum job_state state = child_state(child);

	job->counts.in_state[state]++;
	if (job_state_is_finished(state))
		job->counts.finished++;
	if (state == JOB_STATE_FAILED || state == JOB_STATE_STOPPED)
		job_note_failed(job, child_index(child));
	job_roll_count(job, child, CHILD_STEP_COUNT);
	if (child->step == CHILD_DISCONNECTED && !child->unslotted)
		fanout_take(&job->fanout);
	if (child->begin_ns && (!job->begin_ns || child->begin_ns < job->begin_ns))
		job->begin_ns = child->begin_ns;
}

struct job *job_restore(const struct job_spec *spec, uint64_t first_id, const struct uuid *uuid,
			const struct child_saved *saved, uint64_t end_ns, bool held,
			const struct job_transport *transport, const struct job_observer *observer,
			void *ctx)
{
	struct job *job = job_new(spec, first_id, transport, observer, ctx);

	job->uuid = *uuid;
	job->wish = held ? ROLLUP_HOLD : ROLLUP_NONE;
	uuid_text(job->instance_id, uuid);
	job->counts = (struct job_counts){.total = spec->count};
	job->fresh = 0;
	job_roll_restore_stage(job, saved);
	for (size_t i = 0; i < spec->count; i++) {
		job->child_uuids[i] = saved[i].uuid;
		child_restore(&job->children[i], &saved[i]);
		job_count(job, &job->children[i]);
	}
	job->counts.started = job->fanout.used;
	job_roll_restore_end(job, saved);
	job->state = rollup_state(&job->counts, job->wish);
	if (job_state_is_finished(job->state))
		job->end_ns = end_ns;
	return job;
}
