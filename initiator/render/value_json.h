/*
 * Typed values (proto/value.h) as JSON: integers exact, floats so that they read back the same
 * (never without a point or as NaN: null), timestamps as RFC 3339 strings, bytes as
 * {"$bytes":"<base64>"}, maps and arrays as objects and arrays. Keys of a map that are no text are
 * written as text. Nothing recurses: what is nested deeper than LIMIT_MSG_DEPTH is null.
 */
#ifndef MUSTER_VALUE_JSON_H
#define MUSTER_VALUE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "value.h"

/* YAML: JSON that readers of YAML 1.1 and 1.2 take too. */
enum value_json_dialect { VALUE_JSON, VALUE_YAML };

/* Appends the next object. At a fault (or the end) null stands for what is missing, and what was
 * opened is closed. */
void value_json(struct buf *out, struct value_in *in, enum value_json_dialect dialect);

/* The same of a whole value; an array with columns is an object (value_fields.h). */
void value_json_row(struct buf *out, const void *data, size_t len, const char *const *columns,
		    size_t column_count, enum value_json_dialect dialect);

/* "2026-03-01T12:34:56Z", with a fraction where there is one; "@SECONDS" outside of the years 0 to
 * 9999. Returns out. */
#define VALUE_TIME_SIZE 96
char *value_json_time(char *out, int64_t seconds, uint32_t nanoseconds);

/* A number that reads back the same, always with a point; finite. Returns out. */
#define VALUE_FLOAT_SIZE 40
char *value_json_float(char *out, double f);

#endif
