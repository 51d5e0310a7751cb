/* Folding names for display: web01,web02,web03,db1 -> db1,web[01-03]. */
#ifndef MUSTER_FOLD_H
#define MUSTER_FOLD_H

#include <stddef.h>

/*
 * Folds n names into one expression that hostlist_parse expands to the same set. Numbers are
 * grouped by padding width; steps are not folded (web[1,3,5]). Names differ in one number at most
 * in each fold (the last one that varies); several pieces are joined by ','. Sorted, pieces in
 * order of name. O(n log n). The caller frees the result; "" for n = 0.
 */
char *fold_names(const char *const *names, size_t n);

#endif
