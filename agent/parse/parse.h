/*
 * Text to records: what a command writes, cut and typed on the computer that it runs on. Push
 * parsers, pure: bytes in, records out, memory bounded (limits.h) whatever comes. What comes out
 * does not depend on the portions in which the bytes come, but for raw.
 *
 * Nothing is lost: what cannot be parsed is given as it was, in a record with RECORD_UNPARSED
 * (docs/protocol.md, 6.7): the map {"$error": why, "$raw": str or bin}, or, if it is longer than
 * LIMIT_RECORD_VALUE, pieces of text that all have the flag, all but the last with
 * RECORD_CONTINUES. A parser that gives up on one line goes on with the next.
 *
 * lines   A text a line, without its newline; a CR stays. A longer line than
 *         LIMIT_RECORD_VALUE is cut between characters. The last without newline has
 *         RECORD_NO_EOL.
 * nul     The same, but NUL ends a line.
 * raw     The bytes as they come, each record with RECORD_NO_EOL: nothing is kept or added, so
 *         that all values in a row are the output.
 * json    Documents one after the other; of an array each element is a record, given as soon
 *         as it is whole. After a syntax error what is left is lines, each unparsed (blank
 *         ones are left out). JSON that no record can hold (too big, too deep, a key twice,
 *         half a surrogate pair) is unparsed alone. A string by itself becomes a text record.
 *         Integers that fit int64 or uint64 are exact, numbers with a point or an exponent are
 *         floats; what neither holds is the text of the literal. Strings that are not UTF-8
 *         are bin.
 * jsonl   A document a line, an array too; blank lines are left out.
 * csv     RFC 4180. The first row names the columns: the schema. Empty lines are left out, and
 *         a byte order mark. A row with another number of cells than the header is unparsed.
 *         If a quote is never closed the lines after it are looked at one by one.
 * tsv     The same without quotes: \t, \n, \r and \\ stand for what cannot be in a cell, \N
 *         alone for nil.
 * kv      One map of lines KEY=VALUE or KEY: VALUE (what comes first counts; a blank or the
 *         end follows the colon). Blanks around key and value are left out, as are lines that
 *         begin with "#". A value in quotes from end to end is read as a shell does. A key
 *         that comes again makes an array. Beyond LIMIT_MAP_KEYS keys, or what fits a record,
 *         another map begins.
 * blocks  The same in stanzas, an empty line between two, each a map; a line that begins with
 *         a blank goes on with the value before it, after a newline.
 * table   The first line names the columns, and what stands under a name belongs to it; where
 *         a row does not keep to that its words are counted. The last column takes the rest.
 * regex   A row for each line that matches (anywhere, unless the pattern has ^); groups are
 *         the columns, without groups the match itself is column "0". A group without match is
 *         nil. The line has no NUL and at most LIMIT_RECORD_VALUE bytes; references back are
 *         refused.
 * auto    json if an object can be read before anything that is no JSON, or if all of the
 *         output is JSON and begins with a bracket; otherwise lines. At most
 *         LIMIT_RECORD_VALUE bytes are held back.
 *
 * Cells of csv, tsv, table and regex and values of kv and blocks have the type that they look like:
 * an integer as JSON writes it (so without leading zeros or plus) that fits; a number with a point
 * or an exponent: float; true, false: bool; empty: nil (a group that matched nothing: ""); all
 * else, and always what was in quotes: str, or bin if it is not UTF-8. Times are str.
 */
#ifndef MUSTER_PARSE_H
#define MUSTER_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent_msg.h"
#include "err.h"
#include "record.h"

struct parse;

struct parse_events {
	/* A record of the output stream; stream and time_ns are not set. Valid during the call. */
	void (*record)(void *arg, const struct record *record);
	/* A schema that the records from here on may name; a parser has one at most, number 1.
	 * Strings valid during the call. */
	void (*schema)(void *arg, uint64_t schema, const char *const *columns, size_t count);
};

/*
 * kind: enum agent_parse. argument: of regex the pattern ("(?<name>...)" names a column, otherwise
 * columns are "1", "2", ...); of csv and tsv the delimiter, one ASCII character or "\t", or NULL;
 * otherwise NULL. Returns 0, or ERR_SYNTAX or ERR_RANGE with msg. Freed by parse_free.
 */
int parse_new(struct parse **ret, uint64_t kind, const char *argument,
	      const struct parse_events *events, void *arg, struct errmsg *msg);
void parse_free(struct parse *parse); /* NULL is fine */

void parse_add(struct parse *parse, const void *data, size_t len);

/* The output has ended: what is left becomes records. Nothing but parse_free comes after it. */
void parse_end(struct parse *parse);

/* How many bytes are kept back until it is known what they are: a line, a document, a map. */
size_t parse_pending(const struct parse *parse);

#endif
