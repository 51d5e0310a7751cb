/* The names of the columns of a parser, and rows under them. Private to this folder. */
#ifndef MUSTER_COLUMNS_H
#define MUSTER_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kind.h"
#include "limits.h"

#define COLUMNS_SCHEMA 1u /* a parser has one */

/* All zero is empty. */
struct columns {
	char *names[LIMIT_COLUMNS];
	size_t count;
	bool announced;
};

/* Makes the name usable: an empty one, or one that is no text, becomes "column3", a repeated one
 * "name_2". False if there are LIMIT_COLUMNS already. */
bool columns_add(struct columns *c, const uint8_t *name, size_t len);
void columns_done(struct columns *c);

/* A row is begun, then each cell is put into p->value, then it is given; the schema goes before
 * the first. raw is the text of the row, for when it is too big. */
void columns_row_begin(struct columns *c, struct parse *p);
void columns_row_give(struct columns *c, struct parse *p, const uint8_t *raw, size_t len);
void columns_announce(struct columns *c, struct parse *p);

#endif
