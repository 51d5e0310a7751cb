#include "track.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "track_private.h"

#define TRACK_RECONNECT_MS (30u * 60u * 1000u)
#define TRACK_DELAY_MS	   5000u
#define TRACK_DELAY_FACTOR 12u
/* A stop is asked for where there is no connection: so long one is looked for. */
#define TRACK_STOP_AWAY_MS 60000u

void track_set_timer(struct track *t, uint64_t ms)
{
	t->timed = ms != TRACK_NEVER;
	t->ops->timer(t->arg, ms);
}

void track_signal(struct track *t, enum task_signal signal)
{
	struct task_signal_msg m = {.task = t->task, .signal = signal};
	struct buf body = {0};

	task_signal_put(&body, &m);
	t->ops->send(t->arg, MSG_TASK_SIGNAL, &body);
}

static uint64_t track_grace_ms(const struct track *t)
{
	return t->spec.grace_ms ? t->spec.grace_ms : TRACK_GRACE_MS;
}

void track_expect_end(struct track *t)
{
	if (t->spec.run_timeout_ms)
		track_set_timer(t, t->spec.run_timeout_ms + track_grace_ms(t) + TRACK_SLACK_MS);
}

void track_note_outcome(struct track *t, enum cause cause, const char *text)
{
	t->outcome = (struct outcome){.cause = cause, .exit_code = -1};
	(void)snprintf(t->outcome.text, sizeof t->outcome.text, "%s", text);
}

/* --- the end -------------------------------------------------------------------------------- */

/* The owner may free it: nothing of t is touched behind this. */
static void track_tell_end(struct track *t)
{
	struct outcome outcome = t->outcome;

	outcome.began = t->begun;
	track_set_timer(t, TRACK_NEVER);
	t->ops->end(t->arg, &outcome);
}

/* The agent has told its end. */
static void track_do_ended(struct track *t)
{
	if (!t->durable) {
		t->ops->leave(t->arg, TRACK_LEAVE_ENDED, false);
		track_step(t, TRACK_EV_STORED);
	}
	track_tell_end(t);
}

void track_ack(struct track *t)
{
	struct task_ack_msg m = {.task = t->task, .seq = t->stored_seq};
	struct buf body = {0};

	task_ack_put(&body, &m);
	t->ops->send(t->arg, MSG_TASK_ACK, &body);
}

static void track_do_ack(struct track *t)
{
	if (!t->durable)
		return;
	track_ack(t);
	t->ops->leave(t->arg, TRACK_LEAVE_ENDED, false);
}

static void track_do_no_agent(struct track *t)
{
	char text[LIMIT_OUTCOME_TEXT];

	(void)snprintf(text, sizeof text, "%s", t->outcome.text);
	t->ops->no_agent(t->arg, text);
}

/* --- connecting ----------------------------------------------------------------------------- */

static void track_do_connect(struct track *t)
{
	t->ops->connect(t->arg);
}

static void track_do_ask(struct track *t)
{
	struct buf body = {0};

	/* Who is held back lets one frame come: so the agent can always say something. */
	t->granted = t->held ? 1 : t->spec.window;
	t->received = 0;
	t->order = (struct task_order){0};
	if (t->durable)
		task_order_attach(&t->order, t->last_seq);
	/* What has sent a frame has been started, even if that was not noted before a restart. */
	if (t->durable && (t->begun || t->spec.attach_only || t->last_seq)) {
		struct task_attach_msg m = {.task = t->task,
					    .instance = (char *)(uintptr_t)t->spec.instance,
					    .epoch = t->ops->epoch(t->arg),
					    .next_seq = t->last_seq + 1,
					    .credit = t->granted};

		task_attach_put(&body, &m);
		t->ops->send(t->arg, MSG_TASK_ATTACH, &body);
	} else {
		struct task_open_msg m = {.task = t->task,
					  .credit = t->granted,
					  .stdin_follows = t->spec.feed != NULL,
					  .durable = t->durable,
					  .epoch = t->durable ? t->ops->epoch(t->arg) : 0};

		t->ops->put_open(t->arg, &body, &m);
		t->ops->send(t->arg, MSG_TASK_OPEN, &body);
	}
	t->asked = true;
	if (t->stopping) {
		track_signal(t, TASK_STOP);
		track_set_timer(t, track_grace_ms(t) + TRACK_SLACK_MS);
		return;
	}
	track_set_timer(t, t->spec.start_timeout_ms ? t->spec.start_timeout_ms : TRACK_START_MS);
	if (!t->durable)
		track_feed(t);
}

/* --- being away ----------------------------------------------------------------------------- */

static uint64_t track_delay_ms(const struct track *t)
{
	return t->spec.reconnect_delay_ms ? t->spec.reconnect_delay_ms : TRACK_DELAY_MS;
}

/* Later each time, and not all at once. */
static void track_try_later(struct track *t)
{
	uint64_t now = t->ops->clock_ms(t->arg), delay = t->delay_ms;

	t->delay_ms = delay * 2 < track_delay_ms(t) * TRACK_DELAY_FACTOR
			      ? delay * 2
			      : track_delay_ms(t) * TRACK_DELAY_FACTOR;
	delay = delay / 2 + t->ops->random(t->arg) % (delay + 1);
	if (t->away_until_ms < now + delay)
		delay = t->away_until_ms > now ? t->away_until_ms - now : 0;
	track_set_timer(t, delay);
}

static void track_tell_lost(struct track *t)
{
	if (t->begun && !t->lost) {
		t->lost = true;
		t->ops->lost(t->arg);
	}
}

static void track_do_away(struct track *t)
{
	uint64_t now = t->ops->clock_ms(t->arg);

	if (!t->away_since_ms) {
		uint64_t timeout = t->spec.reconnect_timeout_ms ? t->spec.reconnect_timeout_ms
								: TRACK_RECONNECT_MS;

		/* A stop that cannot be told is not looked after for as long as a loss alone. */
		if (t->stopping && timeout > TRACK_STOP_AWAY_MS)
			timeout = TRACK_STOP_AWAY_MS;
		t->away_since_ms = now ? now : 1;
		t->away_until_ms = now + timeout;
		t->delay_ms = track_delay_ms(t);
	}
	track_tell_lost(t);
	track_try_later(t);
}

/* It is to be stopped, and cannot be told: not for as long as a loss alone would last. */
static void track_do_stop_away(struct track *t)
{
	uint64_t until = t->ops->clock_ms(t->arg) + TRACK_STOP_AWAY_MS;

	if (!t->away_since_ms || t->away_until_ms > until)
		t->away_until_ms = until;
	if (!t->away_since_ms)
		t->away_since_ms = until - TRACK_STOP_AWAY_MS + 1;
	t->delay_ms = track_delay_ms(t);
	track_set_timer(t, TRACK_NEVER);
	t->ops->connect(t->arg);
}

static void track_do_wake(struct track *t)
{
	track_set_timer(t, TRACK_NEVER);
	t->ops->connect(t->arg);
}

static void track_do_park(struct track *t)
{
	track_set_timer(t, TRACK_NEVER);
	t->ops->leave(t->arg, TRACK_LEAVE_DETACH, false);
	track_tell_lost(t);
}

static void track_do_detached(struct track *t)
{
	t->ops->leave(t->arg, TRACK_LEAVE_ENDED, false);
	track_do_away(t);
}

/* --- running -------------------------------------------------------------------------------- */

static void track_do_running(struct track *t)
{
	bool again = t->begun;

	t->begun = true;
	t->away_since_ms = 0;
	t->faults = 0;
	if (!t->stopping) {
		track_set_timer(t, TRACK_NEVER);
		track_expect_end(t);
	}
	if (t->stopping && again)
		track_signal(t, TASK_STOP);
	else if (t->suspend_asked || t->answer_owed)
		track_signal(t, t->suspend_asked ? TASK_SUSPEND : TASK_RESUME);
	/* What was said on an earlier connection may not have come: a command that waits for room
	 * would do so for ever. */
	if (t->durable && t->stored_seq)
		track_ack(t);
	if (again && t->lost) {
		t->lost = false;
		t->ops->back(t->arg);
	} else if (!again) {
		t->ops->running(t->arg);
	}
	if (t->durable)
		track_feed(t);
	if (t->spec.detached && !again && t->durable && t->state == TRACK_RUNNING)
		track_step(t, TRACK_EV_PARK);
}

static void track_do_stop(struct track *t)
{
	track_signal(t, TASK_STOP);
	track_set_timer(t, track_grace_ms(t) + TRACK_SLACK_MS);
}

/* Nothing was sent. From the timer, as nobody is told from inside track_stop. */
static void track_do_stop_soon(struct track *t)
{
	track_set_timer(t, 0);
}

static void track_do_give_up(struct track *t)
{
	t->ops->leave(t->arg, TRACK_LEAVE_KILL, true);
	track_tell_end(t);
}

static void track_do_forget(struct track *t)
{
	t->ops->leave(t->arg, TRACK_LEAVE_FREE, false);
	track_tell_end(t);
}

static void track_do_shun(struct track *t)
{
	t->ops->leave(t->arg, TRACK_LEAVE_DETACH, true);
	track_do_away(t);
}

/* --- the table ------------------------------------------------------------------------------ */

struct track_row {
	bool listed;
	enum track_state next;
	void (*action)(struct track *t); /* after the state was entered; NULL: none */
};

#define ROW(state, event, next_state, action_fn) \
	[TRACK_##state][TRACK_EV_##event] = {true, TRACK_##next_state, action_fn}

static const struct track_row track_rows[TRACK_STATE_COUNT][TRACK_EV_COUNT] = {
	ROW(IDLE, START, WAITING, track_do_connect),
	ROW(IDLE, WAKE, WAITING, track_do_connect),
	ROW(IDLE, STOP, WAITING, track_do_stop_away),

	ROW(WAITING, OPEN, ASKED, track_do_ask),
	ROW(WAITING, FAIL, OVER, track_tell_end),
	ROW(WAITING, AWAY, AWAY, track_do_away),
	ROW(WAITING, NO_AGENT, OVER, track_do_no_agent),
	ROW(WAITING, STOP, WAITING, track_do_stop_soon),
	ROW(WAITING, FORGET, OVER, track_do_forget),

	ROW(ASKED, RUNNING, RUNNING, track_do_running),
	ROW(ASKED, FAIL, OVER, track_tell_end),
	ROW(ASKED, AWAY, AWAY, track_do_away),
	ROW(ASKED, DETACHED, AWAY, track_do_detached),
	ROW(ASKED, END, ENDED, track_do_ended),
	ROW(ASKED, GIVE_UP, OVER, track_do_give_up),
	ROW(ASKED, SHUN, AWAY, track_do_shun),
	ROW(ASKED, STOP, ASKED, track_do_stop),

	ROW(RUNNING, FAIL, OVER, track_tell_end),
	ROW(RUNNING, AWAY, AWAY, track_do_away),
	ROW(RUNNING, DETACHED, AWAY, track_do_detached),
	ROW(RUNNING, END, ENDED, track_do_ended),
	ROW(RUNNING, GIVE_UP, OVER, track_do_give_up),
	ROW(RUNNING, SHUN, AWAY, track_do_shun),
	ROW(RUNNING, STOP, RUNNING, track_do_stop),
	ROW(RUNNING, PARK, IDLE, track_do_park),

	ROW(AWAY, RETRY, WAITING, track_do_connect),
	ROW(AWAY, WAKE, WAITING, track_do_wake),
	ROW(AWAY, FAIL, OVER, track_tell_end),
	ROW(AWAY, STOP, WAITING, track_do_stop_away),

	ROW(ENDED, STORED, OVER, track_do_ack),
	ROW(ENDED, FAIL, OVER, NULL),
	ROW(ENDED, AWAY, OVER, NULL),
};

#undef ROW

void track_step(struct track *t, enum track_event event)
{
	const struct track_row *row = &track_rows[t->state][event];

	if (!row->listed)
		abort();
	t->state = row->next;
	if (row->action)
		row->action(t);
}

/* --- what is asked of it -------------------------------------------------------------------- */

struct track *track_new(const struct track_spec *spec, const struct track_ops *ops, void *arg)
{
	struct track *t = xcalloc(1, sizeof *t);

	t->ops = ops;
	t->arg = arg;
	t->spec = *spec;
	t->durable = spec->durable;
	t->begun = spec->begun;
	t->lost = spec->begun;
	t->asked = spec->asked;
	t->last_seq = t->stored_seq = spec->last_seq;
	t->next_record = spec->last_seq ? 0 : 1;
	t->gapped = spec->last_seq > 0;
	t->schema_ids = spec->schema_ids;
	t->schema_count = spec->schema_count;
	return t;
}

void track_free(struct track *t)
{
	if (!t)
		return;
	free(t->schema_ids);
	free(t);
}

void track_start(struct track *t, bool parked)
{
	if (!parked)
		track_step(t, TRACK_EV_START);
}

void track_stop(struct track *t)
{
	if (t->stopping || t->state >= TRACK_ENDED)
		return;
	t->stopping = true;
	if (t->state == TRACK_WAITING && (t->begun || t->asked) && t->durable) {
		uint64_t until = t->ops->clock_ms(t->arg) + TRACK_STOP_AWAY_MS;

		if (t->away_until_ms > until)
			t->away_until_ms = until;
		return;
	}
	track_step(t, TRACK_EV_STOP);
}

void track_suspend(struct track *t, bool suspend)
{
	t->suspend_asked = suspend;
	t->answer_owed = true;
	if (t->state == TRACK_RUNNING && !t->stopping)
		track_signal(t, suspend ? TASK_SUSPEND : TASK_RESUME);
}

void track_hold(struct track *t, bool hold)
{
	t->held = hold;
	track_grant(t);
}

void track_park(struct track *t)
{
	if (t->durable && t->state == TRACK_RUNNING && !t->stopping)
		track_step(t, TRACK_EV_PARK);
}

void track_wake(struct track *t)
{
	if (t->state == TRACK_IDLE || t->state == TRACK_AWAY)
		track_step(t, TRACK_EV_WAKE);
}

void track_drop(struct track *t, bool kill)
{
	track_set_timer(t, TRACK_NEVER);
	if (t->state == TRACK_WAITING)
		t->ops->leave(t->arg, TRACK_LEAVE_FREE, false);
	else if (t->state == TRACK_ENDED)
		t->ops->leave(t->arg, TRACK_LEAVE_ENDED, false);
	else if (t->state == TRACK_ASKED || t->state == TRACK_RUNNING)
		t->ops->leave(t->arg, t->durable && !kill ? TRACK_LEAVE_DETACH : TRACK_LEAVE_KILL,
			      false);
	t->state = TRACK_OVER;
}

bool track_is_durable(const struct track *t)
{
	return t->durable;
}

bool track_is_waking(const struct track *t)
{
	return t->state == TRACK_WAITING || t->state == TRACK_ASKED ||
	       (t->state == TRACK_RUNNING && t->last_seq < t->behind);
}

bool track_is_looked_for(const struct track *t)
{
	return t->lost &&
	       (t->state == TRACK_WAITING || t->state == TRACK_ASKED || t->state == TRACK_AWAY);
}

bool track_is_settled(const struct track *t)
{
	return t->state == TRACK_OVER;
}

const char *track_trouble(const struct track *t)
{
	return t->state == TRACK_RUNNING ? "" : t->outcome.text;
}
