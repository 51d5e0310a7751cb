/* What happens to the connection of a track, and when its time is over. */
#include <stdio.h>

#include "limits.h"
#include "track_private.h"

/* An agent that breaks the protocol so often in a row does it for good. */
#define TRACK_FAULTS_MAX 5u

/* What went wrong before anything was sent is final, as is the way back to a host that is not the
 * one that it was. */
static bool track_may_come_back(const struct track *t, enum cause cause)
{
	return t->durable && (t->begun || t->asked) && cause != CAUSE_HOST_KEY &&
	       t->faults < TRACK_FAULTS_MAX && t->breaches < TRACK_FAULTS_MAX;
}

/* --- what happens to its connection ---------------------------------------------------------- */

/* Whether it can be durable there. False: it does not go on here. */
static bool track_settle_kind(struct track *t, uint64_t can, const char *note)
{
	char text[LIMIT_OUTCOME_TEXT];

	if (!t->durable)
		return true;
	if (can & AGENT_CAN_DURABLE) {
		if (note && !t->asked && !t->begun)
			t->ops->note(t->arg, note);
		return true;
	}
	(void)snprintf(text, sizeof text, "no durable run: %s",
		       note ? note : "the agent is too old");
	track_note_outcome(t, CAUSE_NO_AGENT, text);
	if (t->asked || t->begun) {
		t->ops->leave(t->arg, TRACK_LEAVE_FREE, false);
		track_step(t, TRACK_EV_AWAY);
		return false;
	}
	if (t->spec.must) {
		/* From the timer: whoever connects is not told the end from inside of that. */
		track_set_timer(t, 0);
		return false;
	}
	t->durable = false;
	(void)snprintf(text, sizeof text, "%.150s; the command ends with its connection",
		       t->outcome.text);
	t->ops->note(t->arg, text);
	return true;
}

void track_on_open(struct track *t, uint64_t task, uint64_t can, const char *note)
{
	/* Its end is on its way, from the timer. */
	if (t->stopping && !t->asked && !t->begun)
		return;
	t->task = task;
	if (track_settle_kind(t, can, note))
		track_step(t, TRACK_EV_OPEN);
}

void track_on_lost(struct track *t, enum cause cause, const char *text)
{
	track_note_outcome(t, cause, text);
	if (cause == CAUSE_AGENT_LOST)
		t->faults++;
	if (!track_may_come_back(t, cause)) {
		track_step(t, TRACK_EV_FAIL);
		return;
	}
	track_step(t, TRACK_EV_AWAY);
}

void track_on_no_agent(struct track *t, const char *why)
{
	track_note_outcome(t, CAUSE_NO_AGENT, why);
	track_step(t, track_may_come_back(t, CAUSE_NO_AGENT) ? TRACK_EV_AWAY : TRACK_EV_NO_AGENT);
}

void track_on_taken_over(struct track *t)
{
	track_note_outcome(t, CAUSE_LINK_LOST, "another connection has taken the run over");
	track_step(t, TRACK_EV_DETACHED);
}

static void track_give_up(struct track *t, enum cause cause, const char *text)
{
	track_note_outcome(t, cause, text);
	track_step(t, TRACK_EV_GIVE_UP);
}

static void track_on_away_timer(struct track *t)
{
	char text[LIMIT_OUTCOME_TEXT];

	if (t->ops->clock_ms(t->arg) < t->away_until_ms) {
		track_step(t, TRACK_EV_RETRY);
		return;
	}
	(void)snprintf(text, sizeof text, "%s%.150s",
		       t->stopping ? "the stop could not be told: " : "", t->outcome.text);
	track_note_outcome(t, CAUSE_LINK_LOST, text);
	track_step(t, TRACK_EV_FAIL);
}

/* Nobody has answered in time. Who has set a time for the start means it. */
static bool track_may_ask_again(const struct track *t)
{
	if (!t->durable)
		return false;
	if (t->state == TRACK_ASKED && (t->begun || t->stopping))
		return true;
	return !t->unanswered && (t->state == TRACK_RUNNING ||
				  (t->state == TRACK_ASKED && !t->spec.start_timeout_ms));
}

void track_on_timer(struct track *t)
{
	t->timed = false;
	if (t->state == TRACK_AWAY) {
		track_on_away_timer(t);
	} else if (t->state == TRACK_WAITING) {
		if (t->stopping)
			track_note_outcome(t, CAUSE_STOPPED, "");
		track_step(t, TRACK_EV_FORGET);
	} else if (track_may_ask_again(t)) {
		/* Perhaps it is the connection that is dead: its end is then told on another. */
		t->unanswered = t->unanswered || t->state == TRACK_RUNNING || !t->begun;
		track_note_outcome(t, CAUSE_LINK_LOST, "the agent did not answer");
		track_step(t, TRACK_EV_SHUN);
	} else if (t->stopping) {
		track_give_up(t, CAUSE_STOPPED,
			      t->state == TRACK_RUNNING ? "the agent did not answer" : "");
	} else if (t->state == TRACK_RUNNING) {
		track_give_up(t, CAUSE_TIMEOUT, "run; the agent did not answer");
	} else if (t->state == TRACK_ASKED) {
		track_give_up(t, CAUSE_TIMEOUT, "start");
	}
}

void track_on_stored(struct track *t, uint64_t seq)
{
	if (!t->durable || seq <= t->stored_seq)
		return;
	t->stored_seq = seq;
	if (t->state == TRACK_ENDED && seq >= t->last_seq) {
		track_step(t, TRACK_EV_STORED);
	} else if (t->state == TRACK_RUNNING || t->state == TRACK_ENDED) {
		track_ack(t);
	}
}
