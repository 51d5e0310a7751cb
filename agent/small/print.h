/*
 * vsnprintf(3) without floating point, which is most of what that of a libc costs in a small static
 * program.
 */
#ifndef MUSTER_PRINT_H
#define MUSTER_PRINT_H

#include <stdarg.h>
#include <stddef.h>

/*
 * Takes the conversions d i u x X o c s %, the flags - and 0, width and precision (numbers or *),
 * and the lengths l ll z j t. Anything else is a mistake of ours, and ends the program;
 * tests/agent/formats looks for it. Writes at most size bytes with the NUL; returns the length that
 * the whole text has, or -1 with EOVERFLOW if no int can say it.
 */
int print_text(char *out, size_t size, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));

#endif
