/* Job rows from the daemon's messages to stdout, in the shape that --output names. */
#ifndef MUSTER_JOB_ROWS_H
#define MUSTER_JOB_ROWS_H

#include "control_msg.h"
#include "err.h"
#include "rows.h"

struct job_rows;

/* name NULL: a table. Returns 0, or ERR_SYNTAX with msg. *ret is freed by job_rows_free. */
int job_rows_new(struct job_rows **ret, const char *name, struct errmsg *msg);
void job_rows_free(struct job_rows *rows); /* NULL is fine */

void job_rows_add(struct job_rows *rows, const struct get_row_msg *m);

/*
 * "web1,web2,web3" as "web[1-3]"; max > 0: in at most so many bytes (4 or more), cut with "...".
 * The caller frees it.
 */
char *job_rows_fold(const char *location, size_t max);

/* The fields of a message as render/rows.h wants them; borrows from m. */
void job_rows_view(struct row_view *ret, const struct get_row_msg *m);

/* Writes all to stdout. A table is cut to the width of a terminal.  Returns the exit
 * status, EXIT_INTERNAL with a message if it cannot be written. */
int job_rows_print(struct job_rows *rows);

#endif
