/* The summary of who failed and why, for the end of a run. */
#ifndef MUSTER_VERDICT_H
#define MUSTER_VERDICT_H

#include <stddef.h>

#include "buf.h"

/* One computer that did not end well. */
struct verdict_item {
	const char *host;
	const char *why; /* "exited 2", "unreachable: connection refused" */
};

/* Folds names for display (hosts/fold.h); the result is freed with free(3). */
typedef char *verdict_fold_fn(const char *const *names, size_t n);

/*
 * Appends "3/200 failed: web[07,12] (exited 2), db1 (unreachable: connection refused)" without
 * newline: hosts with the same why are one group; largest group first, then in order of first
 * mention. Harmless on a terminal. Nothing for count = 0. O(n log n).
 */
void verdict_line(struct buf *out, const struct verdict_item *items, size_t count, size_t total,
		  verdict_fold_fn *fold);

#endif
