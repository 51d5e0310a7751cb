/*
 * CRC32C (Castagnoli; RFC 3720, appendix B.4). Each function goes on from crc, which is 0 at the
 * start, so that crc32c(crc32c(0, a), b) is the CRC of a followed by b.
 */
#ifndef MUSTER_CRC32C_H
#define MUSTER_CRC32C_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The fastest way that this processor has. */
uint32_t crc32c(uint32_t crc, const void *data, size_t n);

/* The two ways, for the tests: tables, and the processor's instruction if crc32c_has_hard(). */
uint32_t crc32c_soft(uint32_t crc, const void *data, size_t n);
bool crc32c_has_hard(void);
uint32_t crc32c_hard(uint32_t crc, const void *data, size_t n);

#endif
