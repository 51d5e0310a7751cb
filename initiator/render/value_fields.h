/* The fields of a row or a map, one after the other: what tables, lists and texts show of it. */
#ifndef MUSTER_VALUE_FIELDS_H
#define MUSTER_VALUE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "value.h"

/* A name as text: UTF-8. */
struct value_key {
	const uint8_t *text; /* borrowed, from the value or from own */
	size_t len;
	char own[96];
};

struct value_field {
	struct value_key key;
	struct value_in value; /* the object that comes next in it; at its end: nil */
};

struct value_fields {
	struct value_in in;
	const char *const *columns; /* NULL: a map */
	size_t column_count;
	size_t at;
	size_t count; /* elements of the row, or pairs of the map */
};

/*
 * False if the value is neither an array with columns nor a map. A row that is longer than its
 * columns has more fields, named by their number from 1; one that is shorter nils at its end.
 */
bool value_fields(struct value_fields *ret, const void *data, size_t len,
		  const char *const *columns, size_t column_count);
bool value_fields_next(struct value_fields *fields, struct value_field *ret);

/* The text of a key of a map: of a scalar that is no text its number or word. ret must stay where
 * it is while it is used. */
void value_key(struct value_key *ret, const struct value *v);

#endif
