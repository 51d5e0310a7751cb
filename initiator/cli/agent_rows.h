/* The agents that hosts keep, as rows: Arch, Version, Path. */
#ifndef MUSTER_AGENT_ROWS_H
#define MUSTER_AGENT_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "format.h"

struct agent_rows;

/* Freed by agent_rows_free. */
struct agent_rows *agent_rows_new(const struct format *format, const struct render_style *style);
void agent_rows_free(struct agent_rows *rows); /* NULL is fine */

/*
 * Adds what a host said of one: "ARCH\tSHA256\tPATH" (of a file that vanished meanwhile the
 * digits in its name). Version is "current" for one that this muster
 * carries, otherwise the first 12 digits. A line that is none is shown as it is. r: whose it is;
 * the fields of the value are set here.
 */
void agent_rows_add(struct agent_rows *rows, struct format_record r, const char *line, size_t len);
size_t agent_rows_count(const struct agent_rows *rows);

/* Writes them to stdout. Returns the exit status. */
int agent_rows_print(struct agent_rows *rows);

#endif
