/* Sessions as people and programs see them, in the shapes of get. */
#ifndef MUSTER_SESSION_ROWS_H
#define MUSTER_SESSION_ROWS_H

#include <stdint.h>

#include "control_msg.h"
#include "err.h"
#include "rows.h"

struct session_rows;

/* name NULL: a table. Returns 0, or ERR_SYNTAX with msg. Freed by session_rows_free. */
int session_rows_new(struct session_rows **ret, const char *name, struct errmsg *msg);
void session_rows_free(struct session_rows *rows); /* NULL is fine */

/* now_ns: the wall clock, for how long it has been idle. */
void session_rows_add(struct session_rows *rows, const struct session_row_msg *m, uint64_t now_ns);

/*
 * Appends them all. table: Id Name ComputerName State Availability Idle Reason. json, jsonl, csv,
 * yaml: id name computer_name state availability commands idle_ms idle_timeout_ms reason is_job, in
 * this order; what there is not is null, or empty in csv. list: the same for people.
 */
void session_rows_render(struct session_rows *rows, struct buf *out, size_t width);

/* Writes them to stdout. Returns the exit status. */
int session_rows_print(struct session_rows *rows);

#endif
