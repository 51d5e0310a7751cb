/*
 * The bounded check that every msgpack body passes before anything reads it (docs/protocol.md,
 * section 3). Iterative; allocates nothing; time linear in the length (maps: keys squared, capped).
 */
#ifndef MUSTER_CHECK_H
#define MUSTER_CHECK_H

#include <stddef.h>

#include "err.h"

/*
 * Checks that the n bytes are exactly one msgpack object: depth <= LIMIT_MSG_DEPTH, at most
 * LIMIT_MSG_NODES objects, each count and length within what remains, str valid UTF-8, at most
 * LIMIT_MAP_KEYS keys a map, none an array or map and no two alike (compared as encoded bytes), of
 * the ext types only -1 (timestamp, 4, 8 or 12 bytes, less than 1e9 nanoseconds), no reserved byte
 * 0xc1, nothing behind it. Returns 0, ERR_PROTO or ERR_LIMIT; msg names the offset and the rule.
 */
int check_body(const void *data, size_t n, struct errmsg *msg);

#endif
