#include "child_fsm.h"

#include "alloc.h"

struct child_step_row {
	const char *name;
	enum job_state visible;
};

static const struct child_step_row child_steps[] = {
	[CHILD_QUEUED] = {"queued", JOB_STATE_NOT_STARTED},
	[CHILD_WAITING] = {"waiting", JOB_STATE_NOT_STARTED},
	[CHILD_STARTING] = {"starting", JOB_STATE_NOT_STARTED},
	[CHILD_RUNNING] = {"running", JOB_STATE_RUNNING},
	[CHILD_BLOCKED] = {"blocked", JOB_STATE_BLOCKED},
	[CHILD_SUSPENDING] = {"suspending", JOB_STATE_SUSPENDING},
	[CHILD_SUSPENDED] = {"suspended", JOB_STATE_SUSPENDED},
	/* Not Suspended: who waits for its end right after a resume must not be sent away. */
	[CHILD_RESUMING] = {"resuming", JOB_STATE_RUNNING},
	[CHILD_DISCONNECTED] = {"disconnected", JOB_STATE_DISCONNECTED},
	[CHILD_STOPPING] = {"stopping", JOB_STATE_STOPPING},
	[CHILD_COMPLETED] = {"completed", JOB_STATE_COMPLETED},
	[CHILD_FAILED] = {"failed", JOB_STATE_FAILED},
	[CHILD_STOPPED] = {"stopped", JOB_STATE_STOPPED},
};

static const char *const child_events[] = {
	[CHILD_EV_START] = "start",
	[CHILD_EV_RUNNING] = "running",
	[CHILD_EV_STOP] = "stop",
	[CHILD_EV_SUSPEND] = "suspend",
	[CHILD_EV_SUSPENDED] = "suspended",
	[CHILD_EV_RESUME] = "resume",
	[CHILD_EV_RESUMED] = "resumed",
	[CHILD_EV_BLOCK] = "block",
	[CHILD_EV_UNBLOCK] = "unblock",
	[CHILD_EV_DISCONNECT] = "disconnect",
	[CHILD_EV_RECONNECT] = "reconnect",
	[CHILD_EV_AWAIT] = "await",
	[CHILD_EV_END_OK] = "end-ok",
	[CHILD_EV_END_FAILED] = "end-failed",
	[CHILD_EV_END_STOPPED] = "end-stopped",
};

static const char *const child_actions[] = {
	[CHILD_DO_NOTHING] = "nothing",		[CHILD_DO_START] = "call start",
	[CHILD_DO_STOP] = "call stop",		[CHILD_DO_SUSPEND] = "call suspend",
	[CHILD_DO_RESUME] = "call resume",	[CHILD_DO_BEGIN] = "note the beginning",
	[CHILD_DO_BLOCK] = "note blocked",	[CHILD_DO_UNBLOCK] = "note unblocked",
	[CHILD_DO_REMEMBER] = "note this step", [CHILD_DO_END] = "note the outcome",
	[CHILD_DO_AWAIT] = "note the reason",
};

_Static_assert(ARRAY_LEN(child_steps) == CHILD_STEP_COUNT, "a row for each step");
_Static_assert(ARRAY_LEN(child_events) == CHILD_EV_COUNT, "a name for each event");
_Static_assert(ARRAY_LEN(child_actions) == CHILD_ACTION_COUNT, "a name for each action");

/* Only to keep a row on one line. */
#define ROW(step, event, next, action, reason)                                          \
	{                                                                               \
		CHILD_##step, CHILD_EV_##event, CHILD_##next, CHILD_DO_##action, reason \
	}

static const struct child_row child_rows[] = {
	ROW(QUEUED, START, STARTING, START, "the throttle has a free slot"),
	ROW(QUEUED, STOP, STOPPED, END, "it was stopped before its turn came: it never ran"),

	ROW(WAITING, START, STARTING, START, "its host is tried again, in a free slot"),
	ROW(WAITING, STOP, STOPPED, END, "it was stopped before its host was reached"),

	ROW(STARTING, RUNNING, RUNNING, BEGIN, "the command has been started"),
	ROW(STARTING, STOP, STOPPING, STOP, "a stop was asked for while it was connecting"),
	ROW(STARTING, AWAIT, WAITING, AWAIT, "its host cannot be reached now, but may be later"),
	ROW(STARTING, END_OK, COMPLETED, END, "the command ended well as soon as it was started"),
	ROW(STARTING, END_FAILED, FAILED, END, "it could not be started, or failed at once"),
	ROW(STARTING, END_STOPPED, STOPPED, END, "what runs it gave it up before it had begun"),

	ROW(RUNNING, STOP, STOPPING, STOP, "a stop was asked for while the command ran"),
	ROW(RUNNING, SUSPEND, SUSPENDING, SUSPEND, "a suspend was asked for"),
	ROW(RUNNING, SUSPENDED, SUSPENDED, NOTHING, "somebody else has suspended the command"),
	ROW(RUNNING, BLOCK, BLOCKED, BLOCK, "the command waits for an answer of the user"),
	ROW(RUNNING, DISCONNECT, DISCONNECTED, REMEMBER, "the link is lost; the command goes on"),
	ROW(RUNNING, END_OK, COMPLETED, END, "the command ended well"),
	ROW(RUNNING, END_FAILED, FAILED, END, "the command failed, or its end cannot be known"),
	ROW(RUNNING, END_STOPPED, STOPPED, END, "what runs it stopped the command"),

	ROW(BLOCKED, STOP, STOPPING, STOP, "a stop was asked for while it waited for an answer"),
	ROW(BLOCKED, SUSPEND, SUSPENDING, SUSPEND, "a suspend was asked for; still no answer"),
	ROW(BLOCKED, SUSPENDED, SUSPENDED, NOTHING, "somebody else has suspended the command"),
	ROW(BLOCKED, UNBLOCK, RUNNING, UNBLOCK, "the answer was given, or is no longer needed"),
	ROW(BLOCKED, DISCONNECT, DISCONNECTED, REMEMBER, "the link is lost; it still waits"),
	ROW(BLOCKED, END_OK, COMPLETED, END, "the command ended well without the answer"),
	ROW(BLOCKED, END_FAILED, FAILED, END, "the command failed without the answer"),
	ROW(BLOCKED, END_STOPPED, STOPPED, END, "what runs it stopped the command"),

	ROW(SUSPENDING, STOP, STOPPING, STOP, "a stop was asked for: it outweighs the suspend"),
	ROW(SUSPENDING, SUSPEND, SUSPENDING, NOTHING, "a suspend is on its way already"),
	ROW(SUSPENDING, SUSPENDED, SUSPENDED, NOTHING, "the command stands still"),
	ROW(SUSPENDING, RESUME, RESUMING, RESUME, "the suspend is taken back before its answer"),
	ROW(SUSPENDING, RESUMED, AS_NOTED, NOTHING, "it could not be suspended and goes on"),
	ROW(SUSPENDING, BLOCK, SUSPENDING, BLOCK, "it came to its question before it stood still"),
	ROW(SUSPENDING, UNBLOCK, SUSPENDING, UNBLOCK, "the answer arrived before it stood still"),
	ROW(SUSPENDING, DISCONNECT, DISCONNECTED, REMEMBER, "the link is lost before the answer"),
	ROW(SUSPENDING, END_OK, COMPLETED, END, "the command ended well before it stood still"),
	ROW(SUSPENDING, END_FAILED, FAILED, END, "the command failed before it stood still"),
	ROW(SUSPENDING, END_STOPPED, STOPPED, END, "what runs it stopped the command"),

	ROW(SUSPENDED, STOP, STOPPING, STOP, "a stop was asked for: it need not be resumed first"),
	ROW(SUSPENDED, SUSPEND, SUSPENDED, NOTHING, "it is suspended already"),
	ROW(SUSPENDED, RESUME, RESUMING, RESUME, "a resume was asked for"),
	ROW(SUSPENDED, RESUMED, AS_NOTED, NOTHING, "somebody else has let it go on"),
	ROW(SUSPENDED, BLOCK, SUSPENDED, BLOCK, "its question was found only now"),
	ROW(SUSPENDED, UNBLOCK, SUSPENDED, UNBLOCK, "the answer waits for it to go on"),
	ROW(SUSPENDED, DISCONNECT, DISCONNECTED, REMEMBER, "the link is lost; it stands still"),
	ROW(SUSPENDED, END_OK, COMPLETED, END, "it was let go on elsewhere and ended well"),
	ROW(SUSPENDED, END_FAILED, FAILED, END, "somebody killed it, or its end cannot be known"),
	ROW(SUSPENDED, END_STOPPED, STOPPED, END, "what runs it stopped the command"),

	ROW(RESUMING, STOP, STOPPING, STOP, "a stop was asked for: it outweighs the resume"),
	ROW(RESUMING, SUSPEND, SUSPENDING, SUSPEND, "the resume is taken back before its answer"),
	ROW(RESUMING, SUSPENDED, SUSPENDED, NOTHING, "it could not be resumed and stands still"),
	ROW(RESUMING, RESUME, RESUMING, NOTHING, "a resume is on its way already"),
	ROW(RESUMING, RESUMED, AS_NOTED, NOTHING, "the command goes on"),
	ROW(RESUMING, BLOCK, RESUMING, BLOCK, "its question arrived before the answer"),
	ROW(RESUMING, UNBLOCK, RESUMING, UNBLOCK, "its question was settled before the answer"),
	ROW(RESUMING, DISCONNECT, DISCONNECTED, REMEMBER, "the link is lost before the answer"),
	ROW(RESUMING, END_OK, COMPLETED, END, "the command went on and ended well at once"),
	ROW(RESUMING, END_FAILED, FAILED, END, "the command failed, or its end cannot be known"),
	ROW(RESUMING, END_STOPPED, STOPPED, END, "what runs it stopped the command"),

	ROW(DISCONNECTED, STOP, STOPPING, STOP, "a stop was asked for: sent once the link is back"),
	ROW(DISCONNECTED, RECONNECT, AS_BEFORE, NOTHING, "the link is back: it is what it was"),
	ROW(DISCONNECTED, END_OK, COMPLETED, END, "it ended well meanwhile, as the target tells"),
	ROW(DISCONNECTED, END_FAILED, FAILED, END, "it failed meanwhile, or the link is given up"),
	ROW(DISCONNECTED, END_STOPPED, STOPPED, END, "it was stopped meanwhile, on the target"),

	ROW(STOPPING, RUNNING, STOPPING, BEGIN, "the command was started before the stop arrived"),
	ROW(STOPPING, STOP, STOPPING, NOTHING, "a stop is on its way already"),
	ROW(STOPPING, SUSPENDED, STOPPING, NOTHING, "it stood still before the stop arrived"),
	ROW(STOPPING, RESUMED, STOPPING, NOTHING, "it went on, as it must to be stopped"),
	ROW(STOPPING, BLOCK, STOPPING, NOTHING, "nobody needs to answer any more"),
	ROW(STOPPING, UNBLOCK, STOPPING, NOTHING, "the answer arrived before the stop"),
	ROW(STOPPING, DISCONNECT, STOPPING, NOTHING, "the link is lost; the stop still holds"),
	ROW(STOPPING, RECONNECT, STOPPING, NOTHING, "the link is back; the stop still holds"),
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
	if (step == CHILD_AS_NOTED)
		return "running or blocked, as noted";
	if (step == CHILD_AS_BEFORE)
		return "as before";
	return (unsigned)step < CHILD_STEP_COUNT ? child_steps[step].name : "?";
}

const char *child_event_name(enum child_event event)
{
	return (unsigned)event < CHILD_EV_COUNT ? child_events[event] : "?";
}

const char *child_action_name(enum child_action action)
{
	return (unsigned)action < CHILD_ACTION_COUNT ? child_actions[action] : "?";
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
