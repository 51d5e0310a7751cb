/* The stages of a job: what they are judged by, and what follows. */
#include <inttypes.h>
#include <stdio.h>

#include "alloc.h"
#include "buf.h"
#include "job_private.h"

/* --- counting -------------------------------------------------------------------------------- */

static bool step_is_queued(enum child_step step)
{
	return step == CHILD_QUEUED || step == CHILD_WAITING;
}

static bool step_is_active(enum child_step step)
{
	return step >= CHILD_STARTING && step <= CHILD_STOPPING;
}

static bool step_is_ended(enum child_step step)
{
	return step > CHILD_STOPPING && step < CHILD_STEP_COUNT;
}

static void count_change(size_t *count, bool was, bool is)
{
	if (was && !is)
		--*count;
	if (is && !was)
		++*count;
}

void job_roll_count(struct job *job, const struct child *child, enum child_step before)
{
	enum child_step step = child->step;
	size_t index = child_index(child);

	count_change(&job->counts.queued, step_is_queued(before), step_is_queued(step));
	count_change(&job->active, step_is_active(before), step_is_active(step));
	count_change(&job->waiting, before == CHILD_WAITING, step == CHILD_WAITING);
	if (index < job->rolling.end)
		count_change(&job->fresh, before == CHILD_QUEUED, step == CHILD_QUEUED);
	if (index >= job->rolling.spec.canary || !step_is_ended(step) || step_is_ended(before))
		return;
	job->canary_ended++;
	job->canary_bad += step != CHILD_COMPLETED;
}

/* --- what follows ----------------------------------------------------------------------------- */

static void job_open_stage(struct job *job)
{
	const struct rolling *r = &job->rolling;

	fanout_set_end(&job->fanout, r->end);
	job->fresh = 0;
	for (size_t i = r->begin; i < r->end; i++)
		job->fresh += job->children[i].step == CHILD_QUEUED;
}

static char *job_why(struct job *job)
{
	const struct child *child = job_next_failed(job, NULL);

	while (child && child->step != CHILD_FAILED)
		child = job_next_failed(job, child);
	if (job->rolling.spec.fail_fast && job->rolling.spec.failures <= 1 && child)
		return xasprintf("%.100s has failed, and --fail-fast ends the others",
				 child->location);
	return xasprintf("%zu of %zu have failed, more than --max-failures lets",
			 job->counts.in_state[JOB_STATE_FAILED], job->counts.total);
}

/* Who has not come up has never run. Who runs goes on, unless it is to end as well. What is with a
 * gateway may be in a queue there. */
static void job_give_up(struct job *job, uint64_t now)
{
	struct outcome outcome = {.cause = CAUSE_NEVER_RAN, .exit_code = -1};
	bool all = job->rolling.spec.fail_fast;

	job->why = job_why(job);
	(void)snprintf(outcome.text, sizeof outcome.text, "%s", job->why);
	if (all)
		job_set_wish(job, ROLLUP_STOP, now);
	for (size_t i = 0; i < job->counts.total; i++) {
		struct child *child = &job->children[i];

		if (step_is_queued(child->step))
			child_event(child, CHILD_EV_STOP, &outcome, now);
		else if (step_is_active(child->step) &&
			 (all || (child->unslotted && child->step == CHILD_STARTING)))
			child_event(child, CHILD_EV_STOP, NULL, now);
	}
}

/* A stage of which nobody is left has no pause behind it. */
static void job_open_next(struct job *job, uint64_t now)
{
	job_open_stage(job);
	while (!job->fresh && rolling_has_more(&job->rolling)) {
		(void)rolling_step(&job->rolling, ROLLING_EV_DONE, now);
		(void)rolling_step(&job->rolling, ROLLING_EV_TIME, now);
		job_open_stage(job);
	}
}

/* True if others may start now. */
static bool job_roll_event(struct job *job, enum rolling_event event, uint64_t now)
{
	switch (rolling_step(&job->rolling, event, now)) {
	case ROLLING_DO_WAIT:
		return true;
	case ROLLING_DO_OPEN:
		job_open_next(job, now);
		return true;
	case ROLLING_DO_HOLD:
		job_set_wish(job, ROLLUP_HOLD, now);
		break;
	case ROLLING_DO_GIVE_UP:
		job_give_up(job, now);
		break;
	case ROLLING_ACTION_COUNT:
		break;
	}
	return false;
}

void job_roll_judge(struct job *job, uint64_t now)
{
	const struct rolling *r = &job->rolling;

	if (job->live && job->wish != ROLLUP_STOP && r->phase != ROLLING_OVER && r->spec.failures &&
	    job->counts.in_state[JOB_STATE_FAILED] >= r->spec.failures &&
	    !job_state_is_finished(job->state))
		(void)job_roll_event(job, ROLLING_EV_LIMIT, now);
}

bool job_roll_on(struct job *job, uint64_t now)
{
	const struct rolling *r = &job->rolling;
	bool canary_over = r->phase == ROLLING_CANARY && job->canary_ended == r->spec.canary;

	if (job->wish == ROLLUP_STOP || job_state_is_finished(job->state) || !rolling_has_more(r))
		return false;
	/* Also of a job that is suspended: who resumes it should know. */
	if (canary_over && job->canary_bad)
		return job_roll_event(job, ROLLING_EV_SPOILT, now);
	if (job->wish != ROLLUP_NONE)
		return false;
	if (canary_over || (r->phase == ROLLING_BATCH && !job->fresh && !job->active))
		return job_roll_event(job, ROLLING_EV_DONE, now);
	return r->phase == ROLLING_PAUSE && now >= r->until_ns &&
	       job_roll_event(job, ROLLING_EV_TIME, now);
}

void job_roll_release(struct job *job, uint64_t now)
{
	if (job->rolling.phase != ROLLING_HELD)
		return;
	job->released = true;
	(void)job_roll_event(job, ROLLING_EV_RELEASE, now);
}

/* --- after a restart -------------------------------------------------------------------------- */

/* It has come up, or was just about to. */
static bool saved_has_begun(const struct child_saved *saved)
{
	if (saved->kind == CHILD_SAVED_QUEUED)
		return saved->asked;
	return saved->kind != CHILD_SAVED_ENDED || saved->outcome.cause != CAUSE_NEVER_RAN;
}

void job_roll_restore_stage(struct job *job, const struct child_saved *saved)
{
	struct rolling_past past = {.canary_ended = true};
	struct rolling *r = &job->rolling;

	for (size_t i = 0; i < job->counts.total; i++) {
		if (i >= r->spec.canary && saved_has_begun(&saved[i])) {
			past.begun = true;
			past.last = i;
		}
		if (i >= r->spec.canary)
			continue;
		if (saved[i].kind != CHILD_SAVED_ENDED)
			past.canary_ended = false;
		else if (!outcome_is_success(&saved[i].outcome))
			past.canary_bad = true;
	}
	rolling_restore(r, &past);
	fanout_set_end(&job->fanout, r->end);
}

void job_roll_restore_end(struct job *job, const struct child_saved *saved)
{
	const struct rolling *r = &job->rolling;
	bool over = r->phase == ROLLING_CANARY ? job->canary_ended == r->spec.canary
					       : !job->fresh && !job->active;
	uint64_t last = 0;

	if (job->counts.finished == job->counts.total || !rolling_has_more(r))
		return;
	if (r->phase == ROLLING_HELD) {
		job->held_anew = job->wish == ROLLUP_NONE;
		job->wish = ROLLUP_HOLD;
		return;
	}
	for (size_t i = 0; i < r->end; i++)
		if (saved[i].kind == CHILD_SAVED_ENDED && saved[i].end_ns > last)
			last = saved[i].end_ns;
	/* Nothing has come up at all: then there is nothing behind which to pause. */
	if (over && last)
		(void)rolling_step(&job->rolling, ROLLING_EV_DONE, last);
}

void job_restore_released(struct job *job)
{
	job->released = true;
	if (job->rolling.phase != ROLLING_HELD)
		return;
	(void)rolling_step(&job->rolling, ROLLING_EV_RELEASE, 0);
	job_open_next(job, 0);
	if (job->held_anew)
		job->wish = ROLLUP_NONE;
	job->held_anew = false;
	job->state = rollup_state(&job->counts, job->wish);
}

bool job_is_released(const struct job *job)
{
	return job->released;
}

/* --- for people ------------------------------------------------------------------------------- */

static void progress_pause(struct buf *text, const struct rolling *r, uint64_t now)
{
	uint64_t left = r->until_ns > now ? (r->until_ns - now + 999999999) / 1000000000 : 0;

	if (rolling_number(r))
		buf_addf(text, "batch %zu of %zu has ended", rolling_number(r), rolling_total(r));
	else
		buf_add_str(text, "the canary has completed");
	buf_addf(text, "; the next batch begins in %" PRIu64 " s", left);
}

static void progress_phase(struct buf *text, const struct job *job, uint64_t now)
{
	const struct rolling *r = &job->rolling;

	switch (r->phase) {
	case ROLLING_CANARY:
		buf_addf(text, "canary: %zu of %zu have ended", job->canary_ended, r->spec.canary);
		break;
	case ROLLING_HELD:
		buf_addf(text,
			 "canary: %zu of %zu failed; muster resume %" PRIu64
			 " goes on, muster stop %" PRIu64 " ends it",
			 job->canary_bad, r->spec.canary, job->id, job->id);
		break;
	case ROLLING_BATCH:
		if (rolling_total(r) > 1)
			buf_addf(text, "batch %zu of %zu", rolling_number(r), rolling_total(r));
		break;
	case ROLLING_PAUSE:
		progress_pause(text, r, now);
		break;
	case ROLLING_OVER:
	case ROLLING_PHASE_COUNT:
		break;
	}
}

char *job_progress(const struct job *job, uint64_t now)
{
	struct buf text = {0};

	if (job->why)
		buf_add_str(&text, job->why);
	else if (!job_state_is_finished(job->state) && job->wish != ROLLUP_STOP)
		progress_phase(&text, job, now);
	if (job->waiting)
		buf_addf(&text, "%s%zu wait%s for %s", text.len ? "; " : "", job->waiting,
			 job->waiting == 1 ? "s" : "",
			 job->waiting == 1 ? "its host" : "their hosts");
	if (text.len)
		return buf_take_str(&text);
	buf_done(&text);
	return NULL;
}
