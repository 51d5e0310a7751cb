/*
 * Folding names for display: web01,web02,web03,db1 -> db1,web[01-03].
 *
 * The result, its order and that of the expansion are those of ClusterShell's nodeset; the text
 * expands to the same set, and no name is rewritten. Numbers in users, ports and IPv6 addresses
 * are not folded, nor are those above RANGE_NUMBER_MAX and all but the last FOLD_DIMS_MAX of a
 * name. Names that differ in several numbers are folded in all of them: r[1-2]n[1-4].
 */
#ifndef MUSTER_FOLD_H
#define MUSTER_FOLD_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

#define FOLD_DIMS_MAX 16u

/* How a folded set is written. All zero: as fold_names does. */
struct fold_how {
	double autostep;   /* runs with a step, as 1-9/2, that have so many numbers; 0: none */
	const long *axes;  /* fold these numbers of a name alone: 1 the first, -1 the last */
	size_t axis_count; /* 0: all */
};

/*
 * Folds n names into one expression that hostlist_parse expands to the same set. Sorted; a name
 * that is there twice counts once. O(n log n) in practice, and bounded. The caller frees the
 * result; "" for n = 0.
 */
char *fold_names(const char *const *names, size_t n);

/* True if the names are already what fold_expand would make of them. It is a look at each, and
 * answers for names that differ in one number alone: for others it is false. */
bool fold_is_sorted(const char *const *names, size_t n);

/* A set of names, folded. It copies nothing: names must live as long. */
struct fold;
struct fold *fold_new(const char *const *names, size_t n);
void fold_free(struct fold *fold); /* NULL is fine */

/* How many names there are, each counted once. */
size_t fold_count(const struct fold *fold);

/* Appends the folded text. how NULL: as fold_names. */
void fold_print(const struct fold *fold, const struct fold_how *how, struct buf *out);

/* Appends each name in order, and a NUL behind each. */
void fold_expand(const struct fold *fold, struct buf *out);

/* Calls fn with each part whose numbers follow one another, as fold_expand would give it: text has
 * n names with a NUL behind each, and is fn's to empty or to take. */
typedef void fold_part_fn(void *arg, struct buf *text, size_t n);
void fold_contiguous(const struct fold *fold, fold_part_fn *fn, void *arg);

#endif
