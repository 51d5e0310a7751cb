/*
 * Writing YAML that readers of version 1.1 and 1.2 take alike: double-quoted scalars with the
 * escapes of JSON.
 *
 * A library's emitter is not used: it takes a scalar as one piece of memory, and values here are as
 * long as a host makes them.
 */
#ifndef MUSTER_YAML_H
#define MUSTER_YAML_H

#include <stddef.h>

#include "buf.h"

/* Appends the inside of a double-quoted scalar. data is valid UTF-8, whole characters. */
void yaml_escape(struct buf *out, const void *data, size_t len);

/* Appends a whole scalar; NULL: null; text that is not UTF-8: {"$bytes": "<base64>"}. */
void yaml_str(struct buf *out, const char *text);

#endif
