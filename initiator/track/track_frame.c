/* What an agent may say of one task, and what becomes of it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "limits.h"
#include "track_private.h"

/* Input that is on its way, or waits in the agent. */
#define TRACK_STDIN_WINDOW (256u << 10)
/* All column names of one child together. */
#define TRACK_SCHEMA_BYTES (64u << 10)

/* --- what is sent --------------------------------------------------------------------------- */

void track_feed(struct track *t)
{
	struct feed *feed = t->spec.feed;
	bool may = t->state == TRACK_RUNNING || (t->state == TRACK_ASKED && !t->durable);

	while (may && feed && !t->feed_ended &&
	       t->fed - t->taken + LIMIT_STDIN_PIECE <= TRACK_STDIN_WINDOW) {
		struct task_stdin_msg m = {.task = t->task};
		struct buf body = {0};
		const void *data = NULL;

		m.len = feed_peek(feed, t->fed, &data);
		m.end = feed_is_end(feed, t->fed + m.len);
		if (!m.len && !m.end)
			return;
		m.data = (uint8_t *)(uintptr_t)data;
		task_stdin_put(&body, &m);
		t->ops->send(t->arg, MSG_TASK_STDIN, &body);
		t->fed += m.len;
		t->feed_ended = m.end;
	}
}

void track_grant(struct track *t)
{
	struct task_credit_msg m = {.task = t->task};
	struct buf body = {0};

	if (t->held || (t->state != TRACK_ASKED && t->state != TRACK_RUNNING) ||
	    t->received + t->spec.window - t->spec.window / 2 < t->granted)
		return;
	m.bytes = t->received + t->spec.window - t->granted;
	t->granted += m.bytes;
	task_credit_put(&body, &m);
	t->ops->send(t->arg, MSG_TASK_CREDIT, &body);
}

/* --- what comes ----------------------------------------------------------------------------- */

static void track_count(struct track *t, const struct frame *frame)
{
	t->received += frame->len;
	track_grant(t);
}

static int track_charge(struct track *t, const struct frame *frame, struct errmsg *msg)
{
	if (t->received >= t->granted)
		return err_set(msg, ERR_PROTO,
			       "task %" PRIu64 ": more records than it was allowed to send",
			       t->task);
	track_count(t, frame);
	t->last_seq = frame->seq;
	t->breaches = 0;
	t->ops->taken(t->arg, frame->seq);
	return 0;
}

/* A spool that lost what was not synced ends before what we have: its numbers go on behind ours. */
static int track_on_attached(struct track *t, const struct frame *frame, struct errmsg *msg)
{
	struct task_attached_msg m;
	int rc = task_attached_get(&m, frame->body, frame->len, msg);

	if (rc)
		return rc;
	/* How much of it the command took is told behind TASK_RUNNING; until then all of it may
	 * wait there. */
	t->fed = m.taken;
	t->taken = m.taken > TRACK_STDIN_WINDOW ? m.taken - TRACK_STDIN_WINDOW : 0;
	t->feed_ended = m.input_ended;
	t->behind = m.last;
	task_attached_done(&m);
	return 0;
}

static int track_on_running(struct track *t, const struct frame *frame, struct errmsg *msg)
{
	struct task_running_msg m;
	int rc = task_running_get(&m, frame->body, frame->len, msg);

	if (rc)
		return rc;
	task_running_done(&m);
	track_step(t, TRACK_EV_RUNNING);
	return 0;
}

static int track_on_detached(struct track *t, const struct frame *frame, struct errmsg *msg)
{
	struct task_detach_msg m;
	int rc = task_detach_get(&m, frame->body, frame->len, msg);

	if (rc)
		return rc;
	task_detach_done(&m);
	track_on_taken_over(t);
	return 0;
}

/* id 0: it got lost; its rows are then arrays of which nobody knows the columns. */
static void track_add_schema(struct track *t, uint64_t id)
{
	t->schema_ids = xrealloc(t->schema_ids, t->schema_count + 1, sizeof(uint64_t));
	t->schema_ids[t->schema_count++] = id;
}

static int track_on_schema(struct track *t, const struct frame *frame, struct errmsg *msg)
{
	struct task_schema_msg m;
	int rc = task_schema_get(&m, frame->body, frame->len, msg);

	if (rc)
		return rc;
	for (size_t i = 0; i < m.column_count; i++)
		t->schema_bytes += strlen(m.columns[i]) + 1;
	while (t->gapped && t->schema_count + 1 < m.schema && t->schema_count < LIMIT_SCHEMAS - 1)
		track_add_schema(t, 0);
	if (m.schema != t->schema_count + 1)
		rc = err_set(msg, ERR_PROTO, "TASK_SCHEMA: number %" PRIu64 " after %zu", m.schema,
			     t->schema_count);
	else if (t->schema_count == LIMIT_SCHEMAS || t->schema_bytes > TRACK_SCHEMA_BYTES)
		rc = err_set(msg, ERR_LIMIT, "TASK_SCHEMA: too many columns for one command");
	if (rc == 0)
		track_add_schema(t, t->ops->schema(t->arg, &m, frame->seq));
	task_schema_done(&m);
	return rc ? rc : track_charge(t, frame, msg);
}

struct track_records {
	struct track *track;
	struct errmsg *msg;
	uint64_t now;
};

static int track_on_record(void *arg, uint64_t child, uint64_t seq, const struct record *record)
{
	struct track_records *c = arg;
	struct track *t = c->track;
	struct record own = *record;

	(void)child;
	if (t->next_record && seq != t->next_record)
		return err_set(c->msg, ERR_PROTO, "record %" PRIu64 " after %" PRIu64, seq,
			       t->next_record - 1);
	t->next_record = seq + 1;
	own.time_ns = c->now;
	own.flags &= RECORD_CONTINUES | RECORD_NO_EOL | RECORD_UNPARSED;
	if (own.schema > t->schema_count && !t->gapped)
		return err_set(c->msg, ERR_PROTO,
			       "a record of schema %" PRIu64 ", which was not told", own.schema);
	if (own.schema)
		own.schema = own.schema <= t->schema_count ? t->schema_ids[own.schema - 1] : 0;
	t->ops->record(t->arg, &own);
	return 0;
}

static int track_on_records(struct track *t, const struct frame *frame, struct errmsg *msg)
{
	struct track_records c = {.track = t, .msg = msg, .now = t->ops->wall_ns(t->arg)};
	int rc = records_get(frame->body, frame->len, track_on_record, &c, msg);

	return rc ? rc : track_charge(t, frame, msg);
}

/* Of the records of a gap, those that we have not had; where it is not known, all of them. */
static uint64_t track_missing(struct track *t, const struct task_gap_msg *m)
{
	uint64_t after = m->records > UINT64_MAX - m->first_record ? UINT64_MAX
								   : m->first_record + m->records;
	uint64_t missing = m->records;

	if (t->next_record)
		missing = after > t->next_record ? after - t->next_record : 0;
	if (after > t->next_record)
		t->next_record = after;
	return missing;
}

static int track_on_gap(struct track *t, const struct frame *frame, struct errmsg *msg)
{
	struct task_gap_msg m;
	char text[160];
	uint64_t lost = 0;
	bool most;
	int rc = task_gap_get(&m, frame->body, frame->len, msg);

	if (rc)
		return rc;
	if (m.from > t->last_seq + 1)
		return err_set(msg, ERR_PROTO,
			       "TASK_GAP from %" PRIu64 ": what is before it is missing too",
			       m.from);
	t->gapped = true;
	/* After a restart it is not known which records we have; only which frames. */
	most = !t->next_record && m.from <= t->last_seq;
	if (m.first_record && m.records)
		lost = track_missing(t, &m);
	else
		t->next_record = 0; /* damage: how many they were is not known there */
	if (m.records)
		(void)snprintf(text, sizeof text,
			       "%s%" PRIu64 " record%s (%" PRIu64
			       " bytes) are missing here: the spool on the host could not keep "
			       "them",
			       most ? "up to " : "", lost, lost == 1 ? "" : "s", m.bytes);
	else
		(void)snprintf(
			text, sizeof text,
			"some records may be missing here: the spool on the host was damaged");
	t->ops->note(t->arg, text);
	return track_charge(t, frame, msg);
}

static void track_tell_stalled(struct track *t, bool stalled)
{
	if (t->stalled == stalled)
		return;
	t->stalled = stalled;
	t->ops->note(t->arg, stalled ? "the disk of the host is full: the command waits for room"
				     : "there is room on the disk of the host again");
}

static int track_on_state(struct track *t, const struct frame *frame, struct errmsg *msg)
{
	struct task_state_msg m;
	int rc = task_state_get(&m, frame->body, frame->len, msg);
	bool answer;

	if (rc)
		return rc;
	/* That of a disk which is full, or is not any more, may come before the answer. */
	answer = t->answer_owed && (m.suspended == t->suspend_asked || m.stalled == t->stalled);
	track_tell_stalled(t, m.stalled);
	/* A change, or the answer to a question. An agent that says it again is not believed: there
	 * is no such step for a child. */
	if (!t->stopping && (answer || m.suspended != t->suspended)) {
		t->answer_owed = t->answer_owed && !answer;
		t->suspended = m.suspended;
		/* A command that was suspended by us is not late. */
		if (m.suspended && t->suspend_asked)
			track_set_timer(t, TRACK_NEVER);
		else if (!t->timed)
			track_expect_end(t);
		t->ops->suspended(t->arg, m.suspended);
	}
	task_state_done(&m);
	return 0;
}

static int track_on_stdin_room(struct track *t, const struct frame *frame, struct errmsg *msg)
{
	struct task_stdin_room_msg m;
	int rc = task_stdin_room_get(&m, frame->body, frame->len, msg);

	if (rc)
		return rc;
	if (m.taken < t->taken || m.taken > t->fed)
		return err_set(msg, ERR_PROTO,
			       "TASK_STDIN_ROOM: %" PRIu64 " bytes taken of %" PRIu64, m.taken,
			       t->fed);
	t->taken = m.taken;
	track_feed(t);
	return 0;
}

static int track_on_session(struct track *t, const struct frame *frame, struct errmsg *msg)
{
	struct task_session_msg m;
	int rc = task_session_get(&m, frame->body, frame->len, msg);

	if (rc)
		return rc;
	if (t->ops->session)
		t->ops->session(t->arg, &m);
	task_session_done(&m);
	return 0;
}

static int track_on_end(struct track *t, const struct frame *frame, struct errmsg *msg)
{
	struct task_end_msg m;
	int rc = task_end_get(&m, frame->body, frame->len, msg);

	if (rc)
		return rc;
	track_outcome(&t->outcome, &m);
	task_end_done(&m);
	t->last_seq = frame->seq;
	t->ops->taken(t->arg, frame->seq);
	track_step(t, TRACK_EV_END);
	return 0;
}

static const struct {
	enum message_type type;
	int (*fn)(struct track *t, const struct frame *frame, struct errmsg *msg);
} track_messages[] = {
	{MSG_TASK_ATTACHED, track_on_attached},
	{MSG_TASK_RUNNING, track_on_running},
	{MSG_TASK_SCHEMA, track_on_schema},
	{MSG_TASK_RECORDS, track_on_records},
	{MSG_TASK_GAP, track_on_gap},
	{MSG_TASK_STATE, track_on_state},
	{MSG_TASK_STDIN_ROOM, track_on_stdin_room},
	{MSG_TASK_SESSION, track_on_session},
	{MSG_TASK_DETACH, track_on_detached},
	{MSG_TASK_END, track_on_end},
};

int track_on_frame(struct track *t, const struct frame *frame, struct errmsg *msg)
{
	int rc;

	if (t->state != TRACK_ASKED && t->state != TRACK_RUNNING)
		return t->state == TRACK_ENDED
			       ? err_set(msg, ERR_PROTO, "%s after the end of its task",
					 message_name(frame->type))
			       : 0;
	rc = task_order_take(&t->order, frame, msg);
	/* One that we have had already has used its credit all the same. */
	if (rc == 0)
		track_count(t, frame);
	for (size_t i = 0; rc > 0 && i < ARRAY_LEN(track_messages); i++)
		if (track_messages[i].type == frame->type) {
			rc = track_messages[i].fn(t, frame, msg);
			break;
		}
	if (rc < 0)
		t->breaches++;
	return rc < 0 ? rc : 0;
}
