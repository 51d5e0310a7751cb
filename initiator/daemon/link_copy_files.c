/* The files of a copy, and what is told of them. */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "copy_msg.h"
#include "copy_tell.h"
#include "escape.h"
#include "link_copy_private.h"

/* Bytes on the way to, or from, all hosts, and one. */
#define LINK_COPY_BYTES	     (64u << 20)
#define LINK_COPY_WINDOW     (2u << 20)
#define LINK_COPY_WINDOW_LOW (128u << 10)

static uint64_t link_copy_window(const struct link *link)
{
	const struct job_counts *counts = job_counts(child_job(link->child));
	uint64_t window = LINK_COPY_BYTES / (counts->started ? counts->started : 1);

	if (window > LINK_COPY_WINDOW)
		return LINK_COPY_WINDOW;
	return window < LINK_COPY_WINDOW_LOW ? LINK_COPY_WINDOW_LOW : window;
}

/* --- what is told --------------------------------------------------------------------------- */

static void link_copy_say(void *arg, bool is_error, const char *name, const char *text)
{
	struct link_copy *lc = arg;
	char *line;

	if (lc->line_count >= LIMIT_COPY_TROUBLES)
		return;
	line = lc->line_count == LIMIT_COPY_TROUBLES - 1
		       ? xstrdup("and others, of which only the number is told")
		       : copy_tell_line(is_error, name, text);
	/* Of a copy that begins again, as after a lost link, some was said before. */
	if (link_copy_is_news(lc, line))
		copy_tell_text(lc->link, is_error ? STREAM_ERROR : STREAM_WARNING, line);
	lc->news = true;
	free(line);
}

void link_copy_progress(struct link_copy *lc)
{
	const struct job_open_msg *open = run_open(lc->link->run);
	const struct copy_tally tally = link_copy_tally(lc);
	uint64_t now = link_copy_clock_ms();

	/* Who has asked for what passes through knows more of it. */
	if (lc->pass ||
	    now < lc->told_ms + (open->background ? COPY_TELL_BACKGROUND_MS : COPY_TELL_MS))
		return;
	lc->told_ms = now;
	copy_tell_progress(lc->link, &tally, *run_copy(lc->link->run));
}

void link_copy_settle(struct link_copy *lc)
{
	const struct copy_tally tally = link_copy_tally(lc);
	double seconds = (double)(link_copy_clock_ms() - lc->begin_ms) / 1000;

	copy_tell_outcome(&lc->outcome, &tally);
	link_copy_keep_end(lc);
	copy_tell_row(lc->link, &tally, seconds);
}

void link_copy_refused(struct link_copy *lc, const char *text)
{
	lc->outcome = (struct outcome){.cause = CAUSE_EXITED, .exit_code = 1};
	(void)escape_str(lc->outcome.text, sizeof lc->outcome.text, text);
	link_copy_keep_end(lc);
	copy_tell_text(lc->link, STREAM_ERROR, lc->outcome.text);
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

char *link_copy_folder(const struct link *link)
{
	char *name = xstrdup(child_location(link->child));

	/* Names of hosts have neither, as far as anybody knows. */
	for (char *c = name; *c; c++)
		if (*c == '/' || (*c == '.' && c == name))
			*c = '_';
	return name;
}

static void link_copy_new_pull(struct link_copy *lc)
{
	static const struct copy_pull_ops ops = {.send = link_copy_send,
						 .say = link_copy_say,
						 .settled = link_copy_on_settled,
						 .failed = link_copy_on_failed};
	const struct job_open_msg *open = run_open(lc->link->run);
	char *name = link_copy_folder(lc->link);
	struct copy_pull_spec spec = {.folder = open->copy_to,
				      .name = name,
				      .pool = link_copy_pool(lc->link),
				      .window = link_copy_window(lc->link),
				      .max_bytes = open->output_limit,
				      .checksum = open->copy_flags & JOB_COPY_CHECKSUM,
				      .ops = &ops,
				      .arg = lc};

	lc->pull = copy_pull_new(&spec);
	free(name);
}

void link_copy_files_new(struct link_copy *lc)
{
	static const struct copy_push_ops ops = {.send = link_copy_send, .say = link_copy_say};
	const struct job_open_msg *open = run_open(lc->link->run);

	if (link_copy_is_pull(lc) && open->hops) {
		lc->pass = copy_pass_new(lc->link, link_copy_window(lc->link), link_copy_send, lc);
		return;
	}
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
	link_copy_place_leave(lc);
	copy_push_free(lc->push);
	copy_pull_free(lc->pull);
	copy_pass_free(lc->pass);
}

void link_copy_ask(struct link_copy *lc)
{
	const struct job_open_msg *open = run_open(lc->link->run);
	struct copy_open_msg m = {.task = lc->number,
				  .pull = !lc->push,
				  .recurse = open->copy_flags & JOB_COPY_RECURSE,
				  .checksum = open->copy_flags & JOB_COPY_CHECKSUM,
				  .several = lc->push && open->copy_from_count > 1};
	struct buf body = {0};

	if (!lc->push) {
		m.from = open->copy_from;
		m.from_count = open->copy_from_count;
		m.window = lc->pass ? copy_pass_window(lc->pass) : link_copy_window(lc->link);
	} else {
		m.to = open->copy_to;
		m.place = link_copy_place(lc);
		m.several = m.several || (lc->placed && !lc->is_name);
	}
	copy_open_put(&body, &m);
	remote_task_send(lc->task, MSG_COPY_OPEN, &body);
}

void link_copy_files_begin(struct link_copy *lc)
{
	if (link_copy_place(lc) == COPY_PLACE_TELL)
		return; /* when it is known */
	if (lc->push)
		copy_push_begin(lc->push, lc->number);
	else if (lc->pass)
		copy_pass_begin(lc->pass, lc->number);
	else
		copy_pull_begin(lc->pull, lc->number);
}

void link_copy_files_pause(struct link_copy *lc)
{
	link_copy_place_leave(lc);
	if (lc->push)
		copy_push_pause(lc->push);
	else if (lc->pass)
		copy_pass_pause(lc->pass);
	else
		copy_pull_pause(lc->pull);
}

int link_copy_on_files(struct link_copy *lc, const struct frame *frame, struct errmsg *msg)
{
	if (link_copy_place(lc) == COPY_PLACE_TELL)
		return link_copy_on_place(lc, frame, msg);
	if (lc->pass)
		return copy_pass_on_frame(lc->pass, frame, msg);
	return lc->push ? copy_push_on_frame(lc->push, frame, msg)
			: copy_pull_on_frame(lc->pull, frame, msg);
}
