#include "rolling.h"

#include <stdlib.h>

#include "alloc.h"

static const char *const rolling_phases[] = {
	[ROLLING_CANARY] = "canary", [ROLLING_HELD] = "held", [ROLLING_BATCH] = "batch",
	[ROLLING_PAUSE] = "pause",   [ROLLING_OVER] = "over",
};

static const char *const rolling_events[] = {
	[ROLLING_EV_DONE] = "done",   [ROLLING_EV_SPOILT] = "spoilt",
	[ROLLING_EV_TIME] = "time",   [ROLLING_EV_RELEASE] = "release",
	[ROLLING_EV_LIMIT] = "limit",
};

static const char *const rolling_actions[] = {
	[ROLLING_DO_HOLD] = "suspend the job",
	[ROLLING_DO_WAIT] = "wait for the pause",
	[ROLLING_DO_OPEN] = "open the next batch",
	[ROLLING_DO_GIVE_UP] = "end who has not begun",
};

_Static_assert(ARRAY_LEN(rolling_phases) == ROLLING_PHASE_COUNT, "a name for each phase");
_Static_assert(ARRAY_LEN(rolling_events) == ROLLING_EV_COUNT, "a name for each event");
_Static_assert(ARRAY_LEN(rolling_actions) == ROLLING_ACTION_COUNT, "a name for each action");

/* Only to keep a row on one line. */
#define ROW(phase, event, next, action, reason)                                                  \
	{                                                                                        \
		ROLLING_##phase, ROLLING_EV_##event, ROLLING_##next, ROLLING_DO_##action, reason \
	}

static const struct rolling_row rolling_table[] = {
	ROW(CANARY, DONE, PAUSE, WAIT, "the canary is well: the others may follow"),
	ROW(CANARY, SPOILT, HELD, HOLD, "a person has to look at what went wrong"),
	ROW(CANARY, LIMIT, OVER, GIVE_UP, "too many of the canary itself have failed"),

	ROW(HELD, RELEASE, BATCH, OPEN, "who looked at it wants the others to go on"),
	ROW(HELD, LIMIT, OVER, GIVE_UP, "it has failed too often for a release to mean anything"),

	ROW(BATCH, DONE, PAUSE, WAIT, "all of the batch have ended, or wait for their hosts"),
	ROW(BATCH, LIMIT, OVER, GIVE_UP, "more have failed than may"),

	ROW(PAUSE, TIME, BATCH, OPEN, "the next batch's time has come"),
	ROW(PAUSE, LIMIT, OVER, GIVE_UP, "more have failed than may, as is seen after a restart"),
};

#undef ROW

const char *rolling_phase_name(enum rolling_phase phase)
{
	return (unsigned)phase < ROLLING_PHASE_COUNT ? rolling_phases[phase] : "?";
}

const char *rolling_event_name(enum rolling_event event)
{
	return (unsigned)event < ROLLING_EV_COUNT ? rolling_events[event] : "?";
}

const char *rolling_action_name(enum rolling_action action)
{
	return (unsigned)action < ROLLING_ACTION_COUNT ? rolling_actions[action] : "?";
}

const struct rolling_row *rolling_find(enum rolling_phase phase, enum rolling_event event)
{
	for (size_t i = 0; i < ARRAY_LEN(rolling_table); i++)
		if (rolling_table[i].phase == phase && rolling_table[i].event == event)
			return &rolling_table[i];
	return NULL;
}

const struct rolling_row *rolling_rows(size_t *ret_count)
{
	*ret_count = ARRAY_LEN(rolling_table);
	return rolling_table;
}

static void rolling_set_stage(struct rolling *r, size_t begin, size_t size)
{
	r->begin = begin;
	r->end = size < r->count - begin ? begin + size : r->count;
	/* Behind the last batch nobody is kept waiting by those whose hosts come back. */
	r->again = r->end == r->count || r->phase == ROLLING_CANARY ? SIZE_MAX : size;
}

void rolling_init(struct rolling *r, const struct rolling_spec *spec, size_t count)
{
	*r = (struct rolling){.count = count};
	if (spec)
		r->spec = *spec;
	if (!r->spec.batch || r->spec.batch > count)
		r->spec.batch = count;
	if (r->spec.canary > count)
		r->spec.canary = count;
	r->phase = r->spec.canary ? ROLLING_CANARY : ROLLING_BATCH;
	rolling_set_stage(r, 0, r->spec.canary ? r->spec.canary : r->spec.batch);
}

enum rolling_action rolling_step(struct rolling *r, enum rolling_event event, uint64_t now)
{
	const struct rolling_row *row = rolling_find(r->phase, event);

	if (!row)
		abort();
	r->phase = row->next;
	if (row->action == ROLLING_DO_WAIT)
		r->until_ns = now + r->spec.pause_ns;
	if (row->action == ROLLING_DO_OPEN)
		rolling_set_stage(r, r->end, r->spec.batch);
	return row->action;
}

size_t rolling_size(const struct rolling *r)
{
	return r->phase == ROLLING_CANARY ? r->spec.canary : r->spec.batch;
}

bool rolling_has_more(const struct rolling *r)
{
	return r->end < r->count;
}

size_t rolling_number(const struct rolling *r)
{
	return r->end <= r->spec.canary ? 0 : (r->begin - r->spec.canary) / r->spec.batch + 1;
}

size_t rolling_total(const struct rolling *r)
{
	size_t rest = r->count - r->spec.canary;

	return rest / r->spec.batch + (rest % r->spec.batch != 0);
}

void rolling_restore(struct rolling *r, const struct rolling_past *past)
{
	size_t canary = r->spec.canary;

	if (!past->begun) {
		if (canary && past->canary_ended && past->canary_bad)
			r->phase = ROLLING_HELD;
		return;
	}
	r->phase = ROLLING_BATCH;
	rolling_set_stage(r, canary + (past->last - canary) / r->spec.batch * r->spec.batch,
			  r->spec.batch);
}
