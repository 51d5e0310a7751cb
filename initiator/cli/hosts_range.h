/* The numbers that options of muster hosts take: indices, axes, and how many make a step. */
#ifndef MUSTER_HOSTS_RANGE_H
#define MUSTER_HOSTS_RANGE_H

#include <stddef.h>

#include "err.h"

/*
 * Keeps of names those whose index (from 0) is in text, as in "0-4/2,9". Indices beyond the last
 * choose nothing. Returns 0, or ERR_SYNTAX or ERR_RANGE with msg, which names the option.
 */
int hosts_slice(const char **names, size_t *count, const char *text, struct errmsg *msg);

#endif
