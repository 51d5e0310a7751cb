/* How parsers give records away. Private to this folder. */
#ifndef MUSTER_GIVE_H
#define MUSTER_GIVE_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "kind.h"

/* How many of max bytes to take so that no character is cut; max where there is no good place. */
size_t give_cut(const uint8_t *data, size_t max);

/* A text of at most LIMIT_RECORD_VALUE bytes. */
void give_piece(struct parse *p, uint64_t flags, const uint8_t *data, size_t len);

/* A text of any length: pieces, all but the last with RECORD_CONTINUES. */
void give_text(struct parse *p, uint64_t flags, const uint8_t *data, size_t len);

/* Within the limits of a typed value: the caller has made sure. */
void give_typed(struct parse *p, const struct buf *value, uint32_t nodes, uint64_t schema);

/* What could not be parsed: a map of why and what; of more than LIMIT_RECORD_VALUE bytes, pieces
 * of text. why: UTF-8. */
void give_unparsed(struct parse *p, const char *why, const uint8_t *raw, size_t len);

/* A text that comes bit by bit, given in pieces as soon as it is too long for one record. All zero
 * is empty; where it is cut does not depend on how it came. */
struct pieces {
	struct buf rest; /* at most LIMIT_RECORD_VALUE; not empty if anything was added */
};

void pieces_add(struct pieces *s, struct parse *p, uint64_t flags, const uint8_t *data, size_t len);
/* The last piece, even if empty. */
void pieces_end(struct pieces *s, struct parse *p, uint64_t flags);
void pieces_done(struct pieces *s);

#endif
