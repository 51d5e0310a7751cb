#include "copy_pull.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "copy_pull_private.h"
#include "limits.h"
#include "message.h"

/* Names, beside the window of bytes, that a host may have under way. */
#define COPY_PULL_NAMES (4u << 20)

struct copy_pull {
	struct copy_pull_spec spec;
	struct pull_desk *desk;
	struct work_task *work; /* NULL: no thread is at it */
	uint64_t task;		/* 0: there is no connection */
	struct buf queue;	/* frames that wait for the thread */
	bool restart;
	bool ending;
	struct copy_tally tally;
};

static void pull_go_on(struct copy_pull *pull);

/* --- the thread comes back ------------------------------------------------------------------ */

static void pull_send(struct copy_pull *pull, struct buf *out)
{
	if (out->len && pull->task == pull->desk->task && pull->task)
		pull->spec.ops->send(pull->spec.arg, out);
	buf_clear(out);
}

static void pull_tell_words(struct copy_pull *pull, struct pull_word *words)
{
	for (const struct pull_word *word = words; word; word = word->next)
		pull->spec.ops->say(pull->spec.arg, word->is_error, word->name, word->text);
	pull_words_free(words);
}

static void pull_on_done(void *arg, bool cancelled)
{
	struct pull_desk *desk = arg;
	struct copy_pull *pull = desk->pull;
	struct pull_word *words = desk->words;
	bool settled;

	if (!pull || cancelled) {
		pull_desk_free(desk);
		return;
	}
	pull->work = NULL;
	desk->words = NULL;
	desk->last_word = &desk->words;
	pull->tally = copy_tally_sum(&desk->before, &desk->tally);
	settled = desk->end && !desk->rc;
	desk->end = false;
	pull_send(pull, &desk->out);
	pull_tell_words(pull, words);
	if (desk->rc && pull->task == desk->task)
		pull->spec.ops->failed(pull->spec.arg, desk->rc != ERR_SYS, desk->msg.text);
	else if (settled)
		pull->spec.ops->settled(pull->spec.arg);
	else
		pull_go_on(pull);
}

static void pull_go_on(struct copy_pull *pull)
{
	struct pull_desk *desk = pull->desk;
	struct buf empty;

	if (pull->work || !pull->task || (!pull->queue.len && !pull->ending))
		return;
	empty = desk->in;
	desk->in = pull->queue;
	pull->queue = empty;
	desk->restart = pull->restart;
	desk->end = pull->ending;
	desk->task = pull->task;
	pull->restart = pull->ending = false;
	pull->work = work_submit(pull->spec.pool, pull_desk_run, pull_on_done, desk);
}

/* --- what comes ----------------------------------------------------------------------------- */

/* As much as is kept for it, not more: also where the host does not care. */
static int pull_charge(struct copy_pull *pull, const struct frame *frame, struct errmsg *msg)
{
	if (pull->queue.len + frame->len > pull->spec.window + LIMIT_COPY_PIECE + COPY_PULL_NAMES)
		return err_set(msg, ERR_PROTO, "more of a copy than was allowed to come");
	return 0;
}

int copy_pull_on_frame(struct copy_pull *pull, const struct frame *frame, struct errmsg *msg)
{
	size_t begin;
	int rc;

	if (frame->type != MSG_COPY_ENTRY && frame->type != MSG_COPY_DATA)
		return err_set(msg, ERR_PROTO, "message %u of a copy from a host", frame->type);
	rc = pull_charge(pull, frame, msg);
	if (rc)
		return rc;
	begin = frame_begin(&pull->queue);
	buf_add(&pull->queue, frame->body, frame->len);
	rc = frame_end(&pull->queue, begin, frame->type, 0, 0);
	pull_go_on(pull);
	return rc;
}

void copy_pull_end(struct copy_pull *pull)
{
	pull->ending = true;
	pull_go_on(pull);
}

const struct copy_tally *copy_pull_tally(const struct copy_pull *pull)
{
	return &pull->tally;
}

/* --- its life ------------------------------------------------------------------------------- */

struct copy_pull *copy_pull_new(const struct copy_pull_spec *spec)
{
	struct copy_pull *pull = xcalloc(1, sizeof *pull);
	struct pull_desk *desk = xcalloc(1, sizeof *desk);

	pull->spec = *spec;
	pull->desk = desk;
	desk->pull = pull;
	desk->folder = xstrdup(spec->folder);
	desk->name = xstrdup(spec->name);
	desk->checksum = spec->checksum;
	desk->max_bytes = spec->max_bytes;
	desk->last_word = &desk->words;
	return pull;
}

void copy_pull_begin(struct copy_pull *pull, uint64_t task)
{
	pull->task = task;
	pull->restart = true;
	pull_go_on(pull);
}

void copy_pull_pause(struct copy_pull *pull)
{
	pull->task = 0;
	pull->ending = false;
	buf_clear(&pull->queue);
}

void copy_pull_free(struct copy_pull *pull)
{
	if (!pull)
		return;
	buf_done(&pull->queue);
	pull->desk->pull = NULL;
	/* A thread that is at it has the desk until it is done. */
	if (pull->work)
		work_cancel(pull->work);
	else
		pull_desk_free(pull->desk);
	free(pull);
}
