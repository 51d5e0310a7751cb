/* What a gateway says, and how its connection ends. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "conn_cause.h"
#include "escape.h"
#include "keep.h"
#include "relay_private.h"
#include "schemas.h"

/* Of the daemon there, about the whole job. */
#define RELAY_WARNINGS 16u

/* What the shell of a gateway says when there is no such program. */
#define RELAY_NO_PROGRAM 127

/* --- the talk -----------------------------------------------------------------------------------
 */

static void relay_on_hello(void *arg)
{
	struct relay *relay = arg;

	if (!relay->to_send)
		relay_free_later(relay);
	else if (relay_stage_is_wanted(relay))
		relay_stage_begin(relay);
	else
		relay_send_request(relay);
}

static void relay_on_accepted(void *arg)
{
	relay_send_asks(arg);
}

static void relay_on_refused(void *arg, int code, const char *text)
{
	(void)code;
	relay_fail(arg, text);
}

/* NULL: it has left. */
static struct relay_member *relay_member(const struct relay *relay, size_t at)
{
	return relay->members[at];
}

static void relay_on_state(void *arg, size_t at, enum job_state state)
{
	struct relay_member *m = relay_member(arg, at);

	if (!m || state == JOB_STATE_NOT_STARTED || state == JOB_STATE_STOPPING)
		return;
	if (state == JOB_STATE_DISCONNECTED && m->away)
		return;
	link_relay_on_begun(m);
	if (state == JOB_STATE_DISCONNECTED)
		link_relay_on_away(m);
	if (state == JOB_STATE_RUNNING || state == JOB_STATE_SUSPENDED)
		link_relay_on_state(m, state == JOB_STATE_SUSPENDED);
}

static void relay_on_record(void *arg, size_t at, const struct record *record)
{
	struct relay *relay = arg;
	struct relay_member *m = relay_member(relay, at);

	if (!m)
		return;
	if (m->hold) {
		m->held_bytes += record->len + RECORD_HEAD_MAX;
		relay->held_bytes += record->len + RECORD_HEAD_MAX;
	}
	link_relay_on_record(m, record);
}

static void relay_on_burst_end(void *arg, size_t at)
{
	struct relay *relay = arg;
	struct relay_member *m = relay_member(relay, at);

	if (m)
		link_on_burst_end(m->link);
	/* It does not do as it is asked: then all of it waits. */
	if (relay->held_bytes > RELAY_HELD_MAX && !relay->line_held) {
		relay->line_held = true;
		line_hold(relay->line, true);
	}
}

static uint64_t relay_on_schema(void *arg, const struct schema_msg *m)
{
	struct relay *relay = arg;
	struct run *run = relay_run(relay);
	struct task_schema_msg kept = {.schema = 1,
				       .name = m->name,
				       .columns = m->columns,
				       .column_count = m->column_count};
	uint64_t id = schemas_intern(run_schemas(run), m->name, m->columns, m->column_count);

	if (run_store(run))
		keep_schema(run_store(run), child_job(relay->first), relay->first, id, &kept, 0);
	return id;
}

/* A daemon that is told to end lets what waits there go: that is no stop of ours. */
static void relay_on_end(void *arg, size_t at, const struct outcome *outcome)
{
	struct relay *relay = arg;
	struct relay_member *m = relay_member(relay, at);
	bool gave_up = outcome->cause == CAUSE_NEVER_RAN ||
		       (outcome->cause == CAUSE_STOPPED && !outcome->began);

	if (!m)
		return;
	if (!gave_up || m->stop || m->began) {
		struct outcome own = *outcome;

		if (!relay_pull_end(m, &own))
			link_relay_end(m, &own);
		return;
	}
	relays_on_failed(relay->relays, relay->gateway, "the job was stopped there");
	(void)relays_on_lost(m, "the job was stopped there", false);
}

static void relay_on_warning(void *arg, const char *text)
{
	struct relay *relay = arg;
	char *line;

	if (relay->warnings++ >= RELAY_WARNINGS)
		return;
	line = xasprintf("gateway %s: %s", relay->name, text);
	for (size_t i = 0; i < relay->count; i++) {
		if (!relay->members[i])
			continue;
		link_warn(relay->members[i]->link, line);
		break;
	}
	free(line);
}

/* What it keeps for this job is wanted again where not all start at once. */
static void relay_on_over(void *arg)
{
	struct relay *relay = arg;

	if (relay->has_stage && relays_has_more(relay->relays))
		relay->lingers = true;
	else
		relay_free_later(relay);
}

static int relay_on_stage(void *arg, const struct frame *frame, struct errmsg *msg)
{
	return relay_stage_on_frame(arg, frame, msg);
}

static void relay_on_copy_open(void *arg, size_t at, uint64_t number, uint64_t window)
{
	struct relay_member *m = relay_member(arg, at);

	if (!m)
		return;
	link_relay_on_begun(m);
	relay_pull_open(m, number, window);
}

static void relay_on_copy_files(void *arg, size_t at, uint64_t number, const struct frame *frame)
{
	struct relay_member *m = relay_member(arg, at);

	if (m)
		relay_pull_on_frame(m, number, frame);
}

const struct relay_talk_ops relay_talk_ops = {
	.hello = relay_on_hello,
	.accepted = relay_on_accepted,
	.refused = relay_on_refused,
	.state = relay_on_state,
	.record = relay_on_record,
	.burst_end = relay_on_burst_end,
	.schema = relay_on_schema,
	.end = relay_on_end,
	.warning = relay_on_warning,
	.over = relay_on_over,
	.stage = relay_on_stage,
	.copy_open = relay_on_copy_open,
	.copy_files = relay_on_copy_files,
};

/* --- the connection -----------------------------------------------------------------------------
 */

static void relay_on_running(void *arg)
{
	struct relay *relay = arg;
	struct buf hello = {0};

	relay_started(relay);
	relay_talk_put_hello(&hello);
	line_write(relay->line, hello.data, hello.len);
	buf_done(&hello);
}

/* The end of what it writes to its standard error, on one line. */
static void relay_note_errors(struct relay *relay, const void *data, size_t len)
{
	char raw[sizeof relay->errors];
	struct buf all = {0};
	size_t from, n;

	buf_add_str(&all, relay->errors);
	buf_add(&all, data, len);
	from = all.len >= sizeof raw ? all.len - (sizeof raw - 1) : 0;
	n = all.len - from;
	memcpy(raw, all.data + from, n);
	raw[n] = '\0';
	for (size_t i = 0; i < n; i++)
		if (raw[i] == '\n' || raw[i] == '\r' || raw[i] == '\0')
			raw[i] = ' ';
	while (n && raw[n - 1] == ' ')
		raw[--n] = '\0';
	memcpy(relay->errors, raw, n + 1);
	buf_done(&all);
}

static void relay_on_data(void *arg, bool is_error, const void *data, size_t len)
{
	struct relay *relay = arg;
	char why[LIMIT_OUTCOME_TEXT];
	struct errmsg msg;

	if (relay->dead)
		return;
	if (is_error) {
		relay_note_errors(relay, data, len);
		return;
	}
	relay->heard_ms = relay_now_ms();
	relay->pinged = false;
	if (relay_talk_take(relay->talk, data, len, &msg) == 0)
		return;
	relay_fail(relay, escape_str(why, sizeof why, msg.text));
}

static void relay_on_data_end(void *arg)
{
	(void)arg;
}

static void relay_on_writable(void *arg)
{
	relay_feed(arg);
}

static void relay_on_suspended(void *arg, bool suspended)
{
	(void)arg;
	(void)suspended;
}

/* What became of `muster relay` there, in words. */
static void relay_say_end(char *out, size_t size, const struct relay *relay,
			  const struct conn_result *result)
{
	char errors[LIMIT_OUTCOME_TEXT];
	const char *sep = relay->errors[0] ? ": " : "";

	(void)escape_str(errors, sizeof errors, relay->errors);
	if (result->end == CONN_END_EXITED && result->exit_code == RELAY_NO_PROGRAM)
		(void)snprintf(out, size,
			       "there is no muster: install it there, on the PATH of commands "
			       "that ssh runs%s%s",
			       sep, errors);
	else if (result->end == CONN_END_EXITED && result->exit_code == CONTROL_RELAY_ENDED)
		(void)snprintf(out, size, "its daemon has gone%s%s", result->text[0] ? "; " : "",
			       result->text);
	else if (result->end == CONN_END_EXITED)
		(void)snprintf(out, size, "its muster relay has ended (%d)%s%s", result->exit_code,
			       sep, errors);
	else if (result->end == CONN_END_SIGNALLED)
		(void)snprintf(out, size, "its muster relay died by %s%s%s", result->signal, sep,
			       errors);
	else
		(void)snprintf(out, size, "%s%s%s", cause_name(conn_cause(result->end)),
			       result->text[0] ? ": " : "", result->text);
}

static void relay_on_line_end(void *arg, const struct conn_result *result)
{
	struct relay *relay = arg;
	char why[LIMIT_OUTCOME_TEXT];

	relay->line = NULL;
	relay->lost = result->end != CONN_END_EXITED;
	/* A text says that not all of its output may have come. */
	relay->all_said = result->end == CONN_END_EXITED &&
			  result->exit_code == CONTROL_RELAY_ENDED && !result->text[0];
	relay_say_end(why, sizeof why, relay, result);
	relay_fail(relay, why);
}

const struct line_events relay_line_events = {
	.running = relay_on_running,
	.data = relay_on_data,
	.burst_end = relay_on_data_end,
	.writable = relay_on_writable,
	.suspended = relay_on_suspended,
	.end = relay_on_line_end,
};
