/*
 * From decimal digits to the nearest double, exactly as strtod(3), in a fraction of the code that a
 * libc has for it.
 */
#ifndef MUSTER_DECIMAL_H
#define MUSTER_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

#define DECIMAL_MAX 255u /* characters */

/*
 * text is len (at most DECIMAL_MAX) bytes of the form -?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?. Half
 * way between two doubles it is the even one; what is too great is infinite.
 */
double decimal_read(const uint8_t *text, size_t len);

#endif
