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

struct row_view;
struct sheet;

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
	/* The value is msgpack (proto/value.h) and comes in one piece; is_text means nothing. */
	bool is_typed;
	/* Could not be parsed as was asked: typed {"$error": why, "$raw": line}, or text or bytes,
	 * the line itself. */
	bool unparsed;
	/* Names of the columns, if the value is a row: an array. NULL: it is none. */
	const char *const *columns;
	size_t column_count;
	const char *mark; /* text: stands before the value, "WARNING: "; NULL: nothing */
};

/*
 * What a format carries along one output (stdout, say) from record to record and from piece to
 * piece. All zero is an output to which nothing has been written. The records of an output come
 * one after the other: never two of them begun at once.
 */
struct format_state {
	uint64_t items;	 /* records and rows so far */
	bool titled;	 /* table: the line of titles stands above */
	size_t host;	 /* table: widths of columns, which grow as needed */
	size_t stream;	 /* table */
	uint8_t held[3]; /* bytes that wait for the next piece (base64; half a character) */
	size_t held_len;
	struct sheet *sheet; /* table: of the rows; NULL: there were none. format_state_done */
	bool in_sheet;	     /* table: the record that has begun is a row of it */
};

/* Frees what it carries. */
void format_state_done(struct format_state *st);

struct format {
	const char *name;
	void (*begin)(struct buf *out, const struct render_style *style, struct format_state *st,
		      const struct format_record *r);
	/* Pieces of text values are cut between characters. */
	void (*piece)(struct buf *out, const struct render_style *style, struct format_state *st,
		      const struct format_record *r, const void *data, size_t len);
	void (*end)(struct buf *out, const struct render_style *style, struct format_state *st,
		    const struct format_record *r);
	/* What was kept back to see how wide columns are, before what was rendered so far is
	 * written. NULL: never anything. */
	void (*flush)(struct buf *out, const struct render_style *style, struct format_state *st);
	/* A job among the records (rows.h). NULL: this format has no place for one. */
	void (*row)(struct buf *out, const struct render_style *style, struct format_state *st,
		    const struct row_view *row);
	/* The output is complete: once, after the last record, also if there was none. */
	void (*close)(struct buf *out, const struct render_style *style, struct format_state *st);
};

/*
 * For people. With colour the host is blue, for the error stream red; with escape everything from
 * the host (its name too) passes escape_display(), otherwise bytes are copied as they are.
 * Without labels the host is not shown at all. No records: no output.
 *
 * text: "host: line\n". A trailing CR is part of the line. Without labels a line that had no
 * newline gets none: the bytes of one host are then exactly what it wrote. Of a typed value a
 * scalar is its text, a row or a map "Name=value Name="two words"" (value_text.h), anything else
 * compact JSON. What could not be parsed is the line as it was.
 *
 * table: the columns Host, Stream, Value under their titles. The widths are not known before the
 * last record: the first two columns begin with a usual one and grow from the record on that needs
 * more. Lines of a value after its first are indented, here and in list: no line that a host sends
 * can pass for a field. Rows and maps make another table, Host and their own columns (sheet.h),
 * with new titles whenever the columns change.
 *
 * list: a block of "Name : value" lines for each record, an empty line between two: ComputerName,
 * Stream, Time, Value; of a row or a map ComputerName and its own columns; of what could not be
 * parsed Error before Value.
 *
 * auto: rows as in table, everything else as in text. Has no name for people.
 */
extern const struct format format_text;
extern const struct format format_table;
extern const struct format format_list;
extern const struct format format_auto;

/*
 * For programs: host job child stream seq time value, in this order, whatever the style, but for
 * escape in csv. time is RFC 3339 (clock_rfc3339).
 *
 * json, jsonl: one object a line; json: an array of them, "[]" if there is none. value is a JSON
 * string for text, {"$bytes":"<base64>"} for bytes, and for a typed value what value_json.h makes
 * of it: of a row an object. What could not be parsed is {"$error": why, "$raw": line}. Control
 * characters and all that could act on a terminal are escaped (json.h); everything else is UTF-8.
 *
 * yaml: a block sequence of the same objects, for readers of YAML 1.1 and 1.2; "[]" if there is
 * none. Strings are quoted and escaped as in JSON. What was written up to the end of any record is
 * whole.
 *
 * csv: RFC 4180, but for LF at line ends. A line of titles, also if there is no record. value is
 * always quoted, the other columns where they have to be. One more column, encoding, at the end:
 * utf-8 for text, base64 for bytes, json for a typed value and for what could not be parsed: value
 * is then what json has there. CSV knows no escapes, so that a quoted value
 * may hold anything, newlines and NUL bytes too; only with escape it is made harmless.
 */
extern const struct format format_json;
extern const struct format format_jsonl;
extern const struct format format_yaml;
extern const struct format format_csv;

/* One of the above by its name; NULL if there is none of that name. */
const struct format *format_find(const char *name);

/* "text, table, ...": for people who gave another name. Static. */
#define FORMAT_NAMES "text, table, list, json, jsonl, csv, yaml"

#endif
