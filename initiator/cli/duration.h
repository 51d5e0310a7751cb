/* Times and counts as people write them on the command line. */
#ifndef MUSTER_DURATION_H
#define MUSTER_DURATION_H

#include <stdint.h>

#include "err.h"

/*
 * "90", "90s", "1.5m", "250ms", "2h", "1d": seconds where no unit stands. At most a year. Returns
 * 0, or ERR_SYNTAX or ERR_RANGE with msg naming the text and the cure. what: the option, for msg.
 */
int duration_parse(uint64_t *ret_ms, const char *text, const char *what, struct errmsg *msg);

/* A whole number from min to max. The same errors. */
int count_parse(uint64_t *ret, const char *text, uint64_t min, uint64_t max, const char *what,
		struct errmsg *msg);

#endif
