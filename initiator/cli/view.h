/* Records from the daemon to stdout and stderr, in the format that the user chose. */
#ifndef MUSTER_VIEW_H
#define MUSTER_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board.h"
#include "format.h"
#include "out.h"

struct view;

struct view_options {
	const struct format *format;
	struct render_style out_style; /* for stdout */
	struct render_style err_style; /* for stderr */
	bool split;		       /* the error stream goes to stderr */
	bool tty_out;		       /* stdout shares the terminal with the progress line */
	bool tty_err;
};

/* labels, board and out are borrowed. Freed by view_free. */
struct view *view_new(const struct view_options *options, struct out *out, struct board *board,
		      const char *const *labels, size_t count);
void view_free(struct view *view); /* NULL is fine */

/* What the children's ids mean, from JOB_ACCEPTED. */
void view_set_job(struct view *view, uint64_t job, uint64_t first_child);

/* Takes the body of a RECORDS message. Returns 0 or a negative ERR_* with msg. */
int view_records(struct view *view, const void *body, size_t len, struct errmsg *msg);

/*
 * True while what was taken is not all handed on (a long line is being written out): no more
 * messages before view_go_on, to be called when there is room again, has made it false.
 */
bool view_is_busy(const struct view *view);
int view_go_on(struct view *view, struct errmsg *msg);

#endif
