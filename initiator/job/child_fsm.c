#include "child_fsm.h"

#include "alloc.h"

struct child_step_row {
	const char *name;
	enum job_state visible;
};

static const struct child_step_row child_steps[] = {
	[CHILD_QUEUED] = {"queued", JOB_STATE_NOT_STARTED},
	[CHILD_STARTING] = {"starting", JOB_STATE_NOT_STARTED},
	[CHILD_RUNNING] = {"running", JOB_STATE_RUNNING},
	[CHILD_STOPPING] = {"stopping", JOB_STATE_STOPPING},
	[CHILD_COMPLETED] = {"completed", JOB_STATE_COMPLETED},
	[CHILD_FAILED] = {"failed", JOB_STATE_FAILED},
	[CHILD_STOPPED] = {"stopped", JOB_STATE_STOPPED},
};

static const char *const child_events[] = {
	[CHILD_EV_START] = "start",
	[CHILD_EV_RUNNING] = "running",
	[CHILD_EV_STOP] = "stop",
	[CHILD_EV_END_OK] = "end-ok",
	[CHILD_EV_END_FAILED] = "end-failed",
	[CHILD_EV_END_STOPPED] = "end-stopped",
};

_Static_assert(ARRAY_LEN(child_steps) == CHILD_STEP_COUNT, "a row for each step");
_Static_assert(ARRAY_LEN(child_events) == CHILD_EV_COUNT, "a name for each event");

/* Only to keep a row on one line. */
#define ROW(step, event, next, action, reason)                                          \
	{                                                                               \
		CHILD_##step, CHILD_EV_##event, CHILD_##next, CHILD_DO_##action, reason \
	}

static const struct child_row child_rows[] = {
	ROW(QUEUED, START, STARTING, START, "the throttle has a free slot"),
	ROW(QUEUED, STOP, STOPPED, END, "it was stopped before its turn came: it never ran"),

	ROW(STARTING, RUNNING, RUNNING, BEGIN, "the command has been started"),
	ROW(STARTING, STOP, STOPPING, STOP, "a stop was asked for while it was connecting"),
	ROW(STARTING, END_OK, COMPLETED, END, "the command ended well as soon as it was started"),
	ROW(STARTING, END_FAILED, FAILED, END, "it could not be started, or failed at once"),
	ROW(STARTING, END_STOPPED, STOPPED, END, "what runs it gave it up before it had begun"),

	ROW(RUNNING, STOP, STOPPING, STOP, "a stop was asked for while the command ran"),
	ROW(RUNNING, END_OK, COMPLETED, END, "the command ended well"),
	ROW(RUNNING, END_FAILED, FAILED, END, "the command failed, or its end cannot be known"),
	ROW(RUNNING, END_STOPPED, STOPPED, END, "what runs it stopped the command"),

	ROW(STOPPING, RUNNING, STOPPING, BEGIN, "the command was started before the stop arrived"),
	ROW(STOPPING, STOP, STOPPING, NOTHING, "a stop is on its way already"),
	ROW(STOPPING, END_OK, COMPLETED, END, "the command ended well before the stop arrived"),
	ROW(STOPPING, END_FAILED, FAILED, END, "it failed by itself before the stop arrived"),
	ROW(STOPPING, END_STOPPED, STOPPED, END, "the stop has taken effect"),

	ROW(COMPLETED, STOP, COMPLETED, NOTHING, "it has ended: there is nothing to stop"),
	ROW(FAILED, STOP, FAILED, NOTHING, "it has ended: there is nothing to stop"),
	ROW(STOPPED, STOP, STOPPED, NOTHING, "it has ended: there is nothing to stop"),
};

#undef ROW

const char *child_step_name(enum child_step step)
{
	return (unsigned)step < CHILD_STEP_COUNT ? child_steps[step].name : "?";
}

const char *child_event_name(enum child_event event)
{
	return (unsigned)event < CHILD_EV_COUNT ? child_events[event] : "?";
}

enum job_state child_fsm_visible(enum child_step step)
{
	return child_steps[step].visible;
}

const struct child_row *child_fsm_find(enum child_step step, enum child_event event)
{
	for (size_t i = 0; i < ARRAY_LEN(child_rows); i++)
		if (child_rows[i].step == step && child_rows[i].event == event)
			return &child_rows[i];
	return NULL;
}

const struct child_row *child_fsm_rows(size_t *ret_count)
{
	*ret_count = ARRAY_LEN(child_rows);
	return child_rows;
}
