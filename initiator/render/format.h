/*
 * Output formats for records. A record is rendered as begin, any number of pieces, end, so that a
 * value of any size needs no memory here. Everything is appended to a buffer.
 */
#ifndef MUSTER_FORMAT_H
#define MUSTER_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "style.h"

struct format_record {
	const char *host;   /* label, as the user wrote it */
	uint64_t job;	    /* id of the parent */
	uint64_t child;	    /* id of the child */
	const char *stream; /* "output", "error", ... */
	bool is_error;	    /* the error stream */
	uint64_t seq;
	uint64_t time_ns; /* wall clock */
	bool is_text;	  /* the whole value is valid UTF-8 */
	bool no_eol;	  /* the output ended without a newline here */
};

/* What a format carries from piece to piece. Zeroed by begin. */
struct format_state {
	uint8_t held[3]; /* bytes that wait for the next piece (base64; half a character) */
	size_t held_len;
};

struct format {
	const char *name;
	void (*begin)(struct buf *out, const struct render_style *style, struct format_state *st,
		      const struct format_record *r);
	/* Pieces of text values are cut between characters. */
	void (*piece)(struct buf *out, const struct render_style *style, struct format_state *st,
		      const struct format_record *r, const void *data, size_t len);
	void (*end)(struct buf *out, const struct render_style *style, struct format_state *st,
		    const struct format_record *r);
};

/*
 * text: "host: line\n". With labels and colour the label is blue, for the error stream red; with
 * escape everything from the host (its name too) passes escape_display(), otherwise bytes are
 * copied as they are. A trailing CR is part of the line. Without labels a line that had no newline
 * gets none: the bytes of one host are then exactly what it wrote.
 *
 * jsonl: one object a line: host job child stream seq time value, in this order. value is a JSON
 * string for text, {"$bytes":"<base64>"} otherwise; time is RFC 3339 (clock_rfc3339). Control
 * characters and all that could act on a terminal are escaped (json.h); everything else is UTF-8.
 */
extern const struct format format_text;
extern const struct format format_jsonl;

/* "text" or "jsonl"; NULL if there is none of that name. */
const struct format *format_find(const char *name);

#endif
