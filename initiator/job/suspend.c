/* Suspending, resuming and answering: what people ask of children that may not be able to. */
#include <inttypes.h>

#include "escape.h"
#include "job_private.h"

void child_pay(struct child *child, uint64_t now)
{
	enum child_owed owed = child->owed;
	enum child_event event = owed == CHILD_OWED_SUSPEND ? CHILD_EV_SUSPEND : CHILD_EV_RESUME;

	if (owed == CHILD_OWED_NOTHING || child->step == CHILD_STARTING ||
	    child->step == CHILD_DISCONNECTED)
		return;
	child->owed = CHILD_OWED_NOTHING;
	if (child_can(child, event))
		child_event(child, event, NULL, now);
}

static int job_unsupported(const struct job *job, uint64_t id, const char *what, struct errmsg *msg)
{
	return err_set(msg, ERR_UNSUPPORTED,
		       "job %" PRIu64 " cannot %s: its type '%s' does not support that", id, what,
		       job->type);
}

static int child_refuse(const struct child *child, const char *what, const char *who,
			struct errmsg *msg)
{
	char where[LIMIT_HOST_NAME + 1];

	return err_set(msg, ERR_ORDER,
		       "job %" PRIu64 " on %s cannot %s: it is %s, and only one that is %s can",
		       child_id(child), escape_str(where, sizeof where, child->location), what,
		       job_state_name(child_state(child)), who);
}

static int child_may(const struct child *child, enum child_event event, struct errmsg *msg)
{
	const struct job_transport *transport = child->job->transport;
	bool suspend = event == CHILD_EV_SUSPEND;
	const char *what = suspend ? "be suspended" : "be resumed";

	if (suspend ? !transport->suspend : !transport->resume)
		return job_unsupported(child->job, child_id(child), what, msg);
	if (!child_can(child, event))
		return child_refuse(child, what, suspend ? "Running or Blocked" : "Suspended", msg);
	return 0;
}

int child_suspend(struct child *child, uint64_t now, struct errmsg *msg)
{
	int rc;

	job_enter(child->job, "child_suspend");
	rc = child_may(child, CHILD_EV_SUSPEND, msg);
	if (!rc)
		child_event(child, CHILD_EV_SUSPEND, NULL, now);
	job_leave(child->job);
	return rc;
}

int child_resume(struct child *child, uint64_t now, struct errmsg *msg)
{
	int rc;

	job_enter(child->job, "child_resume");
	rc = child_may(child, CHILD_EV_RESUME, msg);
	if (!rc)
		child_event(child, CHILD_EV_RESUME, NULL, now);
	job_leave(child->job);
	return rc;
}

int child_send(struct child *child, const void *data, size_t len, struct errmsg *msg)
{
	struct job *job = child->job;
	int rc;

	job_enter(job, "child_send");
	if (!job->transport->send)
		rc = job_unsupported(job, child_id(child), "take input", msg);
	else if (child->step != CHILD_RUNNING && child->step != CHILD_BLOCKED)
		rc = child_refuse(child, "take input", "Running or Blocked", msg);
	else
		rc = job->transport->send(job->ctx, child, data, len, msg);
	job_leave(job);
	return rc;
}

/* A job may show as Running while no command does: who is refused must be told why. */
static int job_refuse(const struct job *job, const char *what, const char *who, struct errmsg *msg)
{
	return err_set(msg, ERR_ORDER,
		       "job %" PRIu64 " cannot %s: it is %s, and none of its children is %s",
		       job->id, what, job_state_name(job->state), who);
}

/* Asks it of each child that can do it, and notes it for those that cannot be asked yet. */
static void job_ask_all(struct job *job, enum child_event event, enum child_owed owed, uint64_t now)
{
	for (size_t i = 0; i < job->counts.total; i++) {
		struct child *child = &job->children[i];

		child->owed = CHILD_OWED_NOTHING;
		if (child_can(child, event))
			child_event(child, event, NULL, now);
		else if (child->step == CHILD_STARTING || child->step == CHILD_DISCONNECTED)
			child->owed = owed;
	}
}

static int job_may_suspend(const struct job *job, struct errmsg *msg)
{
	const size_t *n = job->counts.in_state;
	size_t listening = n[JOB_STATE_RUNNING] + n[JOB_STATE_BLOCKED] + n[JOB_STATE_SUSPENDING] +
			   n[JOB_STATE_SUSPENDED];
	/* Between two stages nothing runs, and something will. */
	bool pauses = job->live && !job->active && job->counts.queued;

	if (!job->transport->suspend)
		return job_unsupported(job, job->id, "be suspended", msg);
	if (job->wish == ROLLUP_STOP || job_state_is_finished(job->state) ||
	    (job->wish != ROLLUP_HOLD && listening == 0 && !pauses))
		return job_refuse(job, "be suspended", "running a command", msg);
	return 0;
}

static int job_may_resume(const struct job *job, struct errmsg *msg)
{
	const size_t *n = job->counts.in_state;
	size_t suspended = n[JOB_STATE_SUSPENDING] + n[JOB_STATE_SUSPENDED];

	if (!job->transport->resume)
		return job_unsupported(job, job->id, "be resumed", msg);
	if (job->wish == ROLLUP_STOP || job_state_is_finished(job->state) ||
	    (job->wish != ROLLUP_HOLD && suspended == 0))
		return job_refuse(job, "be resumed", "suspended", msg);
	return 0;
}

int job_suspend(struct job *job, uint64_t now, struct errmsg *msg)
{
	int rc;

	job_enter(job, "job_suspend");
	rc = job_may_suspend(job, msg);
	if (!rc) {
		job_set_wish(job, ROLLUP_HOLD, now);
		job_ask_all(job, CHILD_EV_SUSPEND, CHILD_OWED_SUSPEND, now);
	}
	job_leave(job);
	return rc;
}

int job_resume(struct job *job, uint64_t now, struct errmsg *msg)
{
	int rc;

	job_enter(job, "job_resume");
	rc = job_may_resume(job, msg);
	if (!rc) {
		job_roll_release(job, now);
		job_set_wish(job, ROLLUP_NONE, now);
		job_ask_all(job, CHILD_EV_RESUME, CHILD_OWED_RESUME, now);
		job_fill(job, now);
	}
	job_leave(job);
	return rc;
}
