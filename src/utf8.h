/* UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef MUSTER_UTF8_H
#define MUSTER_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True if all n bytes are whole, valid UTF-8. */
bool utf8_valid(const void *data, size_t n);

/*
 * Decodes the first character of n >= 1 bytes. Returns its length in bytes (1 to 4) and sets
 * *ret_cp; 0 if the bytes are no valid character; -1 if they are the beginning of one that is
 * not whole. *ret_cp is set only for a positive result.
 */
int utf8_decode(const uint8_t *data, size_t n, uint32_t *ret_cp);

#endif
