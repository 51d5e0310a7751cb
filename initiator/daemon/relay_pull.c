#include "relay_pull.h"

#include <stdlib.h>

#include "alloc.h"
#include "copy_pass.h"
#include "copy_pull.h"
#include "copy_tell.h"
#include "escape.h"
#include "relay_private.h"
#include "relays.h"

/* No host has more on its way, whatever its gateway says. */
#define PULL_WINDOW_MAX (2u << 20)

struct relay_pull {
	struct relay_member *m;
	struct copy_pull *pull; /* one of the two */
	struct copy_pass *pass;
	uint64_t number; /* of its copy on the gateway; 0: there is none now */
	uint64_t begin_ms;
	uint64_t told_ms;
	uint64_t said;
	bool ending;
	bool failed;
	struct outcome outcome; /* failed: in place of what the gateway will say */
};

static struct link *pull_link(const struct relay_pull *p)
{
	return p->m->link;
}

void relay_pull_free(struct relay_pull *p)
{
	if (!p)
		return;
	copy_pull_free(p->pull);
	copy_pass_free(p->pass);
	free(p);
}

void relay_pull_judge(const struct relay_pull *p, struct outcome *outcome)
{
	bool began = outcome->began;

	if (!p || !p->failed)
		return;
	*outcome = p->outcome;
	outcome->began = began;
}

/* --- what the copy tells -------------------------------------------------------------------- */

static void pull_on_send(void *arg, struct buf *frames)
{
	struct relay_pull *p = arg;

	if (p->m->relay)
		relay_send_frames(p->m->relay, frames);
	else
		buf_done(frames);
}

static void pull_on_say(void *arg, bool is_error, const char *name, const char *text)
{
	struct relay_pull *p = arg;
	char *line;

	if (p->said++ >= LIMIT_COPY_TROUBLES)
		return;
	line = p->said == LIMIT_COPY_TROUBLES
		       ? xstrdup("and others, of which only the number is told")
		       : copy_tell_line(is_error, name, text);
	copy_tell_text(pull_link(p), is_error ? STREAM_ERROR : STREAM_WARNING, line);
	free(line);
	link_on_burst_end(pull_link(p));
}

static void pull_on_settled(void *arg)
{
	struct relay_pull *p = arg;
	const struct copy_tally tally = *copy_pull_tally(p->pull);
	struct outcome outcome;

	copy_tell_outcome(&outcome, &tally);
	outcome.began = true;
	copy_tell_row(pull_link(p), &tally, (double)(relay_now_ms() - p->begin_ms) / 1000);
	link_relay_end(p->m, &outcome);
}

/* The gateway goes on until it hears of it. */
static void pull_fail(struct relay_pull *p, enum cause cause, int exit_code, const char *text)
{
	struct relay_member *m = p->m;
	struct outcome outcome;

	if (p->failed)
		return;
	p->failed = true;
	p->outcome = (struct outcome){.cause = cause, .exit_code = exit_code};
	(void)escape_str(p->outcome.text, sizeof p->outcome.text, text);
	if (cause == CAUSE_EXITED)
		copy_tell_text(pull_link(p), STREAM_ERROR, p->outcome.text);
	if (p->ending) {
		outcome = p->outcome;
		link_relay_end(m, &outcome);
	} else {
		relays_stop(m);
	}
}

static void pull_on_failed(void *arg, bool is_host, const char *text)
{
	if (is_host)
		pull_fail(arg, CAUSE_AGENT_LOST, -1, text);
	else
		pull_fail(arg, CAUSE_EXITED, 1, text);
}

static void pull_progress(struct relay_pull *p)
{
	const struct job_open_msg *open = run_open(pull_link(p)->run);
	uint64_t now = relay_now_ms();

	if (now < p->told_ms + (open->background ? COPY_TELL_BACKGROUND_MS : COPY_TELL_MS))
		return;
	p->told_ms = now;
	copy_tell_progress(pull_link(p), copy_pull_tally(p->pull), NULL);
}

/* --- what the gateway says ------------------------------------------------------------------ */

static void pull_new_folder(struct relay_pull *p, uint64_t window)
{
	static const struct copy_pull_ops ops = {.send = pull_on_send,
						 .say = pull_on_say,
						 .settled = pull_on_settled,
						 .failed = pull_on_failed};
	const struct job_open_msg *open = run_open(pull_link(p)->run);
	char *name = link_copy_folder(pull_link(p));

	p->pull = copy_pull_new(
		&(struct copy_pull_spec){.folder = open->copy_to,
					 .name = name,
					 .pool = daemon_copies(run_daemon(pull_link(p)->run)),
					 .window = window,
					 .max_bytes = open->output_limit,
					 .checksum = open->copy_flags & JOB_COPY_CHECKSUM,
					 .ops = &ops,
					 .arg = p});
	free(name);
}

void relay_pull_open(struct relay_member *m, uint64_t number, uint64_t window)
{
	struct relay_pull *p = m->pull;

	if (window > PULL_WINDOW_MAX)
		window = PULL_WINDOW_MAX;
	if (!p) {
		p = m->pull = xcalloc(1, sizeof *p);
		p->m = m;
		p->begin_ms = p->told_ms = relay_now_ms();
		if (run_open(m->link->run)->hops)
			p->pass = copy_pass_new(m->link, window, pull_on_send, p);
		else
			pull_new_folder(p, window);
	}
	relay_pull_pause(p);
	p->number = number;
	if (p->failed)
		return;
	if (p->pass)
		copy_pass_begin(p->pass, number);
	else
		copy_pull_begin(p->pull, number);
}

void relay_pull_on_frame(struct relay_member *m, uint64_t number, const struct frame *frame)
{
	struct relay_pull *p = m->pull;
	struct errmsg msg;
	int rc;

	if (!p || p->number != number || p->failed)
		return;
	rc = p->pass ? copy_pass_on_frame(p->pass, frame, &msg)
		     : copy_pull_on_frame(p->pull, frame, &msg);
	if (rc)
		pull_fail(p, CAUSE_AGENT_LOST, -1, msg.text);
	else if (p->pull)
		pull_progress(p);
}

void relay_pull_pause(struct relay_pull *p)
{
	if (!p)
		return;
	p->number = 0;
	if (p->pass)
		copy_pass_pause(p->pass);
	else
		copy_pull_pause(p->pull);
}

bool relay_pull_end(struct relay_member *m, struct outcome *outcome)
{
	const struct job_open_msg *open = run_open(m->link->run);
	struct relay_pull *p = m->pull;

	if (open->builtin != JOB_COPY || !(open->copy_flags & JOB_COPY_PULL) || open->hops ||
	    outcome->cause != CAUSE_EXITED || outcome->exit_code != 0 || (p && p->failed))
		return false;
	if (!p || !p->number) {
		*outcome = (struct outcome){.cause = CAUSE_GATEWAY,
					    .exit_code = -1,
					    .began = true,
					    .text = "it has sent no files, and says that it has"};
		return false;
	}
	relay_remove(m->relay, m);
	p->ending = true;
	copy_pull_end(p->pull);
	return true;
}
