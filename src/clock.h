/* Time. Deadlines use the monotonic clock; only what is shown or stored uses the wall clock. */
#ifndef MUSTER_CLOCK_H
#define MUSTER_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/* Nanoseconds of CLOCK_MONOTONIC and CLOCK_REALTIME, clock_gettime(2). */
uint64_t clock_mono_ns(void);
uint64_t clock_wall_ns(void);

#define CLOCK_RFC3339_SIZE 32

/*
 * Writes wall-clock nanoseconds since 1970 as UTC with microseconds, RFC 3339 section 5.6:
 * 2026-03-01T12:34:56.123456Z. Returns out, which has CLOCK_RFC3339_SIZE bytes.
 */
char *clock_rfc3339(char *out, uint64_t wall_ns);

#endif
