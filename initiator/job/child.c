#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "escape.h"
#include "job_private.h"
#include "log.h"

static void child_log(const struct child *child, const struct child_row *row)
{
	char where[LIMIT_HOST_NAME + 1];

	if (!log_on(LOG_DEBUG))
		return;
	log_debug("job %" PRIu64 ", child %" PRIu64 " on %s: %s -> %s by %s: %s", child->job->id,
		  child_id(child), escape_str(where, sizeof where, child->location),
		  child_step_name(row->step), child_step_name(child->step),
		  child_event_name(row->event), row->reason);
}

static void child_do_begin(struct child *child, uint64_t now)
{
	struct job *job = child->job;

	if (child->began)
		job_bug(job, "child %" PRIu64 " was reported running twice", child_id(child));
	child->began = true;
	child->begin_ns = now;
	if (job->begin_ns == 0)
		job->begin_ns = now;
}

/* Few have a text, and those that have the same share it. */
static void child_set_text(struct child *child, const struct outcome *outcome)
{
	struct job *job = child->job;
	bool stopped = outcome->cause == CAUSE_STOPPED && !outcome->text[0];

	if (job->why && (stopped ? job->rolling.spec.fail_fast || child->unslotted
				 : strcmp(outcome->text, job->why) == 0))
		child->end_text = job->why;
	else if (outcome->text[0])
		child->end_text = xstrndup(outcome->text, sizeof outcome->text - 1);
}

/* Until then it was why it waited. */
static void child_forget_wait(struct child *child)
{
	free(child->end_text);
	child->end_text = NULL;
}

static void child_do_end(struct child *child, const struct outcome *outcome, uint64_t now)
{
	struct outcome never_ran = {.cause = CAUSE_NEVER_RAN, .exit_code = -1};

	if (!outcome && child->end_text)
		(void)snprintf(never_ran.text, sizeof never_ran.text,
			       "its host was not reached: %.150s", child->end_text);
	if (!outcome)
		outcome = &never_ran;
	child_forget_wait(child);
	/* What ends at once was never reported running, and has run all the same. */
	if (outcome->began && !child->began)
		child_do_begin(child, now);
	child->end_ns = now;
	child->cause = outcome->cause;
	child->exit_code = outcome->exit_code;
	memcpy(child->signal, outcome->signal, sizeof child->signal);
	child->signal[sizeof child->signal - 1] = '\0';
	child_set_text(child, outcome);
}

static bool child_holds_slot(const struct child *child, enum child_step step)
{
	return !child->unslotted && step >= CHILD_STARTING && step <= CHILD_STOPPING;
}

static enum child_step child_next(const struct child *child, const struct child_row *row)
{
	if (row->next == CHILD_AS_BEFORE)
		return child->before;
	if (row->next == CHILD_AS_NOTED)
		return child->blocked ? CHILD_BLOCKED : CHILD_RUNNING;
	return row->next;
}

static void child_move(struct child *child, const struct child_row *row)
{
	enum child_step next = child_next(child, row);
	bool held = child_holds_slot(child, row->step), holds = child_holds_slot(child, next);
	struct job *job = child->job;

	child->step = next;
	job_roll_count(job, child, row->step);
	if (holds && !held)
		fanout_take(&job->fanout);
	if (held && !holds)
		fanout_release(&job->fanout);
	child_log(child, row);
}

/* What an action notes. What it asks of the transport comes after the observer: child_call. */
static void child_note(struct child *child, const struct child_row *row,
		       const struct outcome *outcome, uint64_t now)
{
	if (row->action == CHILD_DO_BEGIN)
		child_do_begin(child, now);
	if (row->action == CHILD_DO_END)
		child_do_end(child, outcome, now);
	if (row->action == CHILD_DO_REMEMBER)
		child->before = row->step;
	if (row->action == CHILD_DO_AWAIT)
		child_do_await(child, outcome, now);
	if (row->action == CHILD_DO_BLOCK)
		child->blocked = true;
	if (row->action == CHILD_DO_UNBLOCK)
		child->blocked = false;
}

static void child_call(struct child *child, enum child_action action)
{
	struct job *job = child->job;

	if (action == CHILD_DO_START)
		job->transport->start(job->ctx, child);
	if (action == CHILD_DO_STOP)
		job->transport->stop(job->ctx, child);
	if (action == CHILD_DO_SUSPEND)
		job->transport->suspend(job->ctx, child);
	if (action == CHILD_DO_RESUME)
		job->transport->resume(job->ctx, child);
}

bool child_can(const struct child *child, enum child_event event)
{
	return child_fsm_find(child->step, event) != NULL;
}

void child_event(struct child *child, enum child_event event, const struct outcome *outcome,
		 uint64_t now)
{
	const struct child_row *row = child_fsm_find(child->step, event);
	enum job_state before = child_state(child);
	struct job *job = child->job;

	if (!row)
		job_bug(job, "event %s is illegal in step %s of child %" PRIu64,
			child_event_name(event), child_step_name(child->step), child_id(child));
	child_move(child, row);
	child_note(child, row, outcome, now);
	job_child_moved(child, before, now);
	child_call(child, row->action);
}

static enum child_event child_end_event(const struct outcome *outcome)
{
	if (outcome_is_success(outcome))
		return CHILD_EV_END_OK;
	if (outcome->cause == CAUSE_STOPPED || outcome->cause == CAUSE_NEVER_RAN)
		return CHILD_EV_END_STOPPED;
	return CHILD_EV_END_FAILED;
}

static void child_report(struct child *child, const char *entry, enum child_event event,
			 uint64_t now)
{
	job_enter(child->job, entry);
	child_event(child, event, NULL, now);
	child_pay(child, now);
	job_leave(child->job);
}

void child_on_running(struct child *child, uint64_t now)
{
	child_report(child, "child_on_running", CHILD_EV_RUNNING, now);
}

void child_on_suspended(struct child *child, uint64_t now)
{
	child_report(child, "child_on_suspended", CHILD_EV_SUSPENDED, now);
}

void child_on_resumed(struct child *child, uint64_t now)
{
	child_report(child, "child_on_resumed", CHILD_EV_RESUMED, now);
}

void child_on_blocked(struct child *child, uint64_t now)
{
	child_report(child, "child_on_blocked", CHILD_EV_BLOCK, now);
}

void child_on_unblocked(struct child *child, uint64_t now)
{
	child_report(child, "child_on_unblocked", CHILD_EV_UNBLOCK, now);
}

void child_on_disconnected(struct child *child, uint64_t now)
{
	child_report(child, "child_on_disconnected", CHILD_EV_DISCONNECT, now);
}

void child_on_reconnected(struct child *child, uint64_t now)
{
	child_report(child, "child_on_reconnected", CHILD_EV_RECONNECT, now);
}

void child_on_end(struct child *child, const struct outcome *outcome, uint64_t now)
{
	struct job *job = child->job;

	job_enter(job, "child_on_end");
	if (outcome->cause <= CAUSE_NONE || outcome->cause >= CAUSE_COUNT)
		job_bug(job, "child %" PRIu64 " ended without a cause", child_id(child));
	child_event(child, child_end_event(outcome), outcome, now);
	job_roll_judge(job, now);
	job_fill(job, now);
	job_leave(job);
}

void child_stop(struct child *child, uint64_t now)
{
	job_enter(child->job, "child_stop");
	child_event(child, CHILD_EV_STOP, NULL, now);
	job_fill(child->job, now);
	job_leave(child->job);
}

struct job *child_job(const struct child *child)
{
	return child->job;
}

uint64_t child_id(const struct child *child)
{
	return child->job->id + 1 + child_index(child);
}

size_t child_index(const struct child *child)
{
	return (size_t)(child - child->job->children);
}

char *child_name(const struct child *child, char *out)
{
	snprintf(out, CHILD_NAME_SIZE, "Job%" PRIu64, child_id(child));
	return out;
}

const struct uuid *child_uuid(const struct child *child)
{
	return &child->job->child_uuids[child_index(child)];
}

char *child_instance_id(const struct child *child, char *out)
{
	return uuid_text(out, child_uuid(child));
}

const char *child_location(const struct child *child)
{
	return child->location;
}

enum job_state child_state(const struct child *child)
{
	return child_fsm_visible(child->step);
}

bool child_outcome(const struct child *child, struct outcome *ret_outcome)
{
	struct outcome o = {.cause = child->cause, .exit_code = child->exit_code};

	if (!job_state_is_finished(child_state(child)))
		return false;
	o.began = child->began;
	memcpy(o.signal, child->signal, sizeof o.signal);
	if (child->end_text)
		memcpy(o.text, child->end_text, strlen(child->end_text));
	*ret_outcome = o;
	return true;
}

uint64_t child_begin_ns(const struct child *child)
{
	return child->begin_ns;
}

uint64_t child_end_ns(const struct child *child)
{
	return child->end_ns;
}

bool child_has_more_data(const struct child *child)
{
	return child->unread;
}

void child_set_unread(struct child *child, bool unread)
{
	if (unread && !child->unread)
		child->job->unread++;
	if (!unread && child->unread)
		child->job->unread--;
	child->unread = unread;
}

void child_set_link(struct child *child, void *link)
{
	child->link = link;
}

void *child_link(const struct child *child)
{
	return child->link;
}
