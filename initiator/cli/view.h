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
	uint64_t hidden; /* bit per enum record_stream: records that are taken and not shown */
	/* Told what a progress record says, in one line that may hold anything. NULL: nobody. */
	void (*progress)(void *arg, uint64_t child, const char *text);
	void *progress_arg;
	/* Output is gathered, for larger writes: the caller calls view_flush when it has no more
	 * records to give for now, and before it writes something of its own. */
	bool gather;
	bool one_by_one; /* the first records each alone, so that a reader who stops early leaves
			    the others unwritten */
};

/* Where results go and how they look, by the format and what the two outputs are. */
struct view_look {
	const struct format *format;
	bool labels;
	bool colour_out;
	bool colour_err;
	bool verbose; /* --verbose, --debug */
	bool debug;
	bool streams_chosen; /* the user named the streams: all that come are shown */
};
void view_options_init(struct view_options *ret, const struct view_look *look);

/* board (may be NULL) and out are borrowed. Freed by view_free. */
struct view *view_new(const struct view_options *options, struct out *out, struct board *board);
void view_free(struct view *view); /* NULL is fine */

/* A child whose records may come. label is copied. */
void view_add_source(struct view *view, uint64_t child, uint64_t job, const char *label);

/* The label of a child; NULL if it is none that was added. Borrowed. */
const char *view_label(const struct view *view, uint64_t child);

/* Takes the body of a SCHEMA message. Returns 0 or a negative ERR_* with msg. */
int view_schema(struct view *view, const void *body, size_t len, struct errmsg *msg);

/* Takes the body of a RECORDS message. Returns 0 or a negative ERR_* with msg. */
int view_records(struct view *view, const void *body, size_t len, struct errmsg *msg);

/* A job among the records. A format without a place for one gets a table on stdout. */
void view_row(struct view *view, const struct row_view *row);

/* Hands on what was gathered. */
void view_flush(struct view *view);

/* The output is complete: what the format writes at its end. */
void view_close(struct view *view);

/*
 * True while what was taken is not all handed on (a long line is being written out): no more
 * messages before view_go_on, to be called when there is room again, has made it false.
 */
bool view_is_busy(const struct view *view);
int view_go_on(struct view *view, struct errmsg *msg);

#endif
