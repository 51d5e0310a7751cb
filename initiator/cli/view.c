#include "view.h"

#include <stdlib.h>
#include <unistd.h>

#include "alloc.h"
#include "control_msg.h"
#include "spill.h"

/* Of a child: its output and its error stream may each be in the middle of a long line. */
#define VIEW_STREAMS 2u

struct view {
	struct view_options options;
	struct out *out;
	struct board *board;
	const char *const *labels;
	size_t count;
	uint64_t job;
	uint64_t first_child;
	struct spill *spill;
	struct spill_line *lines; /* count * VIEW_STREAMS */
	struct buf text[2];	  /* for stdout and stderr, flushed after each message */
	struct errmsg *msg;	  /* of the call that is under way */

	/* A long line that is whole and is being written out piece by piece. */
	struct spill_line *replay;
	size_t replay_next;
	struct format_record replay_record;
	struct format_state replay_state;

	/* The rest of a message whose records wait behind that line. */
	struct buf rest;
	size_t skip;
	size_t seen;
};

struct view *view_new(const struct view_options *options, struct out *out, struct board *board,
		      const char *const *labels, size_t count)
{
	struct view *view = xcalloc(1, sizeof *view);

	view->options = *options;
	view->out = out;
	view->board = board;
	view->labels = labels;
	view->count = count;
	view->spill = spill_new();
	view->lines = xcalloc(count * VIEW_STREAMS, sizeof *view->lines);
	return view;
}

void view_free(struct view *view)
{
	if (!view)
		return;
	for (size_t i = 0; i < view->count * VIEW_STREAMS; i++)
		spill_drop(view->spill, &view->lines[i]);
	spill_free(view->spill);
	buf_done(&view->text[0]);
	buf_done(&view->text[1]);
	buf_done(&view->rest);
	free(view->lines);
	free(view);
}

void view_set_job(struct view *view, uint64_t job, uint64_t first_child)
{
	view->job = job;
	view->first_child = first_child;
}

static void view_flush(struct view *view)
{
	static const int fds[2] = {STDOUT_FILENO, STDERR_FILENO};

	if ((view->text[0].len && view->options.tty_out) ||
	    (view->text[1].len && view->options.tty_err))
		board_hide(view->board);
	for (size_t i = 0; i < 2; i++)
		out_add(view->out, fds[i], &view->text[i]);
}

static bool view_to_stderr(const struct view *view, const struct format_record *r)
{
	return view->options.split && r->is_error;
}

static struct buf *view_text(struct view *view, const struct format_record *r)
{
	return &view->text[view_to_stderr(view, r)];
}

static const struct render_style *view_style(const struct view *view, const struct format_record *r)
{
	return view_to_stderr(view, r) ? &view->options.err_style : &view->options.out_style;
}

static void view_whole(struct view *view, const struct format_record *r,
		       const struct record *record)
{
	const struct format *f = view->options.format;
	const struct render_style *style = view_style(view, r);
	struct buf *text = view_text(view, r);
	struct format_state state;

	f->begin(text, style, &state, r);
	f->piece(text, style, &state, r, record->value, record->len);
	f->end(text, style, &state, r);
}

/* Writes out as much of a long line as there is room for. */
static int view_replay(struct view *view)
{
	const struct format *f = view->options.format;
	const struct format_record *r = &view->replay_record;
	const struct render_style *style = view_style(view, r);
	struct buf piece = {0};
	int rc = 0;

	if (view->replay_next == 0)
		f->begin(view_text(view, r), style, &view->replay_state, r);
	while (rc == 0 && view->replay_next < view->replay->count && !out_is_full(view->out)) {
		rc = spill_read(view->spill, view->replay, view->replay_next++, &piece, view->msg);
		if (rc == 0)
			f->piece(view_text(view, r), style, &view->replay_state, r, piece.data,
				 piece.len);
		view_flush(view);
	}
	buf_done(&piece);
	if (rc || view->replay_next < view->replay->count)
		return rc;
	f->end(view_text(view, r), style, &view->replay_state, r);
	view_flush(view);
	spill_drop(view->spill, view->replay);
	view->replay = NULL;
	return 0;
}

static int view_long(struct view *view, struct spill_line *line, struct format_record *r,
		     const struct record *record)
{
	int rc = spill_add(view->spill, line, record->value, record->len, record->is_text,
			   view->msg);

	if (rc || (record->flags & RECORD_CONTINUES))
		return rc;
	r->is_text = line->is_text;
	view->replay = line;
	view->replay_next = 0;
	view->replay_record = *r;
	view_flush(view);
	return view_replay(view);
}

static int view_record(void *arg, uint64_t child, uint64_t seq, const struct record *record)
{
	struct view *view = arg;
	size_t index = (size_t)(child - view->first_child);
	bool is_error = record->stream == STREAM_ERROR;
	struct format_record r = {.job = view->job,
				  .child = child,
				  .stream = record_stream_name(record->stream),
				  .is_error = is_error,
				  .seq = seq,
				  .time_ns = record->time_ns,
				  .is_text = record->is_text,
				  .no_eol = (record->flags & RECORD_NO_EOL) != 0};
	struct spill_line *line;

	if (view->seen++ < view->skip)
		return 0;
	if (view->replay) {
		/* The rest waits: see view_records. */
		view->seen--;
		return 1;
	}
	if (child < view->first_child || index >= view->count)
		return err_set(view->msg, ERR_PROTO, "records of an unknown child");
	r.host = view->labels[index];
	line = &view->lines[index * VIEW_STREAMS + is_error];
	if (line->count || (record->flags & RECORD_CONTINUES))
		return view_long(view, line, &r, record);
	view_whole(view, &r, record);
	return 0;
}

/* Takes records from a body, from the skip-th on. What waits behind a long line is kept. */
static int view_take(struct view *view, const void *body, size_t len, struct errmsg *msg)
{
	int rc;

	view->msg = msg;
	view->seen = 0;
	rc = records_get(body, len, view_record, view, msg);
	view_flush(view);
	if (rc <= 0) {
		buf_clear(&view->rest);
		return rc;
	}
	if (body != view->rest.data) {
		buf_clear(&view->rest);
		buf_add(&view->rest, body, len);
	}
	view->skip = view->seen;
	return 0;
}

int view_records(struct view *view, const void *body, size_t len, struct errmsg *msg)
{
	view->skip = 0;
	return view_take(view, body, len, msg);
}

bool view_is_busy(const struct view *view)
{
	return view->replay || view->rest.len;
}

int view_go_on(struct view *view, struct errmsg *msg)
{
	int rc = 0;

	view->msg = msg;
	while (rc == 0 && view_is_busy(view) && !out_is_full(view->out)) {
		if (view->replay)
			rc = view_replay(view);
		else
			rc = view_take(view, view->rest.data, view->rest.len, msg);
	}
	return rc;
}
