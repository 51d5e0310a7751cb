#include "view.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "columns.h"
#include "control_msg.h"
#include "spill.h"
#include "value_text.h"

/* After so many records no reader is one who wants only the first few. */
#define VIEW_ONE_BY_ONE 1000u
/* So much of what is gathered is written at once. */
#define VIEW_GATHER (256u << 10)

struct view_source {
	uint64_t child;
	uint64_t job;
	char *label;
	struct spill_line lines[STREAM_COUNT]; /* each may be in the middle of a long one */
};

struct view {
	struct view_options options;
	struct out *out;
	struct board *board;
	struct view_source **sources; /* by child; their addresses stay */
	size_t count;
	size_t size;
	struct spill *spill;
	struct columns *columns;
	struct buf text[2];	       /* for stdout and stderr, flushed after each message */
	struct format_state states[2]; /* of the two outputs */
	struct errmsg *msg;	       /* of the call that is under way */
	size_t singles;		       /* records that were written alone */

	/* A long line that is whole and is being written out piece by piece. */
	struct spill_line *replay;
	bool replay_begun;
	size_t replay_next;
	struct format_record replay_record;

	/* The rest of a message whose records wait behind that line. */
	struct buf rest;
	size_t skip;
	size_t seen;
	uint64_t last_child; /* of the records that were taken and not yet marked */
	uint64_t last_seq;   /* 0: none */
};

/* What a format for people shows but when it is asked for. Programs get everything. */
static uint64_t view_hidden(const struct view_look *look)
{
	bool people = look->format == &format_text || look->format == &format_auto ||
		      look->format == &format_table || look->format == &format_list;
	uint64_t hidden = 1u << STREAM_PROGRESS;

	if (!people || look->streams_chosen)
		return 0;
	if (!look->verbose)
		hidden |= 1u << STREAM_VERBOSE;
	if (!look->debug)
		hidden |= 1u << STREAM_DEBUG;
	return hidden;
}

void view_options_init(struct view_options *ret, const struct view_look *look)
{
	bool tty_out = isatty(STDOUT_FILENO) == 1, tty_err = isatty(STDERR_FILENO) == 1;

	*ret = (struct view_options){
		.format = look->format,
		.out_style = {.colour = look->colour_out,
			      .escape = tty_out,
			      .labels = look->labels},
		.err_style = {.colour = look->colour_err,
			      .escape = tty_err,
			      .labels = look->labels},
		.split = look->format == &format_text || look->format == &format_auto,
		.hidden = view_hidden(look),
		.tty_out = tty_out,
		.tty_err = tty_err,
	};
}

struct view *view_new(const struct view_options *options, struct out *out, struct board *board)
{
	struct view *view = xcalloc(1, sizeof *view);

	view->options = *options;
	view->out = out;
	view->board = board;
	view->spill = spill_new();
	view->columns = columns_new();
	return view;
}

void view_free(struct view *view)
{
	if (!view)
		return;
	for (size_t i = 0; i < view->count; i++) {
		for (size_t k = 0; k < STREAM_COUNT; k++)
			spill_drop(view->spill, &view->sources[i]->lines[k]);
		free(view->sources[i]->label);
		free(view->sources[i]);
	}
	spill_free(view->spill);
	columns_free(view->columns);
	format_state_done(&view->states[0]);
	format_state_done(&view->states[1]);
	buf_done(&view->text[0]);
	buf_done(&view->text[1]);
	buf_done(&view->rest);
	free(view->sources);
	free(view);
}

/* The place of a child among the sources: where it is, or would be. */
static size_t view_place(const struct view *view, uint64_t child)
{
	size_t lo = 0, hi = view->count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (view->sources[mid]->child < child)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct view_source *view_source(const struct view *view, uint64_t child)
{
	size_t i = view_place(view, child);

	return i < view->count && view->sources[i]->child == child ? view->sources[i] : NULL;
}

void view_add_source(struct view *view, uint64_t child, uint64_t job, const char *label)
{
	size_t i = view_place(view, child);

	if (i < view->count && view->sources[i]->child == child)
		return;
	if (view->count == view->size) {
		view->size = view->size ? view->size * 2 : 16;
		view->sources = xrealloc(view->sources, view->size, sizeof(struct view_source *));
	}
	memmove(view->sources + i + 1, view->sources + i,
		(view->count - i) * sizeof(struct view_source *));
	view->sources[i] = xcalloc(1, sizeof(struct view_source));
	view->sources[i]->child = child;
	view->sources[i]->job = job;
	view->sources[i]->label = xstrdup(label);
	view->count++;
}

const char *view_label(const struct view *view, uint64_t child)
{
	const struct view_source *source = view_source(view, child);

	return source ? source->label : NULL;
}

void view_flush(struct view *view)
{
	static const int fds[2] = {STDOUT_FILENO, STDERR_FILENO};
	const struct format *f = view->options.format;

	if (f->flush) {
		f->flush(&view->text[0], &view->options.out_style, &view->states[0]);
		f->flush(&view->text[1], &view->options.err_style, &view->states[1]);
	}
	if (view->board && ((view->text[0].len && view->options.tty_out) ||
			    (view->text[1].len && view->options.tty_err)))
		board_hide(view->board);
	for (size_t i = 0; i < 2; i++)
		if (view->text[i].len) {
			out_add(view->out, fds[i], &view->text[i]);
			out_spare(view->out, &view->text[i]);
		}
}

struct view_mark {
	struct view *view;
	uint64_t child;
	uint64_t seq;
};

static void view_on_mark(void *arg, bool written)
{
	struct view_mark *mark = arg;

	if (written)
		mark->view->options.written(mark->view->options.written_arg, mark->child,
					    mark->seq);
	free(mark);
}

/* What was taken so far is on its way: tells when it has arrived. */
static void view_mark(struct view *view)
{
	struct view_mark *mark;

	if (!view->options.gather || view->text[0].len + view->text[1].len >= VIEW_GATHER)
		view_flush(view);
	if (!view->options.written || !view->last_seq)
		return;
	mark = xmalloc(sizeof *mark);
	*mark = (struct view_mark){view, view->last_child, view->last_seq};
	view->last_seq = 0;
	out_mark(view->out, view_on_mark, mark);
}

static bool view_to_stderr(const struct view *view, const struct format_record *r)
{
	return view->options.split && (r->is_error || r->mark);
}

static struct buf *view_text(struct view *view, const struct format_record *r)
{
	return &view->text[view_to_stderr(view, r)];
}

static const struct render_style *view_style(const struct view *view, const struct format_record *r)
{
	return view_to_stderr(view, r) ? &view->options.err_style : &view->options.out_style;
}

static struct format_state *view_state(struct view *view, const struct format_record *r)
{
	return &view->states[view_to_stderr(view, r)];
}

static void view_whole(struct view *view, const struct format_record *r,
		       const struct record *record)
{
	const struct format *f = view->options.format;
	const struct render_style *style = view_style(view, r);
	struct format_state *state = view_state(view, r);
	struct buf *text = view_text(view, r);

	/* In the order in which they came, should both go to the same place. */
	if (view->text[!view_to_stderr(view, r)].len)
		view_flush(view);
	f->begin(text, style, state, r);
	f->piece(text, style, state, r, record->value, record->len);
	f->end(text, style, state, r);
}

void view_close(struct view *view)
{
	const struct format *f = view->options.format;
	const struct format_record *r = &view->replay_record;

	/* The beginning of a long line, when there was no time for the rest. */
	if (view->replay && view->replay_begun)
		f->end(view_text(view, r), view_style(view, r), view_state(view, r), r);
	f->close(&view->text[0], &view->options.out_style, &view->states[0]);
	if (view->options.split)
		f->close(&view->text[1], &view->options.err_style, &view->states[1]);
	view_flush(view);
}

/* Writes out as much of a long line as there is room for. */
static int view_replay(struct view *view)
{
	const struct format *f = view->options.format;
	const struct format_record *r = &view->replay_record;
	const struct render_style *style = view_style(view, r);
	struct format_state *state = view_state(view, r);
	struct buf piece = {0};
	int rc = 0;

	if (!view->replay_begun)
		f->begin(view_text(view, r), style, state, r);
	view->replay_begun = true;
	while (rc == 0 && view->replay_next < view->replay->count && !out_is_full(view->out)) {
		rc = spill_read(view->spill, view->replay, view->replay_next++, &piece, view->msg);
		if (rc == 0)
			f->piece(view_text(view, r), style, state, r, piece.data, piece.len);
		view_flush(view);
	}
	buf_done(&piece);
	if (rc || view->replay_next < view->replay->count)
		return rc;
	f->end(view_text(view, r), style, state, r);
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
	view->replay_begun = false;
	view->replay_next = 0;
	view->replay_record = *r;
	view_flush(view);
	return view_replay(view);
}

/* What stands before a record in a text: PowerShell's words. */
static const char *const view_marks[STREAM_COUNT] = {
	[STREAM_WARNING] = "WARNING: ",	  [STREAM_VERBOSE] = "VERBOSE: ",
	[STREAM_DEBUG] = "DEBUG: ",	  [STREAM_INFORMATION] = "INFO: ",
	[STREAM_PROGRESS] = "PROGRESS: ",
};

/* The progress line has one place: what is there last counts. */
static void view_progress(struct view *view, uint64_t child, const struct record *record)
{
	struct buf text = {0};

	if (!view->options.progress || (record->flags & RECORD_CONTINUES))
		return;
	if (record->is_typed)
		value_text_progress(&text, record->value, record->len);
	else
		buf_add(&text, record->value, record->len);
	view->options.progress(view->options.progress_arg, child, buf_cstr(&text));
	buf_done(&text);
}

static int view_columns(const struct view *view, const struct record *record,
			struct format_record *r)
{
	const struct schema_msg *schema;

	if (!record->schema)
		return 0;
	schema = columns_find(view->columns, record->schema);
	if (!schema)
		return err_set(view->msg, ERR_PROTO, "a row of an unknown schema");
	r->columns = (const char *const *)schema->columns;
	r->column_count = schema->column_count;
	return 0;
}

static int view_one(struct view *view, struct view_source *source, uint64_t seq,
		    const struct record *record)
{
	struct format_record r = {.host = source->label,
				  .job = source->job,
				  .child = source->child,
				  .stream = record_stream_name(record->stream),
				  .is_error = record->stream == STREAM_ERROR,
				  .seq = seq,
				  .time_ns = record->time_ns,
				  .is_text = record->is_text,
				  .no_eol = (record->flags & RECORD_NO_EOL) != 0,
				  .is_typed = record->is_typed,
				  .unparsed = (record->flags & RECORD_UNPARSED) != 0,
				  .mark = view_marks[record->stream]};
	struct spill_line *line = &source->lines[record->stream];
	int rc;

	if (record->stream == STREAM_PROGRESS)
		view_progress(view, source->child, record);
	if (view->options.hidden >> record->stream & 1)
		return 0;
	if (!record->is_typed && (line->count || (record->flags & RECORD_CONTINUES)))
		return view_long(view, line, &r, record);
	rc = view_columns(view, record, &r);
	if (rc == 0)
		view_whole(view, &r, record);
	return rc;
}

static int view_record(void *arg, uint64_t child, uint64_t seq, const struct record *record)
{
	struct view *view = arg;
	struct view_source *source;
	int rc;

	if (view->seen++ < view->skip)
		return 0;
	if (view->replay) {
		/* The rest waits: see view_take. */
		view->seen--;
		return 1;
	}
	source = view_source(view, child);
	if (!source || record->stream >= STREAM_COUNT)
		return err_set(view->msg, ERR_PROTO, "records of an unknown child");
	rc = view_one(view, source, seq, record);
	view->last_child = child;
	view->last_seq = seq;
	if (rc == 0 && view->options.one_by_one && view->singles < VIEW_ONE_BY_ONE) {
		view->singles++;
		view_mark(view);
	}
	return rc;
}

/* Takes records from a body, from the skip-th on. What waits behind a long line is kept. */
static int view_take(struct view *view, const void *body, size_t len, struct errmsg *msg)
{
	int rc;

	view->msg = msg;
	view->seen = 0;
	rc = records_get(body, len, view_record, view, msg);
	view_mark(view);
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

int view_schema(struct view *view, const void *body, size_t len, struct errmsg *msg)
{
	return columns_add(view->columns, body, len, msg);
}

int view_records(struct view *view, const void *body, size_t len, struct errmsg *msg)
{
	view->skip = 0;
	return view_take(view, body, len, msg);
}

void view_row(struct view *view, const struct row_view *row)
{
	const struct format *f = view->options.format;
	struct rows *rows;

	if (f->row) {
		f->row(&view->text[0], &view->options.out_style, &view->states[0], row);
	} else {
		rows = rows_new(ROWS_TABLE, view->options.tty_out);
		rows_add(rows, row);
		rows_render(rows, &view->text[0], 0);
		rows_free(rows);
	}
	view_flush(view);
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
	view_flush(view);
	return rc;
}
