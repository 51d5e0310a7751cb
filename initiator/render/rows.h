/*
 * Jobs and child jobs as people and programs see them: the answers of get, wait, stop and their
 * like, in one of six shapes.
 */
#ifndef MUSTER_ROWS_H
#define MUSTER_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

/* A job or a child job. All is borrowed, and strings may be NULL. */
struct row_view {
	uint64_t id;
	uint64_t parent_id; /* 0: this is a job */
	const char *name;
	const char *type; /* of a job: "Remote" */
	const char *state;
	bool has_more_data;
	const char *location;
	const char *command;
	uint64_t begin_ns; /* wall clock; 0: not yet */
	uint64_t end_ns;
	const char *cause; /* of a finished child: "unreachable" */
	const char *text;  /* "connection refused": what belongs to the cause */
	int64_t exit_code; /* -1: none */
	const char *signal;
	const char *instance_id;
	const uint64_t *children; /* ids */
	size_t child_count;
	const char *progress; /* "3/200 failed: web07 (exited 2), ..." */
};

enum rows_shape { ROWS_TABLE, ROWS_LIST, ROWS_JSON, ROWS_JSONL, ROWS_CSV, ROWS_YAML };

/* The shape of that name. Returns 0 or ERR_NOTFOUND. */
int rows_shape_find(const char *name, enum rows_shape *ret);

/* For people who gave another name. */
#define ROWS_NAMES "table, list, json, jsonl, csv, yaml"

struct rows;

/* escape: a terminal reads it (matters to csv; the others always are harmless). Freed by rows_free.
 */
struct rows *rows_new(enum rows_shape shape, bool escape);
void rows_free(struct rows *rows); /* NULL is fine */

/* Adds a job; everything is copied. */
void rows_add(struct rows *rows, const struct row_view *row);
size_t rows_count(const struct rows *rows);

/*
 * Appends them all, in the order in which they were added.
 *
 * table: Id Name Type State HasMoreData Location Command; width as in table.h; no rows: the titles.
 *
 * list: a block of "Name : value" lines for each job, every property always, an empty line between
 * two blocks. ChildJobs are runs of ids: 2-201,300. Duration is from Begin to End.
 *
 * json, jsonl, yaml, as in format.h: id parent_id name type state has_more_data location command
 * begin end cause exit_code signal instance_id children, in this order; what there is not
 * is null. cause holds the text that belongs to it too. Times are RFC 3339.
 *
 * csv, as in format.h: columns as the keys of json; what there is not is empty; children are ids
 * with a space between two.
 */
void rows_render(struct rows *rows, struct buf *out, size_t width);

#endif
