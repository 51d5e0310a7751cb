#include "reply.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "control_msg.h"
#include "link.h"

/* So many failed hosts are named in the summary of a job. */
#define REPLY_SUMMARY_HOSTS 5u

static void reply_row(struct client *client, struct get_row_msg *row)
{
	struct buf body = {0};

	get_row_put(&body, row);
	client_send(client, MSG_GET_ROW, &body);
	get_row_done(row);
}

/* "3/200 failed: web07 (exited 2), db1 (unreachable), ..." */
static void reply_failed(struct buf *text, struct job *job)
{
	const struct job_counts *counts = job_counts(job);
	size_t failed = counts->in_state[JOB_STATE_FAILED], named = 0;

	if (!failed)
		return;
	buf_addf(text, "%zu/%zu failed:", failed, counts->total);
	for (const struct child *child = job_next_failed(job, NULL);
	     child && named < failed && named < REPLY_SUMMARY_HOSTS;
	     child = job_next_failed(job, child)) {
		struct outcome o;

		if (child_state(child) != JOB_STATE_FAILED || !child_outcome(child, &o))
			continue;
		buf_addf(text, "%s %s (%s", named++ ? "," : "", child_location(child),
			 cause_name(o.cause));
		if (o.exit_code >= 0)
			buf_addf(text, " %d", o.exit_code);
		if (o.signal[0])
			buf_addf(text, " %s", o.signal);
		buf_add_char(text, ')');
	}
	if (named < failed)
		buf_add_str(text, ", ...");
}

/* What it is at, and who has failed; NULL: nothing to say. */
static char *reply_summary(struct job *job)
{
	char *progress = job_progress(job, clock_wall_ns());
	struct buf text = {0};

	if (progress)
		buf_add_str(&text, progress);
	if (progress && job_counts(job)->in_state[JOB_STATE_FAILED])
		buf_add_str(&text, "; ");
	free(progress);
	reply_failed(&text, job);
	if (text.len)
		return buf_take_str(&text);
	buf_done(&text);
	return NULL;
}

static int reply_worse(int worst, const struct child *child)
{
	/* 1 wins over 4, 4 over 3, and 3 over 5 (docs/protocol.md, section 10). */
	static const uint8_t rank[] = {[0] = 0, [1] = 4, [3] = 2, [4] = 3, [5] = 1};
	struct outcome o;
	int status;

	if (!child_outcome(child, &o))
		return worst;
	status = outcome_exit_status(&o);
	return rank[status] > rank[worst] ? status : worst;
}

uint64_t reply_exit_status(const struct select_item *item)
{
	int worst = 0;

	if (item->child)
		return (uint64_t)reply_worse(0, item->child);
	for (const struct child *child = job_next_failed(item->job, NULL); child;
	     child = job_next_failed(item->job, child))
		worst = reply_worse(worst, child);
	return (uint64_t)worst;
}

void reply_job(struct client *client, struct job *job)
{
	struct select_item item = {.job = job};
	size_t n = job_child_count(job);
	struct get_row_msg row = {.id = job_id(job),
				  .name = xstrdup(job_name(job)),
				  .type = xstrdup(job_type(job)),
				  .state = xstrdup(job_state_name(job_state(job))),
				  .has_more_data = job_has_more_data(job),
				  .location = job_location(job),
				  .command = xstrdup(job_command(job)),
				  .begin_ns = job_begin_ns(job),
				  .end_ns = job_end_ns(job),
				  .exit_code = -1,
				  .instance_id = xstrdup(job_instance_id(job)),
				  .children = xcalloc(n, sizeof(uint64_t)),
				  .child_count = n,
				  .progress = reply_summary(job),
				  .exit_status = reply_exit_status(&item)};

	for (size_t i = 0; i < n; i++)
		row.children[i] = job_id(job) + 1 + i;
	reply_row(client, &row);
}

void reply_child(struct client *client, const struct child *child)
{
	struct job *job = child_job(child);
	struct outcome o = {.exit_code = -1};
	char uuid[UUID_TEXT_SIZE], name[CHILD_NAME_SIZE];
	struct get_row_msg row = {.id = child_id(child),
				  .parent_id = job_id(job),
				  .name = xstrdup(child_name(child, name)),
				  .state = xstrdup(job_state_name(child_state(child))),
				  .has_more_data = child_has_more_data(child),
				  .location = xstrdup(child_location(child)),
				  .command = xstrdup(job_command(job)),
				  .begin_ns = child_begin_ns(child),
				  .end_ns = child_end_ns(child),
				  .exit_code = -1,
				  .instance_id = xstrdup(child_instance_id(child, uuid))};

	if (child_outcome(child, &o)) {
		row.cause = xstrdup(cause_name(o.cause));
		row.exit_code = o.exit_code;
		row.signal = o.signal[0] ? xstrdup(o.signal) : NULL;
		row.text = o.text[0] ? xstrdup(o.text) : NULL;
		row.exit_status = (uint64_t)outcome_exit_status(&o);
	} else if (child_is_waiting(child)) {
		row.progress =
			xasprintf("waiting for the host%s%s", *child_wait_text(child) ? ": " : "",
				  child_wait_text(child));
	} else if (child_link(child) && link_trouble(child_link(child))[0]) {
		row.text = xstrdup(link_trouble(child_link(child)));
	}
	reply_row(client, &row);
}

void reply_item(struct client *client, const struct select_item *item)
{
	if (item->child)
		reply_child(client, item->child);
	else
		reply_job(client, item->job);
}

void reply_child_state(struct client *client, const struct child *child)
{
	struct outcome o = {.exit_code = -1};
	struct child_state_msg m = {.child = child_id(child), .exit_code = -1};
	struct buf body = {0};

	m.state = xstrdup(job_state_name(child_state(child)));
	m.begin_ns = child_begin_ns(child);
	m.end_ns = child_end_ns(child);
	m.finished = child_outcome(child, &o);
	if (m.finished) {
		m.cause = xstrdup(cause_name(o.cause));
		m.exit_code = o.exit_code;
		m.signal = o.signal[0] ? xstrdup(o.signal) : NULL;
		m.text = o.text[0] ? xstrdup(o.text) : NULL;
		m.exit_status = (uint64_t)outcome_exit_status(&o);
	}
	child_state_put(&body, &m);
	client_send(client, MSG_CHILD_STATE, &body);
	child_state_done(&m);
}

void reply_child_starting(struct client *client, const struct child *child)
{
	struct child_state_msg m = {.child = child_id(child), .exit_code = -1, .starting = true};
	struct buf body = {0};

	m.state = xstrdup(job_state_name(child_state(child)));
	child_state_put(&body, &m);
	client_send(client, MSG_CHILD_STATE, &body);
	child_state_done(&m);
}

void reply_problem(struct client *client, uint64_t exit_status, const char *text)
{
	struct problem_msg m = {.exit_status = exit_status, .text = xstrdup(text)};
	struct buf body = {0};

	problem_put(&body, &m);
	client_send(client, MSG_PROBLEM, &body);
	problem_done(&m);
}

void reply_notes(struct client *client, const char *text)
{
	while (text && *text) {
		size_t n = strcspn(text, "\n");
		char *line = xstrndup(text, n);

		reply_problem(client, 0, line);
		free(line);
		text += n + (text[n] == '\n');
	}
}

void reply_warnings(struct client *client, const char *text)
{
	while (text && *text) {
		size_t n = strcspn(text, "\n");
		struct warning_msg m = {.text = xstrndup(text, n)};
		struct buf body = {0};

		warning_put(&body, &m);
		client_send(client, MSG_WARNING, &body);
		warning_done(&m);
		text += n + (text[n] == '\n');
	}
}
