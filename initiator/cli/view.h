/* Records from the daemon to stdout and stderr, in the format that the user chose. */
#ifndef MUSTER_VIEW_H
#define MUSTER_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board.h"
#include "format.h"
#include "out.h"
#include "rows.h"

struct view;

struct view_options {
	const struct format *format;
	struct render_style out_style; /* for stdout */
	struct render_style err_style; /* for stderr */
	bool split;		       /* the error stream goes to stderr */
	bool tty_out;		       /* stdout shares the terminal with the progress line */
	bool tty_err;
	/*
	 * Told when the records of a child up to and with seq have been written (or are safe in a
	 * temporary file, as pieces of a long line are). NULL: nobody wants to know.
	 */
	void (*written)(void *arg, uint64_t child, uint64_t seq);
	void *written_arg;
	bool one_by_one; /* the first records each alone, so that a reader who stops early leaves
			    the others unwritten */
};

/* board (may be NULL) and out are borrowed. Freed by view_free. */
struct view *view_new(const struct view_options *options, struct out *out, struct board *board);
void view_free(struct view *view); /* NULL is fine */

/* A child whose records may come. label is copied. */
void view_add_source(struct view *view, uint64_t child, uint64_t job, const char *label);

/* The label of a child; NULL if it is none that was added. Borrowed. */
const char *view_label(const struct view *view, uint64_t child);

/* Takes the body of a RECORDS message. Returns 0 or a negative ERR_* with msg. */
int view_records(struct view *view, const void *body, size_t len, struct errmsg *msg);

/* A job among the records. A format without a place for one gets a table on stdout. */
void view_row(struct view *view, const struct row_view *row);

/* The output is complete: what the format writes at its end. */
void view_close(struct view *view);

/*
 * True while what was taken is not all handed on (a long line is being written out): no more
 * messages before view_go_on, to be called when there is room again, has made it false.
 */
bool view_is_busy(const struct view *view);
int view_go_on(struct view *view, struct errmsg *msg);

#endif
