#include "duration.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"

#define DURATION_MAX_MS (366.0 * 24 * 3600 * 1000)

static const struct {
	const char *unit;
	double ms;
} duration_units[] = {
	{"", 1000},	      {"ms", 1},
	{"s", 1000},	      {"m", 60 * 1000},
	{"h", 3600 * 1000.0}, {"d", 24 * 3600 * 1000.0},
};

int duration_parse(uint64_t *ret_ms, const char *text, const char *what, struct errmsg *msg)
{
	char *end = NULL;
	double v;

	/* strtod also takes signs, infinities and hexadecimal: a digit begins what we mean. */
	if (!isdigit((unsigned char)*text) || text[strspn(text, "0123456789")] == 'x' ||
	    text[strspn(text, "0123456789")] == 'X')
		return err_set(msg, ERR_SYNTAX,
			       "%s: '%s' is no time (examples: 30, 90s, 5m, 250ms)", what, text);
	v = strtod(text, &end);
	for (size_t i = 0; i < ARRAY_LEN(duration_units); i++) {
		if (strcmp(end, duration_units[i].unit) != 0)
			continue;
		v *= duration_units[i].ms;
		if (v > DURATION_MAX_MS)
			return err_set(msg, ERR_RANGE, "%s: '%s' is more than a year", what, text);
		*ret_ms = (uint64_t)(v + 0.5);
		return 0;
	}
	return err_set(msg, ERR_SYNTAX, "%s: '%s' has no known unit (ms, s, m, h, d)", what, text);
}

int count_parse(uint64_t *ret, const char *text, uint64_t min, uint64_t max, const char *what,
		struct errmsg *msg)
{
	unsigned long long v;
	char *end = NULL;

	errno = 0;
	v = strtoull(text, &end, 10);
	if (!isdigit((unsigned char)*text) || *end || errno || v < min || v > max)
		return err_set(msg, ERR_RANGE, "%s: '%s' is no number from %llu to %llu", what,
			       text, (unsigned long long)min, (unsigned long long)max);
	*ret = v;
	return 0;
}

int size_parse(uint64_t *ret, const char *text, const char *what, struct errmsg *msg)
{
	static const char units[] = "KMG";
	unsigned long long v;
	char *end = NULL;
	const char *unit;
	unsigned shift = 0;

	errno = 0;
	v = strtoull(text, &end, 10);
	unit = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
	if (unit) {
		shift = 10 * (unsigned)(unit - units + 1);
		end++;
	}
	if (!isdigit((unsigned char)*text) || *end)
		return err_set(msg, ERR_SYNTAX,
			       "%s: '%s' is no size (examples: 65536, 64K, 256M, 1G)", what, text);
	if (errno || v > SIZE_LARGEST >> shift || v << shift < SIZE_SMALLEST)
		return err_set(msg, ERR_RANGE, "%s: '%s' is not from 4K to 1024G", what, text);
	*ret = v << shift;
	return 0;
}
