/* What the files of fold.h share: names in pieces, and sets of numbers. */
#ifndef MUSTER_FOLD_PRIVATE_H
#define MUSTER_FOLD_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "fold.h"

/* A number as it stands in a name: its digits, not terminated. */
struct fold_num {
	const char *digits;
	uint64_t value;
	uint32_t len;
	uint32_t offset; /* in the name */
};

/* Numbers of one place in a name, ordered by length and value, each once. */
struct fold_set {
	struct fold_num *nums;
	size_t len;
};

/* Names that differ in their numbers alone. */
struct fold_group {
	const char *frame; /* one of them, which lends what stands around its numbers */
	struct fold_num *frame_nums;
	char *pattern; /* web%s: decides the place of the group */
	size_t dims;
	struct fold_num *nums; /* count * dims: a row a name. Then the memory of the sets */
	size_t count;
	struct fold_set *sets; /* vec_count * dims: each row is the product of its sets */
	size_t vec_count;
};

struct fold {
	struct fold_group *groups; /* in order */
	size_t group_count;
	struct fold_num *nums; /* of all names */
	size_t count;	       /* names */
};

/* fold_split.c: the groups, with a row for each name, in any order, and no sets yet. */
void fold_split(struct fold *fold, const char *const *names, size_t n);

/* Finds the part of a name whose numbers may be folded: no user, no port, no IPv6. */
void fold_span(const char *text, size_t *ret_from, size_t *ret_to);

/* By length, then by value: the order in a set. */
int fold_num_order(const void *a, const void *b);

/* fold_merge.c: makes the sets of a group with two or more dims from its rows. */
void fold_merge(struct fold_group *group);

/* fold_set.c */

/* A walk over the runs of a set. All zero, but for set and autostep, it begins. */
struct fold_run {
	const struct fold_set *set;
	double autostep; /* runs with a step other than 1 need so many; 0: there are none */
	size_t from, to; /* the run: to is behind its last number */
	uint64_t step;	 /* 0: the numbers from from to to are single ones */
	bool padded;	 /* the single number before had zeros in front, or followed one that had */
	bool adjacent;	 /* it follows the run before without a gap */
};

/* To the next run. False behind the last one. */
bool fold_run_next(struct fold_run *run);

/* Appends the numbers of a set: 7, or [1-3,5]. */
void fold_set_print(const struct fold_set *set, double autostep, struct buf *out);

#endif
