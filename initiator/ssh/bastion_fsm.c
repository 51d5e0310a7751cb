#include "bastion_fsm.h"

#include "alloc.h"

static const char *const bastion_states[] = {
	[BASTION_LOGIN] = "login",   [BASTION_THERE] = "there", [BASTION_RETIRED] = "retired",
	[BASTION_FAILED] = "failed", [BASTION_GOING] = "going", [BASTION_GONE] = "gone",
};

static const char *const bastion_events[] = {
	[BASTION_EV_JOIN] = "join",	[BASTION_EV_READY] = "ready", [BASTION_EV_IDLE] = "idle",
	[BASTION_EV_RETIRE] = "retire", [BASTION_EV_TIMER] = "timer", [BASTION_EV_ENDED] = "ended",
	[BASTION_EV_CLOSE] = "close",	[BASTION_EV_GONE] = "gone",
};

_Static_assert(ARRAY_LEN(bastion_states) == BASTION_STATE_COUNT, "a name for each state");
_Static_assert(ARRAY_LEN(bastion_events) == BASTION_EV_COUNT, "a name for each event");

/* Only to keep a row on one line. */
#define ROW(state, event, next, action, reason)                                                  \
	{                                                                                        \
		BASTION_##state, BASTION_EV_##event, BASTION_##next, BASTION_DO_##action, reason \
	}

static const struct bastion_row bastion_rows[] = {
	ROW(LOGIN, JOIN, LOGIN, CARRY, "its thread has them wait for the login"),
	ROW(LOGIN, READY, THERE, KEEP_KEY, "it is logged in"),
	ROW(LOGIN, IDLE, LOGIN, NOTHING, "all have gone; the login goes on, for the next"),
	ROW(LOGIN, ENDED, FAILED, REMEMBER,
	    "the login has failed: for all who wait, and some time"),
	ROW(LOGIN, CLOSE, GOING, CLOSE, "the daemon ends while it logs in"),

	ROW(THERE, JOIN, THERE, CARRY, "one more goes through it"),
	ROW(THERE, IDLE, THERE, LINGER, "it stays for a while, for the next"),
	ROW(THERE, RETIRE, RETIRED, NOTHING, "the next needs a session that shows its key again"),
	ROW(THERE, TIMER, GOING, CLOSE, "nobody has used it for long enough"),
	ROW(THERE, ENDED, GOING, CLOSE, "the session is lost: the next gets another one"),
	ROW(THERE, CLOSE, GOING, CLOSE, "the daemon ends"),

	ROW(RETIRED, IDLE, GOING, CLOSE, "the last one has left"),
	ROW(RETIRED, ENDED, GOING, CLOSE, "the session is lost"),
	ROW(RETIRED, CLOSE, GOING, CLOSE, "the daemon ends"),

	ROW(FAILED, JOIN, FAILED, REFUSE, "the login would fail again: it is not tried"),
	ROW(FAILED, IDLE, FAILED, NOTHING, "all who waited were told"),
	ROW(FAILED, TIMER, GOING, CLOSE, "it is forgotten: the next tries again"),
	ROW(FAILED, CLOSE, GOING, CLOSE, "the daemon ends"),

	ROW(GOING, READY, GOING, NOTHING, "it had logged in before it was told to go"),
	ROW(GOING, IDLE, GOING, NOTHING, "its connections end with it"),
	ROW(GOING, ENDED, GOING, NOTHING, "it had ended before it was told to go"),
	ROW(GOING, CLOSE, GOING, NOTHING, "it is on its way already"),
	ROW(GOING, GONE, GONE, FREE, "its thread has nothing of it any more"),
};

#undef ROW

const char *bastion_state_name(enum bastion_state state)
{
	return (unsigned)state < BASTION_STATE_COUNT ? bastion_states[state] : "?";
}

const char *bastion_event_name(enum bastion_event event)
{
	return (unsigned)event < BASTION_EV_COUNT ? bastion_events[event] : "?";
}

const struct bastion_row *bastion_fsm_find(enum bastion_state state, enum bastion_event event)
{
	for (size_t i = 0; i < ARRAY_LEN(bastion_rows); i++)
		if (bastion_rows[i].state == state && bastion_rows[i].event == event)
			return &bastion_rows[i];
	return NULL;
}
