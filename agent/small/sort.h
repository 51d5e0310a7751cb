/* qsort(3) in a tenth of the code: a heap sort, which no order makes slow. */
#ifndef MUSTER_SORT_H
#define MUSTER_SORT_H

#include <stddef.h>

typedef int sort_compare(const void *a, const void *b);

/* Sorts count elements of size bytes in place. Not stable. */
void sort_heap(void *base, size_t count, size_t size, sort_compare *compare);

#endif
