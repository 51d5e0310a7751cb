/* What stands in brackets: [1-3,07,10-20/2]. */
#ifndef MUSTER_HOSTS_RANGE_H
#define MUSTER_HOSTS_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hostlist_private.h"

struct range {
	uint64_t lo, hi, step;
	size_t pad; /* shorter numbers get zeros in front; 0: none do */
};

/* One pair of brackets. All zero is empty and valid. */
struct range_set {
	struct range *rows;
	size_t len;
	size_t size;
	uint64_t count; /* numbers in all rows */
	size_t width;	/* digits of the longest */
};

/* Where an expansion stands. */
struct range_cursor {
	size_t row;
	uint64_t value;
};

/*
 * Parses what stands between the brackets, from at to end. Returns 0 or a negative ERR_* with the
 * message set; ret must be empty and is to be freed by range_done in any case.
 */
int range_parse(struct range_set *ret, const struct expr_text *text, size_t at, size_t end,
		struct expr_env *env);
void range_done(struct range_set *set);

/* To the first number. */
void range_first(const struct range_set *set, struct range_cursor *cur);

/* To the next one; after the last, back to the first and false. */
bool range_next(const struct range_set *set, struct range_cursor *cur);

/* Writes the number (set->width bytes at most, not terminated) and returns its length. */
size_t range_print(const struct range_set *set, const struct range_cursor *cur, char *out);

#endif
