/*
 * Whole lines out of bytes that come in any portions; a line that lies whole in a portion is not
 * copied. A line of more than LIMIT_LINE_JSON bytes is given as pieces of text that are not parsed.
 * Private to this folder.
 */
#ifndef MUSTER_GATHER_H
#define MUSTER_GATHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "give.h"
#include "kind.h"

/* A line without its newline, valid during the call. */
typedef void gather_fn(struct parse *p, const uint8_t *line, size_t len);

/* All zero is empty. */
struct gather {
	struct buf partial;   /* the beginning of a line */
	struct pieces pieces; /* of a line that is too long */
	bool over;	      /* it is */
};

void gather_add(struct gather *g, struct parse *p, const uint8_t *data, size_t len, gather_fn *fn);
/* What is left is a line without newline. */
void gather_end(struct gather *g, struct parse *p, gather_fn *fn);
size_t gather_pending(const struct gather *g);
void gather_done(struct gather *g);

/* How long the line is without a carriage return at its end. */
size_t gather_chomp(const uint8_t *line, size_t len);
/* How many blanks (space, tab) it begins with. */
size_t gather_blanks(const uint8_t *line, size_t len);
/* How long it is without the blanks and carriage returns at its end. */
size_t gather_trim(const uint8_t *line, size_t len);

#endif
