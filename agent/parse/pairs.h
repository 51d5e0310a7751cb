/* Keys and values that become one map; a key that comes again makes its value an array. Private to
 * this folder. */
#ifndef MUSTER_PAIRS_H
#define MUSTER_PAIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "kind.h"
#include "limits.h"

#define PAIRS_VALUES_MAX (LIMIT_TYPED_NODES / 4) /* with their keys and arrays: enough nodes */

struct pairs_value {
	uint32_t at; /* in text */
	uint32_t len;
	uint32_t next;	/* of the same key; 0: the last */
	bool is_string; /* never a number or a word */
};

struct pairs_key {
	uint32_t hash;
	uint32_t at;
	uint32_t len;
	uint32_t first; /* value, from 1 */
	uint32_t last;
	uint32_t count;
};

/* All zero is empty. */
struct pairs {
	struct buf text;
	struct pairs_key keys[LIMIT_MAP_KEYS];
	uint32_t key_count;
	struct pairs_value *values;
	uint32_t value_count, value_size;
	size_t size; /* at most so many bytes of msgpack */
};

/* False if the map is full: give it and try again, on an empty map it never fails. key: UTF-8; key
 * and value together at most LIMIT_RECORD_VALUE bytes. */
bool pairs_add(struct pairs *s, const uint8_t *key, size_t key_len, const uint8_t *value,
	       size_t len, bool is_string);
/* Another line of the value that was added last, if there is one. False if there is none, or no
 * room. */
bool pairs_continue(struct pairs *s, const uint8_t *line, size_t len);
/* Gives the map, if there is anything in it, and empties it. */
void pairs_give(struct pairs *s, struct parse *p);
void pairs_done(struct pairs *s);

#endif
