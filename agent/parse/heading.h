/*
 * The header line of a table: where its columns are. Positions are those of characters on a
 * terminal, with tabs every 8. Private to this folder.
 */
#ifndef MUSTER_HEADING_H
#define MUSTER_HEADING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "columns.h"
#include "limits.h"

/* A run without blanks: bytes of the line, and positions. */
struct heading_word {
	size_t begin, end;
	size_t left, right;
};

/* Where a walk over a line has come. All zero is its beginning. */
struct heading_walk {
	size_t at;
	size_t position;
};

/* The next word; false at the end. */
bool heading_next(struct heading_walk *walk, const uint8_t *line, size_t len,
		  struct heading_word *ret);

struct heading {
	struct heading_word words[LIMIT_COLUMNS]; /* a column each */
	size_t count;
};

/*
 * Finds the columns of the header. Two of its words with one blank between them are one name if
 * the second begins small and the first does not ("Mounted on"), or if a word of the first row
 * (NULL: there is none) lies across the blank ("CONTAINER ID"). If the first row begins before the
 * header there is a column without a name. False: there are too many.
 */
bool heading_read(struct heading *h, struct columns *columns, const uint8_t *line, size_t len,
		  const uint8_t *row, size_t row_len);

#endif
