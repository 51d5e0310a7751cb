/* Command lines from tables: parsing, and the --help that is made from the same table. */
#ifndef MUSTER_OPTIONS_H
#define MUSTER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

enum option_kind {
	OPTION_FLAG,	 /* bool */
	OPTION_TEXT,	 /* const char * */
	OPTION_MAYBE,	 /* struct option_maybe: --name or --name=TEXT; without a letter */
	OPTION_TEXTS,	 /* struct option_texts: may be repeated */
	OPTION_DURATION, /* uint64_t, milliseconds; at least 1 */
	OPTION_WAIT,	 /* struct option_wait: a duration that may be 0 */
	OPTION_COUNT,	 /* uint64_t, at least 1 */
	OPTION_SIZE	 /* uint64_t, bytes; size_parse */
};

struct option_texts {
	const char **at;
	size_t count;
};

struct option_maybe {
	const char *text; /* NULL: none */
	bool given;
};

struct option_wait {
	uint64_t ms;
	bool given;
};

struct option_row {
	const char *name; /* long, without dashes */
	char letter;	  /* 0: none */
	enum option_kind kind;
	size_t offset;	  /* of the value in the caller's struct */
	const char *arg;  /* name of the value in --help; NULL for flags */
	const char *help; /* NULL: a synonym, not shown */
};

/*
 * Parses argv[*first...]; *first is then the index of the next word. stop_at_word: options end at
 * the first word that is none; otherwise they may stand anywhere, and argv is reordered so that
 * the other words come last. "--" ends them in any case. Values borrow from argv, but for lists of
 * OPTION_TEXTS, which options_done frees, also after a failure. Returns 0, or ERR_SYNTAX or
 * ERR_RANGE with msg.
 */
int options_parse(const struct option_row *rows, size_t count, void *values, bool stop_at_word,
		  int argc, char **argv, int *first, struct errmsg *msg);

/* The same; given[row] becomes true for each row that stands there. NULL: nobody wants to know. */
int options_parse_given(const struct option_row *rows, size_t count, void *values,
			bool stop_at_word, int argc, char **argv, int *first, bool *given,
			struct errmsg *msg);

/* Sets one value as if its option stood there; text NULL where it takes none. The same errors. */
int options_set(const struct option_row *row, void *values, const char *text, struct errmsg *msg);

void options_done(const struct option_row *rows, size_t count, void *values);

/* Appends one line (or more) for each row that has a help text, aligned. */
void options_help(struct buf *out, const struct option_row *rows, size_t count);

#endif
