/* What outlives the daemon of the copy of one child, and how the next daemon takes it up. */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "content.h"
#include "copy_msg.h"
#include "keep_copy.h"
#include "link_copy_private.h"
#include "sink.h"

/* How much is done is kept so often; where many hosts do, less often: a row in the time of one. */
#define LINK_COPY_KEEP_MS      1000u
#define LINK_COPY_RECONNECT_MS (30u * 60u * 1000u)

struct copy_tally link_copy_tally(const struct link_copy *lc)
{
	const struct copy_tally none = {0};
	const struct copy_tally *now = lc->push	  ? copy_push_tally(lc->push)
				       : lc->pull ? copy_pull_tally(lc->pull)
						  : &none;

	return copy_tally_sum(&lc->before, now);
}

/* --- keeping -------------------------------------------------------------------------------- */

static struct store *link_copy_store(const struct link_copy *lc)
{
	return lc->link->discard ? NULL : run_store(lc->link->run);
}

static uint64_t link_copy_next_seq(const struct link_copy *lc)
{
	return results_last_seq(lc->link->results) + 1;
}

static uint64_t link_copy_line(const char *text)
{
	struct content *content = content_new();
	uint8_t hash[CONTENT_SIZE];
	uint64_t line = 0;

	content_add(content, text, strlen(text));
	content_end(content, hash);
	content_free(content);
	for (size_t i = 0; i < CONTENT_SIZE; i++)
		line = line << 8 | hash[i];
	return line;
}

static void link_copy_line_add(struct link_copy *lc, uint64_t line)
{
	/* Grown by doubling: at 0, 1, 2, 4 ... lines. */
	if ((lc->line_count & (lc->line_count - 1)) == 0)
		lc->lines = xrealloc(lc->lines, lc->line_count ? lc->line_count * 2 : 1,
				     sizeof *lc->lines);
	lc->lines[lc->line_count++] = line;
}

bool link_copy_is_news(struct link_copy *lc, const char *text)
{
	struct store *store = link_copy_store(lc);
	struct keep_copy_said said = {.seq = link_copy_next_seq(lc), .line = link_copy_line(text)};

	for (size_t i = 0; i < lc->line_count; i++)
		if (lc->lines[i] == said.line)
			return false;
	link_copy_line_add(lc, said.line);
	if (store)
		keep_copy_said(store, lc->link->child, &said);
	return true;
}

void link_copy_keep_end(const struct link_copy *lc)
{
	if (link_copy_store(lc))
		keep_copy_end(link_copy_store(lc), lc->link->child, link_copy_next_seq(lc),
			      &lc->outcome);
}

void link_copy_keep(struct link_copy *lc)
{
	struct copy_tally tally;

	if (!run_store(lc->link->run) || !lc->began)
		return;
	tally = link_copy_tally(lc);
	lc->kept_ms = link_copy_clock_ms();
	if (tally.files == lc->kept.files && tally.moved == lc->kept.moved)
		return;
	lc->kept = tally;
	lc->is_kept = true;
	keep_copy_tally(run_store(lc->link->run), child_id(lc->link->child), &tally);
}

void link_copy_keep_often(struct link_copy *lc)
{
	uint64_t often = job_counts(child_job(lc->link->child))->started;

	if (often < LINK_COPY_KEEP_MS)
		often = LINK_COPY_KEEP_MS;
	if (link_copy_clock_ms() >= lc->kept_ms + often)
		link_copy_keep(lc);
}

void link_copy_forget(struct link_copy *lc)
{
	if (lc->is_kept && run_store(lc->link->run))
		keep_copy_tally(run_store(lc->link->run), child_id(lc->link->child), NULL);
	lc->is_kept = false;
}

/* --- the destination -------------------------------------------------------------------------- */

uint64_t link_copy_place(const struct link_copy *lc)
{
	const struct job_open_msg *open = run_open(lc->link->run);

	if (!lc->push || open->copy_from_count > 1 || !(open->copy_flags & JOB_COPY_RECURSE))
		return COPY_PLACE_ANY;
	return !lc->placed ? COPY_PLACE_TELL : lc->is_name ? COPY_PLACE_NAME : COPY_PLACE_ANY;
}

static void link_copy_on_placed(void *arg, bool durable)
{
	struct link_copy *lc = arg;

	(void)durable;
	copy_push_begin(lc->push, lc->number);
}

int link_copy_on_place(struct link_copy *lc, const struct frame *frame, struct errmsg *msg)
{
	struct daemon *daemon = run_daemon(lc->link->run);
	struct store *store = run_store(lc->link->run);
	struct copy_answer_msg m;
	int rc;

	if (frame->type != MSG_COPY_ANSWER)
		return err_set(msg, ERR_PROTO, "message %u before the destination", frame->type);
	rc = copy_answer_get(&m, frame->body, frame->len, msg);
	if (rc)
		return rc;
	if (m.index)
		rc = err_set(msg, ERR_PROTO, "COPY_ANSWER for a file that was not told of");
	lc->placed = rc == 0;
	lc->is_name = m.verdict == SINK_WRITTEN;
	copy_answer_done(&m);
	if (rc)
		return rc;
	lc->placing.fn = link_copy_on_placed;
	lc->placing.arg = lc;
	if (store)
		keep_copy_place(store, lc->link->child, lc->is_name);
	if (!store || !results_wait(&daemon->budget.waits, store, &lc->placing))
		link_copy_on_placed(lc, false);
	return 0;
}

void link_copy_place_leave(struct link_copy *lc)
{
	results_unwait(&run_daemon(lc->link->run)->budget.waits, &lc->placing);
}

/* --- going on with what the last daemon has left ------------------------------------------------
 */

uint64_t link_copy_patience_ms(const struct link_copy *lc)
{
	const struct job_open_msg *open = run_open(lc->link->run);
	const struct daemon *daemon = run_daemon(lc->link->run);

	return open->reconnect_timeout_ms	      ? open->reconnect_timeout_ms
	       : daemon->options.reconnect_timeout_ms ? daemon->options.reconnect_timeout_ms
						      : LINK_COPY_RECONNECT_MS;
}

/* A note whose record did not come into the store is of nothing. */
static void link_copy_take_said(struct link_copy *lc, const struct keep_copy_past *past)
{
	uint64_t last = results_last_seq(lc->link->results);

	for (size_t i = 0; i < past->said_count; i++)
		if (past->said[i].seq <= last)
			link_copy_line_add(lc, past->said[i].line);
	if (!past->end_seq || past->end_seq > last)
		return;
	lc->ended = true;
	lc->began = true;
	lc->outcome = past->end;
}

static void link_copy_take_time(struct link_copy *lc)
{
	const struct job_open_msg *open = run_open(lc->link->run);
	uint64_t now = clock_wall_ns(), begin = child_begin_ns(lc->link->child);
	uint64_t gone = now > begin ? (now - begin) / 1000000u : 0;

	lc->begin_ms = link_copy_clock_ms() - gone;
	lc->told_ms = link_copy_clock_ms();
	if (open->run_timeout_ms) {
		struct timeval tv =
			loop_ms(open->run_timeout_ms > gone ? open->run_timeout_ms - gone : 0);

		(void)event_add(lc->until, &tv);
	}
}

void link_copy_take_past(struct link_copy *lc)
{
	const struct link_past *past = lc->link->past;

	if (!past)
		return;
	link_copy_take_said(lc, &past->copy);
	lc->placed = past->copy.placed;
	lc->is_name = past->copy.is_name;
	if (!past->begun || lc->ended)
		return;
	lc->began = true;
	lc->before = past->copy.tally;
	lc->kept = lc->before;
	lc->is_kept = lc->before.files || lc->before.moved;
	link_copy_take_time(lc);
	lc->away_until_ms = link_copy_clock_ms() + link_copy_patience_ms(lc);
	(void)snprintf(lc->outcome.text, sizeof lc->outcome.text, "the daemon ended while it ran");
	/* It is not known of the host's process, which has gone, but of the job. */
	lc->link->live->suspend_asked = job_is_held(child_job(lc->link->child));
}
