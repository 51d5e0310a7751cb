/* Times, counts and sizes as people write them, on the command line and in muster.conf. */
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

/* "65536", "64K", "256M", "1G": bytes, from SIZE_SMALLEST to SIZE_LARGEST. The same errors. */
#define SIZE_SMALLEST (UINT64_C(4) << 10)
#define SIZE_LARGEST  (UINT64_C(1) << 40)
int size_parse(uint64_t *ret, const char *text, const char *what, struct errmsg *msg);

#endif
