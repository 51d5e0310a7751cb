/*
 * Lines that come in pieces, held back until they are whole, so that no other host's bytes stand
 * inside of one. The pieces wait in an unlinked temporary file: a line of any length costs no
 * memory but 16 bytes a piece.
 */
#ifndef MUSTER_SPILL_H
#define MUSTER_SPILL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

struct spill;

/* A line that is not whole. All zero is none. */
struct spill_line {
	struct spill_piece *pieces;
	size_t count;
	bool is_text; /* every piece so far */
};

struct spill *spill_new(void);
void spill_free(struct spill *spill); /* NULL is fine */

/* Adds a piece. Returns 0 or ERR_SYS with msg (no temporary file, or no space for it). */
int spill_add(struct spill *spill, struct spill_line *line, const void *data, size_t len,
	      bool is_text, struct errmsg *msg);

/* Replaces the content of out by piece index. Returns 0 or ERR_SYS with msg. */
int spill_read(struct spill *spill, const struct spill_line *line, size_t index, struct buf *out,
	       struct errmsg *msg);

/* Forgets the line. When no line is left, the file is emptied. */
void spill_drop(struct spill *spill, struct spill_line *line);

#endif
