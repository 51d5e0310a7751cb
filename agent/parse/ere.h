/*
 * POSIX extended regular expressions over bytes, in the C locale. Ours, as that of the libc would
 * be a third of the agent; and because the time for a text is bounded by its length times the size
 * of the pattern, whatever both are.
 *
 * Also \d \s \w and their opposites \D \S \W, \t \n \r. The match is the leftmost, and of those
 * the longest; groups in it are as an alternative that stands first, or a repetition that takes
 * more, has it.
 */
#ifndef MUSTER_ERE_H
#define MUSTER_ERE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct ere;

struct ere_span {
	uint32_t begin; /* ERE_NONE: the group is not in the match */
	uint32_t end;
};
#define ERE_NONE UINT32_MAX

/* Returns 0; ERR_SYNTAX; ERR_RANGE for one that is too large once its repetitions are written out,
 * with msg. Freed by ere_free. */
int ere_new(struct ere **ret, const char *pattern, struct errmsg *msg);
void ere_free(struct ere *ere); /* NULL is fine */

/* Finds a match in len < ERE_NONE bytes. ret_spans: the match and then its groups, count in all. */
bool ere_find(struct ere *ere, const uint8_t *text, size_t len, struct ere_span *ret_spans,
	      size_t count);

#endif
