/* strtol(3) and its relatives, without the stream that some libcs read through. */
#ifndef MUSTER_NUMBER_H
#define MUSTER_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* What stands at the front of a text. */
struct number {
	const char *end; /* behind the last digit; the text itself if there is no number */
	uint64_t value;	 /* without its sign; UINT64_MAX if it is greater than that */
	bool negative;
	bool overflow;
};

/*
 * Blanks, a sign, and digits in base 2 to 36; base 0: as the prefix 0x or 0 says, or 10. As in C,
 * 0x may stand in front in base 16 too.
 */
struct number number_read(const char *text, int base);

#endif
