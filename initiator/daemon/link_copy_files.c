/* The files of a copy, and what is told of them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "copy_msg.h"
#include "escape.h"
#include "keep.h"
#include "link_copy_private.h"
#include "schemas.h"
#include "value.h"
#include "wire.h"

/* Bytes on the way to, or from, all hosts, and one. */
#define LINK_COPY_BYTES	     (64u << 20)
#define LINK_COPY_WINDOW     (2u << 20)
#define LINK_COPY_WINDOW_LOW (128u << 10)
#define LINK_COPY_TELL_MS    1000u
/* Of a job that nobody looks at its progress is kept. */
#define LINK_COPY_TELL_BACKGROUND_MS 60000u

static uint64_t link_copy_window(const struct link *link)
{
	const struct job_counts *counts = job_counts(child_job(link->child));
	uint64_t window = LINK_COPY_BYTES / (counts->started ? counts->started : 1);

	if (window > LINK_COPY_WINDOW)
		return LINK_COPY_WINDOW;
	return window < LINK_COPY_WINDOW_LOW ? LINK_COPY_WINDOW_LOW : window;
}

/* --- what is told --------------------------------------------------------------------------- */

static void link_copy_record(struct link *link, enum record_stream stream, const char *text)
{
	struct record record = {.stream = stream,
				.time_ns = clock_wall_ns(),
				.value = (const uint8_t *)text,
				.len = strlen(text)};

	if (record.len > LIMIT_RECORD_VALUE)
		record.len = LIMIT_RECORD_VALUE;
	link_on_record(link, &record);
}

static void link_copy_say(void *arg, bool is_error, const char *name, const char *text)
{
	struct link_copy *lc = arg;
	struct buf line = {0};

	if (lc->said++ >= LIMIT_COPY_TROUBLES)
		return;
	if (lc->said == LIMIT_COPY_TROUBLES)
		buf_add_str(&line, "and others, of which only the number is told");
	else {
		escape_display(&line, name, strlen(name));
		buf_add_str(&line, is_error ? ": " : ": not copied: ");
		escape_display(&line, text, strlen(text));
	}
	link_copy_record(lc->link, is_error ? STREAM_ERROR : STREAM_WARNING, buf_cstr(&line));
	buf_done(&line);
}

const struct copy_tally *link_copy_tally(const struct link_copy *lc)
{
	return lc->push ? copy_push_tally(lc->push) : copy_pull_tally(lc->pull);
}

static void link_copy_size_text(struct buf *out, uint64_t bytes)
{
	static const char *const units[] = {"B", "KB", "MB", "GB", "TB"};
	size_t unit = 0;
	double n = (double)bytes;

	for (; n >= 1000 && unit < ARRAY_LEN(units) - 1; unit++)
		n /= 1000;
	buf_addf(out, unit && n < 10 ? "%.1f %s" : "%.0f %s", n, units[unit]);
}

void link_copy_progress(struct link_copy *lc)
{
	const struct job_open_msg *open = run_open(lc->link->run);
	const struct copy_tally *tally = link_copy_tally(lc);
	const struct copy_plan *plan = *run_copy(lc->link->run);
	uint64_t now = link_copy_clock_ms();
	struct buf text = {0};

	if (now <
	    lc->told_ms + (open->background ? LINK_COPY_TELL_BACKGROUND_MS : LINK_COPY_TELL_MS))
		return;
	lc->told_ms = now;
	link_copy_size_text(&text, tally->moved);
	if (plan) {
		buf_add_str(&text, " of ");
		link_copy_size_text(&text, copy_plan_bytes(plan));
	}
	buf_addf(&text, ", %" PRIu64, tally->files + tally->same + tally->failed);
	if (plan)
		buf_addf(&text, " of %zu", copy_plan_files(plan));
	buf_add_str(&text, " files");
	link_copy_record(lc->link, STREAM_PROGRESS, buf_cstr(&text));
	buf_done(&text);
	link_on_burst_end(lc->link);
}

static uint64_t link_copy_schema(struct link *link)
{
	static const char *const columns[] = {"files", "bytes", "skipped", "failed", "seconds"};
	struct task_schema_msg m = {.schema = 1,
				    .name = (char *)(uintptr_t) "copy", /* only read, as below */
				    .columns = (char **)(uintptr_t)columns,
				    .column_count = ARRAY_LEN(columns)};
	uint64_t id = schemas_intern(run_schemas(link->run), m.name, m.columns, m.column_count);

	if (run_store(link->run))
		keep_schema(run_store(link->run), child_job(link->child), link->child, id, &m, 0);
	return id;
}

void link_copy_settle(struct link_copy *lc)
{
	const struct copy_tally tally = *link_copy_tally(lc);
	double seconds = (double)(link_copy_clock_ms() - lc->begin_ms) / 1000;
	struct record record = {.stream = STREAM_OUTPUT, .time_ns = clock_wall_ns()};
	struct buf row = {0};

	wire_put_array(&row, 5);
	wire_put_u64(&row, tally.files);
	wire_put_u64(&row, tally.bytes);
	wire_put_u64(&row, tally.same);
	wire_put_u64(&row, tally.failed);
	value_put_float(&row, seconds);
	record.value = row.data;
	record.len = row.len;
	record.is_typed = true;
	record.nodes = 6;
	record.schema = link_copy_schema(lc->link);
	link_on_record(lc->link, &record);
	buf_done(&row);
	lc->outcome = (struct outcome){.cause = CAUSE_EXITED, .exit_code = tally.failed ? 1 : 0};
	if (tally.failed)
		(void)snprintf(lc->outcome.text, sizeof lc->outcome.text,
			       "%" PRIu64 " file%s not copied", tally.failed,
			       tally.failed == 1 ? "" : "s");
}

void link_copy_refused(struct link_copy *lc, const char *text)
{
	lc->outcome = (struct outcome){.cause = CAUSE_EXITED, .exit_code = 1};
	(void)escape_str(lc->outcome.text, sizeof lc->outcome.text, text);
	link_copy_record(lc->link, STREAM_ERROR, lc->outcome.text);
}

/* --- the files ------------------------------------------------------------------------------ */

static void link_copy_send(void *arg, struct buf *frame)
{
	struct link_copy *lc = arg;

	if (lc->task)
		remote_task_send_frame(lc->task, frame);
	else
		buf_done(frame);
}

static void link_copy_on_settled(void *arg)
{
	struct link_copy *lc = arg;

	link_copy_settle(lc);
	link_copy_step(lc, LINK_COPY_EV_END);
}

static void link_copy_on_failed(void *arg, bool is_host, const char *text)
{
	char safe[LIMIT_OUTCOME_TEXT];

	(void)escape_str(safe, sizeof safe, text);
	if (is_host) {
		link_copy_fault(arg, LINK_COPY_EV_BREAK, CAUSE_AGENT_LOST, safe);
		return;
	}
	link_copy_refused(arg, text);
	link_copy_step(arg, LINK_COPY_EV_BREAK);
}

static void link_copy_new_pull(struct link_copy *lc)
{
	static const struct copy_pull_ops ops = {.send = link_copy_send,
						 .say = link_copy_say,
						 .settled = link_copy_on_settled,
						 .failed = link_copy_on_failed};
	const struct job_open_msg *open = run_open(lc->link->run);
	char *name = xstrdup(child_location(lc->link->child));
	struct copy_pull_spec spec = {.folder = open->copy_to,
				      .name = name,
				      .pool = link_copy_pool(lc->link),
				      .window = link_copy_window(lc->link),
				      .max_bytes = open->output_limit,
				      .checksum = open->copy_flags & JOB_COPY_CHECKSUM,
				      .ops = &ops,
				      .arg = lc};

	/* Names of hosts have neither, as far as anybody knows. */
	for (char *c = name; *c; c++)
		if (*c == '/' || (*c == '.' && c == name))
			*c = '_';
	lc->pull = copy_pull_new(&spec);
	free(name);
}

void link_copy_files_new(struct link_copy *lc)
{
	static const struct copy_push_ops ops = {.send = link_copy_send, .say = link_copy_say};
	const struct job_open_msg *open = run_open(lc->link->run);

	if (link_copy_is_pull(lc)) {
		link_copy_new_pull(lc);
		return;
	}
	lc->push = copy_push_new(
		&(struct copy_push_spec){.plan = *run_copy(lc->link->run),
					 .pool = link_copy_pool(lc->link),
					 .window = link_copy_window(lc->link),
					 .checksum = open->copy_flags & JOB_COPY_CHECKSUM,
					 .ops = &ops,
					 .arg = lc});
}

void link_copy_files_free(struct link_copy *lc)
{
	copy_push_free(lc->push);
	copy_pull_free(lc->pull);
}

void link_copy_ask(struct link_copy *lc)
{
	const struct job_open_msg *open = run_open(lc->link->run);
	struct copy_open_msg m = {.task = lc->number,
				  .pull = lc->pull != NULL,
				  .recurse = open->copy_flags & JOB_COPY_RECURSE,
				  .checksum = open->copy_flags & JOB_COPY_CHECKSUM,
				  .several = lc->push && open->copy_from_count > 1};
	struct buf body = {0};

	if (lc->pull) {
		m.from = open->copy_from;
		m.from_count = open->copy_from_count;
		m.window = link_copy_window(lc->link);
	} else {
		m.to = open->copy_to;
	}
	copy_open_put(&body, &m);
	remote_task_send(lc->task, MSG_COPY_OPEN, &body);
}

void link_copy_files_begin(struct link_copy *lc)
{
	if (lc->push)
		copy_push_begin(lc->push, lc->number);
	else
		copy_pull_begin(lc->pull, lc->number);
}

void link_copy_files_pause(struct link_copy *lc)
{
	if (lc->push)
		copy_push_pause(lc->push);
	else
		copy_pull_pause(lc->pull);
}

int link_copy_on_files(struct link_copy *lc, const struct frame *frame, struct errmsg *msg)
{
	return lc->push ? copy_push_on_frame(lc->push, frame, msg)
			: copy_pull_on_frame(lc->pull, frame, msg);
}
