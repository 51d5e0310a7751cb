#include "clock.h"

#include <string.h>
#include <time.h>

#define NS_PER_S 1000000000u

static uint64_t clock_read(clockid_t id)
{
	struct timespec ts;

	(void)clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

uint64_t clock_mono_ns(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

uint64_t clock_wall_ns(void)
{
	return clock_read(CLOCK_REALTIME);
}

/* Writes count digits that end before end. */
static void clock_digits(char *end, unsigned count, unsigned value)
{
	for (; count; count--, value /= 10)
		*--end = (char)('0' + value % 10);
}

char *clock_rfc3339(char *out, uint64_t wall_ns)
{
	static const char shape[] = "0000-00-00T00:00:00.000000Z";
	time_t s = (time_t)(wall_ns / NS_PER_S);
	struct tm tm;

	/* Every record has a time: strftime(3) and snprintf(3) took most of what one costs. */
	(void)gmtime_r(&s, &tm);
	memcpy(out, shape, sizeof shape);
	clock_digits(out + 4, 4, (unsigned)tm.tm_year + 1900);
	clock_digits(out + 7, 2, (unsigned)tm.tm_mon + 1);
	clock_digits(out + 10, 2, (unsigned)tm.tm_mday);
	clock_digits(out + 13, 2, (unsigned)tm.tm_hour);
	clock_digits(out + 16, 2, (unsigned)tm.tm_min);
	clock_digits(out + 19, 2, (unsigned)tm.tm_sec);
	clock_digits(out + 26, 6, (unsigned)(wall_ns % NS_PER_S / 1000));
	return out;
}
